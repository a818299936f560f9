/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network of the test's own, and programs that count: everything lives in a network
 * and a mount namespace that die with the process.  Tests of links include this.
 */
#ifndef SKEP_TESTS_KERN_NET_H
#define SKEP_TESTS_KERN_NET_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "check.h"
#include "kern/attach.h"
#include "kern/netlink.h"
#include "kern/refused.h"
#include "kern/sys.h"

enum { COUNTERS = 8 };

struct net {
	char folder[64]; /* a bpffs is mounted on it */
	int map;         /* of counters: what programs count in */
	int packets;     /* a raw socket on v0 */
	u32 open_fds;    /* when all that was there */
};

/* ---- counters ---- */

static inline u64 net_count(const struct net *net, u32 counter)
{
	u64 values[COUNTERS] = {0};
	u32 key = 0;

	if (sys_map_lookup(net->map, &key, values, 0))
		return UINT64_MAX;
	return values[counter];
}

static inline void net_reset(const struct net *net)
{
	const u64 values[COUNTERS] = {0};
	const u32 key = 0;

	CHECK_INT(sys_map_update(net->map, &key, values, 0), 0);
}

/* A program that adds 1 to a counter and returns a value. */
struct counting {
	u32 type, attach_type, counter;
	s32 returns;
};

static inline int net_load(const struct net *net, const struct counting *c)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = net->map},
		{.imm = (s32)(c->counter * sizeof(u64))},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = 2,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = c->returns},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = c->type,
		.expected_attach_type = c->attach_type,
		.insns = (u64)(uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (u64)(uintptr_t) "GPL",
		.prog_name = "counts",
	};

	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static inline struct kern_prog net_prog(const struct net *net, const struct counting *c)
{
	return (struct kern_prog){.fd = net_load(net, c),
				  .type = c->type,
				  .attach_type = c->attach_type,
				  .name = "counts"};
}

/* Attaches what a text says; NULL: it failed, as diag tells. */
static inline struct kern_link *net_attach(const struct kern_prog *prog, const char *text,
					   struct skep_diag *diag)
{
	struct kern_link *link = NULL;
	struct hook hook;
	int err;

	*diag = (struct skep_diag)SKEP_DIAG_INIT;
	err = hook_parse(text, &hook, diag);
	if (!err)
		err = kern_attach(prog, &hook, &link, diag);
	CHECK(!err == !!link);
	if (err)
		CHECK_INT(diag->err, err);
	hook_fini(&hook);
	return link;
}

/* A process without any capability is told which one is missing; NULL: none is. */
static inline void net_needs(const struct kern_prog *prog, const char *text,
			     const char *cap)
{
	struct skep_diag diag;
	char says[1536];
	int status = -1;
	pid_t pid = fork();

	if (pid) {
		CHECK_INT(waitpid(pid, &status, 0), pid);
		if (!CHECK_INT(status, 0))
			fprintf(stderr, "	%s\n", text);
		return;
	}
	check_failed = 0;
	CHECK_INT(kern_keep_caps(0), 0);
	CHECK_INT(!net_attach(prog, text, &diag), cap != NULL);
	snprintf(says, sizeof(says),
		 "program counts at %s: this needs %s, which this process does not have",
		 text, cap ? cap : "");
	if (cap)
		CHECK_STR(diag.text, says);
	_exit(check_failed != 0);
}

/* Waits (2 s) until a counter has a value; what it has then. */
static inline u64 net_wait(const struct net *net, u32 counter, u64 want)
{
	const struct timespec nap = {.tv_nsec = 1000000};

	for (u32 i = 0; i < 2000 && net_count(net, counter) < want; i++)
		nanosleep(&nap, NULL);
	return net_count(net, counter);
}

/* ---- interfaces ---- */

static inline int net_up(const char *dev)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ifreq req = {.ifr_flags = IFF_UP};

	snprintf(req.ifr_name, IFNAMSIZ, "%s", dev);
	err = ioctl(fd, SIOCSIFFLAGS, &req) ? -errno : 0;
	close(fd);
	return err;
}

