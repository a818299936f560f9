/* SPDX-License-Identifier: BSD-2-Clause */
/* Products of matrices of 4 x 4, written out. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u32 *out = scratch(mem, len);
	u64 sum = 0;

	for (u32 m = 0; m < 32; m++) {
		const u32 *a = in + 16 * m, *b = a + 16;

#pragma unroll
		for (u32 i = 0; i < 4; i++)
#pragma unroll
			for (u32 k = 0; k < 4; k++)
				out[4 * i + k] = a[4 * i] * b[k] +
						 a[4 * i + 1] * b[4 + k] +
						 a[4 * i + 2] * b[8 + k] +
						 a[4 * i + 3] * b[12 + k];
		sum = mix(sum, out[m % 16]);
	}
	return sum;
}
