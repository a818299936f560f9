/* SPDX-License-Identifier: BSD-2-Clause */
/* The compression function of SHA-256 over 16 blocks: big-endian words, a schedule in
 * memory, rotates, eight variables.  The round constants are the input's first 64 words:
 * their values do not matter to the time. */
#include "bench.h"

enum { BLOCKS = 16, ROUNDS = 64 };

INLINE void schedule(u32 *w, const u32 *block)
{
	for (u32 i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(block[i]);
	for (u32 i = 16; i < ROUNDS; i++) {
		u32 a = w[i - 15], b = w[i - 2];

		a = rotate32(a, 25) ^ rotate32(a, 14) ^ a >> 3;
		b = rotate32(b, 15) ^ rotate32(b, 13) ^ b >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
}

INLINE void compress(u32 *state, const u32 *w, const u32 *constants)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];
	u32 e = state[4], f = state[5], g = state[6], h = state[7];

	for (u32 i = 0; i < ROUNDS; i++) {
		u32 one = rotate32(e, 26) ^ rotate32(e, 21) ^ rotate32(e, 7);
		u32 zero = rotate32(a, 30) ^ rotate32(a, 19) ^ rotate32(a, 10);
		u32 new = h + one + ((e & f) ^ (~e & g)) + constants[i] + w[i];

		h = g;
		g = f;
		f = e;
		e = d + new;
		d = c;
		new += zero + ((a & b) ^ (a & c) ^ (b & c));
		c = b;
		b = a;
		a = new;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *constants = mem, *block = constants + ROUNDS;
	u32 *state = scratch(mem, len), *w = state + 8;

	for (u32 i = 0; i < 8; i++)
		state[i] = 0x6a09e667 * (2 * i + 1);
	for (u32 i = 0; i < BLOCKS; i++, block += 16) {
		schedule(w, block);
		compress(state, w, constants);
	}
	return (u64)state[0] << 32 | state[7];
}
