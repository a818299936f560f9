/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 with a table of 256 entries, made in scratch memory first. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u32 *table = scratch(mem, len), crc = ~0u;
	u64 n = input_size(len);

	for (u32 i = 0; i < 256; i++) {
		u32 rest = i;

		for (u32 bit = 0; bit < 8; bit++)
			rest = rest >> 1 ^ (rest & 1 ? 0xedb88320 : 0);
		table[i] = rest;
	}
	for (u64 i = 0; i < n; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return ~crc;
}
