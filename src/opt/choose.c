/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A step that is taken or not, where the question waits for where one stands:
 *
 *	x + ((row[x] < key) << 4)	row[x] < key ? x + 16 : x
 *
 * as in binary searches.  What comes next is computed while the answer is still awaited;
 * behind it there is one operation, not three.  Where the question does not wait for x
 * the sum stays: x waits for one operation there instead of two.
 *
 * Works while uses are counted and what nobody needs still has its place, which is where
 * constants go: pass_dead() calls it.
 */
#include "opt/choose.h"

enum {
	DEPTH = 6, /* operations between a question and x */
	ROOM = 32, /* how far in front of a step its constant may stand */
};

static struct ir_insn *at(const struct chooser *c, u32 value)
{
	return &c->p->ir->insns[value];
}

/* Does the value depend on x, within the block?  (All names are final here: there is no
 * pass_same().) */
static bool depends(const struct chooser *c, u32 value, u32 x, u32 depth)
{
	const struct ir_insn *insn = at(c, value);
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (value == x)
		return true;
	if (!depth-- || value < c->start || insn->op == IR_PHI)
		return false;
	return (info->a && depends(c, insn->a, x, depth)) ||
	       (info->b && depends(c, insn->b, x, depth)) ||
	       (info->c && depends(c, insn->c, x, depth));
}

/* By a constant, to the left. */
static bool is_shift(const struct chooser *c, const struct ir_insn *insn)
{
	return insn->op == IR_ALU && insn->row == ALU_LSH &&
	       ir_is_const(c->p->ir, insn->b);
}

/* Which bits can be other than zero? */
static u64 bits_of(const struct chooser *c, u32 value)
{
	const struct ir_insn *insn = at(c, value);
	u64 all = ir_upper_is_zero(c->p->ir, value) ? UINT32_MAX : UINT64_MAX;

	if (value == c->last)
		return c->bits;
	if (insn->op == IR_CONST)
		return (u64)insn->imm;
	if (insn->op == IR_CMP)
		return 1;
	if (insn->op == IR_ALU && insn->row == ALU_AND && ir_is_const(c->p->ir, insn->b))
		return all & (u64)at(c, insn->b)->imm;
	if (!is_shift(c, insn) || at(c, insn->a)->op != IR_CMP)
		return all;
	return all & 1ull << (at(c, insn->b)->imm & (insn->width - 1));
}

static bool is_zero(const struct chooser *c, u32 value)
{
	return ir_is_const(c->p->ir, value) && !at(c, value)->imm;
}

void choose_drop(struct chooser *c, u32 value)
{
	const struct ir_insn *insn = at(c, value);
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (--at(c, value)->uses)
		return;
	c->needed[value] = false;
	if (info->a)
		choose_drop(c, insn->a);
	if (info->b && insn->b)
		choose_drop(c, insn->b);
	if (info->c)
		choose_drop(c, insn->c);
}

/* A number in front of an instruction; 0: there is no place for it. */
static u32 put_const(struct chooser *c, u32 before, s64 number)
{
	u32 room = before;

	while (c->needed[room])
		if (--room < c->start || room + ROOM < before ||
		    at(c, room)->op == IR_PHI)
			return 0;
	*at(c, room) = (struct ir_insn){
		.op = IR_CONST, .imm = number, .pc = at(c, before)->pc, .uses = 1};
	c->needed[room] = true;
	return room;
}

/* What x is moved by if the step is taken, of which the step has no use any more; 0: it is
 * no such step, or there is no place for the constant, and nothing has changed.  *when:
 * whether it is taken where the comparison holds. */
static u32 take_distance(struct chooser *c, u32 step, bool *when)
{
	const struct ir_insn *insn = at(c, step);
	u32 count, distance;

	*when = insn->op != IR_SELECT || is_zero(c, insn->c);
	if (insn->op == IR_SELECT) {
		if (!is_zero(c, *when ? insn->c : insn->b))
			return 0;
		choose_drop(c, *when ? insn->c : insn->b);
		return *when ? insn->b : insn->c;
	}
	count = (u32)at(c, insn->b)->imm & (insn->width - 1u);
	distance = count < 31 ? put_const(c, step, 1ll << count) : 0;
	if (distance)
		choose_drop(c, insn->b);
	return distance;
}

/* Steps one behind the other, of numbers that nothing is cut from. */
static void note_step(struct chooser *c, const struct step *step, bool whole)
{
	const struct step *last = c->n_steps ? &c->steps[c->n_steps - 1] : NULL;

	if (last && (last->to != step->from || c->n_steps == MAX_STEPS || !whole)) {
		choose_walk(c);
		c->n_steps = 0;
	}
	if (!whole)
		return;
	c->steps[c->n_steps] = *step;
	c->steps[c->n_steps++].from = at(c, step->next)->a; /* renamed, perhaps */
}

/* x and a step, added up. */
static bool choose(struct chooser *c, u32 sum, u32 x, u32 step)
{
	struct ir_insn *insn = at(c, sum), *next = at(c, step);
	u64 all = insn->width == 64 ? UINT64_MAX : UINT32_MAX, from, by;
	u32 cmp = next->a, distance;
	bool when;

	if (step < c->start || next->uses != 1 ||
	    (next->op != IR_SELECT && !is_shift(c, next)) || at(c, cmp)->op != IR_CMP ||
	    at(c, cmp)->uses != 1 || x >= cmp || ir_is_const(c->p->ir, x) ||
	    !depends(c, cmp, x, DEPTH))
		return false;
	from = bits_of(c, x);
	if (from & ~all)
		return false; /* the sum cuts it */
	distance = take_distance(c, step, &when);
	if (!distance)
		return false;
	by = all & bits_of(c, distance);
	*next = (struct ir_insn){.op = IR_ALU,
				 .row = from & by ? insn->row : ALU_ADD,
				 .width = insn->width,
				 .a = x,
				 .b = distance,
				 .pc = next->pc,
				 .uses = 1};
	at(c, x)->uses++;
	*insn = (struct ir_insn){.op = IR_SELECT,
				 .width = 64,
				 .a = cmp,
				 .b = when ? step : x,
				 .c = when ? x : step,
				 .pc = insn->pc,
				 .uses = insn->uses};
	c->last = sum;
	c->bits = from & by && next->row == ALU_ADD ? all : from | by;
	note_step(c, &(struct step){x, step, distance, sum},
		  !(from & by) && (from | by) <= UINT32_MAX);
	return true;
}

static bool adds_up(const struct ir_insn *insn)
{
	return insn->op == IR_ALU &&
	       (insn->row == ALU_ADD || insn->row == ALU_OR || insn->row == ALU_XOR);
}

void pass_choose(struct pass *p, bool *needed)
{
	struct chooser c = {.p = p, .needed = needed};

	for (u32 b = 0; b < p->ir->n_blocks; b++) {
		const struct ir_block *block = &p->ir->blocks[b];

		c.start = block->start;
		c.end = block->end;
		c.n_steps = 0;
		for (u32 i = block->start; i < block->end; i++) {
			const struct ir_insn *insn = &p->ir->insns[i];

			if (needed[i] && adds_up(insn) &&
			    !choose(&c, i, insn->a, insn->b))
				choose(&c, i, insn->b, insn->a);
		}
		choose_walk(&c);
	}
}
