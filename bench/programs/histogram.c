/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of bytes, the median and the largest; and a running average. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *bytes = mem;
	u32 *count = scratch(mem, len), most = 0, median = 0, seen = 0;
	u64 average = 0;

	for (u32 i = 0; i < 256; i++)
		count[i] = 0;
	for (u32 i = 0; i < 2048; i++) {
		count[bytes[i]]++;
		average += ((u64)bytes[i] << 16) - (average >> 3);
	}
	for (u32 i = 0; i < 256; i++) {
		if (count[i] > count[most])
			most = i;
		if (seen <= 1024)
			median = i;
		seen += count[i];
	}
	return average ^ (u64)most << 48 ^ (u64)median << 56;
}
