/* SPDX-License-Identifier: BSD-2-Clause */
/* Signed and unsigned division by numbers and by constants (-mcpu=v4). */
#include "bench.h"

enum { NUMBERS = 400 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const s32 *x = mem;
	s64 sum = 0;

	(void)len;
	for (u32 i = 0; i < NUMBERS; i++) {
		s32 by = (x[i + 1] >> 20) | 1;

		sum += x[i] / by;
		sum ^= x[i] % 10;
		sum += x[i] / 7;
		sum -= (u32)x[i] / 1000;
		sum += (s64)x[i] * 1000 / 333;
	}
	return sum;
}
