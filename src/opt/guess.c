/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Branches that are better left: what processors guess well, or what a select would have
 * to wait for.
 *
 * A select of a state hides from who guesses the switch how the choice went; one of a
 * place that the next comparison loads from makes a chain of loads; and what a counter
 * says goes the same way for long (select_pair.c leaves its jump).
 */
#include "opt/select.h"

static const struct ir_insn *insn_of(const struct pass *p, u32 value)
{
	return &p->ir->insns[value];
}

/* ---- states ---- */

/*
 * A number that several jumps compare with constants is the state of a machine, and
 * choosing the next one is better left a jump: whoever predicts the switch has then seen
 * how that went.  A select would hide it, and each change of state could be a surprise.
 */
enum { STATES = 3 };

static void count_questions(struct pass *p, u8 *asked)
{
	const struct ir *ir = p->ir;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_insn *end = &ir->insns[ir->blocks[b].end - 1];

		if (end->op != IR_JMP || ir->insns[end->a].op != IR_PHI ||
		    ir->insns[end->b].op != IR_CONST || asked[end->a] == STATES)
			continue;
		if (++asked[end->a] == STATES)
			p->states = asked;
	}
}

/* PHIs that a state comes from are states. */
static void spread_states(const struct pass *p, const struct ir_block *block)
{
	const struct ir *ir = p->ir;

	for (u32 i = pass_phi(ir, block, block->start); i < block->end;
	     i = pass_phi(ir, block, i + 1))
		for (u32 k = 0; k < block->n_preds && p->states[i] == STATES; k++)
			p->states[ir->args[ir->insns[i].aux + k]] = STATES;
}

/* From the head of a loop to its end and on to what leads there. */
bool pass_find_states(struct pass *p)
{
	enum { ROUNDS = 2 };
	const struct ir *ir = p->ir;
	u8 *asked = arena_array(ir->arena, ir->n_insns, sizeof(*asked));

	if (!asked)
		return false;
	count_questions(p, asked);
	for (u32 round = 0; round < ROUNDS && p->states; round++)
		for (u32 b = 0; b < ir->n_blocks; b++)
			spread_states(p, &ir->blocks[b]);
	return true;
}

/* Would a state be selected, of constants or from the one that it is? */
static bool is_change_of_state(const struct pass *p, const struct branch *branch,
			       const struct ends *ends)
{
	const struct ir *ir = p->ir;
	const struct ir_block *meet = &ir->blocks[branch->meet];

	if (!p->states)
		return false;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		const u32 *args = ir->args + ir->insns[i].aux;
		u32 x = args[ends->at[0]], y = args[ends->at[1]];

		if (p->states[i] == STATES && x != y &&
		    (ir_is_const(ir, x) || ir_is_const(ir, y)))
			return true;
	}
	return false;
}

/* The value, or what it was before it was cut to 32 bits. */
static u32 uncut(const struct pass *p, u32 value)
{
	const struct ir_insn *insn;

	for (;;) {
		value = pass_same(p, value);
		insn = insn_of(p, value);
		if (insn->op != IR_ALU || insn->row != ALU_MOV)
			return value;
		value = insn->a;
	}
}

/* ---- records ---- */

/* Does a value depend on x, and if `loaded`, through a load? */
static bool depends(const struct pass *p, u32 value, u32 x, bool loaded, u32 depth)
{
	u32 v = pass_same(p, value);
	const struct ir_insn *insn = insn_of(p, v);
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (v == x)
		return !loaded;
	if (!depth-- || insn->op == IR_PHI)
		return false;
	loaded = loaded && insn->op != IR_LOAD;
	return (info->a && depends(p, insn->a, x, loaded, depth)) ||
	       (info->b && insn->b && depends(p, insn->b, x, loaded, depth)) ||
	       (info->c && depends(p, insn->c, x, loaded, depth));
}

