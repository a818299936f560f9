/* SPDX-License-Identifier: BSD-2-Clause */
/* The sum of the Internet checksum, 64 bits at a time: what is carried comes back in. */
#include "bench.h"

INLINE u64 add_with_carry(u64 sum, u64 x)
{
	sum += x;
	return sum < x ? sum + 1 : sum;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 sum = 0;

	for (u64 i = 0; i < input_size(len) / sizeof(*words); i++)
		sum = add_with_carry(sum, words[i]);
	return sum;
}
