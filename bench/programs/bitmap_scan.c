/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of all set bits of a bitmap, as a scheduler picks the next CPU: the lowest
 * bit taken off, its number counted without an instruction for it. */
#include "bench.h"

enum { WORDS = 64 };

/* The number of the lowest set bit. */
INLINE u32 lowest(u64 word)
{
	u32 n = 0;

	if (!(word & 0xffffffff))
		n += 32, word >>= 32;
	if (!(word & 0xffff))
		n += 16, word >>= 16;
	if (!(word & 0xff))
		n += 8, word >>= 8;
	if (!(word & 0xf))
		n += 4, word >>= 4;
	if (!(word & 3))
		n += 2, word >>= 2;
	return n + !(word & 1);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u64 *bitmap = mem;
	u16 *found = scratch(mem, len);
	u32 n = 0;

	for (u32 i = 0; i < WORDS; i++)
		for (u64 word = bitmap[i] & bitmap[i + WORDS]; word; word &= word - 1)
			found[n++ % 1024] = i * 64 + lowest(word);
	return (u64)n << 32 | found[n / 2] << 16 | found[0];
}
