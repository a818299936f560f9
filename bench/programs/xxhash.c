/* SPDX-License-Identifier: BSD-2-Clause */
/* The four lanes of XXH64 over the whole input. */
#include "bench.h"

#define PRIME_1 0x9e3779b185ebca87
#define PRIME_2 0xc2b2ae3d27d4eb4f
#define PRIME_3 0x165667b19e3779f9
#define PRIME_4 0x85ebca77c2b2ae63

INLINE u64 lane(u64 sum, u64 word)
{
	return rotate64(sum + word * PRIME_2, 31) * PRIME_1;
}

INLINE u64 merge(u64 hash, u64 sum)
{
	return (hash ^ lane(0, sum)) * PRIME_1 + PRIME_4;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 n = input_size(len) / sizeof(*words), hash;
	u64 a = PRIME_1 + PRIME_2, b = PRIME_2, c = 0, d = 0 - PRIME_1;

	for (u64 i = 0; i + 4 <= n; i += 4) {
		a = lane(a, words[i]);
		b = lane(b, words[i + 1]);
		c = lane(c, words[i + 2]);
		d = lane(d, words[i + 3]);
	}
	hash = rotate64(a, 1) + rotate64(b, 7) + rotate64(c, 12) + rotate64(d, 18);
	hash = merge(merge(merge(merge(hash, a), b), c), d) + input_size(len);
	hash = (hash ^ hash >> 33) * PRIME_2;
	hash = (hash ^ hash >> 29) * PRIME_3;
	return hash ^ hash >> 32;
}
