/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reason that is named is the true one: what needs a set of capabilities is tried
 * with every subset of them, in children that are not root; it must be refused exactly
 * where one is missing, and the message must name exactly those that are.  Then the other
 * causes, each made on purpose: a user namespace, seccomp filters, paths that no pin can
 * have, frozen maps, a cgroup that allows no other program.
 */
#define _GNU_SOURCE
#include "kern/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "check.h"
#include "kern/sys.h"
#include "kern/uapi.h"
#include "kernel.h"

#define ptr(p) ((u64)(uintptr_t)(p))

enum { NOBODY = 65534 };

struct trial {
	struct kern_attempt attempt;
	int (*run)(const struct trial *trial); /* 0 or a negative errno */
	int fd;                                /* of what it works on */
};

struct outcome {
	int err;
	struct skep_diag diag;
};

static int closed(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* ---- children ---- */

static void become_nobody(u64 caps)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capget, &header, data))
		_exit(1);
	for (u32 i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &header, data) || kern_keep_caps(caps))
		_exit(1);
}

static void none(void)
{
}

static void attempt(const struct trial *trial, struct outcome *outcome)
{
	struct kern_attempt failed = trial->attempt;

	*outcome = (struct outcome){.diag = SKEP_DIAG_INIT};
	outcome->err = trial->run(trial);
	failed.err = outcome->err;
	if (outcome->err && kern_refused(&outcome->diag, &failed) != outcome->err)
		_exit(1);
	/* of another process: does not travel */
	outcome->diag.advice = NULL;
}

/* prepare: what happens to the process first. */
enum { NO_NAMESPACE = 1 }; /* outcome.err: prepare() gave up */

