/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TC: tcx and netkit links, which keep programs in an order, and filters of the clsact
 * qdisc, which every kernel since 4.5 has.
 *
 * A filter belongs to nobody: it outlives us, and is taken away only while it still is
 * the one that we made.  The qdisc stays, as others may have come to use it.  tc-bpf(8).
 */
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/attach.h"
#include "kern/netlink.h"
#include "kern/sys.h"

/* ---- filters ---- */

struct tc_filter {
	u32 ifindex, parent, priority, handle;
};

struct tc_link {
	struct kern_link link;
	struct tc_filter filter;
	u32 prog_id;
};

/* tcm_info: priority, then the protocol that the filter is for. */
static struct tcmsg filter_body(const struct tc_filter *f)
{
	return (struct tcmsg){
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)f->ifindex,
		.tcm_parent = f->parent,
		.tcm_handle = f->handle,
		.tcm_info = TC_H_MAKE(f->priority << 16, htons(ETH_P_ALL)),
	};
}

struct found_filter {
	u32 handle, priority, prog_id;
};

static void take_filter(const struct nlmsghdr *msg, void *arg)
{
	const size_t size = sizeof(struct tcmsg);
	const struct tcmsg *body = NLMSG_DATA(msg);
	struct found_filter *found = arg;
	const struct rtattr *options;

	if (msg->nlmsg_type != RTM_NEWTFILTER || msg->nlmsg_len < NLMSG_SPACE(size))
		return;
	options = netlink_find(msg, size, TCA_OPTIONS);
	found->handle = body->tcm_handle;
	found->priority = TC_H_MAJ(body->tcm_info) >> 16;
	found->prog_id = netlink_u32(netlink_find_in(options, TCA_BPF_ID));
}

/* Makes the filter, or puts another program into it. */
static int set_filter(struct tc_filter *f, const struct kern_prog *prog, u16 flags,
		      struct netlink_answer *answer)
{
	const struct tcmsg body = filter_body(f);
	const u32 direct = TCA_BPF_FLAG_ACT_DIRECT, fd = (u32)prog->fd;
	const char *name = prog->name ? prog->name : "bpf";
	struct found_filter found = {0};
	struct netlink_msg msg;
	struct rtattr *options;
	char cut[64];
	int err;

	answer->each = take_filter;
	answer->arg = &found;
	snprintf(cut, sizeof(cut), "%s", name);
	netlink_init(&msg, RTM_NEWTFILTER, &body, sizeof(body));
	msg.head.nlmsg_flags |= NLM_F_ECHO | flags;
	netlink_put(&msg, TCA_KIND, "bpf", sizeof("bpf"));
	options = netlink_nest(&msg, TCA_OPTIONS);
	netlink_put(&msg, TCA_BPF_FD, &fd, sizeof(fd));
	netlink_put(&msg, TCA_BPF_NAME, cut, strlen(cut) + 1);
	netlink_put(&msg, TCA_BPF_FLAGS, &direct, sizeof(direct));
	netlink_nest_end(&msg, options);
	err = netlink_call(&msg, answer);
	if (!err && !found.handle)
		return -EPROTO;
	if (!err)
		*f = (struct tc_filter){f->ifindex, f->parent, found.priority,
					found.handle};
	return err;
}

static int get_filter(const struct tc_filter *f, struct found_filter *found)
{
	struct netlink_answer answer = {.each = take_filter, .arg = found};
	const struct tcmsg body = filter_body(f);
	struct netlink_msg msg;

	*found = (struct found_filter){0};
	netlink_init(&msg, RTM_GETTFILTER, &body, sizeof(body));
	netlink_put(&msg, TCA_KIND, "bpf", sizeof("bpf"));
	return netlink_call(&msg, &answer);
}

static int delete_filter(const struct tc_filter *f, struct netlink_answer *answer)
{
	const struct tcmsg body = filter_body(f);
	struct netlink_msg msg;

	netlink_init(&msg, RTM_DELTFILTER, &body, sizeof(body));
	netlink_put(&msg, TCA_KIND, "bpf", sizeof("bpf"));
	return netlink_call(&msg, answer);
}

/* Is the filter still the one with our program?  Somebody may have made another one with
 * the same numbers. */
static bool is_ours(const struct tc_link *l)
{
	struct found_filter found;

	return !get_filter(&l->filter, &found) && found.prog_id == l->prog_id;
}

static int tc_update(struct kern_link *link, const struct kern_prog *prog,
		     struct skep_diag *diag)
{
	struct tc_link *l = container_of(link, struct tc_link, link);
	struct netlink_answer answer = {0};
	int err;

	if (!is_ours(l))
		return fail(diag, LINK_GONE, NO_PC, link->what);
	err = set_filter(&l->filter, prog, NLM_F_REPLACE, &answer);
	if (err)
		return link_refused(link, err, answer.why, diag);
	l->prog_id = prog_id(prog->fd);
	return 0;
}

