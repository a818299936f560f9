/* SPDX-License-Identifier: BSD-2-Clause */
/* Two matrices of 16 by 16 words multiplied. */
#include "bench.h"

enum { N = 16 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *a = mem, *b = a + N * N;
	u64 *c = scratch(mem, len), sum = 0;

	for (u32 i = 0; i < N; i++) {
		for (u32 j = 0; j < N; j++) {
			u64 cell = 0;

			for (u32 k = 0; k < N; k++)
				cell += a[i * N + k] * b[k * N + j];
			c[i * N + j] = cell;
		}
		sum = mix(sum, c[i * N + i]);
	}
	return sum;
}
