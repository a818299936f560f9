/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is true of every map: life, the rules that Linux has for all types, the side of
 * the user, locks of the region.  Types are known here only as rows of abi/map_types.def;
 * what differs between them is asked of their map_ops.  Locks are never held across calls
 * to the outside.  See bpf(2), and Documentation/bpf/maps.rst of Linux.
 */
#include <ctype.h>
#include <stdlib.h>

#include "maps/family.h"
#include "maps/memory.h"

/* Types that Linux has and skep lacks so far. */
const struct map_ops map_ops_none;

static const struct {
	const char *name;
	const struct map_ops *ops;
} types[] = {
#define T(name, number, major, minor, ops) [number] = {#name, &map_ops_##ops},
#include "abi/map_types.def"
#undef T
};

const char *map_type_name(u32 type)
{
	return type < ARRAY_SIZE(types) ? types[type].name : NULL;
}

u32 map_type_traits(u32 type)
{
	return types[type].ops->traits;
}

/* ---- may such a map exist? ---- */

int map_refuse(const struct map_attr *attr, struct skep_diag *diag, const char *field,
	       u32 value)
{
	return fail(diag, MAP_ATTR, NO_PC, map_type_name(attr->type), field, value);
}

int map_check_access(const struct map_attr *attr, struct skep_diag *diag)
{
	const u32 none = MAP_RDONLY_PROG | MAP_WRONLY_PROG;

	if ((attr->flags & none) == none)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "neither readable nor writable for programs");
	return 0;
}

static int check_name(const struct map_attr *attr, struct skep_diag *diag)
{
	size_t i;

	for (i = 0; attr->name && attr->name[i]; i++)
		if (i == MAP_NAME_LEN - 1 ||
		    !(isalnum((u8)attr->name[i]) || strchr("_.", attr->name[i])))
			return fail(diag, MAP_NAME, NO_PC, MAP_NAME_LEN - 1);
	return 0;
}

static int check_field(const struct map_attr *attr, const struct map_field *f, u64 from)
{
	if (f->off < from || f->off > attr->value_size || !f->size ||
	    f->size > attr->value_size - f->off)
		return -1;
	return map_field_is_lock(f) && (f->size != 4 || f->off % 4) ? -1 : 0;
}

static int check_fields(const struct map_attr *attr, const struct map_ops *ops,
			struct skep_diag *diag)
{
	u32 end = 0, locks = 0;

	if (!attr->n_fields)
		return 0;
	if (attr->n_fields > MAP_FIELDS)
		return map_refuse(attr, diag, "the number of special fields",
				  attr->n_fields);
	if (attr->flags & (MAP_RDONLY_PROG | MAP_WRONLY_PROG))
		return fail(diag, MAP_FIELD_ACCESS, NO_PC, map_type_name(attr->type));
	for (u32 i = 0; i < attr->n_fields; i++) {
		const struct map_field *f = &attr->fields[i];

		if (check_field(attr, f, end))
			return map_refuse(attr, diag, "the offset of a special field",
					  f->off);
		end = f->off + f->size;
		locks += map_field_is_lock(f);
	}
	if (locks > 1)
		return map_refuse(attr, diag, "the number of spin locks", locks);
	if (!(ops->traits & TRAIT_FIELDS) || (locks && !(ops->traits & TRAIT_SPIN_LOCK)))
		return fail(diag, MAP_FIELD, NO_PC, map_type_name(attr->type),
			    locks ? "bpf_spin_lock" : "special fields");
	return 0;
}

static int find_ops(const struct map_attr *attr, const struct map_ops **ops,
		    struct skep_diag *diag)
{
	const char *name = map_type_name(attr->type);

	if (!name)
		return fail(diag, MAP_TYPE_UNKNOWN, NO_PC, attr->type);
	*ops = types[attr->type].ops;
	if (*ops == &map_ops_none)
		return fail(diag, MAP_TYPE_UNSUPPORTED, NO_PC, name);
	return 0;
}

static int check_flags(const struct map_attr *attr, const struct map_ops *ops,
		       struct skep_diag *diag)
{
	const u32 user_none = MAP_RDONLY | MAP_WRONLY;

	if ((attr->flags & user_none) == user_none)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "neither readable nor writable for users");
	if (attr->flags & ~ops->create_flags)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "not for this type");
	return 0;
}

static int check_attr(const struct map_attr *attr, const struct map_ops **ops,
		      struct skep_diag *diag)
{
	int err = find_ops(attr, ops, diag);

	if (err)
		return err;
	if (attr->extra && !((*ops)->traits & TRAIT_EXTRA))
		return map_refuse(attr, diag, "map_extra", (u32)attr->extra);
	err = check_flags(attr, *ops, diag);
	if (!err)
		err = (*ops)->check(attr, diag);
	if (!err)
		err = check_name(attr, diag);
	if (!err)
		err = check_fields(attr, *ops, diag);
	return err;
}

