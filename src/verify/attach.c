/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program attaches to: a function, tracepoint, hook or iterator of the kernel, by
 * its name and type in the kernel's BTF.
 *
 * Programs that attach to programs are in attach_prog.c, members of struct_ops and
 * arguments of iterators in attach_args.c.  Never does: attach.  Semantics: BPF_PROG_LOAD
 * of bpf(2).
 */
#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"

enum { MAX_ARGS = 12, MAX_STRUCT_ARG = 16 };

/* ---- prototypes ---- */

/* Bytes of an argument or result as it is handed over; -1: it cannot be. */
static s64 handed_size(const struct btf *btf, u32 type)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	if (t.kind == BTF_VOID)
		return 0;
	if (t.kind == BTF_PTR)
		return 8;
	if (t.kind == BTF_INT || t.kind == BTF_ENUM || t.kind == BTF_ENUM64 ||
	    t.kind == BTF_STRUCT || t.kind == BTF_UNION)
		return t.size;
	return -1;
}

static bool is_struct(const struct btf *btf, u32 type)
{
	return btf_kind(btf, btf_resolve(btf, type)) == BTF_STRUCT;
}

int attach_proto_check(struct env *env)
{
	const struct btf *btf = env->attach_btf;
	struct btf_type proto = btf_type(btf, env->attach_proto);
	s64 ret = handed_size(btf, proto.type);
	bool fits = proto.vlen <= MAX_ARGS && ret >= 0 && !is_struct(btf, proto.type);

	for (u32 i = 0; i < proto.vlen && fits; i++) {
		s64 size = handed_size(btf, btf_param(btf, &proto, i).type);

		fits = size > 0 && size <= MAX_STRUCT_ARG;
	}
	if (!fits)
		return reject_at(env, NO_PC, ATTACH_PROTO, env->attach_name);
	if (ret > 8 && (env->prog->attach_type == ATTACH_TRACE_FEXIT ||
			env->prog->attach_type == ATTACH_MODIFY_RETURN))
		return reject_at(env, NO_PC, ATTACH_BIG_RESULT, env->attach_name);
	return 0;
}

/* ---- of the kernel ---- */

/* "prefix" and the target's name, as a type of that kind. */
static int find_type(struct env *env, const char *prefix, enum btf_kind kind)
{
	const char *target = env->prog->attach_target;
	char name[256];
	u32 id, module;

	if (!target || !*target)
		return reject_at(env, NO_PC, ATTACH_NO_TARGET);
	if (!env->kernel)
		return unsupported(env, "what the program attaches to needs the kernel's "
					"types: give --btf");
	if (snprintf(name, sizeof(name), "%s%s", prefix, target) >= (int)sizeof(name))
		return reject_at(env, NO_PC, ATTACH_NOT_FOUND, target);
	id = btf_find(env->kernel, name, kind);
	if (!id && (strchr(target, ':') ||
		    (env->target->modules &&
		     env->target->modules->find(env->target->modules, name, kind, &id,
						&module))))
		return unsupported(env, "the program attaches to a module of the kernel");
	if (!id)
		return reject_at(env, NO_PC, ATTACH_NOT_FOUND, name);
	env->attach_btf = env->kernel;
	env->attach_func = id;
	env->attach_name = btf_name(env->kernel, id);
	env->attach_proto = btf_type(env->kernel, id).type;
	return 0;
}

/* The typedef's prototype has no names of arguments; that of the function behind it has.
 */
static int find_tracepoint(struct env *env)
{
	static const char prefix[] = "btf_trace_";
	const struct btf *btf = env->kernel;
	char name[256];
	int err = find_type(env, prefix, BTF_TYPEDEF);

	if (err)
		return err;
	struct btf_type t = btf_type(btf, env->attach_proto);
	if (t.kind != BTF_PTR || btf_kind(btf, t.type) != BTF_FUNC_PROTO)
		return reject_at(env, NO_PC, ATTACH_BAD_TYPE);
	env->attach_proto = t.type;
	env->attach_name += sizeof(prefix) - 1;
	snprintf(name, sizeof(name), "__bpf_trace_%.200s", env->attach_name);
	u32 func = btf_find(btf, name, BTF_FUNC);
	if (func &&
	    btf_type(btf, btf_type(btf, func).type).vlen == btf_type(btf, t.type).vlen)
		env->attach_proto = btf_type(btf, func).type;
	return 0;
}

