/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that attach to a function of another program: they trace it or replace it.
 *
 * What replaces must have the same prototype, type by type, and is judged as a program of
 * the other's type.  Never does: look at the other program's instructions.
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"

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
	const struct btf *a_btf, *b_btf;
	struct btf_type a, b;
};

static struct pair pair_of(const struct env *env, u32 a, u32 b)
{
	const struct btf *a_btf = env->prog->btf, *b_btf = env->attach_btf;

	return (struct pair){a_btf, b_btf, btf_type(a_btf, btf_resolve(a_btf, a)),
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

/* Numbers of one size; pointers to structs of one name and size, or to numbers. */
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
	if (!same_head(&p))
		return "an argument points to another kind";
	if (has_size(&p.a) && p.a.size != p.b.size)
		return "an argument points to another size";
	if (p.a.kind != BTF_STRUCT && !is_number(&p.a))
		return "an argument points to what cannot be compared";
	if (p.a.kind == BTF_STRUCT && strcmp(p.a.name, p.b.name) != 0)
		return "an argument points to another struct";
	return NULL;
}

static const char *proto_differs(const struct env *env, const struct btf_type *func)
{
	struct btf_type a = btf_type(env->prog->btf, func->type);
	struct btf_type b = btf_type(env->attach_btf, env->attach_proto);
	struct pair ret = pair_of(env, a.type, b.type);
	const char *why = NULL;

	if (a.vlen != b.vlen || a.vlen > 5)
		return "it has another number of arguments";
	if (!same_head(&ret) || (!is_number(&ret.a) && ret.a.kind != BTF_VOID))
		return "it returns another type";
	for (u32 i = 0; i < a.vlen && !why; i++)
		why = arg_differs(env, btf_param(env->prog->btf, &a, i).type,
				  btf_param(env->attach_btf, &b, i).type);
	return why;
}

static int check_replacement(struct env *env, const struct subprog *target)
{
	const struct btf *btf = env->prog->btf;
	u32 own = env->prog->n_subprogs ? env->prog->subprogs[0].btf_id : 0;
	const char *why = "it has no types";

	if (!target->global && target != env->opts->attach_prog->subprogs)
		return reject_at(env, NO_PC, ATTACH_STATIC, target->name);
	if (btf && own && btf_kind(btf, own) == BTF_FUNC) {
		struct btf_type func = btf_type(btf, own);

		why = proto_differs(env, &func);
	}
	return why ? reject_at(env, NO_PC, ATTACH_TYPE_DIFFERS, target->name, why) : 0;
}

/* ---- finding it ---- */

/* Compilers may change what static functions take: their prototypes are not believed. */
static bool is_reliable(const struct env *env, const struct subprog *target)
{
	return target->global || target == env->opts->attach_prog->subprogs;
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
	if (err)
		return err;
	if (env->prog->type == PROG_TYPE_EXT) {
		err = check_replacement(env, target);
		env->prog_type = prog->type;
		env->attach_type = prog->attach_type;
		return err;
	}
	if (env->prog->attach_type != ATTACH_TRACE_FENTRY &&
	    env->prog->attach_type != ATTACH_TRACE_FEXIT &&
	    env->prog->attach_type != ATTACH_MODIFY_RETURN)
		return reject_at(env, NO_PC, ATTACH_BAD_TYPE);
	if (env->prog->sleepable)
		return reject_at(env, NO_PC, ATTACH_NOT_SLEEPABLE, target->name);
	if (env->prog->attach_type == ATTACH_MODIFY_RETURN)
		return reject_at(env, NO_PC, ATTACH_NOT_MODIFIABLE, target->name);
	if (!is_reliable(env, target)) {
		env->attach_proto = 0;
		return 0;
	}
	return attach_proto_check(env);
}
