/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the intermediate form well formed?  Blocks are ranges in order, edges are the same
 * from both ends, operands are values that are computed before on every path: their block
 * dominates ours.  Dominators as in Cooper, Harvey & Kennedy, "A simple, fast dominance
 * algorithm".  For tests and assertions: takes its time.
 */
#include <stdlib.h>

#include "opt/ir.h"

enum { NOT_SEEN = UINT32_MAX };

struct checker {
	const struct ir *ir;
	u32 *block_of; /* by instruction: the block it is in, or NOT_SEEN */
	u32 *order;    /* by block: its number in reverse postorder */
	u32 *blocks;   /* in that order */
	u32 *idom;     /* by block */
	u32 *uses;     /* by instruction */
	u32 n_ordered;
};

/* ---- blocks and edges ---- */

static const char *check_ranges(const struct checker *c)
{
	const struct ir *ir = c->ir;
	u32 end = 1;

	if (!ir->n_blocks)
		return "there is no block";
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		if (block->start < end || block->end <= block->start ||
		    block->end > ir->n_insns)
			return "blocks are not in order";
		end = block->end;
		for (u32 i = block->start; i < block->end; i++) {
			const struct ir_insn *insn = &ir->insns[i];

			c->block_of[i] = b;
			if (insn->op >= IR_OPS)
				return "there is no such operation";
			if ((ir_ops[insn->op].effect == IR_END) != (i + 1 == block->end))
				return "a block ends before its end, or does not end";
		}
	}
	return NULL;
}

static u32 n_succs(u8 op)
{
	return op == IR_EXIT ? 0 : op == IR_GOTO ? 1 : 2;
}

static u32 count_pred(const struct ir *ir, u32 block, u32 pred)
{
	const struct ir_block *b = &ir->blocks[block];
	u32 n = 0;

	for (u32 k = 0; k < b->n_preds; k++)
		n += ir->preds[b->preds + k] == pred;
	return n;
}

static u32 count_succ(const struct ir *ir, u32 block, u32 succ)
{
	return (ir->blocks[block].succ[0] == (s32)succ) +
	       (ir->blocks[block].succ[1] == (s32)succ);
}

static const char *check_edges(const struct checker *c)
{
	const struct ir *ir = c->ir;

	if (ir->blocks[0].n_preds)
		return "something jumps to the first block";
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];
		u32 want = n_succs(ir->insns[block->end - 1].op);

		for (u32 k = 0; k < 2; k++) {
			s32 succ = block->succ[k];

			if ((succ != IR_NO_BLOCK) != (k < want))
				return "a block has successors that its end does not "
				       "have";
			if (succ == IR_NO_BLOCK)
				continue;
			if (succ < 0 || (u32)succ >= ir->n_blocks)
				return "there is no such block";
			if (count_pred(ir, (u32)succ, b) != count_succ(ir, b, (u32)succ))
				return "a successor does not know its predecessor";
		}
		if (b && !block->n_preds)
			return "nobody enters a block";
		for (u32 k = 0; k < block->n_preds; k++)
			if (ir->preds[block->preds + k] >= ir->n_blocks ||
			    !count_succ(ir, ir->preds[block->preds + k], b))
				return "a predecessor does not go there";
	}
	return NULL;
}

/* ---- dominators ---- */

/* Blocks in reverse postorder, from the first. */
static bool find_order(struct checker *c)
{
	const struct ir *ir = c->ir;
	u32 *stack = calloc(ir->n_blocks + 1, sizeof(*stack)), n = 1;
	u8 *state = calloc(ir->n_blocks, 1);
	u32 next = ir->n_blocks;

	if (!stack || !state)
		goto out;
	while (n) {
		u32 b = stack[n - 1];

		if (state[b] < 2) {
			s32 succ = ir->blocks[b].succ[state[b]++];

			if (succ != IR_NO_BLOCK && c->order[succ] == NOT_SEEN) {
				c->order[succ] = 0;
				stack[n++] = (u32)succ;
			}
			continue;
		}
		c->blocks[--next] = b;
		n--;
	}
	for (u32 i = next; i < ir->n_blocks; i++)
		c->order[c->blocks[i]] = i;
	c->n_ordered = ir->n_blocks - next;
out:
	free(stack);
	free(state);
	return stack && state;
}

static u32 common(const struct checker *c, u32 x, u32 y)
{
	while (x != y) {
		while (c->order[x] > c->order[y])
			x = c->idom[x];
		while (c->order[y] > c->order[x])
			y = c->idom[y];
	}
	return x;
}

static bool update_idom(struct checker *c, u32 b)
{
	const struct ir_block *block = &c->ir->blocks[b];
	u32 idom = NOT_SEEN;

	for (u32 k = 0; k < block->n_preds; k++) {
		u32 pred = c->ir->preds[block->preds + k];

		if (c->idom[pred] == NOT_SEEN)
			continue;
		idom = idom == NOT_SEEN ? pred : common(c, idom, pred);
	}
	if (c->idom[b] == idom)
		return false;
	c->idom[b] = idom;
	return true;
}

static void find_idoms(struct checker *c)
{
	bool changed = true;

	c->idom[0] = 0;
	while (changed) {
		changed = false;
		for (u32 i = 1; i < c->n_ordered; i++)
			changed |= update_idom(c, c->blocks[i]);
	}
}

static bool dominates(const struct checker *c, u32 x, u32 y)
{
	while (c->order[y] > c->order[x])
		y = c->idom[y];
	return x == y;
}

/* ---- operands ---- */

