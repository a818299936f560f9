/* SPDX-License-Identifier: BSD-2-Clause */
/* Shortest ways between 16 places (Floyd and Warshall). */
#include "bench.h"

enum { N = 16 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *in = mem;
	u32 *d = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < N * N; i++)
		d[i] = in[i] + 1;
	for (u32 k = 0; k < N; k++)
		for (u32 i = 0; i < N; i++)
			for (u32 j = 0; j < N; j++) {
				u32 way = d[i * N + k] + d[k * N + j];

				if (way < d[i * N + j])
					d[i * N + j] = way;
			}
	for (u32 i = 0; i < N * N; i++)
		sum = mix(sum, d[i]);
	return sum;
}
