/* SPDX-License-Identifier: BSD-2-Clause */
/* A WebSocket payload unmasked (RFC 6455 5.3): copied, each byte xored with one of four.
 */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *from = mem;
	u8 *to = scratch(mem, len);
	u64 n = input_size(len), sum = 0;
	const u32 key = 0x37fa213d;

	for (u64 i = 0; i < n; i++)
		to[i] = from[i] ^ (u8)(key >> (i & 3) * 8);
	for (u64 i = 0; i < n; i += 64)
		sum = mix(sum, to[i]);
	return sum;
}