/* ---- life ---- */

static void free_handle(struct map *map)
{
	free(map->inner);
	free(map->fields);
	free(map);
}

static size_t fields_size(const struct map_attr *attr)
{
	return attr->n_fields * sizeof(attr->fields[0]);
}

/* What map_update_ref() compares, in one piece of memory. */
static struct map_attr *copy_template(const struct map_attr *inner)
{
	struct map_attr *copy = malloc(sizeof(*copy) + fields_size(inner));

	if (!copy)
		return NULL;
	*copy = (struct map_attr){
		.type = inner->type,
		.key_size = inner->key_size,
		.value_size = inner->value_size,
		.max_entries = inner->max_entries,
		.flags = inner->flags,
		.n_fields = inner->n_fields,
	};
	if (inner->n_fields)
		copy->fields = memcpy(copy + 1, inner->fields, fields_size(inner));
	return copy;
}

static bool copy_attr(struct map *map, const struct map_attr *attr)
{
	map->type = attr->type;
	map->key_size = attr->key_size;
	map->value_size = attr->value_size;
	map->max_entries = attr->max_entries;
	map->flags = attr->flags;
	map->n_cpus = map->cpus = attr->n_cpus ? attr->n_cpus : 1;
	map->extra = attr->extra;
	if (attr->name)
		memcpy(map->name, attr->name, strlen(attr->name));
	if (attr->inner && !(map->inner = copy_template(attr->inner)))
		return false;
	if (!attr->n_fields)
		return true;
	map->n_fields = attr->n_fields;
	map->fields = malloc(fields_size(attr));
	if (map->fields)
		memcpy(map->fields, attr->fields, fields_size(attr));
	return map->fields;
}

/* A handle with all its numbers, but without memory. */
static int new_handle(const struct map_attr *attr, struct map **out,
		      struct skep_diag *diag)
{
	const struct map_ops *ops;
	struct map *map;
	int err;

	err = check_attr(attr, &ops, diag);
	if (err)
		return err;
	map = calloc(1, ops->size);
	if (!map)
		return fail(diag, NO_MEMORY, NO_PC);
	map->ops = ops;
	err = copy_attr(map, attr) ? ops->layout(map, attr) : -ENOMEM;
	if (!err) {
		*out = map;
		return 0;
	}
	free_handle(map);
	if (err == -E2BIG)
		return fail(diag, MAP_TOO_LARGE, NO_PC, map_type_name(attr->type),
			    attr->max_entries);
	return fail(diag, NO_MEMORY, NO_PC);
}

int map_layout(const struct map_attr *attr, u64 *size, struct skep_diag *diag)
{
	struct map *map;
	int err;

	err = new_handle(attr, &map, diag);
	if (err)
		return err;
	*size = map->region_size;
	free_handle(map);
	return 0;
}

static void init_header(struct map *map, const struct map_attr *attr)
{
	*map_header(map) = (struct region_header){
		.type = map->type,
		.key_size = map->key_size,
		.value_size = map->value_size,
		.max_entries = map->max_entries,
		.flags = map->flags,
		.n_cpus = map->n_cpus,
		.size = map->region_size,
		.seed = attr->has_seed               ? attr->seed
			: map->flags & MAP_ZERO_SEED ? 0
						     : map_random(),
	};
}

