/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trying program types, map types and helpers.  A refusal is told by what refused:
 * rights by kern/refused.h; a type that the kernel does not know by the version that has
 * it, or else by what the kernel was built without.
 */
#include "kern/probe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "btf/btf.h"
#include "btf/writer.h"
#include "kern/census.h"
#include "kern/kernel_btf.h"
#include "kern/refused.h"
#include "kern/sys.h"

#define ptr(p) ((u64)(uintptr_t)(p))

int prober_init(struct prober *p, struct skep_diag *diag)
{
	*p = (struct prober){.arena = ARENA_INIT,
			     .types_diag = SKEP_DIAG_INIT,
			     .version = sys_version()};
	if (census_btf(&p->arena, 0, &p->vmlinux, &p->types_diag))
		p->vmlinux = NULL;
	return p->types_diag.err == -ENOMEM ? fail(diag, NO_MEMORY, NO_PC) : 0;
}

void prober_fini(struct prober *p)
{
	arena_fini(&p->arena);
}

/* Linux says EINVAL for what it does not know. */
static int unknown(const struct prober *p, const char *name, u32 since,
		   const char *config, struct skep_diag *diag)
{
	if (p->version < since)
		return fail(diag, SINCE_LINUX, NO_PC, name, since >> 16,
			    since >> 8 & 0xff);
	return fail(diag, NOT_BUILT_IN, NO_PC, name, config);
}

/* ---- programs ---- */

static const struct row {
	const char *name; /* NULL: that of the type */
	struct probe_program program;
} programs[] = {
	{NULL, {PROG_TYPE_SOCKET_FILTER, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_XDP, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_SCHED_CLS, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_SCHED_ACT, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_CGROUP_SKB, .config = "CONFIG_CGROUP_BPF"}},
	{NULL, {PROG_TYPE_CGROUP_SOCK, .config = "CONFIG_CGROUP_BPF"}},
	{NULL,
	 {PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_BIND,
	  .config = "CONFIG_CGROUP_BPF"}},
	{NULL,
	 {PROG_TYPE_CGROUP_SOCKOPT, ATTACH_CGROUP_SETSOCKOPT,
	  .config = "CONFIG_CGROUP_BPF"}},
	{NULL, {PROG_TYPE_CGROUP_SYSCTL, .config = "CONFIG_CGROUP_BPF"}},
	{NULL, {PROG_TYPE_CGROUP_DEVICE, .config = "CONFIG_CGROUP_BPF"}},
	{NULL, {PROG_TYPE_SOCK_OPS, .config = "CONFIG_CGROUP_BPF"}},
	{NULL, {PROG_TYPE_SK_SKB, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_SK_MSG, .config = "CONFIG_NET"}},
	{NULL, {PROG_TYPE_SK_REUSEPORT, .config = "CONFIG_INET"}},
	{NULL, {PROG_TYPE_SK_LOOKUP, ATTACH_SK_LOOKUP, .config = "CONFIG_INET"}},
	{NULL, {PROG_TYPE_FLOW_DISSECTOR, .config = "CONFIG_NET"}},
	{NULL,
	 {PROG_TYPE_NETFILTER, ATTACH_NETFILTER, .config = "CONFIG_NETFILTER_BPF_LINK"}},
	{NULL, {PROG_TYPE_LWT_IN, .config = "CONFIG_LWTUNNEL_BPF"}},
	{NULL, {PROG_TYPE_LWT_OUT, .config = "CONFIG_LWTUNNEL_BPF"}},
	{NULL, {PROG_TYPE_LWT_XMIT, .config = "CONFIG_LWTUNNEL_BPF"}},
	{NULL, {PROG_TYPE_LWT_SEG6LOCAL, .config = "CONFIG_IPV6_SEG6_BPF"}},
	{NULL, {PROG_TYPE_KPROBE, .config = "CONFIG_BPF_EVENTS"}},
	{NULL, {PROG_TYPE_TRACEPOINT, .config = "CONFIG_BPF_EVENTS"}},
	{NULL, {PROG_TYPE_RAW_TRACEPOINT, .config = "CONFIG_BPF_EVENTS"}},
	{NULL, {PROG_TYPE_RAW_TRACEPOINT_WRITABLE, .config = "CONFIG_BPF_EVENTS"}},
	{NULL, {PROG_TYPE_PERF_EVENT, .config = "CONFIG_BPF_EVENTS"}},
	{"tracing, tp_btf",
	 {PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP, "btf_trace_sched_switch", BTF_TYPEDEF,
	  .config = "CONFIG_DEBUG_INFO_BTF"}},
	{"tracing, fentry",
	 {PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY, "bpf_fentry_test1", BTF_FUNC,
	  .config = "CONFIG_FUNCTION_TRACER and CONFIG_DEBUG_INFO_BTF"}},
	{"tracing, fexit",
	 {PROG_TYPE_TRACING, ATTACH_TRACE_FEXIT, "bpf_fentry_test1", BTF_FUNC,
	  .config = "CONFIG_FUNCTION_TRACER and CONFIG_DEBUG_INFO_BTF"}},
	{"tracing, fmod_ret",
	 {PROG_TYPE_TRACING, ATTACH_MODIFY_RETURN, "bpf_modify_return_test", BTF_FUNC,
	  .config = "CONFIG_FUNCTION_TRACER and CONFIG_DEBUG_INFO_BTF"}},
	{"tracing, iter",
	 {PROG_TYPE_TRACING, ATTACH_TRACE_ITER, "bpf_iter_task", BTF_FUNC,
	  .config = "CONFIG_DEBUG_INFO_BTF"}},
	{NULL,
	 {PROG_TYPE_LSM, ATTACH_LSM_MAC, "bpf_lsm_file_open", BTF_FUNC,
	  .config = "CONFIG_BPF_LSM"}},
	{NULL, {PROG_TYPE_SYSCALL, .sleepable = true, .config = "CONFIG_BPF_SYSCALL"}},
	{NULL, {PROG_TYPE_LIRC_MODE2, .config = "CONFIG_BPF_LIRC_MODE2"}},
};

