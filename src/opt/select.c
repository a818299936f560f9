/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Branches around next to nothing become SELECT.
 *
 *	if (a < b)            t = a + 1
 *		x = a + 1;    x = a < b ? t : x
 *
 * What stands on the sides is then always computed, so it must be cheap and free of
 * effects; loads are not, as they may fail (but see select_load.c).  clang knows no
 * select for BPF and makes branches of all of its own, most of which jump with the data:
 * what it thought worth a select, and what is no longer than one, is one again.
 *
 * What a processor guesses well keeps its branches: see guess.c.
 *
 * Only sides that stand right behind the branch are taken in: nothing moves.
 */
#include "opt/select.h"

#include "opt/fold.h"

enum { MAX_COST = 4, MAX_SELECTS = 4 };

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

u32 pass_cost_of_block(const struct pass *p, u32 block)
{
	const struct ir_insn *end = pass_end(p, block);
	u32 cost = 0;

	for (u32 part = block; part != PASS_NONE; part = p->next[part])
		for (u32 i = p->ir->blocks[part].start; i < p->ir->blocks[part].end; i++)
			if (&p->ir->insns[i] != end)
				cost += cost_of(&p->ir->insns[i]);
	return cost;
}

bool pass_is_side(const struct pass *p, u32 b)
{
	const struct ir_block *block = &p->ir->blocks[b];

	return block->n_preds == 1 && pass_end(p, b)->op == IR_GOTO;
}

u32 pass_goes_on_to(const struct pass *p, u32 side)
{
	return (u32)p->ir->blocks[side].succ[0];
}

static bool find_branch(const struct pass *p, u32 b, struct branch *branch)
{
	const struct ir_block *block = &p->ir->blocks[b];
	u32 yes = (u32)block->succ[0], no = (u32)block->succ[1];
	bool yes_is_side, no_is_side;

	if (pass_end(p, b)->op != IR_JMP || yes == no)
		return false;
	yes_is_side = pass_is_side(p, yes);
	no_is_side = pass_is_side(p, no);
	*branch = (struct branch){.from = b, .meet = no, .sides = {yes, no}};
	if (yes_is_side && pass_goes_on_to(p, yes) == no) {
		branch->sides[1] = PASS_NONE;
	} else if (no_is_side && pass_goes_on_to(p, no) == yes) {
		branch->meet = yes;
		branch->sides[0] = PASS_NONE;
	} else if (yes_is_side && no_is_side &&
		   pass_goes_on_to(p, yes) == pass_goes_on_to(p, no)) {
		branch->meet = pass_goes_on_to(p, no);
	} else {
		return false;
	}
	return branch->meet != b;
}

/* ---- the PHIs where the sides meet ---- */

u32 pass_find_pred(const struct pass *p, const struct ir_block *block, u32 pred)
{
	for (u32 i = 0; i < block->n_preds; i++) {
		u32 b = p->ir->preds[block->preds + i];

		while (p->home[b] != b)
			b = p->home[b];
		if (b == pred)
			return i;
	}
	return block->n_preds;
}

static u32 last_side(const struct branch *branch)
{
	return branch->sides[branch->sides[1] != PASS_NONE];
}

void pass_find_ends(const struct pass *p, const struct branch *branch, struct ends *ends)
{
	const struct ir *ir = p->ir;
	const struct ir_block *meet = &ir->blocks[branch->meet], *last;

	for (u32 i = 0; i < 2; i++)
		ends->at[i] = pass_find_pred(
			p, meet,
			branch->sides[i] == PASS_NONE ? branch->from : branch->sides[i]);
	ends->n_phis = 0;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		const u32 *args = ir->args + ir->insns[i].aux;

		ends->n_phis += args[ends->at[0]] != args[ends->at[1]];
	}
	ends->n_free = 0;
	last = &ir->blocks[p->tail[last_side(branch)]];
	for (u32 i = last->end - 1; i-- > last->start && pass_is_room(p, i);)
		ends->n_free++;
}

bool pass_is_worth_it(const struct pass *p, const struct branch *branch,
		      const struct ends *ends)
{
	u32 cost = 0;

	for (u32 i = 0; i < 2; i++)
		if (branch->sides[i] != PASS_NONE)
			cost += pass_cost_of_block(p, branch->sides[i]);
	if (cost > MAX_COST || ends->n_phis > MAX_SELECTS ||
	    pass_is_guessed(p, branch, ends))
		return false;
	return p->ir->blocks[branch->meet].n_preds == 2 || ends->n_phis <= ends->n_free;
}

/* ---- conversion ---- */

static bool is_constant(const struct pass *p, u32 value, s64 number)
{
	const struct ir_insn *insn = &p->ir->insns[value];

	return insn->op == IR_CONST && insn->imm == number;
}

void pass_write_select(struct pass *p, u32 at, u32 cmp, const u32 sides[2])
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
			pass_write_select(p, i, cmp, sides);
		}
	}
}

