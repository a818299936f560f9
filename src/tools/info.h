/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of skep info.  For src/tools/info*.c only.
 */
#ifndef SKEP_TOOLS_INFO_H
#define SKEP_TOOLS_INFO_H

#include "target/target.h"

struct json;
struct object;

struct info {
	struct object *obj;          /* borrowed */
	const struct target *target; /* borrowed */
	const char *target_name;
	struct json *json; /* NULL: text; borrowed */
	bool all_relocs;
	u32 unresolved; /* what could not be resolved, so far */
};

void info_progs(struct info *info);
void info_maps(struct info *info);
void info_vars(struct info *info);
void info_externs(struct info *info);
void info_relocs(struct info *info);
void info_needs(struct info *info);

#endif
