/* SPDX-License-Identifier: BSD-2-Clause */
/* RSS: the key moves through a window of 64 bits, a bit of input at a time. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem, *key = bytes + 2048;
	u64 sum = 0;

	(void)len;
	for (u32 f = 0; f < 32; f++) {
		const u8 *tuple = bytes + 12 * f;
		u64 window = 0;
		u32 hash = 0;

		for (u32 i = 0; i < 8; i++)
			window = window << 8 | key[i];
		for (u32 i = 0; i < 12; i++) {
			for (u32 bit = 0; bit < 8; bit++) {
				if (tuple[i] & 128 >> bit)
					hash ^= window >> 32;
				window <<= 1;
			}
			window |= key[8 + i];
		}
		sum = mix(sum, hash);
	}
	return sum;
}
