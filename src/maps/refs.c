/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the slots of prog-arrays and of maps of maps refer to.  References are of this
 * process, the region knows nothing of them; users read ids.  A look-up counts nothing:
 * what leaves a slot is retired, not released, until map_reclaim() or the map's end. Who
 * counts: struct map_ref_ops.
 */
#include <stdlib.h>

#include "maps/family.h"
#include "maps/memory.h"

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

const struct map_ref_layout map_ref_layout = {
	.refs = offsetof(struct map, refs),
	.slots = offsetof(struct map_refs, slots),
	.object = offsetof(struct map_ref, object),
};

struct map_refs *map_refs_new(u32 n_slots, const struct map_ref_ops *ops)
{
	u64 size = sizeof(struct map_refs) +
		   (u64)n_slots * sizeof(_Atomic(struct map_ref *));
	/* As lazily as the region: most slots are never touched. */
	struct map_refs *refs = map_memory_new(size);

	if (!refs)
		return NULL;
	refs->size = size;
	refs->ops = ops ? ops : &uncounted;
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

static void retire(struct map_refs *refs, struct map_ref *ref)
{
	ref->next = atomic_load_explicit(&refs->retired, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&refs->retired, &ref->next, ref,
						      memory_order_release,
						      memory_order_relaxed))
		;
}

bool map_ref_put(struct map_refs *refs, u32 slot, struct map_ref *ref)
{
	u32 used = atomic_load_explicit(&refs->used, memory_order_relaxed);
	struct map_ref *old;

	while (used <= slot && !atomic_compare_exchange_weak_explicit(
				       &refs->used, &used, slot + 1, memory_order_relaxed,
				       memory_order_relaxed))
		;
	old = atomic_exchange_explicit(&refs->slots[slot], ref, memory_order_acq_rel);
	if (old)
		retire(refs, old);
	return old;
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
	for (u32 i = 0; i < refs->used; i++)
		map_ref_free(refs, refs->slots[i]);
	free_retired(refs);
	map_memory_free(refs, refs->size);
}
