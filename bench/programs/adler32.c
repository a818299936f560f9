/* SPDX-License-Identifier: BSD-2-Clause */
/* Adler-32 (RFC 1950), the remainder taken once per 64 bytes. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 n = input_size(len);
	u32 a = 1, b = 0;

	for (u64 at = 0; at + 64 <= n; at += 64) {
		for (u32 i = 0; i < 64; i++) {
			a += bytes[at + i];
			b += a;
		}
		a %= 65521;
		b %= 65521;
	}
	return b << 16 | a;
}