int map_new(const struct map_attr *attr, struct map **out, struct skep_diag *diag)
{
	struct map *map;
	int err;

	err = new_handle(attr, &map, diag);
	if (err)
		return err;
	map->id = attr->id ? attr->id : (u32)map_random() >> 1 | 1;
	map->owner = map_process_self();
	map->count = 1;
	map->region =
		map->ops->alloc ? map->ops->alloc(map) : map_memory_new(map->region_size);
	if (!map->region) {
		free_handle(map);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	init_header(map, attr);
	if (map->ops->init && map->ops->init(map, attr)) {
		map_put(map);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	*out = map;
	return 0;
}

struct map *map_get(struct map *map)
{
	atomic_fetch_add_explicit(&map->count, 1, memory_order_relaxed);
	return map;
}

void map_put(struct map *map)
{
	if (!map || atomic_fetch_sub_explicit(&map->count, 1, memory_order_acq_rel) != 1)
		return;
	map_refs_free(map->refs);
	map_memory_free(map->region, map->region_size);
	free_handle(map);
}

/* ---- locks of the region ---- */

int region_lock_wait(const struct map *map, _Atomic u32 *lock)
{
	/* Unlike Linux' owners ours can be preempted: on a busy machine several times. */
	enum { PATIENCE = 8 };
	u32 owner, waits = 0;
	u64 turns = 0;

	for (;;) {
		owner = 0;
		if (atomic_compare_exchange_strong_explicit(lock, &owner, map->owner,
							    memory_order_acquire,
							    memory_order_relaxed))
			return 0;
		if (map_wait(&turns))
			continue;
		turns = 0;
		if (owner == map->owner || map_process_is_alive(owner)) {
			if (++waits == PATIENCE)
				return -ETIMEDOUT;
			continue;
		}
		if (atomic_compare_exchange_strong_explicit(lock, &owner, map->owner,
							    memory_order_acquire,
							    memory_order_relaxed))
			return LOCK_INHERITED;
	}
}

/* ---- program side ---- */

void *map_lookup(struct map *map, const void *key, u32 cpu)
{
	return map->ops->lookup ? map->ops->lookup(map, key, cpu) : NULL;
}

map_direct_fn map_direct_lookup(const struct map *map)
{
	return map->ops->direct ? map->ops->direct(map) : NULL;
}

void *map_lookup_cpu(struct map *map, const void *key, u32 of_cpu)
{
	if (!map_is_percpu(map) || of_cpu >= map->n_cpus)
		return NULL;
	return map_lookup(map, key, of_cpu);
}

int map_update(struct map *map, const void *key, const void *value, u64 flags, u32 cpu)
{
	return map->ops->update ? map->ops->update(map, key, value, flags, cpu) : -EINVAL;
}

int map_delete(struct map *map, const void *key, u32 cpu)
{
	return map->ops->delete ? map->ops->delete (map, key, cpu) : -EINVAL;
}

s64 map_for_each(struct map *map, u32 cpu, map_visit_fn visit, void *arg)
{
	return map->ops->for_each ? map->ops->for_each(map, cpu, visit, arg) : -EINVAL;
}

bool map_holds_constants(const struct map *map)
{
	return atomic_load(&map->frozen) && !map_prog_may_write(map);
}

bool map_is_percpu(const struct map *map)
{
	return map->ops->traits & TRAIT_PERCPU;
}

bool map_is_of_maps(const struct map *map)
{
	return map->ops->traits & TRAIT_OF_MAPS;
}

bool map_is_indexed(const struct map *map)
{
	return map->ops->traits & TRAIT_INDEXED;
}

bool map_has_for_each(const struct map *map)
{
	return map->ops->for_each;
}

int map_value_addr(const struct map *map, u64 off, void **addr)
{
	if (map->type == MAP_TYPE_ARENA) {
		if (off > (u64)map->max_entries * ARENA_PAGE)
			return -ERANGE;
		*addr = (void *)(uintptr_t)(map_arena_state(map)->user + off);
		return 0;
	}
	if (map->type != MAP_TYPE_ARRAY || map->max_entries != 1)
		return -MAP_ENOTSUPP;
	if (off >= map->value_size)
		return -EINVAL;
	*addr = map_value(map, 0, 0) + off;
	return 0;
}

bool map_find_value(const struct map *map, const void *addr, struct map_value_range *out)
{
	u64 off = (u64)((const u8 *)addr - map->region) - map->values_off, elem;
	u32 cpu = 0;

	if (!map->values_size)
		return false; /* references, records: no values to point to */
	if (map->n_cpus > 1 && off >= map->cpu_stride) {
		cpu = (u32)min_u64(off / map->cpu_stride, map->n_cpus - 1);
		off -= cpu * map->cpu_stride;
	}
	if (off >= map->values_size)
		return false;
	/* Division of 32 bits costs a third of one of 64. */
	elem = off >> 32 ? off / map->value_stride : (u32)off / map->value_stride;
	off -= elem * map->value_stride;
	if (off >= map->value_size)
		return false;
	*out = (struct map_value_range){
		.start = map_value(map, elem, cpu),
		.len = map->value_size,
		.offset = (u32)off,
		.elem = (u32)elem,
	};
	return true;
}

/* ---- user side ---- */

static bool user_may_read(const struct map *map)
{
	return !(map->flags & MAP_WRONLY);
}

static bool user_may_write(struct map *map)
{
	return !(map->flags & MAP_RDONLY) && !atomic_load(&map->frozen);
}

u64 map_user_value_size(const struct map *map)
{
	if (!map_is_percpu(map))
		return map->value_size;
	return round_up(map->value_size, 8) * map->n_cpus;
}

static void copy_all_cpus(struct map *map, const u8 *of_cpu0, u8 *value)
{
	const u32 size = (u32)round_up(map->value_size, 8);

	for (u32 cpu = 0; cpu < map->n_cpus; cpu++)
		value_read(map, value + (u64)cpu * size, of_cpu0 + cpu * map->cpu_stride,
			   size);
}

void map_copy_out(struct map *map, const u8 *at, void *value, u64 flags)
{
	if (map_is_percpu(map))
		copy_all_cpus(map, at, value);
	else if (flags & MAP_F_LOCK)
		value_read_locked(map, value, at);
	else
		value_read(map, value, at, map->value_size);
}

int map_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	const struct map_ops *ops = map->ops;
	const u8 *at;

	if (flags & ~(u64)MAP_F_LOCK)
		return -EINVAL;
	if (!user_may_read(map))
		return -EPERM;
	if ((flags & MAP_F_LOCK) && !map_has_spin_lock(map))
		return -EINVAL;
	if (!(ops->traits & TRAIT_USER_READ))
		return -MAP_ENOTSUPP;
	if (ops->copy)
		return ops->copy(map, key, value, flags);
	at = (ops->peek ? ops->peek : ops->lookup)(map, key, 0);
	if (!at)
		return -ENOENT;
	map_copy_out(map, at, value, flags);
	return 0;
}

int map_user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	const struct map_ops *ops = map->ops;

	if (!user_may_write(map))
		return -EPERM;
	if ((flags & MAP_F_LOCK) && !map_has_spin_lock(map))
		return -EINVAL;
	if (ops->update_all)
		return ops->update_all(map, key, value, flags);
	return ops->update ? ops->update(map, key, value, flags, 0) : -MAP_ENOTSUPP;
}

