/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why Linux said no.  Capabilities first, since they are the commonest reason and can be
 * known for certain; then what can be asked of the machine; what remains is a policy.
 * Nothing here changes anything: a seccomp filter is found by calls that fail anyway.
 * Facts: capabilities(7), kernel_lockdown(7), user_namespaces(7), perf_event_open(2).
 */
#include "kern/refused.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/sys.h"

#define BIT(n) (1ull << (n))

/* Inode of the first user namespace, on every machine: since 3.8. */
enum { USER_NS_INITIAL = 0xEFFFFFFD };

enum { BPF_FS = 0xcafe4a11 };

/* ---- what the process holds ---- */

static u64 caps_of(const struct __user_cap_data_struct data[2])
{
	return (u64)data[1].effective << 32 | data[0].effective;
}

static u64 effective_caps(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return caps_of(data);
}

/* Capabilities of other user namespaces do not count for bpf(2). */
static bool in_user_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != USER_NS_INITIAL;
}

/* What CAP_SYS_ADMIN is taken for. */
static const u64 admin_stands_for = KERN_CAP(CAP_BPF) | KERN_CAP(CAP_PERFMON);

bool kern_has_cap(u32 cap)
{
	u64 caps = effective_caps();

	if (in_user_namespace())
		return false;
	if (caps & KERN_CAP(CAP_SYS_ADMIN))
		caps |= admin_stands_for;
	return caps & KERN_CAP(cap);
}

int kern_keep_caps(u64 keep)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};
	u64 caps;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	caps = caps_of(data);
	if (caps & KERN_CAP(CAP_SYS_ADMIN) && keep & admin_stands_for & ~caps)
		keep |= KERN_CAP(CAP_SYS_ADMIN);
	caps &= keep;
	for (u32 i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (u32)(caps >> 32 * i);
		data[i].inheritable = 0;
	}
	/* what root executes would have all of them again */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &header, data))
		return -errno;
	return 0;
}

