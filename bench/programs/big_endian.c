/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of a file format whose numbers are big-endian and not aligned: put together
 * from bytes, as portable code does. */
#include "bench.h"

enum { RECORD = 23 };

INLINE u32 be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

INLINE u32 be32(const u8 *p)
{
	return be16(p) << 16 | be16(p + 2);
}

INLINE u64 be64(const u8 *p)
{
	return (u64)be32(p) << 32 | be32(p + 4);
}

INLINE void put_be64(u8 *p, u64 x)
{
	for (u32 i = 0; i < 8; i++)
		p[i] = x >> (56 - 8 * i);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *record = mem, *end = record + input_size(len);
	u8 *out = scratch(mem, len);
	u64 sum = 0;

	for (; record + RECORD <= end; record += RECORD, out += 8) {
		u64 time = be64(record + 1);

		if (record[0] & 1)
			time += be32(record + 9);
		put_be64(out, time);
		sum = mix(sum,
			  (u64)be16(record + 13) * be32(record + 15) + be32(record + 19));
	}
	return sum;
}