static bool is_value(u8 op)
{
	return op != IR_NOP && op != IR_STORE && op != IR_STORE_REL && op != IR_CHECK &&
	       ir_ops[op].effect != IR_END;
}

/* Is it computed whenever instruction `at` of block is reached? */
static const char *check_value(const struct checker *c, u32 value, u32 block, u32 at)
{
	if (!value || value >= c->ir->n_insns || !is_value(c->ir->insns[value].op))
		return "an operand is no value";
	if (c->block_of[value] == NOT_SEEN)
		return "an operand is in no block";
	c->uses[value]++;
	if (c->block_of[value] == block ? value < at
					: dominates(c, c->block_of[value], block))
		return NULL;
	return "an operand is not computed on every path";
}

static bool may_be_none(const struct ir_insn *insn, char operand)
{
	switch ((int)insn->op) {
	case IR_ALU:
	case IR_ATOMIC:
	case IR_LOAD:
	case IR_STORE: return operand == 'b';
	case IR_LD_PACKET: return operand == 'a';
	default: return false;
	}
}

static const char *check_operands(const struct checker *c, u32 at)
{
	const struct ir_insn *insn = &c->ir->insns[at];
	const struct ir_op_info *info = &ir_ops[insn->op];
	const char *wrong = NULL;
	u32 block = c->block_of[at];

	if (info->a && (insn->a || !may_be_none(insn, 'a')))
		wrong = check_value(c, insn->a, block, at);
	if (!wrong && info->b && (insn->b || !may_be_none(insn, 'b')))
		wrong = check_value(c, insn->b, block, at);
	if (!wrong && info->c && (insn->c || !may_be_none(insn, 'c')))
		wrong = check_value(c, insn->c, block, at);
	for (u32 i = 0; i < insn->n_args && !wrong; i++)
		wrong = check_value(c, c->ir->args[insn->aux + i], block, at);
	return wrong;
}

static const char *check_phi(const struct checker *c, u32 at)
{
	const struct ir *ir = c->ir;
	const struct ir_insn *insn = &ir->insns[at];
	const struct ir_block *block = &ir->blocks[c->block_of[at]];
	const char *wrong = NULL;

	for (u32 i = at; i-- > block->start;)
		if (ir->insns[i].op != IR_PHI && ir->insns[i].op != IR_NOP)
			return "a PHI is not at the start of its block";
	for (u32 k = 0; k < block->n_preds && !wrong; k++)
		wrong = check_value(c, ir->args[insn->aux + k],
				    ir->preds[block->preds + k], ir->n_insns);
	return wrong;
}

static const char *check_shape(const struct ir_insn *insn)
{
	bool alone = insn->row == ALU_NEG || insn->row == ALU_MOV ||
		     insn->row == ALU_MOVS8 || insn->row == ALU_MOVS16 ||
		     insn->row == ALU_MOVS32;

	switch ((int)insn->op) {
	case IR_ALU:
		if (insn->row >= ALUS || (insn->width != 32 && insn->width != 64))
			return "an ALU has no such row or width";
		if (insn->row == ALU_MOV && insn->width == 64)
			return "a MOV moves nothing";
		return alone == !insn->b ? NULL : "an ALU has too many operands, or few";
	case IR_CMP:
	case IR_JMP:
		return insn->row < JMPS && (insn->width == 32 || insn->width == 64)
			       ? NULL
			       : "a comparison has no such row or width";
	default: return NULL;
	}
}

static const char *check_insns(const struct checker *c)
{
	const struct ir *ir = c->ir;

	for (u32 i = 1; i < ir->n_insns; i++) {
		const char *wrong;

		if (c->block_of[i] == NOT_SEEN)
			continue;
		wrong = check_shape(&ir->insns[i]);
		if (!wrong)
			wrong = ir->insns[i].op == IR_PHI ? check_phi(c, i)
							  : check_operands(c, i);
		if (wrong)
			return wrong;
	}
	for (u32 i = 1; i < ir->n_insns; i++)
		if (c->block_of[i] != NOT_SEEN && c->uses[i] != ir->insns[i].uses)
			return "uses are counted wrong";
	return NULL;
}

static bool alloc(struct checker *c)
{
	u32 n = c->ir->n_insns, blocks = c->ir->n_blocks + 1;

	c->block_of = malloc(n * sizeof(u32));
	c->uses = calloc(n, sizeof(u32));
	c->order = malloc(blocks * sizeof(u32));
	c->blocks = malloc(blocks * sizeof(u32));
	c->idom = malloc(blocks * sizeof(u32));
	if (!c->block_of || !c->uses || !c->order || !c->blocks || !c->idom)
		return false;
	for (u32 i = 0; i < n; i++)
		c->block_of[i] = NOT_SEEN;
	for (u32 b = 0; b < blocks; b++)
		c->order[b] = c->idom[b] = NOT_SEEN;
	return true;
}

static const char *check_all(struct checker *c)
{
	const char *wrong = check_ranges(c);

	if (!wrong)
		wrong = check_edges(c);
	if (wrong)
		return wrong;
	c->order[0] = 0;
	if (!find_order(c))
		return "out of memory";
	if (c->n_ordered != c->ir->n_blocks)
		return "a block cannot be reached";
	find_idoms(c);
	return check_insns(c);
}

const char *ir_check(const struct ir *ir)
{
	struct checker c = {.ir = ir};
	const char *wrong = alloc(&c) ? check_all(&c) : "out of memory";

	free(c.block_of);
	free(c.uses);
	free(c.order);
	free(c.blocks);
	free(c.idom);
	return wrong;
}
