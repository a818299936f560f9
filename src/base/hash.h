/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash of bytes, and an index from keys to numbers: names to symbols, names to type
 * ids. Keys are compared by the caller's array, the index stores numbers only. Anybody
 * may include this.
 */
#ifndef SKEP_BASE_HASH_H
#define SKEP_BASE_HASH_H

#include "base/types.h"

/* Well mixed, not cryptographic, the same on every host.  Seed it where an enemy chooses
 * the keys. */
u32 hash_bytes(const void *data, size_t len, u32 seed);
u32 hash_string(const char *s);

/* From a 32-bit hash to the numbers stored under it. */
struct hash_index {
	u32 *slots; /* owned; 2 words a slot: hash, value + 1 (0: free) */
	size_t len, cap;
};

#define HASH_INDEX_INIT                                                                  \
	{                                                                                \
		0                                                                        \
	}

bool hash_index_add(struct hash_index *h, u32 hash,
		    u32 value); /* false when memory is out; value < ~0 */

/*
 * All values under a hash, one a call: start with *cursor = 0; false when there are no
 * more. The caller compares the keys, as different keys may share a hash.
 */
bool hash_index_next(const struct hash_index *h, u32 hash, size_t *cursor, u32 *value);

void hash_index_fini(struct hash_index *h);

#endif
