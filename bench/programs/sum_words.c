/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of words of 32 bits, with and without a condition. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 sum = 0, large = 0;
	u32 most = 0;

	(void)len;
	for (u32 i = 0; i < 1000; i++) {
		sum += words[i];
		if (words[i] > 0x80000000)
			large += words[i];
		if (words[i] > most)
			most = words[i];
	}
	return sum ^ rotate64(large, 17) ^ most;
}