static struct outcome in_child(const struct trial *trial, void (*prepare)(void), u64 caps)
{
	struct outcome outcome = {.err = 1};
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) || (pid = fork()) < 0)
		return outcome;
	if (!pid) {
		prepare();
		if (~caps)
			become_nobody(caps);
		attempt(trial, &outcome);
		_exit(write(pipes[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	close(pipes[1]);
	if (read(pipes[0], &outcome, sizeof(outcome)) != sizeof(outcome))
		outcome.err = 1;
	close(pipes[0]);
	waitpid(pid, &status, 0);
	return outcome;
}

/* ---- every subset of the capabilities ---- */

static const u32 caps_of_bpf[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};

enum { SUBSETS = 16 };

static u64 subset(u32 bits)
{
	u64 caps = 0;

	for (u32 i = 0; i < ARRAY_SIZE(caps_of_bpf); i++) {
		if (bits & 1u << i)
			caps |= KERN_CAP(caps_of_bpf[i]);
	}
	return caps;
}

/* CAP_SYS_ADMIN stands for all others here; before 6.9 not for CAP_NET_ADMIN of maps and
 * queries. */
static u64 missing(const struct kern_attempt *attempt, u64 held)
{
	u64 lacking = kern_needed_caps(attempt) & ~held;

	if (!(held & KERN_CAP(CAP_SYS_ADMIN)))
		return lacking;
	return attempt->action != KERN_LOAD_PROG && kernel_version() < ABI_LINUX(6, 9)
		       ? lacking & KERN_CAP(CAP_NET_ADMIN)
		       : 0;
}

static int is_right(const struct outcome *got, u64 lacking)
{
	struct kern_cap_names names;
	char needs[128];

	if (!lacking)
		return CHECK(got->err != -EPERM);
	snprintf(needs, sizeof(needs), "this needs %s, which",
		 kern_cap_names(&names, lacking));
	return CHECK_INT(got->err, -EPERM) &
	       CHECK_STR(skep_diag_name(got->diag.id), "NO_CAPABILITY") &
	       CHECK_INT(got->diag.err, -EPERM) &
	       CHECK(strstr(got->diag.text, needs) != NULL);
}

static void try_subsets(const struct trial *trial)
{
	for (u32 bits = 0; bits < SUBSETS; bits++) {
		struct outcome got = in_child(trial, none, subset(bits));

		if (is_right(&got, missing(&trial->attempt, subset(bits))))
			continue;
		fprintf(stderr, "\t%s with the capabilities %#x: %d, \"%s\"\n",
			trial->attempt.what, bits, got.err, got.diag.text);
	}
}

/* ---- loading ---- */

static u32 expected_attach_type(u32 type)
{
	switch (type) {
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: return BPF_CGROUP_INET4_BIND;
	case BPF_PROG_TYPE_CGROUP_SOCK: return BPF_CGROUP_INET_SOCK_CREATE;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT: return BPF_CGROUP_SETSOCKOPT;
	case BPF_PROG_TYPE_SK_LOOKUP: return BPF_SK_LOOKUP;
	case PROG_TYPE_NETFILTER: return ATTACH_NETFILTER;
	default: return 0;
	}
}

static int load(const struct trial *trial)
{
	const u64 insns[] = {0xb7, 0x95}; /* r0 = 0; exit */
	u32 type = trial->attempt.prog_type;
	union bpf_attr attr = {
		.prog_type = type,
		.insns = ptr(insns),
		.insn_cnt = 2,
		.license = ptr("GPL"),
		.expected_attach_type = expected_attach_type(type),
		.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0,
	};

	return closed(sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
}

static bool is_open_to_all(u32 type)
{
	FILE *f = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");
	int c = f ? fgetc(f) : '2';

	if (f)
		fclose(f);
	return c == '0' &&
	       (type == BPF_PROG_TYPE_SOCKET_FILTER || type == BPF_PROG_TYPE_CGROUP_SKB);
}

static void test_loading(void)
{
	u32 loaded = 0;

	for (u32 type = 1; type < PROG_TYPES; type++) {
		struct trial trial = {{KERN_LOAD_PROG, .prog_type = type, .what = "it"},
				      load};

		trial.attempt.what = abi_prog_type(type)->name;
		/* with all of them EPERM would be a policy's */
		if (is_open_to_all(type) || load(&trial) == -EPERM ||
		    abi_prog_type(type)->since > kernel_version())
			continue;
		loaded += !load(&trial);
		try_subsets(&trial);
	}
	CHECK(loaded >= 20);
}

static int create_map(const struct trial *trial)
{
	u32 type = trial->attempt.map_type;
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 4, .max_entries = 1};

	if (type == BPF_MAP_TYPE_LPM_TRIE) {
		attr.key_size = 8;
		attr.map_flags = BPF_F_NO_PREALLOC;
	} else if (type == BPF_MAP_TYPE_QUEUE || type == BPF_MAP_TYPE_STACK ||
		   type == BPF_MAP_TYPE_BLOOM_FILTER) {
		attr.key_size = 0;
	} else if (type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF) {
		attr.key_size = attr.value_size = 0;
		attr.max_entries = 4096;
	} else if (type == BPF_MAP_TYPE_STACK_TRACE) {
		attr.value_size = 8;
	}
	return closed(sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static void test_maps(void)
{
	u32 created = 0;

	for (u32 type = 1; abi_map_type(type); type++) {
		struct trial trial = {{KERN_CREATE_MAP, .map_type = type}, create_map};

		trial.attempt.what = abi_map_type(type)->name;
		/* what is wrong with the others is seen before rights are asked for */
		if (create_map(&trial))
			continue;
		created++;
		try_subsets(&trial);
	}
	CHECK(created >= 18);
}

static int load_btf(const struct trial *trial)
{
	static const struct {
		struct btf_header h;
		u32 types[4];
		char strings[8];
	} btf = {{BTF_MAGIC, BTF_VERSION, .hdr_len = sizeof(struct btf_header),
		  .type_len = 16, .str_off = 16, .str_len = 5},
		 {1, BTF_KIND_INT << 24, 4, 32},
		 "\0u32"};
	union bpf_attr attr = {.btf = ptr(&btf), .btf_size = sizeof(btf.h) + 16 + 5};

	(void)trial;
	return closed(sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr)));
}

/* ---- asking ---- */

static int list(const struct trial *trial)
{
	u32 id;

	(void)trial;
	return sys_next_id(SYS_BTF, 0, &id);
}

static int open_btf(const struct trial *trial)
{
	(void)trial;
	return closed(sys_open_id(SYS_BTF, 1));
}

static int query(const struct trial *trial)
{
	union bpf_attr attr = {.query.target_fd = (u32)trial->fd,
			       .query.attach_type = BPF_FLOW_DISSECTOR};

	return sys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));
}

static int stats(const struct trial *trial)
{
	union bpf_attr attr = {.enable_stats.type = BPF_STATS_RUN_TIME};

	(void)trial;
	return closed(sys_bpf(BPF_ENABLE_STATS, &attr, sizeof(attr)));
}

static void test_asking(void)
{
	struct trial trials[] = {
		{{KERN_LOAD_BTF, .what = "types"}, load_btf},
		{{KERN_LIST, .what = "the list"}, list},
		{{KERN_LIST, .what = "types 1"}, open_btf},
		{{KERN_STATS, .what = "counts"}, stats},
		{{KERN_QUERY, .what = "query"}, query},
	};
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	for (u32 i = 0; i < ARRAY_SIZE(trials); i++) {
		trials[i].fd = netns;
		CHECK_INT(trials[i].run(&trials[i]), 0);
		try_subsets(&trials[i]);
	}
	close(netns);
}

/* ---- attaching ---- */

static int watch_cpu(const struct trial *trial)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_CPU_CLOCK};
	long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	(void)trial;
	return fd < 0 ? -errno : closed((int)fd);
}

