/* SPDX-License-Identifier: BSD-2-Clause */
/* A Bloom filter of 8192 bits: three places of each key set and asked for. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *keys = mem;
	u64 *bits = scratch(mem, len), found = 0;

	for (u32 i = 0; i < 128; i++)
		bits[i] = 0;
	for (u32 i = 0; i < 100; i++) {
		u64 h = keys[i] * 0x9e3779b97f4a7c15;

		bits[h >> 57] |= 1ull << (h & 63);
		bits[h >> 50 & 127] |= 1ull << (h >> 6 & 63);
		bits[h >> 43 & 127] |= 1ull << (h >> 12 & 63);
	}
	for (u32 i = 0; i < 400; i++) {
		u64 h = keys[i] * 0x9e3779b97f4a7c15;

		found += bits[h >> 57] >> (h & 63) &
			 bits[h >> 50 & 127] >> (h >> 6 & 63) &
			 bits[h >> 43 & 127] >> (h >> 12 & 63) & 1;
	}
	return found;
}
