/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs, their global functions and the callbacks that run later may return.
 *
 * The type of the program and where it attaches to say which numbers the kernel knows
 * what to do with.  Never does: callbacks that run during a call (callback.c). Words:
 * Documentation/bpf/libbpf/program_types.rst.
 */
#include <stdio.h>

#include "verify/attach.h"
#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"
#include "verify/transfer.h"

enum { MAX_ERRNO = 4095 };

struct range {
	s32 min, max;
	bool any;    /* there is no rule */
	bool narrow; /* the kernel looks at the low half only */
};

static const struct range anything = {.any = true};
static const struct range zero = {0, 0, false, false};
static const struct range zero_or_one = {0, 1, false, false};

/* ---- functions of the kernel that programs stand for ---- */

/* What the hook, or the member of a struct_ops, returns; 0: void. */
static u32 hook_returns(const struct env *env)
{
	return env->attach_btf ? btf_type(env->attach_btf, env->attach_proto).type : 0;
}

/* The struct that it returns a pointer to, or 0. */
static u32 hook_returns_pointer(const struct env *env)
{
	u32 id = btf_resolve(env->attach_btf, hook_returns(env));
	struct btf_type t = btf_type(env->attach_btf, id);

	return t.kind == BTF_PTR ? btf_resolve(env->attach_btf, t.type) : 0;
}

static struct range lsm_range(const struct env *env)
{
	struct range range = {.narrow = true};

	if (env->attach_type != ATTACH_LSM_MAC || !env->rules->lsm_return_range ||
	    !lsm_return_range(env, &range.min, &range.max))
		return anything;
	return range;
}

/* ---- by program type ---- */

static struct range sock_addr_range(u32 attach_type)
{
	switch (attach_type) {
	case ATTACH_CGROUP_UDP4_RECVMSG:
	case ATTACH_CGROUP_UDP6_RECVMSG:
	case ATTACH_CGROUP_UNIX_RECVMSG:
	case ATTACH_CGROUP_INET4_GETPEERNAME:
	case ATTACH_CGROUP_INET6_GETPEERNAME:
	case ATTACH_CGROUP_UNIX_GETPEERNAME:
	case ATTACH_CGROUP_INET4_GETSOCKNAME:
	case ATTACH_CGROUP_INET6_GETSOCKNAME:
	case ATTACH_CGROUP_UNIX_GETSOCKNAME: return (struct range){1, 1, false, false};
	case ATTACH_CGROUP_INET4_BIND:
	case ATTACH_CGROUP_INET6_BIND: return (struct range){0, 3, false, false};
	default: return zero_or_one;
	}
}

/* Negative: such programs do not exist. */
static int tracing_range(struct env *env, struct range *range)
{
	switch (env->attach_type) {
	case ATTACH_TRACE_FENTRY:
	case ATTACH_TRACE_FEXIT: *range = zero; return 0;
	case ATTACH_TRACE_RAW_TP:
	case ATTACH_MODIFY_RETURN: *range = anything; return 0;
	case ATTACH_TRACE_ITER: *range = zero_or_one; return 0;
	default: return reject(env, ATTACH_BAD_TYPE);
	}
}

static int prog_range(struct env *env, struct range *range)
{
	u32 at = env->attach_type;

	*range = anything;
	switch ((enum abi_prog_type)env->prog_type) {
	case PROG_TYPE_CGROUP_SOCK_ADDR: *range = sock_addr_range(at); break;
	case PROG_TYPE_CGROUP_SKB:
		*range = at == ATTACH_CGROUP_INET_EGRESS
				 ? (struct range){0, 3, false, false}
				 : zero_or_one;
		break;
	case PROG_TYPE_CGROUP_SOCK:
	case PROG_TYPE_SOCK_OPS:
	case PROG_TYPE_CGROUP_DEVICE:
	case PROG_TYPE_CGROUP_SYSCTL:
	case PROG_TYPE_CGROUP_SOCKOPT:
	case PROG_TYPE_SK_LOOKUP:
	case PROG_TYPE_NETFILTER: *range = zero_or_one; break;
	case PROG_TYPE_TRACING: return tracing_range(env, range);
	case PROG_TYPE_KPROBE:
		if (at == ATTACH_TRACE_KPROBE_SESSION ||
		    at == ATTACH_TRACE_UPROBE_SESSION)
			*range = zero_or_one;
		break;
	case PROG_TYPE_LSM:
		if (at != ATTACH_LSM_CGROUP)
			*range = lsm_range(env);
		else if (hook_returns(env))
			*range = zero_or_one;
		else /* nothing may be changed where nothing is returned */
			*range = (struct range){1, 1, false, false};
		break;
	case PROG_TYPE_STRUCT_OPS:
		/* NULL; references were dealt with before. */
		if (hook_returns_pointer(env))
			*range = zero;
		break;
	case PROG_TYPE_SOCKET_FILTER:
	case PROG_TYPE_SCHED_CLS:
	case PROG_TYPE_SCHED_ACT:
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_XDP:
	case PROG_TYPE_PERF_EVENT:
	case PROG_TYPE_LWT_IN:
	case PROG_TYPE_LWT_OUT:
	case PROG_TYPE_LWT_XMIT:
	case PROG_TYPE_SK_SKB:
	case PROG_TYPE_SK_MSG:
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_LWT_SEG6LOCAL:
	case PROG_TYPE_LIRC_MODE2:
	case PROG_TYPE_SK_REUSEPORT:
	case PROG_TYPE_FLOW_DISSECTOR:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case PROG_TYPE_EXT:
	case PROG_TYPE_SYSCALL:
	case PROG_TYPES: break;
	}
	return 0;
}

