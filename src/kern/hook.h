/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's hooks as values, and their names: "xdp:eth0", "tcx:eth0:egress",
 * "cgroup:/sys/fs/cgroup/x:connect4", "uprobe:/bin/bash:readline".
 *
 * hook_parse() reads what a user wrote, hook_of_prog() what a section name says; neither
 * asks the kernel anything.  Words are those of libbpf's section names and of bpftool.
 */
#ifndef SKEP_KERN_HOOK_H
#define SKEP_KERN_HOOK_H

#include "base/types.h"

struct prog;
struct skep_diag;

enum hook_kind {
	HOOK_XDP,
	HOOK_TCX, /* 6.6; elsewhere HOOK_TC is meant and used */
	HOOK_TC,  /* a filter of the clsact qdisc */
	HOOK_NETKIT,
	HOOK_CGROUP, /* all of its attach types */
	HOOK_NETNS,  /* flow dissector, sk_lookup */
	HOOK_SOCKET, /* SO_ATTACH_BPF on a descriptor of the caller */
	HOOK_SOCKMAP,
	HOOK_NETFILTER,
	HOOK_TRACEPOINT,
	HOOK_RAW_TRACEPOINT,
	HOOK_TRACING, /* tp_btf, fentry, fexit, fmod_ret, LSM: the program says where */
	HOOK_FREPLACE,
	HOOK_KPROBE, /* and kretprobe, ksyscall */
	HOOK_KPROBE_MULTI,
	HOOK_UPROBE, /* and uretprobe */
	HOOK_UPROBE_MULTI,
	HOOK_USDT,
	HOOK_PERF_EVENT,
	HOOK_ITER,
	HOOK_STRUCT_OPS,
};

enum hook_place { PLACE_LAST, PLACE_FIRST, PLACE_BEFORE, PLACE_AFTER };
enum hook_mode { MODE_ANY, MODE_NATIVE, MODE_GENERIC, MODE_OFFLOAD }; /* of XDP */

struct hook {
	enum hook_kind kind;
	char *words;     /* owned: what the strings below point into */
	const char *dev; /* name of an interface, or its number */
	/* Of a cgroup, netns, binary, pinned map (SOCKMAP, ITER) or cgroup (ITER). */
	const char *path;
	/* Of a function, tracepoint, event, probe, iterator, map; NULL: no name, the
	 * offset says where. */
	const char *name;
	const char *category; /* of a tracepoint; provider of a probe */
	/* enum abi_attach_type, of the kinds CGROUP, NETNS, TCX, TC, NETKIT, SOCKMAP,
	 * TRACING; 0 of TRACING: the program says it. */
	u32 attach_type;
	int fd; /* of a socket or map; borrowed; -1: none */
	enum hook_mode mode;
	enum hook_place place; /* TCX, NETKIT, CGROUP (6.17) */
	u32 anchor; /* id of the program that BEFORE and AFTER mean; of FREPLACE:
		       whose function is replaced */
	u64 offset; /* in the function or file */
	u64 cookie; /* bpf_get_attach_cookie() */
	int pid;    /* UPROBE, PERF_EVENT: only this process; 0: all */
	int cpu;    /* PERF_EVENT: -1: all */
	u64 period; /* PERF_EVENT: sample_period, or with is_freq Hz */
	bool is_freq;
	bool is_return;  /* kretprobe, uretprobe */
	bool is_syscall; /* KPROBE: name is a system call's */
	bool is_session;
	bool defrag;  /* NETFILTER: fragments are put together first */
	s32 priority; /* TC, NETFILTER */
	u8 family;    /* NETFILTER: NFPROTO_* */
	u8 number;    /* NETFILTER: NF_INET_* */
};

/* Before anything is filled in by hand. */
#define HOOK_INIT                                                                        \
	{                                                                                \
		.fd = -1, .cpu = -1                                                      \
	}

/* Owns hook->words until hook_fini().  Errors: EINVAL with what is wrong and the form
 * that is wanted. */
int hook_parse(const char *text, struct hook *hook, struct skep_diag *diag);

/* Where the section name of a program puts it ("tracepoint/sched/sched_switch"); -ENOENT
 * where it leaves that open ("xdp"). */
int hook_of_prog(const struct prog *prog, struct hook *hook, struct skep_diag *diag);
void hook_fini(struct hook *hook);

/* The hook as hook_parse() reads it, cut where it is too long; returns name. */
enum { HOOK_NAME_SIZE = 160 };
const char *hook_name(const struct hook *hook, char name[HOOK_NAME_SIZE]);

/* The program type and attach type (0: any) that the hook wants; false: several. */
bool hook_wants(const struct hook *hook, u32 *prog_type, u32 *attach_type);

#endif
