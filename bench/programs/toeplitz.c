/* SPDX-License-Identifier: BSD-2-Clause */
/* The Toeplitz hash that network cards use for receive-side scaling, a bit at a time. */
#include "bench.h"

enum { KEY = 40, FLOW = 12 };

INLINE u32 toeplitz(const u8 *key, const u8 *flow)
{
	u32 hash = 0, window = (u32)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3];

	for (u32 i = 0; i < FLOW; i++) {
		for (u32 bit = 0; bit < 8; bit++) {
			if (flow[i] & 0x80 >> bit)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1);
		}
	}
	return hash;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *key = mem, *flows = key + KEY;
	u64 sum = 0;

	for (u32 i = 0; i < 32 && KEY + (i + 1) * FLOW <= input_size(len); i++)
		sum = mix(sum, toeplitz(key, flows + i * FLOW));
	return sum;
}
