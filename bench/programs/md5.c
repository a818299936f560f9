/* SPDX-License-Identifier: BSD-2-Clause */
/* The compression function of MD5 over 16 blocks: four functions of three words, rotates
 * by amounts that are known.  The constants are the input's first 64 words. */
#include "bench.h"

enum { BLOCKS = 16 };

struct words {
	u32 a, b, c, d;
};

/* One step; then each variable is called as its neighbour was. */
INLINE void step(struct words *s, u32 f, u32 add, u32 by)
{
	u32 b = s->b + rotate32(s->a + f + add, by);

	s->a = s->d;
	s->d = s->c;
	s->c = s->b;
	s->b = b;
}

INLINE u32 choose(u32 x, u32 y, u32 z)
{
	return (x & y) | (~x & z);
}

INLINE void four(struct words *s, const u32 *k, const u32 *block, u32 round)
{
	u32 at = round * 16;

	for (u32 i = 0; i < 16; i += 4, at += 4) {
#define STEP(f, word, by) step(s, f, k[at + (by) % 4] + block[(word)&15], by)
		if (round == 0) {
			STEP(choose(s->b, s->c, s->d), i, 7);
			STEP(choose(s->b, s->c, s->d), i + 1, 12);
			STEP(choose(s->b, s->c, s->d), i + 2, 17);
			STEP(choose(s->b, s->c, s->d), i + 3, 22);
		} else if (round == 1) {
			STEP(choose(s->d, s->b, s->c), 5 * i + 1, 5);
			STEP(choose(s->d, s->b, s->c), 5 * i + 6, 9);
			STEP(choose(s->d, s->b, s->c), 5 * i + 11, 14);
			STEP(choose(s->d, s->b, s->c), 5 * i + 16, 20);
		} else if (round == 2) {
			STEP(s->b ^ s->c ^ s->d, 3 * i + 5, 4);
			STEP(s->b ^ s->c ^ s->d, 3 * i + 8, 11);
			STEP(s->b ^ s->c ^ s->d, 3 * i + 11, 16);
			STEP(s->b ^ s->c ^ s->d, 3 * i + 14, 23);
		} else {
			STEP(s->c ^ (s->b | ~s->d), 7 * i, 6);
			STEP(s->c ^ (s->b | ~s->d), 7 * i + 7, 10);
			STEP(s->c ^ (s->b | ~s->d), 7 * i + 14, 15);
			STEP(s->c ^ (s->b | ~s->d), 7 * i + 21, 21);
		}
#undef STEP
	}
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *constants = mem, *block = constants + 64;
	struct words sum = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

	(void)len;
	for (u32 i = 0; i < BLOCKS; i++, block += 16) {
		struct words s = sum;

		four(&s, constants, block, 0);
		four(&s, constants, block, 1);
		four(&s, constants, block, 2);
		four(&s, constants, block, 3);
		sum.a += s.a;
		sum.b += s.b;
		sum.c += s.c;
		sum.d += s.d;
	}
	return ((u64)sum.a << 32 | sum.b) ^ ((u64)sum.c << 32 | sum.d);
}
