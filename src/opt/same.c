/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was computed before is not computed again.  The builder finds most of it; here are
 * blocks that have become one since, and blocks that only the one in front leads to.
 *
 * Values are found by hash in a table that forgets, and are taken when they stand in the
 * same row of blocks.
 */
#include "opt/passes.h"

enum { ENTRIES = 256 }; /* of ir_hash() */

static bool is_equal(const struct ir_insn *x, const struct ir_insn *y)
{
	return x->op == y->op && x->row == y->row && x->width == y->width &&
	       x->a == y->a && x->b == y->b && x->c == y->c && x->imm == y->imm &&
	       x->aux == y->aux;
}

static bool is_found_again(const struct ir_insn *insn)
{
	return ir_ops[insn->op].effect == IR_PURE && insn->op != IR_NOP &&
	       insn->op != IR_PHI && insn->op != IR_PARAM;
}

static void sweep(struct pass *p, u32 *table, u32 start, const struct ir_block *block)
{
	struct ir *ir = p->ir;

	for (u32 i = block->start; i < block->end; i++) {
		struct ir_insn *insn = &ir->insns[i];
		u32 *entry;

		if (p->renamed && insn->op != IR_NOP)
			pass_operands(p, insn, pass_n_args(insn, block));
		if (!is_found_again(insn))
			continue;
		entry = &table[ir_hash(insn)];
		if (*entry >= start && is_equal(&ir->insns[*entry], insn)) {
			pass_replace(p, i, *entry);
			pass_nop(insn);
		} else {
			*entry = i;
		}
	}
}

void pass_same_values(struct pass *p)
{
	struct ir *ir = p->ir;
	u32 table[ENTRIES] = {0}, start = 1;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		if (block->n_preds != 1 || ir->preds[block->preds] + 1 != b)
			start = block->start;
		sweep(p, table, start, block);
	}
}
