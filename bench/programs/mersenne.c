/* SPDX-License-Identifier: BSD-2-Clause */
/* The Mersenne twister: a seed, one turn of its 624 words, and what it gives out. */
#include "bench.h"

enum { WORDS = 624, BACK = 397 };

PROGRAM u64 bench(void *mem, u64 len)
{
	u32 *state = scratch(mem, len), sum = 0;

	state[0] = *(const u32 *)mem;
	for (u32 i = 1; i < WORDS; i++)
		state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >> 30) + i;
	for (s32 i = 0; i < WORDS; i++) {
		u32 next = state[(i + 1) % WORDS];
		u32 y = (state[i] & 0x80000000) | (next & 0x7fffffff);

		state[i] = state[(i + BACK) % WORDS] ^ y >> 1;
		if (y & 1)
			state[i] ^= 0x9908b0df;
	}
	for (u32 i = 0; i < WORDS; i++) {
		u32 y = state[i];

		y ^= y >> 11;
		y ^= y << 7 & 0x9d2c5680;
		y ^= y << 15 & 0xefc60000;
		sum += y ^ y >> 18;
	}
	return sum;
}