static const struct cap_name {
	u32 cap;
	const char *name;
} cap_table[] = {
	{CAP_BPF, "CAP_BPF"},
	{CAP_PERFMON, "CAP_PERFMON"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
};

const char *kern_cap_names(struct kern_cap_names *names, u64 caps)
{
	size_t len = 0;

	names->s[0] = 0;
	for (u32 i = 0; i < ARRAY_SIZE(cap_table); i++) {
		if (!(caps & KERN_CAP(cap_table[i].cap)))
			continue;
		caps &= ~KERN_CAP(cap_table[i].cap);
		len += (size_t)snprintf(names->s + len, sizeof(names->s) - len, "%s%s",
					!len   ? ""
					: caps ? ", "
					       : " and ",
					cap_table[i].name);
	}
	return names->s;
}

/* ---- what an attempt needs ---- */

static const u64 cgroup_types = BIT(PROG_TYPE_CGROUP_SKB) | BIT(PROG_TYPE_CGROUP_SOCK) |
				BIT(PROG_TYPE_CGROUP_DEVICE) |
				BIT(PROG_TYPE_CGROUP_SOCK_ADDR) |
				BIT(PROG_TYPE_CGROUP_SYSCTL) |
				BIT(PROG_TYPE_CGROUP_SOCKOPT) | BIT(PROG_TYPE_SOCK_OPS);

static const u64 device_types = BIT(PROG_TYPE_SCHED_CLS) | BIT(PROG_TYPE_SCHED_ACT) |
				BIT(PROG_TYPE_XDP) | BIT(PROG_TYPE_LWT_IN) |
				BIT(PROG_TYPE_LWT_OUT) | BIT(PROG_TYPE_LWT_XMIT) |
				BIT(PROG_TYPE_LWT_SEG6LOCAL);

/* Loading these needs CAP_NET_ADMIN beside CAP_BPF, ... */
static const u64 net_types =
	(device_types | cgroup_types | BIT(PROG_TYPE_SK_SKB) | BIT(PROG_TYPE_SK_MSG) |
	 BIT(PROG_TYPE_FLOW_DISSECTOR) | BIT(PROG_TYPE_EXT) | BIT(PROG_TYPE_NETFILTER)) &
	~BIT(PROG_TYPE_CGROUP_SKB);

/* ... these CAP_PERFMON: they see addresses of the kernel. */
static const u64 perf_types = BIT(PROG_TYPE_KPROBE) | BIT(PROG_TYPE_TRACEPOINT) |
			      BIT(PROG_TYPE_PERF_EVENT) | BIT(PROG_TYPE_RAW_TRACEPOINT) |
			      BIT(PROG_TYPE_RAW_TRACEPOINT_WRITABLE) |
			      BIT(PROG_TYPE_TRACING) | BIT(PROG_TYPE_LSM) |
			      BIT(PROG_TYPE_STRUCT_OPS) | BIT(PROG_TYPE_EXT);

/* Attached with perf_event_open(2). */
static const u64 event_types =
	BIT(PROG_TYPE_KPROBE) | BIT(PROG_TYPE_TRACEPOINT) | BIT(PROG_TYPE_PERF_EVENT);

static bool is_among(u64 types, u32 type)
{
	return type < 64 && types & BIT(type);
}

u64 kern_load_caps(u32 prog_type)
{
	u64 caps = KERN_CAP(CAP_BPF);

	if (is_among(net_types, prog_type))
		caps |= KERN_CAP(CAP_NET_ADMIN);
	/* 6.1 wants it, 6.12 does not */
	if (prog_type == PROG_TYPE_LIRC_MODE2 && sys_version() < ABI_LINUX(6, 12))
		caps |= KERN_CAP(CAP_NET_ADMIN);
	if (is_among(perf_types, prog_type))
		caps |= KERN_CAP(CAP_PERFMON);
	return caps;
}

/* The first bytes of a small file, as a string. */
static bool read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, line, size - 1);
		close(fd);
	}
	line[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* Debian's kernels know a third level of kernel.perf_event_paranoid, and start with it:
 * CAP_PERFMON does not open it. */
static bool perf_is_closed(void)
{
	char line[16];

	return read_line("/proc/sys/kernel/perf_event_paranoid", line, sizeof(line)) &&
	       atoi(line) > 2;
}

u64 kern_attach_caps(u32 prog_type)
{
	if (is_among(event_types, prog_type))
		return perf_is_closed() ? KERN_CAP(CAP_SYS_ADMIN) : KERN_CAP(CAP_PERFMON);
	/* netlink asks for it; links ask for no more than was needed to load */
	if (is_among(device_types | BIT(PROG_TYPE_CGROUP_SKB), prog_type))
		return KERN_CAP(CAP_NET_ADMIN);
	return 0;
}

u64 kern_map_caps(u32 map_type)
{
	const u64 redirects = BIT(BPF_MAP_TYPE_SOCKMAP) | BIT(BPF_MAP_TYPE_SOCKHASH) |
			      BIT(BPF_MAP_TYPE_DEVMAP) | BIT(BPF_MAP_TYPE_DEVMAP_HASH) |
			      BIT(BPF_MAP_TYPE_XSKMAP);

	return KERN_CAP(CAP_BPF) |
	       (is_among(redirects, map_type) ? KERN_CAP(CAP_NET_ADMIN) : 0);
}

static u64 caps_of_action(const struct kern_attempt *attempt)
{
	switch (attempt->action) {
	case KERN_LOAD_PROG: return kern_load_caps(attempt->prog_type);
	case KERN_LOAD_BTF: return KERN_CAP(CAP_BPF);
	case KERN_CREATE_MAP: return kern_map_caps(attempt->map_type);
	case KERN_ATTACH: return kern_attach_caps(attempt->prog_type);
	case KERN_QUERY: return KERN_CAP(CAP_NET_ADMIN);
	case KERN_LIST:
	case KERN_STATS: return KERN_CAP(CAP_SYS_ADMIN);
	case KERN_USE_MAP:
	case KERN_PIN:
	case KERN_TEST_RUN: return 0;
	}
	return 0;
}

u64 kern_needed_caps(const struct kern_attempt *attempt)
{
	return attempt->caps | caps_of_action(attempt);
}

/* Where bpf(2) itself checks CAP_NET_ADMIN, CAP_SYS_ADMIN stands for it too, except for
 * maps and queries before 6.9; netlink is stricter. */
static bool admin_may_net(enum kern_action action)
{
	return action == KERN_LOAD_PROG ||
	       (action != KERN_ATTACH && sys_version() >= ABI_LINUX(6, 9));
}

static u64 missing_caps(const struct kern_attempt *attempt)
{
	u64 needed = kern_needed_caps(attempt), caps = effective_caps();

	if (in_user_namespace())
		return needed;
	if (caps & KERN_CAP(CAP_SYS_ADMIN)) {
		caps |= admin_stands_for;
		if (admin_may_net(attempt->action))
			caps |= KERN_CAP(CAP_NET_ADMIN);
	}
	return needed & ~caps;
}

/* ---- what the machine says ---- */

static bool unprivileged_disabled(void)
{
	char line[16];

	return read_line("/proc/sys/kernel/unprivileged_bpf_disabled", line,
			 sizeof(line)) &&
	       line[0] != '0';
}

/* Until 5.19 the sysctl closed every command to those without CAP_BPF. */
static bool sysctl_closes_all(void)
{
	return sys_version() < ABI_LINUX(5, 19) && unprivileged_disabled() &&
	       !kern_has_cap(CAP_BPF);
}

static bool is_refusal(int err)
{
	return err == EPERM || err == EACCES || err == ENOSYS;
}

/* The system call that a filter keeps from this process, or NULL.  Both calls are wrong
 * in themselves: the kernel says EINVAL and EFAULT, a filter what it says to all. */
static const char *filtered_call(const struct kern_attempt *attempt)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
		return NULL;
	if (syscall(SYS_bpf, -1, NULL, 0) < 0 && is_refusal(errno) &&
	    !sysctl_closes_all())
		return "bpf(2)";
	if (attempt->action == KERN_ATTACH && is_among(event_types, attempt->prog_type) &&
	    syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0) < 0 && is_refusal(errno))
		return "perf_event_open(2)";
	return NULL;
}

