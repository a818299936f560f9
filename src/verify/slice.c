/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of a path to a refusal the steps that matter.
 *
 * Backwards along the path with a few goals: registers and places on the stack whose
 * writers are looked for.  A step that writes one is told, and what it read becomes the
 * goal.  A step that changed what is known of a goal without writing it found something
 * out: a branch, or a call that ended it.  Never does: judge; put into words
 * (explain_steps.c).
 */
#include "verify/slice.h"

#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"

enum { GOALS = 6, MAX_EVENTS = 256 };

struct goal {
	bool live, slot;
	u32 frame;
	s32 no; /* of the register; offset of the byte */
};

/* One step backwards. */
struct back {
	struct slice *slice;
	struct goal goals[GOALS];
	u32 n_goals;
	u32 at; /* the step */
	const struct insn *insn;
	const struct op_info *op;
	u32 depth, next_depth; /* before and after it */
};

static const struct reg *before(const struct back *b, u32 reg)
{
	return trace_reg(b->slice->trace, b->at, b->depth, reg);
}

static const struct reg *after(const struct back *b, u32 reg)
{
	return trace_reg(b->slice->trace, b->at + 1, b->depth, reg);
}

/* ---- events ---- */

static void add_event(struct slice *slice, const struct event *event)
{
	u32 pc = trace_at(slice->trace, event->step)->pc;
	struct event *new;

	for (size_t i = 0; i < slice->events.len; i++) {
		struct event *old = vec_at(&slice->events, i);

		if (trace_at(slice->trace, old->step)->pc == pc &&
		    (old->kind == event->kind || event->kind == EVENT_BRANCH)) {
			old->repeated += old->kind == event->kind;
			return;
		}
	}
	new = slice->events.len < MAX_EVENTS ? vec_push(&slice->events) : NULL;
	if (new)
		*new = *event;
}

/* Of what was 0 or more, a number or what moves a pointer. */
static bool turns_negative(const struct back *b, enum event_kind kind)
{
	const struct reg *was, *now;

	if (!b->slice->negative || (kind != EVENT_COMPUTED && kind != EVENT_ADDED))
		return false;
	was = before(b, b->insn->dst_reg);
	now = after(b, b->insn->dst_reg);
	return was && now && was->var.smin >= 0 && now->var.smin < 0;
}

static void tell(const struct back *b, const struct goal *g, enum event_kind kind)
{
	struct event event = {.step = b->at,
			      .kind = kind,
			      .frame = g->frame,
			      .reg = g->slot ? -1 : g->no,
			      .off = g->slot ? g->no : 0,
			      .turns = turns_negative(b, kind)};

	add_event(b->slice, &event);
}

static void found(const struct back *b, struct goal *g, enum event_kind kind)
{
	tell(b, g, kind);
	g->live = false;
	b->slice->written = true;
}

static void follow_reg(struct goal *g, u32 frame, u32 reg)
{
	g->slot = false;
	g->frame = frame;
	g->no = (s32)reg;
}

static void add_goal(struct back *b, u32 frame, u32 reg)
{
	if (b->n_goals == GOALS)
		return;
	b->goals[b->n_goals] = (struct goal){.live = true};
	follow_reg(&b->goals[b->n_goals++], frame, reg);
}

/* ---- registers ---- */

static bool is_stack(const struct reg *reg)
{
	return reg && reg->kind == PTR_TO_STACK && scalar_is_const(&reg->var);
}

static s32 stack_offset(const struct reg *reg, s32 off)
{
	return (s32)((s64)reg->var.bits.value + reg->off + off);
}

/* The registers that the instruction gives a value, as bits. */
static u32 written(const struct insn *insn, const struct op_info *op)
{
	enum { CALL_WRITES = 0x3f }; /* R0 to R5 */

	switch ((enum op_kind)op->kind) {
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return 1u << insn->dst_reg;
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_LD_ABS:
	case KIND_LD_IND: return CALL_WRITES;
	case KIND_ATOMIC:
		if (op->row == ATOMIC_CMPXCHG)
			return 1u << R0;
		return insn->imm & 1 ? 1u << insn->src_reg : 0;
	case KIND_INVALID:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_EXIT:
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: break;
	}
	return 0;
}