static void test_events(void)
{
	struct trial trial = {
		{KERN_ATTACH, .prog_type = BPF_PROG_TYPE_PERF_EVENT, .what = "clock"},
		watch_cpu};
	struct outcome got;

	/* kernel.perf_event_paranoid may open this to all, or there is no perf */
	got = in_child(&trial, none, 0);
	if (watch_cpu(&trial) || !got.err)
		return;
	CHECK_INT(got.err, -EACCES);
	CHECK_INT(got.diag.err, -EACCES);
	CHECK_STR(skep_diag_name(got.diag.id), "NO_CAPABILITY");
	CHECK(strstr(got.diag.text, "this needs CAP_") != NULL);
	got = in_child(&trial, none, kern_attach_caps(BPF_PROG_TYPE_PERF_EVENT));
	CHECK_INT(got.err, 0);
}

static const char *const cgroup_roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

/* A cgroup of ours, with its path; or false. */
static bool make_cgroup(char *path, size_t size)
{
	for (u32 i = 0; i < ARRAY_SIZE(cgroup_roots); i++) {
		struct stat st;

		snprintf(path, size, "%s/cgroup.procs", cgroup_roots[i]);
		if (stat(path, &st))
			continue;
		snprintf(path, size, "%s/skep-refused-%d", cgroup_roots[i], getpid());
		if (!mkdir(path, 0755))
			return true;
	}
	return false;
}

static int load_prog(u32 type)
{
	const u64 insns[] = {0x1000000b7, 0x95}; /* r0 = 1; exit */
	union bpf_attr attr = {.prog_type = type,
			       .insns = ptr(insns),
			       .insn_cnt = 2,
			       .license = ptr("GPL")};

	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int program = -1;

static int link_as(const struct trial *trial, u32 attach_type)
{
	struct link_create_attr attr = {.prog_fd = (u32)program,
					.target_fd = (u32)trial->fd,
					.attach_type = attach_type};

	return closed(sys_link_create(&attr, offsetof(struct link_create_attr, iter)));
}

static int link_to_cgroup(const struct trial *trial)
{
	return link_as(trial, BPF_CGROUP_INET_EGRESS);
}

static int link_device(const struct trial *trial)
{
	return link_as(trial, BPF_CGROUP_DEVICE);
}

static int attach_device(const struct trial *trial)
{
	int err = sys_prog_attach(program, trial->fd, BPF_CGROUP_DEVICE, 0, -1);

	if (!err)
		sys_prog_detach(program, trial->fd, BPF_CGROUP_DEVICE);
	return err;
}

/* The same, of old: a missing capability comes back as EINVAL. */
static int attach(const struct trial *trial)
{
	int err = sys_prog_attach(program, trial->fd, BPF_CGROUP_INET_EGRESS, 0, -1);

	if (!err)
		sys_prog_detach(program, trial->fd, BPF_CGROUP_INET_EGRESS);
	return err;
}

/* Without CAP_NET_ADMIN: a loaded program of other types needs none, so that is not what
 * refuses it. */
static void test_taken(struct trial *trial)
{
	struct outcome got;

	program = load_prog(BPF_PROG_TYPE_CGROUP_DEVICE);
	trial->attempt.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	trial->run = attach_device;
	got = in_child(trial, none, KERN_CAP(CAP_BPF));
	CHECK_INT(got.err, 0);
	CHECK_INT(sys_prog_attach(program, trial->fd, BPF_CGROUP_DEVICE, 0, -1), 0);
	trial->run = link_device;
	got = in_child(trial, none, KERN_CAP(CAP_BPF));
	CHECK_INT(got.err, -EPERM);
	CHECK_STR(skep_diag_name(got.diag.id), "CGROUP_TAKEN");
	sys_prog_detach(program, trial->fd, BPF_CGROUP_DEVICE);
}

static void test_cgroups(void)
{
	struct trial trial = {
		{KERN_ATTACH, .prog_type = BPF_PROG_TYPE_CGROUP_SKB, .what = "filter"},
		link_to_cgroup};
	char path[128], below[160];
	struct outcome got;

	if (!make_cgroup(path, sizeof(path)))
		return;
	program = load_prog(BPF_PROG_TYPE_CGROUP_SKB);
	trial.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	got = in_child(&trial, none, KERN_CAP(CAP_BPF));
	is_right(&got, KERN_CAP(CAP_NET_ADMIN));
	got = in_child(&trial, none, KERN_CAP(CAP_NET_ADMIN));
	CHECK_INT(got.err, 0);
	trial.run = attach;
	got = in_child(&trial, none, KERN_CAP(CAP_BPF));
	CHECK(got.err == -EINVAL || got.err == -EPERM);
	CHECK_STR(skep_diag_name(got.diag.id), "NO_CAPABILITY");
	got = in_child(&trial, none, KERN_CAP(CAP_NET_ADMIN));
	CHECK_INT(got.err, 0);

	/* the one above keeps all others away */
	CHECK_INT(sys_prog_attach(program, trial.fd, BPF_CGROUP_INET_EGRESS, 0, -1), 0);
	snprintf(below, sizeof(below), "%s/below", path);
	CHECK_INT(mkdir(below, 0755), 0);
	close(trial.fd);
	trial.fd = open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	got = in_child(&trial, none, ~0ull);
	CHECK_INT(got.err, -EPERM);
	CHECK_STR(skep_diag_name(got.diag.id), "CGROUP_TAKEN");
	close(program);
	test_taken(&trial);
	close(trial.fd);
	rmdir(below);
	rmdir(path);
	close(program);
}

/* ---- other causes ---- */

static void enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		_exit(1);
}

