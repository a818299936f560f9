/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: state shared between programs and their user, with Linux's semantics, flags and
 * errno values.  A map is one region of memory that holds offsets and never pointers, and
 * a process-local handle, struct map, that knows what the region means.  Look-ups take
 * no lock and write nothing shared (LRU marks an element as used, once).
 *
 * Two sides: programs get addresses into the region, for the CPU they run on; users get
 * and give copies, of every CPU's value for per-CPU types, as through bpf(2).  Any thread
 * may call any function at any time; at most one program runs on a CPU at once.
 */
#ifndef SKEP_MAPS_MAP_H
#define SKEP_MAPS_MAP_H

#include "abi/abi.h"
#include "base/types.h"

struct bytes;
struct map_ops;
struct map_ref;
struct map_refs;
struct run;
struct skep_diag;

/* Updates: BPF_ANY ... BPF_F_LOCK */
enum map_update_flags { MAP_ANY = 0, MAP_NOEXIST = 1, MAP_EXIST = 2, MAP_F_LOCK = 4 };

enum {
	MAP_NAME_LEN = 16,
	MAP_ENOTSUPP = 524, /* what Linux says for operations that a type lacks */
	MAP_FIELDS = 11,
};

/* A part of the value that users neither see nor set: bpf_spin_lock, bpf_timer, kptrs. */
struct map_field {
	u32 off, size;
	bool is_spin_lock;     /* bpf_spin_lock; of both at most one: 4 bytes, aligned */
	bool is_res_spin_lock; /* bpf_res_spin_lock */
};

static inline bool map_field_is_lock(const struct map_field *field)
{
	return field->is_spin_lock || field->is_res_spin_lock;
}

/* How a map of programs counts what its slots hold (prog_array). */
struct map_ref_ops {
	void (*retain)(void *ref); /* NULL: not counted */
	void (*release)(void *ref);
	u32 (*id)(const void *ref); /* what a user reads; NULL: 0 */
};

/* What to create.  Zeroes are a good start. */
struct map_attr {
	u32 type, key_size, value_size, max_entries, flags; /* union bpf_attr's */
	u64 extra;                                          /* map_extra */
	u32 n_cpus;                     /* copies of per-CPU values, rings; 0: 1 */
	u32 perf_ring_size;             /* bytes a CPU, perf_event_array; 0: 256 KiB */
	const char *name;               /* borrowed; NULL: none */
	const struct map_attr *inner;   /* borrowed; template of a map of maps */
	const struct map_field *fields; /* borrowed, sorted by offset */
	u32 n_fields;
	const struct map_ref_ops *refs; /* borrowed for the life of the map; NULL: none */
	bool has_seed;                  /* hash with this seed, not a random one */
	u64 seed;
	u32 id; /* what users tell maps apart by; 0: a random one */
};

/* The handle.  Read it freely; only src/maps writes. */
struct map {
	const struct map_ops *ops; /* static */
	u8 *region;                /* owned */
	u64 region_size;
	u32 type, key_size, value_size, max_entries, flags;
	u32 value_stride; /* bytes from one value to the next of the same CPU */
	u32 n_cpus;       /* 1 unless the type is per-CPU */
	u32 cpus;         /* that runs may be on, whatever the type */
	u64 values_off;   /* of CPU 0's value of element 0; LPM, hash: in the region */
	u64 values_size;  /* bytes of all elements of one CPU */
	u64 cpu_stride;   /* from a CPU's values to the next CPU's */
	struct map_refs *refs;    /* owned; what slots refer to; NULL: none */
	struct map_attr *inner;   /* owned; template; NULL: no map of maps */
	struct map_field *fields; /* owned array */
	u32 n_fields;
	u32 id;            /* attr.id */
	u32 owner;         /* this process, in lock words */
	_Atomic u32 count; /* of references */
	_Atomic bool frozen;
	u64 extra;
	char name[MAP_NAME_LEN];
};

/* Where compiled code finds what a slot of a prog-array refers to: at byte refs of a
 * struct map is a pointer, slots behind that are pointers, one a slot, that are NULL or
 * lead to what has the object's address at byte object. */
struct map_ref_layout {
	u32 refs, slots, object;
};
extern const struct map_ref_layout map_ref_layout;

/* ---- life ---- */

/* One reference for the caller.  Refuses what Linux refuses, with its errno, before
 * anything is allocated; MAP_TYPE_UNSUPPORTED for types that skep lacks so far. */
int map_new(const struct map_attr *attr, struct map **out, struct skep_diag *diag);
struct map *map_get(struct map *map);
void map_put(struct map *map); /* NULL is fine */

/* What the region of such a map would take: all of it is address space, and only what is
 * used becomes memory. */
int map_layout(const struct map_attr *attr, u64 *size, struct skep_diag *diag);

/* "LPM_TRIE", or NULL for numbers that Linux 6.18 does not know. */
const char *map_type_name(u32 type);

