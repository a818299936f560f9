/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which state comes next: what the files of the exploration share.
 *
 * For cfg, live_regs, liveness, explore, prune, precision, loops and history in
 * src/verify.
 */
#ifndef SKEP_VERIFY_EXPLORE_H
#define SKEP_VERIFY_EXPLORE_H

#include "verify/env.h"

struct history;
struct loop; /* loops.c: one visit of a loop, by one chain of calls */

/* Which id of the old state became which one of the new. */
struct idmap {
	u32 n, fresh;
	struct {
		u32 old, now;
	} pairs[FRAMES * (N_REGS + STACK_SLOTS) + MAX_REFS];
};

struct explorer {
	struct state
		*waiting; /* owned: branches that are explored later, the newest first */
	u32 n_waiting;
	u32 waits_since; /* insns_processed when the newest one was made */
	struct state *
		*kept; /* owned: n_insns lists of kept states, by instruction and call */
	struct state *evicted; /* owned: such as are not compared any more */
	u32 n_kept, n_evicted, n_back_edges;
	struct loop **loops; /* owned: n_sccs + 1 lists */
	struct history
		*entry; /* borrowed: of the instruction at env->pc; NULL: none yet */
	struct history *free_entries; /* history.c */
	u32 max_insns;                /* to process */
	u32 jumps;                    /* processed */
	u32 kept_jumps, kept_insns;   /* processed when a state was kept last */
	u8 *compact;             /* compact.c: room to write in; the arena's, as all of these */
	struct state *opened[2]; /* enum opened */
	const struct state *opened_base; /* what is open as OPENED_BASE; NULL: nothing */
	bool compare_all;             /* every scalar counts as precise */
	u8 differs; /* the register that state_covered() found not covered last */
	struct idmap idmap;
};

/* ---- decode.c: what each slot is, once, before everything else ---- */
/* Allocates and fills env->aux (op, subprog) and env->subs (all that needs no paths);
 * finds the exception callback; refuses what refers to nothing.  Where the functions that
 * the code has are not those that prog lists, env->prog becomes a copy that lists them.
 * A second call does nothing. */
int cfg_decode(struct env *env);
/* The start of the function that the instruction calls or takes the address of, or -1. */
s64 referred_function(const struct env *env, u32 pc);

/* ---- cfg.c: the graph, once, before anything runs ---- */
/* Fills aux: ops, subprograms, prune, jump and checkpoint points, loops (scc.c); refuses
 * unreachable code, jumps out of functions, and (unprivileged) loops; env->postorder.
 * Calls cfg_decode() where nobody did; kfunc_prepare() must have been called.
 * fastcall_mark() is done, too. */
int cfg_build(struct env *env);
/* Up to two successors of an instruction in its function; how many. */
u32 successors(const struct env *env, u32 pc, u32 next[2]);
/* scc.c: aux->scc, env->n_sccs (components are 1 .. n_sccs); called by cfg_build(). */
int scc_compute(struct env *env);
/* live_regs.c: aux->live_regs. */
int live_regs_compute(struct env *env);
/* stack_depth.c: after exploration, over all call chains; tail calls, recursion. */
int stack_depth_check(struct env *env);

/* ---- explore.c ---- */
/* Main, then global functions that are called. */
int explore_program(struct env *env);
/* The state, which is given up, waits as a branch of its parent. */
int explore_later(struct env *env, struct state *st);
int explorer_new(struct env *env);
void explorer_free(struct env *env);

/* ---- visit.c: was an equal state here before? ---- */
/* At a prune point: 1 when the path may end here, 0 to go on (the state may have been
 * kept), negative when it is refused. */
int visit(struct env *env);
/* The path under way is over: its parents have one branch less. */
int visit_end(struct env *env);
/* The kept state at pc with the callers of st that was made before it on the path under
 * way, or NULL: where the last iteration of a loop started.  For iterators and callbacks.
 */
const struct state *visit_find_entry(struct env *env, const struct state *st,
				     u32 pc);
/* Of a function: forgets all kept states. */
void visit_fini(struct env *env);

/* ---- loops.c: edges back, and the marks that come around by them ---- */
/* Of a copy of the working state that is kept: the loops that it is in. */
int loop_open(struct env *env, struct state *st);
/* Every path from the kept state ended; where it has branches then, some go on after all.
 */
int loop_close(struct env *env, struct state *st);
/* Of a state from which everything was explored: are the marks all there?  ASSUMED: when
 * the loop is left it is seen whether what they cover is covered. */
enum marks_known { MARKS_KNOWN, MARKS_ASSUMED, MARKS_MISSING };
enum marks_known marks_known(const struct env *env, const struct state *st);
/* The path under way ends here, as the state covers it; assumed: by the marks so far. */
int loop_add_edge(struct env *env, struct state *equal, bool assumed);
/* May the state still be needed, though all paths from it are explored? */
bool loop_needs(const struct state *st);
/* Of a function: forgets all loops. */
void loops_fini(struct env *env);

/* ---- precision.c ---- */
/* env->back_ops, once, after cfg_build(). */
int precision_prepare(struct env *env);
/* The path to "to" must be precise where "from", which covers it, is. */
void precision_propagate(struct env *env, const struct state *from, struct state *to,
			 bool *changed);
/* Everything in the kept state, and in those on the path to it. */
void precision_force(struct state *st);

/* ---- prune.c: are they the same? ---- */
enum exactness { NOT_EXACT, EXACT, RANGE_WITHIN };
/* Is everything that may happen from now on covered by what was explored from old? */
bool state_covered(struct env *env, const struct state *old, const struct state *now,
		   enum exactness exact);
/* Is it not covered, as old->differs tells?  For states of the same calls, not small. */
bool state_differs(struct env *env, const struct state *old, const struct state *now,
		   enum exactness exact);
/* Numbers in now that differ from those of old, and were not needed to be precise, become
 * unknown, so that loops of iterators and callbacks converge. */
void state_widen(struct env *env, const struct state *old, struct state *now);
bool same_callsites(const struct state *a, const struct state *b);

/* The instruction that a frame is at: the state's, or the call that made the next one. */
static inline u32 frame_pc(const struct state *st, u32 frame)
{
	return frame == st->depth ? st->pc : st->frames[frame + 1]->callsite;
}

/* ---- keep.c: kept states and their memory ---- */
/* history is counted: state_keep() takes a count, state_drop() gives it back;
 * state_restore() leaves working->history alone (explore.c moves it).  next, equal, hits,
 * misses, evicted are 0 in a copy. */
struct state *state_keep(struct env *env,
			 const struct state *st); /* a copy; NULL: memory */
/* A copy without frames and references: how the path came here is all that matters. */
struct state *state_keep_path(struct env *env, const struct state *st);
void state_restore(struct env *env, struct state *working, const struct state *kept);
void state_drop(struct env *env, struct state *st);
/* Registers and slots that nobody reads any more become uninitialised. */
void state_clean(struct env *env, struct state *st);

#endif
