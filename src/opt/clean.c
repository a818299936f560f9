/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left to do when all is written: blocks go where the program has them, which is
 * where its compiler wanted them, and those that nobody enters after all go away.
 */
#include "opt/build.h"

/* ---- blocks that nobody enters ---- */

/* Numbers the blocks that can be entered; *number: by block, plus one. */
static bool number_blocks(struct ir *ir, u32 **number)
{
	u32 *list = arena_array(ir->arena, 2 * ir->n_blocks + 1, sizeof(*list)), n = 1,
	    next = 0;

	*number = arena_array(ir->arena, ir->n_blocks, sizeof(**number));
	if (!list || !*number)
		return false;
	list[0] = 0;
	while (n) {
		u32 block = list[--n];

		if ((*number)[block])
			continue;
		(*number)[block] = 1;
		for (u32 k = 0; k < 2; k++)
			if (ir->blocks[block].succ[k] != IR_NO_BLOCK)
				list[n++] = (u32)ir->blocks[block].succ[k];
	}
	for (u32 i = 0; i < ir->n_blocks; i++)
		if ((*number)[i])
			(*number)[i] = ++next;
	return true;
}

/* Forgets predecessors that are gone, with their arguments. */
static void keep_preds(struct ir *ir, struct ir_block *block, const u32 *number)
{
	u32 n = 0;

	for (u32 k = 0; k < block->n_preds; k++) {
		u32 pred = number[ir->preds[block->preds + k]];

		if (!pred)
			continue;
		for (u32 i = block->start; ir->insns[i].op == IR_PHI; i++)
			ir->args[ir->insns[i].aux + n] = ir->args[ir->insns[i].aux + k];
		ir->preds[block->preds + n++] = pred - 1;
	}
	block->n_preds = n;
}

static void drop_block(struct ir *ir, const struct ir_block *block)
{
	for (u32 i = block->start; i < block->end; i++)
		ir->insns[i] = (struct ir_insn){.op = IR_NOP};
}

static bool drop_blocks(struct ir *ir)
{
	u32 *number, n = 0;

	if (!number_blocks(ir, &number))
		return false;
	for (u32 i = 0; i < ir->n_blocks; i++) {
		struct ir_block *block = &ir->blocks[i];

		if (!number[i]) {
			drop_block(ir, block);
			continue;
		}
		keep_preds(ir, block, number);
		for (u32 k = 0; k < 2; k++)
			if (block->succ[k] != IR_NO_BLOCK)
				block->succ[k] = (s32)number[block->succ[k]] - 1;
		ir->blocks[n++] = *block;
	}
	ir->n_blocks = n;
	return true;
}

/* ---- order ---- */

struct placing {
	struct ir *ir;
	struct ir_insn *insns; /* in the new order */
	struct ir_block *blocks;
	u32 n_insns, n_blocks;
	u32 *value; /* by old value: the new one */
	u32 *block; /* by old block */
};

static void place_block(struct placing *p, u32 old)
{
	const struct ir_block *from = &p->ir->blocks[old];
	struct ir_block *to = &p->blocks[p->n_blocks];

	p->block[old] = p->n_blocks++;
	*to = *from;
	to->start = p->n_insns;
	for (u32 i = from->start; i < from->end; i++) {
		p->value[i] = p->n_insns;
		p->insns[p->n_insns++] = p->ir->insns[i];
	}
	to->end = p->n_insns;
}

static void rename_insn(const struct placing *p, struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 *args = p->ir->args + insn->aux;

	if (info->a)
		insn->a = p->value[insn->a];
	if (info->b)
		insn->b = p->value[insn->b];
	if (info->c)
		insn->c = p->value[insn->c];
	for (u32 i = 0; i < n_args; i++)
		args[i] = p->value[args[i]];
}

static void rename_block(const struct placing *p, struct ir_block *block)
{
	for (u32 k = 0; k < 2; k++)
		if (block->succ[k] != IR_NO_BLOCK)
			block->succ[k] = (s32)p->block[block->succ[k]];
	for (u32 k = 0; k < block->n_preds; k++)
		p->ir->preds[block->preds + k] = p->block[p->ir->preds[block->preds + k]];
	for (u32 i = block->start; i < block->end; i++) {
		struct ir_insn *insn = &p->insns[i];

		if (insn->op != IR_NOP)
			rename_insn(p, insn,
				    insn->op == IR_PHI ? block->n_preds : insn->n_args);
	}
}

static bool place_blocks(struct builder *b)
{
	struct ir *ir = b->ir;
	struct arena *arena = ir->arena;
	const struct graph *g = b->graph;
	struct placing p = {
		.ir = ir,
		.insns = arena_raw(arena, ir->n_insns, sizeof(*p.insns)),
		.blocks = arena_raw(arena, ir->n_blocks, sizeof(*p.blocks)),
		.value = arena_array(arena, ir->n_insns, sizeof(*p.value)),
		.block = arena_array(arena, ir->n_blocks, sizeof(*p.block)),
		.n_insns = 1,
	};

	if (!p.insns || !p.blocks || !p.value || !p.block)
		return false;
	p.insns[0] = ir->insns[0];
	if (b->first[0] != 0) /* where the function starts is a block of its own */
		place_block(&p, 0);
	for (u32 i = 0; i < g->n_blocks; i++) {
		s32 first = b->first[g->placed[i]];

		for (s32 k = first; first != IR_NO_BLOCK && k <= b->last[g->placed[i]];
		     k++)
			place_block(&p, (u32)k);
	}
	for (u32 i = 0; i < p.n_blocks; i++)
		rename_block(&p, &p.blocks[i]);
	ir->insns = p.insns;
	ir->blocks = p.blocks;
	ir->cap_insns = ir->n_insns;
	ir->n_insns = p.n_insns;
	return true;
}

bool build_clean(struct builder *b)
{
	if (b->graph->moved && !place_blocks(b))
		return false;
	if (b->orphans && !drop_blocks(b->ir))
		return false;
	if (b->recount || b->orphans)
		ir_count_uses(b->ir);
	b->ir->insns[0].uses = 0;
	return true;
}
