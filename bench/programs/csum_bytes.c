/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum as RFC 1071 has it, of bytes in network order. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *p = mem;
	u64 n = input_size(len) - 1;
	u32 sum = 0;

	for (; n > 1; n -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (n)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}
