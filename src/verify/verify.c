/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One verification from beginning to end: what is checked when, and what is told of it.
 *
 * The order is Linux's, so that of several faults the same one is found first.  Never
 * does: judge anything itself.  More: env.h, docs/verifier.md.
 */
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/abi.h"
#include "base/vec.h"
#include "verify/attach.h"
#include "verify/blame.h"
#include "verify/calls.h"
#include "verify/explore.h"
#include "verify/fastcall.h"
#include "verify/history.h"
#include "verify/keep.h"
#include "verify/liveness.h"
#include "verify/record.h"
#include "verify/transfer.h"

enum { MAX_PATH = 1 << 16 };

/* ---- refusing ---- */

int env_reject(struct env *env, enum reason_id id, int pc, const char *fmt, ...)
{
	const struct line_info *line;
	va_list ap;
	int err;

	if (!env->diag->id) {
		va_start(ap, fmt);
		env->blame = blame_of(fmt, ap);
		va_end(ap);
	}
	va_start(ap, fmt);
	err = diag_reject(env->diag, id, pc, fmt, ap);
	va_end(ap);
	line = pc >= 0 ? prog_line(env->prog, (u32)pc) : NULL;
	if (line && env->diag->id == (int)id && env->diag->insn == pc)
		diag_at_line(env->diag, line->file, (int)line->line);
	return err;
}

int env_no_memory(struct env *env)
{
	return fail(env->diag, NO_MEMORY, NO_PC);
}

/* ---- what is told ---- */

static void reverse(u32 *a, u32 n)
{
	for (u32 i = 0; i < n / 2; i++) {
		u32 tmp = a[i];

		a[i] = a[n - 1 - i];
		a[n - 1 - i] = tmp;
	}
}

/* Backwards; false: no room for more, or memory is out. */
static bool add_path(struct vec *path, const struct state *st, u32 pc)
{
	struct history_walk walk = history_walk(st);

	do {
		u32 *at = path->len < MAX_PATH ? vec_push(path) : NULL;

		if (!at)
			return false;
		*at = pc;
	} while (history_back(&walk, &pc));
	return true;
}

static void tell_path(const struct env *env, struct verify_result *result)
{
	struct vec path = VEC_INIT(u32);
	const struct state *st = env->cur;
	u32 pc = st->pc;

	for (; st && pc < env->n_insns; st = st->parent, pc = st ? st->last_pc : 0) {
		if (!add_path(&path, st, pc)) {
			result->path_cut = true;
			break;
		}
	}
	reverse(path.data, (u32)path.len);
	result->path = path.data;
	result->n_path = (u32)path.len;
}

static void tell_work(const struct env *env, struct verify_result *result)
{
	result->work = calloc(env->n_insns, sizeof(*result->work));
	if (!result->work)
		return;
	result->n_work = env->n_insns;
	for (u32 i = 0; i < env->n_insns; i++)
		result->work[i] = env->aux[i].work;
}

static void tell_map_struct(const struct env *env, struct verify_result *result)
{
	for (u32 i = 0; i < env->n_insns && !result->map_struct; i++)
		if (env->aux[i].ptr_kind == CONST_PTR_TO_MAP)
			result->map_struct = i + 1;
}

static void tell_believed(const struct env *env, struct verify_result *result)
{
	for (u32 i = 0; i < env->n_insns && !result->believed; i++)
		if (env->aux[i].believed &&
		    env->aux[i].ways == (VERIFY_WENT_ON | VERIFY_JUMPED))
			result->believed = i + 1;
}

/* R1 of a function that replaces another one is whatever that one takes. */
static void tell_context(const struct env *env, struct verify_result *result)
{
	result->context = env->context;
	if (env->prog->type == PROG_TYPE_EXT)
		result->context.believed = 1;
}

/* What depends on the kinds of pointers, as Linux rewrites it.  Linux cuts what is computed
 * on all paths when one has an arena's address; what we cut would no longer be what was
 * judged. */
static int tell_arena(const struct env *env, struct verify_result *result)
{
	bool uses = false;

	for (u32 i = 0; i < env->prog->n_maps; i++)
		uses |= env->prog->maps[i]->type == MAP_TYPE_ARENA;
	if (!uses)
		return 0;
	result->arena = calloc(env->n_insns, 1);
	if (!result->arena)
		return -ENOMEM;
	for (u32 i = 0; i < env->n_insns; i++) {
		const struct insn_aux *aux = &env->aux[i];

		if (aux->ptr_kind == PTR_TO_ARENA)
			result->arena[i] = ARENA_ACCESS;
		else if (aux->cuts && !aux->keeps)
			result->arena[i] = ARENA_CUT;
	}
	return 0;
}

