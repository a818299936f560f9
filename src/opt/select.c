/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Branches around next to nothing become SELECT.
 *
 *	if (a < b)            t = a + 1
 *		x = a + 1;    x = a < b ? t : x
 *
 * What stands on the sides is then always computed, so it must be cheap and free of
 * effects; loads are not, as they may fail.  clang knows no select for BPF and makes
 * branches of all of its own, most of which jump with the data: what it thought worth a
 * select, and what is no longer than one, is one again.
 *
 * Only sides that stand right behind the branch are taken in: nothing moves.
 */
#include "opt/fold.h"
#include "opt/passes.h"

enum { MAX_COST = 2, MAX_SELECTS = 2 };

/* A branch: from a block over one or two sides to where they meet. */
struct branch {
	u32 from, meet;
	u32 sides[2]; /* in the order of the code */
	u32 n_sides;
	bool side_is_true; /* the first one: the condition leads there */
};

static u32 cost_of(const struct ir_insn *insn)
{
	enum { DEAR = MAX_COST + 1 };

	switch ((int)insn->op) {
	case IR_NOP:
	case IR_CONST:
	case IR_ADDR:
	case IR_FRAME:
	case IR_RUN:
	case IR_GOTO: return 0;
	case IR_ROTL:
	case IR_SWAP:
	case IR_CMP:
	case IR_SELECT: return 1;
	case IR_ALU: break;
	default: return DEAR;
	}
	switch ((int)insn->row) {
	case ALU_DIV:
	case ALU_MOD:
	case ALU_SDIV:
	case ALU_SMOD: return DEAR;
	case ALU_MUL: return 2;
	default: return 1;
	}
}

static u32 cost_of_side(const struct pass *p, u32 side)
{
	const struct ir_block *block = &p->ir->blocks[side];
	u32 cost = 0;

	for (u32 i = block->start; i < block->end && cost <= MAX_COST; i++)
		cost += cost_of(&p->ir->insns[i]);
	return cost;
}

/* Does it only go on to where there is nothing but to go on? */
static bool is_side(const struct pass *p, u32 b)
{
	const struct ir_block *block = &p->ir->blocks[b];

	return b < p->ir->n_blocks && block->n_preds == 1 && !block->cold &&
	       p->ir->insns[block->end - 1].op == IR_GOTO;
}

static bool find_branch(const struct pass *p, u32 b, struct branch *branch)
{
	const struct ir_block *block = &p->ir->blocks[b];
	u32 side = pass_next(p, b), other;

	if (p->ir->insns[block->end - 1].op != IR_JMP || !is_side(p, side) ||
	    block->succ[0] == block->succ[1])
		return false;
	*branch = (struct branch){.from = b, .sides = {side}, .n_sides = 1};
	branch->side_is_true = block->succ[0] == (s32)side;
	branch->meet = (u32)p->ir->blocks[side].succ[0];
	other = (u32)block->succ[branch->side_is_true];
	if ((u32)block->succ[!branch->side_is_true] != side || branch->meet == b)
		return false;
	if (other == branch->meet)
		return true;
	branch->sides[1] = other;
	branch->n_sides = 2;
	return other == pass_next(p, side) && is_side(p, other) &&
	       p->ir->blocks[other].succ[0] == (s32)branch->meet;
}

/* ---- the PHIs where the sides meet ---- */

struct ends {
	u32 at[2];  /* among the predecessors of meet: the true side's and the false */
	u32 n_phis; /* that differ */
	u32 n_free; /* NOPs behind what the sides compute */
};

static u32 find_pred(const struct ir *ir, const struct ir_block *block, u32 pred,
		     const u32 *home)
{
	for (u32 i = 0; i < block->n_preds; i++) {
		u32 b = ir->preds[block->preds + i];

		while (home[b] != b)
			b = home[b];
		if (b == pred)
			return i;
	}
	return block->n_preds;
}

static void find_ends(const struct pass *p, const struct branch *branch,
		      struct ends *ends)
{
	const struct ir *ir = p->ir;
	const struct ir_block *meet = &ir->blocks[branch->meet];
	u32 last = branch->n_sides == 2 ? branch->sides[1] : branch->from;

	ends->at[!branch->side_is_true] = find_pred(ir, meet, branch->sides[0], p->home);
	ends->at[branch->side_is_true] = find_pred(ir, meet, last, p->home);
	ends->n_phis = 0;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		const u32 *args = ir->args + ir->insns[i].aux;

		ends->n_phis += args[ends->at[0]] != args[ends->at[1]];
	}
	ends->n_free = 0;
	last = branch->sides[branch->n_sides - 1];
	for (u32 i = ir->blocks[last].end - 1; i-- > ir->blocks[last].start;) {
		if (ir->insns[i].op != IR_NOP)
			break;
		ends->n_free++;
	}
}

static bool is_worth_it(const struct pass *p, const struct branch *branch,
			const struct ends *ends)
{
	u32 cost = 0;

	for (u32 i = 0; i < branch->n_sides; i++)
		cost += cost_of_side(p, branch->sides[i]);
	if (cost > MAX_COST || ends->n_phis > MAX_SELECTS)
		return false;
	return p->ir->blocks[branch->meet].n_preds == 2 || ends->n_phis <= ends->n_free;
}

