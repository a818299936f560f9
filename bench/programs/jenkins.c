/* SPDX-License-Identifier: BSD-2-Clause */
/* Jenkins one at a time, FNV-1a of words, DJB2: hashes of short keys. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 64; i++) {
		const u8 *key = bytes + 16 * i;
		u32 h = 0, d = 5381;

		for (u32 k = 0; k < 13; k++) {
			h += key[k];
			h += h << 10;
			h ^= h >> 6;
			d = d * 33 + key[k];
		}
		h += h << 3;
		h ^= h >> 11;
		h += h << 15;
		sum = mix(sum, (u64)h << 32 | d);
	}
	return sum;
}
