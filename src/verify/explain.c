/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rejection in words.
 *
 * The reason's row says what kind of trouble it is (theme); that decides which steps of
 * the path matter, what is said beside, and which advice is made concrete.  Everything
 * comes from the diagnostic, the result and the trace.  Never does: judge, print.
 * More: explain_steps.c, explain_facts.c, explain_work.c.
 */
#include "verify/explain.h"

#include <string.h>

#include "abi/abi.h"
#include "verify/listing.h"
#include "verify/story.h"
#include "verify/words.h"

enum theme theme_of(int id)
{
	static const struct {
		enum reason_id id;
		enum theme theme;
	} themes[] = {
		{REASON_TOO_COMPLEX, THEME_WORK},
		{REASON_TOO_MANY_JUMPS, THEME_WORK},
		{REASON_STACK_TOO_DEEP, THEME_DEPTH},
		{REASON_TAIL_CALL_TOO_DEEP, THEME_DEPTH},
		{REASON_READ_UNINIT, THEME_UNINIT},
		{REASON_ACCESS_MAYBE_NULL, THEME_NULL},
		{REASON_ARG_KIND, THEME_NULL},
		{REASON_ARG_MAYBE_NULL, THEME_NULL},
		{REASON_KARG_MAYBE_NULL, THEME_NULL},
		{REASON_CALL_ARG_MAYBE_NULL, THEME_NULL},
		{REASON_POINTER_MAYBE_NULL, THEME_NULL},
		{REASON_OFFSET_MIN_NEGATIVE, THEME_BOUNDS},
		{REASON_OFFSET_UNBOUNDED, THEME_BOUNDS},
		{REASON_OFFSET_NO_MINIMUM, THEME_BOUNDS},
		{REASON_OFFSET_TOO_FAR, THEME_BOUNDS},
		{REASON_OUT_OF_BOUNDS, THEME_BOUNDS},
		{REASON_SIZE_NEGATIVE, THEME_BOUNDS},
		{REASON_SIZE_UNBOUNDED, THEME_BOUNDS},
		{REASON_SIZE_ZERO, THEME_BOUNDS},
		{REASON_STACK_UNBOUNDED, THEME_BOUNDS},
		{REASON_STACK_RANGE, THEME_BOUNDS},
		{REASON_STACK_ABOVE, THEME_BOUNDS},
		{REASON_RETURN_RANGE, THEME_BOUNDS},
		{REASON_CALLBACK_RANGE, THEME_BOUNDS},
		{REASON_VARIABLE_POINTER, THEME_BOUNDS},
		{REASON_PACKET_BOUNDS, THEME_PACKET},
		{REASON_PACKET_RANGE, THEME_PACKET},
		{REASON_STACK_UNINIT, THEME_STACK},
		{REASON_INFINITE_LOOP, THEME_LOOP},
		{REASON_REF_LEAK, THEME_HELD},
		{REASON_IN_LOCK, THEME_HELD},
		{REASON_CALL_IN_LOCK, THEME_HELD},
		{REASON_GLOBAL_CALL_IN_LOCK, THEME_HELD},
		{REASON_GLOBAL_CALL_SLEEPS, THEME_HELD},
		{REASON_HELPER_SLEEPS_IN, THEME_HELD},
		{REASON_KFUNC_SLEEPS_IN, THEME_HELD},
		{REASON_KFUNC_NESTED_RCU, THEME_HELD},
		{REASON_LOCK_TWICE, THEME_HELD},
		{REASON_LOCK_DIFFERENT, THEME_HELD},
		{REASON_LOCK_ORDER, THEME_HELD},
		{REASON_IRQ_ORDER, THEME_HELD},
		{REASON_IN_IRQ_SECTION, THEME_HELD},
		{REASON_IN_RCU_SECTION, THEME_HELD},
		{REASON_IN_PREEMPT_SECTION, THEME_HELD},
	};

	for (u32 i = 0; i < ARRAY_SIZE(themes); i++) {
		if (id == (int)themes[i].id)
			return themes[i].theme;
	}
	return THEME_OTHER;
}

/* ---- strings of the story ---- */

