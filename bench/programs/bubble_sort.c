/* SPDX-License-Identifier: BSD-2-Clause */
/* Bubble sort of 64 words: a swap or none, decided by data. */
#include "bench.h"

enum { N = 64 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u32 *a = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < N; i++)
		a[i] = in[i];
	for (u32 end = N - 1; end; end--)
		for (u32 i = 0; i < end; i++)
			if (a[i] > a[i + 1]) {
				u32 x = a[i];

				a[i] = a[i + 1];
				a[i + 1] = x;
			}
	for (u32 i = 0; i < N; i++)
		sum = mix(sum, a[i]);
	return sum;
}
