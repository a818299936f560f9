/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A census finds what this test makes, in namespaces and a cgroup of its own: programs,
 * maps and links with what the kernel says of them, the processes and pins that hold
 * them, and every place where they are attached, with a link and without.
 */
#define _GNU_SOURCE /* unshare() */

#include "kern/census.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "btf/btf.h"
#include "check.h"
#include "kern/uapi.h"
#include "kernel.h"

#define ptr(p) ((u64)(uintptr_t)(p))

static char folder[] = "/tmp/skep-census-XXXXXX";
static char cgroup[128];

/* ---- what is counted ---- */

static int make_map(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH,
			       .key_size = 4,
			       .value_size = 24,
			       .max_entries = 77,
			       .map_flags = BPF_F_NO_PREALLOC,
			       .map_name = "census_map"};

	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Returns 1 and uses the map. */
static int make_prog(u32 type, const char *name, int map)
{
	struct {
		u8 code, regs;
		s16 off;
		s32 imm;
	} insns[] = {{0x18, 0x11, 0, map}, {0}, {0xb7, 0, 0, 1}, {0x95, 0, 0, 0}};
	union bpf_attr attr = {.prog_type = type,
			       .insns = ptr(insns),
			       .insn_cnt = ARRAY_SIZE(insns),
			       .license = ptr("GPL")};

	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	if (type == BPF_PROG_TYPE_SK_LOOKUP)
		attr.expected_attach_type = BPF_SK_LOOKUP;
	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static u32 id_of_prog(int fd)
{
	struct bpf_prog_info info = {0};

	return sys_info(fd, &info, sizeof(info)) ? 0 : info.id;
}

static u32 id_of_map(int fd)
{
	struct bpf_map_info info = {0};

	return sys_info(fd, &info, sizeof(info)) ? 0 : info.id;
}

static int link_to(int prog, u32 target, u32 attach_type, u32 flags)
{
	struct link_create_attr attr = {.prog_fd = (u32)prog,
					.target_fd = target,
					.attach_type = attach_type,
					.flags = flags};

	return sys_link_create(&attr, offsetof(struct link_create_attr, iter) + 16);
}

/* ---- questions to a census ---- */

static const struct census_prog *find_prog(const struct census *c, u32 id)
{
	for (size_t i = 0; i < c->progs.len; i++) {
		const struct census_prog *prog = vec_at(&c->progs, i);

		if (prog->id == id)
			return prog;
	}
	return NULL;
}

static const struct census_map *find_map(const struct census *c, u32 id)
{
	for (size_t i = 0; i < c->maps.len; i++) {
		const struct census_map *map = vec_at(&c->maps, i);

		if (map->id == id)
			return map;
	}
	return NULL;
}

/* How often that program is there; linked: only links, or only what has none. */
static u32 count_places(const struct census *c, u32 prog, const char *where, bool linked)
{
	u32 n = 0;

	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *place = vec_at(&c->places, i);

		n += place->prog == prog && !place->link == !linked &&
		     !strcmp(place->where, where);
	}
	return n;
}

static void show_places(const struct census *c, u32 prog)
{
	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *place = vec_at(&c->places, i);

		if (place->prog == prog)
			fprintf(stderr, "\tprogram %u, link %u: %s\n", prog, place->link,
				place->where);
	}
}

static void check_place(const struct census *c, u32 prog, const char *where, bool linked)
{
	if (!CHECK_INT(count_places(c, prog, where, linked), 1)) {
		fprintf(stderr, "\tit should be at %s\n", where);
		show_places(c, prog);
	}
	CHECK_INT(count_places(c, prog, where, !linked), 0);
}

static bool is_used(const struct census *c, enum sys_kind kind, u32 id, int pid)
{
	for (size_t i = 0; i < c->users.len; i++) {
		const struct census_user *user = vec_at(&c->users, i);

		if (user->kind == kind && user->id == id && user->pid == pid)
			return !strcmp(user->comm, "census-holder");
	}
	return false;
}

static bool is_pinned(const struct census *c, enum sys_kind kind, u32 id,
		      const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (size_t i = 0; i < c->pins.len; i++) {
		const struct census_pin *pin = vec_at(&c->pins, i);

		if (pin->kind == kind && pin->id == id && !strcmp(pin->path, path))
			return true;
	}
	return false;
}

