/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HASH, PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH, HASH_OF_MAPS.
 *
 * Buckets of singly linked chains over elements that are never given back to the system.
 * A look-up takes no lock: an element may be recycled under its feet and lead into
 * another chain, but the end of a chain names its bucket, so that it notices and starts
 * again.  It may also have passed the place where a new element for its key has appeared
 * since: buckets count what is linked in, and who finds nothing looks whether that went
 * on meanwhile.  (Linux' look-ups may miss a key that is being updated.)
 *
 * Updates hold the bucket's lock and change the chain by single stores (in front first,
 * then out with the old one), so that a process that dies leaves a chain that is whole:
 * at worst with a key twice, which whoever inherits the lock mends, and one element that
 * nobody uses again.
 *
 * Replacing a value means a new element, as in Linux: whoever looked up the old one keeps
 * the old value.  For that there are spares, so that a full map can be updated.  New
 * elements come from the CPU's free list, then from those never used (so that memory is
 * touched as the map fills), then from other CPUs' lists.
 *
 * Never allocates after init.  See Documentation/bpf/map_hash.rst of Linux.
 */
#include "maps/hash_find.h"
#include "maps/memory.h"

/* ---- keys ---- */

static void write_key(const struct hash *h, struct hash_elem *elem, const u8 *key)
{
	u32 i, size = h->map.key_size;

	for (i = 0; i < size / 8; i++)
		atomic_store_explicit(&elem->key[i], load_u64(key + 8 * i),
				      memory_order_release);
	if (size % 8)
		atomic_store_explicit(&elem->key[i], load_short(key + 8 * i, size % 8),
				      memory_order_release);
}

static void read_key(const struct hash *h, const struct hash_elem *elem, u8 *key)
{
	u32 i, size = h->map.key_size;
	u64 word;

	for (i = 0; i < size / 8; i++)
		store_u64(key + 8 * i,
			  atomic_load_explicit(&elem->key[i], memory_order_relaxed));
	if (!(size % 8))
		return;
	word = atomic_load_explicit(&elem->key[i], memory_order_relaxed);
	memcpy(key + 8 * i, &word, size % 8);
}

/* ---- chains ---- */

struct bucket *hash_bucket(const struct hash *h, u32 hash)
{
	return &h->buckets[hash & h->bucket_mask];
}

static u32 find(const struct hash *h, const void *key, u32 hash)
{
	return find_sized(h, key, hash, h->map.key_size).link;
}

/* In front of the chain, under its lock. */
static void link_in(struct hash *h, struct bucket *bucket, u32 number)
{
	u32 head = atomic_load_explicit(&bucket->head, memory_order_relaxed);
	struct hash_elem *elem = hash_elem(h, number);

	atomic_store_explicit(&elem->next, head ? head : end_of(h, bucket),
			      memory_order_release);
	atomic_store_explicit(&elem->live, 1, memory_order_relaxed);
	atomic_store_explicit(&bucket->head, number + 1, memory_order_release);
	/* Before the old one goes: who misses that sees this; who sees this sees the new
	 * one. */
	atomic_fetch_add_explicit(&bucket->news, 1, memory_order_release);
}

bool hash_unlink(struct hash *h, struct bucket *bucket, u32 number)
{
	struct hash_elem *elem = hash_elem(h, number);
	_Atomic u32 *at = &bucket->head;
	u32 link;

	for (;; at = &hash_elem(h, link - 1)->next) {
		link = atomic_load_explicit(at, memory_order_relaxed);
		if (is_end(link))
			return false;
		if (link == number + 1)
			break;
	}
	atomic_store_explicit(&elem->live, 0, memory_order_relaxed);
	atomic_store_explicit(at, atomic_load_explicit(&elem->next, memory_order_relaxed),
			      memory_order_release);
	return true;
}

static void release_elem(struct hash *h, u32 number, u32 cpu);

/* The owner of the lock died: between linking a new value and unlinking the old. */
static void mend(struct hash *h, struct bucket *bucket)
{
	u32 link = atomic_load_explicit(&bucket->head, memory_order_relaxed), old;
	u8 *key;

	if (is_end(link))
		return;
	/* Only the newest element can have a double. */
	key = (u8 *)hash_elem(h, link - 1)->key;
	for (old = atomic_load(&hash_elem(h, link - 1)->next); !is_end(old);
	     old = atomic_load(&hash_elem(h, old - 1)->next)) {
		if (!key_equal(hash_elem(h, old - 1), key, h->map.key_size))
			continue;
		hash_unlink(h, bucket, old - 1);
		release_elem(h, old - 1, 0);
		return;
	}
}

