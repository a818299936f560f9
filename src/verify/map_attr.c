/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Would Linux create this map?  Sizes, flags and special fields by type, one row each.
 *
 * Never does: create one; judge how programs use it (map_rules.c).  Semantics:
 * BPF_MAP_CREATE of bpf(2).
 */
#include "verify/map_attr.h"

#include "abi/abi.h"
#include "verify/record.h"

enum {
	ACCESS = MAP_RDONLY | MAP_WRONLY | MAP_RDONLY_PROG | MAP_WRONLY_PROG,
	USER_ACCESS = MAP_RDONLY | MAP_WRONLY,
};

enum {
	MAX_VALUE = 1 << 22,       /* what the kernel can allocate at once */
	MAX_ELEM = MAX_VALUE - 49, /* key and value of a hash, beside what heads them */
	MAX_LPM_VALUE = MAX_VALUE - 280,
	MAX_PERCPU_VALUE = 32 << 10, /* of one CPU */
	MAX_STORAGE_VALUE = 65407,
	MAX_LPM_KEY = 256,
	MAX_SOCKHASH_KEY = 512,
	MAX_STACK = 127, /* frames, as kernel.perf_event_max_stack is set at first */
	MAX_HASH_ENTRIES = 1 << 27,
	MAX_ARENA_PAGES = 1 << 20,
};

/* Sizes that are no number of bytes. */
enum {
	ANY = -1,        /* not 0 */
	FD = -2,         /* 4 or 8 */
	CGROUP_KEY = -3, /* an inode number, with or without the attach type */
	LPM_KEY = -4,
	STACK = -5,
};

enum entries {
	ENTRIES_SOME,
	ENTRIES_NONE,
	ENTRIES_ANY,
	ENTRIES_ONE,
	ENTRIES_PAGES,
	ENTRIES_ARENA
};

struct attr_row {
	s32 key, value; /* sizes */
	u32 flags;      /* the BPF_F_* it accepts */
	u8 entries;     /* enum entries */
	u32 max_value;  /* of ANY; 0: MAX_VALUE */
	u32 fields;     /* enum field_kind: what its values may have */
	u32 must;       /* flags */
};

enum {
	IN_HASH = FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK | FIELD_TIMER | FIELD_WORKQUEUE |
		  FIELD_TASK_WORK | FIELD_KPTR | FIELD_REFCOUNT | FIELD_GRAPH_ROOT,
	IN_LRU = FIELD_TIMER | FIELD_WORKQUEUE | FIELD_TASK_WORK | FIELD_KPTR |
		 FIELD_REFCOUNT | FIELD_GRAPH_ROOT,
	IN_PERCPU = FIELD_KPTR | FIELD_REFCOUNT,
	IN_STORAGE = FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK | FIELD_KPTR | FIELD_REFCOUNT,
	HASH_FLAGS = MAP_NO_PREALLOC | MAP_NO_COMMON_LRU | MAP_NUMA_NODE | ACCESS |
		     MAP_ZERO_SEED,
	ARRAY_FLAGS = MAP_NUMA_NODE | MAP_MMAPABLE | ACCESS | MAP_PRESERVE_ELEMS |
		      MAP_INNER_MAP,
	STORAGE_FLAGS = MAP_NO_PREALLOC | MAP_CLONE,
};

