/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 and CRC-64 (ECMA) without tables, a branch a bit. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u32 crc = ~0u;
	u64 crc64 = 0;

	(void)len;
	for (u32 i = 0; i < 256; i++) {
		crc ^= bytes[i];
		for (u32 k = 0; k < 8; k++) {
			if (crc & 1)
				crc = crc >> 1 ^ 0xedb88320;
			else
				crc >>= 1;
		}
	}
	for (u32 i = 0; i < 256; i++) {
		crc64 ^= (u64)bytes[i] << 56;
		for (u32 k = 0; k < 8; k++) {
			if (crc64 >> 63)
				crc64 = crc64 << 1 ^ 0x42f0e1eba9ea3693;
			else
				crc64 <<= 1;
		}
	}
	return crc64 ^ crc;
}