static int tc_detach(struct kern_link *link, struct skep_diag *diag)
{
	struct tc_link *l = container_of(link, struct tc_link, link);
	struct netlink_answer answer = {0};
	int err = is_ours(l) ? delete_filter(&l->filter, &answer) : 0;

	if (!err || err == -ENOENT || err == -ENODEV)
		return 0;
	return link_refused(link, err, answer.why, diag);
}

static const struct kern_link_ops tc_ops = {.update = tc_update, .detach = tc_detach};

/* ---- the qdisc ---- */

static void take_kind(const struct nlmsghdr *msg, void *arg)
{
	const struct rtattr *kind = netlink_find(msg, sizeof(struct tcmsg), TCA_KIND);

	if (kind)
		snprintf(arg, IFNAMSIZ, "%.*s", (int)RTA_PAYLOAD(kind),
			 (const char *)RTA_DATA(kind));
}

static int make_clsact(u32 ifindex, struct netlink_answer *answer)
{
	const struct tcmsg body = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = (int)ifindex,
				   .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
				   .tcm_parent = TC_H_CLSACT};
	struct netlink_msg msg;

	netlink_init(&msg, RTM_NEWQDISC, &body, sizeof(body));
	msg.head.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	netlink_put(&msg, TCA_KIND, "clsact", sizeof("clsact"));
	return netlink_call(&msg, answer);
}

/* The qdisc "ingress" is in the same place, and would take what is for egress. */
static int check_qdisc(u32 ifindex, const struct hook *hook, struct skep_diag *diag)
{
	const struct tcmsg body = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = (int)ifindex,
				   .tcm_parent = TC_H_CLSACT};
	char kind[IFNAMSIZ] = "";
	struct netlink_answer answer = {.each = take_kind, .arg = kind};
	struct netlink_msg msg;

	netlink_init(&msg, RTM_GETQDISC, &body, sizeof(body));
	/* or only those who listen to all changes get the answer */
	msg.head.nlmsg_flags |= NLM_F_ECHO;
	if (netlink_call(&msg, &answer) || !strcmp(kind, "clsact") ||
	    hook->attach_type == ATTACH_TCX_INGRESS)
		return 0;
	return fail(diag, TC_INGRESS_ONLY, NO_PC, hook->dev, kind);
}

static int attach_filter(const struct attaching *a, struct tc_filter *filter,
			 struct kern_link **out, struct skep_diag *diag)
{
	struct kern_link *link = link_new(a, &tc_ops, sizeof(struct tc_link), diag);
	struct netlink_answer answer = {0};
	int err;

	if (!link)
		return -ENOMEM;
	link->outlives = true;
	err = make_clsact(filter->ifindex, &answer);
	if (err == -EEXIST)
		err = check_qdisc(filter->ifindex, a->hook, diag);
	if (!err)
		err = set_filter(filter, a->prog, NLM_F_CREATE | NLM_F_EXCL, &answer);
	if (err) {
		link_refused(link, err, answer.why, diag);
		free(link);
		return err;
	}
	container_of(link, struct tc_link, link)->filter = *filter;
	container_of(link, struct tc_link, link)->prog_id = prog_id(a->prog->fd);
	*out = link;
	return 0;
}

int attach_tc(const struct attaching *a, struct kern_link **link, struct skep_diag *diag)
{
	bool ingress = a->hook->attach_type == ATTACH_TCX_INGRESS;
	struct tc_filter filter = {
		.parent = TC_H_MAKE(TC_H_CLSACT,
				    ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
		.priority = (u32)a->hook->priority,
	};
	int err = netlink_device(a->hook, &filter.ifindex, diag);

	return err ? err : attach_filter(a, &filter, link, diag);
}

/* ---- links ---- */

static int ordered_link(const struct attaching *a, u32 ifindex)
{
	struct link_create_attr attr = {.attach_type = a->hook->attach_type,
					.target_fd = ifindex,
					.flags = place_flags(a->hook)};

	attr.tcx.relative = a->hook->anchor;
	return link_create(a, &attr, LINK_UPTO(tcx));
}

int attach_tcx(const struct attaching *a, struct kern_link **link, struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];
	u32 ifindex;
	int err = netlink_device(a->hook, &ifindex, diag), fd;

	if (err)
		return err;
	fd = ordered_link(a, ifindex);
	if (fd != -EINVAL || !kernel_before(6, 6))
		return place_link(a, fd, link, diag);
	/* where a filter goes among others is the kernel's choice, or a priority's */
	if (a->hook->place == PLACE_LAST)
		return attach_tc(a, link, diag);
	return fail(diag, HOOK_ORDER, NO_PC, hook_name(a->hook, where));
}

int attach_netkit(const struct attaching *a, struct kern_link **link,
		  struct skep_diag *diag)
{
	u32 ifindex;
	int err = netlink_device(a->hook, &ifindex, diag);

	return err ? err : place_link(a, ordered_link(a, ifindex), link, diag);
}
