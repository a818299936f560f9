/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that attach to a function of another program: they trace it or replace it.
 *
 * What replaces must have the same prototype, type by type, may do nothing to the packet
 * that callers do not know of, and is judged as a program of the other's type.  Who looks
 * believes the types of a function whose calls fit them.  Both is known of a program that
 * was judged: the other one is, first.
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"
#include "verify/blame.h"
#include "verify/calls.h"

static const struct subprog *find_target(const struct env *env)
{
	const struct prog *prog = env->opts->attach_prog;
	const char *name = env->prog->attach_target;

	for (u32 i = 0; i < prog->n_subprogs && name; i++) {
		if (!strcmp(prog->subprogs[i].name, name))
			return &prog->subprogs[i];
	}
	return NULL;
}

static int check_levels(struct env *env)
{
	const struct prog *target = env->opts->attach_prog;
	bool traces = env->prog->type == PROG_TYPE_TRACING;

	if (traces && target->type == PROG_TYPE_TRACING &&
	    (target->attach_type == ATTACH_TRACE_FENTRY ||
	     target->attach_type == ATTACH_TRACE_FEXIT))
		return 0; /* one level; what it traces itself is only known when it is
			     attached */
	if (!traces && (target->type == PROG_TYPE_EXT ||
			(target->type == PROG_TYPE_TRACING &&
			 (target->attach_type == ATTACH_TRACE_FENTRY ||
			  target->attach_type == ATTACH_TRACE_FEXIT))))
		return reject_at(env, NO_PC, ATTACH_RECURSIVE, "a replacement");
	return 0;
}

/* ---- are the prototypes the same? ---- */

struct pair {
	struct btf_type a, b;
};

static struct pair pair_of(const struct env *env, u32 a, u32 b)
{
	const struct btf *a_btf = env->prog->btf, *b_btf = env->attach_btf;

	return (struct pair){btf_type(a_btf, btf_resolve(a_btf, a)),
			     btf_type(b_btf, btf_resolve(b_btf, b))};
}

static bool is_number(const struct btf_type *t)
{
	return t->kind == BTF_INT || t->kind == BTF_ENUM || t->kind == BTF_ENUM64;
}

static bool same_head(const struct pair *p)
{
	return p->a.kind == p->b.kind && p->a.vlen == p->b.vlen &&
	       p->a.kind_flag == p->b.kind_flag;
}

static bool has_size(const struct btf_type *t)
{
	return is_number(t) || t->kind == BTF_STRUCT || t->kind == BTF_UNION ||
	       t->kind == BTF_FLOAT || t->kind == BTF_DATASEC;
}

static bool has_members(const struct btf_type *t)
{
	return t->kind == BTF_STRUCT || t->kind == BTF_UNION;
}

/* Numbers of one size; pointers to structs of one name, whatever is in them. */
static const char *arg_differs(const struct env *env, u32 a, u32 b)
{
	struct pair p = pair_of(env, a, b);

	if (!same_head(&p))
		return "an argument is of another kind";
	if (has_size(&p.a) && p.a.size != p.b.size)
		return "an argument is of another size";
	if (is_number(&p.a))
		return NULL;
	if (p.a.kind != BTF_PTR)
		return "an argument is of a kind that cannot be compared";
	p = pair_of(env, p.a.type, p.b.type);
	if (!has_members(&p.a) || !has_members(&p.b))
		return "an argument points to something else than the context";
	if (strcmp(p.a.name, p.b.name) != 0)
		return "an argument points to another struct";
	return NULL;
}

static const char *proto_differs(const struct env *env, const struct btf_type *func)
{
	struct btf_type a = btf_type(env->prog->btf, func->type);
	struct btf_type b = btf_type(env->attach_btf, env->attach_proto);
	struct pair ret = pair_of(env, a.type, b.type);
	const char *why = NULL;

	if (func->vlen != BTF_GLOBAL)
		return "it is static";
	if (a.vlen != b.vlen || a.vlen > 5)
		return "it has another number of arguments";
	if (!same_head(&ret))
		return "it returns another type";
	for (u32 i = 0; i < a.vlen && !why; i++)
		why = arg_differs(env, btf_param(env->prog->btf, &a, i).type,
				  btf_param(env->attach_btf, &b, i).type);
	return why;
}

static int check_types(struct env *env, const struct subprog *target)
{
	const struct btf *btf = env->prog->btf;
	u32 own = env->prog->n_subprogs ? env->prog->subprogs[0].btf_id : 0;
	const char *why = "it has no types";

	if (btf && own && btf_kind(btf, own) == BTF_FUNC) {
		struct btf_type func = btf_type(btf, own);

		why = proto_differs(env, &func);
	}
	return why ? reject_at(env, NO_PC, ATTACH_TYPE_DIFFERS, target->name, why) : 0;
}

/* ---- what Linux knows of the function since it was loaded ---- */

