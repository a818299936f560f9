/* SPDX-License-Identifier: BSD-2-Clause */
/* Decimal numbers read from text and written to it again. */
#include "bench.h"

enum { TEXT = 2048 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 0; i < TEXT; i++)
		bytes[i] = bytes[i] % 6 == 0 ? ',' : '0' + bytes[i] % 10;
	bytes[TEXT] = 0;
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *p = mem;
	u8 *out = scratch(mem, len), *start = out;

	while (*p) {
		u32 x = 0, n = 0;
		u8 digits[12];

		while (*p >= '0' && *p <= '9')
			x = x * 10 + (*p++ - '0');
		if (*p)
			p++;
		x = x * 3 + 1;
		do {
			digits[n++ & 7] = '0' + x % 10;
			x /= 10;
		} while (x);
		while (n)
			*out++ = digits[--n & 7];
	}
	return out - start;
}
