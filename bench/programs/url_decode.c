/* SPDX-License-Identifier: BSD-2-Clause */
/* Percent signs and plus signs of URLs undone. */
#include "bench.h"

enum { TEXT = 2048 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 0; i < TEXT; i++)
		bytes[i] = bytes[i] < 30   ? '%'
			   : bytes[i] < 50 ? '+'
			   : bytes[i] & 1  ? '0' + bytes[i] % 10
					   : 'A' + bytes[i] % 6;
}
#endif

INLINE s32 digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *in = mem;
	u8 *out = scratch(mem, len);
	u32 n = 0;

	for (u32 i = 0; i < TEXT - 2; i++) {
		u8 c = in[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			s32 high = digit(in[i + 1]), low = digit(in[i + 2]);

			if (high >= 0 && low >= 0) {
				c = high << 4 | low;
				i += 2;
			}
		}
		out[n++] = c;
	}
	return n;
}
