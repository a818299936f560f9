/* SPDX-License-Identifier: BSD-2-Clause */
/* The bits of every word in reverse order, by swapping halves. */
#include "bench.h"

INLINE u64 reverse(u64 x)
{
	x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
	x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
	x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
	x = (x >> 8 & 0x00ff00ff00ff00ff) | (x & 0x00ff00ff00ff00ff) << 8;
	x = (x >> 16 & 0x0000ffff0000ffff) | (x & 0x0000ffff0000ffff) << 16;
	return x >> 32 | x << 32;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;

	for (u64 i = 0; i < n; i++)
		sum = mix(sum, reverse(words[i]));
	return sum;
}
