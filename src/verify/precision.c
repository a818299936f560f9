/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which numbers matter: going back along the path from where a number decided something
 * to where it came from, marking it precise in the kept states on the way.
 *
 * Kept states are compared with every scalar that is not precise left out, so the marks
 * must reach each register and slot that the number was made of.  Where the way back is
 * lost, everything on the path is marked: always right, only slower.  The working state
 * needs no marks: it is never what others are compared with.  Never does: change values.
 * More: history.h; "Precision" in Documentation/bpf/verifier.rst.
 */
#include <string.h>

#include "verify/compact.h"
#include "verify/explore.h"
#include "verify/history.h"

enum {
	ARGS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 | 1 << R5,
	KEPT_REGS = (1 << N_REGS) - 1 - (1 << R10), /* R10 is always known */
};

/* What must be precise before the instruction that was gone back to. */
struct marks {
	u32 frame; /* the function that the path is in */
	u16 regs[FRAMES];
	u64 slots[FRAMES];
};

/* One instruction on the way back. */
struct back {
	const struct env *env;
	struct marks *marks;
	const struct history *entry; /* or NULL */
	u32 pc;
	u32 next; /* the instruction that followed; NO_INSN at the start */
};

static bool marks_empty(const struct marks *m)
{
	u64 all = m->regs[m->frame];

	if (all)
		return false;
	for (u32 i = 0; i <= m->frame; i++)
		all |= m->regs[i] | m->slots[i];
	return !all;
}

static void add_reg(struct marks *m, u32 regno)
{
	m->regs[m->frame] |= (u16)(1 << regno) & KEPT_REGS;
}

static bool has_reg(const struct marks *m, u32 regno)
{
	return m->regs[m->frame] & 1 << regno;
}

static bool take_reg(struct marks *m, u32 regno)
{
	bool had = has_reg(m, regno);

	m->regs[m->frame] &= (u16) ~(1 << regno);
	return had;
}

/* False: deeper than calls go; the way is lost. */
static bool enter(struct marks *m)
{
	if (m->frame == FRAMES - 1)
		return false;
	m->frame++;
	return true;
}

static bool linked_is_marked(const struct marks *m, const struct linked *l)
{
	return l->is_reg ? m->regs[l->frame] & 1 << l->no
			 : m->slots[l->frame] >> l->no & 1;
}

/* Registers that were refined together: one that matters got its value from all. */
static void spread_links(const struct back *b)
{
	const struct history *entry = b->entry;
	struct marks *m = b->marks;
	bool some = false;

	if (!entry)
		return;
	for (u32 i = 0; i < entry->n_linked; i++)
		some |= linked_is_marked(m, &entry->linked[i]);
	for (u32 i = 0; some && i < entry->n_linked; i++) {
		const struct linked *l = &entry->linked[i];

		if (l->is_reg)
			m->regs[l->frame] |= (u16)(1 << l->no);
		else
			m->slots[l->frame] |= 1ull << l->no;
	}
}

static bool is_copy(const struct op_info *op)
{
	return op->kind == KIND_ADDR_SPACE_CAST || op->row == ALU_MOV ||
	       op->row == ALU_MOVS8 || op->row == ALU_MOVS16 || op->row == ALU_MOVS32;
}

static void back_alu(const struct back *b, const struct insn *insn,
		     const struct op_info *op)
{
	if (!has_reg(b->marks, insn->dst_reg) || op->kind == KIND_END)
		return;
	if (is_copy(op))
		take_reg(b->marks, insn->dst_reg);
	if (op->reg || op->kind == KIND_ADDR_SPACE_CAST)
		add_reg(b->marks, insn->src_reg);
}

/* Only the stack keeps what is known of a number; from elsewhere comes any number. */
static void back_load(const struct back *b, u32 regno)
{
	if (take_reg(b->marks, regno) && b->entry && (b->entry->flags & HISTORY_STACK))
		b->marks->slots[b->entry->frame] |= 1ull << b->entry->slot;
}

