/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the kernel of a target was configured, as far as its types tell.  For src/verify.
 */
#ifndef SKEP_VERIFY_CONFIG_H
#define SKEP_VERIFY_CONFIG_H

#include "verify/env.h"

/* The option that the kernel was built without and the helper needs ("XFRM"), or NULL. */
const char *config_missing_for(const struct env *env, u32 helper);

/* Functions may be made to fail: where that is so, programs may sleep and modify results. */
bool config_injects_errors(const struct env *env);

bool config_has_type(const struct env *env, u32 prog_type);

/* No CPU has a number as high as this one. */
u32 config_cpus(const struct env *env);

#endif
