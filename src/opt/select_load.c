/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load behind a jump that asks for a bit.
 *
 *	if (key & bit)		x = x ^ *(key & bit ? p : &zero);
 *		x ^= *p;
 *
 * as in Toeplitz hashes with tables.  A load may not be moved in front of the jump, as it
 * may fail there; but it may be made in any case of a place that is always there, and
 * holds what changes nothing: run->zero.  Bits jump as the data want, and a jump that is
 * guessed wrong costs more than five such loads.  Only in loops, only for bits: other
 * comparisons (NULL, ends, errors) mostly go one way.
 */
#include "opt/fold.h"
#include "opt/select.h"

static struct ir_insn *at(const struct pass *p, u32 value)
{
	return &p->ir->insns[value];
}

static bool is_single_bit(const struct pass *p, u32 value)
{
	u64 bits = (u64)at(p, value)->imm;

	return ir_is_const(p->ir, value) && bits && !(bits & (bits - 1));
}

static bool is_zero(const struct pass *p, u32 value)
{
	return ir_is_const(p->ir, value) && !at(p, value)->imm;
}

static bool asks_for_bit(const struct pass *p, const struct ir_insn *jmp)
{
	const struct ir_insn *a = at(p, pass_same(p, jmp->a));

	switch ((int)jmp->row) {
	case JMP_JSLT:
	case JMP_JSGE: return is_zero(p, jmp->b);
	case JMP_JSET: return is_single_bit(p, jmp->b);
	case JMP_JEQ:
	case JMP_JNE:
		return is_zero(p, jmp->b) && a->op == IR_ALU && a->row == ALU_AND &&
		       is_single_bit(p, a->b);
	default: return false;
	}
}

/* PHIs that lead to each other are what comes into them from elsewhere. */
struct seen {
	u32 phis[16], n;
};

static bool has_no_upper_half(const struct pass *p, u32 value, struct seen *seen)
{
	const struct ir_insn *insn = at(p, value);
	const struct ir_block *block;

	if (insn->op != IR_PHI)
		return ir_upper_is_zero(p->ir, value);
	for (u32 i = 0; i < seen->n; i++)
		if (seen->phis[i] == value)
			return true;
	if (seen->n == ARRAY_SIZE(seen->phis))
		return false;
	seen->phis[seen->n++] = value;
	block = pass_block_of(p->ir, value);
	for (u32 i = 0; i < block->n_preds; i++)
		if (!has_no_upper_half(p, pass_same(p, p->ir->args[insn->aux + i]), seen))
			return false;
	return true;
}

/* A side that is x = x op *p. */
struct parts {
	u32 side, x;
	u32 load, change; /* instructions */
	u32 *args;        /* of the PHI where the ways meet */
};

static bool is_cheap(const struct ir_insn *insn)
{
	return ir_ops[insn->op].effect == IR_PURE &&
	       (insn->op != IR_ALU || !alu_divides(insn->row));
}

/* Is there one load in the side, and next to nothing else? */
static bool find_load(const struct pass *p, struct parts *parts)
{
	enum { MOST = 4 };
	const struct ir_block *block = &p->ir->blocks[parts->side];
	u32 n = 0;

	parts->load = 0;
	for (u32 i = block->start; i < block->end; i++) {
		const struct ir_insn *insn = at(p, i);

		n += insn->op != IR_NOP && insn->op != IR_CONST && insn->op != IR_GOTO;
		if (insn->op == IR_LOAD && !parts->load)
			parts->load = i;
		else if (!is_cheap(insn) && insn->op != IR_GOTO)
			return false;
	}
	return parts->load && n <= MOST && !at(p, parts->load)->b &&
	       !at(p, parts->load)->imm;
}

/* Finds x and the instruction that changes it; nothing else there reads what is loaded.
 */
static bool find_change(const struct pass *p, struct parts *parts, u32 changed, u32 x)
{
	const struct ir_block *block = &p->ir->blocks[parts->side];
	const struct ir_insn *insn = at(p, changed);
	u32 a = pass_same(p, insn->a), b = pass_same(p, insn->b);
	struct seen seen = {.n = 0};

	if (changed <= parts->load || changed >= block->end || insn->op != IR_ALU)
		return false;
	if (insn->row != ALU_XOR && insn->row != ALU_ADD && insn->row != ALU_OR)
		return false;
	if (!(a == x && b == parts->load) && !(b == x && a == parts->load))
		return false;
	for (u32 i = parts->load + 1; i < block->end; i++) {
		const struct ir_insn *other = at(p, i);

		if (i == changed || other->op == IR_NOP || other->op == IR_GOTO)
			continue;
		if (other->a == parts->load || other->b == parts->load ||
		    other->c == parts->load || other->a == changed ||
		    other->b == changed || other->c == changed)
			return false;
	}
	parts->x = x;
	parts->change = changed;
	return insn->width == 64 || has_no_upper_half(p, x, &seen);
}

static bool find_parts(const struct pass *p, const struct branch *branch,
		       const struct ends *ends, struct parts *parts)
{
	const struct ir *ir = p->ir;
	const struct ir_block *meet = &ir->blocks[branch->meet];
	u32 way = branch->sides[0] == PASS_NONE;

	if (branch->sides[!way] != PASS_NONE || ends->n_phis != 1)
		return false;
	parts->side = branch->sides[way];
	if (p->tail[parts->side] != parts->side || !find_load(p, parts))
		return false;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		u32 *args = ir->args + ir->insns[i].aux;
		u32 changed = pass_same(p, args[ends->at[way]]);
		u32 x = pass_same(p, args[ends->at[!way]]);

		parts->args = args;
		if (changed != x)
			return find_change(p, parts, changed, x);
	}
	return false;
}

bool pass_select_load(struct pass *p, const struct branch *branch,
		      const struct ends *ends)
{
	struct ir_insn *jmp = pass_end(p, branch->from), load, change;
	const struct ir_block *tail = &p->ir->blocks[p->tail[branch->from]];
	u32 cmp = tail->end - 1, run = cmp - 1, last;
	bool when = branch->sides[0] != PASS_NONE;
	struct parts parts = {0};
	u32 address;

	if (!p->ir->blocks[branch->from].loop_depth || !asks_for_bit(p, jmp) ||
	    !find_parts(p, branch, ends, &parts))
		return false;
	last = p->ir->blocks[parts.side].end - 2;
	if (last <= parts.change || !pass_is_room(p, last) || run < tail->start ||
	    !pass_is_room(p, run))
		return false;
	load = *at(p, parts.load);
	change = *at(p, parts.change);
	address = pass_same(p, load.a);
	*at(p, run) = (struct ir_insn){.op = IR_RUN, .pc = jmp->pc};
	*at(p, parts.load) = (struct ir_insn){.op = IR_SELECT,
					      .width = 64,
					      .a = cmp,
					      .b = when ? address : run,
					      .c = when ? run : address,
					      .pc = load.pc};
	load.a = parts.load;
	*at(p, parts.change) = load;
	change.a = parts.x;
	change.b = parts.change;
	*at(p, last) = change;
	parts.args[ends->at[0]] = parts.args[ends->at[1]] = last;
	return true;
}
