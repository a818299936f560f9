/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays whose slots hold references: PROG_ARRAY, and what ARRAY_OF_MAPS shares with it.
 * References are of this process (refs.c), so the region is its header alone.  A slot is
 * one word: readers see the old or the new reference.  What a program reference is,
 * nobody here knows.  Linux offers no look-up of programs to programs, only tail calls.
 */
#include "maps/family.h"

int ref_array_check(const struct map_attr *attr, struct skep_diag *diag)
{
	if (attr->value_size != 4)
		return map_refuse(attr, diag, "value_size", attr->value_size);
	return array_check(attr, diag);
}

int ref_array_layout(struct map *map, const struct map_attr *attr)
{
	(void)attr;
	map->n_cpus = 1;
	map->region_size = REGION_HEADER;
	return 0;
}

int ref_array_init(struct map *map, const struct map_ref_ops *ops)
{
	map->refs = map_refs_new(map->max_entries, ops);
	return map->refs ? 0 : -ENOMEM;
}

int ref_array_update(struct map *map, const void *key, struct map_ref *ref, u64 flags)
{
	u32 index = load_u32(key);

	if (flags != MAP_ANY)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	map_ref_put(map->refs, index, ref);
	return 0;
}

int ref_array_delete(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	(void)cpu;
	if (index >= map->max_entries)
		return -E2BIG;
	return map_ref_put(map->refs, index, NULL) ? 0 : -ENOENT;
}

/* Where a user reads the slot's id, if there is a reference. */
void *ref_array_id(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	(void)cpu;
	return index < map->max_entries ? map_ref_id(map, index) : NULL;
}

static int init(struct map *map, const struct map_attr *attr)
{
	return ref_array_init(map, attr->refs);
}

void *map_prog(struct map *map, u32 index)
{
	if (map->type != MAP_TYPE_PROG_ARRAY || index >= map->max_entries)
		return NULL;
	return map_ref_object(map, index);
}

const struct map_ops map_ops_prog_array = {
	.traits = TRAIT_USER_READ | TRAIT_REFS,
	.create_flags = REF_ARRAY_FLAGS,
	.size = sizeof(struct map),
	.check = ref_array_check,
	.layout = ref_array_layout,
	.init = init,
	.peek = ref_array_id,
	.update_ref = ref_array_update,
	.delete = ref_array_delete,
	.next_key = array_next_key,
};