static void load_wrote(const struct back *b, struct goal *g)
{
	const struct reg *base = before(b, b->insn->src_reg);

	if (!is_stack(base)) {
		found(b, g, EVENT_READ);
		return;
	}
	g->slot = true;
	g->frame = base->frame;
	g->no = stack_offset(base, b->insn->off);
	tell(b, &(struct goal){.frame = b->depth, .no = b->insn->dst_reg}, EVENT_FILLED);
}

/* A pointer and a number, in whichever registers: both are of interest. */
static void pointer_moved(struct back *b, struct goal *g)
{
	u32 dst = b->insn->dst_reg, src = b->insn->src_reg;
	const struct reg *d = before(b, dst);
	bool swapped = d && !reg_is_pointer(d);

	tell(b, g, EVENT_ADDED);
	if (b->slice->numbers)
		add_goal(b, b->depth, swapped ? dst : src);
	follow_reg(g, b->depth, swapped ? src : dst);
}

static void alu_wrote(struct back *b, struct goal *g)
{
	const struct reg *d = before(b, b->insn->dst_reg), *now = after(b, (u32)g->no);
	bool move = b->op->row == ALU_MOV || b->op->row == ALU_MOVS8 ||
		    b->op->row == ALU_MOVS16 || b->op->row == ALU_MOVS32;

	if (b->op->kind == KIND_ALU && move) {
		if (!b->op->reg) {
			found(b, g, EVENT_CONSTANT);
			return;
		}
		tell(b, g, EVENT_COPIED);
		follow_reg(g, b->depth, b->insn->src_reg);
		return;
	}
	if (b->op->kind == KIND_ALU && b->op->reg && now && reg_is_pointer(now)) {
		pointer_moved(b, g);
		return;
	}
	tell(b, g, EVENT_COMPUTED);
	if (b->op->kind == KIND_ALU && b->op->reg && d && reg_is_const(d))
		follow_reg(g, b->depth, b->insn->src_reg);
}

static void reg_written(struct back *b, struct goal *g)
{
	switch ((enum op_kind)b->op->kind) {
	case KIND_ALU:
	case KIND_END: alu_wrote(b, g); break;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: load_wrote(b, g); break;
	case KIND_LDDW: found(b, g, EVENT_CONSTANT); break;
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_LD_ABS:
	case KIND_LD_IND:
		found(b, g, g->no == R0 ? EVENT_RESULT : EVENT_CLOBBERED);
		break;
	case KIND_ATOMIC:
	case KIND_ADDR_SPACE_CAST: found(b, g, EVENT_RESULT); break;
	case KIND_INVALID:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_EXIT:
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: break;
	}
}

/* Into a function: its arguments are registers of the caller. */
static void entered(const struct back *b, struct goal *g)
{
	bool argument = g->no >= R1 && g->no <= R5;

	if (argument && b->insn->src_reg == CALL_LOCAL) {
		tell(b, g, EVENT_PASSED);
		follow_reg(g, b->depth, (u32)g->no);
	} else if (argument) {
		found(b, g, EVENT_GIVEN);
	} else {
		g->live = false;
	}
}

/* Same kind, and the same is known of it? */
static bool is_same(const struct reg *a, const struct reg *b)
{
	return !a || !b ||
	       (a->kind == b->kind && a->flags == b->flags && a->raw[0] == b->raw[0] &&
		a->off == b->off && scalar_same(&a->var, &b->var));
}

/* Of R6 to R9, which functions leave alone: but they may find out or end what is known.
 */
static void kept(const struct back *b, const struct goal *g)
{
	const struct trace *trace = b->slice->trace;
	const struct reg *was = trace_reg(trace, b->at, g->frame, (u32)g->no);
	const struct reg *is = trace_reg(trace, b->at + 1, g->frame, (u32)g->no);

	if (is_same(was, is))
		return;
	tell(b, g, was->kind == is->kind ? EVENT_REFINED : EVENT_LOST);
	b->slice->written |= was->kind != is->kind;
}

