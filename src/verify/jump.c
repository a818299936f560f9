/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps: is the outcome known, and what does each outcome tell?
 *
 * A comparison tells about numbers (and about all that share an id with them), about
 * pointers that may be NULL, and about how much of the packet is there.  The way where
 * the jump is taken waits as a branch; the working state goes on after the instruction.
 * Never does: choose which way is explored first, refine a range itself (scalar.c does).
 * More: Documentation/bpf/verifier.rst, RFC 9669 section 4.3.
 */
#include "verify/calls.h"
#include "verify/explore.h"
#include "verify/record.h"
#include "verify/transfer.h"

struct jump {
	const struct insn *insn;
	enum jmp jmp;
	u8 width;
	bool has_src; /* the second operand is a register */
	u32 target;
	struct reg *dst; /* of the working state */
	struct reg *src; /* of the working state, or &imm */
	struct reg imm;
};

static bool is_any_packet(const struct reg *reg)
{
	return reg_is_packet(reg) || reg->kind == PTR_TO_PACKET_END;
}

/* ---- is the outcome known?  1 taken, 0 not, -1 either ---- */

/* "packet pointer jmp end of the packet", where that was compared before. */
static int packet_outcome(const struct jump *j)
{
	enum jmp jmp = j->jmp;
	const struct reg *packet;
	s32 range;

	if (j->src->kind == PTR_TO_PACKET_END) {
		packet = j->dst;
	} else if (j->dst->kind == PTR_TO_PACKET_END) {
		packet = j->src;
		jmp = jmp_exchanged(jmp);
	} else {
		return -1;
	}
	range = (s32)packet->range;
	if (range == PACKET_BEYOND_END && (jmp == JMP_JGT || jmp == JMP_JLE))
		return jmp == JMP_JGT;
	if (range < 0 && (jmp == JMP_JGE || jmp == JMP_JLT))
		return jmp == JMP_JGE;
	return -1;
}

/* The low half of a pointer may be anything: 32-bit comparisons tell nothing. */
static int pointer_outcome(const struct jump *j)
{
	const struct reg *pointer = j->dst, *number = j->src;

	if (j->width == 32)
		return -1;
	if (!reg_is_const(number)) {
		pointer = j->src;
		number = j->dst;
	}
	if (!reg_is_null(number) || !reg_never_null(pointer))
		return -1;
	if (j->jmp == JMP_JEQ)
		return 0;
	return j->jmp == JMP_JNE ? 1 : -1;
}

static bool is_const_at(const struct scalar *s, u8 width)
{
	return !(width == 32 ? tnum_subreg(s->bits) : s->bits).mask;
}

/* Before both were looked at: the second is a constant; so is the first, or order is
 * asked for. */
static bool may_decide(const struct env *env, const struct jump *j)
{
	if (env->rules->both_refined)
		return true;
	if ((j->jmp == JMP_JEQ || j->jmp == JMP_JNE) &&
	    !is_const_at(&j->dst->var, j->width))
		return false;
	return is_const_at(&j->src->var, j->width);
}

static int outcome(const struct env *env, const struct jump *j)
{
	if (is_any_packet(j->dst) && is_any_packet(j->src) && j->width == 64)
		return packet_outcome(j);
	if (j->dst->kind != SCALAR || j->src->kind != SCALAR)
		return pointer_outcome(j);
	if (!may_decide(env, j))
		return -1;
	return scalar_branch(j->jmp, j->width, &j->dst->var, &j->src->var);
}

/* ---- the outcome is known ---- */

/*
 * The processor may guess the other way: that is looked at, too, with the operands
 * unknown, as what was compared has no meaning on it.
 */
static int speculate(struct env *env, const struct jump *j, u32 pc)
{
	struct state *branch = env_branch(env, pc, true);
	struct reg *regs;

	if (!branch)
		return env_told(env);
	regs = state_regs(branch);
	reg_set_unknown(&regs[j->insn->dst_reg]);
	if (j->has_src)
		reg_set_unknown(&regs[j->insn->src_reg]);
	return 0;
}

/* Speculation goes where no run does; what it would break there is not refused. */
static void went(struct env *env, u8 ways)
{
	if (!env->cur->speculative)
		env->aux[env->pc].ways |= ways;
}

/* packet_outcome() says where a pointer is that was moved since it was compared. */
static bool is_believed(const struct jump *j)
{
	return (j->src->kind == PTR_TO_PACKET_END && reg_is_packet(j->dst) &&
		j->dst->moved) ||
	       (j->dst->kind == PTR_TO_PACKET_END && reg_is_packet(j->src) &&
		j->src->moved);
}

