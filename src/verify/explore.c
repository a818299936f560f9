/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All paths through a program, one instruction after the other, depth first.
 *
 * A branch that is not followed at once waits as a copy of the state; the newest one is
 * next when a path ends: by exit, or because a kept state covers it (visit.c).  Main is
 * verified first, then each global function that something calls, once, for any
 * arguments.  Never does: know what an instruction computes (transfer.c), compare states.
 * More: docs/verifier.md.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verify/calls.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/keep.h"
#include "verify/liveness.h"
#include "verify/record.h"
#include "verify/transfer.h"

enum {
	MAX_PROCESSED = 1000000,
	MAX_WAITING = 8192,
	WAIT_PACKED = 64, /* when so many wait, those below the newest are made small */
};

/* ---- branches ---- */

/* The instruction that made the newest one may still change it. */
static int pack_newest(struct env *env)
{
	struct explorer *ex = env->explorer;
	struct state *small;

	if (ex->n_waiting < WAIT_PACKED || ex->waits_since == env->stats.insns_processed)
		return 0;
	small = state_pack(env, ex->waiting);
	if (!small)
		return -ENOMEM;
	ex->waiting = small;
	return 0;
}

static struct state *wait(struct env *env, struct state *st)
{
	struct explorer *ex = env->explorer;

	if (!st)
		return NULL;
	if (pack_newest(env)) {
		state_drop(env, st);
		return NULL;
	}
	ex->waits_since = env->stats.insns_processed;
	st->next = ex->waiting;
	ex->waiting = st;
	if (++ex->n_waiting > MAX_WAITING) {
		reject(env, TOO_MANY_JUMPS, MAX_WAITING);
		return NULL;
	}
	if (st->parent)
		st->parent->branches++;
	return st;
}

int explore_later(struct env *env, struct state *st)
{
	return wait(env, st) ? 0 : env_told(env);
}

struct state *env_branch(struct env *env, u32 pc, bool speculative)
{
	struct state *st = state_keep(env, env->cur);

	if (!st)
		return NULL;
	st->pc = pc;
	st->last_pc = env->pc;
	st->speculative |= speculative;
	return wait(env, st);
}

static void frame_start(struct frame *frame, u32 subprog)
{
	memset(frame, 0, sizeof(*frame));
	frame->callsite = NO_CALLSITE;
	frame->subprog = subprog;
	reg_set_pointer(&frame->regs[R10], PTR_TO_STACK, 0);
}

struct state *env_branch_async(struct env *env, u32 pc, u32 subprog, bool sleepable)
{
	struct frame frame;
	struct state st = {
		.frames = {&frame},
		.branches = 1,
		.pc = pc,
		.first_pc = pc,
		.last_pc = NO_INSN,
		.in_sleepable = sleepable,
		.trail = env->cur->trail,
	};

	frame_start(&frame, subprog);
	return wait(env, state_keep(env, &st));
}

static void drop_waiting(struct env *env)
{
	struct explorer *ex = env->explorer;
	struct state *st = ex->waiting;

	ex->waiting = st->next;
	ex->n_waiting--;
	state_drop(env, st);
}

/* False: no branch waits. */
static bool next_branch(struct env *env)
{
	struct state *st = env->explorer->waiting, *cur = env->cur;

	if (!st)
		return false;
	history_put(env, cur->history);
	state_restore(env, cur, st);
	cur->history = history_get(st->history);
	env->pc = st->pc;
	env->prev_pc = st->last_pc;
	drop_waiting(env);
	liveness_frames_changed(env);
	return true;
}

/* ---- one step ---- */

static void observe(const struct env *env)
{
	const struct verify_observer *who = env->opts->observer;

	if (who && who->step)
		who->step(who->arg, env, env->cur, env->pc);
}

/* Code that only speculation reaches may be wrong: a barrier keeps it from being reached.
 */
