/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding an element of a hash table by its key, inline: hash.c looks for keys of any
 * size, hash_direct.c for one size each.  Nobody else includes this.  How a look-up
 * without a lock finds its way is told at the top of hash.c.
 */
#ifndef SKEP_MAPS_HASH_FIND_H
#define SKEP_MAPS_HASH_FIND_H

#include "maps/hash.h"

/* ---- keys ---- */

static inline u64 mix(u64 a, u64 b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (u64)p ^ (u64)(p >> 64);
}

/*
 * Below, size is map.key_size: a constant where a look-up is made for one size, so that
 * the compiler unrolls what a loop would do.  Multiplicative, keyed by the map's secret
 * seed.
 */
static ALWAYS_INLINE u32 hash_key(const struct hash *h, const u8 *key, u32 size)
{
	u64 x = h->seed ^ size;

	for (; size >= 8; key += 8, size -= 8)
		x = mix(x ^ load_u64(key), 0x9e3779b97f4a7c15ull);
	if (size)
		x = mix(x ^ load_short(key, size), 0xbf58476d1ce4e5b9ull);
	return (u32)(x ^ x >> 32);
}

static ALWAYS_INLINE bool key_equal(const struct hash_elem *elem, const u8 *key, u32 size)
{
	const _Atomic u64 *at = elem->key;

	for (; size >= 8; at++, key += 8, size -= 8)
		if (atomic_load_explicit(at, memory_order_acquire) != load_u64(key))
			return false;
	return !size ||
	       atomic_load_explicit(at, memory_order_acquire) == load_short(key, size);
}

/* ---- chains ---- */

static inline bool is_end(u32 link)
{
	return !link || (link & LINK_END);
}

static inline u32 end_of(const struct hash *h, const struct bucket *bucket)
{
	return LINK_END | (u32)(bucket - h->buckets);
}

static ALWAYS_INLINE bool is_elem(const struct hash_elem *elem, const void *key, u32 hash,
				  u32 size)
{
	/* A longer key may be half recycled: then its hash is another's.  A key of one
	 * word is as quickly compared. */
	if (size > 8 && atomic_load_explicit(&elem->hash, memory_order_acquire) != hash)
		return false;
	return key_equal(elem, key, size);
}

struct found {
	u32 link;               /* or an end */
	struct hash_elem *elem; /* unless it is one */
};

/* Safe without the lock. */
static ALWAYS_INLINE struct found find_sized(const struct hash *h, const void *key,
					     u32 hash, u32 size)
{
	const struct bucket *bucket = &h->buckets[hash & h->bucket_mask];
	u8 *const elems = h->elems;
	const u64 elem_size = h->elem_size;
	struct found at = {0};
	u32 news;

again:
	news = atomic_load_explicit(&bucket->news, memory_order_acquire);
	at.link = atomic_load_explicit(&bucket->head, memory_order_acquire);
	while (!is_end(at.link)) {
		at.elem = (struct hash_elem *)(elems + (at.link - 1) * elem_size);
		if (is_elem(at.elem, key, hash, size))
			return at;
		at.link = atomic_load_explicit(&at.elem->next, memory_order_acquire);
	}
	if (at.link && at.link != end_of(h, bucket))
		goto again; /* strayed into another chain */
	if (atomic_load_explicit(&bucket->news, memory_order_acquire) != news)
		goto again; /* it may be in front by now */
	return at;
}

static ALWAYS_INLINE struct found look(const struct hash *h, const void *key, u32 size)
{
	return find_sized(h, key, hash_key(h, key, size), size);
}

/* ---- values ---- */

/* Of maps that are not per-CPU. */
static inline void *value_of(const struct hash *h, struct hash_elem *elem)
{
	return (u8 *)elem + h->value_in_elem;
}

static inline void touch(struct hash_elem *elem)
{
	/* Read first: the line stays shared between CPUs while nobody evicts. */
	if (!atomic_load_explicit(&elem->touched, memory_order_relaxed))
		atomic_store_explicit(&elem->touched, 1, memory_order_relaxed);
}

#endif
