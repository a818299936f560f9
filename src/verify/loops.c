/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How loops end: edges back, and marks of precision that are carried around by them.
 *
 * A path in a loop may end because a kept state covers it whose own paths are not all
 * known yet, so marks are missing.  The edge from one to the other is remembered.  Loops
 * of the control flow compare such states by their ranges, which covers whatever marks
 * will come.  Around calls that run a callback any number of times ("rounds") they are
 * compared by the marks that there are, as Linux 6.18 does, but that is an assumption:
 * when the round is left, and marks are final, each is looked at once more, and a path
 * that is not covered after all goes on.  What holds in the end holds together: every
 * state is covered by one whose paths end, or are covered, too.  Never does: compare
 * states, look at what instructions compute.  More: scc.c, precision.c, visit.c.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/compact.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/keep.h"

enum {
	MAX_CARRIES = 64, /* of marks around a loop */
	MAX_CHECKS = 8,   /* of assumptions that did not all hold, before nothing more is
			     assumed */
};

/*
 * One visit of a loop, or of the rounds of a callback, by one chain of calls: entered
 * when its first state was kept, left when all paths from there are explored.
 */
struct loop {
	struct loop *next; /* of the same loop, by another chain */
	u32 callsites[FRAMES];
	struct state *entry;   /* borrowed; NULL: left */
	struct state *edges;   /* owned: where paths ended because ->equal covers them */
	struct state *resumed; /* owned: those that have to go on, one after the other */
	u32 n_edges;
	u32 checks;
};

/* ---- entering ---- */

/* The outermost frame that is in a loop of the control flow, whatever calls around it do
 * (rounds: that is called by a callback's call in no loop), and how it was called. */
static u32 loop_chain(const struct env *env, bool rounds, u32 callsites[FRAMES])
{
	const struct state *st = env->cur;

	memset(callsites, 0, FRAMES * sizeof(callsites[0]));
	for (u32 i = 0; i <= st->depth; i++) {
		u32 pc = frame_pc(st, i);
		const struct insn_aux *aux = &env->aux[pc];

		if (aux->scc && aux->only_rounds == rounds)
			return aux->scc;
		if (aux->scc && rounds)
			return 0;
		callsites[i] = pc;
	}
	return 0;
}

static int join(struct env *env, struct state *st, bool rounds, struct loop **joined)
{
	u32 callsites[FRAMES], scc = loop_chain(env, rounds, callsites);
	struct loop **list = &env->explorer->loops[scc], *loop = *list;

	if (!scc)
		return 0;
	while (loop && memcmp(loop->callsites, callsites, sizeof(callsites)))
		loop = loop->next;
	if (!loop) {
		loop = calloc(1, sizeof(*loop));
		if (!loop)
			return env_no_memory(env);
		memcpy(loop->callsites, callsites, sizeof(callsites));
		loop->next = *list;
		*list = loop;
	}
	if (!loop->entry)
		loop->entry = st;
	*joined = loop;
	return 0;
}

int loop_open(struct env *env, struct state *st)
{
	int err = 0;

	st->loop = st->round = NULL;
	if (env->n_sccs)
		err = join(env, st, false, &st->loop);
	if (!err && env->any_rounds)
		err = join(env, st, true, &st->round);
	return err;
}

/* ---- edges back ---- */

/* Is more to come around it? */
static bool is_open(const struct loop *loop)
{
	return loop && (loop->edges || loop->resumed);
}

/* An assumption costs the memory of a state. */
static bool may_assume(const struct env *env, const struct loop *round)
{
	return round->checks <= MAX_CHECKS && !keep_small(env);
}

enum marks_known marks_known(const struct env *env, const struct state *st)
{
	if (is_open(st->loop))
		return MARKS_MISSING;
	if (!is_open(st->round))
		return MARKS_KNOWN;
	return may_assume(env, st->round) ? MARKS_ASSUMED : MARKS_MISSING;
}

bool loop_needs(const struct state *st)
{
	return is_open(st->loop) || is_open(st->round);
}

static void add_edge(struct env *env, struct loop *loop, struct state *edge)
{
	struct explorer *ex = env->explorer;

	edge->next = loop->edges;
	loop->edges = edge;
	loop->n_edges++;
	ex->n_back_edges++;
}

