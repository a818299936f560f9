/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that become one.  A block can only take in what stands right behind it, as a
 * block is a range of instructions; then its number changes, and all of them are
 * numbered anew at the end (pass_number_blocks).
 */
#include "opt/passes.h"

static struct ir_insn *end_of(const struct pass *p, const struct ir_block *block)
{
	return &p->ir->insns[block->end - 1];
}

void pass_absorb(struct pass *p, u32 into, u32 block)
{
	struct ir_block *to = &p->ir->blocks[into], *from = &p->ir->blocks[block];

	p->home[block] = into;
	p->next[into] = p->next[block];
	to->end = from->end;
	to->succ[0] = from->succ[0];
	to->succ[1] = from->succ[1];
}

u32 pass_next(const struct pass *p, u32 b)
{
	for (b = p->next[b]; b < p->ir->n_blocks && p->home[b] == PASS_GONE;)
		b = p->next[b];
	return b;
}

static bool is_empty(const struct pass *p, const struct ir_block *block)
{
	for (u32 i = block->start; i + 1 < block->end; i++)
		if (p->ir->insns[i].op != IR_NOP)
			return false;
	return end_of(p, block)->op == IR_GOTO;
}

/* Only of a block that goes to two others: of one, the empty block is joined. */
void pass_skip(struct pass *p, u32 b)
{
	struct ir *ir = p->ir;
	struct ir_block *block = &ir->blocks[b], *from, *to;
	u32 pred, i = 0;

	if (block->n_preds != 1 || !is_empty(p, block) || block->succ[0] == (s32)b)
		return;
	pred = ir->preds[block->preds];
	from = &ir->blocks[pred];
	to = &ir->blocks[block->succ[0]];
	if (from->succ[1] == IR_NO_BLOCK || from->succ[0] == block->succ[0] ||
	    from->succ[1] == block->succ[0])
		return;
	while (ir->preds[to->preds + i] != b)
		i++;
	ir->preds[to->preds + i] = pred;
	from->succ[from->succ[1] == (s32)b] = block->succ[0];
	pass_nop(end_of(p, block));
	p->home[b] = PASS_GONE;
}

/* Of a block with one predecessor. */
static void drop_phis(struct pass *p, const struct ir_block *block)
{
	struct ir *ir = p->ir;

	for (u32 i = block->start; i < block->end; i++) {
		struct ir_insn *insn = &ir->insns[i];

		if (insn->op == IR_NOP)
			continue;
		if (insn->op != IR_PHI)
			return;
		pass_replace(p, i, pass_same(p, ir->args[insn->aux]));
		pass_nop(insn);
	}
}

void pass_join(struct pass *p, u32 b)
{
	struct ir *ir = p->ir;
	struct ir_block *block = &ir->blocks[b];
	u32 next = pass_next(p, b);

	if (next >= ir->n_blocks || ir->blocks[next].n_preds != 1 ||
	    end_of(p, block)->op != IR_GOTO || block->succ[0] != (s32)next)
		return;
	drop_phis(p, &ir->blocks[next]);
	pass_nop(end_of(p, block));
	pass_absorb(p, b, next);
}

static void renumber(const struct pass *p, const u32 *number)
{
	struct ir *ir = p->ir;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		struct ir_block *block = &ir->blocks[b];

		for (u32 i = 0; i < 2; i++)
			if (block->succ[i] != IR_NO_BLOCK)
				block->succ[i] = (s32)number[block->succ[i]];
		for (u32 i = 0; i < block->n_preds; i++)
			ir->preds[block->preds + i] = number[ir->preds[block->preds + i]];
	}
}

void pass_number_blocks(struct pass *p)
{
	struct ir *ir = p->ir;
	u32 *number = p->next; /* not needed any more */
	u32 n = 0;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		if (p->home[b] != b) {
			number[b] = p->home[b] == PASS_GONE ? 0 : number[p->home[b]];
			continue;
		}
		ir->blocks[n] = ir->blocks[b];
		number[b] = n++;
	}
	if (n == ir->n_blocks)
		return;
	ir->n_blocks = n;
	renumber(p, number);
}
