/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of 256 bits: sums with carries, and products of 64 x 64 bits. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *in = mem;
	u64 *out = scratch(mem, len), sum = 0;

	for (u32 i = 0; i < 64; i++) {
		const u64 *a = in + 4 * i, *b = a + 4;
		u64 carry = 0;

#pragma unroll
		for (u32 k = 0; k < 4; k++) {
			u64 s = a[k] + b[k], c = s < a[k];

			out[k] = s + carry;
			carry = c | (out[k] < s);
		}
		sum = mix(sum, out[3] + carry);
	}
	for (u32 i = 0; i < 32; i++) {
		const u32 *a = (const u32 *)in + 8 * i, *b = a + 8;
		u32 *r = (u32 *)out;

		for (u32 k = 0; k < 8; k++)
			r[k] = 0;
		for (u32 k = 0; k < 4; k++) {
			u64 carry = 0;

			for (u32 j = 0; j < 4; j++) {
				u64 t = (u64)a[k] * b[j] + r[k + j] + carry;

				r[k + j] = t;
				carry = t >> 32;
			}
			r[k + 4] = carry;
		}
		sum = mix(sum, r[7]);
	}
	return sum;
}