int hash_lock(struct hash *h, struct bucket *bucket)
{
	int err = region_lock(&h->map, &bucket->lock);

	if (err != LOCK_INHERITED)
		return err;
	mend(h, bucket);
	return 0;
}

/* ---- elements that are in no chain ---- */

static u32 pop(struct hash *h, struct free_list *list)
{
	u64 top = atomic_load_explicit(&list->top, memory_order_acquire), next;

	do {
		if (!(u32)top)
			return 0;
		next = atomic_load_explicit(&hash_elem(h, (u32)top - 1)->free,
					    memory_order_relaxed);
		next |= ((top >> 32) + 1) << 32;
	} while (!atomic_compare_exchange_weak_explicit(
		&list->top, &top, next, memory_order_acquire, memory_order_acquire));
	return (u32)top;
}

static void push(struct hash *h, struct free_list *list, u32 number)
{
	u64 top = atomic_load_explicit(&list->top, memory_order_relaxed), next;

	do {
		atomic_store_explicit(&hash_elem(h, number)->free, (u32)top,
				      memory_order_relaxed);
		next = (number + 1) | ((top >> 32) + 1) << 32;
	} while (!atomic_compare_exchange_weak_explicit(
		&list->top, &top, next, memory_order_release, memory_order_relaxed));
}

static u32 take_fresh(struct hash *h)
{
	u32 n = atomic_load_explicit(&h->state->fresh, memory_order_relaxed);

	do {
		if (n >= h->n_elems)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(
		&h->state->fresh, &n, n + 1, memory_order_relaxed, memory_order_relaxed));
	return n + 1;
}

/* From any list.  0: each was empty when it was looked at; *moves: how often something
 * had been put into them or taken out by then. */
static u32 pop_any(struct hash *h, u32 cpu, u32 *moves)
{
	*moves = 0;
	for (u32 i = 0; i < h->n_lists; i++) {
		struct free_list *list = &h->lists[(cpu + i) % h->n_lists];
		u32 link = pop(h, list);

		if (link)
			return link;
		*moves += (u32)(atomic_load_explicit(&list->top, memory_order_acquire) >>
				32);
	}
	return 0;
}

/* The number plus one of an element for a new key, 0 when the map is full. */
static u32 take_elem(struct hash *h, u32 cpu)
{
	u32 link, moves = 0, before;

	assert(cpu < h->n_lists);
	link = pop(h, &h->lists[cpu]);
	if (!link)
		link = take_fresh(h);
	if (!link)
		link = pop_any(h, cpu, &moves);
	if (!link && h->lru)
		link = lru_evict(h);
	/* What is free may pass from a list before it is looked at to one after: all were
	 * empty at once only when nothing moved from one search to the next. */
	while (!link) {
		before = moves;
		link = pop_any(h, cpu, &moves);
		if (!link && moves == before)
			return 0;
	}
	return link;
}

static void release_elem(struct hash *h, u32 number, u32 cpu)
{
	assert(cpu < h->n_lists);
	push(h, &h->lists[cpu], number);
}

/* An element for another value of a key that is there.  More at once than there are
 * spares wait for each other. */
static u32 take_spare(struct hash *h, u32 cpu)
{
	u64 turns = 0;
	u32 link;

	do {
		for (u32 i = 0; i < h->n_spares; i++) {
			_Atomic u32 *spare = &h->spares[(cpu + i) % h->n_spares];

			if (!atomic_load_explicit(spare, memory_order_relaxed))
				continue;
			link = atomic_exchange_explicit(spare, 0, memory_order_acquire);
			if (link)
				return link;
		}
	} while (map_wait(&turns));
	/* Processes died with the spares in their hands. */
	return take_elem(h, cpu);
}

static void return_spare(struct hash *h, u32 number, u32 cpu)
{
	for (u32 i = 0; i < h->n_spares; i++) {
		_Atomic u32 *spare = &h->spares[(cpu + i) % h->n_spares];
		u32 empty = 0;

		if (atomic_compare_exchange_strong_explicit(spare, &empty, number + 1,
							    memory_order_release,
							    memory_order_relaxed))
			return;
	}
	release_elem(h, number, cpu);
}

/* ---- look-ups ---- */