/* ---- program side: as the helpers, on this CPU ---- */

/* The value, or NULL; for maps of maps the inner struct map *, for prog-arrays NULL
 * (Linux has programs tail-call only).  key: key_size bytes, any alignment. */
void *map_lookup(struct map *map, const void *key, u32 cpu);
/*
 * The same, made for this map's type and key size, for compiled code: the shape of a
 * helper's body, of whose arguments it reads map, key and, for per-CPU types, cpu. The
 * value's address or 0.  It never ends the run.  NULL: there is only map_lookup().
 */
typedef u64 (*map_direct_fn)(struct run *run, u64 map, u64 key, u64 cpu, u64 r4, u64 r5);
map_direct_fn map_direct_lookup(const struct map *map);
/* bpf_map_lookup_percpu_elem() */
void *map_lookup_cpu(struct map *map, const void *key, u32 of_cpu);
int map_update(struct map *map, const void *key, const void *value, u64 flags, u32 cpu);
int map_delete(struct map *map, const void *key, u32 cpu);

/*
 * bpf_for_each_map_elem(): every element; key and value point into the map, or key to
 * memory that lives as long as the call.  visit returns non-zero to stop.  Returns the
 * number of elements visited, or -EINVAL for types without it.
 */
typedef u64 (*map_visit_fn)(struct map *map, const void *key, void *value, void *arg);
s64 map_for_each(struct map *map, u32 cpu, map_visit_fn visit, void *arg);

/* Tail calls: what is in the slot, borrowed for the rest of the run; NULL: nothing. */
void *map_prog(struct map *map, u32 index);

static inline bool map_prog_may_read(const struct map *map)
{
	return !(map->flags & MAP_WRONLY_PROG);
}

static inline bool map_prog_may_write(const struct map *map)
{
	return !(map->flags & MAP_RDONLY_PROG);
}

/* Does nobody write its values any more, neither users nor verified programs? */
bool map_holds_constants(const struct map *map);
bool map_is_percpu(const struct map *map);
bool map_is_of_maps(const struct map *map);
/* Is the key a u32 below max_entries, the number of an element, whose value is in the
 * region at values_off + key * value_stride (+ cpu * cpu_stride), always? */
bool map_is_indexed(const struct map *map);
/* May programs call bpf_for_each_map_elem()? */
bool map_has_for_each(const struct map *map);

/* ---- direct values: LDDW_MAP_IDX_VALUE ---- */

/* Address of byte off of an ARRAY's values, or NULL with -errno: -ENOTSUPP for other
 * types, -EINVAL past the end (Linux: only arrays of one element).  Of an ARENA: what its
 * user calls that byte; -ERANGE past the end. */
int map_value_addr(const struct map *map, u64 off, void **addr);

struct map_value_range {
	void *start; /* of the one value that addr is in */
	u32 len;     /* value_size */
	u32 offset;  /* addr - start */
	u32 elem;    /* number of the element in the region */
};

/* Is addr inside a value of this map?  Not in keys, links, padding or other processes'
 * business.  Ring-buffer records are not values. */
bool map_find_value(const struct map *map, const void *addr, struct map_value_range *out);

/* ---- user side: as bpf(2), values copied ---- */

/* Bytes of the value as users see it: value_size, or a multiple of 8 a CPU. */
u64 map_user_value_size(const struct map *map);

/* flags: MAP_F_LOCK; key NULL where key_size is 0.  For maps of references the value read
 * is the u32 id. */
int map_user_lookup(struct map *map, const void *key, void *value, u64 flags);
int map_user_update(struct map *map, const void *key, const void *value, u64 flags);
int map_user_delete(struct map *map, const void *key);
int map_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags);
/* key NULL: the first; -ENOENT after the last. */
int map_user_next_key(struct map *map, const void *key, void *next);
int map_freeze(struct map *map);

/*
 * Maps of maps and prog-arrays: put a reference (struct map *, or what refs counts) into
 * a slot, as users do with file descriptors.  Replaced references are kept until
 * map_reclaim(), because a program may still use them.
 */
int map_update_ref(struct map *map, const void *key, void *object, u64 flags);
/* Would a program that was judged with attr work with this map?  Of the same type, sizes
 * and flags. */
bool map_fits(const struct map *map, const struct map_attr *attr);
/* Release what was replaced; the caller knows that no program uses this map now. */
void map_reclaim(struct map *map);

/* ---- ring buffer ---- */

enum ringbuf_flags { RINGBUF_NO_WAKEUP = 1, RINGBUF_FORCE_WAKEUP = 2 };
enum ringbuf_query {
	RINGBUF_AVAIL_DATA,
	RINGBUF_SIZE,
	RINGBUF_CONS_POS,
	RINGBUF_PROD_POS
};

