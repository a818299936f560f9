/* SPDX-License-Identifier: BSD-2-Clause */
/* 1024 bytes as hexadecimal digits. */
#include "bench.h"

enum { BYTES = 1024 };

INLINE u8 digit(u32 nibble)
{
	return nibble < 10 ? '0' + nibble : 'a' + nibble - 10;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *from = mem;
	u8 *to = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < BYTES; i++) {
		to[2 * i] = digit(from[i] >> 4);
		to[2 * i + 1] = digit(from[i] & 15);
	}
	for (u32 i = 0; i < 2 * BYTES; i += 64)
		sum = mix(sum, *(u64 *)(to + i));
	return sum;
}