static bool back_store(const struct back *b, const struct insn *insn, bool reg)
{
	u64 slot;

	/* A number as an address: a difference of pointers. */
	if (has_reg(b->marks, insn->dst_reg))
		return false;
	if (!b->entry || !(b->entry->flags & HISTORY_STACK))
		return true;
	slot = 1ull << b->entry->slot;
	if (!(b->marks->slots[b->entry->frame] & slot))
		return true;
	b->marks->slots[b->entry->frame] &= ~slot;
	if (reg)
		add_reg(b->marks, insn->src_reg);
	return true;
}

static bool back_atomic(const struct back *b, const struct insn *insn,
			const struct op_info *op)
{
	static const bool fetches[ATOMICS] = {
#define T(name, imm, fetch, text, stored) [ATOMIC_##name] = fetch,
#include "isa/atomic.def"
#undef T
	};

	if (!fetches[op->row])
		return back_store(b, insn, true);
	back_load(b, op->row == ATOMIC_CMPXCHG ? R0 : insn->src_reg);
	return true;
}

/*
 * From the first instruction of a function to its call.  All but its arguments must have
 * been found in it; those of a callback come from the kernel.
 */
static bool leave_to_call(const struct back *b, bool callback)
{
	struct marks *m = b->marks;
	u16 regs = m->regs[m->frame];

	if (!m->frame || (regs & ~ARGS) || m->slots[m->frame])
		return false;
	m->regs[m->frame] = 0;
	m->frame--;
	if (!callback)
		m->regs[m->frame] |= regs;
	return true;
}

static bool back_call(const struct back *b, const struct insn *insn)
{
	struct marks *m = b->marks;
	const struct env *env = b->env;
	bool follows = b->next == b->pc + 1;

	if (insn->src_reg == CALL_LOCAL) {
		u32 sub = env->aux[jump_target(insn, b->pc)].subprog;

		if (!env_sub_is_global(env, sub))
			return leave_to_call(b, false);
	} else if (!follows && env->aux[b->pc].calls_callback) {
		return leave_to_call(b, true);
	}
	take_reg(m, R0);
	if (m->regs[m->frame] & ARGS)
		return false;
	/* A tail call that did not come back: the function ended here. */
	return follows || enter(m);
}

static bool is_local_call(const struct env *env, u32 pc)
{
	return env->aux[pc].op == OP_CALL && env->insns[pc].src_reg == CALL_LOCAL;
}

/* Into the function that returned to b->next: from a call, or from a callback. */
static bool back_exit(const struct back *b)
{
	struct marks *m = b->marks;
	const struct env *env = b->env;
	bool callback = b->next != NO_INSN && env->aux[b->next].calls_callback;
	bool called = b->next != NO_INSN && b->next && is_local_call(env, b->next - 1);
	bool result;

	if (callback) /* set by who calls it */
		m->regs[m->frame] &= (u16)~ARGS;
	if (m->regs[m->frame] & ARGS)
		return false;
	result = take_reg(m, R0) && called;
	if (!enter(m))
		return false;
	if (result)
		add_reg(m, R0);
	return true;
}

static void back_jump(const struct back *b, const struct insn *insn,
		      const struct op_info *op)
{
	u32 flags = b->entry ? b->entry->flags : 0;

	if (!op->reg)
		return;
	if (!has_reg(b->marks, insn->dst_reg) && !has_reg(b->marks, insn->src_reg))
		return;
	if (!(flags & HISTORY_SRC_STACK))
		add_reg(b->marks, insn->src_reg);
	if (!(flags & HISTORY_DST_STACK))
		add_reg(b->marks, insn->dst_reg);
}

static bool back_legacy_load(const struct back *b)
{
	/* What is in the packet is not known, but it is a way out of the function, too.
	 */
	if (has_reg(b->marks, R0))
		return false;
	return b->next == b->pc + 1 || enter(b->marks);
}

/* False: the way back is lost. */
static bool back_one(const struct back *b)
{
	const struct insn *insn = &b->env->insns[b->pc];
	const struct op_info *op = b->env->aux[b->pc].info;

	switch ((enum op_kind)op->kind) {
	case KIND_INVALID:
	case KIND_JA:
	case KIND_MAY_GOTO: return true;
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST: back_alu(b, insn, op); return true;
	case KIND_LDDW: take_reg(b->marks, insn->dst_reg); return true;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: back_load(b, insn->dst_reg); return true;
	case KIND_ST: return back_store(b, insn, false);
	case KIND_STX:
	case KIND_STORE_REL: return back_store(b, insn, true);
	case KIND_ATOMIC: return back_atomic(b, insn, op);
	case KIND_JMP: back_jump(b, insn, op); return true;
	case KIND_CALL: return back_call(b, insn);
	case KIND_EXIT: return back_exit(b);
	case KIND_LD_ABS:
	case KIND_LD_IND: return back_legacy_load(b);
	case KIND_CALLX: break;
	}
	return false;
}

