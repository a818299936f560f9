/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead code: what nobody needs goes, NOPs too, and who is left is counted.  In between,
 * where there is room, steps are chosen (choose.c).
 *
 * What writes or ends a block is needed; so is what a needed instruction names.  One
 * sweep backwards finds nearly all: only a PHI may name what stands behind it, and for
 * that there is a list.
 */
#include "opt/passes.h"

struct dead {
	struct ir *ir;
	bool *needed;
	u32 *list; /* needed, but already passed by */
	u32 n_list;
	u32 at;
};

static void need(struct dead *d, u32 value)
{
	if (!value)
		return;
	d->ir->insns[value].uses++;
	if (d->needed[value])
		return;
	d->needed[value] = true;
	if (value >= d->at)
		d->list[d->n_list++] = value;
}

static void need_operands(struct dead *d, const struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	const u32 *args = d->ir->args + insn->aux;

	if (info->a)
		need(d, insn->a);
	if (info->b)
		need(d, insn->b);
	if (info->c)
		need(d, insn->c);
	for (u32 i = 0; i < n_args; i++)
		need(d, args[i]);
}

static void sweep(struct dead *d, const struct ir_block *block)
{
	struct ir *ir = d->ir;

	for (u32 i = block->end; i-- > block->start;) {
		struct ir_insn *insn = &ir->insns[i];

		d->at = i;
		if (ir_ops[insn->op].effect >= IR_WRITE)
			d->needed[i] = true;
		if (d->needed[i])
			need_operands(d, insn, pass_n_args(insn, block));
	}
}

/* What only what is behind it needs: PHIs at the head of loops, and what they name. */
static void sweep_list(struct dead *d)
{
	struct ir *ir = d->ir;

	d->at = 0; /* from here on everybody goes to the list */
	while (d->n_list) {
		u32 value = d->list[--d->n_list];
		struct ir_insn *insn = &ir->insns[value];

		need_operands(d, insn, pass_n_args(insn, pass_block_of(ir, value)));
	}
}

/* What is needed moves up, so that all who come after have less to go through. */
static void pack(struct dead *d)
{
	struct ir *ir = d->ir;
	u32 *number = d->list, n = 1;

	number[0] = 0;
	for (u32 i = 1; i < ir->n_insns; i++) {
		number[i] = n;
		n += d->needed[i];
	}
	for (u32 b = 0; b < ir->n_blocks; b++) {
		struct ir_block *block = &ir->blocks[b];
		u32 start = number[block->start], end = block->end;

		for (u32 i = block->start; i < end; i++) {
			struct ir_insn *insn = &ir->insns[i];

			if (!d->needed[i])
				continue;
			pass_number(ir, number, insn, pass_n_args(insn, block));
			ir->insns[number[i]] = *insn;
		}
		block->start = start;
		block->end = number[end - 1] + 1;
	}
	ir->n_insns = n;
}

bool pass_dead(struct pass *p)
{
	struct ir *ir = p->ir;
	struct dead d = {
		.ir = ir,
		.needed = arena_array(ir->arena, ir->n_insns, sizeof(*d.needed)),
		.list = arena_raw(ir->arena, ir->n_insns, sizeof(*d.list)),
	};

	if (!d.needed || !d.list)
		return false;
	for (u32 i = 0; i < ir->n_insns; i++)
		ir->insns[i].uses = 0;
	for (u32 b = ir->n_blocks; b-- > 0;)
		sweep(&d, &ir->blocks[b]);
	sweep_list(&d);
	pass_choose(p, d.needed);
	pack(&d);
	return true;
}