/* Only what confidentiality forbids comes back as EPERM; helpers that are locked are
 * unknown to the verifier. */
static bool locked_down(const struct kern_attempt *attempt)
{
	char line[64];

	return attempt->action == KERN_ATTACH &&
	       is_among(event_types, attempt->prog_type) &&
	       read_line("/sys/kernel/security/lockdown", line, sizeof(line)) &&
	       strstr(line, "[confidentiality]");
}

/* KiB, or 0: it is not what refused. */
static u64 memlock_limit(const struct kern_attempt *attempt)
{
	struct rlimit limit;

	if (attempt->action != KERN_LOAD_PROG && attempt->action != KERN_CREATE_MAP)
		return 0;
	if (sys_version() >= ABI_LINUX(5, 11) || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur / 1024;
}

/* ---- the reasons ---- */

static int refused_pin(struct skep_diag *diag, const struct kern_attempt *attempt)
{
	const char *path = attempt->path, *slash = path ? strrchr(path, '/') : NULL;
	char folder[4096];
	struct statfs fs;

	if (!path)
		return fail(diag, FILE_RIGHTS, NO_PC, attempt->what);
	snprintf(folder, sizeof(folder), "%.*s",
		 slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
	if (!statfs(folder, &fs) && (u32)fs.f_type != BPF_FS)
		return fail(diag, NOT_BPFFS, NO_PC, attempt->what, path);
	if (attempt->err != -EPERM)
		return fail(diag, FILE_RIGHTS, NO_PC, attempt->what);
	if (strchr(slash ? slash : path, '.'))
		return fail(diag, DOT_IN_PIN, NO_PC, attempt->what,
			    slash ? slash + 1 : path);
	return fail(diag, REFUSED_BY_POLICY, NO_PC, attempt->what);
}

/* Nothing that applies to all is in the way. */
static int refused_otherwise(struct skep_diag *diag, const struct kern_attempt *attempt)
{
	switch (attempt->action) {
	case KERN_PIN: return refused_pin(diag, attempt);
	case KERN_USE_MAP: return fail(diag, MAP_READ_ONLY, NO_PC, attempt->what);
	case KERN_LOAD_PROG:
		if (attempt->err == -EACCES && !kern_has_cap(CAP_PERFMON))
			return fail(diag, STRICT_VERIFIER, NO_PC, attempt->what);
		break;
	case KERN_ATTACH:
		if (attempt->err == -EACCES)
			return fail(diag, FILE_RIGHTS, NO_PC, attempt->what);
		if (is_among(cgroup_types, attempt->prog_type))
			return fail(diag, CGROUP_TAKEN, NO_PC, attempt->what);
		break;
	case KERN_LOAD_BTF:
	case KERN_CREATE_MAP:
	case KERN_LIST:
	case KERN_TEST_RUN:
	case KERN_QUERY:
	case KERN_STATS: break;
	}
	if (attempt->err == -EACCES)
		return fail(diag, KERNEL_SAYS, NO_PC, attempt->what, strerror(EACCES));
	return fail(diag, REFUSED_BY_POLICY, NO_PC, attempt->what);
}

static int refused_caps(struct skep_diag *diag, const char *what, u64 caps)
{
	struct kern_cap_names names;

	kern_cap_names(&names, caps);
	if (in_user_namespace())
		return fail(diag, CAPABILITY_INSIDE, NO_PC, what, names.s);
	return fail(diag, NO_CAPABILITY, NO_PC, what, names.s);
}

static int explain(struct skep_diag *diag, const struct kern_attempt *attempt)
{
	const char *call = filtered_call(attempt);
	u64 caps = missing_caps(attempt), limit;

	if (call)
		return fail(diag, SECCOMP_FILTER, NO_PC, attempt->what, call);
	if (sysctl_closes_all())
		caps |= KERN_CAP(CAP_BPF);
	/* a program that was refused by the verifier was not refused for these */
	if (attempt->action == KERN_LOAD_PROG && attempt->err == -EACCES)
		caps = 0;
	if (caps)
		return refused_caps(diag, attempt->what, caps);
	limit = memlock_limit(attempt);
	if (limit)
		return fail(diag, MEMLOCK_LIMIT, NO_PC, attempt->what,
			    (unsigned long long)limit);
	if (locked_down(attempt))
		return fail(diag, LOCKED_DOWN, NO_PC, attempt->what);
	return refused_otherwise(diag, attempt);
}

/* Is it rights that it was refused for?  BPF_PROG_ATTACH says EINVAL where CAP_NET_ADMIN
 * is missing; a filter may say that there is no such call. */
static bool wants_rights(const struct kern_attempt *attempt)
{
	switch (-attempt->err) {
	case EPERM:
	case EACCES: return true;
	case ENOSYS: return filtered_call(attempt);
	case EINVAL:
		return attempt->action == KERN_ATTACH &&
		       attempt->prog_type == PROG_TYPE_CGROUP_SKB &&
		       missing_caps(attempt);
	default: return false;
	}
}

int kern_refused(struct skep_diag *diag, const struct kern_attempt *attempt)
{
	bool first = diag && !diag->id;

	if (wants_rights(attempt))
		explain(diag, attempt);
	else
		fail(diag, KERNEL_SAYS, NO_PC, attempt->what, strerror(-attempt->err));
	/* the row's errno is what such reasons mostly come with: keep what came */
	if (first)
		diag->err = attempt->err;
	return attempt->err;
}
