/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The passes in their order, and what they share.  Each is on its own sound for every
 * program, verified or not; the order only decides what one finds of what another left.
 */
#include "opt/passes.h"

#include "base/diag.h"

const struct ir_block *pass_block_of(const struct ir *ir, u32 insn)
{
	u32 low = 0, n = ir->n_blocks;

	while (n > 1) {
		u32 half = n / 2;

		if (ir->blocks[low + half].start <= insn)
			low += half;
		n -= half;
	}
	return &ir->blocks[low];
}

void pass_operands(struct pass *p, struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 *args = p->ir->args + insn->aux;

	if (info->a)
		insn->a = pass_same(p, insn->a);
	if (info->b)
		insn->b = pass_same(p, insn->b);
	if (info->c)
		insn->c = pass_same(p, insn->c);
	for (u32 i = 0; i < n_args; i++)
		args[i] = pass_same(p, args[i]);
}

void pass_rename(struct pass *p)
{
	struct ir *ir = p->ir;

	if (!p->renamed)
		return;
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			struct ir_insn *insn = &ir->insns[i];

			if (insn->op != IR_NOP)
				pass_operands(p, insn, pass_n_args(insn, block));
		}
	}
	p->renamed = false;
}

void pass_number(const struct ir *ir, const u32 *number, struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 *args = ir->args + insn->aux;

	if (info->a)
		insn->a = number[insn->a];
	if (info->b)
		insn->b = number[insn->b];
	if (info->c)
		insn->c = number[insn->c];
	for (u32 i = 0; i < n_args; i++)
		args[i] = number[args[i]];
}

static bool allocate_pass(struct pass *p)
{
	struct ir *ir = p->ir;
	struct arena *arena = ir->arena;

	p->same = arena_array(arena, ir->n_insns, sizeof(*p->same));
	p->bits = arena_array(arena, ir->n_insns, sizeof(*p->bits));
	p->want = arena_array(arena, ir->n_insns, sizeof(*p->want));
	p->next = arena_raw(arena, ir->n_blocks, sizeof(*p->next));
	p->home = arena_raw(arena, ir->n_blocks, sizeof(*p->home));
	p->tail = arena_raw(arena, ir->n_blocks, sizeof(*p->tail));
	if (!p->same || !p->bits || !p->want || !p->next || !p->home || !p->tail)
		return false;
	p->cap_insns = ir->n_insns;
	p->cap_blocks = p->n_old = ir->n_blocks;
	for (u32 b = 0; b < ir->n_blocks; b++) {
		p->next[b] = PASS_NONE;
		p->home[b] = p->tail[b] = b;
	}
	return true;
}

static bool run_passes(struct pass *p)
{
	if (!allocate_pass(p) || !pass_select(p))
		return false;
	pass_phis(p);
	pass_same_values(p);
	pass_loads(p);
	if (!pass_merge_loads(p))
		return false;
	pass_demand(p);
	pass_merge_stores(p);
	pass_rename(p);
	return pass_dead(p) && pass_linear(p) && pass_order(p);
}

int ir_optimise(struct ir *ir, struct skep_diag *diag)
{
	struct pass p = {.ir = ir};

	return run_passes(&p) ? 0 : fail(diag, NO_MEMORY, NO_PC);
}
