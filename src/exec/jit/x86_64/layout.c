/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where blocks lie.  As they stand in the program, but the end of a loop that several
 * ways lead to lies in front of the loop:
 *
 *	loop:	if (a) goto one;		jmp loop
 *		...			end:	if (c) goto out;
 *		goto end;		loop:	if (a) goto one;
 *	one:	...				...
 *	end:	if (!c) goto loop;		jmp end
 *	out:				one:	...
 *						jmp end
 *
 * Each round jumps once where it jumped twice, to the end and back; only the way that
 * fell into the end has a jump more.
 *
 * What goes on to such an end by itself has both behind it once more, if they are short: it
 * jumps not at all, and where a switch goes from there is guessed for each of its arms.
 *
 * And a short loop with a CHECK lies there twice, one round behind the other: in what
 * takes a cycle or two, one operation more is half a cycle.
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

enum { SEVERAL = 4, SHORT = 16 /* instructions */ };

/* A block may lie behind where it leads to without a loop. */
static bool is_end_of(const struct ir *ir, u32 end, s32 loop)
{
	const struct ir_block *block = &ir->blocks[end], *header;

	if (loop < 0 || (u32)loop >= end)
		return false;
	header = &ir->blocks[loop];
	return header->loop_header && !block->loop_header && block->n_preds >= SEVERAL &&
	       block->loop_depth == header->loop_depth;
}

struct laid *x86_lay_out(const struct ir *ir)
{
	struct laid *laid = arena_array(ir->arena, ir->n_blocks + 1, sizeof(*laid));
	/* By block: what lies in front of it; 0: nothing. */
	u32 *end_of = arena_array(ir->arena, ir->n_blocks, sizeof(*end_of));
	bool *moved = arena_array(ir->arena, ir->n_blocks, sizeof(*moved));
	u32 n = 0;

	if (!laid || !end_of || !moved)
		return NULL;
	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 i = 0; i < 2; i++) {
			s32 loop = ir->blocks[b].succ[i];

			if (moved[b] || !is_end_of(ir, b, loop) || end_of[loop])
				continue;
			end_of[loop] = b;
			moved[b] = true;
		}
	for (u32 b = 0; b < ir->n_blocks; b++) {
		if (moved[b])
			continue;
		if (end_of[b])
			laid[n++] = (struct laid){end_of[b], true};
		laid[n++] = (struct laid){b, !end_of[b] && ir->blocks[b].loop_header};
	}
	assert(n == ir->n_blocks);
	laid[n] = (struct laid){UINT32_MAX, false};
	return laid;
}

bool x86_is_twice(const struct ir *ir, u32 block)
{
	const struct ir_block *b = &ir->blocks[block];
	u32 n = 0;
	bool looks = false;

	if (b->succ[0] != (s32)block && b->succ[1] != (s32)block)
		return false;
	for (u32 i = b->start; i < b->end && n <= SHORT; i++) {
		u8 op = ir->insns[i].op;

		looks |= op == IR_CHECK;
		if (ir_ops[op].effect == IR_WRITE && op != IR_CHECK && op != IR_STORE)
			return false;
		n += op != IR_NOP && op != IR_PHI &&
		     !(ir->insns[i].flags & IR_FUSED);
	}
	return looks && n <= SHORT;
}

/* In instructions; calls and the like are never short. */
static u32 size_of(const struct ir *ir, const struct ir_block *b)
{
	u32 n = 0;

	for (u32 i = b->start; i < b->end && n <= SHORT; i++) {
		const struct ir_insn *insn = &ir->insns[i];

		if (ir_ops[insn->op].effect == IR_WRITE && insn->op != IR_CHECK)
			return SHORT + 1;
		n += insn->op != IR_NOP && insn->op != IR_PHI &&
		     !(insn->flags & IR_FUSED);
	}
	return n;
}

bool x86_find_end(const struct ir *ir, u32 block, u32 *end, u32 *loop)
{
	enum { VERY_SHORT = 8 };
	const struct ir_block *b = &ir->blocks[block], *last;

	if (ir->insns[b->end - 1].op != IR_GOTO)
		return false;
	*end = (u32)b->succ[0];
	last = &ir->blocks[*end];
	for (u32 i = 0; i < 2 && ir->insns[last->end - 1].op == IR_JMP; i++) {
		if (!is_end_of(ir, *end, last->succ[i]))
			continue;
		*loop = (u32)last->succ[i];
		return ir->insns[ir->blocks[*loop].end - 1].op == IR_JMP &&
		       size_of(ir, last) + size_of(ir, &ir->blocks[*loop]) <= VERY_SHORT;
	}
	return false;
}
