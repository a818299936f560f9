/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PHIs that need not be: of one value, and two of the same values.  The builder leaves
 * them where a loop changes two registers alike, selects where both sides became one.
 */
#include "opt/passes.h"

enum { LOOK_BACK = 8 }; /* PHIs of a block that one is compared with */

/* The one value that all arguments are, but for the PHI itself; 0: there are two. */
static u32 only_value(const struct pass *p, u32 phi, u32 n)
{
	const u32 *args = p->ir->args + p->ir->insns[phi].aux;
	u32 only = 0;

	for (u32 i = 0; i < n; i++) {
		u32 arg = pass_same(p, args[i]);

		if (arg == phi || arg == only)
			continue;
		if (only)
			return 0;
		only = arg;
	}
	return only;
}

static bool are_equal(const struct pass *p, u32 x, u32 y, u32 n)
{
	const u32 *args = p->ir->args;
	u32 at = p->ir->insns[x].aux, other = p->ir->insns[y].aux;

	for (u32 i = 0; i < n; i++)
		if (pass_same(p, args[at + i]) != pass_same(p, args[other + i]))
			return false;
	return true;
}

static u32 find_equal(const struct pass *p, const u32 *before, u32 n, u32 phi,
		      u32 n_preds)
{
	for (u32 i = 0; i < n && i < LOOK_BACK; i++)
		if (are_equal(p, before[i], phi, n_preds))
			return before[i];
	return 0;
}

static void visit_block(struct pass *p, const struct ir_block *block)
{
	struct ir *ir = p->ir;
	u32 before[LOOK_BACK], n = 0;

	for (u32 i = pass_phi(ir, block, block->start); i < block->end;
	     i = pass_phi(ir, block, i + 1)) {
		u32 same = only_value(p, i, block->n_preds);

		if (!same)
			same = find_equal(p, before, n, i, block->n_preds);
		if (same) {
			pass_replace(p, i, same);
			pass_nop(&ir->insns[i]);
		} else if (n < LOOK_BACK) {
			before[n++] = i;
		}
	}
}

void pass_phis(struct pass *p)
{
	for (u32 b = 0; b < p->ir->n_blocks; b++)
		visit_block(p, &p->ir->blocks[b]);
}
