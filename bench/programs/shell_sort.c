/* SPDX-License-Identifier: BSD-2-Clause */
/* Shellsort with gaps of 3k+1. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	u32 n = input_size(len) / sizeof(u32) / 2;
	const u32 *from = mem;
	u32 *a = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		a[i] = from[i] >> 1;
	for (u32 gap = 364; gap; gap /= 3) {
		for (u32 i = gap; i < n; i++) {
			u32 x = a[i], at = i;

			for (; at >= gap && a[at - gap] > x; at -= gap)
				a[at] = a[at - gap];
			a[at] = x;
		}
	}
	for (u32 i = 0; i < n; i += 16)
		sum = mix(sum, a[i]);
	return sum;
}