static int one_way(struct env *env, const struct jump *j, bool taken)
{
	u32 next = env->pc + 1;
	int err = 0;

	went(env, taken ? VERIFY_JUMPED : VERIFY_WENT_ON);
	env->aux[env->pc].believed |= !env->cur->speculative && is_believed(j);
	if (j->dst->kind == SCALAR)
		err = env_need_precise(env, j->insn->dst_reg);
	if (!err && j->has_src && j->src->kind == SCALAR)
		err = env_need_precise(env, j->insn->src_reg);
	if (!err && !env->bypass_spec_v1)
		err = speculate(env, j, taken ? next : j->target);
	if (!err)
		env->pc = taken ? j->target : next;
	return err;
}

/* ---- numbers that share an id ---- */

static inline bool has_id(const struct reg *reg, u32 id)
{
	return reg->kind == SCALAR && (reg->id & ~ID_ADD_CONST) == id;
}

/*
 * to is known plus a constant.  Of a number plus a constant at 32 bits the upper half is
 * zero; distances of different widths say nothing about each other.
 */
static void refine_linked(struct reg *to, const struct reg *known)
{
	struct reg old = *to;
	struct scalar delta;

	if (((old.id ^ known->id) & ID_ADD_CONST) == ID_ADD_CONST)
		return;
	*to = *known;
	if (!((old.id | known->id) & ID_ADD_CONST) || old.off == known->off)
		return;
	delta = scalar_const((u64)((s64)old.off - known->off));
	to->var = scalar_alu(ALU_ADD, 64, &known->var, &delta);
	if ((old.id | known->id) & ID_ADD_CONST32)
		to->var = scalar_alu(ALU_MOV, 32, &to->var, &to->var);
	to->id = old.id;
	to->off = old.off;
}

static void links_refine(struct state *st, const struct reg *known,
			 const struct links *links)
{
	if (known->kind != SCALAR || !known->id)
		return;
	for (u32 i = 0; i < links->n; i++) {
		const struct linked *at = &links->at[i];
		struct frame *frame = st->frames[at->frame];
		struct reg *reg =
			at->is_reg ? &frame->regs[at->no] : &frame->slots[at->no].spilled;

		if (reg != known && has_id(reg, known->id & ~ID_ADD_CONST))
			refine_linked(reg, known);
	}
}

/* Tells the history, before anything is refined, and says where they are. */
static int links_find(struct env *env, const struct jump *j, struct links *links)
{
	u32 src = j->has_src && j->src->kind == SCALAR ? j->src->id : 0;
	u32 dst = j->dst->kind == SCALAR ? j->dst->id : 0;

	links->n = 0;
	return src || dst ? env_note_linked(env, dst, src, links) : 0;
}

/* ---- pointers that may be NULL ---- */

static bool keeps_id(const struct env *env, const struct reg *reg)
{
	const struct record *rec = reg_record(env, reg);

	return rec && rec->kinds & (FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK);
}

static void settle_null(const struct env *env, struct reg *reg, u32 id, bool null)
{
	if (!(reg->flags & MAYBE_NULL) || reg->id != id || (!id && !(reg->flags & RCU)))
		return;
	/* No arithmetic is allowed on them, but nodes of graphs are inside of objects. */
	if (!scalar_is_const(&reg->var) || reg->var.bits.value)
		return;
	if (reg->off && !(reg->flags & (ALLOCATED | NON_OWN_REF)))
		return;
	if (null) {
		reg_set_const(reg, 0);
		return;
	}
	reg_not_null(env, reg);
	/* Of locks, the id says in which element they are. */
	if (!keeps_id(env, reg))
		reg->id = 0;
}

/* The register was compared with NULL: all that came from the same call are what it is.
 */
static void settle_nulls(const struct env *env, struct state *st, u32 regno, bool null)
{
	u32 id = state_regs(st)[regno].id, ref_id = state_regs(st)[regno].ref_id;
	struct reg *reg;

	if (null && ref_id && ref_id == id)
		ref_drop(st, id);
	for_each_reg(st, reg) settle_null(env, reg, id, null);
}

/* Equal to a pointer that is not NULL: not NULL either.  Not so for kernel objects, which
 * may be NULL whatever their type says. */
static void settle_equal_pointers(const struct env *env, const struct jump *j,
				  struct reg *equal_regs)
{
	bool dst_never_null, src_never_null;

	if (!env->rules->equal_not_null || j->dst->kind <= SCALAR ||
	    j->src->kind <= SCALAR || j->dst->kind == PTR_TO_BTF_ID ||
	    j->src->kind == PTR_TO_BTF_ID)
		return;
	dst_never_null = reg_never_null(j->dst);
	src_never_null = reg_never_null(j->src);
	if (dst_never_null && j->src->flags & MAYBE_NULL)
		reg_not_null(env, &equal_regs[j->insn->src_reg]);
	if (src_never_null && j->dst->flags & MAYBE_NULL)
		reg_not_null(env, &equal_regs[j->insn->dst_reg]);
}

