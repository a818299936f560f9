/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links of cgroups, network namespaces, netfilter and sockets: each attach type of a
 * cgroup is taken, traffic fires what is attached, replacing and detaching work, and the
 * end of a cgroup is noticed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel.h"
#include "net.h"

enum { PORT = 4711 };

/* ---- a cgroup of the test's own ---- */

struct group {
	char path[64 + 200];
	char back[512]; /* where this process was before */
};

static bool find_cgroup2(char *path, size_t size)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char line[1024], where[200], kind[32];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %199s %31s", where, kind) == 2 &&
			!strcmp(kind, "cgroup2");
	if (f)
		fclose(f);
	snprintf(path, size, "%s", where);
	return found;
}

static bool enter(const char *cgroup)
{
	char path[400];
	int fd, ok;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool own_place(const char *root, char *place, size_t size)
{
	FILE *f = fopen("/proc/self/cgroup", "r");
	char line[300];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		found = !strncmp(line, "0::/", 4);
	}
	if (f)
		fclose(f);
	snprintf(place, size, "%s%s", root, found ? line + 3 : "");
	return found;
}

static const char *group_init(struct group *g)
{
	char root[200];

	if (!find_cgroup2(root, sizeof(root)))
		return "there is no cgroup v2 hierarchy";
	if (!own_place(root, g->back, sizeof(g->back)))
		return "this process is in no cgroup v2";
	snprintf(g->path, sizeof(g->path), "%s/skep-test-%d", root, getpid());
	if (mkdir(g->path, 0755))
		return strerror(errno);
	if (!enter(g->path)) {
		rmdir(g->path);
		return "the cgroup cannot be entered";
	}
	return NULL;
}

static void group_fini(struct group *g)
{
	enter(g->back);
	rmdir(g->path);
}

/* ---- traffic on lo ---- */

