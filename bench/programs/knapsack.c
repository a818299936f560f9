/* SPDX-License-Identifier: BSD-2-Clause */
/* The knapsack problem: a row of the best values for every weight, item by item; maxima,
 * loads and stores at two distances. */
#include "bench.h"

enum { ITEMS = 24, CAPACITY = 500 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *items = mem;
	u32 *best = scratch(mem, len);

	for (u32 weight = 0; weight <= CAPACITY; weight++)
		best[weight] = 0;
	for (u32 i = 0; i < ITEMS; i++) {
		u32 weight = items[2 * i] / 4 + 1, value = items[2 * i + 1];

		for (u32 at = CAPACITY; at >= weight; at--) {
			u32 with = best[at - weight] + value;

			if (with > best[at])
				best[at] = with;
		}
	}
	return best[CAPACITY];
}
