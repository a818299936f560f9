/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of ChaCha20 (RFC 8439): additions, xors and rotations in sixteen words. */
#include "bench.h"

enum { BLOCKS = 8, WORDS = 16 };

INLINE void quarter(u32 *x, u32 a, u32 b, u32 c, u32 d)
{
	x[a] += x[b];
	x[d] = rotate32(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate32(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate32(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate32(x[b] ^ x[c], 7);
}

INLINE void double_round(u32 *x)
{
	quarter(x, 0, 4, 8, 12);
	quarter(x, 1, 5, 9, 13);
	quarter(x, 2, 6, 10, 14);
	quarter(x, 3, 7, 11, 15);
	quarter(x, 0, 5, 10, 15);
	quarter(x, 1, 6, 11, 12);
	quarter(x, 2, 7, 8, 13);
	quarter(x, 3, 4, 9, 14);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *state = mem;
	u32 *x = scratch(mem, len);
	u64 sum = 0;

	for (u32 block = 0; block < BLOCKS; block++) {
		for (u32 i = 0; i < WORDS; i++)
			x[i] = state[i] + block;
		for (u32 round = 0; round < 10; round++)
			double_round(x);
		for (u32 i = 0; i < WORDS; i++)
			sum = mix(sum, x[i] + state[i] + block);
	}
	return sum;
}