static int open_udp(u16 port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (port && bind(fd, (void *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int send_udp(int fd, u16 port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)) == 1 ? 0 : -errno;
}

static void udp_once(void)
{
	int from = open_udp(0);

	send_udp(from, PORT);
	close(from);
}

static void connect_once(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(PORT),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* nobody listens: the connection is refused, but somebody looked for a socket */
	CHECK(connect(fd, (void *)&to, sizeof(to)) && errno == ECONNREFUSED);
	close(fd);
}

static void bind_once(void)
{
	close(open_udp(PORT));
}

/* ---- the life of a link that does something when `fire` is called ---- */

static void lives(struct net *net, struct kern_link *link, struct counting c,
		  void (*fire)(void))
{
	struct kern_prog second;
	struct skep_diag diag = SKEP_DIAG_INIT;

	c.counter = 1;
	second = net_prog(net, &c);
	net_reset(net);
	fire();
	CHECK(net_count(net, 0) > 0);
	CHECK_INT(kern_link_update(link, &second, &diag), 0);
	net_reset(net);
	fire();
	CHECK(!net_count(net, 0) && net_count(net, 1) > 0);
	net_reset(net);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	fire();
	CHECK(!net_count(net, 0) && !net_count(net, 1));
	close(second.fd);
}

static struct kern_link *attach(struct net *net, const char *text, struct counting c)
{
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link = net_attach(&prog, text, &diag);

	if (!CHECK(link))
		fprintf(stderr, "\t%s: %s\n", text, diag.text);
	close(prog.fd);
	return link;
}

/* ---- cgroups ---- */

static struct kern_link *attach_old(struct net *net, const char *text, struct counting c)
{
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = NULL;
	struct attaching a = {&prog, NULL};
	struct hook hook;

	CHECK_INT(hook_parse(text, &hook, NULL), 0);
	a.hook = &hook;
	if (!CHECK_INT((hook.kind == HOOK_CGROUP ? attach_cgroup_prog
						 : attach_sockmap_prog)(&a, &link, &diag),
		       0))
		fprintf(stderr, "\t%s: %s\n", text, diag.text);
	CHECK(!link || kern_link_outlives(link));
	hook_fini(&hook);
	close(prog.fd);
	return link;
}

static const struct {
	const char *word;
	u32 prog_type, attach_type;
	void (*fire)(void);
} cgroup_traffic[] = {
	{"egress", PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS, udp_once},
	{"connect4", PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_CONNECT,
	 connect_once},
	{"sendmsg4", PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UDP4_SENDMSG, udp_once},
	{"post_bind4", PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET4_POST_BIND, bind_once},
	{"sock_create", PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET_SOCK_CREATE, bind_once},
};

static void cgroups_fire(struct net *net, const struct group *g)
{
	char text[320];

	for (u32 i = 0; i < ARRAY_SIZE(cgroup_traffic); i++) {
		struct counting c = {cgroup_traffic[i].prog_type,
				     cgroup_traffic[i].attach_type, 0, 1};
		struct kern_link *link;

		snprintf(text, sizeof(text), "cgroup:%s:%s", g->path,
			 cgroup_traffic[i].word);
		link = attach(net, text, c);
		if (link)
			lives(net, link, c, cgroup_traffic[i].fire);
		kern_link_free(link);
		link = attach_old(net, text, c);
		if (link)
			lives(net, link, c, cgroup_traffic[i].fire);
		kern_link_free(link);
	}
}

/* Whatever Linux calls an attach type of cgroups. */
static void cgroups_take_all_types(struct net *net, const struct group *g)
{
	struct skep_diag diag;
	u32 n = 0;

	for (u32 type = 0; type < ATTACH_TYPES; type++) {
		const struct abi_name *name = abi_attach_type(type);
		struct counting c = {0, type, 0, 1};
		struct kern_link *link;
		struct hook hook;
		char text[320];
		u32 unused;

		if (!name || strncmp(name->name, "cgroup_", 7) ||
		    kernel_before(name->since >> 16, name->since >> 8 & 0xff))
			continue;
		snprintf(text, sizeof(text), "cgroup:%s:%s", g->path, name->name);
		if (!CHECK_INT(hook_parse(text, &hook, &diag), 0))
			continue;
		CHECK(hook_wants(&hook, &c.type, &unused));
		hook_fini(&hook);
		link = attach(net, text, c);
		CHECK(link && kern_link_id(link));
		kern_link_free(link);
		n++;
	}
	CHECK(n >= 23);
}

/* The kernel itself says in which order the programs of a cgroup run. */
static void cgroups_have_an_order(struct net *net, const struct group *g)
{
	struct counting c = {PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS, 0, 1};
	struct kern_prog prog = net_prog(net, &c);
	u32 id = prog_id(prog.fd), ids[8] = {0};
	struct kern_link *link, *first, *before;
	char text[320];
	struct skep_diag diag;
	union bpf_attr query;
	int fd = open(g->path, O_RDONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), "cgroup:%s:egress", g->path);
	link = net_attach(&prog, text, &diag);
	snprintf(text, sizeof(text), "cgroup:%s:egress:first", g->path);
	first = attach(net, text, c);
	snprintf(text, sizeof(text), "cgroup:%s:egress:before=%u", g->path, id);
	before = attach(net, text, c);
	memset(&query, 0, sizeof(query));
	query.query.target_fd = (u32)fd;
	query.query.attach_type = ATTACH_CGROUP_INET_EGRESS;
	query.query.prog_ids = (u64)(uintptr_t)ids;
	query.query.prog_cnt = ARRAY_SIZE(ids);
	CHECK_INT(sys_bpf(BPF_PROG_QUERY, &query, sizeof(query.query)), 0);
	CHECK_INT(query.query.prog_cnt, 3);
	CHECK_INT(ids[2], id); /* what was there comes last, behind both */
	snprintf(text, sizeof(text), "cgroup:%s:egress:after=%u", g->path, 4000000000u);
	CHECK(!net_attach(&prog, text, &diag));
	CHECK_INT(diag.err, -ENOENT);
	kern_link_free(before);
	kern_link_free(first);
	kern_link_free(link);
	close(fd);
	close(prog.fd);
}

static void cgroups_end(struct net *net, const struct group *g)
{
	struct counting c = {PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS, 0, 1};
	struct kern_prog prog = net_prog(net, &c);
	struct kern_link *link, *old;
	struct skep_diag diag;
	char path[300], text[320];

	snprintf(path, sizeof(path), "%s/below", g->path);
	CHECK_INT(mkdir(path, 0755), 0);
	snprintf(text, sizeof(text), "cgroup:%s:egress", path);
	link = net_attach(&prog, text, &diag);
	old = attach_old(net, text, c);
	CHECK(link && old);
	CHECK_INT(rmdir(path), 0);
	usleep(50000); /* the kernel takes the links away in its own time */
	CHECK_INT(kern_link_update(link, &prog, &diag), -ENOLINK);
	CHECK_INT(kern_link_detach(link, &diag), 0);
	CHECK_INT(kern_link_detach(old, &diag), 0);
	kern_link_free(link);
	kern_link_free(old);
	CHECK(!net_attach(&prog, text, &diag));
	CHECK_INT(diag.err, -ENOENT);
	CHECK(!net_attach(&prog, "cgroup:/proc:egress", &diag));
	CHECK_STR(diag.text, "/proc is no folder of the cgroup v2 hierarchy");
	close(prog.fd);
}

/* A program that was loaded for another hook of a cgroup. */
static void cgroups_explain(struct net *net, const struct group *g)
{
	struct counting c = {PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET6_CONNECT, 0,
			     1};
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	char text[320], says[480];

	snprintf(text, sizeof(text), "cgroup:%s:connect4", g->path);
	snprintf(says, sizeof(says),
		 "program counts at %s: the program was loaded to be attached as "
		 "cgroup_inet6_connect, not as cgroup_inet4_connect",
		 text);
	CHECK(!net_attach(&prog, text, &diag));
	CHECK_STR(diag.text, says);
	close(prog.fd);
}

/* ---- network namespaces, netfilter ---- */

static void sk_lookup(struct net *net)
{
	struct counting c = {PROG_TYPE_SK_LOOKUP, ATTACH_SK_LOOKUP, 0, 1};
	struct kern_link *link = attach(net, "netns:/proc/self/ns/net:sk_lookup", c);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;

	if (link)
		lives(net, link, c, connect_once);
	kern_link_free(link);
	CHECK(!net_attach(&prog, "netns:no-such-name:sk_lookup", &diag));
	CHECK_INT(diag.err, -ENOENT);
	CHECK_STR(diag.text, "/run/netns/no-such-name cannot be opened: No such file or "
			     "directory");
	CHECK(!net_attach(&prog, "netns:/dev/null:sk_lookup", &diag));
	CHECK(diag.err < 0);
	close(prog.fd);
}

static void flow_dissector(struct net *net)
{
	struct counting c = {PROG_TYPE_FLOW_DISSECTOR, ATTACH_FLOW_DISSECTOR, 0, 0};
	const char *text = "netns:/proc/self/ns/net:flow_dissector";
	struct kern_link *link = attach(net, text, c);
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;

	CHECK(!net_attach(&prog, text, &diag)); /* one at a time */
	CHECK(diag.err == -E2BIG || diag.err == -EEXIST);
	CHECK_INT(kern_link_update(link, &prog, &diag), 0);
	kern_link_free(link);
	close(prog.fd);
}

static void netfilter(struct net *net)
{
	struct counting c = {PROG_TYPE_NETFILTER, ATTACH_NETFILTER, 0, 1};
	struct kern_prog prog = net_prog(net, &c);
	struct skep_diag diag;
	struct kern_link *link =
		net_attach(&prog, "netfilter:ipv4:output:priority=-5", &diag);

	if (!CHECK(link))
		fprintf(stderr, "\t%s\n", diag.text);
	net_reset(net);
	udp_once();
	CHECK(net_count(net, 0) > 0);
	CHECK(!net_attach(&prog, "netfilter:ipv4:output:priority=-5", &diag));
	CHECK_STR(diag.text, "netfilter:ipv4:output:priority=-5: another program has the "
			     "priority -5");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(kern_link_update(link, &prog, &diag), -ENOTSUP);
	CHECK_STR(diag.text, "program counts at netfilter:ipv4:output:priority=-5: the "
			     "kernel cannot replace the program of such a link");
	net_reset(net);
	CHECK_INT(kern_link_detach(link, NULL), 0);
	udp_once();
	CHECK_INT(net_count(net, 0), 0);
	kern_link_free(link);
	link = net_attach(&prog, "netfilter:ipv6:input:priority=7:defrag", &diag);
	if (!link)
		printf("netfilter with defrag: %s\n", diag.text);
	kern_link_free(link);
	close(prog.fd);
}

/* ---- sockets ---- */

static int filtered = -1;

static void fill_filtered(void)
{
	char byte;

	udp_once();
	/* what the filter let through */
	while (recv(filtered, &byte, 1, 0) == 1)
		;
}

static void socket_filters(struct net *net)
{
	struct counting takes = {PROG_TYPE_SOCKET_FILTER, 0, 0, -1};
	struct counting drops = {PROG_TYPE_SOCKET_FILTER, 0, 1, 0};
	struct kern_prog wrong =
		net_prog(net, &(struct counting){PROG_TYPE_XDP, 0, 0, 0});
	struct skep_diag diag;
	struct kern_link *link;
	char text[32], byte;

	filtered = open_udp(PORT);
	CHECK(filtered >= 0);
	snprintf(text, sizeof(text), "socket:%d", filtered);
	link = attach(net, text, takes);
	if (link)
		lives(net, link, takes, fill_filtered);
	kern_link_free(link);
	link = attach(net, text, drops);
	udp_once();
	CHECK(recv(filtered, &byte, 1, 0) < 0 && errno == EAGAIN);
	kern_link_free(link);
	udp_once();
	CHECK_INT(recv(filtered, &byte, 1, 0), 1);
	CHECK(!net_attach(&wrong, text, &diag));
	CHECK_INT(diag.err, -EINVAL);
	close(wrong.fd);
	close(filtered);
	CHECK(!net_attach(&wrong, text, &diag));
	CHECK(diag.err < 0);
}

/* A connection to ourselves; the end that sends is in the map. */
static int pair[2], sockets = -1;

static bool open_pair(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&at, &len) ||
	    connect(pair[0], (void *)&at, sizeof(at)))
		return false;
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return pair[1] >= 0;
}

