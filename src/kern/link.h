/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program attached to one hook of the kernel.
 *
 * Some hooks have a link of the kernel behind them (bpf_link), older ones a perf event, a
 * netlink message or a socket option; here all are one struct kern_link that detaches
 * when it is freed, and when the process dies unless it is pinned or the hook knows no
 * owner (clsact, where the link says so).  For src/load and src/tools.
 */
#ifndef SKEP_KERN_LINK_H
#define SKEP_KERN_LINK_H

#include "kern/hook.h"

struct kern_link;

/* A loaded program, as far as hooks care. */
struct kern_prog {
	int fd;   /* borrowed during the call */
	u32 type; /* BPF_PROG_TYPE_* */
	u32 attach_type;
	const char *name;
	bool sleepable, frags;
	/* Borrowed: its maps, where the caller has them at hand; else those that a hook
	 * must write (USDT) are opened by id, which needs CAP_SYS_ADMIN. */
	const int *map_fds;
	u32 n_maps;
};

/*
 * Attaches.  A kind that this kernel has no link for is attached the older way where that
 * means the same.  Errors: the kernel's errno, with the reason (kern/refused.h); ENODEV,
 * ENOENT for a hook that does not exist, EINVAL for a program of another type.
 */
int kern_attach(const struct kern_prog *prog, const struct hook *hook,
		struct kern_link **link, struct skep_diag *diag);

/* Replaces the program without a moment in which none is attached.  ENOTSUP where the
 * hook cannot. */
int kern_link_update(struct kern_link *link, const struct kern_prog *prog,
		     struct skep_diag *diag);

/* It stays attached when the link is freed or the process ends.  path: below a bpffs,
 * whose missing folders are made.  ENOTSUP where the kernel has no link for it. */
int kern_link_pin(struct kern_link *link, const char *path, struct skep_diag *diag);
int kern_link_open_pinned(const char *path, struct kern_link **link,
			  struct skep_diag *diag);
int kern_link_open_id(u32 id, struct kern_link **link, struct skep_diag *diag);

/* Detaches now, pinned or not; the link stays to be freed. */
int kern_link_detach(struct kern_link *link, struct skep_diag *diag);

/* Frees; detaches unless it is pinned or was opened.  NULL is fine. */
void kern_link_free(struct kern_link *link);

int kern_link_fd(const struct kern_link *link); /* of a bpf_link, or -1 */
u32 kern_link_id(const struct kern_link *link); /* of a bpf_link, or 0 */

/* Stays attached when the process ends, though nobody pinned it: detach it before. */
bool kern_link_outlives(const struct kern_link *link);

#endif
