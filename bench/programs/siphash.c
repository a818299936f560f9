/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson and Bernstein) of keys of 32 bytes. */
#include "bench.h"

struct sip {
	u64 v0, v1, v2, v3;
};

INLINE void round_of(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate64(s->v1, 13) ^ s->v0;
	s->v0 = rotate64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate64(s->v1, 17) ^ s->v2;
	s->v2 = rotate64(s->v2, 32);
}

INLINE void absorb(struct sip *s, u64 word)
{
	s->v3 ^= word;
	round_of(s);
	round_of(s);
	s->v0 ^= word;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;

	for (u64 at = 0; at + 4 <= n; at += 4) {
		struct sip s = {0x736f6d6570736575, 0x646f72616e646f6d,
				0x6c7967656e657261, 0x7465646279746573};

		for (u32 i = 0; i < 4; i++)
			absorb(&s, words[at + i]);
		absorb(&s, 32ULL << 56);
		s.v2 ^= 0xff;
		for (u32 i = 0; i < 4; i++)
			round_of(&s);
		sum += s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	}
	return sum;
}
