/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking things up in a program by instruction.
 */
#include "prog/prog.h"

const struct line_info *prog_line(const struct prog *prog, u32 pc)
{
	u32 lo = 0, hi = prog->n_lines;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (prog->lines[mid].insn <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &prog->lines[lo - 1] : NULL;
}

const struct subprog *prog_subprog(const struct prog *prog, u32 pc)
{
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		const struct subprog *sub = &prog->subprogs[i];

		if (pc >= sub->start && pc - sub->start < sub->n_insns)
			return sub;
	}
	return NULL;
}
