/* SPDX-License-Identifier: BSD-2-Clause */
/* A checksum mended again and again (RFC 1624), as a NAT does it: each step needs the
 * last. */
#include "bench.h"

INLINE u16 mend(u16 check, u16 old, u16 new)
{
	u32 sum = (u16)~check + (u16)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u16 *words = mem;
	u64 n = input_size(len) / sizeof(*words);
	u16 check = 0x1234;

	for (u64 i = 1; i < n; i++)
		check = mend(check, words[i - 1], words[i]);
	return check;
}
