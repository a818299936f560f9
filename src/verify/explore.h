/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which state comes next: what the files of the exploration share.
 *
 * For cfg, live_regs, liveness, explore, prune, precision, loops and history in src/verify.
 */
#ifndef SKEP_VERIFY_EXPLORE_H
#define SKEP_VERIFY_EXPLORE_H

#include "verify/env.h"

/* ---- cfg.c: the graph, once, before anything runs ---- */
/* Fills aux: ops, subprograms, prune, jump and checkpoint points, loops (scc.c); refuses unreachable
 * code, jumps out of functions, and (unprivileged) loops; env->postorder. */
int cfg_build(struct env *env);
/* Up to two successors of an instruction in its function; how many. */
u32 successors(const struct env *env, u32 pc, u32 next[2]);
/* live_regs.c: aux->live_regs. */
int live_regs_compute(struct env *env);
/* stack_depth.c: after exploration, over all call chains; tail calls, recursion. */
int stack_depth_check(struct env *env);

/* ---- explore.c ---- */
/* Main, then global functions that are called. */
int explore_program(struct env *env);
int explorer_new(struct env *env);
void explorer_free(struct env *env);

/* ---- prune.c: are they the same? ---- */
enum exactness { NOT_EXACT, EXACT, RANGE_WITHIN };
/* Is everything that may happen from now on covered by what was explored from old? */
bool state_covered(struct env *env, const struct state *old, const struct state *now, enum exactness exact);

/* ---- keep.c: kept states and their memory ---- */
struct state *state_keep(struct env *env, const struct state *st); /* a copy; NULL: memory */
void state_restore(struct state *working, const struct state *kept);
void state_drop(struct env *env, struct state *st);
/* Registers and slots that nobody reads any more become uninitialised. */
void state_clean(struct env *env, struct state *st);

#endif
