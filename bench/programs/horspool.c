/* SPDX-License-Identifier: BSD-2-Clause */
/* Horspool: a table of how far a letter allows to skip. */
#include "bench.h"

enum { TEXT = 3072, PATTERN = 6 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 0; i < TEXT; i++)
		bytes[i] = 'a' + bytes[i] % 5;
	for (u32 i = 0; i < PATTERN; i++)
		bytes[TEXT + i] = bytes[1000 + i];
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem, *pattern = text + TEXT;
	u8 *skip = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < 256; i++)
		skip[i] = PATTERN;
	for (u32 i = 0; i < PATTERN - 1; i++)
		skip[pattern[i]] = PATTERN - 1 - i;
	for (u32 at = 0; at + PATTERN <= TEXT;) {
		s32 i = PATTERN - 1;

		while (i >= 0 && text[at + i] == pattern[i])
			i--;
		if (i < 0)
			sum = mix(sum, at);
		at += skip[text[at + PATTERN - 1]];
	}
	return sum;
}
