/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer square roots, digit by digit. */
#include "bench.h"

INLINE u32 root(u64 x)
{
	u64 r = 0, bit = 1ull << 38;

	for (u32 i = 0; i < 20; i++) {
		if (x >= r + bit) {
			x -= r + bit;
			r = (r >> 1) + bit;
		} else {
			r >>= 1;
		}
		bit >>= 2;
	}
	return r;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 128; i++)
		sum = mix(sum, root(words[i] >> 24));
	return sum;
}
