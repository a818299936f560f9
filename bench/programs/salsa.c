/* SPDX-License-Identifier: BSD-2-Clause */
/* Salsa20: columns and rows of 16 words, rotates by 7, 9, 13 and 18. */
#include "bench.h"

#define QUARTER(a, b, c, d)                                                              \
	do {                                                                             \
		b ^= rotate32(a + d, 7);                                                 \
		c ^= rotate32(b + a, 9);                                                 \
		d ^= rotate32(c + b, 13);                                                \
		a ^= rotate32(d + c, 18);                                                \
	} while (0)

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u32 *out = scratch(mem, len);

	for (u32 block = 0; block < 4; block++) {
		u32 x[16];

#pragma unroll
		for (u32 i = 0; i < 16; i++)
			x[i] = in[16 * block + i];
		for (u32 r = 0; r < 10; r++) {
			QUARTER(x[0], x[4], x[8], x[12]);
			QUARTER(x[5], x[9], x[13], x[1]);
			QUARTER(x[10], x[14], x[2], x[6]);
			QUARTER(x[15], x[3], x[7], x[11]);
			QUARTER(x[0], x[1], x[2], x[3]);
			QUARTER(x[5], x[6], x[7], x[4]);
			QUARTER(x[10], x[11], x[8], x[9]);
			QUARTER(x[15], x[12], x[13], x[14]);
		}
#pragma unroll
		for (u32 i = 0; i < 16; i++)
			out[16 * block + i] = x[i] + in[16 * block + i];
	}
	return out[63];
}
