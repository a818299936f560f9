/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops: the strongly connected components of the control flow of each function, and
 * calls that run a callback any number of times.
 *
 * Tarjan's algorithm ("Depth-First Search and Linear Graph Algorithms", 1972) with its
 * own stack.  Instructions in no loop get component 0.  Never does: tell bounded loops
 * from others, which takes values.
 */
#include "verify/explore.h"

struct visit {
	u32 pc;
	u32 edge; /* the next one to follow */
};

struct tarjan {
	struct env *env;
	u32 *order; /* when it was first seen, from 1 on; 0: not yet */
	u32 *low;   /* the earliest one known to be reachable and in the component */
	u32 *open;  /* seen, component not known yet: a stack */
	struct visit *visits; /* the path that is being walked: a stack */
	u32 n_seen, n_open, depth;
};

enum { CLOSED = ~0u }; /* low: its component is known */

static void enter(struct tarjan *t, u32 pc)
{
	t->order[pc] = t->low[pc] = ++t->n_seen;
	t->open[t->n_open++] = pc;
	t->visits[t->depth++] = (struct visit){pc, 0};
}

static bool loops_to_itself(const struct env *env, u32 pc)
{
	u32 next[2], n = successors(env, pc, next);

	for (u32 i = 0; i < n; i++) {
		if (next[i] == pc)
			return true;
	}
	return false;
}

/* pc is the first of its component: the others are those above it on the stack. */
static void close_component(struct tarjan *t, u32 pc)
{
	struct env *env = t->env;
	bool loop = t->open[t->n_open - 1] != pc || loops_to_itself(env, pc);
	bool rounds = !loop && env->aux[pc].calls_callback;
	u32 scc = loop || rounds ? ++env->n_sccs : 0;
	u32 member;

	env->aux[pc].only_rounds = rounds;
	env->any_rounds |= rounds;

	do {
		member = t->open[--t->n_open];
		t->low[member] = CLOSED;
		env->aux[member].scc = scc;
	} while (member != pc);
}

static void lower(struct tarjan *t, u32 pc, u32 to)
{
	if (t->low[to] < t->low[pc])
		t->low[pc] = t->low[to];
}

static void leave(struct tarjan *t, u32 pc)
{
	if (t->low[pc] == t->order[pc])
		close_component(t, pc);
	t->depth--;
	if (t->depth)
		lower(t, t->visits[t->depth - 1].pc, pc);
}

static void step(struct tarjan *t)
{
	struct visit *top = &t->visits[t->depth - 1];
	u32 next[2], n = successors(t->env, top->pc, next);
	u32 to;

	if (top->edge == n) {
		leave(t, top->pc);
		return;
	}
	to = next[top->edge++];
	if (!t->order[to])
		enter(t, to);
	else
		lower(t, top->pc, to);
}

int scc_compute(struct env *env)
{
	struct arena scratch = ARENA_INIT;
	struct tarjan t = {.env = env};
	int err = 0;

	t.order = arena_array(&scratch, env->n_insns, sizeof(*t.order));
	t.low = arena_array(&scratch, env->n_insns, sizeof(*t.low));
	t.open = arena_array(&scratch, env->n_insns, sizeof(*t.open));
	t.visits = arena_array(&scratch, env->n_insns, sizeof(*t.visits));
	if (!t.order || !t.low || !t.open || !t.visits)
		err = env_no_memory(env);
	for (u32 i = 0; i < env->n_subs && !err; i++) {
		enter(&t, env->subs[i].start);
		while (t.depth)
			step(&t);
	}
	arena_fini(&scratch);
	return err;
}
