/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of arenas.  Addresses are the user's, or what programs make of them: the lower
 * half counts.
 */
#include "helpers/bodies.h"
#include "maps/map.h"

static bool is_arena(u64 map)
{
	return ((const struct map *)pointer(map))->type == MAP_TYPE_ARENA;
}

KFUNC(bpf_arena_alloc_pages)
{
	/* r4: a node of memory, r5: flags, of which there are none */
	if (!is_arena(r1) || r5)
		return 0;
	return map_arena_alloc(pointer(r1), r2, (u32)r3);
}

KFUNC(bpf_arena_free_pages)
{
	if (is_arena(r1))
		map_arena_free(pointer(r1), r2, (u32)r3);
	return 0;
}

KFUNC(bpf_arena_reserve_pages)
{
	if (!is_arena(r1))
		return answer_int(-EINVAL);
	return answer_int(map_arena_reserve(pointer(r1), r2, (u32)r3));
}
