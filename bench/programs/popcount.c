/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits that are set, counted in parallel within each word (no popcnt instruction asked
 * for). */
#include "bench.h"

INLINE u64 count_bits(u64 x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return x * 0x0101010101010101 >> 56;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;

	for (u64 i = 0; i < n; i++)
		sum += count_bits(words[i]);
	return sum;
}
