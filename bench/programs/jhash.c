/* SPDX-License-Identifier: BSD-2-Clause */
/* Bob Jenkins' lookup3 hash of flow keys of 12 bytes. */
#include "bench.h"

INLINE u32 hash3(u32 a, u32 b, u32 c)
{
	c = (c ^ b) - rotate32(b, 14);
	a = (a ^ c) - rotate32(c, 11);
	b = (b ^ a) - rotate32(a, 25);
	c = (c ^ b) - rotate32(b, 16);
	a = (a ^ c) - rotate32(c, 4);
	b = (b ^ a) - rotate32(a, 14);
	return (c ^ b) - rotate32(b, 24);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;
	const u32 seed = 0xdeadbeef + 12;

	for (u64 at = 0; at + 3 <= n; at += 3)
		sum += hash3(words[at] + seed, words[at + 1] + seed,
			     words[at + 2] + seed);
	return sum;
}
