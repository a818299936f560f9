/* SPDX-License-Identifier: BSD-2-Clause */
/* Is it UTF-8?  Bytes by their classes, a state from one to the next. */
#include "bench.h"

enum { TEXT = 2048 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 0; i + 4 < TEXT;) {
		u8 kind = bytes[i] & 7;

		if (kind < 4) {
			bytes[i++] &= 0x7f;
		} else if (kind < 6) {
			bytes[i] = 0xc2 + bytes[i] % 29;
			bytes[i + 1] = 0x80 | (bytes[i + 1] & 0x3f);
			i += 2;
		} else {
			bytes[i] = 0xe1 + bytes[i] % 12;
			bytes[i + 1] = 0x80 | (bytes[i + 1] & 0x3f);
			bytes[i + 2] = 0x80 | (bytes[i + 2] & 0x3f);
			i += 3;
		}
		bytes[i] |= 0;
	}
	for (u32 i = TEXT - 8; i < TEXT; i++)
		bytes[i] = 'x';
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u32 need = 0, code = 0, bad = 0, n = 0;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < TEXT; i++) {
		u8 c = bytes[i];

		if (need) {
			if ((c & 0xc0) != 0x80) {
				bad++;
				need = 0;
				continue;
			}
			code = code << 6 | (c & 0x3f);
			if (--need)
				continue;
		} else if (c < 0x80) {
			code = c;
		} else if ((c & 0xe0) == 0xc0) {
			need = 1;
			code = c & 0x1f;
			continue;
		} else if ((c & 0xf0) == 0xe0) {
			need = 2;
			code = c & 0xf;
			continue;
		} else {
			bad++;
			continue;
		}
		sum += code;
		n++;
	}
	return sum + ((u64)n << 32) + ((u64)bad << 48);
}
