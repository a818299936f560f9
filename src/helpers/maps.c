/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on maps.  The map does the work, with Linux's flags and errno values; here it
 * only learns which CPU asks.
 */
#include "maps/map.h"

#include "helpers/bodies.h"

HELPER(map_lookup_elem)
{
	return (uintptr_t)map_lookup(pointer(r1), pointer(r2), run->cpu);
}

HELPER(map_update_elem)
{
	return answer(map_update(pointer(r1), pointer(r2), pointer(r3), r4, run->cpu));
}

HELPER(map_delete_elem)
{
	return answer(map_delete(pointer(r1), pointer(r2), run->cpu));
}

HELPER(map_lookup_percpu_elem)
{
	return (uintptr_t)map_lookup_cpu(pointer(r1), pointer(r2), (u32)r3);
}
