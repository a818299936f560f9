/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum (RFC 1071) of packets of 60 bytes. */
#include "bench.h"

enum { PACKET_WORDS = 30 };

INLINE u16 checksum(const u16 *words)
{
	u32 sum = 0;

	for (u32 i = 0; i < PACKET_WORDS; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u16 *words = mem;
	u64 n = input_size(len) / sizeof(*words), sum = 0;

	for (u64 at = 0; at + PACKET_WORDS <= n; at += PACKET_WORDS)
		sum = mix(sum, checksum(words + at));
	return sum;
}
