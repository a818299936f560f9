/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kfuncs by name and by the program that wants to call them.
 *
 * A binary search over an index by name is not worth it: names are looked up once a kfunc
 * and program.
 */
#include <string.h>

#include "abi/abi.h"

/* What the columns of kfuncs.def are made of. */
enum {
#define P(name, number, ...) name = 1ull << number,
#include "abi/prog_types.def"
#undef P
	NOBODY = 0,
	ALL = (1ull << PROG_TYPES) - 2,
	TC = SCHED_CLS | SCHED_ACT,
	LWT = LWT_IN | LWT_OUT | LWT_XMIT | LWT_SEG6LOCAL,
	/* Sets are registered for hooks, which several types of programs share. */
	TRACERS = TRACING | TRACEPOINT | PERF_EVENT | LSM,
	CGROUP = CGROUP_SKB | CGROUP_SOCK | CGROUP_DEVICE | CGROUP_SOCK_ADDR |
		 CGROUP_SYSCTL | CGROUP_SOCKOPT | SOCK_OPS,
	GENERIC = TRACERS | SCHED_CLS | XDP | STRUCT_OPS | SYSCALL | CGROUP,
	CPUMASK = TRACERS | STRUCT_OPS | SYSCALL,
	SKB = TC | SK_SKB | SOCKET_FILTER | CGROUP | LWT | NETFILTER,
	SCX = STRUCT_OPS | TRACERS | SYSCALL,
	TESTERS = SCHED_CLS | TRACERS | SYSCALL,
};

static const struct abi_kfunc kfuncs[] = {
#define K(text, major, minor, by, how)                                                   \
	{                                                                                \
		.name = #text,                                                           \
		.id = KFUNC_##text,                                                      \
		.since = ABI_LINUX(major, minor),                                        \
		.callers = (by),                                                         \
		.flags = (how),                                                          \
	},
#define K2 K
#include "abi/kfuncs.def"
#undef K2
#undef K
};

const struct abi_kfunc *abi_find_kfunc(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (!strcmp(kfuncs[i].name, name))
			return &kfuncs[i];
	return NULL;
}

u32 abi_kfunc_number_of(const char *name)
{
	const char *flavour = strstr(name, "___");
	size_t len = flavour ? (size_t)(flavour - name) : strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (!strncmp(kfuncs[i].name, name, len) && !kfuncs[i].name[len])
			return abi_kfunc_number(kfuncs[i].id);
	return abi_kfunc_number(KFUNC_NONE);
}

const struct abi_helper *abi_kfunc_proto(u32 number)
{
	static const struct abi_helper protos[] = {
#define P(text, gives, ...)                                                              \
	[KFUNC_##text] = {                                                               \
		.name = &#text[sizeof("bpf_") - 1],                                      \
		.full_name = #text,                                                      \
		.number = KFUNC_NUMBERS + KFUNC_##text,                                  \
		.pkt = true,                                                             \
		.ret = (gives),                                                          \
		.args = {__VA_ARGS__},                                                   \
	},
#include "abi/kfunc_protos.def"
#undef P
	};
	u32 id = number - KFUNC_NUMBERS;

	return id < ARRAY_SIZE(protos) && protos[id].name ? &protos[id] : NULL;
}

/* Sets are registered for hooks: types of programs had one of their own, or came to that
 * of others, later than there were kfuncs. */
static u32 hook_since(u32 prog_type)
{
	static const struct {
		u64 prog_types;
		u32 since;
	} hooks[] = {
		{CGROUP_SOCK_ADDR, ABI_LINUX(6, 7)},
		{KPROBE, ABI_LINUX(6, 10)},
		{TRACEPOINT | PERF_EVENT, ABI_LINUX(6, 12)},
		{CGROUP_SOCK | CGROUP_DEVICE | CGROUP_SYSCTL | CGROUP_SOCKOPT,
		 ABI_LINUX(6, 12)},
		{SOCK_OPS, ABI_LINUX(6, 15)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].prog_types >> prog_type & 1)
			return hooks[i].since;
	return 0;
}

const struct abi_kfunc *abi_kfunc_for(const struct abi_kfunc *kfunc, u32 version,
				      u32 prog_type)
{
	const struct abi_kfunc *found = NULL, *row;

	if (prog_type >= PROG_TYPES)
		return NULL;
	if (kfunc->callers != ALL && version < hook_since(prog_type))
		return NULL;
	for (row = kfunc; row < kfuncs + ARRAY_SIZE(kfuncs) && row->id == kfunc->id;
	     row++)
		if (row->since <= version && row->callers >> prog_type & 1)
			found = row;
	return found;
}

bool abi_kfunc_suits(u32 number, u32 prog_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (abi_kfunc_number(kfuncs[i].id) == number &&
		    kfuncs[i].callers >> prog_type & 1)
			return true;
	return false;
}
