/* SPDX-License-Identifier: BSD-2-Clause */
/* Names against a pattern of * and ?, which goes back to its last star. */
#include "bench.h"

enum { NAMES = 64, NAME = 32 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const char text[] = "*ab?a*bb?a*";
	u8 *bytes = mem;

	for (u64 i = 0; i < len / 2; i++)
		bytes[i] = i % NAME == NAME - 1 ? 0 : 'a' + (bytes[i] & 1);
	for (u32 i = 0; i < sizeof(text); i++)
		bytes[NAMES * NAME + i] = text[i];
}
#endif

static NOINLINE u32 matches(const char *pattern, const char *s)
{
	const char *star = 0, *again = 0;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			again = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++again;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const char *names = mem, *pattern = names + NAMES * NAME;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < NAMES; i++)
		sum = 3 * sum + matches(pattern, names + i * NAME);
	return sum;
}