/* Out of one: R0 is what it returned, R1 to R5 are gone. */
static void left(const struct back *b, struct goal *g)
{
	if (g->no == R0) {
		tell(b, g, EVENT_RETURNED);
		follow_reg(g, b->depth, R0);
	} else if (g->no <= R5) {
		found(b, g, EVENT_CLOBBERED);
	} else {
		kept(b, g);
	}
}

static void branch(const struct back *b, struct goal *g, bool changed)
{
	bool looked =
		b->insn->dst_reg == g->no || (b->op->reg && b->insn->src_reg == g->no);

	const struct reg *reg = before(b, (u32)g->no);
	bool number = reg && reg->kind == SCALAR;

	b->slice->compared |= number && (looked || changed);
	b->slice->refined |= !number && changed;
	/* That a pointer that cannot be NULL is not is no news. */
	if (changed || (looked && (number || (reg && reg_is_packet(reg)))))
		tell(b, g, changed ? EVENT_REFINED : EVENT_COMPARED);
}

static void reg_step(struct back *b, struct goal *g)
{
	bool changed;

	if (b->next_depth > b->depth && g->frame == b->next_depth)
		entered(b, g);
	else if (b->next_depth < b->depth && g->frame == b->next_depth)
		left(b, g);
	if (g->frame != b->depth || b->next_depth != b->depth)
		return;
	if (written(b->insn, b->op) >> g->no & 1) {
		reg_written(b, g);
		return;
	}
	changed = !is_same(before(b, (u32)g->no), after(b, (u32)g->no));
	if (b->op->kind == KIND_JMP) {
		branch(b, g, changed);
	} else if (changed) {
		tell(b, g, EVENT_LOST);
		b->slice->written = true;
	}
}

/* ---- the stack ---- */

static void store_step(const struct back *b, struct goal *g)
{
	const struct reg *base = before(b, b->insn->dst_reg);
	s32 first;

	if (!base || base->kind != PTR_TO_STACK || base->frame != g->frame)
		return;
	if (!scalar_is_const(&base->var)) {
		tell(b, g, EVENT_WRITTEN);
		return;
	}
	first = stack_offset(base, b->insn->off);
	if (g->no < first || g->no >= first + b->op->width / 8)
		return;
	if (b->op->kind == KIND_ST || b->op->kind == KIND_ATOMIC) {
		found(b, g, b->op->kind == KIND_ST ? EVENT_CONSTANT : EVENT_WRITTEN);
		return;
	}
	tell(b, g, EVENT_SPILLED);
	follow_reg(g, b->depth, b->insn->src_reg);
}

/* What a call may have written: the memory that its arguments point to. */
static void call_step(const struct back *b, struct goal *g)
{
	const struct abi_helper *helper = NULL;

	if (b->insn->src_reg == CALL_HELPER)
		helper = abi_helper((u32)b->insn->imm);
	for (u32 i = R1; i <= R5; i++) {
		const struct reg *arg = before(b, i);
		u32 flags = helper ? helper->args[i - 1] : MEM_WRITE;

		if (!is_stack(arg) || arg->frame != g->frame ||
		    stack_offset(arg, 0) > g->no || !(flags & (MEM_UNINIT | MEM_WRITE)))
			continue;
		found(b, g, EVENT_WRITTEN);
		return;
	}
}

static void slot_step(struct back *b, struct goal *g)
{
	switch ((enum op_kind)b->op->kind) {
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_STORE_REL: store_step(b, g); break;
	case KIND_CALL:
		if (b->next_depth == b->depth)
			call_step(b, g);
		else if (b->next_depth == g->frame && b->next_depth > b->depth)
			g->live = false;
		break;
	case KIND_INVALID:
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LD_ABS:
	case KIND_LD_IND:
	case KIND_LOAD_ACQ: break;
	}
}

/* ---- along the path ---- */

