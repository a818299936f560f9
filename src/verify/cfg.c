/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control flow graph: who follows whom, where states are kept and compared, what all
 * of a function's callees do.
 *
 * One depth-first walk per function gives reachability, postorder and (for programs
 * without privileges) loops; marks depend on the instruction alone, in one pass.  Never
 * does: look at values.  More: scc.c (loops), decode.c (functions),
 * Documentation/bpf/verifier.rst.
 */
#include "base/vec.h"
#include "verify/calls.h"
#include "verify/explore.h"
#include "verify/fastcall.h"

/* ---- successors ---- */

u32 successors(const struct env *env, u32 pc, u32 next[2])
{
	const struct insn *insn = &env->insns[pc];
	const struct op_info *info = env->aux[pc].info;
	u32 n = 0;

	if (info->kind == KIND_EXIT)
		return 0;
	if (info->kind == KIND_JA) {
		next[0] = (u32)jump_target(insn, pc);
		return 1;
	}
	next[n++] = pc + (info->wide ? 2 : 1);
	if (info->kind == KIND_JMP || info->kind == KIND_MAY_GOTO)
		next[n++] = (u32)jump_target(insn, pc);
	return n;
}

/* ---- where states are kept and compared ---- */

static void mark_target(struct env *env, u32 pc)
{
	if (pc >= env->n_insns)
		return;
	env->aux[pc].prune_point = true;
	env->aux[pc].jump_point = true;
}

/* Callbacks run an unknown number of times: only an equal state at the call ends that. */
static void mark_callback_call(struct insn_aux *aux)
{
	aux->calls_callback = true;
	aux->force_checkpoint = true;
	aux->prune_point = true;
	aux->jump_point = true;
}

static void mark_helper_call(struct env *env, u32 pc)
{
	struct insn_aux *aux = &env->aux[pc];
	struct sub_info *sub = &env->subs[aux->subprog];
	u32 func = (u32)env->insns[pc].imm;

	if (helper_calls_back_later(func))
		aux->prune_point = true;
	if (helper_calls_back(func))
		mark_callback_call(aux);
	if (helper_might_sleep(env, func))
		sub->might_sleep = true;
	if (helper_changes_packet(func))
		sub->changes_packet = true;
}

static void mark_kfunc_call(struct env *env, u32 pc)
{
	struct insn_aux *aux = &env->aux[pc];
	struct sub_info *sub = &env->subs[aux->subprog];

	if (!aux->kfunc)
		return;
	if (kfunc_calls_back_later(aux->kfunc))
		aux->prune_point = true;
	if (kfunc_calls_back(aux->kfunc))
		mark_callback_call(aux);
	/* Loops of iterators converge by comparing states here and nowhere else. */
	if (kfunc_is_iter_next(aux->kfunc)) {
		aux->iter_next = true;
		aux->prune_point = true;
		aux->force_checkpoint = true;
	}
	if (kfunc_might_sleep(aux->kfunc))
		sub->might_sleep = true;
	if (kfunc_changes_packet(aux->kfunc))
		sub->changes_packet = true;
}

static void mark_call(struct env *env, u32 pc)
{
	switch ((enum call_src)env->insns[pc].src_reg) {
	case CALL_HELPER: mark_helper_call(env, pc); break;
	case CALL_KFUNC: mark_kfunc_call(env, pc); break;
	case CALL_LOCAL:
	case CALL_SRCS: break;
	}
	mark_target(env, pc + 1);
}

static void mark_function_use(struct env *env, u32 pc, u32 function)
{
	env->aux[pc].prune_point = true;
	mark_target(env, function);
	mark_target(env, pc + (env->aux[pc].info->wide ? 2 : 1));
}

static void mark_points(struct env *env)
{
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		struct insn_aux *aux = &env->aux[pc];
		u8 kind = aux->info->kind;
		s64 function = referred_function(env, pc);

		if (kind == KIND_CALL)
			mark_call(env, pc);
		if (function >= 0)
			mark_function_use(env, pc, (u32)function);
		if (kind == KIND_JMP || kind == KIND_MAY_GOTO)
			aux->prune_point = true;
		if (kind == KIND_MAY_GOTO)
			aux->force_checkpoint = true;
		if (kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO)
			mark_target(env, (u32)jump_target(&env->insns[pc], pc));
		if (aux->info->wide)
			pc++;
	}
}

/* ---- the walk ---- */

enum colour { WHITE, GREY, BLACK };

struct visit {
	u32 pc;
	u32 edge; /* the next one to follow */
};

struct dfs {
	struct env *env;
	struct visit *stack;
	u8 *colours; /* enum colour */
	u32 depth, n_postorder;
};

static void enter(struct dfs *dfs, u32 pc)
{
	dfs->colours[pc] = GREY;
	dfs->stack[dfs->depth++] = (struct visit){pc, 0};
}

/* Before loops were taken as they come, only a jump could close them. */
static bool may_loop(const struct env *env, u32 from)
{
	u8 kind = op_info((enum op)env->aux[from].op)->kind;

	return env->privileged &&
	       (env->rules->loops_anyhow || kind == KIND_JMP || kind == KIND_JA);
}