/* The other end must be up, too, and the kernel must have noticed. */
static inline bool net_runs(const char *dev)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {0};

	snprintf(req.ifr_name, IFNAMSIZ, "%s", dev);
	for (u32 i = 0; i < 1000 && !(req.ifr_flags & IFF_RUNNING); i++) {
		nanosleep(&nap, NULL);
		if (ioctl(fd, SIOCGIFFLAGS, &req))
			break;
	}
	close(fd);
	return req.ifr_flags & IFF_RUNNING;
}

/* kind "veth" with a peer, or another kind without one. */
static inline int net_add_link(const char *kind, const char *name, const char *peer)
{
	const struct ifinfomsg body = {0};
	struct netlink_answer answer = {0};
	struct rtattr *info, *data, *other;
	struct netlink_msg msg;

	netlink_init(&msg, RTM_NEWLINK, &body, sizeof(body));
	msg.head.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	netlink_put(&msg, IFLA_IFNAME, name, strlen(name) + 1);
	info = netlink_nest(&msg, IFLA_LINKINFO);
	netlink_put(&msg, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (peer) {
		data = netlink_nest(&msg, IFLA_INFO_DATA);
		other = (void *)((u8 *)&msg + msg.head.nlmsg_len);
		netlink_put(&msg, VETH_INFO_PEER, &body, sizeof(body));
		netlink_put(&msg, IFLA_IFNAME, peer, strlen(peer) + 1);
		netlink_nest_end(&msg, other);
		netlink_nest_end(&msg, data);
	}
	netlink_nest_end(&msg, info);
	return netlink_call(&msg, &answer);
}

static inline int net_delete_link(const char *name)
{
	const struct ifinfomsg body = {.ifi_index = (int)if_nametoindex(name)};
	struct netlink_answer answer = {0};
	struct netlink_msg msg;

	netlink_init(&msg, RTM_DELLINK, &body, sizeof(body));
	return netlink_call(&msg, &answer);
}

/* A raw socket that sends from v0 to v1. */
static inline int net_open_packets(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex("v0")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (bind(fd, (void *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void net_send(const struct net *net, u32 n)
{
	/* a type for local experiments; nobody answers */
	static const u8 frame[64] = {0xff, 0xff, 0xff,        0xff,
				     0xff, 0xff, [12] = 0x88, 0xb5};

	for (u32 i = 0; i < n; i++)
		CHECK_INT(send(net->packets, frame, sizeof(frame), 0), sizeof(frame));
}

/* The kernel has words of its own on an interface that is new: they are not counted. */
static inline void net_silence(const char *dev)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", dev);
	f = fopen(path, "w");
	if (f) {
		fputs("1", f);
		fclose(f);
	}
}

static inline void net_add_veth(struct net *net)
{
	CHECK_INT(net_add_link("veth", "v0", "v1"), 0);
	net_silence("v0");
	net_silence("v1");
	CHECK_INT(net_up("v0"), 0);
	CHECK_INT(net_up("v1"), 0);
	CHECK(net_runs("v0") && net_runs("v1"));
	net->packets = net_open_packets();
	CHECK(net->packets >= 0);
}

/* ---- the whole ---- */

/* What links and failures leave open is a leak. */
static inline u32 net_open_fds(void)
{
	DIR *fds = opendir("/proc/self/fd");
	u32 n = 0;

	while (fds && readdir(fds))
		n++;
	if (fds)
		closedir(fds);
	return n;
}

static inline const char *net_init(struct net *net)
{
	const char *reason = NULL;
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(u32),
		.value_size = COUNTERS * sizeof(u64),
		.max_entries = 1,
	};

	*net = (struct net){.folder = "/tmp/skep-links-XXXXXX"};
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return strerror(errno);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || !mkdtemp(net->folder))
		return strerror(errno);
	if (mount("bpf", net->folder, "bpf", 0, NULL)) {
		reason = strerror(errno);
		rmdir(net->folder);
		return reason;
	}
	net->map = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	CHECK(net->map >= 0);
	CHECK_INT(net_up("lo"), 0);
	net_add_veth(net);
	net->open_fds = net_open_fds();
	return NULL;
}

static inline void net_fini(struct net *net)
{
	CHECK_INT(net_open_fds(), net->open_fds);
	close(net->map);
	close(net->packets);
	umount2(net->folder, MNT_DETACH);
	rmdir(net->folder);
}

#endif
