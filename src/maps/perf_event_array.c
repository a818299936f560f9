/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PERF_EVENT_ARRAY: one ring of samples a CPU, written only by the program that runs on
 * that CPU, read by one consumer, so that neither needs a lock: each moves its own
 * position, by one store.  A slot is the ring of the CPU with its number, once a user has
 * opened it; what finds no room is counted, and reported in front of the next sample that
 * does.  A sample is in one piece: the end of the ring is skipped where it does not fit.
 * See perf_event_open(2), and bpf_perf_event_output() in bpf-helpers(7).
 */
#include "maps/family.h"
#include "maps/memory.h"

enum { RING_DEFAULT = 256 << 10, RING_MAX = 1 << 30 };
enum record_type { RECORD_SKIP, RECORD_LOST, RECORD_SAMPLE };

/* Before each record; records are multiples of 8 bytes. */
struct record {
	u32 type;
	u32 size; /* of what follows */
};

struct cpu_ring {
	_Alignas(64) _Atomic u64 producer; /* position, only grows */
	_Atomic u64 lost;                  /* since the slot was opened */
	u64 lost_told;                     /* of those, in LOST records; the producer's */
	_Atomic u32 open;
	_Alignas(64) _Atomic u64 consumer;
};

struct perf {
	struct map map;
	u64 ring_size, rings_off, ring_stride;
};

static struct perf *perf_of(const struct map *map)
{
	return container_of(map, struct perf, map);
}

static struct cpu_ring *cpu_ring(const struct perf *p, u32 cpu)
{
	return (struct cpu_ring *)(p->map.region + p->rings_off + cpu * p->ring_stride);
}

static u8 *ring_at(const struct perf *p, struct cpu_ring *ring, u64 pos)
{
	return (u8 *)(ring + 1) + (pos & (p->ring_size - 1));
}

/* ---- creation ---- */

static int check(const struct map_attr *attr, struct skep_diag *diag)
{
	u32 size = attr->perf_ring_size;

	if (size && (size < 4096 || size > RING_MAX || (size & (size - 1))))
		return fail(diag, MAP_RING_SIZE, NO_PC, size);
	return ref_array_check(attr, diag);
}

static int layout(struct map *map, const struct map_attr *attr)
{
	struct perf *p = perf_of(map);

	map->value_stride = 4;
	p->ring_size = attr->perf_ring_size ? attr->perf_ring_size : RING_DEFAULT;
	p->rings_off = round_up(REGION_HEADER, REGION_ALIGN);
	p->ring_stride = round_up(sizeof(struct cpu_ring) + p->ring_size, REGION_ALIGN);
	map->region_size = p->rings_off + p->ring_stride * map->n_cpus;
	return 0;
}

int perf_event_open_slot(struct map *map, u32 index)
{
	struct perf *p = perf_of(map);

	if (index >= map->max_entries)
		return -E2BIG;
	if (index >= map->n_cpus)
		return -ENODEV;
	atomic_store_explicit(&cpu_ring(p, index)->open, 1, memory_order_release);
	return 0;
}

static int erase(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	(void)cpu;
	if (index >= map->max_entries)
		return -E2BIG;
	if (index >= map->n_cpus)
		return -ENOENT;
	return atomic_exchange(&cpu_ring(perf_of(map), index)->open, 0) ? 0 : -ENOENT;
}

/* ---- the producer ---- */

/* A record of size bytes at the producer's position pos, which moves past it.  NULL: no
 * room. */
static u8 *append(const struct perf *p, struct cpu_ring *ring, u64 *pos,
		  struct record header)
{
	u64 size = sizeof(header) + header.size;
	u64 end_room = p->ring_size - (*pos & (p->ring_size - 1));
	u64 skip = size > end_room ? end_room : 0;
	u64 consumer = atomic_load_explicit(&ring->consumer, memory_order_acquire);
	struct record skipped = {.type = RECORD_SKIP,
				 .size = (u32)(skip - sizeof(header))};
	u8 *at;

	if (*pos - consumer + skip + size > p->ring_size)
		return NULL;
	if (skip)
		memcpy(ring_at(p, ring, *pos), &skipped, sizeof(skipped));
	at = ring_at(p, ring, *pos + skip);
	memcpy(at, &header, sizeof(header));
	*pos += skip + size;
	return at + sizeof(header);
}