/* ---- packets ---- */

/* Where the packet starts, unmoved: what metadata ends at. */
static bool is_packet_start(const struct reg *reg)
{
	return reg->kind == PTR_TO_PACKET && !reg->id && !reg->off &&
	       tnum_equals(reg->var.bits, 0);
}

/* "known" is at most (below: less than) the end: so many bytes from its origin are there.
 */
static void grow_ranges(struct state *st, const struct reg *known, bool below)
{
	struct reg compared = *known, *reg;
	s32 range;

	if (compared.off < 0 || (!compared.off && below))
		return;
	/* So that "base + what was added" cannot have wrapped. */
	if (compared.var.umax > MAX_PACKET_OFF ||
	    compared.var.umax + (u64)compared.off > MAX_PACKET_OFF)
		return;
	range = compared.off + below;
	for_each_reg(st, reg) if (reg->kind == compared.kind && reg->id == compared.id &&
				  (s32)reg->range < range)
	{
		reg->range = (u32)range;
		reg->moved = false;
	}
}

static void mark_past_end(struct state *st, u32 regno, bool beyond)
{
	struct reg *reg = &state_regs(st)[regno];

	if (reg->kind != PTR_TO_PACKET)
		return;
	reg->range = (u32)(beyond ? PACKET_BEYOND_END : PACKET_AT_END);
	reg->moved = false;
}

/*
 * Was a packet pointer compared with the packet's end (or one to metadata with the
 * packet's start)?  Then the way where it is not past the end knows how many bytes there
 * are.
 */
static bool match_packet(const struct jump *j, struct state *on, struct state *taken)
{
	const struct reg *packet = j->dst, *end = j->src;
	u32 regno = j->insn->dst_reg;
	enum jmp jmp = j->jmp;

	if (!j->has_src || j->width == 32)
		return false;
	if (end->kind == PTR_TO_PACKET || end->kind == PTR_TO_PACKET_META) {
		bool dst_is_packet =
			packet->kind == PTR_TO_PACKET_META && is_packet_start(end);

		if (!dst_is_packet) {
			packet = j->src;
			end = j->dst;
			regno = j->insn->src_reg;
			jmp = jmp_exchanged(jmp);
		}
	}
	if (!(packet->kind == PTR_TO_PACKET && end->kind == PTR_TO_PACKET_END) &&
	    !(packet->kind == PTR_TO_PACKET_META && is_packet_start(end)))
		return false;
	switch (jmp) {
	case JMP_JGT:
		grow_ranges(on, packet, false);
		mark_past_end(taken, regno, true);
		return true;
	case JMP_JGE:
		grow_ranges(on, packet, true);
		mark_past_end(taken, regno, false);
		return true;
	case JMP_JLT:
		grow_ranges(taken, packet, true);
		mark_past_end(on, regno, false);
		return true;
	case JMP_JLE:
		grow_ranges(taken, packet, false);
		mark_past_end(on, regno, true);
		return true;
	case JMP_JEQ:
	case JMP_JSET:
	case JMP_JNE:
	case JMP_JSGT:
	case JMP_JSGE:
	case JMP_JSLT:
	case JMP_JSLE:
	case JMPS: break;
	}
	return false;
}

/* ---- both outcomes are possible ---- */

/* Before, one of them had to be constant, or both equal; that they differ said nothing.
 */
static bool may_refine(const struct env *env, const struct jump *j, bool taken)
{
	bool equality = j->jmp == JMP_JEQ || j->jmp == JMP_JNE;

	if (env->rules->both_refined)
		return true;
	if (equality && taken != (j->jmp == JMP_JEQ))
		return false;
	return is_const_at(&j->src->var, j->width) ||
	       is_const_at(&j->dst->var, j->width) || (equality && j->width == 64);
}

static int refine_numbers(struct env *env, struct jump *j, struct reg *taken_regs)
{
	struct scalar imm = j->has_src ? (struct scalar){0} : j->imm.var;
	struct scalar *dst = &j->dst->var, *src = &j->src->var;
	struct scalar *dst_taken = &taken_regs[j->insn->dst_reg].var;
	struct scalar *src_taken = j->has_src ? &taken_regs[j->insn->src_reg].var : &imm;
	bool on = may_refine(env, j, false), taken = may_refine(env, j, true);
	void (*refine)(enum jmp, u8, bool, struct scalar *, struct scalar *) =
		env->rules->signs_cross ? scalar_refine : scalar_refine_early;
	int err;

	if (j->dst->kind != SCALAR || j->src->kind != SCALAR || j->dst == j->src)
		return 0;
	if (on)
		refine(j->jmp, j->width, false, dst, src);
	if (taken)
		refine(j->jmp, j->width, true, dst_taken, src_taken);
	err = need_consistent(env, dst_taken);
	err = err ? err : need_consistent(env, src_taken);
	err = err ? err : need_consistent(env, dst);
	return err ? err : need_consistent(env, src);
}

