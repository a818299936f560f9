/* SPDX-License-Identifier: BSD-2-Clause */
/* lower_bound, with keys that never come again. */
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
	u32 *row = mem;
	u64 *state = (u64 *)(row + N), s = *state | 1, sum = 0;

	(void)len;
	for (u32 i = 0; i < 200; i++) {
		u32 key, at = 0;

		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		key = row[0] + (u32)(s >> 20) % 2500000;
		for (u32 n = N; n > 1; n -= n / 2)
			at += row[at + n / 2 - 1] < key ? n / 2 : 0;
		sum = mix(sum, at + (row[at] < key));
	}
	*state = s;
	return sum;
}
