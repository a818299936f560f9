/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands about the running kernel share: giving up rights, progress.  For
 * src/tools.
 */
#ifndef SKEP_TOOLS_LIVE_H
#define SKEP_TOOLS_LIVE_H

#include <linux/capability.h>

#include "kern/refused.h"

struct skep_diag;

/* What loading and attaching programs of all types may need. */
#define LIVE_CAPS                                                                        \
	(KERN_CAP(CAP_BPF) | KERN_CAP(CAP_PERFMON) | KERN_CAP(CAP_NET_ADMIN) |           \
	 KERN_CAP(CAP_SYS_ADMIN) | KERN_CAP(CAP_SYS_PTRACE) | KERN_CAP(CAP_SYSLOG) |     \
	 KERN_CAP(CAP_SYS_RESOURCE) | KERN_CAP(CAP_IPC_LOCK) | KERN_CAP(CAP_SYS_BOOT))

/* Keeps those of the capabilities that the process has, and gives up all others but
 * those for reading and writing files. */
void live_keep_caps(u64 caps);

/* Says why the kernel refused, or what else went wrong; the exit status. */
int live_refuse(const struct skep_diag *diag);

/* A line that a person sees when something takes longer than a second. */
struct progress {
	const char *what;   /* "processes" */
	u64 started, shown; /* ns */
	bool visible;
};

void progress_init(struct progress *p, const char *what);
void progress_step(struct progress *p, u64 done, u64 all); /* all 0: not known */
void progress_hide(struct progress *p);

u64 clock_ns(void); /* CLOCK_MONOTONIC */

/* "5 s", "12 min", "3 h", "41 days". */
struct age {
	char s[24];
};
const char *age_text(struct age *age, u64 seconds);

/* "4 KiB", "1.5 MiB". */
const char *size_text(struct age *size, u64 bytes);

#endif