/*
 *	if (a[i] > a[most])
 *		most = i;
 *
 * The largest so far is seldom beaten, and a select would make each round wait for the
 * load of the one before.  A place that the old one leads to (the half of a search) is
 * none.
 */
static bool is_record(const struct pass *p, const struct ir_insn *jmp, u32 old, u32 other)
{
	enum { DEPTH = 6 };

	return insn_of(p, old)->op == IR_PHI &&
	       (depends(p, jmp->a, old, true, DEPTH) ||
		depends(p, jmp->b, old, true, DEPTH)) &&
	       !depends(p, other, old, false, DEPTH);
}

static bool chooses_record(const struct pass *p, const struct branch *branch,
			   const struct ends *ends)
{
	const struct ir *ir = p->ir;
	const struct ir_block *meet = &ir->blocks[branch->meet];
	const struct ir_insn *jmp = pass_end(p, branch->from);

	if (!ir->blocks[branch->from].loop_depth)
		return false;
	for (u32 i = pass_phi(ir, meet, meet->start); i < meet->end;
	     i = pass_phi(ir, meet, i + 1)) {
		const u32 *args = ir->args + ir->insns[i].aux;
		u32 x = uncut(p, args[ends->at[0]]), y = uncut(p, args[ends->at[1]]);

		if (x != y && (is_record(p, jmp, x, y) || is_record(p, jmp, y, x)))
			return true;
	}
	return false;
}

/* A block that select_pair.c made, as nobody else does: the jump to it was left on
 * purpose. */
static bool was_split(const struct pass *p, const struct branch *branch)
{
	for (u32 i = 0; i < 2; i++)
		if (branch->sides[i] != PASS_NONE && branch->sides[i] >= p->n_old)
			return true;
	return false;
}

bool pass_is_guessed(const struct pass *p, const struct branch *branch,
		     const struct ends *ends)
{
	return was_split(p, branch) || is_change_of_state(p, branch, ends) ||
	       chooses_record(p, branch, ends);
}

/* ---- counters ---- */

/* What comes into a value through PHIs and steps. */
struct sources {
	u32 list[16], n;
	bool has_step;
};

static bool add_value(struct sources *s, u32 value)
{
	for (u32 i = 0; i < s->n; i++)
		if (s->list[i] == value)
			return true;
	if (s->n == ARRAY_SIZE(s->list))
		return false;
	s->list[s->n++] = value;
	return true;
}

static bool add_sources(const struct pass *p, struct sources *s, u32 value)
{
	const struct ir *ir = p->ir;
	const struct ir_insn *insn = insn_of(p, value);
	u32 n_args;

	if (insn->op == IR_CONST)
		return true;
	if (insn->op == IR_ALU && insn->row == ALU_ADD &&
	    ir_is_const(ir, pass_same(p, insn->b))) {
		s->has_step = true;
		return add_value(s, uncut(p, insn->a));
	}
	if (insn->op != IR_PHI)
		return false;
	n_args = pass_block_of(ir, value)->n_preds;
	if (n_args > ARRAY_SIZE(s->list))
		return false;
	for (u32 i = 0; i < n_args; i++)
		if (!add_value(s, uncut(p, ir->args[insn->aux + i])))
			return false;
	return true;
}

/* Constants and steps by constants are all that it is made of. */
static bool is_counter(const struct pass *p, u32 value)
{
	struct sources s = {.list = {value}, .n = 1};

	for (u32 i = 0; i < s.n; i++)
		if (!add_sources(p, &s, s.list[i]))
			return false;
	return s.has_step;
}

bool pass_asks_counter(const struct pass *p, const struct ir_insn *jmp)
{
	return jmp->row != JMP_JEQ && jmp->row != JMP_JNE && jmp->row != JMP_JSET &&
	       ir_is_const(p->ir, pass_same(p, jmp->b)) &&
	       is_counter(p, uncut(p, jmp->a));
}
