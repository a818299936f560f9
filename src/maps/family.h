/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a family of map types implements, and what all families share: the header of a
 * region, locks that outlive their owner's process, copies of values that others may be
 * writing, references that slots hold.  Only src/maps includes this; a new family is one
 * file with a struct map_ops and a row in abi/map_types.def.
 */
#ifndef SKEP_MAPS_FAMILY_H
#define SKEP_MAPS_FAMILY_H

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "maps/map.h"

/* The start of every region: enough for another process to check that it maps what it
 * expects.  Written once, before the map is published. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

struct region_header {
	u32 type, key_size, value_size, max_entries, flags, n_cpus;
	u64 size;
	u64 seed; /* of the hash */
};

enum { REGION_ALIGN = 64, REGION_HEADER = 64 };

enum map_traits {
	TRAIT_PERCPU = 1 << 0,     /* a value for each CPU */
	TRAIT_REFS = 1 << 1,       /* slots refer to maps or programs */
	TRAIT_OF_MAPS = 1 << 2,    /* ... to maps */
	TRAIT_SPIN_LOCK = 1 << 3,  /* values may hold a bpf_spin_lock */
	TRAIT_FIELDS = 1 << 4,     /* values may hold timers, kptrs ... */
	TRAIT_INNER = 1 << 5,      /* may be inside of a map of maps */
	TRAIT_INNER_SIZE = 1 << 6, /* ... only with the template's max_entries */
	TRAIT_USER_READ = 1 << 7,  /* users may look up */
	TRAIT_INDEXED = 1 << 8,    /* map_is_indexed() */
	TRAIT_EXTRA = 1 << 9,      /* map_extra means something */
};

/*
 * All functions but check, layout and size may be NULL: users get -ENOTSUPP then,
 * programs -EINVAL or NULL.  cpu is always below the n_cpus that the map was made with.
 */
struct map_ops {
	u32 traits;
	u32 create_flags; /* the MAP_* that attr.flags may have */
	size_t size;      /* of the handle, which starts with struct map */
	int (*check)(const struct map_attr *attr, struct skep_diag *diag);
	/* Fills the handle's numbers and region_size from a checked attr. */
	int (*layout)(struct map *map, const struct map_attr *attr);
	/* region_size zeroed bytes; NULL: an anonymous mapping. */
	void *(*alloc)(const struct map *map);
	int (*init)(struct map *map, const struct map_attr *attr);

	void *(*lookup)(struct map *map, const void *key, u32 cpu);
	map_direct_fn (*direct)(const struct map *map); /* map_direct_lookup() */
	void *(*peek)(struct map *map, const void *key, u32 cpu); /* marks nothing */
	/* For users, where what lookup() found may become another's; NULL: it does not.
	 */
	int (*copy)(struct map *map, const void *key, void *value, u64 flags);
	int (*update)(struct map *map, const void *key, const void *value, u64 flags,
		      u32 cpu);
	/* A value for each CPU; NULL: as update(). */
	int (*update_all)(struct map *map, const void *key, const void *values,
			  u64 flags);
	int (*update_ref)(struct map *map, const void *key, struct map_ref *ref,
			  u64 flags);
	int (*delete)(struct map *map, const void *key, u32 cpu);
	int (*take)(struct map *map, const void *key, void *value, u64 flags);
	int (*next_key)(struct map *map, const void *key, void *next);
	s64 (*for_each)(struct map *map, u32 cpu, map_visit_fn visit, void *arg);
};

#define T(name, number, major, minor, ops) extern const struct map_ops map_ops_##ops;
#include "abi/map_types.def"
#undef T

/* MAP_RDONLY ... MAP_WRONLY_PROG, which every type but RINGBUF takes. */
#define MAP_ACCESS (MAP_RDONLY | MAP_WRONLY | MAP_RDONLY_PROG | MAP_WRONLY_PROG)

/* The largest kmalloc(), and the largest per-CPU allocation, of Linux on x86-64. */
enum { LINUX_KMALLOC_MAX = 1 << 22, LINUX_PERCPU_MAX = 32768 };

int map_check_access(const struct map_attr *attr, struct skep_diag *diag);
int map_refuse(const struct map_attr *attr, struct skep_diag *diag, const char *field,
	       u32 value);

static inline struct region_header *map_header(const struct map *map)
{
	return (struct region_header *)map->region;
}

