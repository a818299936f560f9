/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two branches, one in front of the other, that lead to the same place:
 *
 *	if (a) goto x;			if (!a && b) y
 *	if (!b) goto x;
 *	y
 *
 * become one with both conditions, or a counter's and a choice.
 */
#include "opt/select.h"

struct pair {
	u32 first, second; /* the blocks that branch */
	u32 shared, other; /* where both lead to, and only the second one does */
};

static bool find_pair(const struct pass *p, u32 b, struct pair *pair)
{
	const struct ir_block *blocks = p->ir->blocks;

	if (pass_end(p, b)->op != IR_JMP || blocks[b].succ[0] == blocks[b].succ[1])
		return false;
	for (u32 i = 0; i < 2; i++) {
		u32 second = (u32)blocks[b].succ[i], shared = (u32)blocks[b].succ[!i];
		const s32 *succ = blocks[second].succ;
		u32 at = succ[1] == (s32)shared;

		if (blocks[second].n_preds != 1 || pass_end(p, second)->op != IR_JMP ||
		    succ[0] == succ[1] || succ[at] != (s32)shared)
			continue;
		*pair = (struct pair){b, second, shared, (u32)succ[!at]};
		return shared != b && pair->other != b;
	}
	return false;
}

static bool differs(const struct pass *p, const struct ir_block *meet, u32 x, u32 y)
{
	const struct ir *ir = p->ir;

	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		const u32 *args = ir->args + ir->insns[i].aux;

		if (pass_same(p, args[x]) != pass_same(p, args[y]))
			return true;
	}
	return false;
}

/* The branch that it would be, if there is nothing on the sides but what can be
 * selected. */
static bool find_joint(const struct pass *p, const struct pair *pair,
		       struct branch *branch)
{
	const struct ir_block *shared = &p->ir->blocks[pair->shared];
	bool shared_is_side =
		shared->n_preds == 2 && pass_end(p, pair->shared)->op == IR_GOTO;
	bool other_is_side = pass_is_side(p, pair->other);

	*branch = (struct branch){.from = pair->second,
				  .meet = pair->other,
				  .sides = {pair->shared, PASS_NONE}};
	if (shared_is_side && pass_goes_on_to(p, pair->shared) == pair->other)
		return true;
	branch->sides[1] = pair->other;
	branch->meet = pass_goes_on_to(p, pair->other);
	if (other_is_side && branch->meet == pair->shared) {
		branch->sides[0] = PASS_NONE;
		return true;
	}
	return shared_is_side && other_is_side &&
	       branch->meet == pass_goes_on_to(p, pair->shared);
}

static bool is_pair_worth_it(const struct pass *p, const struct pair *pair)
{
	enum { MAX_BETWEEN = 2 };
	const struct ir_block *shared = &p->ir->blocks[pair->shared];
	struct branch branch;
	struct ends ends;

	if (pass_cost_of_block(p, pair->second) > MAX_BETWEEN ||
	    !find_joint(p, pair, &branch) || branch.meet == pair->first ||
	    differs(p, shared, pass_find_pred(p, shared, pair->first),
		    pass_find_pred(p, shared, pair->second)))
		return false;
	pass_find_ends(p, &branch, &ends);
	return pass_is_worth_it(p, &branch, &ends);
}

/* Makes a CMP of a jump, true where it jumps (as_it_is) or where not; false: the opposite
 * cannot be said. */
static bool condition_to(const struct ir_insn *jmp, bool as_it_is, struct ir_insn *out)
{
	*out = *jmp;
	out->op = IR_CMP;
	if (!as_it_is)
		out->row = jmp_opposite(jmp->row);
	return out->row != JMPS;
}

static bool join_pair(struct pass *p, const struct pair *pair)
{
	struct ir *ir = p->ir;
	struct ir_block *second = &ir->blocks[pair->second];
	struct ir_insn *jmp = pass_end(p, pair->first), *end = pass_end(p, pair->second);
	bool to_shared = ir->blocks[pair->first].succ[0] == (s32)pair->shared;
	bool to_shared2 = second->succ[0] == (s32)pair->shared;
	bool all = !to_shared && !to_shared2; /* both hold: to `other` */
	struct ir_insn cmp, cmp2;
	u32 at = (u32)(end - ir->insns);

	if (!pass_is_room(p, at - 1) || !pass_is_room(p, at - 2) ||
	    !condition_to(jmp, to_shared != all, &cmp) ||
	    !condition_to(end, to_shared2 != all, &cmp2))
		return false;
	*jmp = cmp;
	ir->insns[at - 2] = cmp2;
	ir->insns[at - 1] = (struct ir_insn){.op = IR_ALU,
					     .row = all ? ALU_AND : ALU_OR,
					     .width = 32,
					     .a = (u32)(jmp - ir->insns),
					     .b = at - 2,
					     .pc = end->pc};
	end->row = JMP_JSET;
	end->width = 32;
	end->a = end->b = at - 1;
	second->succ[0] = (s32)(all ? pair->other : pair->shared);
	second->succ[1] = (s32)(all ? pair->shared : pair->other);
	pass_drop_pred(p, &ir->blocks[pair->shared],
		       pass_find_pred(p, &ir->blocks[pair->shared], pair->first));
	pass_absorb(p, pair->first, pair->second);
	return true;
}

