/* SPDX-License-Identifier: BSD-2-Clause */
/* Every key of a shuffled list, looked up in a sorted table by halving. */
#include "bench.h"

INLINE u32 find(const u32 *table, u32 n, u32 key)
{
	u32 low = 0, high = n;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (table[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	u32 n = input_size(len) / sizeof(u32) / 2;
	const u32 *table = mem, *keys = table + n;
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += find(table, n, keys[i]) ^ i;
	return sum;
}

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u32 n = input_size(len) / sizeof(u32) / 2, *table = mem, *keys = table + n;

	for (u32 i = 0; i < n; i++) {
		table[i] = i * 7;
		keys[i] = keys[i] % (n * 7);
	}
}
#endif
