/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the builder could not know while it wrote: that nobody goes to a block after all,
 * and that what a loop brings back is what went in.
 */
#include "opt/build.h"

enum { PHI_SWEEPS = 4 };

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

/* ---- PHIs of one value ---- */

struct renaming {
	struct ir *ir;
	u32 *same; /* by value: what it is instead, or 0 */
};

static u32 renamed(const struct renaming *r, u32 value)
{
	while (r->same[value])
		value = r->same[value];
	return value;
}

/* The one value that comes from elsewhere, or 0. */
static u32 only_value(const struct renaming *r, const struct ir_block *block, u32 phi)
{
	const u32 *args = r->ir->args + r->ir->insns[phi].aux;
	u32 only = 0;

	for (u32 i = 0; i < block->n_preds; i++) {
		u32 arg = r->same ? renamed(r, args[i]) : args[i];

		if (arg == phi || arg == only)
			continue;
		if (only)
			return 0;
		only = arg;
	}
	return only;
}

/* How many were found, or only whether there are any. */
static u32 sweep_phis(struct renaming *r)
{
	struct ir *ir = r->ir;
	u32 found = 0;

	for (u32 b = 1; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; ir->insns[i].op == IR_PHI; i++) {
			u32 only = only_value(r, block, i);

			if (!only || (r->same && r->same[i]))
				continue;
			found++;
			if (!r->same)
				return found;
			r->same[i] = only;
		}
	}
	return found;
}

static void rename_insn(const struct renaming *r, struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (info->a)
		insn->a = renamed(r, insn->a);
	if (info->b)
		insn->b = renamed(r, insn->b);
	if (info->c)
		insn->c = renamed(r, insn->c);
	for (u32 i = 0; i < n_args; i++)
		r->ir->args[insn->aux + i] = renamed(r, r->ir->args[insn->aux + i]);
}

/* The PHIs themselves stay: nobody names them any more. */
static void rename_all(const struct renaming *r)
{
	struct ir *ir = r->ir;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			struct ir_insn *insn = &ir->insns[i];

			rename_insn(r, insn,
				    insn->op == IR_PHI ? block->n_preds : insn->n_args);
		}
	}
}

static bool drop_phis(struct ir *ir)
{
	struct renaming r = {.ir = ir};

	if (!sweep_phis(&r))
		return true;
	r.same = arena_array(ir->arena, ir->n_insns, sizeof(*r.same));
	if (!r.same)
		return false;
	for (u32 i = 0; i < PHI_SWEEPS && sweep_phis(&r);)
		i++;
	rename_all(&r);
	return true;
}

bool build_clean(struct builder *b)
{
	if (b->orphans && !drop_blocks(b->ir))
		return false;
	return drop_phis(b->ir);
}