/* Sockets in a map stay under the programs that it had then: they are put in anew. */
static void send_through_map(void)
{
	const u32 key = 0;
	char byte;

	CHECK(open_pair());
	CHECK_INT(sys_map_update(sockets, &key, &pair[0], 0), 0);
	CHECK_INT(send(pair[0], "x", 1, 0), 1);
	CHECK_INT(recv(pair[1], &byte, 1, 0), 1);
	sys_map_delete(sockets, &key);
	close(pair[0]);
	close(pair[1]);
}

static void sockmaps(struct net *net)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_SOCKMAP,
			       .key_size = sizeof(u32),
			       .value_size = sizeof(u32),
			       .max_entries = 1};
	struct counting c = {PROG_TYPE_SK_MSG, ATTACH_SK_MSG_VERDICT, 0, 1};
	char text[128], pin[96];
	struct kern_link *link;

	sockets = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	CHECK(sockets >= 0);
	snprintf(pin, sizeof(pin), "%s/sockets", net->folder);
	CHECK_INT(sys_pin(sockets, pin), 0);
	snprintf(text, sizeof(text), "sockmap:%s:msg_verdict", pin);
	link = attach(net, text, c);
	if (link)
		lives(net, link, c, send_through_map);
	kern_link_free(link);
	link = attach_old(net, text, c);
	if (link)
		lives(net, link, c, send_through_map);
	kern_link_free(link);
	CHECK_INT(unlink(pin), 0);
	close(sockets);
}

