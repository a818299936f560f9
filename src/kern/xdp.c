/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XDP: one program on an interface, by a link of the kernel (since 5.9) or by rtnetlink.
 *
 * Linux runs one XDP program for each interface and mode.  Running several would mean
 * another program that calls them, and only freplace can put a loaded program into one
 * and come back from it: who is not alone is told who is there.
 */
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/attach.h"
#include "kern/netlink.h"
#include "kern/sys.h"

static const u32 mode_flags[] = {
	[MODE_ANY] = 0,
	[MODE_NATIVE] = XDP_FLAGS_DRV_MODE,
	[MODE_GENERIC] = XDP_FLAGS_SKB_MODE,
	[MODE_OFFLOAD] = XDP_FLAGS_HW_MODE,
};

/* ---- what is there ---- */

static void take_prog_id(const struct nlmsghdr *msg, void *arg)
{
	const struct rtattr *xdp = netlink_find(msg, sizeof(struct ifinfomsg), IFLA_XDP);
	const u16 types[] = {IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID,
			     IFLA_XDP_HW_PROG_ID};
	u32 *id = arg;

	for (u32 i = 0; !*id && i < ARRAY_SIZE(types); i++)
		*id = netlink_u32(netlink_find_in(xdp, types[i]));
}

/* The program of an interface; 0: none, or not known. */
static u32 attached_prog(u32 ifindex)
{
	const struct ifinfomsg body = {.ifi_index = (int)ifindex};
	struct netlink_msg msg;
	u32 id = 0;
	struct netlink_answer answer = {.each = take_prog_id, .arg = &id};

	netlink_init(&msg, RTM_GETLINK, &body, sizeof(body));
	return netlink_call(&msg, &answer) ? 0 : id;
}

struct refusal {
	int err;
	u32 ifindex;
	const char *why; /* the kernel's own words, or "" */
};

static int refused(const struct attaching *a, const struct refusal *r,
		   struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];
	bool unfit = r->err == -EOPNOTSUPP || r->err == -EINVAL;

	hook_name(a->hook, where);
	if (r->err == -EBUSY || r->err == -EEXIST) {
		fail(diag, XDP_TAKEN, NO_PC, where, attached_prog(r->ifindex));
		return -EBUSY;
	}
	if (unfit && a->hook->mode == MODE_OFFLOAD)
		return fail(diag, XDP_OFFLOAD, NO_PC, where);
	if (*r->why && r->err != -EPERM)
		return fail_errno(diag, r->err, KERNEL_WORDS, NO_PC, where,
				  strerror(-r->err), r->why);
	if (r->err == -EOPNOTSUPP)
		return fail(diag, XDP_NATIVE, NO_PC, where);
	return attach_refused(a, r->err, diag);
}

/* ---- by rtnetlink ---- */

struct xdp_link {
	struct kern_link link;
	u32 ifindex, flags;
	int prog_fd; /* owned: the program that we attached */
};

/* Puts a program (-1: none) where `old` is; old -1: only where none is. */
static int set_xdp(const struct xdp_link *l, int prog_fd, int old,
		   struct netlink_answer *answer)
{
	const struct ifinfomsg body = {.ifi_index = (int)l->ifindex};
	u32 flags = l->flags | (old < 0 ? XDP_FLAGS_UPDATE_IF_NOEXIST : 0);
	/* since 5.7; before, nobody can say "only if" */
	bool expects = old >= 0 && !kernel_before(5, 7);
	struct netlink_msg msg;
	struct rtattr *xdp;

	if (expects)
		flags |= XDP_FLAGS_REPLACE;
	netlink_init(&msg, RTM_SETLINK, &body, sizeof(body));
	xdp = netlink_nest(&msg, IFLA_XDP);
	netlink_put(&msg, IFLA_XDP_FD, &prog_fd, sizeof(prog_fd));
	netlink_put(&msg, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	if (expects)
		netlink_put(&msg, IFLA_XDP_EXPECTED_FD, &old, sizeof(old));
	netlink_nest_end(&msg, xdp);
	return netlink_call(&msg, answer);
}

static int xdp_update(struct kern_link *link, const struct kern_prog *prog,
		      struct skep_diag *diag)
{
	struct xdp_link *l = container_of(link, struct xdp_link, link);
	struct netlink_answer answer = {0};
	int copy = fcntl(prog->fd, F_DUPFD_CLOEXEC, 0), err;