/* size bytes in one piece, or NULL when the ring is full or size is impossible. */
void *ringbuf_reserve(struct map *map, u64 size, u64 flags);
/* record: as ringbuf_reserve() gave it. */
void ringbuf_submit(struct map *map, void *record, u64 flags);
void ringbuf_discard(struct map *map, void *record, u64 flags);
int ringbuf_output(struct map *map, const void *data, u64 size, u64 flags);
u64 ringbuf_query(const struct map *map, u64 what);

/* One record; non-zero stops the drain, after this record. */
typedef int (*ringbuf_record_fn)(void *arg, const void *data, u32 size);
/* All committed records in order, one consumer at a time.  Returns how many, or what
 * the callback returned when that was negative. */
s64 ringbuf_drain(struct map *map, ringbuf_record_fn fn, void *arg);
/* Wake-ups so far (modulo 2^32): a futex word that consumers may wait for. */
_Atomic u32 *ringbuf_wakeups(struct map *map);

/* ---- perf event array: one ring a CPU, written only by the program on that CPU ---- */

enum { PERF_F_CURRENT_CPU = 0xffffffffu };

/* Opens the slot index for CPU index, as a user's BPF_MAP_UPDATE_ELEM with a
 * perf-event descriptor does.  -E2BIG past max_entries, -ENODEV for a CPU that the map
 * has no ring for. */
int perf_event_open_slot(struct map *map, u32 index);

/* bpf_perf_event_output(): the parts, one after another, are one sample. */
int perf_event_output(struct map *map, u64 flags, u32 cpu, const struct bytes *parts,
		      u32 n_parts);

struct perf_event_handler {
	int (*sample)(void *arg, u32 cpu, const void *data, u32 size);
	void (*lost)(void *arg, u32 cpu, u64 count); /* NULL: not wanted */
	void *arg;
};
/* All samples of one CPU in order; a negative result of sample() stops and is
 * returned.  One consumer a CPU at a time. */
s64 perf_event_drain(struct map *map, u32 cpu, const struct perf_event_handler *handler);
u64 perf_event_lost(const struct map *map, u32 cpu); /* since the slot was opened */

/* ---- arena ---- */

/*
 * Programs know a byte by the lower half of the address that its user has for it; they
 * reach it at window + (u32)pointer + offset, which always is memory.  Bytes of pages
 * that are not there read as 0 and must not be written: the byte of the table that has
 * the page's number (address in the window / ARENA_PAGE, less than 0 in the guard before)
 * says ARENA_HERE.
 */
enum {
	ARENA_PAGE_SHIFT = 12,
	ARENA_PAGE = 1 << ARENA_PAGE_SHIFT,
	ARENA_GUARD = 1 << 16, /* more than an instruction's offset reaches, on both
				  sides */
	ARENA_STATE = 64,      /* in the region, as is: */
	ARENA_TABLE = ARENA_PAGE + ARENA_GUARD / ARENA_PAGE, /* page 0's byte */
	ARENA_HERE = 1,
};

struct arena_state {
	u64 user;  /* where the arena starts for its user */
	u64 upper; /* the upper half of its pointers */
	_Atomic u32 lock;
	/* guarded by lock; pages: */
	u32 low;  /* all before are taken */
	u32 used; /* none from here on ever was */
};

static inline struct arena_state *map_arena_state(const struct map *map)
{
	return (struct arena_state *)(map->region + ARENA_STATE);
}

static inline u8 *map_arena_window(const struct map *map)
{
	return map->region + map->values_off;
}

static inline u8 *map_arena_table(const struct map *map)
{
	return map->region + ARENA_TABLE;
}

/* ADDR_SPACE_CAST: from 1 to 0 (imm 1) gives what programs use, from 0 to 1 the address
 * that users know. */
static inline bool map_arena_keeps_upper(const struct map *map, s32 imm)
{
	return imm != 1 && !(map->flags & MAP_NO_USER_CONV);
}

static inline u64 map_arena_cast(const struct map *map, s32 imm, u64 value)
{
	u32 low = (u32)value;

	return low && map_arena_keeps_upper(map, imm) ? map_arena_state(map)->upper | low
						      : low;
}

/* bpf_arena_alloc_pages() and its family.  address: as the user knows it, or 0. */
u64 map_arena_alloc(struct map *map, u64 address, u32 n);
void map_arena_free(struct map *map, u64 address, u32 n);
int map_arena_reserve(struct map *map, u64 address, u32 n);

/* A user comes to these bytes: pages that are not there come into being, as by a page
 * fault in Linux.  Where they are; NULL: not in the arena, or BPF_F_SEGV_ON_FAULT. */
void *map_arena_touch(struct map *map, u64 address, u64 size);

/* ---- bpf_spin_lock ---- */

/* The lock word of a value, as bpf_spin_lock() and BPF_F_LOCK take it. */
void map_spin_lock(_Atomic u32 *lock);
bool map_spin_lock_within(_Atomic u32 *lock, u64 ns); /* false: somebody holds it still */
void map_spin_unlock(_Atomic u32 *lock);

#endif
