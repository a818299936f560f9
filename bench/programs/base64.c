/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64 (RFC 4648) of 1536 bytes, the letters computed instead of looked up. */
#include "bench.h"

enum { BYTES = 1536 };

INLINE u8 letter(u32 six)
{
	if (six < 26)
		return 'A' + six;
	if (six < 52)
		return 'a' + six - 26;
	if (six < 62)
		return '0' + six - 52;
	return six == 62 ? '+' : '/';
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *from = mem;
	u8 *to = scratch(mem, len);
	u64 sum = 0;

	for (u32 at = 0; at + 3 <= BYTES; at += 3, to += 4) {
		u32 bits = from[at] << 16 | from[at + 1] << 8 | from[at + 2];

		to[0] = letter(bits >> 18);
		to[1] = letter(bits >> 12 & 63);
		to[2] = letter(bits >> 6 & 63);
		to[3] = letter(bits & 63);
		sum = mix(sum, *(u32 *)to);
	}
	return sum;
}
