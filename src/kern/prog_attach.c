/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_ATTACH: programs that a cgroup or a map keeps by itself, from before there
 * were links.
 *
 * What is attached has no owner; the link remembers where and what, to replace or detach
 * just that.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/attach.h"
#include "kern/sys.h"

struct prog_link {
	struct kern_link link;
	int target, prog; /* owned */
	u32 attach_type, flags;
};

static int copy_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

/* A map has one program of a kind, and a new one takes its place. */
static int prog_update(struct kern_link *link, const struct kern_prog *prog,
		       struct skep_diag *diag)
{
	struct prog_link *l = container_of(link, struct prog_link, link);
	u32 flags = l->flags ? l->flags | BPF_F_REPLACE : 0;
	int copy = copy_fd(prog->fd), err;

	if (copy < 0)
		return link_refused(link, copy, "", diag);
	err = sys_prog_attach(copy, l->target, l->attach_type, flags, l->prog);
	if (err) {
		close(copy);
		return link_refused(link, err, "", diag);
	}
	close(l->prog);
	l->prog = copy;
	return 0;
}

static int prog_detach(struct kern_link *link, struct skep_diag *diag)
{
	struct prog_link *l = container_of(link, struct prog_link, link);
	int err = sys_prog_detach(l->prog, l->target, l->attach_type);

	/* ENOENT: somebody else did it */
	return err && err != -ENOENT ? link_refused(link, err, "", diag) : 0;
}

static void prog_release(struct kern_link *link)
{
	struct prog_link *l = container_of(link, struct prog_link, link);

	close(l->target);
	if (l->prog >= 0)
		close(l->prog);
	free(l);
}

static const struct kern_link_ops prog_ops = {
	.update = prog_update, .detach = prog_detach, .release = prog_release};

int attach_prog(const struct attaching *a, int target, struct kern_link **out,
		struct skep_diag *diag)
{
	struct kern_link *link = link_new(a, &prog_ops, sizeof(struct prog_link), diag);
	struct prog_link *l;
	int err;

	if (!link) {
		close(target);
		return -ENOMEM;
	}
	l = container_of(link, struct prog_link, link);
	link->outlives = true; /* as long as there is what it is attached to */
	l->target = target;
	l->attach_type = a->hook->attach_type;
	l->flags = a->hook->kind == HOOK_CGROUP ? BPF_F_ALLOW_MULTI : 0;
	l->prog = copy_fd(a->prog->fd);
	err = l->prog;
	if (err >= 0)
		err = sys_prog_attach(l->prog, target, l->attach_type, l->flags, -1);
	if (err) {
		prog_release(link);
		return attach_refused(a, err, diag);
	}
	*out = link;
	return 0;
}
