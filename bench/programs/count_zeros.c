/* SPDX-License-Identifier: BSD-2-Clause */
/* Leading and trailing zeroes, by halves; branches that data decides. */
#include "bench.h"

INLINE u32 leading(u32 x)
{
	u32 n = 0;

	if (!x)
		return 32;
	if (x <= 0x0000ffff) {
		n += 16;
		x <<= 16;
	}
	if (x <= 0x00ffffff) {
		n += 8;
		x <<= 8;
	}
	if (x <= 0x0fffffff) {
		n += 4;
		x <<= 4;
	}
	if (x <= 0x3fffffff) {
		n += 2;
		x <<= 2;
	}
	return n + (x <= 0x7fffffff);
}

INLINE u32 trailing(u32 x)
{
	u32 n = 1;

	if (!x)
		return 32;
	if (!(x & 0xffff)) {
		n += 16;
		x >>= 16;
	}
	if (!(x & 0xff)) {
		n += 8;
		x >>= 8;
	}
	if (!(x & 0xf)) {
		n += 4;
		x >>= 4;
	}
	if (!(x & 3)) {
		n += 2;
		x >>= 2;
	}
	return n - (x & 1);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 512; i++) {
		u32 x = words[i] >> (i & 31) << (i >> 4 & 15);

		sum += leading(x) * 37 + trailing(x);
	}
	return sum;
}
