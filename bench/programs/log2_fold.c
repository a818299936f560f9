/* SPDX-License-Identifier: BSD-2-Clause */
/* Logarithms without branches: comparisons become shifts, as in bithacks. */
#include "bench.h"

INLINE u32 log2_of(u32 x)
{
	u32 r = (x > 0xffff) << 4, shift;

	x >>= r;
	shift = (x > 0xff) << 3;
	x >>= shift;
	r |= shift;
	shift = (x > 0xf) << 2;
	x >>= shift;
	r |= shift;
	shift = (x > 0x3) << 1;
	x >>= shift;
	r |= shift;
	return r | x >> 1;
}

INLINE u32 log2_wide(u64 x)
{
	u32 high = x >> 32;

	return high ? 32 + log2_of(high) : log2_of(x);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 512; i++)
		sum += log2_wide(words[i] >> (i & 63));
	return sum;
}
