/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How deep the stack is when functions call each other, and what may not be in a chain of
 * calls: recursion, too many frames, exceptions and old packet loads in callbacks.
 *
 * For each number of frames above it and each function, the deepest stack of any chain
 * that leads there: a table of eight rows, instead of all chains, of which there may be
 * too many.  Everything is demanded of the worst one.  Never does: look at paths;
 * addresses of functions count as calls.  More: Documentation/bpf of the kernel, "bpf2bpf
 * calls".
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/calls.h"
#include "verify/explore.h"

enum { PRIVATE_STACK_MIN = 64, TAIL_CALL_STACK = 256, UNREACHED = -1 };

/* Chains of calls that end in one function, with the same number of frames above it. */
struct chains {
	s32 depth;     /* most bytes of stack above it; UNREACHED: there is none */
	bool callback; /* some of them have a callback above it */
};

struct walk {
	struct env *env;
	bool private_stack;   /* large frames get a stack of their own */
	bool *shared;         /* [function]: reached by an asynchronous callback, too */
	struct chains *row;   /* [function] */
	struct chains *below; /* [function]: with one frame more */
};

static u32 frame_stack(const struct env *env, u32 sub)
{
	u32 depth = env->subs[sub].stack_depth;

	if (env->rules->stack_by_16)
		return (u32)round_up(depth, 16);
	return (u32)round_up(depth ? depth : 1, 32);
}

static bool has_private_stack(const struct walk *walk, u32 sub)
{
	return walk->private_stack && !walk->shared[sub] &&
	       frame_stack(walk->env, sub) >= PRIVATE_STACK_MIN;
}

/* Programs that cannot be entered again while they run. */
static bool may_have_private_stack(const struct env *env)
{
	for (u32 i = 0; i < env->n_subs; i++) {
		if (env->subs[i].has_tail_call)
			return false;
	}
	switch (env->prog->type) {
	case PROG_TYPE_KPROBE:
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_PERF_EVENT:
	case PROG_TYPE_RAW_TRACEPOINT: return env->rules->private_stack;
	case PROG_TYPE_TRACING:
		return env->rules->private_stack &&
		       env->prog->attach_type != ATTACH_TRACE_ITER;
	default: return false;
	}
}

/* The function by itself, with what is above it; *total: with its own frame. */
static int check_depth(const struct walk *walk, u32 no, u32 frames, s32 *total)
{
	struct env *env = walk->env;
	const struct sub_info *sub = &env->subs[no];
	s32 above = walk->row[no].depth, own = (s32)frame_stack(env, no);

	if (no && sub->has_tail_call && above >= TAIL_CALL_STACK)
		return reject_at(env, (int)sub->start, TAIL_CALL_TOO_DEEP, above);
	if (has_private_stack(walk, no)) {
		*total = above;
		if (own > STACK_BYTES)
			return reject_at(env, (int)sub->start, STACK_TOO_DEEP, 1u, own,
					 (int)STACK_BYTES);
		return 0;
	}
	*total = above + own;
	if (*total > STACK_BYTES)
		return reject_at(env, (int)sub->start, STACK_TOO_DEEP, frames + 1, *total,
				 (int)STACK_BYTES);
	return 0;
}

/* What must not run in a callback. */
static int check_callback(struct env *env, u32 no)
{
	const struct sub_info *sub = &env->subs[no];

	if (sub->has_ld_abs)
		return reject_at(env, (int)sub->start, LD_ABS_IN_CALLBACK);
	for (u32 pc = sub->start; pc < sub->end; pc++) {
		const struct kfunc *kfunc = env->aux[pc].kfunc;

		if (kfunc && kfunc_is_throw(kfunc))
			return reject_at(env, (int)pc, THROW_IN_CALLBACK);
	}
	return 0;
}

