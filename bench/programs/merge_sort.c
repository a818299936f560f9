/* SPDX-License-Identifier: BSD-2-Clause */
/* Merge sort, from the bottom up, to and fro between two rows. */
#include "bench.h"

enum { N = 256 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u32 *a = scratch(mem, len), *b = a + N;

	for (u32 i = 0; i < N; i++)
		a[i] = in[i];
	for (u32 width = 1; width < N; width *= 2) {
		u32 *other = a;

		for (u32 low = 0; low < N; low += 2 * width) {
			u32 i = low, mid = low + width, k = mid, high = mid + width;

			for (u32 at = low; at < high; at++)
				if (i < mid && (k >= high || a[i] <= a[k]))
					b[at] = a[i++];
				else
					b[at] = a[k++];
		}
		a = b;
		b = other;
	}
	return a[0] + ((u64)a[N / 2] << 32) + a[N - 1];
}
