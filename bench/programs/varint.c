/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers in LEB128, decoded and added up: a branch for every byte. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 n = input_size(len), sum = 0, value = 0;
	u32 shift = 0;

	for (u64 i = 0; i < n; i++) {
		value |= (u64)(bytes[i] & 0x7f) << shift;
		shift += 7;
		if (bytes[i] & 0x80 && shift < 63)
			continue;
		sum = mix(sum, value);
		value = 0;
		shift = 0;
	}
	return sum;
}
