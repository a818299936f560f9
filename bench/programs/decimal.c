/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers printed in decimal, and times split up: divisions by constants, which BPF has
 * no multiplication to replace them by. */
#include "bench.h"

enum { NUMBERS = 128 };

INLINE u8 *print(u8 *at, u64 number)
{
	u8 *end = at + 20;

	for (u8 *digit = end; digit-- > at; number /= 10)
		*digit = '0' + number % 10;
	return end;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *numbers = mem;
	u8 *at = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < NUMBERS; i++) {
		u32 seconds = numbers[i] >> 32;
		u32 time = seconds % 86400;

		at = print(at, numbers[i]);
		sum = mix(sum, time / 3600 << 16 | time / 60 % 60 << 8 | time % 60);
		sum = mix(sum, seconds / 86400 * 7 / 365);
	}
	return sum;
}