static bool tell_lost(const struct perf *p, struct cpu_ring *ring, u64 *pos)
{
	u64 lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
	u8 *at;

	if (lost == ring->lost_told)
		return true;
	at = append(p, ring, pos, (struct record){RECORD_LOST, sizeof(lost)});
	if (!at)
		return false;
	store_u64(at, lost - ring->lost_told);
	return true;
}

static int output(const struct perf *p, struct cpu_ring *ring, const struct bytes *parts,
		  u32 n_parts, u32 len)
{
	u64 pos = atomic_load_explicit(&ring->producer, memory_order_relaxed);
	u64 lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
	/* What users see is padded so, as perf puts a 32-bit size in front. */
	u32 padded = (u32)round_up(len + 4ull, 8) - 4;
	u8 *at = NULL;

	if (tell_lost(p, ring, &pos))
		at = append(p, ring, &pos, (struct record){RECORD_SAMPLE, padded + 4});
	if (!at) {
		atomic_store_explicit(&ring->lost, lost + 1, memory_order_relaxed);
		return -ENOSPC;
	}
	memset(at + len, 0, padded + 4 - len);
	for (u32 i = 0; i < n_parts; at += parts[i++].len)
		if (parts[i].len)
			memcpy(at, parts[i].data, parts[i].len);
	ring->lost_told = lost;
	atomic_store_explicit(&ring->producer, pos, memory_order_release);
	return 0;
}

int perf_event_output(struct map *map, u64 flags, u32 cpu, const struct bytes *parts,
		      u32 n_parts)
{
	/* perf's record: header and size in 16 bits. */
	enum { SAMPLE_MAX = UINT16_MAX - 12 };
	struct perf *p = perf_of(map);
	u64 index = flags & PERF_F_CURRENT_CPU, len = 0;

	if (flags & ~(u64)PERF_F_CURRENT_CPU)
		return -EINVAL;
	if (index == PERF_F_CURRENT_CPU)
		index = cpu;
	if (index >= map->max_entries)
		return -E2BIG;
	if (index >= map->n_cpus ||
	    !atomic_load_explicit(&cpu_ring(p, (u32)index)->open, memory_order_acquire))
		return -ENOENT;
	if (index != cpu)
		return -EOPNOTSUPP;
	for (u32 i = 0; i < n_parts; i++)
		len += parts[i].len;
	if (len > SAMPLE_MAX)
		return -E2BIG;
	return output(p, cpu_ring(p, cpu), parts, n_parts, (u32)len);
}

/* ---- the consumer ---- */

/* Hands one record over; counts samples, or gives the handler's negative answer. */
static int hand_over(u32 cpu, const struct record *rec,
		     const struct perf_event_handler *handler, s64 *n)
{
	int err;

	if (rec->type == RECORD_LOST && handler->lost)
		handler->lost(handler->arg, cpu, load_u64(rec + 1));
	if (rec->type != RECORD_SAMPLE)
		return 0;
	err = handler->sample(handler->arg, cpu, rec + 1, rec->size - 4);
	++*n;
	return err < 0 ? err : 0;
}

s64 perf_event_drain(struct map *map, u32 cpu, const struct perf_event_handler *handler)
{
	struct perf *p = perf_of(map);
	struct cpu_ring *ring;
	u64 at;
	s64 n = 0;

	if (cpu >= map->n_cpus)
		return -EINVAL;
	ring = cpu_ring(p, cpu);
	at = atomic_load_explicit(&ring->consumer, memory_order_relaxed);
	while (at != atomic_load_explicit(&ring->producer, memory_order_acquire)) {
		const struct record *rec = (const struct record *)ring_at(p, ring, at);
		int err = hand_over(cpu, rec, handler, &n);

		at += sizeof(*rec) + rec->size;
		atomic_store_explicit(&ring->consumer, at, memory_order_release);
		if (err)
			return err;
	}
	return n;
}

u64 perf_event_lost(const struct map *map, u32 cpu)
{
	if (cpu >= map->n_cpus)
		return 0;
	return atomic_load_explicit(&cpu_ring(perf_of(map), cpu)->lost,
				    memory_order_relaxed);
}

const struct map_ops map_ops_perf_event_array = {
	.traits = TRAIT_INNER,
	.create_flags = REF_ARRAY_FLAGS | MAP_PRESERVE_ELEMS,
	.size = sizeof(struct perf),
	.check = check,
	.layout = layout,
	.delete = erase,
	.next_key = array_next_key,
};
