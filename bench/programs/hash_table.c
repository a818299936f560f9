/* SPDX-License-Identifier: BSD-2-Clause */
/* Open addressing with linear probing: 256 keys put in, 512 looked up. */
#include "bench.h"

enum { SLOTS = 512, KEYS = 256 };

INLINE u32 slot_of(const u32 *table, u32 key)
{
	u32 at = key * 0x9e3779b1 >> 23;

	while (table[at] && table[at] != key)
		at = (at + 1) % SLOTS;
	return at;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *keys = mem;
	u32 *table = scratch(mem, len);
	u64 found = 0;

	for (u32 i = 0; i < SLOTS / 2; i++)
		((u64 *)table)[i] = 0;
	for (u32 i = 0; i < KEYS; i++) {
		u32 key = keys[i] | 1;

		table[slot_of(table, key)] = key;
	}
	for (u32 i = 0; i < 2 * KEYS; i++)
		found = mix(found, slot_of(table, keys[i] | 1));
	return found;
}
