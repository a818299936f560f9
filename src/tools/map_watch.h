/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes in a map of the running kernel, look by look.  For src/tools.
 */
#ifndef SKEP_TOOLS_MAP_WATCH_H
#define SKEP_TOOLS_MAP_WATCH_H

#include "base/types.h"

struct json;
struct live_map;

struct watch {
	const struct live_map *map; /* borrowed */
	struct json *json;          /* NULL: text; borrowed */
	u64 interval_ms;
	u64 times; /* looks; 0: for ever */
};

/* Returns when all looks are done, or the errno. */
int watch_map(const struct watch *watch);

#endif
