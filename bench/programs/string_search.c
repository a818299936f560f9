/* SPDX-License-Identifier: BSD-2-Clause */
/* A word sought in text with Horspool's table of shifts (in scratch memory). */
#include "bench.h"

enum { NEEDLE = 8 };

INLINE u64 search(const u8 *text, u64 n, const u8 *needle, const u8 *shift)
{
	u64 at = 0, found = 0;

	while (at + NEEDLE <= n) {
		u32 i = NEEDLE;

		while (i && text[at + i - 1] == needle[i - 1])
			i--;
		if (!i)
			found = mix(found, at);
		at += shift[text[at + NEEDLE - 1]];
	}
	return found;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem, *needle = text + input_size(len) - NEEDLE;
	u8 *shift = scratch(mem, len);

	for (u32 i = 0; i < 256; i++)
		shift[i] = NEEDLE;
	for (u32 i = 0; i < NEEDLE - 1; i++)
		shift[needle[i]] = NEEDLE - 1 - i;
	return search(text, input_size(len), needle, shift);
}

#ifndef __bpf__
/* Four letters, so that parts of the word are everywhere. */
void prepare(void *mem, u64 len)
{
	u8 *text = mem;

	for (u64 at = 0; at < input_size(len); at++)
		text[at] = 'a' + text[at] % 4;
}
#endif