/* ---- going back quickly ---- */

/*
 * Most instructions say at once what going back does with the marks of their function's
 * registers; where more was noted of one, or where there is more to it, back_one() knows.
 */
enum back_kind {
	BACK_TAKE, /* dst comes from nowhere */
	BACK_COPY, /* dst is what src was */
	BACK_ADD,  /* dst is made of both */
	BACK_BOTH, /* either tells of the other */
	BACK_MORE,
};

struct back_op {
	u16 regs;     /* it concerns nobody but these; ALWAYS: everybody */
	u16 dst, src; /* a bit each, 0 where it cannot be marked */
	u8 kind;      /* enum back_kind */
};

enum { ALWAYS = 1 << 15 }; /* no register has this number */

static enum back_kind alu_kind(const struct op_info *op)
{
	if (op->kind == KIND_ADDR_SPACE_CAST)
		return BACK_COPY;
	if (is_copy(op))
		return op->reg ? BACK_COPY : BACK_TAKE;
	return BACK_ADD;
}

static struct back_op back_op_of(const struct insn *insn, const struct op_info *op)
{
	struct back_op back = {.dst = (u16)(1u << insn->dst_reg) & KEPT_REGS,
			       .src = (u16)(1u << insn->src_reg) & KEPT_REGS,
			       .kind = BACK_MORE};

	back.regs = back.dst;
	switch ((enum op_kind)op->kind) {
	case KIND_INVALID: /* the second half of a wide one */
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_END: back.regs = 0; return back;
	case KIND_ALU:
	case KIND_ADDR_SPACE_CAST:
		back.kind = alu_kind(op);
		if (back.kind == BACK_ADD && !op->reg)
			back.regs = 0;
		return back;
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: back.kind = BACK_TAKE; return back;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: return back;
	case KIND_JMP:
		back.regs = op->reg ? back.dst | back.src : 0;
		back.kind = BACK_BOTH;
		return back;
	case KIND_ATOMIC:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LD_ABS:
	case KIND_LD_IND: break;
	}
	back.regs = ALWAYS;
	return back;
}

/* Side by side, as most instructions are only looked at to be passed over. */
int precision_prepare(struct env *env)
{
	struct back_op *ops = arena_array(&env->arena, env->n_insns, sizeof(*ops));

	env->back_ops = ops;
	if (!ops)
		return env_no_memory(env);
	for (u32 pc = 0; pc < env->n_insns; pc++)
		ops[pc] = back_op_of(&env->insns[pc], env->aux[pc].info);
	return 0;
}

static bool is_noted(const struct history *entry)
{
	return entry && (entry->flags || entry->n_linked);
}

/* From pc down over such as leave the marks of these registers alone, as far as one came
 * after the other and nobody asks about the place. */
static u32 pass_over(const struct env *env, const struct history_walk *walk, u32 pc,
		     u32 regs)
{
	const struct history *at = walk->at;
	const struct back_op *ops = env->back_ops;
	u32 least = at ? at->pc : walk->first_pc;

	if (at && at->walked_pc > least && at->walked_pc <= pc)
		least = at->walked_pc;
	while (pc > least && !(ops[pc].regs & regs))
		pc--;
	return pc;
}

/* Of an instruction that concerns the marks, and of which nothing was noted.  False:
 * back_one() knows. */
static bool back_quickly(const struct back *b)
{
	const struct back_op *op = &b->env->back_ops[b->pc];
	u16 *regs = &b->marks->regs[b->marks->frame];

	switch ((enum back_kind)op->kind) {
	case BACK_TAKE: *regs &= (u16)~op->dst; return true;
	case BACK_COPY: *regs = (u16)((*regs & ~op->dst) | op->src); return true;
	case BACK_ADD: *regs |= op->src; return true;
	case BACK_BOTH: *regs |= op->dst | op->src; return true;
	case BACK_MORE: break;
	}
	return false;
}

