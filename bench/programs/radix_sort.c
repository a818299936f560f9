/* SPDX-License-Identifier: BSD-2-Clause */
/* Radix sort of 32-bit keys by four bytes: counts, sums, moves. */
#include "bench.h"

enum { N = 256 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u32 *a = scratch(mem, len), *b = a + N, *count = b + N;

	for (u32 i = 0; i < N; i++)
		a[i] = in[i];
	for (u32 shift = 0; shift < 32; shift += 8) {
		u32 sum = 0, *other = a;

		for (u32 i = 0; i < 256; i++)
			count[i] = 0;
		for (u32 i = 0; i < N; i++)
			count[a[i] >> shift & 255]++;
		for (u32 i = 0; i < 256; i++) {
			u32 n = count[i];

			count[i] = sum;
			sum += n;
		}
		for (u32 i = 0; i < N; i++)
			b[count[a[i] >> shift & 255]++] = a[i];
		a = b;
		b = other;
	}
	return a[0] + ((u64)a[N / 2] << 32) + a[N - 1];
}