static int learn_of_pointers(struct env *env, const struct jump *j, struct state *taken)
{
	bool equality = j->width == 64 && (j->jmp == JMP_JEQ || j->jmp == JMP_JNE);
	u32 dst = j->insn->dst_reg;

	if (equality && j->has_src)
		settle_equal_pointers(
			env, j, j->jmp == JMP_JEQ ? state_regs(taken) : env_regs(env));
	if (equality && !j->has_src && !j->insn->imm && j->dst->flags & MAYBE_NULL) {
		settle_nulls(env, env->cur, dst, j->jmp == JMP_JNE);
		settle_nulls(env, taken, dst, j->jmp == JMP_JEQ);
		return 0;
	}
	if (!match_packet(j, env->cur, taken) && leaks_pointer(env, j->dst))
		return reject(env, POINTER_COMPARISON, (int)dst);
	return 0;
}

static int both_ways(struct env *env, struct jump *j)
{
	const struct insn *insn = j->insn;
	struct links links;
	struct state *taken;
	struct reg *regs;
	int err;

	went(env, VERIFY_JUMPED | VERIFY_WENT_ON);
	err = links_find(env, j, &links);
	if (err)
		return err;
	taken = env_branch(env, j->target, false);
	if (!taken)
		return env_told(env);
	regs = state_regs(taken);
	err = refine_numbers(env, j, regs);
	if (err)
		return err;
	if (links.n > 1 && j->has_src) {
		links_refine(env->cur, j->src, &links);
		links_refine(taken, &regs[insn->src_reg], &links);
	}
	if (links.n > 1) {
		links_refine(env->cur, j->dst, &links);
		links_refine(taken, &regs[insn->dst_reg], &links);
	}
	err = learn_of_pointers(env, j, taken);
	if (!err)
		env->pc++;
	return err;
}

static int check_operands(struct env *env, struct jump *j)
{
	const struct insn *insn = j->insn;
	bool dst_on_stack, src_on_stack;
	int err = need_reg(env, insn->dst_reg);

	if (err)
		return err;
	dst_on_stack = j->dst->kind == PTR_TO_STACK;
	if (!j->has_src) {
		reg_set_const(&j->imm, (u64)(s64)insn->imm);
		j->src = &j->imm;
		return dst_on_stack ? env_note_stack_compared(env, true, false) : 0;
	}
	err = need_reg(env, insn->src_reg);
	if (err)
		return err;
	j->src = &env_regs(env)[insn->src_reg];
	if (!(is_any_packet(j->dst) && is_any_packet(j->src)) &&
	    leaks_pointer(env, j->src))
		return reject(env, POINTER_COMPARISON, insn->src_reg);
	src_on_stack = j->src->kind == PTR_TO_STACK;
	if (dst_on_stack || src_on_stack)
		return env_note_stack_compared(env, dst_on_stack, src_on_stack);
	return 0;
}

int transfer_jump(struct env *env, const struct insn *insn, const struct op_info *op,
		  enum step *step)
{
	struct jump j;
	int err, taken;

	(void)step; /* the path goes on, one way or the other */
	j.insn = insn;
	j.jmp = (enum jmp)op->row;
	j.width = op->width;
	j.has_src = op->reg;
	j.target = (u32)jump_target(insn, env->pc);
	j.dst = &env_regs(env)[insn->dst_reg];
	err = check_operands(env, &j);
	if (err)
		return err;
	taken = outcome(env, &j);
	if (taken >= 0)
		return one_way(env, &j, taken);
	return both_ways(env, &j);
}

/* ---- may_goto ---- */

/*
 * A conditional jump whose condition is hidden: the kernel decides when it has been
 * passed often enough.  The way on (which is usually the loop's body) waits; the way out
 * is taken now.
 */
int transfer_may_goto(struct env *env, const struct insn *insn)
{
	const struct state *prev = NULL;
	struct state *on;
	u32 pc = env->pc;

	if (env->cur->parent)
		prev = visit_find_entry(env, env->cur->parent, pc);
	on = env_branch(env, pc + 1, false);
	if (!on)
		return env_told(env);
	on->may_goto_depth++;
	if (prev)
		state_widen(env, prev, on);
	env->pc = (u32)jump_target(insn, pc);
	return 0;
}
