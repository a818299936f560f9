/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the slots of prog-arrays and of maps of maps refer to.  References are of this
 * process, the region knows nothing of them; users read ids.  A look-up counts nothing:
 * what leaves a slot is retired, not released, until map_reclaim() or the map's end. Who
 * counts: struct map_ref_ops.
 */
#include <stdlib.h>

#include "maps/family.h"

static void inner_retain(void *map)
{
	map_get(map);
}

static void inner_release(void *map)
{
	map_put(map);
}

static u32 inner_id(const void *map)
{
	return ((const struct map *)map)->id;
}

const struct map_ref_ops map_inner_ref_ops = {inner_retain, inner_release, inner_id};
static const struct map_ref_ops uncounted;

struct map_refs *map_refs_new(u32 n_slots, const struct map_ref_ops *ops)
{
	struct map_refs *refs;
	size_t size;

	if (__builtin_mul_overflow(n_slots, sizeof(refs->slots[0]), &size) ||
	    __builtin_add_overflow(size, sizeof(*refs), &size))
		return NULL;
	refs = calloc(1, size);
	if (!refs)
		return NULL;
	refs->ops = ops ? ops : &uncounted;
	refs->n_slots = n_slots;
	return refs;
}

struct map_ref *map_ref_new(const struct map_refs *refs, void *object)
{
	struct map_ref *ref = malloc(sizeof(*ref));

	if (!ref)
		return NULL;
	if (refs->ops->retain)
		refs->ops->retain(object);
	*ref = (struct map_ref){
		.object = object,
		.id = refs->ops->id ? refs->ops->id(object) : 0,
	};
	return ref;
}

void map_ref_free(const struct map_refs *refs, struct map_ref *ref)
{
	if (!ref)
		return;
	if (refs->ops->release)
		refs->ops->release(ref->object);
	free(ref);
}

void map_ref_retire(struct map_refs *refs, struct map_ref *ref)
{
	if (!ref)
		return;
	ref->next = atomic_load_explicit(&refs->retired, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&refs->retired, &ref->next, ref,
						      memory_order_release,
						      memory_order_relaxed))
		;
}

static void free_retired(struct map_refs *refs)
{
	struct map_ref *ref, *next;

	ref = atomic_exchange_explicit(&refs->retired, NULL, memory_order_acquire);
	for (; ref; ref = next) {
		next = ref->next;
		map_ref_free(refs, ref);
	}
}

void map_reclaim(struct map *map)
{
	if (map->refs)
		free_retired(map->refs);
}

void map_refs_free(struct map_refs *refs)
{
	if (!refs)
		return;
	for (u32 i = 0; i < refs->n_slots; i++)
		map_ref_free(refs, refs->slots[i]);
	free_retired(refs);
	free(refs);
}