int loop_add_edge(struct env *env, struct state *equal, bool assumed)
{
	struct loop *loop = equal->loop;
	struct state *edge;

	/* A loop that was left is not entered again by a path that goes on in it. */
	if (assumed || !loop || !loop->entry)
		loop = equal->round;
	/* Only iterators' calls and may_goto outside of any loop: nothing comes around.
	 */
	if (!loop)
		return 0;
	edge = assumed ? state_keep(env, env->cur) : state_keep_path(env, env->cur);
	if (!edge)
		return -ENOMEM;
	edge->equal = equal;
	add_edge(env, loop, edge);
	return 0;
}

static struct state *take_edge(struct env *env, struct loop *loop)
{
	struct state *edge = loop->edges;

	loop->edges = edge->next;
	loop->n_edges--;
	env->explorer->n_back_edges--;
	return edge;
}

static void drop_edges(struct env *env, struct loop *loop)
{
	while (loop->edges)
		state_drop(env, take_edge(env, loop));
}

/* Each time carries the marks once over every edge, until there are no new ones. */
static void carry_marks(struct env *env, struct loop *loop)
{
	bool changed = loop->edges;

	for (u32 i = 0; changed && i <= MAX_CARRIES; i++) {
		changed = false;
		for (struct state *st = loop->edges; st; st = st->next)
			precision_propagate(env, st->equal, st, &changed);
	}
	for (struct state *st = loop->edges; changed && st; st = st->next)
		precision_force(st->parent);
}

/* Of a loop of the control flow: in a round, more marks may come around that. */
static void loop_leave(struct env *env, struct state *entry)
{
	struct loop *loop = entry->loop;

	carry_marks(env, loop);
	loop->entry = NULL;
	while (entry->round && loop->edges)
		add_edge(env, entry->round, take_edge(env, loop));
	drop_edges(env, loop);
}

/* ---- assumptions ---- */

/* An edge without frames was found by ranges. */
static bool holds(struct env *env, const struct state *edge)
{
	return !edge->frames[0] ||
	       state_covered(env, state_whole(env, edge->equal), edge, NOT_EXACT);
}

static void check_assumptions(struct env *env, struct loop *round)
{
	struct state *edges = round->edges;

	round->edges = NULL;
	env->explorer->n_back_edges -= round->n_edges;
	round->n_edges = 0;
	while (edges) {
		struct state *edge = edges;

		edges = edge->next;
		if (holds(env, edge)) {
			add_edge(env, round, edge);
			continue;
		}
		edge->next = round->resumed;
		round->resumed = edge;
	}
}

/* Nothing is left that could make another check come out otherwise. */
static void stop_assuming(struct loop *round)
{
	for (struct state *st = round->edges; st; st = st->next) {
		precision_force(st->parent);
		precision_force(st->equal);
	}
}

/*
 * The path goes on where it ended.  Those that it came by have a branch again, up to the
 * round's entry, which was not reported to its parent yet.  One at a time, so that what
 * is under way is one path.
 */
static int resume(struct env *env, struct loop *round)
{
	struct state *st = round->resumed, *parent = st->parent;
	struct history *last = st->history;
	int err;

	round->resumed = st->next;
	st->equal = NULL;
	if (env->aux[st->pc].jump_point) { /* noted when the path ended */
		st->history = history_get(last->prev);
		history_put(env, last);
	}
	err = explore_later(env, st);
	if (err)
		return err;
	while (parent->branches == 1 && parent != round->entry) {
		parent = parent->parent;
		parent->branches++;
	}
	return 0;
}

/* True branches of the entry afterwards: some path goes on. */
static int round_leave(struct env *env, struct loop *round)
{
	if (!round->resumed) {
		carry_marks(env, round);
		if (++round->checks > MAX_CHECKS)
			stop_assuming(round);
		check_assumptions(env, round);
	}
	if (round->resumed)
		return resume(env, round);
	round->entry = NULL;
	round->checks = 0;
	drop_edges(env, round);
	return 0;
}

int loop_close(struct env *env, struct state *st)
{
	if (st->loop && st->loop->entry == st)
		loop_leave(env, st);
	if (st->round && st->round->entry == st)
		return round_leave(env, st->round);
	return 0;
}

static void loop_free(struct env *env, struct loop *loop)
{
	drop_edges(env, loop);
	while (loop->resumed) {
		struct state *st = loop->resumed;

		loop->resumed = st->next;
		state_drop(env, st);
	}
	free(loop);
}

void loops_fini(struct env *env)
{
	struct explorer *ex = env->explorer;

	for (u32 i = 0; i <= env->n_sccs && ex->loops; i++) {
		while (ex->loops[i]) {
			struct loop *loop = ex->loops[i];

			ex->loops[i] = loop->next;
			loop_free(env, loop);
		}
	}
}
