/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After the question whether a look-up found anything.
 *
 * What an array's look-up gives is cmp ? address : 0 (inline_map.c), and the question
 * about it became a jump on cmp itself (fold_jmp.c).  Where that leads, the answer is the
 * address, or 0, and nobody needs the SELECT any more.
 *
 * Of other comparisons nothing is kept: a value that is something else on one side only
 * needs a PHI where the sides meet.
 */
#include "opt/fold.h"

void refine_jump(struct builder *b, const struct ir_insn *jmp)
{
	const struct ir_insn *found = value_of(b, jmp->a);
	struct refined *r = &b->refined[b->source];

	if (!asks_for_null(b, jmp))
		return;
	r->value = jmp->a;
	r->taken = jmp->row == JMP_JNE ? found->b : found->c;
	r->not_taken = jmp->row == JMP_JNE ? found->c : found->b;
}

void refine_enter(struct builder *b, u32 from)
{
	const struct refined *r = &b->refined[from];
	bool taken = b->graph->blocks[from].succ[0] == (s32)b->source;

	if (!r->value)
		return;
	for (u32 i = 0; i < b->graph->n_vars; i++)
		if (b->var[i] == r->value)
			b->var[i] = taken ? r->taken : r->not_taken;
}
