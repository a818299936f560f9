/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that call functions, five deep: what a call and its frame cost. */
#include "bench.h"

static NOINLINE u64 fifth(u64 x)
{
	return x * 0x9e3779b97f4a7c15 ^ x >> 29;
}

static NOINLINE u64 fourth(u64 x)
{
	return fifth(x + 1) + x;
}

static NOINLINE u64 third(u64 x)
{
	return fourth(x ^ 0x55) - x;
}

static NOINLINE u64 second(u64 x)
{
	return third(x << 1) ^ x;
}

static NOINLINE u64 first(u64 x)
{
	return second(x >> 1) + x;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 n = input_size(len) / sizeof(*words) / 4, sum = 0;

	for (u64 i = 0; i < n; i++)
		sum += first(words[i]);
	return sum;
}
