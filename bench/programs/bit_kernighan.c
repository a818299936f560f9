/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits that are set, one by one: the lowest is cleared until none is left. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 256; i++) {
		u32 x = words[i], n = 0;

		while (x) {
			x &= x - 1;
			n++;
		}
		sum += n;
	}
	return sum;
}
