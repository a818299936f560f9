/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps before there is a first element: which Linux allows, and where in the region
 * their parts are.  Sizes follow from the attributes alone, so that another process
 * comes to the same.  Nothing here runs after a map is made.  What the parts are for:
 * hash.h and hash.c.
 */
#include "maps/hash.h"

enum { USER_SPARES = 4 }; /* beside one a CPU, for users that update at once */

int hash_check(const struct map_attr *attr, struct skep_diag *diag)
{
	/* What Linux puts beside key and value of an element. */
	enum { LINUX_ELEM = 48 };

	if (map_check_access(attr, diag))
		return -EINVAL;
	if (!attr->max_entries)
		return map_refuse(attr, diag, "max_entries", 0);
	if (!attr->key_size)
		return map_refuse(attr, diag, "key_size", 0);
	if (!attr->value_size)
		return map_refuse(attr, diag, "value_size", 0);
	if ((u64)attr->key_size + attr->value_size >= LINUX_KMALLOC_MAX - LINUX_ELEM)
		return fail(diag, MAP_VALUE_TOO_LARGE, NO_PC, map_type_name(attr->type),
			    attr->value_size);
	return 0;
}

int hash_check_percpu(const struct map_attr *attr, struct skep_diag *diag)
{
	int err;

	if (attr->flags & MAP_NUMA_NODE)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "per-CPU values are on every node");
	err = hash_check(attr, diag);
	if (!err && attr->value_size > LINUX_PERCPU_MAX)
		return fail(diag, MAP_VALUE_TOO_LARGE, NO_PC, map_type_name(attr->type),
			    attr->value_size);
	return err;
}

static int check_lru_flags(const struct map_attr *attr, struct skep_diag *diag)
{
	const u32 own_node = MAP_NO_COMMON_LRU | MAP_NUMA_NODE;

	if (map_check_access(attr, diag))
		return -EINVAL;
	if (attr->flags & MAP_NO_PREALLOC)
		return fail(diag, MAP_LRU_PREALLOC, NO_PC, map_type_name(attr->type));
	if ((attr->flags & own_node) == own_node)
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "per-CPU lists are on every node");
	return 0;
}

int hash_check_lru(const struct map_attr *attr, struct skep_diag *diag)
{
	int err = check_lru_flags(attr, diag);

	return err ? err : hash_check(attr, diag);
}

int hash_check_lru_percpu(const struct map_attr *attr, struct skep_diag *diag)
{
	int err = check_lru_flags(attr, diag);

	return err ? err : hash_check_percpu(attr, diag);
}

int hash_check_of_maps(const struct map_attr *attr, struct skep_diag *diag)
{
	int err;

	if (attr->value_size != 4)
		return map_refuse(attr, diag, "value_size", attr->value_size);
	err = hash_check(attr, diag);
	return err ? err : map_inner_check(attr, diag);
}

/* ---- where things are ---- */

/* Linux gives each CPU's own LRU list the same number of elements. */
static u32 round_entries(u32 entries, u32 n_cpus)
{
	u64 up = ((u64)entries + n_cpus - 1) / n_cpus * n_cpus;

	return up > UINT32_MAX ? entries / n_cpus * n_cpus : (u32)up;
}

static u32 power_of_two_above(u32 n)
{
	return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

/* The offset of size bytes more; *end passes on. */
static u64 place(u64 *end, u64 size)
{
	u64 at = round_up(*end, REGION_ALIGN);

	*end = at + size;
	return at;
}

struct hash_places {
	u64 state, lists, spares, buckets, elems, end;
};

static struct hash_places places(const struct hash *h)
{
	struct hash_places p = {.end = REGION_HEADER};

	p.state = place(&p.end, sizeof(struct hash_state));
	p.lists = place(&p.end, h->n_lists * sizeof(struct free_list));
	p.spares = place(&p.end, h->n_spares * sizeof(u32));
	p.buckets = place(&p.end, (h->bucket_mask + 1ull) * sizeof(struct bucket));
	p.elems = place(&p.end, (u64)h->n_elems * h->elem_size);
	return p;
}

int hash_layout(struct map *map, const struct map_attr *attr)
{
	struct hash *h = hash_of(map);
	u32 key_room = (u32)round_up(map->key_size, 8);
	u32 value_room = (u32)round_up(map->value_size, 8);
	struct hash_places p;

	h->percpu = map_is_percpu(map);
	h->lru = map->type == MAP_TYPE_LRU_HASH || map->type == MAP_TYPE_LRU_PERCPU_HASH;
	h->n_lists = map->n_cpus;
	if (attr->flags & MAP_NO_COMMON_LRU)
		map->max_entries = round_entries(map->max_entries, map->n_cpus);
	/* Linux: an array of buckets of 16 bytes has less than 4 GiB. */
	if (map->max_entries > 1u << 27)
		return -E2BIG;
	/* Twice as many as elements: a bucket costs less than a step in a chain. */
	h->bucket_mask = 2 * power_of_two_above(map->max_entries) - 1;
	h->n_spares = h->percpu ? 0 : map->n_cpus + USER_SPARES;
	h->n_elems = map->max_entries + h->n_spares;
	h->value_in_elem = (u32)sizeof(struct hash_elem) + key_room;
	h->elem_size = h->value_in_elem + (h->percpu ? 0 : value_room);
	p = places(h);
	if (h->percpu) {
		map->value_stride = value_room;
		map->values_off = round_up(p.end, REGION_ALIGN);
		map->values_size = (u64)value_room * h->n_elems;
		map->cpu_stride = round_up(map->values_size, REGION_ALIGN);
		map->region_size = map->values_off + map->cpu_stride * map->n_cpus;
		return 0;
	}
	map->n_cpus = 1;
	map->value_stride = h->elem_size;
	map->values_off = p.elems + h->value_in_elem;
	map->values_size = p.end - map->values_off;
	map->region_size = p.end;
	return 0;
}

int hash_init(struct map *map, const struct map_attr *attr)
{
	struct hash *h = hash_of(map);
	struct hash_places p = places(h);

	(void)attr;
	h->seed = map_header(map)->seed;
	h->state = (struct hash_state *)(map->region + p.state);
	h->lists = (struct free_list *)(map->region + p.lists);
	h->spares = (_Atomic u32 *)(map->region + p.spares);
	h->buckets = (struct bucket *)(map->region + p.buckets);
	h->elems = map->region + p.elems;
	for (u32 i = 0; i < h->n_spares; i++)
		h->spares[i] = i + 1;
	h->state->fresh = h->n_spares;
	if (!map_is_of_maps(map))
		return 0;
	map->refs = map_refs_new(h->n_elems, &map_inner_ref_ops);
	return map->refs ? 0 : -ENOMEM;
}
