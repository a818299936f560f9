/* SPDX-License-Identifier: BSD-2-Clause */
/* varint, of bytes that never come again. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	u64 *state = mem, s = *state | 1;
	u64 n = input_size(len), sum = 0, value = 0;
	u32 shift = 0;

	for (u64 i = 0; i < n; i++) {
		u8 byte;

		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		byte = (u8)(s >> 20);
		value |= (u64)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80 && shift < 63)
			continue;
		sum = mix(sum, value);
		value = 0;
		shift = 0;
	}
	*state = s;
	return sum;
}
