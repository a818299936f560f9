/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-16 (CCITT) bit by bit and CRC-64: branches or masks, as clang likes. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 crc64 = ~0ull;
	u16 crc = 0xffff;

	(void)len;
	for (u32 i = 0; i < 128; i++) {
		crc ^= bytes[i] << 8;
		for (u32 k = 0; k < 8; k++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	for (u32 i = 0; i < 128; i++) {
		crc64 ^= bytes[i];
		for (u32 k = 0; k < 8; k++)
			crc64 = crc64 >> 1 ^ (-(crc64 & 1) & 0xc96c5795d7870f42);
	}
	return crc64 ^ crc;
}
