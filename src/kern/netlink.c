/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink: attributes into a message of fixed size, and the answer's out of a buffer.
 */
#include "kern/netlink.h"

#include <assert.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/hook.h"

/* One datagram: the description of an interface with many virtual functions is long. */
enum { ANSWER_SIZE = 1 << 17 };

/* ---- writing ---- */

void netlink_init(struct netlink_msg *msg, u16 type, const void *body, size_t size)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_type = type;
	msg->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->head.nlmsg_len = NLMSG_SPACE(size);
	memcpy(NLMSG_DATA(&msg->head), body, size);
}

void netlink_put(struct netlink_msg *msg, u16 type, const void *data, size_t len)
{
	struct rtattr *attr = (void *)((u8 *)msg + msg->head.nlmsg_len);

	assert(msg->head.nlmsg_len + RTA_SPACE(len) <= sizeof(*msg));
	attr->rta_type = type;
	attr->rta_len = (u16)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attr), data, len);
	msg->head.nlmsg_len += RTA_SPACE(len);
}

struct rtattr *netlink_nest(struct netlink_msg *msg, u16 type)
{
	struct rtattr *nest = (void *)((u8 *)msg + msg->head.nlmsg_len);

	netlink_put(msg, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void netlink_nest_end(struct netlink_msg *msg, struct rtattr *nest)
{
	nest->rta_len = (u16)((u8 *)msg + msg->head.nlmsg_len - (u8 *)nest);
}

/* ---- reading ---- */

static const struct rtattr *find(const struct rtattr *attr, size_t left, u16 type)
{
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
		if ((attr->rta_type & NLA_TYPE_MASK) == type)
			return attr;
	return NULL;
}

const struct rtattr *netlink_find(const struct nlmsghdr *msg, size_t size, u16 type)
{
	if (msg->nlmsg_len < NLMSG_SPACE(size))
		return NULL;
	return find((void *)((const u8 *)msg + NLMSG_SPACE(size)),
		    msg->nlmsg_len - NLMSG_SPACE(size), type);
}

const struct rtattr *netlink_find_in(const struct rtattr *nest, u16 type)
{
	return nest ? find(RTA_DATA(nest), RTA_PAYLOAD(nest), type) : NULL;
}

u32 netlink_u32(const struct rtattr *attr)
{
	u32 value = 0;

	if (attr && RTA_PAYLOAD(attr) >= sizeof(value))
		memcpy(&value, RTA_DATA(attr), sizeof(value));
	return value;
}

/* ---- calling ---- */

static int open_socket(void)
{
	const struct timeval patience = {.tv_sec = 10};
	const int on = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	/* since 4.12 and 4.20: words beside the errno; without them we just know less */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* NETLINK_CAP_ACK: of our message only the head comes back; then the words. */
static int read_ack(const struct nlmsghdr *msg, struct netlink_answer *answer)
{
	const struct rtattr *words;
	const struct nlmsgerr *ack = NLMSG_DATA(msg);

	if (msg->nlmsg_len < NLMSG_LENGTH(sizeof(*ack)))
		return -EPROTO;
	words = msg->nlmsg_flags & NLM_F_ACK_TLVS && msg->nlmsg_flags & NLM_F_CAPPED
			? netlink_find(msg, sizeof(*ack), NLMSGERR_ATTR_MSG)
			: NULL;
	if (words)
		snprintf(answer->why, sizeof(answer->why), "%.*s",
			 (int)RTA_PAYLOAD(words), (const char *)RTA_DATA(words));
	return ack->error;
}

/* One datagram.  1: the acknowledgement is still to come. */
static int read_answer(int fd, void *buffer, u32 seq, struct netlink_answer *answer)
{
	const struct nlmsghdr *msg = buffer;
	ssize_t got = recv(fd, buffer, ANSWER_SIZE, MSG_TRUNC);
	size_t left;

	if (got < 0)
		return errno == EINTR ? 1 : -errno;
	if (got > ANSWER_SIZE)
		return -EMSGSIZE;
	left = (size_t)got;
	for (; NLMSG_OK(msg, left); msg = NLMSG_NEXT(msg, left)) {
		if (msg->nlmsg_seq != seq)
			continue;
		if (msg->nlmsg_type == NLMSG_ERROR)
			return read_ack(msg, answer);
		if (answer->each)
			answer->each(msg, answer->arg);
	}
	return 1;
}

int netlink_call(struct netlink_msg *msg, struct netlink_answer *answer)
{
	int fd = open_socket(), err = 1;
	void *buffer = malloc(ANSWER_SIZE);

	answer->why[0] = 0;
	msg->head.nlmsg_seq = 1;
	if (fd < 0 || !buffer)
		err = fd < 0 ? fd : -ENOMEM;
	else if (send(fd, msg, msg->head.nlmsg_len, 0) < 0)
		err = -errno;
	while (err > 0)
		err = read_answer(fd, buffer, msg->head.nlmsg_seq, answer);
	if (fd >= 0)
		close(fd);
	free(buffer);
	return err;
}

/* ---- interfaces ---- */

int netlink_device(const struct hook *hook, u32 *ifindex, struct skep_diag *diag)
{
	const char *dev = hook->dev ? hook->dev : "";
	char name[IFNAMSIZ], *end;
	unsigned long number;

	*ifindex = if_nametoindex(dev);
	if (*ifindex)
		return 0;
	number = strtoul(dev, &end, 10);
	if (end == dev || *end || number > INT32_MAX ||
	    !if_indextoname((unsigned)number, name))
		return fail(diag, NO_DEVICE, NO_PC, dev);
	*ifindex = (u32)number;
	return 0;
}
