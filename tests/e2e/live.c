/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cases about the running kernel are run in.
 *
 *	live COMMAND...			in namespaces of its own, with maps and a program
 *					of its own pinned below $PINS; $AS is the other
 *form: live --as CAPS COMMAND...	as a user who is not root and has these
 *					capabilities only: "bpf,net_admin", "none"
 *
 * Everything is gone when COMMAND ends.
 */
#define _GNU_SOURCE /* unshare() */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "btf/writer.h"
#include "kern/sys.h"
#include "kern/uapi.h"
#include "kernel.h"

#define ptr(p) ((u64)(uintptr_t)(p))

enum { NOBODY = 65534 };

static char pins[] = "/tmp/skep-live-XXXXXX";

/* ---- another user ---- */

static const struct {
	const char *name;
	u32 cap;
} caps[] = {
	{"bpf", CAP_BPF},
	{"perfmon", CAP_PERFMON},
	{"net_admin", CAP_NET_ADMIN},
	{"sys_admin", CAP_SYS_ADMIN},
	{"sys_ptrace", CAP_SYS_PTRACE},
	{"dac_read_search", CAP_DAC_READ_SEARCH},
};

static u64 caps_of(char *names)
{
	u64 bits = 0;

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		for (u32 i = 0; i < ARRAY_SIZE(caps); i++)
			bits |= strcmp(name, caps[i].name) ? 0 : 1ull << caps[i].cap;
	}
	return bits;
}

static int run_as(char *names, char **command)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	u64 bits = caps_of(names);
	struct __user_cap_data_struct data[2];

	for (u32 i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable =
			(u32)(bits >> 32 * i);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capset, &header, data))
		return 1;
	for (u32 i = 0; i < ARRAY_SIZE(caps); i++) {
		if (bits & 1ull << caps[i].cap &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, caps[i].cap, 0, 0))
			return 1;
	}
	execvp(command[0], command);
	return 1;
}

/* ---- maps ---- */

struct types {
	int fd;
	u32 number, wide, stats, prefix, section;
};

static void put_members(struct btf_writer *w, const char *a, u32 a_type, const char *b,
			u32 b_type, u32 b_offset)
{
	struct btf_member first = {.name = a, .type = a_type};
	struct btf_member second = {.name = b, .type = b_type, .bit_offset = b_offset};

	btf_put_member(w, &first);
	btf_put_member(w, &second);
}

static struct types make_types(void)
{
	struct text bytes = TEXT_INIT;
	struct types t = {.fd = -1};
	union bpf_attr attr = {0};
	struct btf_writer w;
	u32 byte, octets, rate, limit;

	btf_writer_init(&w, NULL, host_is_big_endian());
	t.number = btf_add_int(&w, "unsigned int", 4, 0);
	t.wide = btf_add_int(&w, "unsigned long long", 8, 0);
	byte = btf_add_int(&w, "unsigned char", 1, 0);
	octets = btf_add_array(&w, byte, t.number, 4);
	t.stats = btf_add_composite(&w, BTF_STRUCT, "stats", 16);
	put_members(&w, "packets", t.wide, "bytes", t.wide, 64);
	t.prefix = btf_add_composite(&w, BTF_STRUCT, "prefix", 8);
	put_members(&w, "len", t.number, "address", octets, 32);
	rate = btf_add_var(&w, "rate", t.number, BTF_GLOBAL);
	limit = btf_add_var(&w, "limit", t.wide, BTF_GLOBAL);
	t.section = btf_add_section(&w, ".data", 16);
	btf_put_secvar(&w, rate, 0, 4);
	btf_put_secvar(&w, limit, 8, 8);
	if (!btf_writer_finish(&w, &bytes, NULL)) {
		attr.btf = ptr(bytes.s);
		attr.btf_size = (u32)bytes.len;
		t.fd = sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	}
	btf_writer_fini(&w);
	text_fini(&bytes);
	return t;
}

static int make_map(union bpf_attr attr, const char *name, const char *pin)
{
	char path[128];
	int fd;

	snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
	fd = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	snprintf(path, sizeof(path), "%s/%s", pins, pin);
	if (fd < 0 || sys_pin(fd, path)) {
		fprintf(stderr, "map %s: %s\n", name, strerror(fd < 0 ? -fd : errno));
		exit(1);
	}
	return fd;
}

#define MAP(the_type, key, value, n)                                                     \
	.map_type = BPF_MAP_TYPE_##the_type, .key_size = key, .value_size = value,       \
	.max_entries = n
#define TYPED(key, value)                                                                \
	.btf_fd = (u32)t.fd, .btf_key_type_id = key, .btf_value_type_id = value