static int find_iterator(struct env *env)
{
	char name[256];
	int err = find_type(env, "bpf_iter_", BTF_FUNC);

	if (!err)
		err = attach_proto_check(env);
	if (err)
		return err;
	/* Each iterator has a struct that is its context; functions that are called like
	 * one have none. */
	snprintf(name, sizeof(name), "bpf_iter__%.200s", env->prog->attach_target);
	if (!btf_find(env->kernel, name, BTF_STRUCT))
		return reject_at(env, NO_PC, ATTACH_DENIED, env->attach_name);
	return attach_iter_args(env);
}

static int check_sleepable(struct env *env)
{
	const char *func = env->attach_name;
	bool may = env->prog->type == PROG_TYPE_LSM ? lsm_is_sleepable(func)
						    : trace_is_sleepable(env, func);

	return may ? 0 : reject_at(env, NO_PC, ATTACH_NOT_SLEEPABLE, func);
}

static int check_function(struct env *env)
{
	const char *func = env->attach_name;
	u32 how = env->prog->attach_type;
	int err = attach_proto_check(env);

	if (err)
		return err;
	if (env->prog->sleepable)
		err = check_sleepable(env);
	else if (how == ATTACH_MODIFY_RETURN && !trace_is_modifiable(env, func))
		err = reject_at(env, NO_PC, ATTACH_NOT_MODIFIABLE, func);
	if (err)
		return err;
	if (env->prog->type == PROG_TYPE_LSM)
		return lsm_check(env);
	if (trace_is_denied(func))
		return reject_at(env, NO_PC, ATTACH_DENIED, func);
	if ((how == ATTACH_TRACE_FEXIT || how == ATTACH_MODIFY_RETURN) &&
	    env->rules->no_exit_of_noreturn && trace_never_returns(func))
		return reject_at(env, NO_PC, ATTACH_NO_RETURN, func);
	return 0;
}

static int find_function(struct env *env, const char *prefix)
{
	int err = find_type(env, prefix, BTF_FUNC);

	return err ? err : check_function(env);
}

static int find_traced(struct env *env)
{
	switch (env->prog->attach_type) {
	case ATTACH_TRACE_RAW_TP: return find_tracepoint(env);
	case ATTACH_TRACE_ITER: return find_iterator(env);
	case ATTACH_TRACE_FENTRY:
	case ATTACH_TRACE_FEXIT:
	case ATTACH_MODIFY_RETURN: return find_function(env, "");
	default: return reject_at(env, NO_PC, ATTACH_BAD_TYPE);
	}
}

static int find_hook(struct env *env)
{
	if (env->prog->attach_type != ATTACH_LSM_MAC &&
	    env->prog->attach_type != ATTACH_LSM_CGROUP)
		return reject_at(env, NO_PC, ATTACH_BAD_TYPE);
	return find_function(env, "bpf_lsm_");
}

int attach_find(struct env *env)
{
	int err = 0;

	switch (env->prog->type) {
	case PROG_TYPE_TRACING:
		err = env->opts->attach_prog ? attach_find_in_prog(env)
					     : find_traced(env);
		break;
	case PROG_TYPE_LSM: err = find_hook(env); break;
	case PROG_TYPE_STRUCT_OPS: err = attach_find_member(env); break;
	case PROG_TYPE_EXT:
		if (!env->prog->attach_target)
			return reject_at(env, NO_PC, ATTACH_NO_TARGET);
		if (!env->opts->attach_prog)
			return unsupported(env, "the program replaces a function of "
						"another program: --into says of which");
		err = attach_find_in_prog(env);
		break;
	default: break;
	}
	env->ctx = abi_ctx(env->prog_type);
	return err;
}