	if (copy < 0)
		return link_refused(link, -errno, "", diag);
	err = set_xdp(l, copy, l->prog_fd, &answer);
	if (err) {
		close(copy);
		return link_refused(link, err, answer.why, diag);
	}
	close(l->prog_fd);
	l->prog_fd = copy;
	return 0;
}

static int xdp_detach(struct kern_link *link, struct skep_diag *diag)
{
	struct xdp_link *l = container_of(link, struct xdp_link, link);
	struct netlink_answer answer = {0};
	int err;

	if (attached_prog(l->ifindex) != prog_id(l->prog_fd))
		return 0;
	err = set_xdp(l, -1, l->prog_fd, &answer);
	/* the interface, or the program, is gone already */
	if (!err || err == -ENODEV || err == -EEXIST)
		return 0;
	return link_refused(link, err, answer.why, diag);
}

static void xdp_release(struct kern_link *link)
{
	struct xdp_link *l = container_of(link, struct xdp_link, link);

	if (l->prog_fd >= 0)
		close(l->prog_fd);
	free(l);
}

static const struct kern_link_ops xdp_ops = {
	.update = xdp_update, .detach = xdp_detach, .release = xdp_release};

static int attach_to(const struct attaching *a, u32 ifindex, struct kern_link **out,
		     struct skep_diag *diag)
{
	struct kern_link *link = link_new(a, &xdp_ops, sizeof(struct xdp_link), diag);
	struct refusal refusal = {.ifindex = ifindex};
	struct netlink_answer answer = {0};
	struct xdp_link *l;

	if (!link)
		return -ENOMEM;
	l = container_of(link, struct xdp_link, link);
	link->outlives = true;
	l->ifindex = ifindex;
	l->flags = mode_flags[a->hook->mode];
	l->prog_fd = fcntl(a->prog->fd, F_DUPFD_CLOEXEC, 0);
	refusal.err = l->prog_fd < 0 ? -errno : set_xdp(l, l->prog_fd, -1, &answer);
	if (!refusal.err) {
		*out = link;
		return 0;
	}
	refusal.why = answer.why;
	xdp_release(link);
	return refused(a, &refusal, diag);
}

int attach_xdp_netlink(const struct attaching *a, struct kern_link **link,
		       struct skep_diag *diag)
{
	u32 ifindex;
	int err = netlink_device(a->hook, &ifindex, diag);

	return err ? err : attach_to(a, ifindex, link, diag);
}

/* ---- by a link ---- */

/* bpf(2) keeps the driver's words to itself ("Peer MTU is too large"): the same attempt
 * by rtnetlink, which fails for the same reason, brings them. */
static void ask_why(const struct attaching *a, const struct refusal *r,
		    struct netlink_answer *answer)
{
	const struct xdp_link l = {.ifindex = r->ifindex,
				   .flags = mode_flags[a->hook->mode]};
	struct netlink_answer undone = {0};

	if (r->err == -EPERM || r->err == -EBUSY || r->err == -EEXIST)
		return;
	if (!set_xdp(&l, a->prog->fd, -1, answer))
		set_xdp(&l, -1, a->prog->fd, &undone);
}

int attach_xdp(const struct attaching *a, struct kern_link **link, struct skep_diag *diag)
{
	struct link_create_attr attr = {.attach_type = ATTACH_XDP,
					.flags = mode_flags[a->hook->mode]};
	int err = netlink_device(a->hook, &attr.target_fd, diag), fd;
	struct netlink_answer answer = {0};
	struct refusal refusal;

	if (err)
		return err;
	fd = link_create(a, &attr, LINK_UPTO(flags));
	if (fd == -EINVAL && kernel_before(5, 9))
		return attach_to(a, attr.target_fd, link, diag);
	if (fd >= 0)
		return link_of_fd(a, fd, link, diag);
	refusal = (struct refusal){fd, attr.target_fd, answer.why};
	ask_why(a, &refusal, &answer);
	return refused(a, &refusal, diag);
}
