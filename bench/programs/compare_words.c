/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of two keys is less: eight bytes at a time, in the order of bytes. */
#include "bench.h"

INLINE s32 compare(const u64 *a, const u64 *b, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u64 x = __builtin_bswap64(a[i]), y = __builtin_bswap64(b[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u64 *words = mem;

	for (u32 i = 0; i < len / 16; i++)
		words[i] = words[i] % 3 ? words[i % 4] : words[i];
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 120; i++)
		sum = mix(sum, compare(words + 4 * i, words + 4 * (i + 1), 4));
	return sum;
}