static void needs_rights(struct net *net, const struct group *g)
{
	const struct counting all[] = {
		{PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS, 0, 1},
		{PROG_TYPE_SK_LOOKUP, ATTACH_SK_LOOKUP, 0, 1},
		{PROG_TYPE_NETFILTER, ATTACH_NETFILTER, 0, 1},
		{PROG_TYPE_SOCKET_FILTER, 0, 0, -1},
	};
	const char *caps[] = {"CAP_NET_ADMIN", NULL, NULL, NULL};
	int udp = open_udp(0);
	char texts[4][320];

	snprintf(texts[0], sizeof(texts[0]), "cgroup:%s:egress", g->path);
	snprintf(texts[1], sizeof(texts[1]), "netns:/proc/self/ns/net:sk_lookup");
	snprintf(texts[2], sizeof(texts[2]), "netfilter:ipv4:input:priority=3");
	snprintf(texts[3], sizeof(texts[3]), "socket:%d", udp);
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct kern_prog prog = net_prog(net, &all[i]);

		if (all[i].type == PROG_TYPE_NETFILTER && kernel_before(6, 4))
			continue;

		net_needs(&prog, texts[i], caps[i]);
		close(prog.fd);
	}
	close(udp);
}

int main(void)
{
	struct net net;
	struct group group;
	const char *reason = kernel_refuses();

	if (!reason)
		reason = group_init(&group);
	if (!reason) {
		reason = net_init(&net);
		if (reason)
			group_fini(&group);
	}
	if (reason) {
		printf("skipped: %s\n", reason);
		return KERNEL_SKIP;
	}
	cgroups_fire(&net, &group);
	cgroups_take_all_types(&net, &group);
	if (!kernel_before(6, 17))
		cgroups_have_an_order(&net, &group);
	cgroups_end(&net, &group);
	cgroups_explain(&net, &group);
	sk_lookup(&net);
	flow_dissector(&net);
	if (kernel_before(6, 4))
		printf("netfilter: skipped, this kernel has no such links\n");
	else
		netfilter(&net);
	socket_filters(&net);
	sockmaps(&net);
	needs_rights(&net, &group);
	net_fini(&net);
	group_fini(&group);
	return check_report();
}
