/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksums of TCP segments in IPv6: the pseudo header, then words of 16 bits. */
#include "bench.h"

enum { FRAME = 256, HEADER = 40, PAYLOAD = FRAME - HEADER, TCP = 6 };

INLINE u64 add_words(u64 sum, const u16 *words, u32 n)
{
	for (u32 i = 0; i < n; i++)
		sum += words[i];
	return sum;
}

INLINE u16 checksum(const u16 *frame)
{
	u64 sum = add_words(0, frame + 4, 16); /* both addresses */

	sum += __builtin_bswap16(PAYLOAD) + __builtin_bswap16(TCP);
	sum = add_words(sum, frame + HEADER / 2, PAYLOAD / 2);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *frames = mem;
	u64 n = input_size(len), sum = 0;

	for (u64 at = 0; at + FRAME <= n; at += FRAME)
		sum = mix(sum, checksum((const u16 *)(frames + at)));
	return sum;
}
