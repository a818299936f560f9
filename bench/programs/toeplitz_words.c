/* SPDX-License-Identifier: BSD-2-Clause */
/* The Toeplitz hash by words: for each bit that is set the part of the key from there on,
 * all of which stand in a table. */
#include "bench.h"

enum { WORDS = 3, BITS = 32 * WORDS, KEY = BITS / 8 + 4 };

INLINE void make_table(u32 *table, const u8 *key)
{
	for (u32 i = 0; i < BITS; i++) {
		const u8 *at = key + i / 8;
		u64 part = (u64)at[0] << 32 | (u64)at[1] << 24 | at[2] << 16 |
			   at[3] << 8 | at[4];

		table[i] = (u32)(part >> (8 - i % 8));
	}
}

INLINE u32 toeplitz(const u32 *table, const u32 *flow)
{
	u32 hash = 0;

	for (u32 i = 0; i < WORDS; i++) {
		const u32 *part = table + 32 * i;

		for (u32 word = __builtin_bswap32(flow[i]); word; word <<= 1, part++)
			if (word >> 31)
				hash ^= *part;
	}
	return hash;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *key = mem;
	const u32 *flows = (const u32 *)(key + KEY + 4);
	u32 *table = scratch(mem, len);
	u64 sum = 0;

	make_table(table, key);
	for (u32 i = 0; i < 64; i++)
		sum = mix(sum, toeplitz(table, flows + WORDS * i));
	return sum;
}