static int make_maps(void)
{
	struct types t = make_types();
	union bpf_attr outer = {MAP(ARRAY_OF_MAPS, 4, 4, 4)};
	int map;

	map = make_map((union bpf_attr){MAP(HASH, 4, 16, 4), TYPED(t.number, t.stats)},
		       "live_counts", "counts");
	make_map((union bpf_attr){MAP(LPM_TRIE, 8, 4, 10), TYPED(t.prefix, t.number),
				  .map_flags = BPF_F_NO_PREALLOC},
		 "live_blocked", "blocked");
	make_map((union bpf_attr){MAP(PERCPU_ARRAY, 4, 8, 3), TYPED(t.number, t.wide)},
		 "live_percpu", "percpu");
	make_map((union bpf_attr){MAP(ARRAY, 4, 16, 1), TYPED(0, t.section),
				  .map_flags = BPF_F_MMAPABLE},
		 "live.data", "data");
	make_map((union bpf_attr){MAP(QUEUE, 0, 4, 3)}, "live_queue", "queue");
	make_map((union bpf_attr){MAP(BLOOM_FILTER, 0, 4, 8)}, "live_filter", "filter");
	make_map((union bpf_attr){MAP(RINGBUF, 0, 0, 4096)}, "live_ring", "ring");
	make_map((union bpf_attr){MAP(PERF_EVENT_ARRAY, 4, 4, 8)}, "live_events",
		 "events");
	make_map((union bpf_attr){MAP(PROG_ARRAY, 4, 4, 4)}, "live_progs", "progs");
	make_map((union bpf_attr){MAP(ARRAY, 4, 4, 2)}, "live_twin", "twin1");
	make_map((union bpf_attr){MAP(ARRAY, 4, 4, 2)}, "live_twin", "twin2");
	sys_map_freeze(
		make_map((union bpf_attr){MAP(ARRAY, 4, 4, 1)}, "live_frozen", "frozen"));
	outer.inner_map_fd = (u32)make_map((union bpf_attr){MAP(ARRAY, 4, 4, 1)},
					   "live_inner", "inner");
	make_map(outer, "live_outer", "outer");
	return map;
}

/* ---- a program, at the loopback interface ---- */

static void make_link(int map)
{
	struct {
		u8 code, regs;
		s16 off;
		s32 imm;
	} insns[] = {{0x18, 0x11, 0, map}, {0}, {0xb7, 0, 0, 2}, {0x95, 0, 0, 0}};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .insns = ptr(insns),
			       .insn_cnt = ARRAY_SIZE(insns),
			       .license = ptr("GPL"),
			       .prog_name = "live_pass"};
	int prog = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	enum { GENERIC = 1 << 1 };
	struct link_create_attr link = {.prog_fd = (u32)prog,
					.target_fd = if_nametoindex("lo"),
					.attach_type = BPF_XDP,
					.flags = GENERIC};
	char path[128];
	int fd = sys_link_create(&link, offsetof(struct link_create_attr, iter) + 16);

	snprintf(path, sizeof(path), "%s/link", pins);
	if (fd < 0 || sys_pin(fd, path)) {
		fprintf(stderr, "link: %s\n", strerror(fd < 0 ? -fd : errno));
		exit(1);
	}
}

/* ---- */

/* Names of maps are known to the whole kernel: one at a time.  The lock goes with the
 * process. */
static void wait_for_turn(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0skep-live"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	while (bind(fd, (struct sockaddr *)&name, sizeof(name)) && errno == EADDRINUSE)
		usleep(100000);
}

static void go_private(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	char self[4096] = "", as[4200];
	int fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, 0) || !mkdtemp(pins) ||
	    mount("bpf", pins, "bpf", 0, "mode=0755")) {
		printf("skipped: mounts of its own: %s\n", strerror(errno));
		exit(KERNEL_SKIP);
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		exit(1);
	snprintf(as, sizeof(as), "%s --as", self);
	setenv("PINS", pins, 1);
	setenv("AS", as, 1);
}

int main(int argc, char **argv)
{
	const char *refused = kernel_refuses();
	int status = 1;
	pid_t pid;

	if (argc > 3 && !strcmp(argv[1], "--as"))
		return run_as(argv[2], argv + 3);
	if (refused || geteuid() || argc < 2) {
		printf("skipped: bpf(2): %s\n", refused ? refused : "not as root");
		return KERNEL_SKIP;
	}
	wait_for_turn();
	go_private();
	make_link(make_maps());
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	umount2(pins, MNT_DETACH);
	rmdir(pins);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
