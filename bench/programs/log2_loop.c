/* SPDX-License-Identifier: BSD-2-Clause */
/* Logarithms by shifting, which clang knows to be the number of leading zeros. */
#include "bench.h"

static NOINLINE u32 log2_of(u64 x)
{
	u32 log = 0;

	while (x >>= 1)
		log++;
	return log;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *numbers = mem;
	u64 sum = 0;

	for (u64 i = 0; i < input_size(len) / sizeof(*numbers); i++)
		sum = 3 * sum + log2_of(numbers[i] >> (i & 63));
	return sum;
}