static void step_back(struct back *b)
{
	u32 n = b->n_goals; /* goals that this step adds are of before it */

	for (u32 i = 0; i < n; i++) {
		struct goal *g = &b->goals[i];

		if (g->live && g->slot)
			slot_step(b, g);
		else if (g->live)
			reg_step(b, g);
	}
}

static bool is_done(const struct back *b)
{
	for (u32 i = 0; i < b->n_goals; i++) {
		if (b->goals[i].live)
			return false;
	}
	return true;
}

static void set_step(struct back *b, u32 at)
{
	const struct trace *trace = b->slice->trace;
	const struct insn *insn = &b->slice->prog->insns[trace_at(trace, at)->pc];

	b->at = at;
	b->insn = insn;
	b->op = op_info(decode(insn));
	b->depth = trace_at(trace, at)->depth;
	b->next_depth = trace_at(trace, at + 1)->depth;
}

static void walk_back(struct slice *slice, const struct goal *first)
{
	struct back b = {.slice = slice, .goals = {*first}, .n_goals = 1};

	for (u32 at = trace_len(slice->trace) - 1; at-- > 0 && !is_done(&b);) {
		set_step(&b, at);
		step_back(&b);
	}
	for (u32 i = 0; i < b.n_goals && !slice->trace->cut; i++) {
		const struct goal *g = &b.goals[i];

		if (g->live && !g->slot && !g->frame && g->no >= R1 && g->no <= R5)
			slice->argument = g->no;
	}
}

static u32 last_depth(const struct slice *slice)
{
	return trace_at(slice->trace, trace_len(slice->trace) - 1)->depth;
}

void slice_reg(struct slice *slice, u32 reg)
{
	walk_back(
		slice,
		&(struct goal){.live = true, .frame = last_depth(slice), .no = (s32)reg});
}

void slice_stack(struct slice *slice, u32 frame, s32 off)
{
	walk_back(slice,
		  &(struct goal){.live = true, .slot = true, .frame = frame, .no = off});
}

void slice_branches(struct slice *slice, u32 from)
{
	for (u32 at = trace_len(slice->trace) - 1; at-- > from;) {
		const struct trace_step *step = trace_at(slice->trace, at);
		const struct insn *insn = &slice->prog->insns[step->pc];
		struct event event = {.step = at,
				      .kind = EVENT_BRANCH,
				      .frame = step->depth,
				      .reg = -1};

		if (op_info(decode(insn))->kind == KIND_JMP)
			add_event(slice, &event);
	}
}

/* ---- which ones ---- */

/* Low: is left out first. */
static u32 weight(const struct event *event)
{
	if (event->turns)
		return 6;
	switch (event->kind) {
	case EVENT_CONSTANT:
	case EVENT_READ:
	case EVENT_RESULT:
	case EVENT_CLOBBERED:
	case EVENT_GIVEN:
	case EVENT_LOST:
	case EVENT_ENTERED:
	case EVENT_WRITTEN: return 5;
	case EVENT_REFINED: return 4;
	case EVENT_ADDED:
	case EVENT_BRANCH: return 3;
	case EVENT_COMPUTED:
	case EVENT_COMPARED:
	case EVENT_SPILLED:
	case EVENT_FILLED:
	case EVENT_PASSED:
	case EVENT_RETURNED: return 2;
	case EVENT_COPIED: return 1;
	}
	return 0;
}

static int by_step(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->step < y->step ? -1 : x->step > y->step;
}

/* Of equal weight the earliest one is left out. */
static void drop_least(struct slice *slice)
{
	struct event *events = slice->events.data;
	size_t least = 0;

	for (size_t i = 1; i < slice->events.len; i++) {
		if (weight(&events[i]) < weight(&events[least]))
			least = i;
	}
	slice->events.len--;
	memmove(&events[least], &events[least + 1],
		(slice->events.len - least) * sizeof(*events));
}

void slice_sort(struct slice *slice, u32 most)
{
	if (slice->events.len)
		qsort(slice->events.data, slice->events.len, sizeof(struct event),
		      by_step);
	while (slice->events.len > most)
		drop_least(slice);
}

void slice_fini(struct slice *slice)
{
	vec_fini(&slice->events);
}
