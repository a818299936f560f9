/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls and exits: who is called, functions of the program entered and left.
 *
 * A static function is looked at anew from each call, in a frame of its own; a global one
 * is judged once, by its BTF, and is here no more than its prototype.  A callback that
 * returns goes back to the call that runs it, which decides whether it runs again. Never
 * does: judge what helpers and kfuncs are given (helper*.c, kfunc*.c). More: calls.h; RFC
 * 9669 section 4.3.1; Documentation/bpf/verifier.rst of the kernel.
 */
#include <linux/bpf.h>

#include "verify/calls.h"

#include <assert.h>

#include "verify/explore.h"
#include "verify/liveness.h"
#include "verify/memory.h"
#include "verify/transfer.h"

/* ---- functions of the program ---- */

static void clear_caller_saved(struct reg *regs)
{
	for (u32 i = R0; i <= R5; i++)
		reg_set_uninit(&regs[i]);
}

static int may_call_global(struct env *env, u32 sub)
{
	const char *name = env->prog->subprogs[sub].name;
	const struct state *st = env->cur;
	const char *section;

	if (st->active_locks)
		return reject(env, GLOBAL_CALL_IN_LOCK, name);
	if (!env->rules->global_sleep_known)
		return st->active_preempt ? reject(env, GLOBAL_CALL_SLEEPS, name,
						   "section without preemption")
					  : 0;
	section = env->subs[sub].might_sleep ? atomic_section(env) : NULL;
	return section ? reject(env, GLOBAL_CALL_SLEEPS, name, section) : 0;
}

static int call_global(struct env *env, u32 sub)
{
	struct reg *regs = env_regs(env);
	int err = may_call_global(env, sub);

	err = err ? err : global_args_check(env, sub);
	if (err)
		return err;
	if (env->subs[sub].changes_packet && env->rules->packet_effects)
		forget_packet(env);
	env->subs[sub].called = true;
	clear_caller_saved(regs);
	reg_set_unknown(&regs[R0]);
	env->pc++;
	return 0;
}

static int call_static(struct env *env, u32 sub)
{
	struct state *st = env->cur;
	struct reg *regs = env_regs(env);
	struct frame *callee;

	if (st->depth + 1 >= FRAMES)
		return reject(env, CALL_TOO_DEEP, (u32)FRAMES);
	if (env->watches_calls)
		env->subs[sub].given_otherwise |= !static_args_fit(env, sub);
	callee = env_new_frame(env, st, sub);
	if (!callee)
		return env_told(env);
	for (u32 i = R1; i <= R5; i++)
		callee->regs[i] = regs[i];
	clear_caller_saved(regs);
	st->depth++;
	env->pc = env->subs[sub].start;
	liveness_frames_changed(env);
	return 0;
}

static int call_function(struct env *env, const struct insn *insn)
{
	s64 start = (s64)env->pc + 1 + insn->imm;
	u32 sub = env->aux[start].subprog;

	assert(env->subs[sub].start == start); /* decode.c */
	return env_sub_is_global(env, sub) ? call_global(env, sub)
					   : call_static(env, sub);
}

/* ---- returning ---- */

/* What a callback returns says whether its caller goes on: the number must be known. */
static int callback_result(struct env *env)
{
	const struct frame *callee = state_frame(env->cur);
	const struct reg *r0 = &callee->regs[R0];
	struct range_words is, must;
	int err;

	if (r0->kind != SCALAR)
		return reject(env, CALLBACK_NOT_NUMBER);
	err = env_need_precise(env, R0);
	if (err)
		return err;
	if (r0->var.smin < callee->callback_ret_min ||
	    r0->var.smax > callee->callback_ret_max)
		return reject(env, CALLBACK_RANGE,
			      range_words(&is, r0->var.smin, r0->var.smax),
			      range_words(&must, callee->callback_ret_min,
					  callee->callback_ret_max));
	return 0;
}

/*
 * Back at the call, which may run the callback again.  What it changed without anybody
 * needing the value becomes unknown, so that some round equals the one before.
 */
static void back_to_callsite(struct env *env, u32 callsite)
{
	const struct state *prev = visit_find_entry(env, env->cur, callsite);

	env->pc = callsite;
	if (prev)
		state_widen(env, prev, env->cur);
}

int frame_return(struct env *env)
{
	struct state *st = env->cur;
	const struct frame *callee = state_frame(st);
	struct frame *caller = st->frames[st->depth - 1];
	u32 callsite = callee->callsite;
	bool callback = callee->in_callback;
	int err = liveness_update(env);

	if (err)
		return err;
	if (callee->regs[R0].kind == PTR_TO_STACK)
		return reject(env, RETURNS_STACK);
	if (callback) {
		err = callback_result(env);
		if (err)
			return err;
	} else {
		caller->regs[R0] = callee->regs[R0];
	}
	st->depth--;
	liveness_frames_changed(env);
	if (callback)
		back_to_callsite(env, callsite);
	else
		env->pc = callsite + 1;
	return 0;
}

/* Before locks could be released by callers, each function had to do so itself. */
static bool must_unlock(const struct env *env)
{
	const struct state *st = env->cur;

	if (!st->depth)
		return true;
	if (env->rules->locks_across_functions)
		return false;
	for (u32 i = 1; i <= st->depth; i++)
		if (st->frames[i]->in_callback)
			return false;
	return true;
}

int transfer_exit(struct env *env, const struct insn *insn, enum step *step)
{
	int err = refs_none(env, "the end of the program", false, must_unlock(env));

	(void)insn;
	if (err)
		return err;
	if (env->cur->depth)
		return frame_return(env);
	*step = STEP_DONE;
	return return_check(env, R0);
}

/* ---- calls ---- */

static bool allowed_in_lock(const struct env *env, const struct insn *insn)
{
	const struct kfunc *kfunc = env->aux[env->pc].kfunc;

	switch ((enum call_src)insn->src_reg) {
	case CALL_HELPER: return insn->imm == BPF_FUNC_spin_unlock;
	case CALL_KFUNC: return kfunc && kfunc_allowed_in_lock(kfunc);
	case CALL_LOCAL:
	case CALL_SRCS: break;
	}
	return true;
}

int transfer_call(struct env *env, const struct insn *insn, enum step *step)
{
	u32 pc = env->pc;
	int err;

	if (env->cur->active_locks && !allowed_in_lock(env, insn))
		return reject(env, CALL_IN_LOCK);
	switch ((enum call_src)insn->src_reg) {
	case CALL_LOCAL: return call_function(env, insn);
	case CALL_HELPER: err = helper_call(env, insn, step); break;
	case CALL_KFUNC: err = kfunc_call(env, insn, step); break;
	case CALL_SRCS:
	default: /* a field of an instruction, which may hold anything */
		return reject(env, UNKNOWN_OPCODE, insn->code);
	}
	/* A tail call in a function may go on in the function's caller. */
	if (!err && *step == STEP_NEXT && env->pc == pc)
		env->pc = pc + 1;
	return err;
}