static struct census take(void)
{
	const struct census_opts opts = {.places = true, .users = true, .pins = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct census c;

	if (!CHECK_INT(census_take(&c, &opts, &diag), 0))
		fprintf(stderr, "\t%s\n", diag.text);
	return c;
}

/* ---- tests ---- */

static void test_things(void)
{
	int map = make_map(), prog = make_prog(BPF_PROG_TYPE_XDP, "census_prog", map);
	struct census c = take();
	const struct census_prog *p = find_prog(&c, id_of_prog(prog));
	const struct census_map *m = find_map(&c, id_of_map(map));

	if (CHECK(p != NULL)) {
		CHECK_STR(p->name, "census_prog");
		CHECK_INT(p->type, BPF_PROG_TYPE_XDP);
		CHECK_INT(p->n_maps, 1);
		CHECK_INT(p->maps[0], id_of_map(map));
		CHECK(p->gpl && p->loaded_ns && p->memory && p->bytecode_len >= 32);
		CHECK_INT(p->uid, 0);
	}
	if (CHECK(m != NULL)) {
		CHECK_STR(m->name, "census_map");
		CHECK_INT(m->type, BPF_MAP_TYPE_HASH);
		CHECK_INT(m->key_size, 4);
		CHECK_INT(m->value_size, 24);
		CHECK_INT(m->max_entries, 77);
		CHECK_INT(m->flags, BPF_F_NO_PREALLOC);
		CHECK(!m->frozen && m->memory);
	}
	census_fini(&c);
	CHECK_INT(sys_map_freeze(map), 0);
	c = take();
	m = find_map(&c, id_of_map(map));
	CHECK(m && m->frozen);
	census_fini(&c);
	close(prog);
	close(map);
	c = take();
	CHECK(find_prog(&c, 0) == NULL);
	census_fini(&c);
}

static void test_many_maps(void)
{
	enum { N = 64 };
	struct {
		u8 code, regs;
		s16 off;
		s32 imm;
	} insns[2 * N + 2];
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr(insns),
			       .insn_cnt = ARRAY_SIZE(insns),
			       .license = ptr("GPL")};
	const struct census_prog *p;
	int maps[N], prog;
	struct census c;

	memset(insns, 0, sizeof(insns));
	for (int i = 0; i < N; i++) {
		maps[i] = make_map();
		insns[2 * i].code = 0x18;
		insns[2 * i].regs = 0x11;
		insns[2 * i].imm = maps[i];
	}
	insns[2 * N].code = 0xb7;
	insns[2 * N + 1].code = 0x95;
	prog = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	CHECK(prog >= 0);
	c = take();
	p = find_prog(&c, id_of_prog(prog));
	if (CHECK(p && p->n_maps == N))
		CHECK_INT(p->maps[N - 1], id_of_map(maps[N - 1]));
	census_fini(&c);
	for (int i = 0; i < N; i++)
		close(maps[i]);
	close(prog);
}

static void test_cgroups(int map)
{
	int prog = make_prog(BPF_PROG_TYPE_CGROUP_SKB, "on_cgroup", map);
	int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), link;
	u32 id = id_of_prog(prog);
	char ingress[160], egress[160];
	struct census c;

	snprintf(ingress, sizeof(ingress), "cgroup:%s:ingress", cgroup);
	snprintf(egress, sizeof(egress), "cgroup:%s:egress", cgroup);
	CHECK_INT(
		sys_prog_attach(prog, dir, BPF_CGROUP_INET_EGRESS, BPF_F_ALLOW_MULTI, -1),
		0);
	link = link_to(prog, (u32)dir, BPF_CGROUP_INET_INGRESS, 0);
	CHECK(link >= 0);
	c = take();
	check_place(&c, id, ingress, true);
	check_place(&c, id, egress, false);
	census_fini(&c);
	close(link);
	sys_prog_detach(prog, dir, BPF_CGROUP_INET_EGRESS);
	c = take();
	CHECK_INT(count_places(&c, id, ingress, true), 0);
	CHECK_INT(count_places(&c, id, egress, false), 0);
	census_fini(&c);
	close(dir);
	close(prog);
}

static void test_devices(int map)
{
	int xdp = make_prog(BPF_PROG_TYPE_XDP, "on_xdp", map);
	int tcx = make_prog(BPF_PROG_TYPE_SCHED_CLS, "on_tcx", map);
	enum { SKB_MODE = 1 << 1 };
	u32 lo = if_nametoindex("lo");
	int xdp_link = link_to(xdp, lo, BPF_XDP, SKB_MODE);
	int tcx_link = link_to(tcx, lo, ATTACH_TCX_INGRESS, 0);
	struct census c;

	CHECK(xdp_link >= 0);
	if (tcx_link >= 0)
		CHECK_INT(sys_prog_attach(tcx, (int)lo, ATTACH_TCX_EGRESS, 0, -1), 0);
	c = take();
	check_place(&c, id_of_prog(xdp), "xdp:lo", true);
	CHECK_INT(count_places(&c, id_of_prog(xdp), "xdp:lo:generic", false), 0);
	if (tcx_link >= 0) {
		check_place(&c, id_of_prog(tcx), "tcx:lo:ingress", true);
		check_place(&c, id_of_prog(tcx), "tcx:lo:egress", false);
	}
	census_fini(&c);
	close(xdp_link);
	close(tcx_link);
	sys_prog_detach(tcx, (int)lo, ATTACH_TCX_EGRESS);
	close(xdp);
	close(tcx);
}