const char *story_keep(struct story *story, struct text *t)
{
	const char *s = arena_strdup(&story->arena, text_str(t));

	text_clear(t);
	return s ? s : "";
}

void story_fact(struct story *story, struct text *t)
{
	if (story->n_facts < ARRAY_SIZE(story->facts))
		story->facts[story->n_facts++] = story_keep(story, t);
	text_fini(t);
}

void story_line(struct story *story, struct text *t)
{
	if (story->n_lines < STORY_LINES)
		story->lines[story->n_lines++] = story_keep(story, t);
	text_clear(t);
}

/* ---- which register ---- */

/* Of two operands the second one, unless that is the pointer that the first one moves. */
static s32 operand_concerned(const struct teller *t, const struct insn *insn)
{
	u32 last = trace_len(&t->trace) - 1;
	const struct reg *src = trace_reg(
		&t->trace, last, trace_at(&t->trace, last)->depth, insn->src_reg);

	return src && reg_is_pointer(src) ? insn->dst_reg : insn->src_reg;
}

/* Where the reason names none: what memory is accessed through, what moves a pointer. */
static s32 reg_of_insn(const struct teller *t, u32 pc)
{
	const struct insn *insn = &t->what->prog->insns[pc];
	const struct op_info *op = op_info(decode(insn));

	switch ((enum op_kind)op->kind) {
	case KIND_ALU: return op->reg ? operand_concerned(t, insn) : insn->dst_reg;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return insn->src_reg;
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_STORE_REL: return insn->dst_reg;
	case KIND_INVALID:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LD_ABS:
	case KIND_LD_IND: break;
	}
	return -1;
}

static bool has_trace(const struct teller *t)
{
	u32 n = trace_len(&t->trace);

	return n && (s32)trace_at(&t->trace, n - 1)->pc == t->what->diag->insn;
}

/* The last step at that instruction that is before some step; 0: none. */
static u32 step_before(const struct teller *t, u32 before, s32 pc)
{
	for (u32 i = before; i-- > 0;) {
		if ((s32)trace_at(&t->trace, i)->pc == pc)
			return i;
	}
	return 0;
}

/* What the last branch of a loop compares. */
static s32 reg_of_loop(const struct teller *t)
{
	u32 last = trace_len(&t->trace) - 1;
	u32 start = step_before(t, last, t->what->diag->insn);

	for (u32 i = last; i-- > start;) {
		const struct insn *insn =
			&t->what->prog->insns[trace_at(&t->trace, i)->pc];

		if (op_info(decode(insn))->kind == KIND_JMP)
			return insn->dst_reg;
	}
	return -1;
}

static s32 reg_concerned(const struct teller *t)
{
	if (t->what->result->blame.reg >= 0)
		return t->what->result->blame.reg;
	if (t->theme == THEME_LOOP)
		return reg_of_loop(t);
	return reg_of_insn(t, (u32)t->what->diag->insn);
}

static bool is_written(const struct teller *t, u32 frame, s32 off)
{
	u32 no = slot_of(off);

	return no < t->trace.end.n_slots[frame] &&
	       t->trace.end.slots[frame][no][(u32)off & 7] != SLOT_INVALID;
}

/* From the one on that the reason names; that one when all of them are. */
static s32 first_unwritten(const struct teller *t, u32 frame)
{
	s32 off = t->what->result->blame.stack_off;

	if (off >= 0 || off < -STACK_BYTES)
		return 0;
	while (off < 0 && is_written(t, frame, off))
		off++;
	return off ? off : t->what->result->blame.stack_off;
}

/* What is in the slot, where it is written. */
static const char *held_there(const struct teller *t, u32 frame, s32 off)
{
	switch ((enum slot_type)t->trace.end.slots[frame][slot_of(off)][0]) {
	case SLOT_DYNPTR: return "a dynptr is kept there";
	case SLOT_ITER: return "an iterator is kept there";
	case SLOT_IRQ_FLAG: return "interrupt flags are kept there";
	case SLOT_SPILL: return "a register is kept there";
	case SLOT_INVALID:
	case SLOT_MISC:
	case SLOT_ZERO: break;
	}
	return "all written";
}