/* From the key alone, quickly for the sizes that most maps have. */
static inline struct found find_key(const struct hash *h, const void *key)
{
	switch (h->map.key_size) {
	case 4: return look(h, key, 4);
	case 8: return look(h, key, 8);
	case 16: return look(h, key, 16);
	default: return look(h, key, h->map.key_size);
	}
}

static void *lookup(struct map *map, const void *key, u32 cpu)
{
	const struct hash *h = hash_of(map);
	struct found at = find_key(h, key);

	(void)cpu;
	return is_end(at.link) ? NULL : value_of(h, at.elem);
}

static void *lookup_percpu(struct map *map, const void *key, u32 cpu)
{
	struct found at = find_key(hash_of(map), key);

	return is_end(at.link) ? NULL : map_value(map, at.link - 1, cpu);
}

static void *lookup_lru(struct map *map, const void *key, u32 cpu)
{
	const struct hash *h = hash_of(map);
	struct found at = find_key(h, key);

	if (is_end(at.link))
		return NULL;
	touch(at.elem);
	return h->percpu ? map_value(map, at.link - 1, cpu) : value_of(h, at.elem);
}

/* The element whose reference *object is.  It may be recycled for another key between
 * finding it and reading the reference: then the key is elsewhere, or gone. */
static u32 find_ref(struct map *map, const void *key, void **object)
{
	const struct hash *h = hash_of(map);
	u32 hash = hash_key(h, key, h->map.key_size), link;

	do {
		link = find(h, key, hash);
		if (is_end(link))
			return 0;
		*object = map_ref_object(map, link - 1);
	} while (!*object || find(h, key, hash) != link);
	return link;
}

static void *lookup_inner(struct map *map, const void *key, u32 cpu)
{
	void *object;

	(void)cpu;
	return find_ref(map, key, &object) ? object : NULL;
}

static void *peek_inner(struct map *map, const void *key, u32 cpu)
{
	void *object;
	u32 link = find_ref(map, key, &object);

	(void)cpu;
	return link ? map_ref_id(map, link - 1) : NULL;
}

/* ---- updates ---- */

/* One update, whoever asks for it. */
struct put {
	const void *key;
	const void *value;   /* of this CPU, or of each; NULL: ref */
	struct map_ref *ref; /* HASH_OF_MAPS */
	u64 flags;
	u32 hash;
	u32 cpu;
	bool all_cpus; /* value is an array, one a CPU */
};

static int check_exists(u64 flags, bool exists)
{
	if (exists && (flags & ~(u64)MAP_F_LOCK) == MAP_NOEXIST)
		return -EEXIST;
	if (!exists && (flags & ~(u64)MAP_F_LOCK) == MAP_EXIST)
		return -ENOENT;
	return 0;
}

static void write_percpu(struct hash *h, u32 number, const struct put *put)
{
	struct map *map = &h->map;
	u32 stride = map->value_stride;

	if (!put->all_cpus) {
		value_write(map, map_value(map, number, put->cpu), put->value,
			    map->value_size);
		return;
	}
	for (u32 cpu = 0; cpu < map->n_cpus; cpu++)
		value_write(map, map_value(map, number, cpu),
			    (const u8 *)put->value + (u64)cpu * stride, stride);
}

static void fill_value(struct hash *h, u32 number, const struct put *put)
{
	struct map *map = &h->map;

	if (put->ref) {
		map_ref_put(map->refs, number, put->ref);
		return;
	}
	if (!h->percpu) {
		value_reset(map, map_value(map, number, 0));
		value_write(map, map_value(map, number, 0), put->value, map->value_size);
		return;
	}
	for (u32 cpu = 0; !put->all_cpus && cpu < map->n_cpus; cpu++)
		value_zero(map, map_value(map, number, cpu));
	write_percpu(h, number, put);
}

/* Everything of an element that is in no chain yet.  The key last: who stands on the
 * element since it was used before, and finds the key, finds the value too. */
static void fill(struct hash *h, u32 number, const struct put *put)
{
	struct hash_elem *elem = hash_elem(h, number);

	fill_value(h, number, put);
	atomic_store_explicit(&elem->touched, 0, memory_order_relaxed);
	atomic_store_explicit(&elem->hash, put->hash, memory_order_release);
	write_key(h, elem, put->key);
}

