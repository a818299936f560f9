/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of engines.
 */
#include <string.h>

#include "exec/exec.h"
#include "exec/jit/compile.h"

static const struct engine engines[] = {
	{"interp", interp_run, NULL, FOR_INTERP, .safe = false},
	{"checked", checked_run, NULL, FOR_CHECKED, .safe = true},
	/* last: not every machine has it */
	{"jit", jit_run, jit_ready, FOR_JIT, .safe = false},
};

/* How many there are here. */
static u32 n_engines(void)
{
	return ARRAY_SIZE(engines) - !host_machine(NULL);
}

const struct engine *engine_at(u32 i)
{
	return i < n_engines() ? &engines[i] : NULL;
}

const struct engine *engine_find(const char *name)
{
	for (u32 i = 0, n = n_engines(); i < n; i++)
		if (!strcmp(engines[i].name, name))
			return &engines[i];
	return NULL;
}

const struct engine *engine_default(void)
{
	const struct engine *jit = engine_find("jit");

	return jit ? jit : engine_find("interp");
}
