/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links on interfaces: traffic fires them, they are replaced without losing a packet, and
 * they end when they should: with detach, with the process, with the interface, and not
 * when they are pinned.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel.h"
#include "net.h"

static struct counting counts_xdp(u32 counter)
{
	return (struct counting){PROG_TYPE_XDP, ATTACH_XDP, counter, 1 /* XDP_DROP */};
}

static struct counting counts_tc(u32 counter, s32 returns)
{
	return (struct counting){PROG_TYPE_SCHED_CLS, 0, counter, returns};
}

/* ---- replaced under load ---- */

struct load {
	_Atomic u32 stop, sent, failed; /* shared with the process that sends */
};

/* In bursts that every queue holds; each is waited for (10 s at most, all in all). */
static void send_in_bursts(const struct net *net, struct load *load)
{
	enum { BURST = 64, TRIES = 5000 };
	const struct timespec nap = {.tv_nsec = 1000};
	u32 tries = 0;

	check_failed = 0;
	while (!load->stop && tries < TRIES) {
		net_send(net, BURST);
		load->sent += BURST;
		for (tries = 0; tries < TRIES; tries++) {
			if (net_count(net, 0) + net_count(net, 1) >= load->sent)
				break;
			nanosleep(&nap, NULL);
		}
	}
	load->failed = check_failed || tries == TRIES;
}

static bool have_both(const struct net *net)
{
	return net_count(net, 0) > 500 && net_count(net, 1) > 500;
}

/* Two programs take turns while packets arrive: each packet meets exactly one. */
static void replaces(struct net *net, struct kern_link *link, const struct kern_prog *a,
		     const struct kern_prog *b)
{
	struct load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct skep_diag diag = SKEP_DIAG_INIT;
	pid_t pid;

	net_reset(net);
	pid = fork();
	if (!pid) {
		send_in_bursts(net, load);
		_exit(0);
	}
	for (u32 turn = 0; turn < 20 || !have_both(net); turn++) {
		if (!CHECK_INT(kern_link_update(link, turn % 2 ? a : b, &diag), 0))
			break;
		if (load->failed)
			break;
	}
	load->stop = 1;
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(!load->failed);
	CHECK_INT(net_count(net, 0) + net_count(net, 1), load->sent);
	munmap(load, sizeof(*load));
}

/* Attached, replaced, detached; packets are sent on v0. */
static void lives(struct net *net, struct kern_link *link, struct counting c)
{
	struct kern_prog first = net_prog(net, &c), second;
	struct skep_diag diag = SKEP_DIAG_INIT;

	c.counter = 1;
	second = net_prog(net, &c);
	net_reset(net);
	net_send(net, 10);
	CHECK_INT(net_wait(net, 0, 10), 10);
	CHECK_INT(kern_link_update(link, &second, &diag), 0);
	net_send(net, 10);
	CHECK_INT(net_wait(net, 1, 10), 10);
	CHECK_INT(net_count(net, 0), 10);
	replaces(net, link, &first, &second);
	net_reset(net);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	net_send(net, 10);
	usleep(20000);
	CHECK_INT(net_count(net, 0) + net_count(net, 1), 0);
	CHECK_INT(kern_link_update(link, &first, &diag), -ENOLINK);
	close(first.fd);
	close(second.fd);
}

static void lives_at(struct net *net, const char *text, struct counting c)
{
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, text, &diag);

	close(prog.fd); /* the link holds it */
	if (!CHECK(link)) {
		fprintf(stderr, "\t%s: %s\n", text, diag.text);
		return;
	}
	lives(net, link, c);
	kern_link_free(link);
}

