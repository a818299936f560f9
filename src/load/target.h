/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind struct skep_target.  For src/load and src/tools.
 */
#ifndef SKEP_LOAD_TARGET_H
#define SKEP_LOAD_TARGET_H

#include <skep/target.h>

#include "target/target.h"

/* "linux" without any types, for objects that ask for none: reading those of a kernel
 * takes longer than loading such an object. */
int target_new_untyped(struct skep_target **target, struct skep_diag *diag);

/* Of a target that the caller holds. */
const struct target *target_of(const struct skep_target *target);

#endif