static bool barrier_helps(const struct env *env, int err)
{
	if (!env->rules->barriers)
		return false;
	return err == -EPERM || err == -EACCES || err == -EINVAL;
}

/* Most instructions have nothing to do with the stack, and liveness.c need not hear of
 * them. */
static bool may_use_stack(const struct op_info *op)
{
	const u32 others = 1u << KIND_INVALID | 1u << KIND_ALU | 1u << KIND_END |
			   1u << KIND_ADDR_SPACE_CAST | 1u << KIND_JMP | 1u << KIND_JA |
			   1u << KIND_MAY_GOTO | 1u << KIND_LDDW;

	return !(others >> op->kind & 1);
}

static int transfer_with_stack(struct env *env, enum step *step)
{
	int err = liveness_begin(env), marks;

	if (err)
		return err;
	err = transfer(env, step);
	if (err && env->diag->err)
		err = env->diag->err;
	if (!err || barrier_helps(env, err)) {
		marks = liveness_end(env);
		err = err ? err : marks;
	}
	return err;
}

/* What went wrong need not happen: a barrier keeps the processor from coming here. */
static int end_speculation(struct env *env, struct insn_aux *aux, enum step *step,
			   int err)
{
	if (barrier_helps(env, err)) {
		diag_clear(env->diag);
		aux->nospec = true;
		aux->alu_state = 0;
		*step = STEP_DONE;
		return 0;
	}
	if (aux->nospec_result)
		*step = STEP_DONE;
	return err;
}

static int transfer_one(struct env *env, struct insn_aux *aux, enum step *step)
{
	bool speculative = env->cur->speculative;
	int err;

	if (may_use_stack(aux->info)) {
		err = transfer_with_stack(env, step);
	} else {
		err = transfer(env, step);
		if (err && env->diag->err)
			err = env->diag->err;
	}
	return speculative ? end_speculation(env, aux, step, err) : err;
}

/* Calls and exits count, too. */
static bool is_jump(const struct insn *insn)
{
	u8 class = insn_class(insn->code);

	return class == CLASS_JMP || class == CLASS_JMP32;
}

/* At a prune point.  True: the path ends here. */
static bool is_covered(struct env *env, int *err)
{
	int covered = visit(env);

	*err = covered < 0 ? covered : 0;
	if (covered < 0)
		observe(env);
	return covered;
}

/* The instruction at env->pc. */
static int process(struct env *env, enum step *step, bool *pruned)
{
	struct insn_aux *aux = &env->aux[env->pc];
	struct explorer *ex = env->explorer;
	struct state *cur = env->cur;
	int err;

	ex->entry = NULL;
	cur->pc = env->pc;
	cur->last_pc = env->prev_pc;
	if (++env->stats.insns_processed > ex->max_insns)
		return reject(env, TOO_COMPLEX, ex->max_insns);
	if (aux->prune_point && is_covered(env, &err)) {
		*pruned = true;
		return err;
	}
	if (aux->jump_point && !history_note(env))
		return -ENOMEM;
	observe(env);
	aux->seen |= !cur->speculative;
	aux->work++;
	if (cur->speculative && aux->nospec) {
		*step = STEP_DONE;
		return 0;
	}
	ex->jumps += is_jump(&env->insns[env->pc]);
	return transfer_one(env, aux, step);
}

static int end_path(struct env *env, u32 pc, bool pruned)
{
	const struct verify_observer *who = env->opts->observer;
	int err = visit_end(env);

	if (who && who->end)
		who->end(who->arg, env, pc, pruned);
	return err ? err : liveness_update(env);
}

static int explore(struct env *env)
{
	env->prev_pc = NO_INSN;
	for (;;) {
		u32 pc = env->pc;
		enum step step = STEP_NEXT;
		bool pruned = false;
		int err;

		assert(pc < env->n_insns);
		err = process(env, &step, &pruned);
		if (err)
			return err;
		if (!pruned)
			env->prev_pc = pc;
		if (!pruned && step == STEP_NEXT)
			continue;
		env->pc = pc;
		err = end_path(env, pc, pruned);
		if (err)
			return err;
		if (!next_branch(env))
			return 0;
	}
}