/* Else the types of a main function are not believed. */
static bool takes_ctx(struct env *env)
{
	const struct sub_info *info = &env->subs[0];

	if (global_args_read(env, 0))
		return false;
	if (!info->n_args)
		return !env->rules->args_tagged;
	return info->n_args == 1 && info->args[0].kind == ARG_PTR_TO_CTX;
}

static void learn(struct env *env, struct env *other, u32 sub)
{
	const struct sub_info *info = &other->subs[sub];

	env->replaced = (struct replaced){
		.changes_packet = info->changes_packet,
		.might_sleep = info->might_sleep,
		.is_exception_callback = sub && sub == other->exception_sub,
		.is_reliable = sub ? !info->given_otherwise : takes_ctx(other),
	};
}

/* The other program is judged, too: who calls the function says what can be believed. */
static int look_at(struct env *env, const struct subprog *target)
{
	u32 sub = (u32)(target - env->opts->attach_prog->subprogs);
	struct verify_opts opts = {
		.target = env->target,
		.unprivileged = env->opts->unprivileged,
		.no_perfmon = env->opts->no_perfmon,
	};
	struct skep_diag unread = SKEP_DIAG_INIT;
	struct env other = {
		.prog = env->opts->attach_prog,
		.opts = &opts,
		.target = env->target,
		.rules = env->rules,
		.diag = &unread,
		.blame = BLAME_NOTHING,
		.watches_calls = true,
	};
	int err = env_explore_other(env, &other);

	if (!err && sub < other.n_subs)
		learn(env, &other, sub);
	env_fini(&other);
	return err ? unsupported(env, "the program that it attaches to is refused itself")
		   : 0;
}

/* ---- finding it ---- */

static int trace_it(struct env *env, const struct subprog *target)
{
	if (env->prog->attach_type != ATTACH_TRACE_FENTRY &&
	    env->prog->attach_type != ATTACH_TRACE_FEXIT &&
	    env->prog->attach_type != ATTACH_MODIFY_RETURN)
		return reject_at(env, NO_PC, ATTACH_BAD_TYPE);
	if (env->prog->sleepable)
		return reject_at(env, NO_PC, ATTACH_NOT_SLEEPABLE, target->name);
	if (env->prog->attach_type == ATTACH_MODIFY_RETURN)
		return reject_at(env, NO_PC, ATTACH_NOT_MODIFIABLE, target->name);
	if (!env->replaced.is_reliable) { /* compilers may have changed what it takes */
		env->attach_proto = 0;
		return 0;
	}
	return attach_proto_check(env);
}

static int replace_it(struct env *env, const struct subprog *target)
{
	const struct prog *prog = env->opts->attach_prog;
	int err;

	if (btf_type(env->attach_btf, env->attach_func).vlen != BTF_GLOBAL)
		return reject_at(env, NO_PC, ATTACH_STATIC, target->name);
	if (!env->replaced.is_reliable)
		return reject_at(env, NO_PC, ATTACH_NO_CTX, target->name);
	err = check_types(env, target);
	env->prog_type = prog->type;
	env->attach_type = prog->attach_type;
	return err;
}

int attach_find_in_prog(struct env *env)
{
	const struct prog *prog = env->opts->attach_prog;
	const struct subprog *target = find_target(env);
	int err;

	if (!env->prog->attach_target)
		return reject_at(env, NO_PC, ATTACH_NO_TARGET);
	if (!target)
		return reject_at(env, NO_PC, ATTACH_NOT_FOUND, env->prog->attach_target);
	if (!prog->btf || btf_kind(prog->btf, target->btf_id) != BTF_FUNC)
		return reject_at(env, NO_PC, ATTACH_NOT_FOUND, target->name);
	env->attach_btf = prog->btf;
	env->attach_func = target->btf_id;
	env->attach_name = target->name;
	env->attach_proto = btf_type(prog->btf, target->btf_id).type;
	err = check_levels(env);
	if (!err)
		err = look_at(env, target);
	if (!err && env->replaced.is_exception_callback)
		err = reject_at(env, NO_PC, ATTACH_EXCEPTION_CALLBACK, target->name);
	if (err)
		return err;
	return env->prog->type == PROG_TYPE_EXT ? replace_it(env, target)
						: trace_it(env, target);
}

int attach_effects_check(struct env *env)
{
	const struct sub_info *own = &env->subs[0];
	const struct replaced *theirs = &env->replaced;

	if (env->prog->type != PROG_TYPE_EXT)
		return 0;
	if (env->rules->packet_effects && own->changes_packet && !theirs->changes_packet)
		return reject_at(env, NO_PC, ATTACH_CHANGES_PACKET, env->attach_name);
	if (env->rules->global_sleep_known && own->might_sleep && !theirs->might_sleep)
		return reject_at(env, NO_PC, ATTACH_MIGHT_SLEEP, env->attach_name);
	return 0;
}
