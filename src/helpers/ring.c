/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events for user space: ring buffers and perf event arrays.
 *
 * Records that a program reserved are noted in its run, so that an engine knows what may
 * be written and run_end() what was forgotten.  A run that holds RUN_RECORDS of them
 * finds the ring full.
 */
#include "base/bytes.h"
#include "base/diag.h"
#include "helpers/bodies.h"
#include "maps/map.h"

/* The map of an argument; NULL and a violation when it is of another type: rings have no
 * element that could be mistaken for one. */
static struct map *map_of_type(struct run *run, u64 arg, u32 type)
{
	struct map *map = pointer(arg);

	if (map->type == type)
		return map;
	run->err = fail(run->diag, WRONG_MAP, NO_PC, map_type_name(map->type),
			map_type_name(type));
	return NULL;
}

/* ---- ring buffer ---- */

/* The row of this record, or RUN_RECORDS. */
static u32 find_record(const struct run *run, const void *data)
{
	for (u32 held = run->held; held; held &= held - 1) {
		u32 row = (u32)__builtin_ctz(held);

		if (run->records[row].data == data)
			return row;
	}
	return RUN_RECORDS;
}

HELPER(ringbuf_output)
{
	struct map *map = map_of_type(run, r1, MAP_TYPE_RINGBUF);

	return map ? answer(ringbuf_output(map, pointer(r2), r3, r4)) : 0;
}

HELPER(ringbuf_reserve)
{
	struct map *map = map_of_type(run, r1, MAP_TYPE_RINGBUF);
	u32 row = (u32)__builtin_ctz(~run->held);
	void *data;

	if (!map || r3 || row >= RUN_RECORDS)
		return 0;
	data = ringbuf_reserve(map, r2, 0);
	if (!data)
		return 0;
	run->records[row] = (struct run_record){map, data, (u32)r2};
	run->held |= 1u << row;
	return (uintptr_t)data;
}

/* Ends a record's life in the run: its map, or NULL and a violation. */
static struct map *take_record(struct run *run, u64 data)
{
	u32 row = find_record(run, pointer(data));

	if (row == RUN_RECORDS) {
		run->err =
			fail(run->diag, RECORD_UNKNOWN, NO_PC, (unsigned long long)data);
		return NULL;
	}
	run->held &= ~(1u << row);
	return run->records[row].map;
}

HELPER(ringbuf_submit)
{
	struct map *map = take_record(run, r1);

	if (map)
		ringbuf_submit(map, pointer(r1), r2);
	return 0;
}

HELPER(ringbuf_discard)
{
	struct map *map = take_record(run, r1);

	if (map)
		ringbuf_discard(map, pointer(r1), r2);
	return 0;
}

HELPER(ringbuf_query)
{
	const struct map *map = map_of_type(run, r1, MAP_TYPE_RINGBUF);

	return map ? ringbuf_query(map, r2) : 0;
}

/* ---- perf event array ---- */

enum { MAX_PARTS = 2 + PACKET_MAX_FRAGS };

/* The first len bytes of the packet as parts; returns how many. */
static u32 packet_parts(const struct packet *p, u64 len, struct bytes *parts)
{
	u32 n = 0;

	parts[n] = (struct bytes){p->data, min_u64(len, packet_linear_len(p))};
	len -= parts[n++].len;
	for (u32 i = 0; len; i++) {
		parts[n] =
			(struct bytes){p->frags[i].data, min_u64(len, p->frags[i].len)};
		len -= parts[n++].len;
	}
	return n;
}

HELPER(perf_event_output)
{
	u64 packet_bytes = (r3 & BPF_F_CTXLEN_MASK) >> 32;
	struct bytes parts[MAX_PARTS] = {{pointer(r4), r5}};
	struct map *map = map_of_type(run, r2, MAP_TYPE_PERF_EVENT_ARRAY);
	u32 n = 1;

	if (!map)
		return 0;
	if (r3 & ~(BPF_F_INDEX_MASK | (run->packet ? BPF_F_CTXLEN_MASK : 0)))
		return answer(-EINVAL);
	if (packet_bytes > (run->packet ? packet_len(run->packet) : 0))
		return answer(-EFAULT);
	if (packet_bytes)
		n += packet_parts(run->packet, packet_bytes, parts + 1);
	return answer(perf_event_output(map, r3 & BPF_F_INDEX_MASK, run->cpu, parts, n));
}
