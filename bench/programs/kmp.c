/* SPDX-License-Identifier: BSD-2-Clause */
/* Knuth, Morris and Pratt: a table of prefixes, then no step back in the text. */
#include "bench.h"

enum { TEXT = 2048, PATTERN = 12 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 0; i < TEXT; i++)
		bytes[i] = 'a' + (bytes[i] % 7 == 0);
	for (u32 i = 0; i < PATTERN; i++)
		bytes[TEXT + i] = 'a' + (i == 5 || i == 11);
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem, *pattern = text + TEXT;
	u32 *table = scratch(mem, len), k = 0;
	u64 sum = 0;

	table[0] = 0;
	for (u32 i = 1; i < PATTERN; i++) {
		while (k && pattern[i] != pattern[k])
			k = table[k - 1];
		k += pattern[i] == pattern[k];
		table[i] = k;
	}
	k = 0;
	for (u32 i = 0; i < TEXT; i++) {
		while (k && text[i] != pattern[k])
			k = table[k - 1];
		if (text[i] == pattern[k])
			k++;
		if (k == PATTERN) {
			sum = mix(sum, i);
			k = table[k - 1];
		}
	}
	return sum;
}
