/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-1 of eight blocks in the instructions of -mcpu=v1: 80 words on the stack. */
#include "bench.h"

enum { BLOCKS = 8 };

static NOINLINE void hash_block(u32 state[5], const u8 *p)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	u32 w[80];

	for (u32 i = 0; i < 16; i++, p += 4)
		w[i] = (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	for (u32 i = 16; i < 80; i++)
		w[i] = rotate32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (u32 i = 0; i < 80; i++) {
		u32 f, next;

		if (i < 20)
			f = ((b & c) | (~b & d)) + 0x5a827999;
		else if (i < 40)
			f = (b ^ c ^ d) + 0x6ed9eba1;
		else if (i < 60)
			f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
		else
			f = (b ^ c ^ d) + 0xca62c1d6;
		next = rotate32(a, 5) + f + e + w[i];
		e = d;
		d = c;
		c = rotate32(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	u32 state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

	(void)len;
	for (u32 i = 0; i < BLOCKS; i++)
		hash_block(state, (const u8 *)mem + 64 * i);
	return ((u64)state[0] << 32 | state[1]) ^ ((u64)state[2] << 32 | state[3]) ^
	       state[4];
}
