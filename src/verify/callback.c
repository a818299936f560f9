/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of the program that a helper or kfunc runs.
 *
 * Nobody knows how often: the call goes on as if it had not run, and a branch enters it,
 * in a frame above the caller's, to come back to the same call.  What runs later (timers,
 * work queues) starts with nothing but its arguments.  Never does: fill the arguments
 * (who calls back knows them).  More: calls.h; frame_return() in call.c is the way back.
 */
#include "verify/calls.h"
#include "verify/transfer.h"

static int enter_later(struct env *env, const struct call *call,
		       const struct callback *callback)
{
	struct sub_info *sub = &env->subs[callback->subprog];
	const struct frame *caller = state_frame(env->cur);
	struct state *later;
	struct frame *callee;

	sub->is_async_callback = true;
	later = env_branch_async(env, sub->start, callback->subprog, callback->sleepable);
	if (!later)
		return env_told(env);
	callee = later->frames[0];
	callee->async_entries = caller->async_entries + 1;
	return callback->set_args(env, call, caller, callee);
}

static int enter_now(struct env *env, const struct call *call,
		     const struct callback *callback)
{
	u32 start = env->subs[callback->subprog].start;
	struct state *branch;
	struct frame *caller, *callee;
	int err;

	if (env->cur->depth + 1 >= FRAMES)
		return reject(env, CALL_TOO_DEEP, (u32)FRAMES);
	branch = env_branch(env, start, false);
	if (!branch)
		return env_told(env);
	caller = state_frame(branch);
	callee = env_new_frame(env, branch, callback->subprog);
	if (!callee)
		return env_told(env);
	err = callback->set_args(env, call, caller, callee);
	if (err)
		return err;
	branch->depth++;
	branch->callback_unroll_depth++;
	caller->callback_depth++;
	state_frame(env->cur)->callback_depth = 0;
	return 0;
}

int callback_enter(struct env *env, const struct call *call,
		   const struct callback *callback)
{
	struct sub_info *sub = &env->subs[callback->subprog];

	sub->is_callback = true;
	if (env->watches_calls) /* as Linux: what the helper was given, not what it gives
				 */
		sub->given_otherwise |= !static_args_fit(env, callback->subprog);
	return callback->later ? enter_later(env, call, callback)
			       : enter_now(env, call, callback);
}