/* Per-CPU values and locked ones change where they are.  -EAGAIN: the key has gone. */
static int put_in_place(struct hash *h, const struct put *put)
{
	struct bucket *bucket = hash_bucket(h, put->hash);
	int err = hash_lock(h, bucket);
	u32 link;

	if (err)
		return err;
	link = find(h, put->key, put->hash);
	if (is_end(link)) {
		region_unlock(&bucket->lock);
		return -EAGAIN;
	}
	if (put->flags & MAP_F_LOCK)
		value_write_locked(&h->map, map_value(&h->map, link - 1, 0), put->value);
	else
		write_percpu(h, link - 1, put);
	if (h->lru)
		touch(hash_elem(h, link - 1));
	region_unlock(&bucket->lock);
	return 0;
}

/* A reference that is in no chain any more. */
static void drop_ref(struct hash *h, u32 number)
{
	if (h->map.refs)
		map_ref_put(h->map.refs, number, NULL);
}

static void release(struct hash *h, u32 number, bool spare, u32 cpu)
{
	if (spare)
		return_spare(h, number, cpu);
	else
		release_elem(h, number, cpu);
}

/* Links a filled element where the key was (replace) or was not.  -EAGAIN: somebody else
 * changed that meanwhile. */
static int put_elem(struct hash *h, const struct put *put, u32 number, bool replace)
{
	struct bucket *bucket = hash_bucket(h, put->hash);
	int err = hash_lock(h, bucket);
	u32 old;

	if (err)
		return err;
	old = find(h, put->key, put->hash);
	if (is_end(old) == replace) {
		region_unlock(&bucket->lock);
		return -EAGAIN;
	}
	/* Only now, as nothing can fail any more, the element owns put->ref. */
	fill(h, number, put);
	link_in(h, bucket, number);
	if (replace) {
		hash_unlink(h, bucket, old - 1);
		if (h->lru)
			touch(hash_elem(h, number));
	}
	region_unlock(&bucket->lock);
	if (replace) {
		drop_ref(h, old - 1);
		return_spare(h, old - 1, put->cpu);
	}
	return 0;
}

/* One try; -EAGAIN: the key came or went meanwhile. */
static int put_once(struct hash *h, const struct put *put)
{
	bool exists = !is_end(find(h, put->key, put->hash));
	int err = check_exists(put->flags, exists);
	u32 link;

	if (err)
		return err;
	if (exists && (h->percpu || (put->flags & MAP_F_LOCK)))
		return put_in_place(h, put);
	link = exists ? take_spare(h, put->cpu) : take_elem(h, put->cpu);
	if (!link && exists)
		return -EBUSY;
	if (!link)
		return h->lru ? -ENOMEM : -E2BIG;
	err = put_elem(h, put, link - 1, exists);
	if (err)
		release(h, link - 1, exists, put->cpu);
	return err;
}

static int put(struct map *map, struct put *put)
{
	struct hash *h = hash_of(map);
	int err;

	if ((put->flags & ~(u64)MAP_F_LOCK) > MAP_EXIST)
		return -EINVAL;
	if ((put->flags & MAP_F_LOCK) && !map_has_spin_lock(map))
		return -EINVAL;
	put->hash = hash_key(h, put->key, map->key_size);
	do
		err = put_once(h, put);
	while (err == -EAGAIN);
	return err;
}

static int update(struct map *map, const void *key, const void *value, u64 flags, u32 cpu)
{
	return put(map,
		   &(struct put){.key = key, .value = value, .flags = flags, .cpu = cpu});
}

static int update_all(struct map *map, const void *key, const void *values, u64 flags)
{
	return put(map, &(struct put){.key = key,
				      .value = values,
				      .flags = flags,
				      .all_cpus = true});
}

static int update_ref(struct map *map, const void *key, struct map_ref *ref, u64 flags)
{
	return put(map, &(struct put){.key = key, .ref = ref, .flags = flags});
}

/* ---- deletion ---- */

/* Out of the chain; returns its link, or an end with *err. */
static u32 remove_key(struct hash *h, const void *key, void *value, u64 flags, int *err)
{
	u32 hash = hash_key(h, key, h->map.key_size), link;
	struct bucket *bucket = hash_bucket(h, hash);

	*err = hash_lock(h, bucket);
	if (*err)
		return 0;
	link = find(h, key, hash);
	if (is_end(link)) {
		*err = -ENOENT;
	} else {
		if (value)
			map_copy_out(&h->map, map_value(&h->map, link - 1, 0), value,
				     flags);
		hash_unlink(h, bucket, link - 1);
	}
	region_unlock(&bucket->lock);
	return link;
}

