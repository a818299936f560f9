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
};

struct kern_attempt {
	enum kern_action action;
	u32 prog_type;    /* BPF_PROG_TYPE_*, of LOAD_PROG, ATTACH, TEST_RUN; else 0 */
	int err;          /* negative errno that came back */
	const char *what; /* "program xdp_filter", "map counts"; for the message */
};

/* Fills diag with the true reason and its remedy; returns attempt->err.  For -EPERM and
 * -EACCES names the missing capability or lock; other errors are told as they are. */
int kern_refused(struct skep_diag *diag, const struct kern_attempt *attempt);

/* Does the process hold this capability (CAP_BPF, ...) effectively?  CAP_SYS_ADMIN counts
 * for CAP_BPF and CAP_PERFMON as in Linux. */
bool kern_has_cap(u32 cap);

/* The capabilities beside which a program of this type cannot be loaded: bits 1 << CAP_*;
 * kern_attach_caps(): attached. */
u64 kern_load_caps(u32 prog_type);
u64 kern_attach_caps(u32 prog_type);

/* Gives up every capability but those in keep (bits), for this process, for good. */
int kern_keep_caps(u64 keep);

#endif
