/* SPDX-License-Identifier: BSD-2-Clause */
/* FNV-1a, a byte at a time: one long chain of multiplications. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u64 n = input_size(len), hash = 0xcbf29ce484222325;

	for (u64 i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}