/* Which of the eight bytes have been written. */
static void tell_slot(struct teller *t, s32 off, u32 frame)
{
	u32 no = slot_of(off);
	s32 lowest = -(s32)(no + 1) * 8;
	struct text out = TEXT_INIT;
	const char *sep = "";

	text_printf(&out, "stack bytes %d to %d", lowest, lowest + 7);
	t->story->subject = story_keep(t->story, &out);
	for (u32 i = 0; i < 8 && !is_written(t, frame, off); i++) {
		if (is_written(t, frame, lowest + (s32)i))
			continue;
		text_printf(&out, "%s%d", sep, lowest + (s32)i);
		sep = ", ";
	}
	if (out.len)
		text_puts(&out, " never written");
	else
		text_puts(&out, held_there(t, frame, off));
	t->story->state = story_keep(t->story, &out);
	text_fini(&out);
}

/* On the stack, by the refused instruction; 0: none. */
static s32 byte_accessed(const struct teller *t)
{
	const struct insn *insn = &t->what->prog->insns[t->what->diag->insn];
	s64 off;

	if (t->was->kind != PTR_TO_STACK || !scalar_is_const(&t->was->var) ||
	    insn_class(insn->code) > CLASS_STX)
		return 0;
	off = (s64)t->was->var.bits.value + t->was->off + insn->off;
	return off < 0 && off >= -STACK_BYTES ? (s32)off : 0;
}

static void tell_subject(struct teller *t)
{
	u32 last = trace_len(&t->trace) - 1;
	u32 depth = trace_at(&t->trace, last)->depth;
	struct text out = TEXT_INIT;

	t->reg = reg_concerned(t);
	if (t->reg < 0)
		return;
	t->was = trace_reg(&t->trace, last, depth, (u32)t->reg);
	if (!t->was)
		return;
	if (t->theme == THEME_OTHER)
		t->byte = byte_accessed(t);
	if (t->theme == THEME_STACK && t->was->kind == PTR_TO_STACK)
		t->byte = first_unwritten(t, t->was->frame);
	if (t->byte) {
		tell_slot(t, t->byte, t->was->frame);
		return;
	}
	text_printf(&out, "R%d", t->reg);
	t->story->subject = story_keep(t->story, &out);
	words_reg(&out, t->was, depth);
	t->story->state = story_keep(t->story, &out);
	text_fini(&out);
}

/* ---- the way there ---- */

/* Locks and sections, by what enters them. */
static bool enters(struct text *scratch, const struct prog *prog, u32 pc)
{
	static const char *const names[] = {
		"bpf_spin_lock",      "bpf_rcu_read_lock", "bpf_preempt_disable",
		"bpf_local_irq_save", "bpf_res_spin_lock", "bpf_res_spin_lock_irqsave",
	};
	const char *callee = listing_callee(scratch, prog, pc);

	for (u32 i = 0; callee && i < ARRAY_SIZE(names); i++) {
		if (!strcmp(callee, names[i]))
			return true;
	}
	return false;
}

/* Where the lock or section that is in the way was entered: the last one. */
static void slice_entered(struct teller *t)
{
	struct text scratch = TEXT_INIT;
	struct event *event = NULL;

	for (u32 i = trace_len(&t->trace) - 1; i-- > 0 && !event;) {
		const struct trace_step *step = trace_at(&t->trace, i);

		if (!enters(&scratch, t->what->prog, step->pc))
			continue;
		slice_branches(&t->slice, i);
		event = vec_push(&t->slice.events);
		if (!event)
			break;
		*event = (struct event){.step = i,
					.kind = EVENT_ENTERED,
					.frame = step->depth,
					.reg = R1};
	}
	text_fini(&scratch);
}

static void slice_held(struct teller *t)
{
	u32 taken = step_before(t, trace_len(&t->trace), t->what->result->blame.insn);
	struct event *event;

	if (t->what->result->blame.insn < 0) {
		slice_entered(t);
		return;
	}
	slice_branches(&t->slice, taken);
	event = vec_push(&t->slice.events);
	if (event)
		*event = (struct event){.step = taken,
					.kind = EVENT_RESULT,
					.frame = trace_at(&t->trace, taken)->depth,
					.reg = R0};
}

