/* SPDX-License-Identifier: BSD-2-Clause */
/* All ways to place seven queens: sets as bits, a stack of levels in memory instead of
 * recursion, branches that nobody can predict. */
#include "bench.h"

enum { QUEENS = 7, ALL = (1 << QUEENS) - 1 };

struct level {
	u32 columns, left, right, free;
};

PROGRAM u64 bench(void *mem, u64 len)
{
	struct level *level = scratch(mem, len), *first = level;
	u32 found = 0;

	*level = (struct level){.free = ALL};
	for (;;) {
		u32 queen = level->free & -level->free;

		if (!queen) {
			if (level == first)
				return found;
			level--;
			continue;
		}
		level->free ^= queen;
		level[1].columns = level->columns | queen;
		level[1].left = (level->left | queen) << 1;
		level[1].right = (level->right | queen) >> 1;
		level[1].free =
			ALL & ~(level[1].columns | level[1].left | level[1].right);
		found += level[1].columns == ALL;
		level++;
	}
}
