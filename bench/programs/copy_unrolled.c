/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of 8 words, 4 words, words, bytes: what memcpy becomes. */
#include "bench.h"

INLINE void copy(u8 *to, const u8 *from, u32 n)
{
	while (n >= 64) {
		u64 *t = (u64 *)to;
		const u64 *f = (const u64 *)from;
		u64 a = f[0], b = f[1], c = f[2], d = f[3];

		t[0] = a;
		t[1] = b;
		t[2] = c;
		t[3] = d;
		t[4] = f[4];
		t[5] = f[5];
		t[6] = f[6];
		t[7] = f[7];
		to += 64;
		from += 64;
		n -= 64;
	}
	for (; n >= 8; n -= 8, to += 8, from += 8)
		*(u64 *)to = *(const u64 *)from;
	while (n--)
		*to++ = *from++;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *from = mem;
	u8 *to = scratch(mem, len);

	for (u32 i = 0; i < 16; i++)
		copy(to + 200 * i, from + 200 * i, 77 + 8 * i);
	return to[3100];
}
