/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that call back into the program.  When the engine ends the run inside a
 * callback, they return at once and their answer no longer matters.
 */
#include "helpers/bodies.h"
#include "helpers/helpers.h"
#include "maps/map.h"

/* The callback's answer; 1, which ends every loop, when the run is over. */
static u64 call_back(struct run *run, u64 func, const u64 args[5])
{
	u64 ret = 0;
	int err = run->call(run, func, args, &ret);

	if (!err)
		return ret;
	if (!run->err)
		run->err = err;
	return 1;
}

HELPER(loop)
{
	u32 n = (u32)r1;

	if (r4)
		return answer(-EINVAL);
	if (n > LOOP_MAX)
		return answer(-E2BIG);
	for (u32 i = 0; i < n; i++)
		if (call_back(run, r2, (u64[5]){i, r3}))
			return i + 1;
	return n;
}

struct visit {
	struct run *run;
	u64 func, arg;
};

static u64 visit_element(struct map *map, const void *key, void *value, void *arg)
{
	struct visit *v = arg;

	return call_back(
		v->run, v->func,
		(u64[5]){(uintptr_t)map, (uintptr_t)key, (uintptr_t)value, v->arg});
}

HELPER(for_each_map_elem)
{
	struct visit v = {run, r2, r3};

	if (r4)
		return answer(-EINVAL);
	return answer(map_for_each(pointer(r1), run->cpu, visit_element, &v));
}
