/* SPDX-License-Identifier: BSD-2-Clause */
/* MurmurHash3 (32 bits) of the whole input. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u32 n = input_size(len) / sizeof(*words), hash = 42;

	for (u32 i = 0; i < n; i++) {
		u32 k = rotate32(words[i] * 0xcc9e2d51, 15) * 0x1b873593;

		hash = rotate32(hash ^ k, 13) * 5 + 0xe6546b64;
	}
	hash ^= n * sizeof(*words);
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}
