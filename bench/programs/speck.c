/* SPDX-License-Identifier: BSD-2-Clause */
/* Speck 128/128 with its key made on the way; rotates of 64 bits. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *in = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 64; i += 2) {
		u64 x = in[i], y = in[i + 1], a = in[100], b = in[101];

		for (u64 r = 0; r < 32; r++) {
			x = (rotate64(x, 56) + y) ^ b;
			y = rotate64(y, 3) ^ x;
			a = (rotate64(a, 56) + b) ^ r;
			b = rotate64(b, 3) ^ a;
		}
		sum = mix(sum, x ^ y);
	}
	return sum;
}
