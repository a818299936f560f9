/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of five arguments that call each other, three deep. */
#include "bench.h"

NOINLINE static u64 inner(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return (a ^ b) + (c ^ d) * e;
}

NOINLINE static u64 middle(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	u64 x = inner(a, b, c, d, e);

	return inner(b, c, d, e, x) + x;
}

NOINLINE static u64 outer(const u64 *p, u64 salt)
{
	return middle(p[0], p[1], p[2], p[3], salt) ^
	       middle(p[3], p[2], p[1], p[0], salt + 1);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 200; i++)
		sum = mix(sum, outer(words + 2 * i, sum));
	return sum;
}