/* The older way, which this kernel would not choose. */
static struct kern_link *attach_as(attach_fn *fn, const struct kern_prog *prog,
				   const char *text)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = NULL;
	struct attaching a = {prog, NULL};
	struct hook hook;

	CHECK_INT(hook_parse(text, &hook, NULL), 0);
	a.hook = &hook;
	if (!CHECK_INT(fn(&a, &link, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", text, diag.text);
	hook_fini(&hook);
	return link;
}

/* ---- XDP ---- */

static void xdp_is_alone(struct net *net)
{
	const struct counting c = counts_xdp(0);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "xdp:v1", &diag);
	char says[200];

	CHECK(link && !kern_link_outlives(link) && kern_link_id(link));
	CHECK(!net_attach(&prog, "xdp:v1:generic", &diag));
	CHECK_INT(diag.err, -EBUSY);
	snprintf(says, sizeof(says),
		 "xdp:v1:generic: program %u is there already, and Linux runs one XDP "
		 "program on an interface",
		 prog_id(prog.fd));
	CHECK_STR(diag.text, says);
	kern_link_free(link);
	link = net_attach(&prog, "xdp:v1:generic", &diag);
	CHECK(link);
	kern_link_free(link);
	CHECK(!net_attach(&prog, "xdp:v1:offload", &diag));
	CHECK_INT(diag.err, -EOPNOTSUPP);
	close(prog.fd);
}

static void xdp_by_netlink(struct net *net)
{
	const struct counting c = counts_xdp(0);
	struct kern_prog prog = net_prog(net, &c);
	struct kern_link *link = attach_as(attach_xdp_netlink, &prog, "xdp:v1"), *other;
	struct skep_diag diag = SKEP_DIAG_INIT;

	if (link) {
		CHECK(kern_link_outlives(link) && kern_link_fd(link) == -1);
		CHECK_INT(kern_link_pin(link, net->folder, &diag), -ENOTSUP);
		CHECK(!net_attach(&prog, "xdp:v1", &diag));
		CHECK_INT(diag.err, -EBUSY);
		lives(net, link, c);
		kern_link_free(link);
	}
	/* freeing detaches, but never what somebody else has put there since */
	link = attach_as(attach_xdp_netlink, &prog, "xdp:v1:generic");
	kern_link_free(link);
	other = net_attach(&prog, "xdp:v1:generic", &diag);
	CHECK(other);
	kern_link_free(other);
	close(prog.fd);
}

/* ---- TC ---- */

enum { NEXT = -1, OK = 0, SHOT = 2 };

static bool comes_first(struct net *net, const char *text)
{
	const struct counting c = counts_tc(2, NEXT);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, text, &diag);
	u64 before = net_count(net, 1);

	CHECK(link);
	net_reset(net);
	net_send(net, 1);
	before = net_wait(net, 1, 1);
	CHECK_INT(before, 1);
	kern_link_free(link);
	close(prog.fd);
	return net_count(net, 2) == 1;
}

/* The second of the programs ends the run: what comes behind it sees nothing. */
static void tcx_has_an_order(struct net *net)
{
	const struct counting counts = counts_tc(1, SHOT);
	struct kern_prog prog = net_prog(net, &counts);
	u32 id = prog_id(prog.fd);
	char text[64], says[160];
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "tcx:v1:ingress", &diag);

	CHECK(link && id);
	CHECK(!comes_first(net, "tcx:v1:ingress"));
	CHECK(!comes_first(net, "tcx:v1:ingress:last"));
	CHECK(comes_first(net, "tcx:v1:ingress:first"));
	snprintf(text, sizeof(text), "tcx:v1:ingress:before=%u", id);
	CHECK(comes_first(net, text));
	snprintf(text, sizeof(text), "tcx:v1:ingress:after=%u", id);
	CHECK(!comes_first(net, text));
	CHECK(!net_attach(&prog, "tcx:v1:ingress", &diag));
	CHECK_STR(diag.text, "tcx:v1:ingress: program counts is attached there already");
	snprintf(text, sizeof(text), "tcx:v0:egress:after=%u", id);
	snprintf(says, sizeof(says), "%s: program %u is not attached there", text, id);
	CHECK(!net_attach(&prog, text, &diag));
	CHECK_STR(diag.text, says);
	kern_link_free(link);
	close(prog.fd);
}

static void tc_has_filters(struct net *net)
{
	const struct counting ends = counts_tc(0, SHOT), goes_on = counts_tc(1, NEXT);
	struct kern_prog last = net_prog(net, &ends), early = net_prog(net, &goes_on);
	struct skep_diag diag;
	struct kern_link *a = net_attach(&last, "tc:v1:ingress:priority=20", &diag);
	struct kern_link *b = net_attach(&early, "tc:v1:ingress:priority=10", &diag);

	CHECK(a && b && kern_link_outlives(a));
	net_reset(net);
	net_send(net, 3);
	CHECK_INT(net_wait(net, 0, 3), 3);
	CHECK_INT(net_count(net, 1), 3);
	kern_link_free(a);
	net_send(net, 3);
	CHECK_INT(net_wait(net, 1, 6), 6);
	CHECK_INT(net_count(net, 0), 3);
	kern_link_free(b);
	close(early.fd);
	close(last.fd);
}

