/* SPDX-License-Identifier: BSD-2-Clause */
/* Euclid's algorithm on pairs of numbers: divisions that wait for each other. */
#include "bench.h"

INLINE u32 gcd(u32 a, u32 b)
{
	while (b) {
		u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *numbers = mem;
	u64 sum = 0;

	for (u32 i = 0; i < 128 && i < input_size(len) / sizeof(*numbers); i += 2)
		sum = mix(sum, gcd(numbers[i], numbers[i + 1]));
	return sum;
}
