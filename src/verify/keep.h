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

/* Memory for a kept state or part of it; *block: to give it back.  NULL: told. */
void *keep_block(struct env *env, size_t size, u32 *block);

/* So much is used that what is kept from now on should be made small (compact.c). */
bool keep_small(const struct env *env);

/* pack.c: a branch that waits, made small; st is given up.  What it came from
 * (st->parent) must stay as it is.  NULL: no memory, told, and st is as it was. */
struct state *state_pack(struct env *env, struct state *st);
/* The frames of a small one. */
void state_unpack(struct env *env, const struct state *st, struct frame *frames[FRAMES]);

/* With room for everything: all frames, slots and references.  keep_free() frees it.
 * NULL: out of memory. */
struct state *state_new_working(struct env *env);

#endif
