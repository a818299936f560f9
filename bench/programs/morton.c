/* SPDX-License-Identifier: BSD-2-Clause */
/* Two words of 32 bits woven into one of 64, and taken apart. */
#include "bench.h"

INLINE u64 spread(u64 x)
{
	x = (x | x << 16) & 0x0000ffff0000ffff;
	x = (x | x << 8) & 0x00ff00ff00ff00ff;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
	x = (x | x << 2) & 0x3333333333333333;
	return (x | x << 1) & 0x5555555555555555;
}

INLINE u32 gather(u64 x)
{
	x &= 0x5555555555555555;
	x = (x | x >> 1) & 0x3333333333333333;
	x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
	x = (x | x >> 4) & 0x00ff00ff00ff00ff;
	x = (x | x >> 8) & 0x0000ffff0000ffff;
	return x | x >> 16;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *words = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 512; i += 2) {
		u64 z = spread(words[i]) | spread(words[i + 1]) << 1;

		sum = mix(sum, z) + gather(z ^ sum);
	}
	return sum;
}
