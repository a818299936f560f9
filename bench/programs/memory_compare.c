/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings of 32 bytes compared with their neighbours, byte by byte, as memcmp orders
 * them. */
#include "bench.h"

enum { SIZE = 32 };

INLINE s32 compare(const u8 *a, const u8 *b)
{
	for (u32 i = 0; i < SIZE; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 n = input_size(len), sum = 0;

	for (u64 at = 0; at + 2 * SIZE <= n; at += SIZE)
		sum = sum * 3 + compare(bytes + at, bytes + at + SIZE);
	return sum;
}

#ifndef __bpf__
/* Alike for a while: as file names and URLs are. */
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	for (u64 at = 0; at < input_size(len); at++)
		if (at % SIZE < 8 + at / SIZE % 20)
			bytes[at] = 'a' + at % SIZE % 26;
}
#endif
