/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which element of an LRU map makes room: a clock.  The hand goes round all elements; one
 * that was used since the last round is passed over once, the first that was not goes.
 * So what is used survives, and a look-up writes at most one byte, once a round, where
 * Linux keeps lists; max_entries is exact, where Linux evicts a little early.
 * MAP_NO_COMMON_LRU has no hand a CPU here: one clock serves all.  Whoever evicts
 * holds no lock but that of the victim's bucket.  See Corbato, A Paging Experiment with
 * the Multics System, 1968.
 */
#include "maps/hash.h"

static bool evict(struct hash *h, u32 number)
{
	struct hash_elem *elem = hash_elem(h, number);
	struct bucket *bucket;
	bool gone;

	bucket = hash_bucket(h, atomic_load_explicit(&elem->hash, memory_order_relaxed));
	if (hash_lock(h, bucket))
		return false;
	gone = hash_unlink(h, bucket, number);
	region_unlock(&bucket->lock);
	return gone;
}

u32 lru_evict(struct hash *h)
{
	/* A round clears the marks, the next finds somebody; the third is for races. */
	const u64 steps = 3ull * h->n_elems;

	for (u64 i = 0; i < steps; i++) {
		u32 number = atomic_fetch_add_explicit(&h->state->hand, 1,
						       memory_order_relaxed) %
			     h->n_elems;
		struct hash_elem *elem = hash_elem(h, number);

		if (!atomic_load_explicit(&elem->live, memory_order_relaxed))
			continue;
		if (atomic_load_explicit(&elem->touched, memory_order_relaxed))
			atomic_store_explicit(&elem->touched, 0, memory_order_relaxed);
		else if (evict(h, number))
			return number + 1;
	}
	return 0;
}
