/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 with one table, made first; then with four (slicing). */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u32 *table = scratch(mem, len), crc = ~0u;

	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (u32 k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[i] = c;
	}
	for (u32 i = 0; i < 256; i++) {
		u32 c = table[i];

		for (u32 k = 1; k < 4; k++) {
			c = table[c & 255] ^ c >> 8;
			table[256 * k + i] = c;
		}
	}
	for (u32 i = 0; i < 512; i++)
		crc = table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
	for (u32 i = 512; i < 3072; i += 4) {
		crc ^= *(const u32 *)(bytes + i);
		crc = table[768 + (crc & 255)] ^ table[512 + (crc >> 8 & 255)] ^
		      table[256 + (crc >> 16 & 255)] ^ table[crc >> 24];
	}
	return ~crc;
}
