/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARRAY_OF_MAPS, and the rules for what may be inside of a map of maps (HASH_OF_MAPS is
 * in hash.c).  Programs get the inner map, users its id.  Inner maps are counted by the
 * slots that hold them.  One level only, as in Linux.
 */
#include "maps/family.h"

/* Linux takes the template from a map that exists: first it must be possible at all. */
int map_inner_check(const struct map_attr *attr, struct skep_diag *diag)
{
	const struct map_attr *inner = attr->inner;
	u32 traits;
	u64 size;
	int err;

	if (!inner)
		return fail(diag, MAP_NO_INNER, NO_PC, map_type_name(attr->type));
	/* Before map_layout(), which would follow the templates down. */
	if (inner->type == MAP_TYPE_ARRAY_OF_MAPS || inner->type == MAP_TYPE_HASH_OF_MAPS)
		return fail(diag, MAP_NESTED, NO_PC, map_type_name(attr->type));
	err = map_layout(inner, &size, diag);
	if (err)
		return diag_in(diag, err, "inner map");
	traits = map_type_traits(inner->type);
	if (!(traits & TRAIT_INNER))
		return fail(diag, MAP_INNER_TYPE, NO_PC, map_type_name(inner->type));
	return 0;
}

static int check(const struct map_attr *attr, struct skep_diag *diag)
{
	int err = ref_array_check(attr, diag);

	return err ? err : map_inner_check(attr, diag);
}

static int init(struct map *map, const struct map_attr *attr)
{
	(void)attr;
	return ref_array_init(map, &map_inner_ref_ops);
}

static void *lookup(struct map *map, const void *key, u32 cpu)
{
	u32 index = load_u32(key);

	(void)cpu;
	return index < map->max_entries ? map_ref_object(map, index) : NULL;
}

const struct map_ops map_ops_array_of_maps = {
	.traits = TRAIT_USER_READ | TRAIT_REFS | TRAIT_OF_MAPS,
	.create_flags = REF_ARRAY_FLAGS,
	.size = sizeof(struct map),
	.check = check,
	.layout = ref_array_layout,
	.init = init,
	.lookup = lookup,
	.peek = ref_array_id,
	.update_ref = ref_array_update,
	.delete = ref_array_delete,
	.next_key = array_next_key,
};