static int take(struct map *map, const void *key, void *value, u64 flags)
{
	struct hash *h = hash_of(map);
	int err;
	u32 link = remove_key(h, key, value, flags, &err);

	if (err)
		return err;
	drop_ref(h, link - 1);
	release_elem(h, link - 1, 0);
	return 0;
}

static int erase(struct map *map, const void *key, u32 cpu)
{
	struct hash *h = hash_of(map);
	int err;
	u32 link = remove_key(h, key, NULL, 0, &err);

	if (err)
		return err;
	drop_ref(h, link - 1);
	release_elem(h, link - 1, cpu);
	return 0;
}

/* ---- iteration ---- */

static int next_key(struct map *map, const void *key, void *next)
{
	const struct hash *h = hash_of(map);
	u64 bucket = 0;
	u32 link = 0;

	if (key) {
		u32 hash = hash_key(h, key, h->map.key_size);

		link = find(h, key, hash);
		if (!is_end(link)) {
			link = atomic_load_explicit(&hash_elem(h, link - 1)->next,
						    memory_order_acquire);
			bucket = (hash & h->bucket_mask) + 1ull;
		}
	}
	for (; is_end(link) && bucket <= h->bucket_mask; bucket++)
		link = atomic_load_explicit(&h->buckets[bucket].head,
					    memory_order_acquire);
	if (is_end(link))
		return -ENOENT;
	read_key(h, hash_elem(h, link - 1), next);
	return 0;
}

static s64 for_each(struct map *map, u32 cpu, map_visit_fn visit, void *arg)
{
	const struct hash *h = hash_of(map);
	s64 n = 0;

	for (u64 i = 0; i <= h->bucket_mask; i++) {
		u32 link =
			atomic_load_explicit(&h->buckets[i].head, memory_order_acquire);

		while (!is_end(link)) {
			struct hash_elem *elem = hash_elem(h, link - 1);
			u8 *value = map_value(map, link - 1, h->percpu ? cpu : 0);

			/* Before the visit, which may delete this element. */
			link = atomic_load_explicit(&elem->next, memory_order_acquire);
			n++;
			if (visit(map, (const void *)elem->key, value, arg))
				return n;
		}
	}
	return n;
}

#define HASH_OPS(check_fn, lookup_fn)                                                    \
	.size = sizeof(struct hash), .check = check_fn, .layout = hash_layout,           \
	.init = hash_init, .lookup = lookup_fn, .update = update, .delete = erase,       \
	.take = take, .next_key = next_key, .for_each = for_each

const struct map_ops map_ops_hash = {
	HASH_OPS(hash_check, lookup),
	.direct = hash_direct,
	.traits = TRAIT_USER_READ | TRAIT_FIELDS | TRAIT_SPIN_LOCK | TRAIT_INNER,
	.create_flags = HASH_FLAGS,
};

const struct map_ops map_ops_percpu_hash = {
	HASH_OPS(hash_check_percpu, lookup_percpu),
	.direct = hash_direct_percpu,
	.traits = TRAIT_USER_READ | TRAIT_FIELDS | TRAIT_PERCPU | TRAIT_INNER,
	.create_flags = HASH_FLAGS,
	.update_all = update_all,
};

const struct map_ops map_ops_lru_hash = {
	HASH_OPS(hash_check_lru, lookup_lru),
	.direct = hash_direct_lru,
	.traits = TRAIT_USER_READ | TRAIT_FIELDS | TRAIT_INNER,
	.create_flags = HASH_FLAGS | MAP_NO_COMMON_LRU,
	.peek = lookup,
};

const struct map_ops map_ops_lru_percpu_hash = {
	HASH_OPS(hash_check_lru_percpu, lookup_lru),
	.direct = hash_direct_percpu,
	.traits = TRAIT_USER_READ | TRAIT_FIELDS | TRAIT_PERCPU | TRAIT_INNER,
	.create_flags = HASH_FLAGS | MAP_NO_COMMON_LRU,
	.peek = lookup_percpu,
	.update_all = update_all,
};

const struct map_ops map_ops_hash_of_maps = {
	.traits = TRAIT_USER_READ | TRAIT_REFS | TRAIT_OF_MAPS,
	.create_flags = HASH_FLAGS,
	.size = sizeof(struct hash),
	.check = hash_check_of_maps,
	.layout = hash_layout,
	.init = hash_init,
	.lookup = lookup_inner,
	.peek = peek_inner,
	.update_ref = update_ref,
	.delete = erase,
	.next_key = next_key,
};
