/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash on 32-bit words, one and three rounds, of 8-byte keys. */
#include "bench.h"

#define ROUND(v0, v1, v2, v3)                                                            \
	do {                                                                             \
		v0 += v1;                                                                \
		v1 = rotate32(v1, 5) ^ v0;                                               \
		v0 = rotate32(v0, 16);                                                   \
		v2 += v3;                                                                \
		v3 = rotate32(v3, 8) ^ v2;                                               \
		v0 += v3;                                                                \
		v3 = rotate32(v3, 7) ^ v0;                                               \
		v2 += v1;                                                                \
		v1 = rotate32(v1, 13) ^ v2;                                              \
		v2 = rotate32(v2, 16);                                                   \
	} while (0)

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 256; i += 2) {
		u32 v0 = 0x12345678, v1 = 0x9abcdef0, v2 = v0 ^ 0x6c796765,
		    v3 = v1 ^ 0x74656462;

		v3 ^= words[i];
		ROUND(v0, v1, v2, v3);
		v0 ^= words[i];
		v3 ^= words[i + 1];
		ROUND(v0, v1, v2, v3);
		v0 ^= words[i + 1];
		v2 ^= 0xff;
		ROUND(v0, v1, v2, v3);
		ROUND(v0, v1, v2, v3);
		ROUND(v0, v1, v2, v3);
		sum = mix(sum, v1 ^ v3);
	}
	return sum;
}
