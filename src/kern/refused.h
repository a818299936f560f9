/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why Linux said no, in words that help: which capability is missing, which lock is on.
 *
 * EPERM of bpf(2) and its relatives has many causes (capabilities, a sysctl, kernel
 * lockdown, a security module, a seccomp filter, a limit on locked memory); these
 * functions look at the process and the machine and name the one that holds.  They never
 * advise what would not help.  For src/kern and src/tools; capabilities(7),
 * kernel_lockdown(7).
 */
#ifndef SKEP_KERN_REFUSED_H
#define SKEP_KERN_REFUSED_H

#include "base/types.h"

struct skep_diag;

/* What was tried; each needs other rights. */
enum kern_action {
	KERN_LOAD_PROG, /* of a type: see kern_refused()'s prog_type */
	KERN_LOAD_BTF,
	KERN_CREATE_MAP,
	KERN_USE_MAP,
	KERN_ATTACH,
	KERN_LIST, /* going through ids, opening by id */
	KERN_PIN,
	KERN_TEST_RUN,
	KERN_QUERY, /* what is attached to a cgroup, interface, netns */
	KERN_STATS, /* switching on run counts */
};

struct kern_attempt {
	enum kern_action action;
	u32 prog_type;    /* BPF_PROG_TYPE_*, of LOAD_PROG, ATTACH, TEST_RUN; else 0 */
	u32 map_type;     /* BPF_MAP_TYPE_*, of CREATE_MAP; else 0 */
	int err;          /* negative errno that came back */
	const char *what; /* "program xdp_filter", "map counts"; for the message */
	const char *path; /* of PIN, where it is known; else NULL */
	u64 caps;         /* needed beside those of the action: KERN_CAP() */
};

/* Fills diag with the true reason and its remedy; returns attempt->err.  For -EPERM and
 * -EACCES names the missing capability or lock; other errors are told as they are. */
int kern_refused(struct skep_diag *diag, const struct kern_attempt *attempt);

/* Does the process hold this capability (CAP_BPF, ...) effectively, and where it counts,
 * which is outside of user namespaces?  CAP_SYS_ADMIN counts for CAP_BPF and CAP_PERFMON
 * as in Linux. */
bool kern_has_cap(u32 cap);

/* The capabilities without which a program of this type cannot be loaded: bits
 * KERN_CAP(CAP_*); kern_attach_caps(): attached; kern_map_caps(): a map of this type
 * created. */
u64 kern_load_caps(u32 prog_type);
u64 kern_attach_caps(u32 prog_type);
u64 kern_map_caps(u32 map_type);

/* All that an attempt needs. */
u64 kern_needed_caps(const struct kern_attempt *attempt);

#define KERN_CAP(cap) (1ull << (cap))

/* "CAP_BPF and CAP_NET_ADMIN". */
struct kern_cap_names {
	char s[96];
};
const char *kern_cap_names(struct kern_cap_names *names, u64 caps);

/* Gives up every capability but those in keep (bits), for good: no program that is
 * executed later gets them back.  Before threads are started: it is for the calling
 * thread.  CAP_SYS_ADMIN is kept where it stands for one that is to be kept. */
int kern_keep_caps(u64 keep);

#endif