static int change_qdisc(u16 type, const char *kind)
{
	const struct tcmsg body = {.tcm_family = AF_UNSPEC,
				   .tcm_ifindex = (int)if_nametoindex("v1"),
				   .tcm_handle = 0xffff0000,
				   .tcm_parent = 0xfffffff1};
	struct netlink_answer answer = {0};
	struct netlink_msg msg;

	netlink_init(&msg, type, &body, sizeof(body));
	if (type == RTM_NEWQDISC)
		msg.head.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	netlink_put(&msg, TCA_KIND, kind, strlen(kind) + 1);
	return netlink_call(&msg, &answer);
}

/* Somebody else's qdisc, and somebody who takes ours away. */
static void tc_is_not_ours_alone(struct net *net)
{
	const struct counting c = counts_tc(0, OK);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "tc:v1:egress", &diag);
	CHECK(link);
	CHECK_INT(change_qdisc(RTM_DELQDISC, "clsact"), 0);
	CHECK_INT(kern_link_update(link, &prog, &diag), -ENOLINK);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	kern_link_free(link);
	CHECK_INT(change_qdisc(RTM_NEWQDISC, "ingress"), 0);
	CHECK(!net_attach(&prog, "tc:v1:egress", &diag));
	CHECK_INT(diag.err, -EBUSY);
	CHECK_STR(diag.text, "interface v1 has a qdisc \"ingress\" in the place of "
			     "clsact, which has no egress");
	link = net_attach(&prog, "tc:v1:ingress", &diag);
	CHECK(link);
	kern_link_free(link);
	CHECK_INT(change_qdisc(RTM_DELQDISC, "ingress"), 0);
	close(prog.fd);
}

static void netkit(struct net *net)
{
	const struct counting c = counts_tc(0, NEXT);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link;

	if (net_add_link("netkit", "nk0", NULL)) {
		printf("netkit: skipped, this kernel has no such interfaces\n");
		/* and an interface of another kind says so */
		CHECK(!net_attach(&prog, "netkit:v1:primary", &diag));
	} else {
		link = net_attach(&prog, "netkit:nk0:primary:first", &diag);
		CHECK(link);
		kern_link_free(link);
		net_delete_link("nk0");
	}
	close(prog.fd);
}

/* ---- how long they live ---- */

static void dies_with_the_process(struct net *net)
{
	const struct counting c = counts_xdp(0);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link;
	int pipes[2], status;
	u32 id = 0;
	pid_t pid;

	CHECK_INT(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		link = net_attach(&prog, "xdp:v1", &diag);
		id = link ? kern_link_id(link) : 0;
		if (write(pipes[1], &id, sizeof(id)) != sizeof(id))
			_exit(1);
		for (;;)
			pause();
	}
	CHECK_INT(read(pipes[0], &id, sizeof(id)), sizeof(id));
	CHECK(id && !net_attach(&prog, "xdp:v1", &diag));
	CHECK_INT(kill(pid, SIGKILL), 0);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(kern_link_open_id(id, &link, &diag), -ENOENT);
	link = net_attach(&prog, "xdp:v1", &diag);
	CHECK(link);
	kern_link_free(link);
	close(pipes[0]);
	close(pipes[1]);
	close(prog.fd);
}

static void stays_where_pinned(struct net *net)
{
	const struct counting c = counts_xdp(0);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "xdp:v1", &diag);
	char path[128];
	struct stat st;
	u32 id;

	CHECK(link);
	id = kern_link_id(link);
	snprintf(path, sizeof(path), "%s/a/b//link", net->folder);
	CHECK_INT(kern_link_pin(link, path, &diag), 0);
	kern_link_free(link);
	net_reset(net);
	net_send(net, 5);
	CHECK_INT(net_wait(net, 0, 5), 5);

	CHECK_INT(kern_link_open_pinned(path, &link, &diag), 0);
	CHECK_INT(kern_link_id(link), id);
	CHECK_INT(kern_link_update(link, &prog, &diag), 0);
	kern_link_free(link);
	net_send(net, 5);
	CHECK_INT(net_wait(net, 0, 10), 10);

	CHECK_INT(kern_link_open_id(id, &link, &diag), 0);
	kern_link_free(link);
	CHECK_INT(kern_link_open_pinned(path, &link, &diag), 0);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	CHECK(stat(path, &st) && errno == ENOENT);
	kern_link_free(link);
	net_send(net, 5);
	usleep(20000);
	CHECK_INT(net_count(net, 0), 10);
	CHECK_INT(kern_link_open_id(id, &link, &diag), -ENOENT);
	close(prog.fd);
}