/* Elsewhere they stand behind the sides, and the PHIs name them. */
static void select_before(struct pass *p, const struct branch *branch,
			  const struct ends *ends, u32 cmp)
{
	struct ir *ir = p->ir;
	struct ir_block *meet = &ir->blocks[branch->meet];
	u32 at = ir->blocks[p->tail[last_side(branch)]].end - 1;
	u32 sides[2], same;

	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		u32 *args = ir->args + ir->insns[i].aux;

		sides_of(p, &ir->insns[i], ends, sides);
		same = needs_no_select(p, cmp, sides);
		if (!same) {
			pass_write_select(p, --at, cmp, sides);
			same = at;
		}
		args[ends->at[0]] = args[ends->at[1]] = same;
	}
}

void pass_drop_pred(struct pass *p, struct ir_block *meet, u32 gone)
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
	u32 cmp = (u32)(pass_end(p, branch->from) - ir->insns);

	ir->insns[cmp].op = IR_CMP;
	if (meet->n_preds == 2)
		select_in_place(p, branch, ends, cmp);
	else
		select_before(p, branch, ends, cmp);
	/* The entry that stays is that of a block that `from` takes in, or its own. */
	pass_drop_pred(p, meet, ends->at[0] > ends->at[1] ? ends->at[0] : ends->at[1]);
	for (u32 i = 0; i < 2; i++) {
		if (branch->sides[i] == PASS_NONE)
			continue;
		if (branch->sides[i] != last_side(branch))
			pass_nop(pass_end(p, branch->sides[i]));
		pass_absorb(p, branch->from, branch->sides[i]);
	}
}

static void select_at(struct pass *p, u32 b)
{
	struct branch branch;
	struct ends ends;

	while (find_branch(p, b, &branch) ||
	       (pass_join_pair(p, b) && find_branch(p, b, &branch))) {
		pass_find_ends(p, &branch, &ends);
		if (!pass_is_worth_it(p, &branch, &ends) &&
		    !pass_select_load(p, &branch, &ends))
			return;
		convert(p, &branch, &ends);
		pass_join(p, b);
	}
}

/* ---- what is between the selects ---- */

enum { LOOK_BACK = 8 };

/* The last comparisons and selects of a block. */
struct recent {
	u32 cmps[LOOK_BACK], n_cmps;
	u32 since[LOOK_BACK], n_since; /* the last select and what stands behind it */
	u32 free;                      /* room behind all that; 0: none */
};

/* Constants are written again in each block. */
static bool is_same(const struct pass *p, u32 x, u32 y)
{
	return x == y ||
	       (p->ir->insns[x].op == IR_CONST && is_constant(p, y, p->ir->insns[x].imm));
}

static void visit_cmp(struct pass *p, struct recent *r, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at];

	for (u32 i = 0; i < LOOK_BACK && i < r->n_cmps; i++) {
		const struct ir_insn *cmp = &p->ir->insns[r->cmps[i]];

		if (cmp->row == insn->row && cmp->width == insn->width &&
		    cmp->a == insn->a && is_same(p, cmp->b, insn->b)) {
			pass_replace(p, at, r->cmps[i]);
			pass_nop(insn);
			return;
		}
	}
	r->cmps[r->n_cmps++ % LOOK_BACK] = at;
}

/* Two selects of one comparison stand next to each other: it is made once. */
static void visit_select(struct pass *p, struct recent *r, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at], *before;

	if (r->n_since < 2 || r->n_since > LOOK_BACK || !r->free)
		return;
	before = &p->ir->insns[r->since[0]];
	if (before->op != IR_SELECT || before->a != insn->a)
		return;
	for (u32 i = 1; i < r->n_since; i++)
		if (pass_names(&p->ir->insns[r->since[i]], r->since[0]))
			return;
	p->ir->insns[r->free] = *before;
	pass_replace(p, r->since[0], r->free);
	pass_nop(before);
}

static void visit(struct pass *p, struct recent *r, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at];

	if (insn->op == IR_NOP) {
		r->free = pass_is_room(p, at) ? at : r->free;
		return;
	}
	if (insn->op != IR_PHI)
		pass_operands(p, insn, insn->n_args);
	if (insn->op == IR_CMP)
		visit_cmp(p, r, at);
	if (insn->op == IR_NOP)
		return;
	if (insn->op == IR_SELECT) {
		visit_select(p, r, at);
		r->n_since = 0;
	}
	if (ir_ops[insn->op].effect != IR_PURE)
		r->n_since = LOOK_BACK; /* nothing is moved behind that */
	if (r->n_since < LOOK_BACK)
		r->since[r->n_since] = at;
	r->n_since++;
	r->free = 0;
}

static void gather(struct pass *p, u32 b)
{
	struct recent r = {.n_cmps = 0};

	for (u32 part = b; part != PASS_NONE; part = p->next[part])
		for (u32 i = p->ir->blocks[part].start; i < p->ir->blocks[part].end; i++)
			visit(p, &r, i);
}

bool pass_select(struct pass *p)
{
	u32 n = p->ir->n_blocks;

	if (!pass_find_states(p))
		return false;
	for (u32 b = 0; b < n; b++)
		pass_skip(p, b);
	/* From the end, so that what is inside is there before what is around it. */
	for (u32 b = n; b-- > 0;) {
		if (p->home[b] != b)
			continue;
		pass_join(p, b);
		select_at(p, b);
	}
	for (u32 b = 0; b < n; b++)
		if (p->home[b] == b && p->tail[b] != b)
			gather(p, b);
	return pass_settle(p);
}
