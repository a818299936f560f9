/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is checked of a program as a whole before its instructions are looked at: that its
 * type may be attached so, may sleep, may be loaded without privileges; its maps; what it
 * attaches to.  And what the first frame starts with.
 *
 * Never does: look at instructions.  Semantics: BPF_PROG_LOAD of bpf(2).
 */
#include "abi/abi.h"
#include "isa/insn.h"
#include "verify/calls.h"
#include "verify/config.h"
#include "verify/map_attr.h"
#include "verify/record.h"

enum { UNPRIVILEGED_INSNS = 4096 };

/* Attach types that programs of a type may have; of types that are not here every one is
 * taken as it comes. */
static const struct {
	u32 prog_type;
	u64 attach_types;
} attachable[] = {
#define AT(name) (1ull << ATTACH_##name)
	{PROG_TYPE_CGROUP_SOCK,
	 AT(CGROUP_INET_SOCK_CREATE) | AT(CGROUP_INET_SOCK_RELEASE) |
		 AT(CGROUP_INET4_POST_BIND) | AT(CGROUP_INET6_POST_BIND)},
	{PROG_TYPE_CGROUP_SOCK_ADDR,
	 AT(CGROUP_INET4_BIND) | AT(CGROUP_INET6_BIND) | AT(CGROUP_INET4_CONNECT) |
		 AT(CGROUP_INET6_CONNECT) | AT(CGROUP_UNIX_CONNECT) |
		 AT(CGROUP_INET4_GETPEERNAME) | AT(CGROUP_INET6_GETPEERNAME) |
		 AT(CGROUP_UNIX_GETPEERNAME) | AT(CGROUP_INET4_GETSOCKNAME) |
		 AT(CGROUP_INET6_GETSOCKNAME) | AT(CGROUP_UNIX_GETSOCKNAME) |
		 AT(CGROUP_UDP4_SENDMSG) | AT(CGROUP_UDP6_SENDMSG) |
		 AT(CGROUP_UNIX_SENDMSG) | AT(CGROUP_UDP4_RECVMSG) |
		 AT(CGROUP_UDP6_RECVMSG) | AT(CGROUP_UNIX_RECVMSG)},
	{PROG_TYPE_CGROUP_SKB, AT(CGROUP_INET_INGRESS) | AT(CGROUP_INET_EGRESS)},
	{PROG_TYPE_CGROUP_SOCKOPT, AT(CGROUP_SETSOCKOPT) | AT(CGROUP_GETSOCKOPT)},
	{PROG_TYPE_SK_LOOKUP, AT(SK_LOOKUP)},
	{PROG_TYPE_SK_REUSEPORT,
	 AT(SK_REUSEPORT_SELECT) | AT(SK_REUSEPORT_SELECT_OR_MIGRATE)},
	{PROG_TYPE_NETFILTER, AT(NETFILTER)},
	{PROG_TYPE_SYSCALL, 1}, /* none */
	{PROG_TYPE_EXT, 1},
#undef AT
};

/* Where programs of these types are attached when nothing is said. */
static u32 attach_type_of(const struct prog *prog)
{
	if (prog->attach_type)
		return prog->attach_type;
	switch (prog->type) {
	case PROG_TYPE_CGROUP_SOCK: return ATTACH_CGROUP_INET_SOCK_CREATE;
	case PROG_TYPE_SK_REUSEPORT: return ATTACH_SK_REUSEPORT_SELECT;
	default: return 0;
	}
}

/* Programs of other types may name any attach type, even one that comes later. */
static bool is_attach_type_checked(u32 prog_type)
{
	for (u32 i = 0; i < sizeof(attachable) / sizeof(attachable[0]); i++) {
		if (attachable[i].prog_type == prog_type)
			return true;
	}
	return prog_type == PROG_TYPE_TRACING || prog_type == PROG_TYPE_LSM;
}

static bool may_attach_so(u32 prog_type, u32 attach_type)
{
	for (u32 i = 0; i < sizeof(attachable) / sizeof(attachable[0]); i++) {
		if (attachable[i].prog_type == prog_type)
			return attach_type < 64 &&
			       attachable[i].attach_types >> attach_type & 1;
	}
	return true;
}

static int check_type(struct env *env)
{
	const struct prog *prog = env->prog;
	const struct abi_name *type = abi_prog_type(prog->type);
	const struct abi_name *attach = abi_attach_type(env->attach_type);
	u32 version = env->rules->version;

	if (!type)
		return reject_at(env, NO_PC, NO_SUCH_PROG_TYPE, prog->type);
	if (type->since > version)
		return reject_at(env, NO_PC, PROG_TYPE_TOO_NEW, type->name,
				 type->since >> 16, type->since >> 8 & 0xff);
	if (!config_has_type(env, prog->type))
		return reject_at(env, NO_PC, PROG_TYPE_NOT_BUILT, type->name);
	if (env->attach_type && attach && attach->since > version &&
	    is_attach_type_checked(prog->type))
		return reject_at(env, NO_PC, ATTACH_TYPE_TOO_NEW, attach->name,
				 attach->since >> 16, attach->since >> 8 & 0xff);
	if (!may_attach_so(prog->type, env->attach_type))
		return reject_at(env, NO_PC, BAD_ATTACH_TYPE, type->name,
				 attach ? attach->name : "?");
	return 0;
}