/* A pin is taken away only where it still is this link's. */
static void leaves_others_pins(struct net *net)
{
	const struct counting c = counts_tc(0, NEXT);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "tcx:v1:ingress", &diag), *other;
	char path[128];

	snprintf(path, sizeof(path), "%s/pin", net->folder);
	CHECK_INT(kern_link_pin(link, path, &diag), 0);
	other = net_attach(&prog, "tcx:v1:egress", &diag);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(kern_link_pin(other, path, &diag), 0);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	kern_link_free(link);
	CHECK_INT(kern_link_open_pinned(path, &link, &diag), 0);
	kern_link_free(link);
	CHECK_INT(kern_link_detach(other, &diag), 0);
	kern_link_free(other);
	close(prog.fd);
}

static void refuses_pins(struct net *net)
{
	const struct counting c = counts_tc(0, NEXT);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, "tcx:v1:ingress", &diag), *other;
	char path[128], says[300];

	CHECK_INT(kern_link_pin(link, "/proc/self/no/link", &diag), -EPERM);
	CHECK_STR(diag.text, "program counts at tcx:v1:ingress: /proc/self/no/link is in "
			     "no BPF file system");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(kern_link_pin(link, "", &diag), -EPERM);
	snprintf(path, sizeof(path), "%s/map", net->folder);
	CHECK_INT(sys_pin(net->map, path), 0);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(kern_link_pin(link, path, &diag), -EEXIST);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(kern_link_open_pinned(path, &other, &diag), -EINVAL);
	snprintf(says, sizeof(says), "what is pinned at %s is no link", path);
	CHECK_STR(diag.text, says);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(sys_pin(prog.fd, path), 0);
	CHECK_INT(kern_link_open_pinned(path, &other, &diag), -EINVAL);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(kern_link_open_pinned(path, &other, &diag), -ENOENT);
	/* nothing of that kept it */
	kern_link_free(link);
	link = net_attach(&prog, "tcx:v1:ingress", &diag);
	CHECK(link);
	kern_link_free(link);
	close(prog.fd);
}

/* All kinds on one interface, which goes away under them. */
static void survives_the_interface(struct net *net)
{
	const struct counting xdp = counts_xdp(0), tc = counts_tc(0, NEXT);
	struct kern_prog of_xdp = net_prog(net, &xdp), of_tc = net_prog(net, &tc);
	struct skep_diag diag;
	struct kern_link *links[] = {
		net_attach(&of_xdp, "xdp:v1", &diag),
		attach_as(attach_xdp_netlink, &of_xdp, "xdp:v0"),
		net_attach(&of_tc, "tcx:v1:ingress", &diag),
		net_attach(&of_tc, "tc:v1:ingress", &diag),
	};

	CHECK_INT(net_delete_link("v0"), 0);
	for (u32 i = 0; i < ARRAY_SIZE(links); i++) {
		const struct kern_prog *prog = i < 2 ? &of_xdp : &of_tc;
		int err;

		if (!CHECK(links[i]))
			continue;
		err = kern_link_update(links[i], prog, &diag);
		CHECK(err == -ENOLINK || err == -ENODEV);
		CHECK_INT(kern_link_detach(links[i], &diag), 0);
		kern_link_free(links[i]);
	}
	close(of_xdp.fd);
	close(of_tc.fd);
	close(net->packets);
	net_add_veth(net);
}

/* ---- what is wrong with the question ---- */

static void explains(struct net *net)
{
	const struct counting c = counts_tc(0, NEXT),
			      for_cpus = {PROG_TYPE_XDP, ATTACH_XDP_CPUMAP, 0, 2};
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;

	CHECK(!net_attach(&prog, "xdp:v1", &diag));
	CHECK_INT(diag.err, -EINVAL);
	CHECK_STR(diag.text, "program counts of type sched_cls cannot be attached at "
			     "xdp:v1, which takes type xdp");
	close(prog.fd);
	prog = net_prog(net, &for_cpus);
	CHECK(!net_attach(&prog, "xdp:v1", &diag));
	CHECK_INT(diag.err, -EINVAL);
	CHECK(strstr(diag.text, "CPUMAP") || strstr(diag.text, "xdp_cpumap"));
	close(prog.fd);
	prog = net_prog(net, &c);
	CHECK(!net_attach(&prog, "tcx:nosuchdev:ingress", &diag));
	CHECK_INT(diag.err, -ENODEV);
	CHECK_STR(diag.text, "there is no interface \"nosuchdev\"");
	CHECK(!net_attach(&prog, "tc:2000000000:ingress", &diag));
	CHECK_INT(diag.err, -ENODEV);
	close(prog.fd);
	prog.fd = -1;
	CHECK(!net_attach(&prog, "tcx:v1:ingress", &diag));
	CHECK_INT(diag.err, -EBADF);
	CHECK(!net_attach(&prog, "tc:v1:ingress", &diag));
	CHECK(diag.err < 0);
}

