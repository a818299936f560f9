/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RINGBUF: many producers, one consumer, in the layout that Linux maps to users: a page
 * with the consumer's position, a page with the producers', the data, and the data once
 * more, so that every record is in one piece.  A record is announced (busy) under the
 * lock and filled without it; the position moves by one store, so that a process that
 * dies announces the record wholly or not at all.  A record that is never submitted
 * stops the consumer, as in Linux.  Positions only grow.
 * See Documentation/bpf/ringbuf.rst of Linux.
 */
#include "maps/family.h"
#include "maps/memory.h"

#define BUSY    (1u << 31)
#define DISCARD (1u << 30)

enum { HEADER = 8, PAGES = 3, PAGE_SHIFT = 12 };

/* Before the data of each record. */
struct record {
	_Atomic u32 len; /* and BUSY, DISCARD */
	u32 page_off;    /* pages of 4 KiB from the region's start, as in Linux */
};

struct ring_state {
	_Alignas(64) _Atomic u32 lock;
	_Atomic u32 wakeups;
	u64 pending; /* the oldest record that may be busy; guarded by lock */
};

struct ring {
	struct map map;
	u64 mask, data_off;
	/* In the region. */
	struct ring_state *state;
	_Atomic u64 *consumer, *producer;
	u8 *data;
};

static struct ring *ring_of(const struct map *map)
{
	return container_of(map, struct ring, map);
}

static int check(const struct map_attr *attr, struct skep_diag *diag)
{
	u32 size = attr->max_entries;

	if (attr->key_size)
		return map_refuse(attr, diag, "key_size", attr->key_size);
	if (attr->value_size)
		return map_refuse(attr, diag, "value_size", attr->value_size);
	if (!size || (size & (size - 1)) || size % map_page_size())
		return fail(diag, MAP_RING_SIZE, NO_PC, size);
	return 0;
}

static int layout(struct map *map, const struct map_attr *attr)
{
	struct ring *ring = ring_of(map);

	(void)attr;
	map->n_cpus = 1;
	ring->mask = map->max_entries - 1ull;
	ring->data_off = PAGES * map_page_size();
	map->region_size = ring->data_off + 2ull * map->max_entries;
	return 0;
}

static void *alloc(const struct map *map)
{
	return map_memory_ring(ring_of(map)->data_off, map->max_entries);
}

static int init(struct map *map, const struct map_attr *attr)
{
	struct ring *ring = ring_of(map);
	u64 page = map_page_size();

	(void)attr;
	ring->state = (struct ring_state *)(map->region + REGION_HEADER);
	ring->consumer = (_Atomic u64 *)(map->region + page);
	ring->producer = (_Atomic u64 *)(map->region + 2 * page);
	ring->data = map->region + ring->data_off;
	return 0;
}

static struct record *record_at(const struct ring *ring, u64 pos)
{
	return (struct record *)(ring->data + (pos & ring->mask));
}

static u64 record_size(u32 len)
{
	return round_up((len & ~DISCARD) + HEADER, 8);
}

/* ---- producers ---- */

/* Past the records at the old end that are busy no more. */
static u64 skip_finished(const struct ring *ring, u64 pending, u64 producer)
{
	while (pending < producer) {
		u32 len = atomic_load_explicit(&record_at(ring, pending)->len,
					       memory_order_relaxed);

		if (len & BUSY)
			break;
		pending += record_size(len);
	}
	return pending;
}

/* Under the lock. */
static struct record *announce(struct ring *ring, u32 size)
{
	u64 at = atomic_load_explicit(ring->producer, memory_order_relaxed);
	u64 consumer = atomic_load_explicit(ring->consumer, memory_order_acquire);
	u64 end = at + record_size(size);
	struct record *rec;

	/* The consumer's page is the user's to write: it may say anything. */
	ring->state->pending = skip_finished(ring, ring->state->pending, at);
	if (end - consumer > ring->mask || end - ring->state->pending > ring->mask)
		return NULL;
	rec = record_at(ring, at);
	atomic_store_explicit(&rec->len, size | BUSY, memory_order_relaxed);
	rec->page_off = (u32)((u64)((u8 *)rec - ring->map.region) >> PAGE_SHIFT);
	atomic_store_explicit(ring->producer, end, memory_order_release);
	__builtin_prefetch(record_at(ring, end), 1);
	return rec;
}

