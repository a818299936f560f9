/* SPDX-License-Identifier: BSD-2-Clause */
/* Keccak-f[1600] on 25 words in memory: columns, rotates, rows. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *in = mem;
	u64 *s = scratch(mem, len), *t = s + 32;
	u32 lfsr = 1;

	for (u32 i = 0; i < 25; i++)
		s[i] = in[i];
	for (u32 round = 0; round < 12; round++) {
		u64 c[5], current;
		u32 x = 1, y = 0;

		for (u32 i = 0; i < 5; i++)
			c[i] = s[i] ^ s[i + 5] ^ s[i + 10] ^ s[i + 15] ^ s[i + 20];
#pragma unroll
		for (u32 i = 0; i < 5; i++) {
			u64 d = c[(i + 4) % 5] ^ rotate64(c[(i + 1) % 5], 1);

			for (u32 k = 0; k < 25; k += 5)
				s[i + k] ^= d;
		}
		current = s[1];
		for (u32 i = 0; i < 24; i++) {
			u32 by = (i + 1) * (i + 2) / 2 & 63, next = (2 * x + 3 * y) % 5;
			u64 saved;

			x = y;
			y = next;
			saved = s[x + 5 * y];
			s[x + 5 * y] = current << by | current >> (-by & 63);
			current = saved;
		}
		for (u32 k = 0; k < 25; k += 5) {
			for (u32 i = 0; i < 5; i++)
				t[i] = s[k + i];
			for (u32 i = 0; i < 5; i++)
				s[k + i] = t[i] ^ (~t[(i + 1) % 5] & t[(i + 2) % 5]);
		}
		lfsr = lfsr << 1 ^ (lfsr >> 7) * 0x171;
		s[0] ^= lfsr;
	}
	return s[0] ^ s[24];
}