/* False: the way is lost. */
static bool back_over(struct back *b)
{
	if (!is_noted(b->entry) && back_quickly(b))
		return true;
	spread_links(b);
	if (!back_one(b))
		return false;
	spread_links(b);
	return true;
}

/* Only the current function's registers are remembered. */
static bool marks_elsewhere(const struct marks *m)
{
	u64 all = m->slots[m->frame];

	for (u32 i = 0; i < m->frame; i++)
		all |= m->regs[i] | m->slots[i];
	return all;
}

/*
 * A walk that comes to where an earlier one started, on the same path and with no more
 * marks, would only repeat it: in a loop, each iteration goes back to the one before.
 */
static bool was_walked(const struct history *at, const struct marks *m, u32 pc)
{
	return at && at->walked_pc == pc && at->walked_frame == m->frame &&
	       !(m->regs[m->frame] & ~at->walked_regs) && !marks_elsewhere(m);
}

static void note_walk(struct history *at, const struct marks *m, u32 pc)
{
	if (!at || marks_elsewhere(m))
		return;
	/* What goes back of two sets is what goes back of either. */
	if (at->walked_pc != pc || at->walked_frame != m->frame)
		at->walked_regs = 0;
	at->walked_pc = pc;
	at->walked_frame = (u8)m->frame;
	at->walked_regs |= m->regs[m->frame];
}

/* What the first of the instructions is asked of the others.  True: they are known. */
static bool start_back(struct back *b, struct history *at)
{
	if (was_walked(at, b->marks, b->pc))
		return true;
	note_walk(at, b->marks, b->pc);
	return false;
}

/* Where the walk would go on was walked before. */
static bool end_known(const struct back *b)
{
	*b->marks = (struct marks){.frame = b->marks->frame};
	return true;
}

/* The marks of the current function's registers, as back_op has them: where nothing was
 * noted of an instruction, only they count. */
static u32 regs_of(const struct marks *m)
{
	return m->regs[m->frame] | ALWAYS;
}

/* Through the instructions of one state.  False: the way is lost. */
static bool back_state(struct back *b, const struct state *st, bool skip_first)
{
	struct history_walk walk = history_walk(st);
	u32 pc = b->pc, last, next = b->next, regs = regs_of(b->marks);
	bool look = !skip_first;

	if (skip_first && start_back(b, st->history))
		return end_known(b);
	for (;; look = true) {
		const struct history *entry = history_at(&walk, pc);

		if (look && ((b->env->back_ops[pc].regs & regs) || is_noted(entry))) {
			b->entry = entry, b->pc = pc, b->next = next;
			if (!back_over(b))
				return false;
			if (marks_empty(b->marks))
				return true;
			regs = regs_of(b->marks);
		}
		if (look && was_walked(walk.at, b->marks, pc))
			return end_known(b);
		next = pc;
		if (!history_back(&walk, &pc))
			return true;
		last = pc;
		pc = pass_over(b->env, &walk, last, regs);
		next = pc == last ? next : pc + 1;
	}
}

/* ---- marks in kept states ---- */

/* True: the mark is new, and what the number was made of before matters, too. */
static bool mark(struct reg *reg)
{
	if (reg->kind != SCALAR || reg->precise)
		return false;
	reg->precise = true;
	return true;
}

/* The same of a small state's frame. */
static bool mark_small(struct marks *m, u32 no, struct small_marks *of)
{
	m->regs[no] &= (u16)(of->regs & ~of->regs_precise);
	m->slots[no] &= of->slots & ~of->slots_precise;
	of->regs_precise |= m->regs[no];
	of->slots_precise |= m->slots[no];
	return m->regs[no] || m->slots[no];
}

static bool mark_frame(struct marks *m, u32 no, struct frame *frame)
{
	u32 regs = m->regs[no];
	u64 slots = m->slots[no];

	for (; regs; regs &= regs - 1) {
		u32 i = (u32)__builtin_ctz(regs);

		if (!mark(&frame->regs[i]))
			m->regs[no] &= (u16) ~(1 << i);
	}
	for (; slots; slots &= slots - 1) {
		u32 i = (u32)__builtin_ctzll(slots);

		if (i >= frame->n_slots || !slot_is_spill(&frame->slots[i]) ||
		    !mark(&frame->slots[i].spilled))
			m->slots[no] &= ~(1ull << i);
	}
	return m->regs[no] || m->slots[no];
}