/* Asynchronous callbacks start with an empty stack, unless they are called directly. */
static int check_edge(struct env *env, const struct sub_call *call, bool *counts)
{
	const struct sub_info *callee = &env->subs[call->callee];

	*counts = true;
	if (!callee->is_async_callback)
		return 0;
	if (callee->has_tail_call)
		return reject_at(env, (int)call->pc, TAIL_CALL_IN_ASYNC_CALLBACK);
	*counts = call->direct;
	if (call->direct && callee->is_exception_callback)
		return reject_at(env, (int)call->pc, CALLS_EXCEPTION_CALLBACK);
	return 0;
}

static int follow_calls(struct walk *walk, u32 no, u32 frames, s32 total)
{
	struct env *env = walk->env;
	bool callback = walk->row[no].callback || env->subs[no].is_callback;

	for (u32 i = 0; i < env->n_calls; i++) {
		const struct sub_call *call = &env->calls[i];
		struct chains *to = &walk->below[call->callee];
		bool counts;
		int err;

		if (call->caller != no)
			continue;
		err = check_edge(env, call, &counts);
		if (err)
			return err;
		if (!counts)
			continue;
		if (frames + 1 >= FRAMES)
			return reject_at(env, (int)call->pc, CALL_TOO_DEEP, (u32)FRAMES);
		if (total > to->depth)
			to->depth = total;
		to->callback |= callback;
	}
	return 0;
}

static int walk_row(struct walk *walk, u32 frames)
{
	struct env *env = walk->env;

	for (u32 i = 0; i < env->n_subs; i++) {
		s32 total = 0;
		int err;

		if (walk->row[i].depth == UNREACHED)
			continue;
		err = check_depth(walk, i, frames, &total);
		if (!err && (walk->row[i].callback || env->subs[i].is_callback))
			err = check_callback(env, i);
		err = err ? err : follow_calls(walk, i, frames, total);
		if (err)
			return err;
	}
	return 0;
}

static void clear_row(const struct env *env, struct chains *row)
{
	for (u32 i = 0; i < env->n_subs; i++)
		row[i] = (struct chains){UNREACHED, false};
}

/* The frame of the exception callback has no counter of tail calls. */
static int note_reached(struct walk *walk, u32 root, u32 frames)
{
	struct env *env = walk->env;

	for (u32 i = 0; i < env->n_subs; i++) {
		if (walk->row[i].depth == UNREACHED)
			continue;
		if (root)
			walk->shared[i] = true;
		if (frames && env->subs[i].has_tail_call &&
		    env->subs[root].is_exception_callback)
			return reject_at(env, (int)env->subs[i].start,
					 TAIL_CALL_IN_EXCEPTION_CALLBACK);
	}
	return 0;
}

/* All chains that start in one function. */
static int walk_from(struct walk *walk, u32 root)
{
	clear_row(walk->env, walk->row);
	walk->row[root].depth = 0;
	for (u32 frames = 0; frames < FRAMES; frames++) {
		struct chains *row = walk->row;
		int err = note_reached(walk, root, frames);

		clear_row(walk->env, walk->below);
		err = err ? err : walk_row(walk, frames);
		if (err)
			return err;
		walk->row = walk->below;
		walk->below = row;
	}
	return 0;
}

/* Asynchronous callbacks first: what they share with main has no private stack. */
int stack_depth_check(struct env *env)
{
	struct walk walk = {.env = env};

	walk.row = arena_array(&env->arena, env->n_subs, sizeof(*walk.row));
	walk.below = arena_array(&env->arena, env->n_subs, sizeof(*walk.below));
	walk.shared = arena_array(&env->arena, env->n_subs, sizeof(*walk.shared));
	if (!walk.row || !walk.below || !walk.shared)
		return env_no_memory(env);
	for (u32 i = env->n_subs; i-- > 0;) {
		int err;

		if (i && !env->subs[i].is_async_callback)
			continue;
		walk.private_stack = !i && may_have_private_stack(env);
		err = walk_from(&walk, i);
		if (err)
			return err;
	}
	return 0;
}
