/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of strings, eight bytes at a time. */
#include "bench.h"

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	for (u32 i = 0; i < len / 2; i++)
		bytes[i] = bytes[i] < 12 || i == len / 2 - 1 ? 0 : bytes[i] | 1;
}
#endif

INLINE u64 zero_bytes(u64 x)
{
	return (x - 0x0101010101010101) & ~x & 0x8080808080808080;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 n = input_size(len), sum = 0, at = 0, start = 0;

	while (at + 8 <= n) {
		u64 zeros = zero_bytes(*(const u64 *)(bytes + at));

		if (!zeros) {
			at += 8;
			continue;
		}
		while (!(zeros & 0x80)) {
			zeros >>= 8;
			at++;
		}
		sum = mix(sum, at - start);
		at = (at + 8) & ~7ull;
		start = at;
	}
	return sum;
}
