/* SPDX-License-Identifier: BSD-2-Clause */
/* XTEA of 64 blocks, 32 rounds each. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	const u32 *key = in + 1000;
	u32 *out = scratch(mem, len);

	for (u32 i = 0; i < 64; i += 2) {
		u32 a = in[i], b = in[i + 1], sum = 0;

		for (u32 r = 0; r < 32; r++) {
			a += ((b << 4 ^ b >> 5) + b) ^ (sum + key[sum & 3]);
			sum += 0x9e3779b9;
			b += ((a << 4 ^ a >> 5) + a) ^ (sum + key[sum >> 11 & 3]);
		}
		out[i] = a;
		out[i + 1] = b;
	}
	return out[0] + ((u64)out[63] << 32);
}