/* ---- a condition and a counter ---- */

/* A block of its own behind the counter's, for what is chosen. */
static u32 add_side(struct pass *p, const struct branch *branch, u32 from, u32 n_selects)
{
	u32 side = pass_new_block(p, n_selects + 1);
	struct ir *ir = p->ir;
	struct ir_block *block;

	if (side == PASS_NONE)
		return PASS_NONE;
	block = &ir->blocks[side];
	block->loop_depth = ir->blocks[from].loop_depth;
	block->pc = ir->blocks[from].pc;
	block->succ[0] = (s32)branch->meet;
	block->preds = ir->blocks[branch->from].preds; /* which is absorbed */
	block->n_preds = 1;
	ir->preds[block->preds] = from;
	ir->insns[block->end - 1].op = IR_GOTO;
	return side;
}

/* The counter's way brings what was computed, the other one what is chosen. */
static void select_in_side(struct pass *p, const struct branch *branch,
			   const struct ends *ends, u32 side, u32 cmp, bool when)
{
	struct ir *ir = p->ir;
	struct ir_block *meet = &ir->blocks[branch->meet];
	u32 at = ir->blocks[side].start;

	ir->preds[meet->preds + ends->at[0]] = side;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		u32 *args = ir->args + ir->insns[i].aux;
		u32 sides[2] = {pass_same(p, args[ends->at[!when]]),
				pass_same(p, args[ends->at[when]])};

		args[ends->at[1]] = args[ends->at[0]];
		if (sides[0] == sides[1])
			continue;
		pass_write_select(p, at, cmp, sides);
		args[ends->at[0]] = at++;
	}
}

/*
 * One of the conditions is what a counter says.  That is guessed well: it stays a jump,
 * in front, and only the other one chooses.
 *
 *	if (a) goto x;			COMPUTE
 *	if (n > 9) goto x;		if (n > 9) goto y;
 *	goto y;				choose by a
 * x:	COMPUTE			y:
 * y:
 */
static bool split_pair(struct pass *p, const struct pair *pair)
{
	struct ir *ir = p->ir;
	const struct ir_block *blocks = ir->blocks;
	u32 jumps[2] = {(u32)(pass_end(p, pair->first) - ir->insns),
			(u32)(pass_end(p, pair->second) - ir->insns)};
	bool to_shared[2] = {blocks[pair->first].succ[0] == (s32)pair->shared,
			     blocks[pair->second].succ[0] == (s32)pair->shared};
	u32 end = (u32)(pass_end(p, pair->shared) - ir->insns), side, which;
	struct ir_insn counter, choice;
	struct branch branch;
	struct ends ends;
	s32 *succ;

	if (!blocks[pair->first].loop_depth || !pass_is_room(p, end - 1) ||
	    !find_joint(p, pair, &branch) || branch.meet != pair->other)
		return false;
	which = pass_asks_counter(p, &ir->insns[jumps[1]]);
	if (which == pass_asks_counter(p, &ir->insns[jumps[0]]))
		return false; /* both do, or none */
	pass_find_ends(p, &branch, &ends);
	side = add_side(p, &branch, pair->first, ends.n_phis);
	if (side == PASS_NONE)
		return false;
	counter = ir->insns[jumps[which]];
	choice = ir->insns[jumps[!which]];
	choice.op = IR_CMP;
	pass_nop(&ir->insns[jumps[0]]);
	pass_nop(&ir->insns[jumps[1]]);
	pass_absorb(p, pair->first, pair->second);
	pass_absorb(p, pair->first, pair->shared);
	ir->insns[end - 1] = choice;
	ir->insns[end] = counter;
	succ = ir->blocks[pair->first].succ;
	succ[!to_shared[which]] = (s32)branch.meet;
	succ[to_shared[which]] = (s32)side;
	select_in_side(p, &branch, &ends, side, end - 1, to_shared[!which]);
	return true;
}

bool pass_join_pair(struct pass *p, u32 b)
{
	struct pair pair;

	return find_pair(p, b, &pair) && is_pair_worth_it(p, &pair) &&
	       !split_pair(p, &pair) && join_pair(p, &pair);
}
