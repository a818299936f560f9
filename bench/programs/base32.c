/* SPDX-License-Identifier: BSD-2-Clause */
/* Base32 of 1280 bytes: five bytes make eight letters; letters are computed. */
#include "bench.h"

enum { BYTES = 1280 };

INLINE u8 letter(u32 five)
{
	return five < 26 ? 'A' + five : '2' + five - 26;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *in = mem, *end = in + BYTES;
	u8 *out = scratch(mem, len);

	for (; in < end; in += 5) {
		u64 bits = (u64)in[0] << 32 | (u64)in[1] << 24 | in[2] << 16 |
			   in[3] << 8 | in[4];

		for (s32 shift = 35; shift >= 0; shift -= 5)
			*out++ = letter(bits >> shift & 31);
	}
	return out - (u8 *)scratch(mem, len);
}