static const char *program_name(const struct row *row)
{
	return row->name ? row->name : abi_prog_type(row->program.type)->name;
}

static int program_refused(const struct prober *p, const struct probe_program *program,
			   const char *name, int err, struct skep_diag *diag)
{
	struct kern_attempt attempt = {KERN_LOAD_PROG, .prog_type = program->type,
				       .err = err, .what = name};

	if (err == -EINVAL || err == -EOPNOTSUPP)
		return unknown(p, name, abi_prog_type(program->type)->since,
			       program->config, diag);
	return kern_refused(diag, &attempt);
}

static int load_insns(union bpf_attr *attr, const struct probe_insn *insns, u32 n)
{
	attr->insns = ptr(insns);
	attr->insn_cnt = n;
	attr->license = ptr("GPL");
	memcpy(attr->prog_name, "skep_probe", sizeof("skep_probe"));
	return sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
}

int probe_load(const struct prober *p, const struct probe_program *program,
	       const char *name, struct skep_diag *diag)
{
	static const struct probe_insn nothing[] = {{0xb7}, {0x95}}; /* r0 = 0; exit */
	union bpf_attr attr = {
		.prog_type = program->type,
		.expected_attach_type = program->attach_type,
		.prog_flags = program->sleepable ? BPF_F_SLEEPABLE : 0,
	};
	int fd;

	if (program->btf_name && !p->vmlinux)
		return fail(diag, NO_KERNEL_TYPES, NO_PC, name);
	if (program->btf_name)
		attr.attach_btf_id = btf_find(p->vmlinux, program->btf_name,
					      (enum btf_kind)program->btf_kind);
	if (program->btf_name && !attr.attach_btf_id)
		return fail(diag, NOT_BUILT_IN, NO_PC, name, program->config);
	fd = load_insns(&attr, nothing, ARRAY_SIZE(nothing));
	return fd < 0 ? program_refused(p, program, name, fd, diag) : fd;
}

