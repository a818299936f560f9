/* SPDX-License-Identifier: BSD-2-Clause */
/* Longest prefix match: 128 prefixes in a binary trie in memory, then 256 addresses
 * walked down bit by bit. */
#include "bench.h"

enum { PREFIXES = 128, LOOKUPS = 256, NODES = 500 };

struct node {
	u16 child[2]; /* 0: none */
	u16 route;    /* 0: none ends here */
};

INLINE void insert(struct node *nodes, u32 *used, u32 prefix, u32 route)
{
	u32 at = 0;

	for (u32 bits = 3 + prefix % 13; bits; bits--, prefix <<= 1) {
		u32 down = prefix >> 31;

		if (!nodes[at].child[down]) {
			if (*used == NODES)
				return;
			nodes[*used].child[0] = nodes[*used].child[1] = 0;
			nodes[*used].route = 0;
			nodes[at].child[down] = (*used)++;
		}
		at = nodes[at].child[down];
	}
	nodes[at].route = route;
}

INLINE u32 look_up(const struct node *nodes, u32 address)
{
	u32 best = 0, at = 0;

	do {
		if (nodes[at].route)
			best = nodes[at].route;
		at = nodes[at].child[address >> 31];
		address <<= 1;
	} while (at);
	return best;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	struct node *nodes = scratch(mem, len);
	const u32 *words = mem;
	u32 used = 1;
	u64 sum = 0;

	nodes[0].child[0] = nodes[0].child[1] = nodes[0].route = 0;
	for (u32 i = 0; i < PREFIXES; i++)
		insert(nodes, &used, words[i], i + 1);
	for (u32 i = 0; i < LOOKUPS; i++)
		sum = mix(sum, look_up(nodes, words[PREFIXES + i]));
	return sum;
}
