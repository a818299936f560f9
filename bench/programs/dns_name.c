/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in DNS messages: labels of changing lengths, letters made small. */
#include "bench.h"

enum { TEXT = 2048 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;
	u32 at = 0;

	(void)len;
	while (at + 40 < TEXT) {
		u32 labels = 1 + bytes[at] % 4;

		while (labels--) {
			u32 n = 1 + bytes[at] % 9;

			bytes[at++] = n;
			while (n--) {
				bytes[at] = (bytes[at] & 32 ? 'a' : 'A') + bytes[at] % 26;
				at++;
			}
		}
		bytes[at++] = 0;
	}
	bytes[at] = 0xff;
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *p = mem, *end = p + TEXT;
	u64 sum = 0;

	(void)len;
	while (p < end && *p != 0xff) {
		u32 hash = 0, n;

		while (p < end && (n = *p++) != 0)
			while (n-- && p < end) {
				u8 c = *p++;

				if (c >= 'A' && c <= 'Z')
					c += 32;
				hash = hash * 31 + c;
			}
		sum = mix(sum, hash);
	}
	return sum;
}