static struct probe try_program(const struct prober *p, u32 i)
{
	struct probe probe = {program_name(&programs[i]), .diag = SKEP_DIAG_INIT};
	int fd = probe_load(p, &programs[i].program, probe.name, &probe.diag);

	probe.works = fd >= 0;
	if (fd >= 0)
		close(fd);
	return probe;
}

int probe_jit(void)
{
	static const struct probe_insn nothing[] = {{0xb7}, {0x95}};
	union bpf_attr attr = {.prog_type = PROG_TYPE_SOCKET_FILTER};
	struct bpf_prog_info info = {0};
	int fd = load_insns(&attr, nothing, ARRAY_SIZE(nothing)), err;

	if (fd < 0)
		return fd;
	err = sys_info(fd, &info, sizeof(info));
	close(fd);
	/* who may not see code is told 0, as where there is none */
	if (!err && !info.xlated_prog_len)
		return -EPERM;
	return err ? err : info.jited_prog_len > 0;
}

/* ---- maps ---- */

/* 1: int.  2: a struct_ops value would be the kernel's; storage needs types. */
static int int_types(void)
{
	struct btf_writer w;
	struct text bytes = TEXT_INIT;
	int fd = -ENOMEM;

	btf_writer_init(&w, NULL, host_is_big_endian());
	btf_add_int(&w, "int", 4, BTF_SIGNED);
	if (!btf_writer_finish(&w, &bytes, NULL))
		fd = kernel_btf_load_bytes(&bytes, NULL);
	btf_writer_fini(&w);
	text_fini(&bytes);
	return fd;
}

static const struct shape {
	u32 type, key, value, entries, flags; /* 0: 4, 4, 1, 0 */
	bool typed;                           /* its key and value are an int of BTF */
	const char *config;
} shapes[] = {
	{BPF_MAP_TYPE_LPM_TRIE, .key = 8, .flags = BPF_F_NO_PREALLOC},
	{BPF_MAP_TYPE_STACK_TRACE, .value = 8, .config = "CONFIG_PERF_EVENTS"},
	{BPF_MAP_TYPE_CGROUP_STORAGE, .key = 8, .entries = ~0u,
	 .config = "CONFIG_CGROUP_BPF"},
	{BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, .key = 8, .entries = ~0u,
	 .config = "CONFIG_CGROUP_BPF"},
	{BPF_MAP_TYPE_QUEUE, .key = ~0u},
	{BPF_MAP_TYPE_STACK, .key = ~0u},
	{BPF_MAP_TYPE_BLOOM_FILTER, .key = ~0u},
	{BPF_MAP_TYPE_RINGBUF, .key = ~0u, .value = ~0u, .entries = 1 << 16},
	{BPF_MAP_TYPE_USER_RINGBUF, .key = ~0u, .value = ~0u, .entries = 1 << 16},
	{BPF_MAP_TYPE_SK_STORAGE, .flags = BPF_F_NO_PREALLOC, .typed = true,
	 .entries = ~0u, .config = "CONFIG_NET"},
	{BPF_MAP_TYPE_INODE_STORAGE, .flags = BPF_F_NO_PREALLOC, .typed = true,
	 .entries = ~0u, .config = "CONFIG_BPF_LSM"},
	{BPF_MAP_TYPE_TASK_STORAGE, .flags = BPF_F_NO_PREALLOC, .typed = true,
	 .entries = ~0u, .config = "CONFIG_BPF_SYSCALL"},
	{32 /* CGRP_STORAGE */, .flags = BPF_F_NO_PREALLOC, .typed = true, .entries = ~0u,
	 .config = "CONFIG_CGROUPS"},
	{33 /* ARENA */, .key = ~0u, .value = ~0u, .flags = BPF_F_MMAPABLE,
	 .config = "CONFIG_MMU and a JIT that knows arenas"},
	{BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, .value = 8, .config = "CONFIG_INET"},
	{BPF_MAP_TYPE_SOCKMAP, .config = "CONFIG_NET"},
	{BPF_MAP_TYPE_SOCKHASH, .config = "CONFIG_NET"},
	{BPF_MAP_TYPE_XSKMAP, .config = "CONFIG_XDP_SOCKETS"},
};