/* ---- conversion ---- */

static bool is_constant(const struct pass *p, u32 value, s64 number)
{
	const struct ir_insn *insn = &p->ir->insns[value];

	return insn->op == IR_CONST && insn->imm == number;
}

/* Writes cmp ? yes : no; or, of 1 and 0, the comparison or its opposite. */
static void write_select(struct pass *p, u32 at, u32 cmp, const u32 sides[2])
{
	struct ir_insn *insn = &p->ir->insns[at];
	const struct ir_insn *asked = &p->ir->insns[cmp];
	u32 pc = insn->pc;

	if (is_constant(p, sides[0], 0) && is_constant(p, sides[1], 1) &&
	    jmp_opposite(asked->row) != JMPS) {
		*insn = *asked;
		insn->row = jmp_opposite(asked->row);
	} else {
		*insn = (struct ir_insn){.op = IR_SELECT,
					 .width = 64,
					 .a = cmp,
					 .b = sides[0],
					 .c = sides[1]};
	}
	insn->pc = pc;
}

/* What the comparison itself is, needs none. */
static u32 needs_no_select(const struct pass *p, u32 cmp, const u32 sides[2])
{
	if (sides[0] == sides[1])
		return sides[0];
	return is_constant(p, sides[0], 1) && is_constant(p, sides[1], 0) ? cmp : 0;
}

static void sides_of(const struct pass *p, const struct ir_insn *phi,
		     const struct ends *ends, u32 sides[2])
{
	for (u32 i = 0; i < 2; i++)
		sides[i] = pass_same(p, p->ir->args[phi->aux + ends->at[i]]);
}

/* The PHIs of a place that only the sides lead to are the SELECTs. */
static void select_in_place(struct pass *p, const struct branch *branch,
			    const struct ends *ends, u32 cmp)
{
	struct ir *ir = p->ir;
	struct ir_block *meet = &ir->blocks[branch->meet];
	u32 sides[2], same;

	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		sides_of(p, &ir->insns[i], ends, sides);
		same = needs_no_select(p, cmp, sides);
		if (same) {
			pass_replace(p, i, same);
			pass_nop(&ir->insns[i]);
		} else {
			write_select(p, i, cmp, sides);
		}
	}
}

/* Elsewhere they stand behind the sides, and the PHIs name them. */
static void select_before(struct pass *p, const struct branch *branch,
			  const struct ends *ends, u32 cmp)
{
	struct ir *ir = p->ir;
	struct ir_block *meet = &ir->blocks[branch->meet];
	u32 at = ir->blocks[branch->sides[branch->n_sides - 1]].end - 1;
	u32 sides[2], same;

	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		u32 *args = ir->args + ir->insns[i].aux;

		sides_of(p, &ir->insns[i], ends, sides);
		same = needs_no_select(p, cmp, sides);
		if (!same) {
			write_select(p, --at, cmp, sides);
			same = at;
		}
		args[ends->at[0]] = args[ends->at[1]] = same;
	}
}

/* The second of the two ways leads there no more. */
static void drop_pred(struct pass *p, struct ir_block *meet, u32 gone)
{
	struct ir *ir = p->ir;
	u32 last = meet->n_preds - 1;

	for (u32 i = gone; i < last; i++)
		ir->preds[meet->preds + i] = ir->preds[meet->preds + i + 1];
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		u32 *args = ir->args + ir->insns[i].aux;

		for (u32 k = gone; k < last; k++)
			args[k] = args[k + 1];
	}
	meet->n_preds = last;
}

static void convert(struct pass *p, const struct branch *branch, const struct ends *ends)
{
	struct ir *ir = p->ir;
	struct ir_block *meet = &ir->blocks[branch->meet];
	u32 cmp = ir->blocks[branch->from].end - 1;

	ir->insns[cmp].op = IR_CMP;
	if (meet->n_preds == 2)
		select_in_place(p, branch, ends, cmp);
	else
		select_before(p, branch, ends, cmp);
	/* The entry that stays must be that of a block that `from` takes in. */
	drop_pred(p, meet, ends->at[0] > ends->at[1] ? ends->at[0] : ends->at[1]);
	for (u32 i = 0; i < branch->n_sides; i++) {
		if (i + 1 < branch->n_sides)
			pass_nop(&ir->insns[ir->blocks[branch->sides[i]].end - 1]);
		pass_absorb(p, branch->from, branch->sides[i]);
	}
}

void pass_select(struct pass *p)
{
	struct branch branch;
	struct ends ends;

	for (u32 b = 0; b < p->ir->n_blocks; b++)
		pass_skip(p, b);
	/* From the end, so that what is inside is there before what is around it. */
	for (u32 b = p->ir->n_blocks; b-- > 0;) {
		if (p->home[b] == PASS_GONE)
			continue;
		pass_join(p, b);
		if (!find_branch(p, b, &branch))
			continue;
		find_ends(p, &branch, &ends);
		if (!is_worth_it(p, &branch, &ends))
			continue;
		convert(p, &branch, &ends);
		pass_join(p, b);
	}
	pass_number_blocks(p);
}
