/* SPDX-License-Identifier: BSD-2-Clause */
/* Is this UTF-8 (RFC 3629)?  Overlong forms, surrogates and too large values are not. */
#include "bench.h"

/* The length of the sequence at s, or 0 when it is none. */
INLINE u32 sequence(const u8 *s, u64 left)
{
	u32 n = s[0] < 0x80   ? 1
		: s[0] < 0xc2 ? 0
		: s[0] < 0xe0 ? 2
		: s[0] < 0xf0 ? 3
		: s[0] < 0xf5 ? 4
			      : 0;

	if (!n || n > left)
		return 0;
	for (u32 i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem;
	u64 n = input_size(len), characters = 0, bad = 0;

	for (u64 at = 0; at < n;) {
		u32 size = sequence(text + at, n - at);

		characters += size > 0;
		bad += !size;
		at += size ? size : 1;
	}
	return characters << 32 | bad;
}

#ifndef __bpf__
/* Mostly letters, some of two to four bytes, and now and then something wrong. */
void prepare(void *mem, u64 len)
{
	u8 *text = mem;

	for (u64 at = 0; at + 4 <= input_size(len);) {
		u8 kind = text[at] % 32;

		text[at] &= 0x7f;
		if (kind == 0) {
			text[at++] = 0xff;
		} else if (kind < 5) {
			text[at++] = 0xc3;
			text[at++] = 0xa4;
		} else if (kind < 9) {
			text[at++] = 0xe2;
			text[at++] = 0x82;
			text[at++] = 0xac;
		} else if (kind < 10) {
			text[at++] = 0xf0;
			text[at++] = 0x9f;
			text[at++] = 0x90;
			text[at++] = 0x9d;
		} else {
			at++;
		}
	}
}
#endif
