/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of kept states, and the working state.
 *
 * What can be done with a kept state is declared in explore.h.  For src/verify.
 */
#ifndef SKEP_VERIFY_KEEP_H
#define SKEP_VERIFY_KEEP_H

#include "verify/env.h"

int keep_new(struct env *env);   /* env->pool */
void keep_free(struct env *env); /* all kept states are gone */

/* May so many bytes more be used, of the arena or for states?  False: more than allowed
 * (told). */
bool memory_allows(struct env *env, u64 bytes);

/* Zeroed, with room for everything: all frames, slots and references.  It lives in the
 * arena.  NULL: out of memory. */
struct state *state_new_working(struct env *env);

#endif
