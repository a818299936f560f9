/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer logarithm by halving, five branches a word. */
#include "bench.h"

INLINE u32 floor_log2(u32 x)
{
	u32 log = 0;

	if (x >> 16) {
		log += 16;
		x >>= 16;
	}
	if (x >> 8) {
		log += 8;
		x >>= 8;
	}
	if (x >> 4) {
		log += 4;
		x >>= 4;
	}
	if (x >> 2) {
		log += 2;
		x >>= 2;
	}
	return log + (x >> 1);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;

	for (u64 i = 0; i < n; i++)
		sum = sum * 3 + floor_log2(words[i] >> (i & 31));
	return sum;
}
