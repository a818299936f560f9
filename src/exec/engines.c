/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of engines.
 */
#include <string.h>

#include "exec/exec.h"

static const struct engine engines[] = {
	{"interp", interp_run, FOR_INTERP, .safe = false},
	{"checked", checked_run, FOR_CHECKED, .safe = true},
};

const struct engine *engine_at(u32 i)
{
	return i < ARRAY_SIZE(engines) ? &engines[i] : NULL;
}

const struct engine *engine_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(engines); i++)
		if (!strcmp(engines[i].name, name))
			return &engines[i];
	return NULL;
}

const struct engine *engine_default(void)
{
	const struct engine *jit = engine_find("jit");

	return jit ? jit : engine_find("interp");
}