/* ---- the check ---- */

/* Where are we, in words? */
static const char *place(const struct env *env)
{
	const struct frame *first = env->cur->frames[0];

	if (first->in_exception_callback)
		return "the end of the exception callback";
	if (first->in_async_callback)
		return "the end of a callback";
	return first->subprog ? "the end of a global function" : "the end of the program";
}

/* May the program leave R0 alone? */
static bool returns_void(const struct env *env)
{
	if (env->prog_type == PROG_TYPE_LSM)
		return env->attach_type != ATTACH_LSM_CGROUP && !hook_returns(env);
	return env->prog_type == PROG_TYPE_STRUCT_OPS && !hook_returns(env);
}

/* A struct_ops program may hand an object that it holds to the kernel. */
static bool returns_reference(const struct env *env, const struct reg *reg)
{
	return env->prog_type == PROG_TYPE_STRUCT_OPS && reg->kind == PTR_TO_BTF_ID &&
	       reg->ref_id && reg->btf == env->attach_btf &&
	       btf_resolve(reg->btf, reg->btf_id) == hook_returns_pointer(env);
}

const char *range_words(struct range_words *w, s64 min, s64 max)
{
	bool any = min == INT64_MIN && max == INT64_MAX;

	if (any || (min == INT32_MIN && max == INT32_MAX))
		return any ? "any number" : "any number of 32 bits";
	if (min == max)
		snprintf(w->s, sizeof(w->s), "%lld", (long long)min);
	else
		snprintf(w->s, sizeof(w->s), "%lld to %lld", (long long)min,
			 (long long)max);
	return w->s;
}

static int range_check(struct env *env, u32 regno, const char *what,
		       const struct range *range)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct range_words is, must;
	s64 min, max;
	int err;

	if (reg->kind != SCALAR)
		return reject(env, RETURN_NOT_SCALAR, regno, reg_kind_phrase(reg->kind),
			      what);
	err = env_need_precise(env, regno);
	if (err)
		return err;
	reg = &env_regs(env)[regno];
	min = range->narrow ? reg->var.smin32 : reg->var.smin;
	max = range->narrow ? reg->var.smax32 : reg->var.smax;
	if (range->min <= min && max <= range->max)
		return 0;
	return reject(env, RETURN_RANGE, regno, range_words(&is, min, max), what,
		      range_words(&must, range->min, range->max));
}

int return_check(struct env *env, u32 regno)
{
	const char *what = place(env);
	const struct frame *first = env->cur->frames[0];
	const struct reg *reg = &env_regs(env)[regno];
	bool of_program = !first->subprog || first->in_exception_callback;
	struct range range;
	int err;

	if (of_program && returns_void(env))
		return 0;
	if (of_program && !first->in_exception_callback && returns_reference(env, reg))
		return need_fixed_pointer(env, regno, false);
	err = need_reg(env, regno);
	if (err)
		return err;
	if (!env->allow_ptr_leaks && reg_is_pointer(reg))
		return reject(env, RETURN_LEAKS, regno, what);
	if (first->in_async_callback && !first->in_exception_callback) {
		range = (struct range){(s32)first->callback_ret_min,
				       (s32)first->callback_ret_max, false, false};
		return range_check(env, regno, what, &range);
	}
	if (!of_program) {
		if (reg->kind == SCALAR)
			return 0;
		return reject(env, RETURN_NOT_SCALAR, regno, reg_kind_phrase(reg->kind),
			      what);
	}
	err = prog_range(env, &range);
	if (err || range.any)
		return err;
	return range_check(env, regno, what, &range);
}
