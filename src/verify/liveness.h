/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack slots may be read later: a data flow analysis per chain of calls, over what
 * the instructions were seen to do.
 *
 * While paths are explored, env_stack_read() and env_stack_written() (env.h) collect of
 * each instruction, per chain of calls, which slots of each frame it may read (union over
 * all visits) and which it surely writes (intersection).  liveness_update() propagates
 * against the control flow and from functions to their calls.  For keep, explore and
 * visit in src/verify.
 */
#ifndef SKEP_VERIFY_LIVENESS_H
#define SKEP_VERIFY_LIVENESS_H

#include "verify/env.h"

int liveness_new(struct env *env); /* env->liveness; after cfg_build() */
void liveness_free(struct env *env);

/* Around each transfer: of the instruction at env->pc, and that it was done.  Negative:
 * out of memory (told). */
int liveness_begin(struct env *env);
int liveness_end(struct env *env);

/* The working state has other frames than before: a function was entered, a branch
 * restored. */
void liveness_frames_changed(struct env *env);

/*
 * All that was collected along the working state's chain of calls takes effect.  Before a
 * function of the program is left (its frame still there) and where a path ends.
 * Then the answers about states from which all paths were explored are complete.
 */
int liveness_update(struct env *env);

/* Of each frame of the state (up to its depth) the slots that may be read before they are
 * written. */
int liveness_query(struct env *env, const struct state *st, u64 live[FRAMES]);

#endif
