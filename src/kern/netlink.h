/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions and commands to the kernel's network configuration: rtnetlink, as far as
 * hooks need it.
 *
 * One message out, its answers in, no state between calls.  For src/kern; rtnetlink(7),
 * the kernel's userspace-api/netlink/intro.rst.
 */
#ifndef SKEP_KERN_NETLINK_H
#define SKEP_KERN_NETLINK_H

#include <linux/rtnetlink.h>

#include "base/types.h"

struct hook;
struct skep_diag;

struct netlink_msg {
	struct nlmsghdr head;
	u8 body[1024 - sizeof(struct nlmsghdr)];
};

/* body: struct ifinfomsg or struct tcmsg. */
void netlink_init(struct netlink_msg *msg, u16 type, const void *body, size_t size);
void netlink_put(struct netlink_msg *msg, u16 type, const void *data, size_t len);
struct rtattr *netlink_nest(struct netlink_msg *msg, u16 type);
void netlink_nest_end(struct netlink_msg *msg, struct rtattr *nest);

/* What comes back. */
struct netlink_answer {
	/* Each message but the acknowledgement; NULL: not wanted. */
	void (*each)(const struct nlmsghdr *msg, void *arg);
	void *arg;
	char why[120]; /* the kernel's words, or "" */
};

/* Asks and waits for the acknowledgement: 0 or its errno. */
int netlink_call(struct netlink_msg *msg, struct netlink_answer *answer);

/* The attribute of this type behind a message's fixed part of `size` bytes, or inside
 * another one; NULL: there is none. */
const struct rtattr *netlink_find(const struct nlmsghdr *msg, size_t size, u16 type);
const struct rtattr *netlink_find_in(const struct rtattr *nest, u16 type);
/* 0: not there, or too short. */
u32 netlink_u32(const struct rtattr *attr);

/* The index of the interface that the hook names; -ENODEV. */
int netlink_device(const struct hook *hook, u32 *ifindex, struct skep_diag *diag);

#endif