/* The value of element number elem, of that CPU. */
static inline u8 *map_value(const struct map *map, u64 elem, u32 cpu)
{
	assert(cpu < map->n_cpus);
	return map->region + map->values_off + cpu * map->cpu_stride +
	       elem * map->value_stride;
}

/*
 * Locks: a word in the region that holds the owner's process, 0 when free.  A process
 * that dies does not free it; whoever waits takes it over and is told, so that it can
 * mend what was left half done.  Returns 0, LOCK_INHERITED, or -ETIMEDOUT as Linux does
 * when the owner lives and holds it for very long: two seconds.
 */
enum { LOCK_INHERITED = 1 };
int region_lock_wait(const struct map *map, _Atomic u32 *lock);

static inline int region_lock(const struct map *map, _Atomic u32 *lock)
{
	u32 nobody = 0;

	if (atomic_compare_exchange_strong_explicit(lock, &nobody, map->owner,
						    memory_order_acquire,
						    memory_order_relaxed))
		return 0;
	return region_lock_wait(map, lock);
}

static inline void region_unlock(_Atomic u32 *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

/*
 * Values are copied by words, each word whole, as programs may write them at the same
 * time.  Special fields are left out, on the way out they read as zeroes.
 * size: value_size, or its multiple of 8 for values of each CPU.
 */
void value_write(const struct map *map, void *value, const void *src, u32 size);
void value_read(const struct map *map, void *dst, const void *value, u32 size);
void value_zero(const struct map *map, void *value);  /* all of it, fields too */
void value_reset(const struct map *map, void *value); /* special fields but locks */
/* As BPF_F_LOCK: while holding the value's spin lock. */
void value_write_locked(const struct map *map, void *value, const void *src);
void value_read_locked(const struct map *map, void *dst, const void *value);
/* What a user gets of the value at at (CPU 0's, if it is per-CPU). */
void map_copy_out(struct map *map, const u8 *at, void *value, u64 flags);
bool map_has_spin_lock(const struct map *map);

/* References in slots.  A reference that left its slot is kept until map_reclaim(). */
struct map_ref {
	void *object;         /* counted, by ops */
	struct map_ref *next; /* among the retired */
	u32 id;
};

struct map_refs {
	const struct map_ref_ops *ops;     /* borrowed, static for maps */
	_Atomic(struct map_ref *) retired; /* owned list */
	u64 size;                          /* bytes of all of this */
	_Atomic u32 used;                  /* slots from here on were never set */
	_Atomic(struct map_ref *) slots[]; /* owned */
};

extern const struct map_ref_ops map_inner_ref_ops;

struct map_refs *map_refs_new(u32 n_slots, const struct map_ref_ops *ops);
void map_refs_free(struct map_refs *refs);
struct map_ref *map_ref_new(const struct map_refs *refs, void *object);
void map_ref_free(const struct map_refs *refs, struct map_ref *ref);
/* Puts a reference, or NULL, into the slot and retires what was there; was there any? */
bool map_ref_put(struct map_refs *refs, u32 slot, struct map_ref *ref);
u32 map_type_traits(u32 type); /* of a type that map_layout() took */
int map_inner_check(const struct map_attr *attr, struct skep_diag *diag);

static inline void *map_ref_object(const struct map *map, u32 slot)
{
	struct map_ref *ref =
		atomic_load_explicit(&map->refs->slots[slot], memory_order_acquire);

	return ref ? ref->object : NULL;
}

/* Where a user reads the id of what is in the slot; NULL: nothing. */
static inline void *map_ref_id(const struct map *map, u32 slot)
{
	struct map_ref *ref =
		atomic_load_explicit(&map->refs->slots[slot], memory_order_acquire);

	return ref ? &ref->id : NULL;
}

/* What arrays have in common; array.c. */
int array_check(const struct map_attr *attr, struct skep_diag *diag);
int array_next_key(struct map *map, const void *key, void *next);
/* ... and arrays of references; prog_array.c. */
enum { REF_ARRAY_FLAGS = MAP_NUMA_NODE | MAP_RDONLY | MAP_WRONLY };
int ref_array_check(const struct map_attr *attr, struct skep_diag *diag);
int ref_array_layout(struct map *map, const struct map_attr *attr);
int ref_array_init(struct map *map, const struct map_ref_ops *ops);
int ref_array_update(struct map *map, const void *key, struct map_ref *ref, u64 flags);
int ref_array_delete(struct map *map, const void *key, u32 cpu);
void *ref_array_id(struct map *map, const void *key, u32 cpu);

#endif
