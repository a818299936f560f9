/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Would Linux create this map?  For src/verify.
 */
#ifndef SKEP_VERIFY_MAP_ATTR_H
#define SKEP_VERIFY_MAP_ATTR_H

#include "verify/env.h"

/* Its type, sizes, flags and the special fields of its values. */
int map_attr_check(struct env *env, const struct map_def *def);
/* The fields alone; where such a map has none they are forgotten. */
int map_attr_fields(struct env *env, const struct map_def *def);

#endif
