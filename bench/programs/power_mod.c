/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers modulo a number of 31 bits: products and remainders. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 16; i++) {
		u64 base = in[i], m = (in[i + 1] >> 1) | 1, r = 1;
		u32 e = in[i + 2] & 0xffff;

		base %= m;
		while (e) {
			if (e & 1)
				r = r * base % m;
			base = base * base % m;
			e >>= 1;
		}
		sum = mix(sum, r);
	}
	return sum;
}
