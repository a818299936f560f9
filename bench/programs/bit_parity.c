/* SPDX-License-Identifier: BSD-2-Clause */
/* Parity, Gray code and the next power of two: folds of a word onto itself. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 512; i++) {
		u64 x = words[i], gray = x ^ x >> 1, parity = x, power = x >> (i & 63);

		parity ^= parity >> 32;
		parity ^= parity >> 16;
		parity ^= parity >> 8;
		parity ^= parity >> 4;
		parity = 0x6996 >> (parity & 15) & 1;
		power |= power >> 1;
		power |= power >> 2;
		power |= power >> 4;
		power |= power >> 8;
		power |= power >> 16;
		power |= power >> 32;
		sum = mix(sum, gray + parity + power + 1);
	}
	return sum;
}