static void filter_calls(u32 answer)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(filter), filter};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		_exit(1);
}

static void filter_with_eperm(void)
{
	filter_calls(EPERM);
}

static void filter_with_enosys(void)
{
	filter_calls(ENOSYS);
}

static void filter_other_calls(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(filter), filter};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		_exit(1);
}

static void test_walls(void)
{
	struct trial trial = {
		{KERN_LOAD_PROG, .prog_type = BPF_PROG_TYPE_XDP, .what = "program x"},
		load};
	struct outcome got = in_child(&trial, enter_user_namespace, ~0ull);

	/* full of capabilities, and none counts */
	if (got.err == NO_NAMESPACE) {
		printf("no user namespace can be made here\n");
	} else {
		if (CHECK_INT(got.err, -EPERM))
			CHECK_STR(skep_diag_name(got.diag.id), "CAPABILITY_INSIDE");
		CHECK(strstr(got.diag.text, "CAP_BPF and CAP_NET_ADMIN") != NULL);
	}

	got = in_child(&trial, filter_with_eperm, ~0ull);
	CHECK_INT(got.err, -EPERM);
	CHECK_STR(skep_diag_name(got.diag.id), "SECCOMP_FILTER");
	got = in_child(&trial, filter_with_enosys, ~0ull);
	CHECK_INT(got.err, -ENOSYS);
	CHECK_STR(skep_diag_name(got.diag.id), "SECCOMP_FILTER");
	/* to give the capability would not help */
	got = in_child(&trial, filter_with_eperm, KERN_CAP(CAP_BPF));
	CHECK_STR(skep_diag_name(got.diag.id), "SECCOMP_FILTER");
	/* a filter that lets bpf(2) through is not the reason */
	got = in_child(&trial, filter_other_calls, KERN_CAP(CAP_BPF));
	is_right(&got, KERN_CAP(CAP_NET_ADMIN));
}

static int pin(const struct trial *trial)
{
	return sys_pin(trial->fd, trial->attempt.path);
}

static int map_of(u32 flags)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1,
			       .map_flags = flags};

	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static const char *reason_of_pin(int map, const char *path)
{
	struct trial trial = {{KERN_PIN, .what = "map m", .path = path}, pin, map};
	struct outcome got = in_child(&trial, none, ~0ull);

	CHECK(got.err == -EPERM || got.err == -EACCES);
	return skep_diag_name(got.diag.id);
}