static const struct shape *shape_of(u32 type)
{
	static const struct shape usual = {0};

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (shapes[i].type == type)
			return &shapes[i];
	}
	return &usual;
}

/* ~0: none at all. */
static u32 size_or(u32 size, u32 usual)
{
	return size == ~0u ? 0 : size ? size : usual;
}

static int create(u32 type, const struct shape *shape, int inner, int types)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = size_or(shape->key, 4),
		.value_size = size_or(shape->value, 4),
		.max_entries = size_or(shape->entries, 1),
		.map_flags = shape->flags,
		.map_name = "skep_probe",
	};

	if (inner >= 0)
		attr.inner_map_fd = (u32)inner;
	if (types >= 0) {
		attr.btf_fd = (u32)types;
		attr.btf_key_type_id = attr.btf_value_type_id = 1;
	}
	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int try_create(u32 type, const struct shape *shape)
{
	static const struct shape usual = {0};
	bool outer =
		type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
	int inner = outer ? create(BPF_MAP_TYPE_ARRAY, &usual, -1, -1) : -1;
	int types = shape->typed ? int_types() : -1, fd;

	if (outer && inner < 0)
		return inner;
	if (shape->typed && types < 0)
		return types;
	fd = create(type, shape, inner, types);
	if (inner >= 0)
		close(inner);
	if (types >= 0)
		close(types);
	return fd;
}

/* Map types from 1 on; what only a kernel's struct can be made of is left out. */
static u32 map_type_at(u32 i)
{
	u32 type = i + 1;

	return type >= BPF_MAP_TYPE_STRUCT_OPS ? type + 1 : type;
}

static struct probe try_map(const struct prober *p, u32 i)
{
	u32 type = map_type_at(i);
	const struct abi_name *name = abi_map_type(type);
	const struct shape *shape = shape_of(type);
	struct probe probe = {name->name, .diag = SKEP_DIAG_INIT};
	int fd = try_create(type, shape);
	struct kern_attempt attempt = {KERN_CREATE_MAP, .map_type = type, .err = fd,
				       .what = name->name};

	probe.works = fd >= 0;
	if (fd >= 0)
		close(fd);
	else if (fd == -EINVAL || fd == -EOPNOTSUPP)
		unknown(p, name->name, name->since,
			shape->config ? shape->config : "CONFIG_BPF_SYSCALL",
			&probe.diag);
	else
		kern_refused(&probe.diag, &attempt);
	return probe;
}

/* ---- helpers ---- */

/* r1 = r10 - 8; r2 = 8; r3 = 0, over a slot that is 0; call; r0 = 0; exit */
enum { CALL_AT = 5 };

static const struct {
	const char *name;
	u32 number, type;
} helpers[] = {
	{"clocks (bpf_ktime_get_ns)", 5, PROG_TYPE_SOCKET_FILTER},
	{"boot clock (bpf_ktime_get_boot_ns)", 125, PROG_TYPE_SOCKET_FILTER},
	{"random numbers (bpf_get_prandom_u32)", 7, PROG_TYPE_SOCKET_FILTER},
	{"the current task (bpf_get_current_task)", 35, PROG_TYPE_RAW_TRACEPOINT},
	{"printing (bpf_trace_printk)", 6, PROG_TYPE_RAW_TRACEPOINT},
	{"reading kernel memory (bpf_probe_read_kernel)", 113, PROG_TYPE_RAW_TRACEPOINT},
	{"reading user memory (bpf_probe_read_user)", 112, PROG_TYPE_RAW_TRACEPOINT},
	{"writing user memory (bpf_probe_write_user)", 36, PROG_TYPE_KPROBE},
	{"signals (bpf_send_signal)", 109, PROG_TYPE_RAW_TRACEPOINT},
	{"changing results (bpf_override_return)", 58, PROG_TYPE_KPROBE},
	{"redirecting packets (bpf_redirect)", 23, PROG_TYPE_SCHED_CLS},
};