/* Of memory that a helper is given, the next argument is the size. */
static void slice_size(struct teller *t)
{
	const struct insn *insn = &t->what->prog->insns[t->what->diag->insn];
	const struct abi_helper *helper;
	const struct reg *size;
	struct text out = TEXT_INIT;
	u32 kind;

	if (decode(insn) != OP_CALL || insn->src_reg != CALL_HELPER || t->reg < R1 ||
	    t->reg >= R5)
		return;
	helper = abi_helper((u32)insn->imm);
	kind = helper ? helper->args[t->reg] & ABI_BASE : ARG_DONTCARE;
	if (kind != ARG_CONST_SIZE && kind != ARG_CONST_SIZE_OR_ZERO)
		return;
	t->size_reg = t->reg + 1;
	slice_reg(&t->slice, (u32)t->size_reg);
	size = trace_reg(&t->trace, trace_len(&t->trace) - 1,
			 trace_at(&t->trace, trace_len(&t->trace) - 1)->depth,
			 (u32)t->reg + 1);
	if (!size || size->kind != SCALAR)
		return;
	text_printf(&out, "R%d, the size: ", t->reg + 1);
	words_range(&out, &size->var);
	story_fact(t->story, &out);
}

static void slice_for(struct teller *t)
{
	t->slice.negative = t->what->diag->id == REASON_OFFSET_MIN_NEGATIVE ||
			    t->what->diag->id == REASON_OFFSET_NO_MINIMUM ||
			    t->what->diag->id == REASON_SIZE_NEGATIVE;
	t->slice.numbers = t->theme == THEME_BOUNDS || t->theme == THEME_PACKET;
	if (t->theme == THEME_HELD)
		slice_held(t);
	else if (t->byte)
		slice_stack(&t->slice, t->was->frame, t->byte);
	else if (t->reg >= 0 && t->reg != R10)
		slice_reg(&t->slice, (u32)t->reg);
	if (t->theme == THEME_BOUNDS)
		slice_size(t);
	if (t->theme == THEME_LOOP)
		slice_branches(&t->slice, step_before(t, trace_len(&t->trace) - 1,
						      t->what->diag->insn));
	if ((t->theme == THEME_UNINIT || t->theme == THEME_STACK) && !t->slice.written)
		slice_branches(&t->slice, 0);
}

static void tell_path(struct teller *t)
{
	const struct explanation *what = t->what;

	if (!what->result->n_path ||
	    !trace_take(what->prog, what->opts, what->diag, &t->trace) || !has_trace(t))
		return;
	tell_subject(t);
	slice_for(t);
	tell_steps(t);
}

/* ---- all of it ---- */

static void tell_place(struct teller *t)
{
	const struct prog *prog = t->what->prog;
	s32 pc = t->what->diag->insn;
	struct text out = TEXT_INIT;

	if (pc < 0 || (u32)pc >= prog->n_insns)
		return;
	t->story->function = listing_function(prog, (u32)pc);
	t->story->source = listing_source(prog, (u32)pc);
	listing_insn_absolute(&out, prog, (u32)pc);
	t->story->insn = story_keep(t->story, &out);
	text_fini(&out);
}

void story_make(const struct explanation *what, struct story *story)
{
	struct teller t = {.what = what,
			   .story = story,
			   .theme = theme_of(what->diag->id),
			   .slice = {.prog = what->prog,
				     .trace = &t.trace,
				     .events = VEC_INIT(struct event)},
			   .reg = -1,
			   .size_reg = -1};

	*story = (struct story){.arena = ARENA_INIT};
	tell_place(&t);
	if (t.theme == THEME_WORK)
		tell_work_places(&t);
	else if (t.theme == THEME_DEPTH)
		tell_stack_use(&t);
	else
		tell_path(&t);
	if (story->n_steps || t.was)
		tell_facts(&t);
	tell_advice(&t);
	slice_fini(&t.slice);
	trace_fini(&t.trace);
}

void story_fini(struct story *story)
{
	arena_fini(&story->arena);
}

void explain(const struct explanation *what, struct text *out)
{
	struct story story;

	story_make(what, &story);
	story_print(&story, what, out);
	story_fini(&story);
}
