/* SPDX-License-Identifier: BSD-2-Clause */
/* The first of a byte in a row, and how many there are; byte by byte. */
#include "bench.h"

INLINE u32 find(const u8 *row, u32 n, u8 byte)
{
	for (u32 i = 0; i < n; i++)
		if (row[i] == byte)
			return i;
	return n;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 32; i++)
		sum = mix(sum, find(bytes + 64 * i, 64, bytes[i * 9]));
	return sum;
}
