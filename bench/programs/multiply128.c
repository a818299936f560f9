/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers modulo 2^61 - 1: products of 128 bits put together from four of 64. */
#include "bench.h"

enum { NUMBERS = 32, STEPS = 61 };
#define PRIME ((1ull << STEPS) - 1)

/* The product, reduced. */
INLINE u64 multiply(u64 a, u64 b)
{
	u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
	u64 low = a0 * b0, middle = a1 * b0 + (low >> 32);
	u64 other = a0 * b1 + (u32)middle;
	u64 high = a1 * b1 + (middle >> 32) + (other >> 32);
	u64 sum;

	low = other << 32 | (u32)low;
	sum = (low & PRIME) + (low >> STEPS | high << (64 - STEPS));
	return sum >= PRIME ? sum - PRIME : sum;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *input = mem;
	u64 *output = scratch(mem, len), sum = 0;

	for (u32 i = 0; i < NUMBERS; i++) {
		u64 base = input[2 * i] >> 4, exponent = input[2 * i + 1] >> 4;
		u64 power = 1;

		for (; exponent; exponent >>= 1) {
			if (exponent & 1)
				power = multiply(power, base);
			base = multiply(base, base);
		}
		output[i] = power;
		sum = mix(sum, power);
	}
	return sum;
}
