/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table behind HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH and HASH_OF_MAPS, as
 * hash.c (table), hash_direct.c (for compiled code), hash_layout.c (places) and lru.c
 * (who is evicted) see it.  Elements and buckets are named by numbers, never by
 * addresses.  The algorithm is told at the top of hash.c.  Nobody else includes this.
 */
#ifndef SKEP_MAPS_HASH_H
#define SKEP_MAPS_HASH_H

#include "maps/family.h"

/* A link: the number of an element plus one, or the end of the chain of a bucket, which
 * says whose end it is; 0, in a bucket only, is an end too. */
enum { LINK_END = 1u << 31 };

struct bucket {
	_Atomic u32 head; /* link */
	_Atomic u32 lock; /* region_lock() */
	_Atomic u32 news; /* elements that were linked in so far */
	u32 unused;       /* a bucket is in one cache line */
};

/* The key follows, padded with zeroes to a multiple of 8; then, unless it is per-CPU, the
 * value. */
struct hash_elem {
	_Atomic u32 next; /* link */
	_Atomic u32 hash;
	_Atomic u32 free;   /* next of a free list: element + 1, 0 at the end */
	_Atomic u8 live;    /* in a chain; written under the bucket's lock */
	_Atomic u8 touched; /* LRU: used since the hand last passed */
	_Atomic u64 key[];
};

/* One a CPU, on its own cache line: elements that were in use and are not any more. */
struct free_list {
	_Alignas(64) _Atomic u64 top; /* element + 1 below, counted changes above */
};

/* What the region holds between its header and the buckets. */
struct hash_state {
	_Alignas(64) _Atomic u32 fresh; /* elements from here on were never used */
	_Alignas(64) _Atomic u32 hand;  /* LRU: the clock's hand */
};

struct hash {
	struct map map;
	u64 seed;
	u32 bucket_mask;
	u32 elem_size;
	u32 value_in_elem; /* offset */
	u32 n_elems;       /* max_entries and the spares */
	u32 n_lists;       /* free lists, as many as CPUs */
	u32 n_spares;
	bool lru, percpu;
	/* All in the region. */
	struct hash_state *state;
	struct free_list *lists;
	_Atomic u32 *spares; /* element + 1, 0: taken */
	struct bucket *buckets;
	u8 *elems;
};

static inline struct hash *hash_of(const struct map *map)
{
	return container_of(map, struct hash, map);
}

static inline struct hash_elem *hash_elem(const struct hash *h, u32 number)
{
	return (struct hash_elem *)(h->elems + (u64)number * h->elem_size);
}

enum { HASH_FLAGS = MAP_ACCESS | MAP_NO_PREALLOC | MAP_NUMA_NODE | MAP_ZERO_SEED };

/* hash_layout.c: of struct map_ops. */
int hash_check(const struct map_attr *attr, struct skep_diag *diag);
int hash_check_percpu(const struct map_attr *attr, struct skep_diag *diag);
int hash_check_lru(const struct map_attr *attr, struct skep_diag *diag);
int hash_check_lru_percpu(const struct map_attr *attr, struct skep_diag *diag);
int hash_check_of_maps(const struct map_attr *attr, struct skep_diag *diag);
int hash_layout(struct map *map, const struct map_attr *attr);
int hash_init(struct map *map, const struct map_attr *attr);

/* Takes the element out of its chain, under the bucket's lock; false when it is in no
 * chain (any more). */
bool hash_unlink(struct hash *h, struct bucket *bucket, u32 number);
struct bucket *hash_bucket(const struct hash *h, u32 hash);
int hash_lock(struct hash *h, struct bucket *bucket);

/* hash_direct.c: of struct map_ops. */
map_direct_fn hash_direct(const struct map *map);
map_direct_fn hash_direct_lru(const struct map *map);
map_direct_fn hash_direct_percpu(const struct map *map);

/* lru.c: the number plus one of an element that was evicted, 0 when all are in use. */
u32 lru_evict(struct hash *h);

#endif
