/* SPDX-License-Identifier: BSD-2-Clause */
/* Longest prefixes by a tree of bits: a node a bit, children by number. */
#include "bench.h"

enum { NODES = 256 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u16 *nodes = mem;

	(void)len;
	for (u32 i = 0; i < NODES; i++) {
		nodes[4 * i] = nodes[4 * i] % 8 ? i + 1 + nodes[4 * i] % 13 : 0;
		nodes[4 * i + 1] =
			nodes[4 * i + 1] % 8 ? i + 1 + nodes[4 * i + 1] % 17 : 0;
		if (nodes[4 * i] >= NODES)
			nodes[4 * i] = 0;
		if (nodes[4 * i + 1] >= NODES)
			nodes[4 * i + 1] = 0;
		nodes[4 * i + 2] = nodes[4 * i + 2] % 3 ? 0 : 1 + i;
	}
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u16 *nodes = mem;
	const u32 *keys = (const u32 *)mem + 600;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 200; i++) {
		u32 key = keys[i], at = 0, best = 0;

		for (u32 bit = 0; bit < 32; bit++) {
			const u16 *node = nodes + 4 * at;

			if (node[2])
				best = node[2];
			at = node[key >> 31] % NODES;
			key <<= 1;
			if (!at)
				break;
		}
		sum = mix(sum, best);
	}
	return sum;
}