/* Functions that the marks are in and the kept state is not: the way was lost. */
static bool mark_state(struct marks *m, struct state *st, bool *changed)
{
	if (m->frame > st->depth)
		return false;
	for (u32 i = 0; i <= m->frame; i++)
		*changed |= st->small ? mark_small(m, i, state_marks(st, i))
				      : mark_frame(m, i, st->frames[i]);
	return true;
}

static void force_frame(struct frame *frame)
{
	for (u32 i = 0; i < R10; i++)
		mark(&frame->regs[i]);
	for (u32 i = 0; i < frame->n_slots; i++)
		if (slot_is_spill(&frame->slots[i]))
			mark(&frame->slots[i].spilled);
}

static void force_small(struct small_marks *of)
{
	of->regs_precise |= of->regs & KEPT_REGS;
	of->slots_precise |= of->slots;
}

void precision_force(struct state *st)
{
	for (; st; st = st->parent)
		for (u32 i = 0; i <= st->depth; i++)
			if (st->small)
				force_small(state_marks(st, i));
			else
				force_frame(st->frames[i]);
}

/* The entry of a global function: arguments may be any. */
static bool at_entry(const struct state *st, const struct marks *m)
{
	return st->last_pc == NO_INSN && !st->depth && !m->slots[0] &&
	       !(m->regs[0] & ~ARGS);
}

static void go_back(const struct env *env, struct state *start, struct marks *m,
		    bool *changed)
{
	struct back b = {.env = env, .marks = m, .pc = start->pc, .next = NO_INSN};
	struct state *st = start;
	bool skip_first = true;

	for (;;) {
		if (!back_state(&b, st, skip_first))
			break;
		if (marks_empty(m))
			return;
		skip_first = false;
		if (!st->parent)
			break;
		b.next = st->first_pc;
		st = st->parent;
		b.pc = st->last_pc;
		if (!mark_state(m, st, changed))
			break;
		if (marks_empty(m) || (b.pc == NO_INSN && at_entry(st, m)))
			return;
		if (b.pc == NO_INSN)
			break;
	}
	precision_force(start->parent);
	*changed = true;
}

int env_need_precise(struct env *env, u32 regno)
{
	return env_need_precise_in(env, env->cur->depth, 1u << regno, 0);
}

int env_need_precise_in(struct env *env, u32 frame, u32 regs, u64 slots)
{
	struct marks m = {.frame = env->cur->depth};
	bool changed = false;

	if (!env->privileged)
		return 0;
	m.regs[frame] = (u16)(regs & KEPT_REGS);
	m.slots[frame] = slots;
	if (!marks_empty(&m))
		go_back(env, env->cur, &m, &changed);
	return 0;
}

static void collect(const struct state *st, u32 no, u16 *regs, u64 *slots)
{
	const struct frame *frame = st->frames[no];

	if (st->small) {
		const struct small_marks *of = state_marks(st, no);

		*regs |= of->regs & of->regs_precise & KEPT_REGS;
		*slots |= of->slots & of->slots_precise;
		return;
	}
	for (u32 i = 0; i < R10; i++)
		if (frame->regs[i].kind == SCALAR && frame->regs[i].precise)
			*regs |= (u16)(1 << i);
	for (u32 i = 0; i < frame->n_slots; i++) {
		const struct slot *slot = &frame->slots[i];

		if (slot_is_spill(slot) && slot->spilled.kind == SCALAR &&
		    slot->spilled.precise)
			*slots |= 1ull << i;
	}
}

void precision_propagate(struct env *env, const struct state *from, struct state *to,
			 bool *changed)
{
	struct marks m = {.frame = to->depth};

	if (!env->privileged)
		return;
	for (u32 i = 0; i <= from->depth; i++)
		collect(from, i, &m.regs[i], &m.slots[i]);
	if (!marks_empty(&m))
		go_back(env, to, &m, changed);
}