static int check_size(struct env *env)
{
	u32 most = env->privileged ? MAX_INSNS : UNPRIVILEGED_INSNS;

	if (!env->n_insns || env->n_insns > most)
		return reject_at(env, NO_PC, BAD_PROGRAM_SIZE, env->n_insns, most);
	return 0;
}

/* These see what belongs to the kernel or to other programs. */
static bool needs_perfmon(u32 prog_type)
{
	switch (prog_type) {
	case PROG_TYPE_KPROBE:
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_PERF_EVENT:
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case PROG_TYPE_TRACING:
	case PROG_TYPE_LSM:
	case PROG_TYPE_STRUCT_OPS:
	case PROG_TYPE_EXT: return true;
	default: return false;
	}
}

static int check_privileges(struct env *env)
{
	u32 type = env->prog->type;

	if (env->privileged && env->opts->no_perfmon && needs_perfmon(type))
		return reject_at(env, NO_PC, TYPE_NEEDS_PERFMON,
				 abi_prog_type(type)->name);
	if (env->privileged || type == PROG_TYPE_SOCKET_FILTER ||
	    type == PROG_TYPE_CGROUP_SKB)
		return 0;
	return reject_at(env, NO_PC, TYPE_NEEDS_PRIVILEGES, abi_prog_type(type)->name);
}

/* TRACING programs sleep where functions that may sleep are traced: attach_find()'s. */
static bool may_sleep(const struct prog *prog)
{
	switch (prog->type) {
	case PROG_TYPE_TRACING:
		return prog->attach_type == ATTACH_TRACE_FENTRY ||
		       prog->attach_type == ATTACH_TRACE_FEXIT ||
		       prog->attach_type == ATTACH_MODIFY_RETURN ||
		       prog->attach_type == ATTACH_TRACE_ITER;
	case PROG_TYPE_LSM: return prog->attach_type != ATTACH_LSM_CGROUP;
	case PROG_TYPE_KPROBE:
	case PROG_TYPE_STRUCT_OPS:
	case PROG_TYPE_SYSCALL: return true;
	default: return false;
	}
}

static int check_sleepable(struct env *env)
{
	const struct prog *prog = env->prog;

	if (prog->type == PROG_TYPE_SYSCALL && !prog->sleepable)
		return reject_at(env, NO_PC, SYSCALL_MUST_SLEEP);
	if (prog->sleepable && !may_sleep(prog))
		return reject_at(env, NO_PC, CANNOT_SLEEP,
				 abi_prog_type(prog->type)->name);
	return 0;
}

static void set_privileges(struct env *env)
{
	bool privileged = !env->opts->unprivileged;
	bool perfmon = privileged && !env->opts->no_perfmon;

	env->privileged = privileged;
	env->allow_ptr_leaks = perfmon;
	env->allow_uninit_stack = perfmon;
	env->bypass_spec_v1 = perfmon;
	env->bypass_spec_v4 = perfmon;
	env->strict_alignment = env->opts->flags & VERIFY_STRICT_ALIGNMENT;
	env->test_state_freq = env->opts->flags & VERIFY_TEST_STATE_FREQ;
	env->test_invariants = env->opts->flags & VERIFY_TEST_REG_INVARIANTS;
}

int setup_program(struct env *env)
{
	const struct prog *prog = env->prog;
	int err;

	env->insns = prog->insns;
	env->n_insns = prog->n_insns;
	env->prog_type = prog->type;
	env->attach_type = attach_type_of(prog);
	env->kernel = env->target->btf;
	set_privileges(env);
	err = check_size(env);
	if (!err)
		err = check_type(env);
	if (!err)
		err = check_privileges(env);
	if (!err)
		err = check_sleepable(env);
	if (!err)
		err = records_make(env);
	for (u32 i = 0; i < prog->n_maps && !err; i++)
		err = map_attr_check(env, prog->maps[i]);
	return err ? err : attach_find(env);
}

/* ---- functions and their types ---- */

static bool returns_number(const struct btf *btf, u32 func)
{
	struct btf_type proto = btf_type(btf, btf_type(btf, func).type);
	enum btf_kind kind = btf_kind(btf, btf_resolve(btf, proto.type));

	return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
}

static int check_sub(struct env *env, u32 i)
{
	const struct subprog *sub = &env->prog->subprogs[i];
	const struct btf *btf = env->prog->btf;

	if (!btf || !sub->btf_id)
		return 0;
	if (btf_kind(btf, sub->btf_id) != BTF_FUNC)
		return reject_at(env, (int)sub->start, FUNC_INFO_NO_FUNC, sub->btf_id);
	if (!i || returns_number(btf, sub->btf_id))
		return 0;
	if (env->subs[i].has_ld_abs)
		return reject_at(env, (int)sub->start, LD_ABS_RETURNS_INT, sub->name);
	if (env->subs[i].has_tail_call)
		return reject_at(env, (int)sub->start, TAIL_CALL_RETURNS_INT, sub->name);
	return 0;
}

int func_info_check(struct env *env)
{
	int err = 0;

	for (u32 i = 0; i < env->prog->n_subprogs && i < env->n_subs && !err; i++)
		err = check_sub(env, i);
	return err;
}

/* ---- the first frame ---- */

int setup_main_regs(struct env *env, struct frame *frame)
{
	if (env->prog->type == PROG_TYPE_EXT) {
		int err = global_args_read(env, 0);

		return err ? err : global_args_set(env, 0, frame);
	}
	reg_set_pointer(&frame->regs[R1], PTR_TO_CTX, 0);
	return attach_ctx_refs(env);
}
