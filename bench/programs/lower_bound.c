/* SPDX-License-Identifier: BSD-2-Clause */
/* Binary search without branches: half of the row, or the other. */
#include "bench.h"

enum { N = 512 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u32 *row = mem;

	(void)len;
	for (u32 i = 1; i < N; i++)
		row[i] = row[i - 1] + row[i] % 10000;
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *row = mem, *keys = row + N;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 200; i++) {
		u32 key = row[0] + keys[i] % 2500000, at = 0;

		for (u32 n = N; n > 1; n -= n / 2)
			at += row[at + n / 2 - 1] < key ? n / 2 : 0;
		sum = mix(sum, at + (row[at] < key));
	}
	return sum;
}
