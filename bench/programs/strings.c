/* SPDX-License-Identifier: BSD-2-Clause */
/* strlen, strcmp and strchr by bytes, functions of their own, on short strings. */
#include "bench.h"

enum { BYTES = 2000 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	for (u64 i = 0; i < len / 2; i++)
		bytes[i] = bytes[i] < 24 || i == len / 2 - 1 ? 0 : 'a' + bytes[i] % 4;
}
#endif

static NOINLINE u32 length(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

static NOINLINE s32 compare(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return (u8)*a - (u8)*b;
}

static NOINLINE const char *find(const char *s, char c)
{
	do {
		if (*s == c)
			return s;
	} while (*s++);
	return 0;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const char *s = mem, *end = s + BYTES, *before = s;
	u64 sum = 0;

	(void)len;
	while (s < end) {
		u32 n = length(s);
		const char *found = find(s, 'd');

		sum = mix(sum, compare(before, s) + n);
		if (found)
			sum += found - s;
		before = s;
		s += n + 1;
	}
	return sum;
}
