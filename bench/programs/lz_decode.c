/* SPDX-License-Identifier: BSD-2-Clause */
/* LZ77: literals and copies of what was written before. */
#include "bench.h"

enum { OUT = 3000 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *in = mem;
	u8 *out = scratch(mem, len);
	u32 n = 0, at = 0;
	u64 sum = 0;

	while (n < OUT) {
		u8 token = in[at++ & 2047];
		u32 literals = token & 7, match = (token >> 3 & 15) + 3;
		u32 back = (in[at++ & 2047] | (token & 128) << 1) + 1;

		while (literals--)
			out[n++] = in[at++ & 2047];
		if (back > n)
			continue;
		while (match--) {
			out[n] = out[n - back];
			n++;
		}
	}
	for (u32 i = 0; i < OUT; i += 40)
		sum = mix(sum, *(u64 *)(out + i));
	return sum;
}