/* As other loaders attach: over netlink. */
static void test_netlink(int map)
{
	int xdp = make_prog(BPF_PROG_TYPE_XDP, "on_xdp", map);
	int tc = make_prog(BPF_PROG_TYPE_SCHED_CLS, "on_tc", map);
	char line[256], path[256];
	struct census c;

	snprintf(path, sizeof(path), "%s/xdp", folder);
	CHECK_INT(sys_pin(xdp, path), 0);
	snprintf(path, sizeof(path), "%s/tc", folder);
	CHECK_INT(sys_pin(tc, path), 0);
	snprintf(line, sizeof(line),
		 "ip link set dev lo xdpgeneric pinned %s/xdp && "
		 "tc qdisc add dev lo clsact && "
		 "tc filter add dev lo egress prio 7 bpf direct-action pinned %s/tc",
		 folder, folder);
	if (!system(line)) {
		c = take();
		check_place(&c, id_of_prog(xdp), "xdp:lo:generic", false);
		check_place(&c, id_of_prog(tc), "tc:lo:egress:priority=7", false);
		CHECK(is_pinned(&c, SYS_PROG, id_of_prog(tc), "tc"));
		census_fini(&c);
	} else {
		printf("skipped: ip and tc are not there\n");
	}
	close(xdp);
	close(tc);
}

static void test_tracing(int map)
{
	int raw = make_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, "on_raw", map);
	int lookup = make_prog(BPF_PROG_TYPE_SK_LOOKUP, "on_lookup", map);
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int raw_link = sys_raw_tracepoint(raw, "sched_switch", 0);
	int lookup_link = link_to(lookup, (u32)netns, BPF_SK_LOOKUP, 0);
	struct census c = take();

	CHECK(raw_link >= 0 && lookup_link >= 0);
	check_place(&c, id_of_prog(raw), "raw_tracepoint:sched_switch", true);
	check_place(&c, id_of_prog(lookup), "netns:/proc/self/ns/net:sk_lookup", true);
	census_fini(&c);
	close(raw_link);
	close(lookup_link);
	close(netns);
	close(raw);
	close(lookup);
}

static void test_holders(int map)
{
	int prog = make_prog(BPF_PROG_TYPE_XDP, "held", map);
	int link = link_to(prog, if_nametoindex("lo"), BPF_XDP, 1 << 1);
	struct census_link *known = NULL;
	pid_t pid = fork();
	char path[256];
	struct census c;

	if (!pid) {
		prctl(PR_SET_NAME, "census-holder");
		pause();
		_exit(0);
	}
	usleep(50000);
	snprintf(path, sizeof(path), "%s/deep", folder);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/deep/link", folder);
	CHECK_INT(sys_pin(link, path), 0);
	snprintf(path, sizeof(path), "%s/map", folder);
	CHECK_INT(sys_pin(map, path), 0);
	c = take();
	CHECK(is_used(&c, SYS_PROG, id_of_prog(prog), pid));
	CHECK(is_used(&c, SYS_MAP, id_of_map(map), pid));
	CHECK(is_pinned(&c, SYS_MAP, id_of_map(map), "map"));
	for (size_t i = 0; i < c.links.len; i++) {
		known = vec_at(&c.links, i);
		if (known->prog == id_of_prog(prog))
			break;
	}
	if (CHECK(known && known->prog == id_of_prog(prog))) {
		CHECK_STR(census_link_type(known->type), "xdp");
		CHECK(is_used(&c, SYS_LINK, known->id, pid));
		CHECK(is_pinned(&c, SYS_LINK, known->id, "deep/link"));
	}
	census_fini(&c);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	c = take();
	CHECK(!is_used(&c, SYS_PROG, id_of_prog(prog), pid));
	census_fini(&c);
	close(link);
	close(prog);
}

static void test_types(void)
{
	struct arena a = ARENA_INIT;
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct btf *btf;

	if (CHECK_INT(census_btf(&a, 1, &btf, &diag), 0))
		CHECK(btf_find(btf, "task_struct", BTF_STRUCT) != 0);
	CHECK_INT(census_btf(&a, 0x7ffffff0, &btf, &diag), -ENOENT);
	arena_fini(&a);
}

static bool make_cgroup(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

	for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
		struct stat st;

		snprintf(cgroup, sizeof(cgroup), "%s/cgroup.procs", roots[i]);
		if (stat(cgroup, &st))
			continue;
		snprintf(cgroup, sizeof(cgroup), "%s/skep-census-%d", roots[i], getpid());
		if (!mkdir(cgroup, 0755))
			return true;
	}
	return false;
}

/* Namespaces of its own: what is pinned and attached goes with the process. */
static bool go_private(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, 0) || !mkdtemp(folder) ||
	    mount("bpf", folder, "bpf", 0, NULL))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return true;
}

static void test_all(void)
{
	int map = make_map();

	test_things();
	test_many_maps();
	test_tracing(map);
	test_devices(map);
	test_netlink(map);
	test_types();
	if (make_cgroup()) {
		test_cgroups(map);
		rmdir(cgroup);
	}
	close(map);
}

static void test_pins_and_holders(void)
{
	int map = make_map();

	test_holders(map);
	close(map);
}

int main(void)
{
	const char *refused = kernel_refuses();

	if (refused || geteuid() || !go_private()) {
		printf("skipped: %s\n", refused ? refused : "not as root");
		return KERNEL_SKIP;
	}
	test_pins_and_holders();
	umount2(folder, MNT_DETACH);
	CHECK_INT(mount("bpf", folder, "bpf", 0, NULL), 0);
	test_all();
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return check_report();
}
