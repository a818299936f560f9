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
	u32 next = p->next[b];

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
			number[b] = number[p->home[b]];
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
