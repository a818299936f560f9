/* SPDX-License-Identifier: BSD-2-Clause */
/* Rotates by constants and by numbers, in the 64-bit instructions of -mcpu=v1. */
#include "bench.h"

INLINE u32 turn(u32 x, u32 by)
{
	return x << (by & 31) | x >> (-by & 31);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u32 a = 1, b = 2, c = 3, d = 4;

	for (u64 i = 0; i < input_size(len) / sizeof(*words); i += 4) {
		a = rotate32(a, 7) ^ words[i];
		b = rotate32(b, 29) + (a ^ words[i + 1]);
		c = rotate32(c ^ b, 13) - words[i + 2];
		d = turn(d, a) + words[i + 3] * 0x85ebca6b;
	}
	return ((u64)a << 32 | b) ^ ((u64)c << 32 | d);
}
