/* SPDX-License-Identifier: BSD-2-Clause */
/* BLAKE2s' mixing of 16 words over 8 blocks: a state in memory, indices that are data
 * (the permutation of a round comes from the input). */
#include "bench.h"

enum { BLOCKS = 8, ROUNDS = 10 };

/* G: the words of v in one column or diagonal, and two words of the message. */
INLINE void quarter(u32 *v, u32 columns, u32 x, u32 y)
{
	u32 *a = v + (columns & 15), *b = v + (columns >> 4 & 15);
	u32 *c = v + (columns >> 8 & 15), *d = v + (columns >> 12 & 15);

	*a += *b + x;
	*d = rotate32(*d ^ *a, 16);
	*c += *d;
	*b = rotate32(*b ^ *c, 20);
	*a += *b + y;
	*d = rotate32(*d ^ *a, 24);
	*c += *d;
	*b = rotate32(*b ^ *c, 25);
}

INLINE void mix_round(u32 *v, const u32 *m, const u8 *s)
{
	quarter(v, 0xc840, m[s[0] & 15], m[s[1] & 15]);
	quarter(v, 0xd951, m[s[2] & 15], m[s[3] & 15]);
	quarter(v, 0xea62, m[s[4] & 15], m[s[5] & 15]);
	quarter(v, 0xfb73, m[s[6] & 15], m[s[7] & 15]);
	quarter(v, 0xfa50, m[s[8] & 15], m[s[9] & 15]);
	quarter(v, 0xcb61, m[s[10] & 15], m[s[11] & 15]);
	quarter(v, 0xd872, m[s[12] & 15], m[s[13] & 15]);
	quarter(v, 0xe943, m[s[14] & 15], m[s[15] & 15]);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *permutations = mem;
	const u32 *message = mem;
	u32 *v = scratch(mem, len);

	for (u32 i = 0; i < 16; i++)
		v[i] = 0x6a09e667 ^ i;
	for (u32 block = 0; block < BLOCKS; block++, message += 16)
		for (u32 round = 0; round < ROUNDS; round++)
			mix_round(v, message, permutations + round * 16);
	return (u64)v[0] << 32 | v[15];
}