/* Follows the next edge of the newest instruction, or leaves it. */
static int dfs_step(struct dfs *dfs)
{
	struct env *env = dfs->env;
	struct visit *top = &dfs->stack[dfs->depth - 1];
	u32 next[2], n = successors(env, top->pc, next);
	u32 to;

	if (top->edge == n) {
		dfs->colours[top->pc] = BLACK;
		env->postorder[dfs->n_postorder++] = top->pc;
		dfs->depth--;
		return 0;
	}
	to = next[top->edge++];
	if (dfs->colours[to] == WHITE)
		enter(dfs, to);
	else if (dfs->colours[to] == GREY && !may_loop(env, top->pc))
		return reject_at(env, (int)top->pc, BACK_EDGE, to);
	return 0;
}

static int walk_function(struct dfs *dfs, struct sub_info *sub)
{
	int err = 0;

	sub->postorder_start = dfs->n_postorder;
	enter(dfs, sub->start);
	while (dfs->depth && !err)
		err = dfs_step(dfs);
	sub->n_postorder = dfs->n_postorder - sub->postorder_start;
	return err;
}

/* ---- calls ---- */

/* Each pair of functions once, with the first call, or the first use of the address. */
static bool collect_calls(struct env *env, bool *seen, struct vec *calls)
{
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		s64 to = env->aux[pc].op ? referred_function(env, pc) : -1;
		bool direct = env->aux[pc].op == OP_CALL;
		struct sub_call *call;
		u32 from = env->aux[pc].subprog, callee;

		if (to < 0)
			continue;
		callee = env->aux[to].subprog;
		if (seen[2 * (from * env->n_subs + callee) + direct])
			continue;
		seen[2 * (from * env->n_subs + callee) + direct] = true;
		call = vec_push(calls);
		if (!call)
			return false;
		*call = (struct sub_call){pc, from, callee, direct};
	}
	return true;
}

static int find_calls(struct env *env)
{
	bool *seen = arena_array(&env->arena, (size_t)env->n_subs * env->n_subs, 2);
	struct vec calls = VEC_INIT(struct sub_call);
	bool ok = seen && collect_calls(env, seen, &calls);

	env->n_calls = (u32)calls.len;
	env->calls = arena_memdup(&env->arena, calls.data, calls.len * calls.elem_size);
	vec_fini(&calls);
	return ok && env->calls ? 0 : env_no_memory(env);
}

static u32 effects(const struct sub_info *sub, bool used)
{
	return (u32)sub->changes_packet | (u32)sub->might_sleep << 1 | (u32)used << 2;
}

/* used[i]: something reachable refers to function i.  Effects of callees are those of
 * their callers.  Calls may go round in circles here: that is refused later. */
static void follow_calls(struct env *env, bool *used)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 i = 0; i < env->n_calls; i++) {
			u32 from = env->calls[i].caller, to = env->calls[i].callee;
			struct sub_info *caller = &env->subs[from],
					*callee = &env->subs[to];
			u32 before = effects(caller, used[to]);

			caller->changes_packet |= callee->changes_packet;
			caller->might_sleep |= callee->might_sleep;
			used[to] |= used[from];
			changed |= before != effects(caller, used[to]);
		}
	}
}

static int refuse_unreachable(struct env *env, const u8 *colours)
{
	bool *used = arena_array(&env->arena, env->n_subs, sizeof(*used));
	int err = find_calls(env);

	if (err || !used)
		return err ? err : env_no_memory(env);
	used[0] = used[env->exception_sub] = true;
	follow_calls(env, used);
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		if (colours[pc] != BLACK || !used[env->aux[pc].subprog])
			return reject_at(env, (int)pc, UNREACHABLE);
		if (env->aux[pc].info->wide)
			pc++;
	}
	env->changes_packet = env->subs[0].changes_packet;
	return 0;
}

static int walk_all(struct env *env)
{
	struct arena scratch = ARENA_INIT;
	struct dfs dfs = {.env = env};
	int err = 0;

	dfs.stack = arena_array(&scratch, env->n_insns, sizeof(*dfs.stack));
	dfs.colours = arena_alloc(&scratch, env->n_insns);
	env->postorder = arena_array(&env->arena, env->n_insns, sizeof(*env->postorder));
	if (!dfs.stack || !dfs.colours || !env->postorder)
		err = env_no_memory(env);
	for (u32 i = 0; i < env->n_subs && !err; i++)
		err = walk_function(&dfs, &env->subs[i]);
	if (!err)
		err = refuse_unreachable(env, dfs.colours);
	arena_fini(&scratch);
	return err;
}

int cfg_build(struct env *env)
{
	int err = cfg_decode(env);

	if (err)
		return err;
	mark_points(env);
	err = walk_all(env);
	err = err ? err : scc_compute(env);
	if (!err)
		fastcall_mark(env);
	return err;
}
