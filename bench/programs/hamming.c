/* SPDX-License-Identifier: BSD-2-Clause */
/* How many bits of two rows of words differ: 32-bit counting, four at a time. */
#include "bench.h"

INLINE u32 count_bits(u32 x)
{
	x -= x >> 1 & 0x55555555;
	x = (x & 0x33333333) + (x >> 2 & 0x33333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f;
	return x * 0x01010101 >> 24;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *a = mem, *b = a + 256;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 256; i += 4) {
		sum += count_bits(a[i] ^ b[i]) * 3;
		sum ^= count_bits(a[i + 1] ^ b[i + 1]) << 7;
		sum += count_bits(a[i + 2] ^ b[i + 2]) * sum;
		sum ^= count_bits(a[i + 3] ^ b[i + 3]);
	}
	return sum;
}
