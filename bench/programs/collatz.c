/* SPDX-License-Identifier: BSD-2-Clause */
/* The Collatz sequences of the first numbers: short loops whose length nobody knows. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	u64 start = *(const u8 *)mem, steps = 0;

	for (u64 i = 0; i < 64 && i < len; i++) {
		u64 x = start + i + 1;

		for (u32 limit = 0; x != 1 && limit < 1000; limit++) {
			x = x & 1 ? 3 * x + 1 : x >> 1;
			steps++;
		}
	}
	return steps;
}
