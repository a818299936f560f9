/* SPDX-License-Identifier: BSD-2-Clause */
/* The greatest common divisor by shifts and differences: short loops, hard to predict. */
#include "bench.h"

enum { PAIRS = 64 };

static NOINLINE u32 gcd(u32 a, u32 b)
{
	u32 shift = 0, rest;

	if (!a || !b)
		return a | b;
	for (; !((a | b) & 1); a >>= 1, b >>= 1)
		shift++;
	while (!(a & 1))
		a >>= 1;
	do {
		while (!(b & 1))
			b >>= 1;
		rest = a > b ? a - b : b - a;
		a = a > b ? b : a;
		b = rest;
	} while (b);
	return a << shift;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *numbers = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 2 * PAIRS; i += 2)
		sum += gcd(numbers[i] >> 4, numbers[i + 1] >> 6);
	return sum;
}