/* By type; a row without flags, sizes and entries: the type is not there. */
static const struct attr_row rows[] = {
	[MAP_TYPE_HASH] = {ANY, ANY, HASH_FLAGS & ~MAP_NO_COMMON_LRU, .fields = IN_HASH},
	[MAP_TYPE_ARRAY] = {4, ANY, ARRAY_FLAGS & ~MAP_PRESERVE_ELEMS,
			    .max_value = 0x7fffffff, .fields = IN_HASH},
	[MAP_TYPE_PROG_ARRAY] = {4, 4, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_PERF_EVENT_ARRAY] = {4, 4,
				       MAP_NUMA_NODE | USER_ACCESS | MAP_PRESERVE_ELEMS},
	[MAP_TYPE_PERCPU_HASH] = {ANY, ANY,
				  HASH_FLAGS & ~(MAP_NO_COMMON_LRU | MAP_NUMA_NODE),
				  .max_value = MAX_PERCPU_VALUE, .fields = IN_PERCPU},
	[MAP_TYPE_PERCPU_ARRAY] = {4, ANY, ACCESS, .max_value = MAX_PERCPU_VALUE,
				   .fields = IN_PERCPU},
	[MAP_TYPE_STACK_TRACE] = {4, STACK,
				  MAP_NUMA_NODE | USER_ACCESS | MAP_STACK_BUILD_ID},
	[MAP_TYPE_CGROUP_ARRAY] = {4, 4, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_LRU_HASH] = {ANY, ANY, HASH_FLAGS & ~MAP_NO_PREALLOC, .fields = IN_LRU},
	[MAP_TYPE_LRU_PERCPU_HASH] = {ANY, ANY,
				      HASH_FLAGS & ~(MAP_NO_PREALLOC | MAP_NUMA_NODE),
				      .max_value = MAX_PERCPU_VALUE, .fields = IN_PERCPU},
	[MAP_TYPE_LPM_TRIE] = {LPM_KEY, ANY, MAP_NO_PREALLOC | MAP_NUMA_NODE | ACCESS,
			       .max_value = MAX_LPM_VALUE, .must = MAP_NO_PREALLOC},
	[MAP_TYPE_ARRAY_OF_MAPS] = {4, 4, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_HASH_OF_MAPS] = {ANY, 4, HASH_FLAGS & ~MAP_NO_COMMON_LRU},
	[MAP_TYPE_DEVMAP] = {4, FD, MAP_NUMA_NODE | USER_ACCESS | MAP_RDONLY_PROG},
	[MAP_TYPE_SOCKMAP] = {4, FD, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_CPUMAP] = {4, FD, MAP_NUMA_NODE},
	[MAP_TYPE_XSKMAP] = {4, 4, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_SOCKHASH] = {ANY, FD, MAP_NUMA_NODE | USER_ACCESS},
	[MAP_TYPE_CGROUP_STORAGE] = {CGROUP_KEY, ANY, MAP_NUMA_NODE | ACCESS,
				     ENTRIES_NONE, .max_value = MAX_STORAGE_VALUE,
				     .fields = FIELD_SPIN_LOCK},
	[MAP_TYPE_REUSEPORT_SOCKARRAY] = {4, FD, MAP_NUMA_NODE | USER_ACCESS | ACCESS},
	[MAP_TYPE_PERCPU_CGROUP_STORAGE] = {CGROUP_KEY, ANY, MAP_NUMA_NODE | ACCESS,
					    ENTRIES_NONE, .max_value = MAX_PERCPU_VALUE},
	[MAP_TYPE_QUEUE] = {0, ANY, MAP_NUMA_NODE | ACCESS},
	[MAP_TYPE_STACK] = {0, ANY, MAP_NUMA_NODE | ACCESS},
	[MAP_TYPE_SK_STORAGE] = {4, ANY, STORAGE_FLAGS, ENTRIES_NONE,
				 .max_value = MAX_STORAGE_VALUE, .fields = IN_STORAGE,
				 .must = MAP_NO_PREALLOC},
	[MAP_TYPE_DEVMAP_HASH] = {4, FD, MAP_NUMA_NODE | USER_ACCESS | MAP_RDONLY_PROG},
	[MAP_TYPE_STRUCT_OPS] = {4, ANY, MAP_LINK | MAP_VTYPE_BTF_OBJ_FD, ENTRIES_ONE},
	[MAP_TYPE_RINGBUF] = {0, 0, MAP_NUMA_NODE, ENTRIES_PAGES},
	[MAP_TYPE_INODE_STORAGE] = {4, ANY, STORAGE_FLAGS, ENTRIES_NONE,
				    .max_value = MAX_STORAGE_VALUE, .fields = IN_STORAGE,
				    .must = MAP_NO_PREALLOC},
	[MAP_TYPE_TASK_STORAGE] = {4, ANY, STORAGE_FLAGS, ENTRIES_NONE,
				   .max_value = MAX_STORAGE_VALUE,
				   .fields = IN_STORAGE | FIELD_UPTR,
				   .must = MAP_NO_PREALLOC},
	[MAP_TYPE_BLOOM_FILTER] = {0, ANY, MAP_NUMA_NODE | MAP_ZERO_SEED | ACCESS},
	[MAP_TYPE_USER_RINGBUF] = {0, 0, MAP_NUMA_NODE, ENTRIES_PAGES},
	[MAP_TYPE_CGRP_STORAGE] = {4, ANY, STORAGE_FLAGS, ENTRIES_NONE,
				   .max_value = MAX_STORAGE_VALUE, .fields = IN_STORAGE,
				   .must = MAP_NO_PREALLOC},
	[MAP_TYPE_ARENA] = {0, 0, MAP_MMAPABLE | MAP_SEGV_ON_FAULT | MAP_NO_USER_CONV,
			    ENTRIES_ARENA, .must = MAP_MMAPABLE},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool is_hash(u32 type)
{
	return type == MAP_TYPE_HASH || type == MAP_TYPE_LRU_HASH ||
	       type == MAP_TYPE_PERCPU_HASH || type == MAP_TYPE_LRU_PERCPU_HASH ||
	       type == MAP_TYPE_HASH_OF_MAPS;
}

static bool entries_ok(const struct map_def *def, u8 entries)
{
	switch ((enum entries)entries) {
	case ENTRIES_SOME: /* perf_event arrays: their loader says how many CPUs */
		if (is_hash(def->type) && def->max_entries > MAX_HASH_ENTRIES)
			return false;
		return def->max_entries || def->type == MAP_TYPE_PERF_EVENT_ARRAY;
	case ENTRIES_NONE: return !def->max_entries;
	case ENTRIES_ONE: return def->max_entries == 1;
	case ENTRIES_PAGES: /* loaders round them up */ return def->max_entries;
	case ENTRIES_ARENA:
		return def->max_entries && def->max_entries <= MAX_ARENA_PAGES;
	case ENTRIES_ANY: return true;
	}
	return false;
}

/* A build id and an offset for each frame, or an address. */
static bool is_stack(u32 size, u32 flags)
{
	u32 frame = flags & MAP_STACK_BUILD_ID ? 32 : 8;

	return size && size % frame == 0 && size / frame <= MAX_STACK;
}

static bool size_ok(const struct map_def *def, s32 want, u32 size, u32 most)
{
	switch (want) {
	case ANY: return size && size <= most;
	case FD: return size == 4 || size == 8;
	case CGROUP_KEY: return size == 8 || size == 16;
	case LPM_KEY: return size > 4 && size <= MAX_LPM_KEY + 4;
	case STACK: return is_stack(size, def->flags);
	default: return size == (u32)want;
	}
}

/* What it has beside the sizes of its own. */
static bool value_fits(const struct map_def *def)
{
	return !is_hash(def->type) || (u64)def->key_size + def->value_size <= MAX_ELEM;
}

static int check_shape(struct env *env, const struct map_def *def,
		       const struct attr_row *row)
{
	u32 most = row->max_value ? row->max_value : MAX_VALUE;
	u32 most_key = def->type == MAP_TYPE_SOCKHASH ? MAX_SOCKHASH_KEY : MAX_VALUE;
	u32 access = def->flags & (MAP_RDONLY_PROG | MAP_WRONLY_PROG);

	if (def->flags & ~row->flags || (def->flags & row->must) != row->must ||
	    access == (MAP_RDONLY_PROG | MAP_WRONLY_PROG))
		return reject_at(env, NO_PC, MAP_FLAGS, def->name, def->flags);
	if (!size_ok(def, row->key, def->key_size, most_key))
		return reject_at(env, NO_PC, MAP_KEY_SIZE, def->name, def->key_size);
	if (!size_ok(def, row->value, def->value_size, most) || !value_fits(def))
		return reject_at(env, NO_PC, MAP_VALUE_SIZE, def->name, def->value_size);
	if (!entries_ok(def, row->entries))
		return reject_at(env, NO_PC, MAP_ENTRIES, def->name, def->max_entries);
	return 0;
}

static int check_type(struct env *env, const struct map_def *def)
{
	const struct abi_name *type = abi_map_type(def->type);

	if (!type || def->type >= ROWS || !(rows[def->type].flags | rows[def->type].must))
		return reject_at(env, NO_PC, NO_SUCH_MAP_TYPE, def->name, def->type);
	if (type->since > env->rules->version)
		return reject_at(env, NO_PC, MAP_TYPE_TOO_NEW, def->name, type->name,
				 type->since >> 16, type->since >> 8 & 0xff);
	return 0;
}

/* Those of which there is no map without types. */
static bool needs_types(u32 type)
{
	return type == MAP_TYPE_SK_STORAGE || type == MAP_TYPE_INODE_STORAGE ||
	       type == MAP_TYPE_TASK_STORAGE || type == MAP_TYPE_CGRP_STORAGE;
}

int map_attr_fields(struct env *env, const struct map_def *def)
{
	u32 fields = def->type < ROWS ? rows[def->type].fields : 0;
	/* a field that makes no sense is none: who uses it is refused */
	const struct record *rec = map_record(env, def);

	if (!rec || def->type == MAP_TYPE_STRUCT_OPS)
		return 0;
	if (!(rec->kinds & ~fields)) {
		if (!env->privileged)
			return reject_at(env, NO_PC, MAP_FIELDS_PRIVILEGED, def->name);
		if (!(def->flags & (MAP_RDONLY_PROG | MAP_WRONLY_PROG)))
			return 0;
	}
	/* Where types do not fit loaders make the map without: its fields are bytes. */
	if (needs_types(def->type))
		return reject_at(env, NO_PC, MAP_FIELDS, def->name);
	map_forget_record(env, def);
	return 0;
}

int map_attr_check(struct env *env, const struct map_def *def)
{
	int err = check_type(env, def);

	if (!err)
		err = check_shape(env, def, &rows[def->type]);
	if (!err)
		err = map_attr_fields(env, def);
	if (!err && def->inner)
		err = map_attr_check(env, def->inner);
	return err;
}
