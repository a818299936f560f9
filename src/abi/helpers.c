/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper functions by number, by name and by the program that wants to call them.
 */
#include <string.h>

#include "abi/abi.h"

/* What the columns of helpers.def are made of. */
enum {
#define P(name, number, ...) name = 1ull << number,
#include "abi/prog_types.def"
#undef P
	/* What they are offered by their own attach point only. */
	NEVER_BASE = LIRC_MODE2 | EXT,
	ANY = ((1ull << PROG_TYPES) - 2) & ~NEVER_BASE,
	TC = SCHED_CLS | SCHED_ACT,
	LWT = LWT_IN | LWT_OUT | LWT_XMIT | LWT_SEG6LOCAL,
	TRACE = KPROBE | TRACEPOINT | PERF_EVENT | RAW_TRACEPOINT |
		RAW_TRACEPOINT_WRITABLE,
	TRACE_BTF = TRACING | LSM | SYSCALL,
	CGROUP = CGROUP_SKB | CGROUP_SOCK | CGROUP_DEVICE | CGROUP_SOCK_ADDR |
		 CGROUP_SYSCTL | CGROUP_SOCKOPT,
	/* For the columns of offered.def: of a task's own system calls ... */
	CGROUP_OWN = CGROUP & ~CGROUP_SKB,
	/* ... and programs that run in whichever task there is. */
	NO_TRACE = ANY & ~(TRACE | TRACE_BTF),
	NO_CURRENT = NO_TRACE & ~(CGROUP_OWN | SK_MSG),
};
enum { GPL = 1, PKT = 2, SLEEPS = 4, FASTCALL = 8 };

static const struct abi_helper helpers[] = {
#define H(text, nr, major, minor, by, how, returns, ...)                                 \
	{                                                                                \
		.name = #text,                                                           \
		.full_name = "bpf_" #text,                                               \
		.number = (nr),                                                          \
		.since = ABI_LINUX(major, minor),                                        \
		.callers = (by),                                                         \
		.gpl = ((how)&GPL) != 0,                                                 \
		.pkt = ((how)&PKT) != 0,                                                 \
		.sleeps = ((how)&SLEEPS) != 0,                                           \
		.fastcall = ((how)&FASTCALL) != 0,                                       \
		.ret = (returns),                                                        \
		.args = {__VA_ARGS__},                                                   \
	},
#include "abi/helpers.def"
#undef H
};