void *ringbuf_reserve(struct map *map, u64 size, u64 flags)
{
	struct ring *ring = ring_of(map);
	struct record *rec;

	if (flags || size > UINT32_MAX / 4 || record_size((u32)size) > ring->mask + 1)
		return NULL;
	/* An inherited lock guards nothing half done. */
	if (region_lock(map, &ring->state->lock) < 0)
		return NULL;
	rec = announce(ring, (u32)size);
	region_unlock(&ring->state->lock);
	return rec ? rec + 1 : NULL;
}

static void commit(struct map *map, void *data, u64 flags, u32 discard)
{
	struct ring *ring = ring_of(map);
	struct record *rec = (struct record *)data - 1;
	u32 len = atomic_load_explicit(&rec->len, memory_order_relaxed);
	u64 at = (u64)((u8 *)rec - ring->data);
	u64 consumer;

	/* Exchange, not store: the position below is read after it. */
	atomic_exchange(&rec->len, (len & ~BUSY) | discard);
	consumer = atomic_load(ring->consumer) & ring->mask;
	/* The consumer has seen all before this record: it may have gone to sleep. */
	if ((flags & RINGBUF_FORCE_WAKEUP) ||
	    (consumer == at && !(flags & RINGBUF_NO_WAKEUP)))
		atomic_fetch_add(&ring->state->wakeups, 1);
}

void ringbuf_submit(struct map *map, void *record, u64 flags)
{
	commit(map, record, flags, 0);
}

void ringbuf_discard(struct map *map, void *record, u64 flags)
{
	commit(map, record, flags, DISCARD);
}

int ringbuf_output(struct map *map, const void *data, u64 size, u64 flags)
{
	void *record;

	if (flags & ~(u64)(RINGBUF_NO_WAKEUP | RINGBUF_FORCE_WAKEUP))
		return -EINVAL;
	record = ringbuf_reserve(map, size, 0);
	if (!record)
		return -EAGAIN;
	memcpy(record, data, size);
	commit(map, record, flags, 0);
	return 0;
}

u64 ringbuf_query(const struct map *map, u64 what)
{
	const struct ring *ring = ring_of(map);
	u64 consumer = atomic_load_explicit(ring->consumer, memory_order_acquire);
	u64 producer = atomic_load_explicit(ring->producer, memory_order_acquire);

	switch (what) {
	case RINGBUF_AVAIL_DATA: return producer - consumer;
	case RINGBUF_SIZE: return ring->mask + 1;
	case RINGBUF_CONS_POS: return consumer;
	case RINGBUF_PROD_POS: return producer;
	}
	return 0;
}

_Atomic u32 *ringbuf_wakeups(struct map *map)
{
	return &ring_of(map)->state->wakeups;
}

/* ---- the consumer ---- */

s64 ringbuf_drain(struct map *map, ringbuf_record_fn fn, void *arg)
{
	struct ring *ring = ring_of(map);
	u64 at = atomic_load_explicit(ring->consumer, memory_order_relaxed);
	s64 n = 0;
	int stop = 0;

	while (!stop && at < atomic_load(ring->producer)) {
		struct record *rec = record_at(ring, at);
		u32 len = atomic_load_explicit(&rec->len, memory_order_acquire);

		if (len & BUSY)
			break;
		if (!(len & DISCARD)) {
			stop = fn(arg, rec + 1, len);
			n++;
		}
		at += record_size(len);
		atomic_store(ring->consumer, at);
	}
	return stop < 0 ? stop : n;
}

const struct map_ops map_ops_ringbuf = {
	.traits = TRAIT_INNER,
	.create_flags = MAP_NUMA_NODE,
	.size = sizeof(struct ring),
	.check = check,
	.layout = layout,
	.alloc = alloc,
	.init = init,
};
