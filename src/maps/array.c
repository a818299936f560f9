/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARRAY and PERCPU_ARRAY: all elements exist from the start, the key is their number.
 * The region is the values, one CPU's after the other's; there are no links and no
 * locks.  A value is never moved.  See Documentation/bpf/map_array.rst of Linux.
 */
#include "maps/family.h"
#include "maps/memory.h"

int array_check(const struct map_attr *attr, struct skep_diag *diag)
{
	if (!attr->max_entries)
		return map_refuse(attr, diag, "max_entries", 0);
	if (attr->key_size != 4)
		return map_refuse(attr, diag, "key_size", attr->key_size);
	if (!attr->value_size)
		return map_refuse(attr, diag, "value_size", 0);
	if (map_check_access(attr, diag))
		return -EINVAL;
	if (attr->value_size > INT32_MAX)
		return fail(diag, MAP_VALUE_TOO_LARGE, NO_PC, map_type_name(attr->type),
			    attr->value_size);
	return 0;
}

static int percpu_check(const struct map_attr *attr, struct skep_diag *diag)
{
	int err = array_check(attr, diag);

	if (err)
		return err;
	if (attr->flags & MAP_NUMA_NODE)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "per-CPU values are on every node");
	if (attr->value_size > LINUX_PERCPU_MAX)
		return fail(diag, MAP_VALUE_TOO_LARGE, NO_PC, map_type_name(attr->type),
			    attr->value_size);
	return 0;
}

static int layout(struct map *map, const struct map_attr *attr)
{
	u64 align = REGION_ALIGN;

	if (attr->flags & MAP_MMAPABLE)
		align = map_page_size();
	if (!map_is_percpu(map))
		map->n_cpus = 1;
	map->value_stride = (u32)round_up(map->value_size, 8);
	map->values_off = round_up(REGION_HEADER, align);
	map->values_size = (u64)map->value_stride * map->max_entries;
	map->cpu_stride = round_up(map->values_size, align);
	if (map->cpu_stride > (UINT64_MAX >> 1) / map->n_cpus)
		return -ENOMEM;
	map->region_size = map->values_off + map->cpu_stride * map->n_cpus;
	return 0;
}

static void *lookup(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	(void)cpu;
	if (index >= map->max_entries)
		return NULL;
	return map->region + map->values_off + (u64)index * map->value_stride;
}

static void *lookup_percpu(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	return index < map->max_entries ? map_value(map, index, cpu) : NULL;
}

static int check_update(const struct map *map, const void *key, u64 flags)
{
	if ((flags & ~(u64)MAP_F_LOCK) > MAP_EXIST)
		return -EINVAL;
	if (load_u32(key) >= map->max_entries)
		return -E2BIG;
	if (flags & MAP_NOEXIST)
		return -EEXIST;
	if ((flags & MAP_F_LOCK) && !map_has_spin_lock(map))
		return -EINVAL;
	return 0;
}

static int update(struct map *map, const void *key, const void *value, u64 flags, u32 cpu)
{
	int err = check_update(map, key, flags);
	u8 *at;

	if (err)
		return err;
	at = map_value(map, load_u32(key), map_is_percpu(map) ? cpu : 0);
	if (flags & MAP_F_LOCK)
		value_write_locked(map, at, value);
	else
		value_write(map, at, value, map->value_size);
	return 0;
}

static int update_all(struct map *map, const void *key, const void *values, u64 flags)
{
	int err = check_update(map, key, flags);

	if (err)
		return err;
	for (u32 cpu = 0; cpu < map->n_cpus; cpu++)
		value_write(map, map_value(map, load_u32(key), cpu),
			    (const u8 *)values + (u64)cpu * map->value_stride,
			    map->value_stride);
	return 0;
}

static int erase(struct map *map, const void *key, u32 cpu)
{
	(void)map, (void)key, (void)cpu;
	return -EINVAL;
}

int array_next_key(struct map *map, const void *key, void *next)
{
	u32 index = key ? load_u32(key) : UINT32_MAX;

	if (index >= map->max_entries)
		store_u32(next, 0);
	else if (index == map->max_entries - 1)
		return -ENOENT;
	else
		store_u32(next, index + 1);
	return 0;
}

static s64 for_each(struct map *map, u32 cpu, map_visit_fn visit, void *arg)
{
	for (u32 i = 0; i < map->max_entries; i++) {
		u32 key = i;

		if (visit(map, &key, map_value(map, i, map_is_percpu(map) ? cpu : 0),
			  arg))
			return (s64)i + 1;
	}
	return map->max_entries;
}

const struct map_ops map_ops_array = {
	.traits = TRAIT_USER_READ | TRAIT_FIELDS | TRAIT_SPIN_LOCK | TRAIT_INNER |
		  TRAIT_INNER_SIZE | TRAIT_INDEXED,
	.create_flags = MAP_ACCESS | MAP_NUMA_NODE | MAP_MMAPABLE | MAP_INNER_MAP,
	.size = sizeof(struct map),
	.check = array_check,
	.layout = layout,
	.lookup = lookup,
	.update = update,
	.delete = erase,
	.next_key = array_next_key,
	.for_each = for_each,
};

const struct map_ops map_ops_percpu_array = {
	.traits = TRAIT_USER_READ | TRAIT_PERCPU | TRAIT_FIELDS | TRAIT_INNER |
		  TRAIT_INNER_SIZE | TRAIT_INDEXED,
	.create_flags = MAP_ACCESS | MAP_NUMA_NODE,
	.size = sizeof(struct map),
	.check = percpu_check,
	.layout = layout,
	.lookup = lookup_percpu,
	.update = update,
	.update_all = update_all,
	.delete = erase,
	.next_key = array_next_key,
	.for_each = for_each,
};