/* ---- functions ---- */

static int global_start(struct env *env, u32 sub, struct frame *frame)
{
	const struct sub_info *info = &env->subs[sub];
	int err = global_args_read(env, sub);

	if (err)
		return err;
	if (sub == env->exception_sub) {
		frame->in_exception_callback = true;
		if (info->n_args != 1 || info->args[0].kind != ARG_ANYTHING)
			return reject(env, EXCEPTION_CALLBACK_ARGS);
	}
	return global_args_set(env, sub, frame);
}

static int start(struct env *env, u32 sub)
{
	struct state *cur = env->cur;
	struct frame *frames[FRAMES];
	struct ref *refs = cur->refs;

	memcpy(frames, cur->frames, sizeof(frames));
	history_put(env, cur->history);
	*cur = (struct state){
		.refs = refs,
		.branches = 1,
		.pc = env->subs[sub].start,
		.first_pc = env->subs[sub].start,
		.last_pc = NO_INSN,
		.in_sleepable = env->prog->sleepable,
	};
	memcpy(cur->frames, frames, sizeof(frames));
	frame_start(cur->frames[0], sub);
	env->pc = cur->pc;
	env->sub = sub;
	env->explorer->entry = NULL;
	liveness_frames_changed(env);
	if (sub)
		return global_start(env, sub, cur->frames[0]);
	return setup_main_regs(env, cur->frames[0]);
}

static int explore_function(struct env *env, u32 sub)
{
	int err = start(env, sub);

	if (!err)
		err = explore(env);
	/* After a refusal verify.c still tells the path; explorer_free() cleans up. */
	if (!err)
		visit_fini(env);
	return err;
}

static bool is_due(const struct env *env, u32 sub)
{
	const struct sub_info *info = &env->subs[sub];

	return env_sub_is_global(env, sub) && info->called && !info->verified;
}

/* Those may call others, so that another round is needed. */
static int explore_globals(struct env *env)
{
	u32 n = 0;

	for (u32 i = 1; i < env->n_subs; i++) {
		int err;

		if (!is_due(env, i))
			continue;
		err = explore_function(env, i);
		if (err)
			return err;
		env->subs[i].verified = true;
		n++;
	}
	return n ? 1 : 0;
}

int explore_program(struct env *env)
{
	int err = explore_function(env, 0);

	if (env->exception_sub)
		env->subs[env->exception_sub].called = true;
	if (!err)
		do
			err = explore_globals(env);
		while (err > 0);
	return err;
}

int explorer_new(struct env *env)
{
	struct explorer *ex = malloc(sizeof(*ex));

	env->explorer = ex;
	if (!ex)
		return env_no_memory(env);
	memset(ex, 0,
	       offsetof(struct explorer, idmap)); /* idmap is reset before each use */
	ex->max_insns = env->opts->max_insns ? env->opts->max_insns : MAX_PROCESSED;
	ex->compare_all = !env->privileged || env->opts->all_precise;
	ex->kept = calloc(env->n_insns, sizeof(struct state *));
	ex->loops = calloc(env->n_sccs + 1, sizeof(struct loop *));
	env->cur = state_new_working(env);
	if (!ex->kept || !ex->loops || !env->cur)
		return env_no_memory(env);
	return 0;
}

void explorer_free(struct env *env)
{
	struct explorer *ex = env->explorer;

	if (!ex)
		return;
	visit_fini(env);
	while (ex->waiting)
		drop_waiting(env);
	if (env->cur)
		history_put(env, env->cur->history);
	free(ex->kept);
	free(ex->loops);
	free(ex);
	env->explorer = NULL;
}