static int tell_ways(struct env *env, struct verify_result *result)
{
	result->ways = calloc(env->n_insns, sizeof(*result->ways));
	if (!result->ways)
		return env_no_memory(env);
	for (u32 i = 0; i < env->n_insns; i++) {
		const struct insn_aux *aux = &env->aux[i];

		if (aux->seen)
			result->ways[i] = aux->ways ? aux->ways : VERIFY_WENT_ON;
	}
	return 0;
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* ---- the stages ---- */

static int prepare(struct env *env)
{
	int err = setup_program(env);

	if (!err)
		err = cfg_decode(env);
	if (!err)
		err = func_info_check(env);
	if (!err)
		err = maps_check(env);
	if (!err)
		err = kfunc_prepare(env);
	if (!err)
		err = cfg_build(env);
	if (!err)
		err = attach_effects_check(env);
	if (!err)
		err = live_regs_compute(env);
	if (!err)
		err = precision_prepare(env);
	if (!err)
		err = liveness_new(env);
	if (!err)
		err = keep_new(env);
	return err ? err : explorer_new(env);
}

static int explore(struct env *env)
{
	int err = prepare(env);

	return err ? err : explore_program(env);
}

int env_explore_other(struct env *env, struct env *other)
{
	u64 start = now_ns();
	int err = explore(other);

	env->other_ns += now_ns() - start;
	return err;
}

void env_fini(struct env *env)
{
	alu_fini(env);
	explorer_free(env);
	liveness_free(env);
	keep_free(env);
	env->stats.memory += env->arena.total;
	arena_fini(&env->arena);
}

static int judge(struct env *env, struct verify_result *result)
{
	int err = explore(env);

	if (err && env->stats.insns_processed)
		tell_path(env, result);
	if (env->stats.insns_processed)
		tell_work(env, result);
	if (!err) {
		fastcall_shrink_stack(env);
		err = stack_depth_check(env);
	}
	if (err)
		return err;
	tell_map_struct(env, result);
	tell_believed(env, result);
	tell_context(env, result);
	result->untrusted = env->untrusted;
	return tell_arena(env, result);
}

/* The reason was told first; on the way out others may have taken its errno for theirs.
 */
static int outcome(struct env *env, int err)
{
	if (err && !env->diag->id)
		reject(env, UNTOLD, err);
	else if (!err && env->diag->id)
		diag_clear(env->diag);
	return err ? env->diag->err : 0;
}

int verify_prog(const struct prog *prog, const struct verify_opts *opts,
		struct verify_result *result, struct skep_diag *diag)
{
	struct skep_diag unread = SKEP_DIAG_INIT;
	struct rules rules;
	struct env env = {
		.prog = prog,
		.opts = opts,
		.target = opts->target,
		.rules = &rules,
		.insns = prog->insns,
		.n_insns = prog->n_insns,
		.diag = diag ? diag : &unread,
		.blame = BLAME_NOTHING,
	};
	u64 start = now_ns();
	int err;

	memset(result, 0, sizeof(*result));
	diag_clear(env.diag);
	rules_of(opts->target->version, &rules);
	err = outcome(&env, judge(&env, result));
	if (!err && opts->ways)
		err = tell_ways(&env, result);
	env_fini(&env);
	env.stats.time_ns = now_ns() - start - env.other_ns;
	result->stats = env.stats;
	result->blame = env.blame;
	return err;
}

void verify_result_fini(struct verify_result *result)
{
	free(result->path);
	free(result->work);
	free(result->arena);
	free(result->ways);
	memset(result, 0, sizeof(*result));
}

u32 verify_flag(const char *name)
{
	static const struct {
		const char *name;
		enum verify_flag flag;
	} flags[] = {
		{"strict_alignment", VERIFY_STRICT_ALIGNMENT},
		{"test_state_freq", VERIFY_TEST_STATE_FREQ},
		{"test_reg_invariants", VERIFY_TEST_REG_INVARIANTS},
	};

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(name, flags[i].name))
			return flags[i].flag;
	return 0;
}

const char *verify_verdict(int err, const struct skep_diag *diag)
{
	if (!err)
		return "accepted";
	if (diag->id == REASON_UNSUPPORTED || diag->id == REASON_UNTOLD ||
	    diag->id == DIAG_NO_MEMORY)
		return "unsupported";
	return "rejected";
}
