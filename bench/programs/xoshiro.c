/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers: xoshiro256**, splitmix64 and PCG32, a thousand of each. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *seed = mem;
	u64 a = seed[0], b = seed[1], c = seed[2], d = seed[3], x = seed[4], y = seed[5];
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 1000; i++) {
		u64 result = rotate64(b * 5, 7) * 9, t = b << 17,
		    z = x += 0x9e3779b97f4a7c15;
		u32 xorshifted = (y >> 18 ^ y) >> 27, rot = y >> 59;

		c ^= a;
		d ^= b;
		b ^= c;
		a ^= d;
		c ^= t;
		d = rotate64(d, 45);
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		y = y * 6364136223846793005 + 1442695040888963407;
		sum += result ^ z ^ z >> 31 ^
		       (xorshifted >> rot | xorshifted << (-rot & 31));
	}
	return sum;
}
