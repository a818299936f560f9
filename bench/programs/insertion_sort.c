/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of 32 numbers, each sorted by insertion. */
#include "bench.h"

enum { BLOCK = 32 };

INLINE void sort(u32 *a)
{
	for (u32 i = 1; i < BLOCK; i++) {
		u32 x = a[i], at = i;

		while (at && a[at - 1] > x) {
			a[at] = a[at - 1];
			at--;
		}
		a[at] = x;
	}
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *from = mem;
	u32 *to = scratch(mem, len);
	u64 n = input_size(len) / sizeof(*from), sum = 0;

	for (u64 i = 0; i < n; i++)
		to[i] = from[i] ^ 0x80000000;
	for (u64 at = 0; at + BLOCK <= n; at += BLOCK) {
		sort(to + at);
		sum = mix(sum, to[at]);
	}
	return sum;
}
