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
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

enum { SEVERAL = 4 };

/* A block may lie behind where it leads to without a loop. */
static bool is_end_of(const struct ir *ir, u32 end, s32 loop)
{
	const struct ir_block *block = &ir->blocks[end], *header;

	if (loop < 0 || (u32)loop >= end)
		return false;
	header = &ir->blocks[loop];
	return header->loop_header && !block->loop_header &&
	       block->n_preds >= SEVERAL && block->loop_depth == header->loop_depth;
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