static void in_own_mounts(int map)
{
	char folder[] = "/tmp/skep-refused-XXXXXX", path[64];
	struct trial trial = {{KERN_PIN, .what = "map m", .path = path}, pin, map};
	struct outcome got;

	if (!CHECK(mkdtemp(folder) != NULL) || !CHECK(!chmod(folder, 0700)))
		return;
	snprintf(path, sizeof(path), "%s/map", folder);
	CHECK_STR(reason_of_pin(map, path), "NOT_BPFFS");
	CHECK_STR(reason_of_pin(map, "here"), "NOT_BPFFS");
	if (CHECK_INT(mount("bpf", folder, "bpf", 0, "mode=0700"), 0)) {
		got = in_child(&trial, none, KERN_CAP(CAP_BPF));
		CHECK_INT(got.err, -EACCES);
		CHECK_STR(skep_diag_name(got.diag.id), "FILE_RIGHTS");
		snprintf(path, sizeof(path), "%s/a.map", folder);
		CHECK_STR(reason_of_pin(map, path), "DOT_IN_PIN");
		umount(folder);
	}
	rmdir(folder);
}

enum { NO_MOUNTS = 77 }; /* exit status */

static void test_pins(void)
{
	int map = map_of(0);
	pid_t pid = fork();
	int status = 1;

	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, 0))
			_exit(NO_MOUNTS);
		check_failed = 0;
		in_own_mounts(map);
		_exit(check_failed != 0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNTS)
		printf("there can be no mounts of its own here: pins were left out\n");
	else
		CHECK_INT(status, 0);
	close(map);
}

static int set(const struct trial *trial)
{
	u32 key = 0, value = 1;

	return sys_map_update(trial->fd, &key, &value, 0);
}

static void test_frozen(void)
{
	struct trial trial = {{KERN_USE_MAP, .what = "map m"}, set, map_of(0)};
	struct outcome got;

	CHECK_INT(sys_map_freeze(trial.fd), 0);
	got = in_child(&trial, none, ~0ull);
	CHECK_INT(got.err, -EPERM);
	CHECK_STR(skep_diag_name(got.diag.id), "MAP_READ_ONLY");
	close(trial.fd);
}

/* ---- without the kernel ---- */

static void test_words(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_attempt attempt = {KERN_LOAD_PROG, .err = -E2BIG,
				       .what = "program p"};
	struct kern_cap_names names;

	CHECK_STR(kern_cap_names(&names, 0), "");
	CHECK_STR(kern_cap_names(&names, KERN_CAP(CAP_BPF)), "CAP_BPF");
	CHECK_STR(kern_cap_names(&names, subset(SUBSETS - 1)),
		  "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN");
	CHECK_INT(kern_refused(&diag, &attempt), -E2BIG);
	CHECK_STR(diag.text, "program p: Argument list too long");
	CHECK_INT(diag.err, -E2BIG);
	attempt.err = -EPERM;
	CHECK_INT(kern_refused(&diag, &attempt), -EPERM); /* the first one stays */
	CHECK_INT(diag.err, -E2BIG);
	CHECK_INT(kern_refused(NULL, &attempt), -EPERM);
}

/* What is given up does not come back with the next program that is executed. */
static void test_giving_up(void)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		if (kern_keep_caps(KERN_CAP(CAP_BPF)) || !kern_has_cap(CAP_BPF) ||
		    kern_has_cap(CAP_PERFMON) || kern_has_cap(CAP_SYS_ADMIN))
			_exit(1);
		execl("/bin/sh", "sh", "-c",
		      "test $(sed -n s/CapEff:.//p /proc/self/status) = "
		      "0000008000000000",
		      NULL);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);

	pid = fork();
	if (!pid) {
		/* older setups have CAP_SYS_ADMIN only: it is what CAP_BPF needs then */
		_exit(kern_keep_caps(KERN_CAP(CAP_SYS_ADMIN)) ||
		      kern_keep_caps(KERN_CAP(CAP_BPF)) || !kern_has_cap(CAP_BPF));
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

int main(void)
{
	const char *refused = kernel_refuses();

	test_words();
	if (refused || !kern_has_cap(CAP_SYS_ADMIN) || geteuid()) {
		printf("skipped: bpf(2): %s\n", refused ? refused : "not as root");
		return check_report() ? 1 : KERNEL_SKIP;
	}
	test_giving_up();
	test_loading();
	test_maps();
	test_asking();
	test_events();
	test_cgroups();
	test_walls();
	test_pins();
	test_frozen();
	return check_report();
}