/* Arguments that the helper takes: they differ, and the verifier is exact. */
static void set_arguments(u32 number, struct probe_insn *insns)
{
	static const struct probe_insn fp_to_r1 = {0xbf, 0xa1},
				       add_r1 = {0x07, 0x01, 0, -8},
				       r2_is_8 = {0xb7, 0x02, 0, 8},
				       r3_is_0 = {0xb7, 0x03}, nothing = {0xb7, 0x04};

	insns[0] = (struct probe_insn){0x7a, 0x0a, -8, 0}; /* *(u64 *)(r10 - 8) = 0 */
	insns[1] = fp_to_r1;
	insns[2] = add_r1;
	insns[3] = r2_is_8;
	insns[4] = r3_is_0;
	switch (number) {
	case 36: /* (user address, from, size) */
		insns[1] = (struct probe_insn){0xbf, 0xa2};
		insns[2] = (struct probe_insn){0x07, 0x02, 0, -8};
		insns[3] = (struct probe_insn){0xb7, 0x01};
		insns[4] = (struct probe_insn){0xb7, 0x03, 0, 8};
		break;
	case 58: /* (context, value) */ insns[1] = insns[2] = nothing; break;
	case 109: /* (signal) */
	case 23:  /* (interface, flags) */
		insns[1] = insns[2] = (struct probe_insn){0xb7, 0x01};
		insns[3] = (struct probe_insn){0xb7, 0x02};
		break;
	default: break;
	}
}

static struct probe try_helper(const struct prober *p, u32 i)
{
	const struct abi_helper *helper = abi_helper(helpers[i].number);
	struct probe probe = {helpers[i].name, .diag = SKEP_DIAG_INIT};
	struct probe_insn insns[CALL_AT + 3] = {0};
	union bpf_attr attr = {.prog_type = helpers[i].type, .kern_version = p->version};
	struct kern_attempt attempt = {KERN_LOAD_PROG, .prog_type = helpers[i].type,
				       .what = helpers[i].name};
	int fd;

	set_arguments(helpers[i].number, insns);
	insns[CALL_AT] = (struct probe_insn){0x85, .imm = (s32)helpers[i].number};
	insns[CALL_AT + 1] = (struct probe_insn){0xb7};
	insns[CALL_AT + 2] = (struct probe_insn){0x95};
	fd = load_insns(&attr, insns, ARRAY_SIZE(insns));
	probe.works = fd >= 0;
	attempt.err = fd;
	if (fd >= 0)
		close(fd);
	else if (fd == -EINVAL && p->version < helper->since)
		fail(&probe.diag, SINCE_LINUX, NO_PC, probe.name, helper->since >> 16,
		     helper->since >> 8 & 0xff);
	else if (fd == -EINVAL)
		fail(&probe.diag, HELPER_LOCKED, NO_PC, probe.name);
	else
		kern_refused(&probe.diag, &attempt);
	return probe;
}

/* ---- all ---- */

u32 probe_count(enum probe_kind kind)
{
	u32 n = 0;

	switch (kind) {
	case PROBE_PROGRAM: return ARRAY_SIZE(programs);
	case PROBE_HELPER: return ARRAY_SIZE(helpers);
	case PROBE_HOOK: return probe_hook_count();
	case PROBE_MAP:
		while (abi_map_type(map_type_at(n)))
			n++;
		return n;
	case PROBE_KINDS: break;
	}
	return 0;
}

struct probe probe_try(const struct prober *p, enum probe_kind kind, u32 i)
{
	switch (kind) {
	case PROBE_PROGRAM: return try_program(p, i);
	case PROBE_MAP: return try_map(p, i);
	case PROBE_HELPER: return try_helper(p, i);
	case PROBE_HOOK:
	case PROBE_KINDS: break;
	}
	return probe_hook(p, i);
}