static void set_mtu(const char *dev, int mtu)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {.ifr_mtu = mtu};

	snprintf(req.ifr_name, IFNAMSIZ, "%s", dev);
	CHECK_INT(ioctl(fd, SIOCSIFMTU, &req), 0);
	close(fd);
}

/* What the driver says comes to the user, though bpf(2) does not tell. */
static void tells_the_drivers_words(struct net *net)
{
	const struct counting c = counts_xdp(0);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link;

	set_mtu("v0", 9000);
	CHECK(!net_attach(&prog, "xdp:v1:native", &diag));
	CHECK(strstr(diag.text, "MTU"));
	CHECK(!strncmp(diag.text, "xdp:v1:native: ", 15));
	CHECK(!net_attach(&prog, "xdp:lo:native", &diag));
	CHECK_INT(diag.err, -EOPNOTSUPP);
	CHECK(strstr(diag.text, "native"));
	set_mtu("v0", 1500);
	/* asking has left nothing behind */
	link = net_attach(&prog, "xdp:v1:native", &diag);
	CHECK(link);
	kern_link_free(link);
	link = net_attach(&prog, "xdp:lo:generic", &diag);
	CHECK(link);
	kern_link_free(link);
	close(prog.fd);
}

/* Links need none beyond those that loading took: who has the program may attach it. */
static void needs_rights(struct net *net)
{
	const struct counting tc = counts_tc(0, NEXT), xdp = counts_xdp(0);
	struct kern_prog of_tc = net_prog(net, &tc), of_xdp = net_prog(net, &xdp);

	net_needs(&of_xdp, "xdp:v1", NULL);
	net_needs(&of_tc, "tcx:v1:ingress", kernel_before(6, 6) ? "CAP_NET_ADMIN" : NULL);
	net_needs(&of_tc, "tc:v1:ingress", "CAP_NET_ADMIN");
	close(of_tc.fd);
	close(of_xdp.fd);
}

/* Linux patches its own code when XDP programs change, and an emulator of several CPUs
 * does not always keep up with that: there, everything happens on one. */
static void stay_on_one_cpu(void)
{
	cpu_set_t one;
	char line[256];
	bool emulated = false;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		emulated |= strstr(line, "QEMU TCG") != NULL;
	if (f)
		fclose(f);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (emulated)
		CHECK_INT(sched_setaffinity(0, sizeof(one), &one), 0);
}

int main(void)
{
	struct net net;
	const char *reason = kernel_refuses();

	stay_on_one_cpu();
	if (!reason)
		reason = net_init(&net);
	if (reason) {
		printf("skipped: %s\n", reason);
		return KERNEL_SKIP;
	}
	lives_at(&net, "xdp:v1", counts_xdp(0));
	lives_at(&net, "xdp:v1:native", counts_xdp(0));
	lives_at(&net, "xdp:v1:generic", counts_xdp(0));
	lives_at(&net, "tcx:v1:ingress", counts_tc(0, SHOT));
	if (!kernel_before(6, 6)) {
		lives_at(&net, "tcx:v0:egress:first", counts_tc(0, OK));
		tcx_has_an_order(&net);
		leaves_others_pins(&net);
		refuses_pins(&net);
	}
	lives_at(&net, "tc:v1:ingress", counts_tc(0, SHOT));
	lives_at(&net, "tc:v0:egress:priority=7", counts_tc(0, OK));
	xdp_is_alone(&net);
	xdp_by_netlink(&net);
	tells_the_drivers_words(&net);
	tc_has_filters(&net);
	tc_is_not_ours_alone(&net);
	netkit(&net);
	dies_with_the_process(&net);
	stays_where_pinned(&net);
	survives_the_interface(&net);
	explains(&net);
	needs_rights(&net);
	net_fini(&net);
	return check_report();
}