int map_user_delete(struct map *map, const void *key)
{
	if (!user_may_write(map))
		return -EPERM;
	return map->ops->delete ? map->ops->delete (map, key, 0) : -MAP_ENOTSUPP;
}

int map_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags)
{
	if (flags & ~(u64)MAP_F_LOCK)
		return -EINVAL;
	if (!user_may_read(map) || !user_may_write(map))
		return -EPERM;
	if ((flags & MAP_F_LOCK) && !map_has_spin_lock(map))
		return -EINVAL;
	return map->ops->take ? map->ops->take(map, key, value, flags) : -MAP_ENOTSUPP;
}

int map_user_next_key(struct map *map, const void *key, void *next)
{
	if (!user_may_read(map))
		return -EPERM;
	return map->ops->next_key ? map->ops->next_key(map, key, next) : -MAP_ENOTSUPP;
}

int map_freeze(struct map *map)
{
	if (map->n_fields)
		return -MAP_ENOTSUPP;
	if (!user_may_write(map))
		return -EPERM; /* as Linux says for frozen maps, too */
	return atomic_exchange(&map->frozen, true) ? -EPERM : 0;
}

static bool same_fields(const struct map_attr *attr, const struct map_field *fields,
			u32 n)
{
	if (attr->n_fields != n)
		return false;
	for (u32 i = 0; i < n; i++)
		if (attr->fields[i].off != fields[i].off ||
		    attr->fields[i].size != fields[i].size ||
		    attr->fields[i].is_spin_lock != fields[i].is_spin_lock ||
		    attr->fields[i].is_res_spin_lock != fields[i].is_res_spin_lock)
			return false;
	return true;
}

/* Would a program that was judged with the template work with this map too? */
static bool fits_template(const struct map *map, const struct map_attr *inner)
{
	if (map->type != inner->type || map->key_size != inner->key_size ||
	    map->value_size != inner->value_size || map->flags != inner->flags ||
	    !same_fields(inner, map->fields, map->n_fields))
		return false;
	if (!(map->ops->traits & TRAIT_INNER_SIZE) || (map->flags & MAP_INNER_MAP))
		return true;
	return map->max_entries == inner->max_entries;
}

static bool fits_slot(const struct map *outer, const struct map *map)
{
	return map->cpus >= outer->cpus && fits_template(map, outer->inner);
}

static bool same_template(const struct map_attr *a, const struct map_attr *b)
{
	if (!a || !b)
		return a == b;
	return a->type == b->type && a->key_size == b->key_size &&
	       a->value_size == b->value_size && a->max_entries == b->max_entries &&
	       a->flags == b->flags && same_fields(a, b->fields, b->n_fields);
}

bool map_fits(const struct map *map, const struct map_attr *attr)
{
	return attr->n_cpus <= map->cpus &&
	       same_fields(attr, map->fields, map->n_fields) &&
	       same_template(attr->inner, map->inner);
}

int map_update_ref(struct map *map, const void *key, void *object, u64 flags)
{
	struct map_ref *ref;
	int err;

	if (!user_may_write(map))
		return -EPERM;
	if (flags & MAP_F_LOCK || !object)
		return -EINVAL;
	if (!map->ops->update_ref)
		return -MAP_ENOTSUPP;
	if (map_is_of_maps(map) && !fits_slot(map, object))
		return -EINVAL;
	ref = map_ref_new(map->refs, object);
	if (!ref)
		return -ENOMEM;
	err = map->ops->update_ref(map, key, ref, flags);
	if (err)
		map_ref_free(map->refs, ref);
	return err;
}
