/* SPDX-License-Identifier: BSD-2-Clause */
/* Token buckets of 64 flows: who may pass, and when; a hash of five fields. */
#include "bench.h"

struct bucket {
	u64 tokens, last;
};

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	struct bucket *buckets = scratch(mem, len);
	u64 now = 1000, passed = 0;

	for (u32 i = 0; i < 64; i++)
		buckets[i] = (struct bucket){1000, 0};
	for (u32 i = 0; i + 4 < 1000; i += 4) {
		u32 h = (in[i] * 0x9e3779b1 ^ rotate32(in[i + 1], 7)) * 0x85ebca6b +
			in[i + 2];
		struct bucket *b = &buckets[(h ^ h >> 15) & 63];
		u32 size = in[i + 3] & 1023;

		now += in[i + 3] >> 22;
		b->tokens += (now - b->last) * 3;
		b->last = now;
		if (b->tokens > 5000)
			b->tokens = 5000;
		if (b->tokens >= size) {
			b->tokens -= size;
			passed += size;
		}
	}
	return passed;
}
