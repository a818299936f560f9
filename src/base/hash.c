/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiply and xor-shift over 8-byte words (the finaliser of splitmix64: Steele, Lea,
 * Flood, 2014), and an open-addressed index with linear probing that doubles at three
 * quarters full.
 */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static u64 mix(u64 h)
{
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ h >> 27) * 0x94d049bb133111ebull;
	return h ^ h >> 31;
}

u32 hash_bytes(const void *data, size_t len, u32 seed)
{
	const u8 *p = data;
	u64 h = seed ^ 0x9e3779b97f4a7c15ull, tail = 0;
	size_t left = len;

	for (; left >= 8; p += 8, left -= 8)
		h = mix(h ^ load_u64_of(p, false));
	for (size_t i = 0; i < left; i++)
		tail |= (u64)p[i] << (8 * i);
	h = mix(h ^ tail ^ (u64)len << 56);
	return (u32)(h ^ h >> 32);
}

u32 hash_string(const char *s)
{
	return hash_bytes(s, strlen(s), 0);
}

static void insert(u32 *slots, size_t cap, u32 hash, u32 stored)
{
	size_t i = hash & (cap - 1);

	while (slots[2 * i + 1])
		i = (i + 1) & (cap - 1);
	slots[2 * i] = hash;
	slots[2 * i + 1] = stored;
}

static bool grow(struct hash_index *h)
{
	size_t cap = h->cap ? h->cap * 2 : 16;
	u32 *slots = calloc(cap, 2 * sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < h->cap; i++) {
		if (h->slots[2 * i + 1])
			insert(slots, cap, h->slots[2 * i], h->slots[2 * i + 1]);
	}
	free(h->slots);
	h->slots = slots;
	h->cap = cap;
	return true;
}

bool hash_index_add(struct hash_index *h, u32 hash, u32 value)
{
	if (4 * (h->len + 1) > 3 * h->cap && !grow(h))
		return false;
	insert(h->slots, h->cap, hash, value + 1);
	h->len++;
	return true;
}

bool hash_index_next(const struct hash_index *h, u32 hash, size_t *cursor, u32 *value)
{
	for (; *cursor < h->cap; (*cursor)++) {
		size_t i = (hash + *cursor) & (h->cap - 1);

		if (!h->slots[2 * i + 1])
			return false;
		if (h->slots[2 * i] == hash) {
			*value = h->slots[2 * i + 1] - 1;
			(*cursor)++;
			return true;
		}
	}
	return false;
}

void hash_index_fini(struct hash_index *h)
{
	free(h->slots);
	*h = (struct hash_index)HASH_INDEX_INIT;
}
