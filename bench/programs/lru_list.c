/* SPDX-License-Identifier: BSD-2-Clause */
/* A cache of 64 entries in a doubly linked list: looked up by walking, moved to the front
 * when found, the last one replaced when not. */
#include "bench.h"

enum { ENTRIES = 64, LOOKUPS = 512 };

struct entry {
	u32 key;
	u16 prev, next; /* entry 0 is the head */
};

INLINE void unlink(struct entry *cache, u32 at)
{
	cache[cache[at].prev].next = cache[at].next;
	cache[cache[at].next].prev = cache[at].prev;
}

INLINE void push_front(struct entry *cache, u32 at)
{
	u32 first = cache[0].next;

	cache[at].prev = 0;
	cache[at].next = first;
	cache[first].prev = at;
	cache[0].next = at;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	struct entry *cache = scratch(mem, len);
	const u8 *keys = mem;
	u32 hits = 0;
	u64 sum = 0;

	cache[0].next = cache[0].prev = 0;
	for (u32 i = 1; i <= ENTRIES; i++) {
		cache[i].key = i;
		push_front(cache, i);
	}
	for (u32 i = 0; i < LOOKUPS; i++) {
		u32 key = keys[i] & keys[i + 1]; /* some more often than others */
		u32 at = cache[0].next;

		while (at && cache[at].key != key)
			at = cache[at].next;
		hits += at != 0;
		if (!at) {
			at = cache[0].prev;
			cache[at].key = key;
		}
		unlink(cache, at);
		push_front(cache, at);
		sum = mix(sum, at);
	}
	return sum ^ hits;
}
