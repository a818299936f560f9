/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explanation of a rejection (verify/explain.h) as JSON.  For src/tools.
 */
#ifndef SKEP_TOOLS_STORY_H
#define SKEP_TOOLS_STORY_H

#include "tools/json.h"

struct prog;
struct story;

/* An object: what cannot be told is left out. */
void story_json(struct json *j, const char *key, const struct story *story,
		const struct prog *prog);

#endif