/* Rows are sorted by number. */
static u32 first_row(u32 number)
{
	u32 lo = 0, hi = ARRAY_SIZE(helpers);

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (helpers[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_row_of(u32 row, u32 number)
{
	return row < ARRAY_SIZE(helpers) && helpers[row].number == number;
}

const struct abi_helper *abi_helper(u32 number)
{
	u32 row = first_row(number);

	return is_row_of(row, number) ? &helpers[row] : NULL;
}

const struct abi_helper *abi_find_helper(const char *name)
{
	if (!strncmp(name, "bpf_", 4))
		name += 4;
	for (u32 i = 0; i < ARRAY_SIZE(helpers); i++) {
		if (!strcmp(helpers[i].name, name))
			return &helpers[i];
	}
	return NULL;
}

const struct abi_helper *abi_helper_for(u32 number, u32 prog_type)
{
	/* An extension is what it replaces: the caller must ask for that type. */
	if (prog_type >= PROG_TYPES)
		return NULL;
	for (u32 row = first_row(number); is_row_of(row, number); row++) {
		if (helpers[row].callers >> prog_type & 1)
			return &helpers[row];
	}
	return NULL;
}

/* ---- attach types ---- */

/* Only these attach types of a program type are offered the helper. */
struct limit {
	const char *helper;
	u32 prog_type;
	u64 attach_types; /* 1 << ATTACH_* */
};

#define TO(name) (1ull << ATTACH_##name)
enum {
	TRAMPOLINE = TO(TRACE_FENTRY) | TO(TRACE_FEXIT) | TO(MODIFY_RETURN),
	/* Those whose result the kernel looks at. */
	SOCK_ADDR_VERDICT = TO(CGROUP_INET4_BIND) | TO(CGROUP_INET6_BIND) |
			    TO(CGROUP_INET4_CONNECT) | TO(CGROUP_INET6_CONNECT) |
			    TO(CGROUP_UNIX_CONNECT) | TO(CGROUP_UDP4_SENDMSG) |
			    TO(CGROUP_UDP6_SENDMSG) | TO(CGROUP_UNIX_SENDMSG),
};

static const struct limit limits[] = {
	{"bind", PROG_TYPE_CGROUP_SOCK_ADDR,
	 TO(CGROUP_INET4_CONNECT) | TO(CGROUP_INET6_CONNECT)},
	{"get_retval", PROG_TYPE_CGROUP_SOCK_ADDR, SOCK_ADDR_VERDICT},
	{"set_retval", PROG_TYPE_CGROUP_SOCK_ADDR, SOCK_ADDR_VERDICT},
	{"getsockopt", PROG_TYPE_CGROUP_SOCKOPT, TO(CGROUP_SETSOCKOPT)},
	{"setsockopt", PROG_TYPE_CGROUP_SOCKOPT, TO(CGROUP_SETSOCKOPT)},
	{"seq_printf", PROG_TYPE_TRACING, TO(TRACE_ITER)},
	{"seq_printf_btf", PROG_TYPE_TRACING, TO(TRACE_ITER)},
	{"seq_write", PROG_TYPE_TRACING, TO(TRACE_ITER)},
	{"get_func_arg", PROG_TYPE_TRACING, TRAMPOLINE},
	{"get_func_arg_cnt", PROG_TYPE_TRACING, TRAMPOLINE},
	{"get_func_ret", PROG_TYPE_TRACING, TRAMPOLINE},
	{"get_attach_cookie", PROG_TYPE_TRACING, TRAMPOLINE | TO(TRACE_RAW_TP)},
	{"get_func_arg", PROG_TYPE_LSM, TO(LSM_MAC)},
	{"get_func_arg_cnt", PROG_TYPE_LSM, TO(LSM_MAC)},
	{"get_func_ret", PROG_TYPE_LSM, TO(LSM_MAC)},
	{"get_attach_cookie", PROG_TYPE_LSM, TO(LSM_MAC)},
	{"get_local_storage", PROG_TYPE_LSM, TO(LSM_CGROUP)},
	{"get_retval", PROG_TYPE_LSM, TO(LSM_CGROUP)},
	{"set_retval", PROG_TYPE_LSM, TO(LSM_CGROUP)},
	{"getsockopt", PROG_TYPE_LSM, TO(LSM_CGROUP)},
	{"setsockopt", PROG_TYPE_LSM, TO(LSM_CGROUP)},
	{"override_return", PROG_TYPE_KPROBE,
	 1 | TO(TRACE_KPROBE_MULTI) | TO(TRACE_KPROBE_SESSION)},
};

const struct abi_helper *abi_helper_at(u32 number, u32 prog_type, u32 attach_type)
{
	const struct abi_helper *helper = abi_helper_for(number, prog_type);

	for (u32 i = 0; i < ARRAY_SIZE(limits) && helper; i++) {
		const struct limit *limit = &limits[i];

		if (limit->prog_type == prog_type &&
		    !strcmp(limit->helper, helper->name) &&
		    (attach_type >= ATTACH_TYPES ||
		     !(limit->attach_types >> attach_type & 1)))
			return NULL;
	}
	return helper;
}

/* ---- versions ---- */

static const struct {
	u32 number, since;
	u64 callers;
} offered[] = {
#define L(name, nr, major, minor, by) {(nr), ABI_LINUX(major, minor), (by)},
#include "abi/offered.def"
#undef L
};

/* What depends on the attach type as well. */
static u32 attach_since(const struct abi_helper *helper, u32 attach_type)
{
	if (attach_type == ATTACH_TRACE_RAW_TP && !strcmp(helper->name, "get_attach_cookie"))
		return ABI_LINUX(6, 10);
	if ((attach_type == ATTACH_CGROUP_UNIX_GETPEERNAME ||
	     attach_type == ATTACH_CGROUP_UNIX_GETSOCKNAME) &&
	    (!strcmp(helper->name, "setsockopt") || !strcmp(helper->name, "getsockopt")))
		return ABI_LINUX(6, 15);
	return helper->since;
}

u32 abi_helper_since(const struct abi_helper *helper, u32 prog_type, u32 attach_type)
{
	for (u32 i = 0; i < ARRAY_SIZE(offered); i++) {
		if (offered[i].number == helper->number &&
		    offered[i].callers >> prog_type & 1)
			return offered[i].since;
	}
	return attach_since(helper, attach_type);
}

const char *abi_btf_struct(u32 arg_or_ret)
{
	static const char *const names[] = {
#define X(name) [ABI_STRUCT_##name] = #name,
		ABI_STRUCTS(X)
#undef X
	};
	u32 which = arg_or_ret >> 24;

	return which < ARRAY_SIZE(names) ? names[which] : NULL;
}
