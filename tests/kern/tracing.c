/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hook of tracing: attached, the program counts what this process does; detached,
 * it counts no more.  Programs look away from all other processes, probes go into a
 * library of the test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "check.h"
#include "kern/attach.h"
#include "kern/binary.h"
#include "kern/iter.h"
#include "kern/perf.h"
#include "kern/sys.h"
#include "kern/tracefs.h"
#include "kern/usdt_args.h"
#include "target.h"

#if defined(__x86_64__)
enum { FIRST_ARGUMENT = 14 * 8, RESULT = 10 * 8 };
#else
enum { FIRST_ARGUMENT = 0, RESULT = 0 };
#endif

enum { SKIPPED = 77 };

/* What programs leave in their map. */
struct seen {
	u64 count, cookie, value;
};

static int seen_map;
static const struct btf *vmlinux;
static char library[PATH_MAX];

/* ---- programs ---- */

struct recipe {
	u32 type, attach_type;
	const char *btf_name; /* what it attaches to; NULL: nothing in BTF */
	enum btf_kind btf_kind;
	bool cookie; /* keep the cookie */
	s16 value;   /* offset in the context of what to keep; < 0: nothing */
	s16 match;   /* offset of what must be `wanted`; < 0: nothing */
	s32 wanted;
	int map;          /* one more for it to hold, or 0 */
	bool map_at_hand; /* it is given to kern_attach(), too */
};

#define INSN(...)                                                                        \
	(struct bpf_insn)                                                                \
	{                                                                                \
		__VA_ARGS__                                                              \
	}
#define CALL(n) INSN(.code = BPF_JMP | BPF_CALL, .imm = (n))
#define MOV(d, s)                                                                        \
	INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (d), .src_reg = (s))
#define MOV_K(d, k) INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (d), .imm = (k))
#define LOAD(d, s, o)                                                                    \
	INSN(.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = (d), .src_reg = (s),         \
	     .off = (o))
#define STORE(d, o, s)                                                                   \
	INSN(.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = (d), .src_reg = (s),         \
	     .off = (o))
#define EXIT INSN(.code = BPF_JMP | BPF_EXIT)

enum { GET_PID_TGID = 14, SEQ_WRITE = 127, GET_COOKIE = 174 };

struct code {
	struct bpf_insn insns[64];
	u32 n;
};

static void put(struct code *c, struct bpf_insn insn)
{
	c->insns[c->n++] = insn;
}

static void put_map(struct code *c, int reg, int kind, int map)
{
	put(c, INSN(.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (u8)(reg & 15),
		    .src_reg = (u8)(kind & 15), .imm = map));
	put(c, INSN(0));
}

/* Jumps to the end, which finish() fills in. */
static void put_leave(struct code *c, int reg, s32 unless)
{
	put(c, INSN(.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (u8)(reg & 15),
		    .imm = unless));
}

static void finish(struct code *c)
{
	for (u32 i = 0; i < c->n; i++)
		if (c->insns[i].code == (BPF_JMP | BPF_JNE | BPF_K))
			c->insns[i].off = (s16)(c->n - i - 1);
	put(c, MOV_K(0, 0));
	put(c, EXIT);
}

static void count_here(struct code *c, const struct recipe *r)
{
	put(c, MOV(6, 1));
	put(c, CALL(GET_PID_TGID));
	put(c, INSN(.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = 0, .imm = 32));
	put_leave(c, 0, getpid());
	if (r->match >= 0) {
		put(c, LOAD(2, 6, r->match));
		put_leave(c, 2, r->wanted);
	}
	put_map(c, 7, BPF_PSEUDO_MAP_VALUE, seen_map);
	put(c, MOV_K(2, 1));
	put(c, INSN(.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 7, .src_reg = 2,
		    .imm = BPF_ADD));
	if (r->cookie) {
		put(c, MOV(1, 6));
		put(c, CALL(GET_COOKIE));
		put(c, STORE(7, offsetof(struct seen, cookie), 0));
	}
	if (r->value >= 0) {
		put(c, LOAD(2, 6, r->value));
		put(c, STORE(7, offsetof(struct seen, value), 2));
	}
	if (r->map)
		put_map(c, 1, BPF_PSEUDO_MAP_FD, r->map);
	finish(c);
}

/* One number for each thing that the iterator comes by. */
static void write_each(struct code *c)
{
	put(c, LOAD(2, 1, 0));
	put(c, LOAD(1, 2, 0));
	put(c, MOV_K(2, 1));
	put(c, STORE(10, -8, 2));
	put(c, MOV(2, 10));
	put(c, INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -8));
	put(c, MOV_K(3, 8));
	put(c, CALL(SEQ_WRITE));
	finish(c);
}

static int load(const struct recipe *r)
{
	static char log[1 << 14];
	struct code code = {.n = 0};
	union bpf_attr attr = {
		.prog_type = r->type,
		.expected_attach_type = r->attach_type,
		.license = (u64)(uintptr_t) "GPL",
		.log_buf = (u64)(uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd;

	if (r->attach_type == ATTACH_TRACE_ITER)
		write_each(&code);
	else
		count_here(&code, r);
	attr.insns = (u64)(uintptr_t)code.insns;
	attr.insn_cnt = code.n;
	if (r->btf_name)
		attr.attach_btf_id = btf_find(vmlinux, r->btf_name, r->btf_kind);
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 && fd != -EPERM)
		fprintf(stderr, "load: %s\n%s\n", strerror(-fd), log);
	return fd;
}

/* ---- attaching ---- */

static struct seen now_seen(void)
{
	struct seen seen = {0};
	u32 key = 0;

	CHECK_INT(sys_map_lookup(seen_map, &key, &seen, 0), 0);
	return seen;
}

static void forget(void)
{
	struct seen none = {0};
	u32 key = 0;

	CHECK_INT(sys_map_update(seen_map, &key, &none, 0), 0);
}

/* `fmt` with the library's path in it. */
static const char *in_library(const char *fmt, ...)
{
	static char text[PATH_MAX + 256];
	char tail[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(tail, sizeof(tail), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)strcspn(tail, "@"), tail, library,
		 tail + strcspn(tail, "@") + 1);
	return text;
}

static int attach_at(int fd, const struct recipe *r, const char *where,
		     struct kern_link **link, struct skep_diag *diag)
{
	struct kern_prog prog = {
		.fd = fd,
		.type = r->type,
		.attach_type = r->attach_type,
		.name = "test",
		.map_fds = &r->map,
		.n_maps = r->map_at_hand,
	};
	struct hook hook;
	int err;

	*link = NULL;
	if (!CHECK_INT(hook_parse(where, &hook, diag), 0)) {
		fprintf(stderr, "\t%s: %s\n", where, diag->text);
		return -EINVAL;
	}
	err = kern_attach(&prog, &hook, link, diag);
	hook_fini(&hook);
	return err;
}

/* A reason of this machine, not of ours. */
static bool is_machines(const struct skep_diag *diag)
{
	static const int ids[] = {DIAG_NO_KPROBES, DIAG_NO_KPROBE_MULTI,
				  DIAG_NO_UPROBES, DIAG_NO_UPROBE_SESSION,
				  DIAG_NO_COOKIE,  DIAG_REFUSED_BY_POLICY,
				  DIAG_NO_TRACEFS, DIAG_NO_FUNCTION_LIST};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (diag->id == ids[i])
			return true;
	return false;
}

static struct kern_link *attach(const struct recipe *r, const char *where)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = NULL;
	int fd = load(r), err;

	if (fd == -EPERM) {
		printf("skipped: %s: this kernel does not load such programs\n", where);
		return NULL;
	}
	if (!CHECK(fd >= 0))
		return NULL;
	forget();
	err = attach_at(fd, r, where, &link, &diag);
	close(fd);
	if (!err)
		return link;
	if (is_machines(&diag))
		printf("skipped: %s: %s\n", where, diag.text);
	else if (!CHECK_INT(err, 0))
		fprintf(stderr, "\t%s: %s: %s\n", where, diag.where, diag.text);
	return NULL;
}

typedef void fire_fn(void);

/* fire() makes the hook fire `times` times.  What the program saw of the last one. */
static struct seen check_hook(const struct recipe *r, const char *where, fire_fn *fire,
			      u64 times)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = attach(r, where);
	struct seen seen = {0};

	if (!link)
		return seen;
	fire();
	seen = now_seen();
	if (!CHECK_INT(seen.count, times))
		fprintf(stderr, "\t%s\n", where);
	if (!CHECK_INT(kern_link_detach(link, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", where, diag.text);
	fire();
	if (!CHECK_INT(now_seen().count, times))
		fprintf(stderr, "\t%s, detached\n", where);
	kern_link_free(link);

	/* and once more, let go without a word */
	link = attach(r, where);
	kern_link_free(link);
	fire();
	CHECK_INT(now_seen().count, 0);
	return seen;
}

static void expect_refusal(const struct recipe *r, const char *where, int id)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link;
	int fd = load(r);

	CHECK(attach_at(fd, r, where, &link, &diag) < 0 && !link);
	if (!CHECK_INT(diag.id, id))
		fprintf(stderr, "\t%s: %s: %s\n", where, skep_diag_name(diag.id),
			diag.text);
	if (fd >= 0)
		close(fd);
}

/* ---- tracepoints ---- */

static void ask_group(void)
{
	for (int i = 0; i < 5; i++)
		syscall(SYS_getpgid, getpid());
}

static void test_tracepoints(void)
{
	struct recipe r = {.type = PROG_TYPE_TRACEPOINT, .value = -1, .match = -1};
	struct seen seen;

	check_hook(&r, "tracepoint:syscalls:sys_enter_getpgid", ask_group, 5);
	r.cookie = true;
	seen = check_hook(&r, "tp:syscalls:sys_exit_getpgid:cookie=0x123456789",
			  ask_group, 5);
	if (seen.count)
		CHECK_INT(seen.cookie, 0x123456789);
	expect_refusal(&r, "tp:syscalls:sys_enter_none", DIAG_NO_TRACEPOINT);
	expect_refusal(&r, "tp:none:sys_enter_getpgid", DIAG_NO_TRACEPOINT);
	/* reads beyond what the tracepoint has */
	r.value = 2040;
	expect_refusal(&r, "tp:syscalls:sys_enter_getpgid", DIAG_TRACEPOINT_CONTEXT);
}

static void test_raw_tracepoints(void)
{
	struct recipe raw = {
		.type = PROG_TYPE_RAW_TRACEPOINT,
		.value = 8,
		.match = 8,
		.wanted = SYS_getpgid,
	};
	struct recipe typed = raw;
	struct seen seen = check_hook(&raw, "raw_tp:sys_enter", ask_group, 5);

	CHECK_INT(seen.value, SYS_getpgid);
	expect_refusal(&raw, "raw_tp:sys_none", DIAG_NO_RAW_TRACEPOINT);

	typed.type = PROG_TYPE_TRACING;
	typed.attach_type = ATTACH_TRACE_RAW_TP;
	typed.btf_name = "btf_trace_sys_enter";
	typed.btf_kind = BTF_TYPEDEF;
	check_hook(&typed, "tp_btf:sys_enter", ask_group, 5);

	if (kernel_before(6, 10)) {
		expect_refusal(&raw, "raw_tp:sys_enter:cookie=77", DIAG_NO_COOKIE);
		expect_refusal(&typed, "tp_btf:sys_enter:cookie=78", DIAG_NO_COOKIE);
		return;
	}
	raw.cookie = typed.cookie = true;
	seen = check_hook(&raw, "raw_tracepoint:sys_enter:cookie=77", ask_group, 5);
	CHECK_INT(seen.cookie, 77);
	seen = check_hook(&typed, "tp_btf:sys_enter:cookie=78", ask_group, 5);
	CHECK_INT(seen.cookie, 78);
}

/* ---- functions of the kernel ---- */

#if defined(__x86_64__)
#define WRAPPER "__x64_sys_"
#else
#define WRAPPER "__arm64_sys_"
#endif

static void test_trampolines(void)
{
	struct recipe r = {
		.type = PROG_TYPE_TRACING,
		.attach_type = ATTACH_TRACE_FENTRY,
		.btf_name = WRAPPER "getpgid",
		.btf_kind = BTF_FUNC,
		.value = -1,
		.match = -1,
	};
	struct recipe lsm = {
		.type = PROG_TYPE_LSM,
		.attach_type = ATTACH_LSM_MAC,
		.btf_name = "bpf_lsm_task_getpgid",
		.btf_kind = BTF_FUNC,
		.value = -1,
		.match = -1,
	};
	struct seen seen;

	check_hook(&r, "fentry:" WRAPPER "getpgid", ask_group, 5);
	r.cookie = true;
	seen = check_hook(&r, "fentry:" WRAPPER "getpgid:cookie=9", ask_group, 5);
	if (seen.count)
		CHECK_INT(seen.cookie, 9);
	r.attach_type = ATTACH_TRACE_FEXIT;
	check_hook(&r, "fexit:" WRAPPER "getpgid", ask_group, 5);
	r.attach_type = ATTACH_MODIFY_RETURN;
	r.btf_name = "security_task_getpgid";
	check_hook(&r, "fmod_ret:security_task_getpgid", ask_group, 5);
	check_hook(&lsm, "lsm:task_getpgid", ask_group, 5);
}

static void test_kprobes(void)
{
	struct recipe r = {.type = PROG_TYPE_KPROBE, .value = -1, .match = -1};
	struct recipe multi = r, session = r;

	check_hook(&r, "kprobe:" WRAPPER "getpgid", ask_group, 5);
	check_hook(&r, "kretprobe:" WRAPPER "getpgid", ask_group, 5);
	check_hook(&r, "ksyscall:getpgid", ask_group, 5);
	check_hook(&r, "kretsyscall:getpgid", ask_group, 5);
	r.cookie = true;
	check_hook(&r, "ksyscall:getpgid:cookie=3", ask_group, 5);
	multi.attach_type = ATTACH_TRACE_KPROBE_MULTI;
	check_hook(&multi, "kprobe.multi:" WRAPPER "getpgid", ask_group, 5);
	check_hook(&multi, "kprobe.multi:" WRAPPER "getpgi?", ask_group, 5);
	multi.cookie = true;
	check_hook(&multi, "kretprobe.multi:" WRAPPER "*etpgid:cookie=4", ask_group, 5);
	session.attach_type = ATTACH_TRACE_KPROBE_SESSION;
	check_hook(&session, "kprobe.session:" WRAPPER "getpgid", ask_group, 10);
}

/* ---- functions of a program ---- */

/* Types of a function `int f(void)` whose programs may be replaced: 1 int, 2 int (), 3 f,
 * 4 the program that calls it. */
static int function_types(void)
{
	static const struct {
		u16 magic;
		u8 version, flags;
		u32 header, types_at, types_len, strings_at, strings_len;
		u32 types[4 + 3 + 3 + 3];
		char strings[16];
	} btf = {
		0xeb9f,
		1,
		0,
		24,
		0,
		sizeof(btf.types),
		sizeof(btf.types),
		sizeof(btf.strings),
		{1, 1u << 24, 4, 1u << 24 | 32, 0, 13u << 24, 1, 5, 12u << 24 | 1, 2, 7,
		 12u << 24 | 1, 2},
		"\0int\0f\0caller",
	};
	union bpf_attr attr = {.btf = (u64)(uintptr_t)&btf, .btf_size = sizeof(btf)};

	return sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

struct functions {
	const struct bpf_insn *insns;
	u32 n;
	const struct bpf_func_info *info;
	u32 n_info;
	u32 type;
	int btf, target;
};

static int load_functions(const struct functions *f)
{
	union bpf_attr attr = {
		.prog_type = f->type,
		.license = (u64)(uintptr_t) "GPL",
		.insns = (u64)(uintptr_t)f->insns,
		.insn_cnt = f->n,
		.prog_btf_fd = (u32)f->btf,
		.func_info = (u64)(uintptr_t)f->info,
		.func_info_cnt = f->n_info,
		.func_info_rec_size = sizeof(*f->info),
		.attach_prog_fd = (u32)f->target,
		.attach_btf_id = f->target ? 3 : 0,
	};

	return sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static u32 run(int fd)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {.test.prog_fd = (u32)fd,
			       .test.data_in = (u64)(uintptr_t)packet,
			       .test.data_size_in = sizeof(packet)};

	CHECK_INT(sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	return attr.test.retval;
}

/* A program returns what its function f says, 1; replaced, 7. */
static void test_freplace(void)
{
	const struct bpf_insn caller[] = {
		INSN(.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1),
		EXIT, MOV_K(0, 1), EXIT};
	const struct bpf_insn other[] = {MOV_K(0, 7), EXIT};
	const struct bpf_func_info infos[] = {{0, 4}, {2, 3}}, info = {0, 3};
	struct functions target = {.insns = caller,
				   .n = ARRAY_SIZE(caller),
				   .info = infos,
				   .n_info = 2,
				   .type = PROG_TYPE_SOCKET_FILTER,
				   .btf = function_types()};
	struct functions replacement = {.insns = other,
					.n = ARRAY_SIZE(other),
					.info = &info,
					.n_info = 1,
					.type = PROG_TYPE_EXT,
					.btf = target.btf};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = NULL;
	struct recipe r = {.type = PROG_TYPE_EXT};
	int fd;

	replacement.target = load_functions(&target);
	if (!CHECK(replacement.target >= 0))
		return;
	CHECK_INT(run(replacement.target), 1);
	fd = load_functions(&replacement);
	if (fd == -EPERM) {
		printf("skipped: freplace: this kernel does not load such programs\n");
	} else if (CHECK(fd >= 0)) {
		if (CHECK_INT(attach_at(fd, &r, "freplace:f", &link, &diag), 0))
			CHECK_INT(run(replacement.target), 7);
		else
			fprintf(stderr, "\t%s\n", diag.text);
		kern_link_free(link);
		CHECK_INT(run(replacement.target), 1);
		close(fd);
	}
	close(replacement.target);
	close(target.btf);
}

/* ---- functions of a library ---- */

static void add_up(void)
{
	for (int i = 0; i < 3; i++)
		CHECK_INT(target_add(40 + i, 2), 42 + i);
	CHECK_INT(target_add_more(1), 1001);
}

typedef int version_fn(int a);

static void call_old_version(void)
{
	version_fn *old =
		(version_fn *)dlvsym(RTLD_DEFAULT, "target_versioned", "TARGET_1");

	if (CHECK(old))
		CHECK_INT(old(1), 2);
}

static u64 offset_in_library(const char *name)
{
	struct binary bin;
	u64 offset = 0;

	if (CHECK_INT(binary_open(library, &bin, NULL), 0)) {
		CHECK_INT(binary_function(&bin, name, &offset, NULL), 0);
		binary_close(&bin);
	}
	return offset;
}

/* Of somebody else: a process that does nothing. */
static pid_t start_idle(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_uprobes(void)
{
	struct recipe r = {
		.type = PROG_TYPE_KPROBE, .value = FIRST_ARGUMENT, .match = -1};
	struct seen seen = check_hook(&r, in_library("uprobe:@:target_add"), add_up, 3);
	pid_t other = start_idle();

	CHECK_INT((int)seen.value, 42);
	r.cookie = true;
	seen = check_hook(&r, in_library("uprobe:@:target_add:cookie=5:pid=%d", getpid()),
			  add_up, 3);
	CHECK_INT(seen.cookie, 5);
	check_hook(&r, in_library("uprobe:@:target_add:pid=%d", other), add_up, 0);
	check_hook(&r,
		   in_library("uprobe:@:0x%llx",
			      (unsigned long long)offset_in_library("target_add")),
		   add_up, 3);
	check_hook(&r, in_library("uprobe:@:target_versioned"), call_old_version, 0);
	r.value = RESULT;
	seen = check_hook(&r, in_library("uretprobe:@:target_add"), add_up, 3);
	CHECK_INT((int)seen.value, 44);

	expect_refusal(&r, in_library("uprobe:@:target_none"), DIAG_NO_BINARY_FUNCTION);
	expect_refusal(&r, in_library("uprobe:@:0x7fffffff"), DIAG_BEYOND_FILE);
	expect_refusal(&r, "uprobe:no-such-binary:main", DIAG_NO_BINARY);
	expect_refusal(&r, "uprobe:/etc/passwd:main", DIAG_BAD_BINARY);
	stop(other);
	expect_refusal(&r, in_library("uprobe:@:target_add:pid=%d", other),
		       DIAG_NO_PROCESS);
}

/* Is something left in uprobe_events? */
static bool probes_of_ours(void)
{
	int tracefs = tracefs_open(NULL);
	struct file file = {0};
	bool found = false;

	if (tracefs < 0)
		return false;
	if (!tracefs_read(tracefs, "uprobe_events", &file) && file.data)
		found = memmem(file.data, file.len, library, strlen(library)) != NULL;
	file_fini(&file);
	close(tracefs);
	return found;
}

/* As kernels before 4.17 attach to functions; this one can do it, too. */
static void test_traced_probe(void)
{
	struct recipe r = {.type = PROG_TYPE_KPROBE, .value = -1, .match = -1};
	struct kern_prog prog = {.fd = load(&r), .type = r.type, .name = "test"};
	struct hook hook = {
		.kind = HOOK_UPROBE, .path = library, .name = "target_add", .fd = -1};
	struct attaching a = {&prog, &hook};
	struct perf_link *perf = perf_link_new(&a, NULL);
	char place[PATH_MAX + 32];
	struct kern_link *link = &perf->link;
	int err;

	forget();
	snprintf(place, sizeof(place), "%s:0x%llx", library,
		 (unsigned long long)offset_in_library("target_add"));
	err = perf_link_add_traced(perf, &a, "uprobe_events", place);
	if (err == -ENOENT) {
		printf("skipped: uprobe_events: this kernel has no such file\n");
	} else if (CHECK_INT(err, 0)) {
		add_up();
		CHECK_INT(now_seen().count, 3);
		CHECK_INT(perf->probes.len, 1);
		CHECK_INT(kern_link_detach(link, NULL), 0);
		CHECK_INT(perf->probes.len, 0);
		add_up();
		CHECK_INT(now_seen().count, 3);
	}
	kern_link_free(link);
	CHECK(!probes_of_ours());
	close(prog.fd);
}

static void test_uprobe_multi(void)
{
	struct recipe r = {.type = PROG_TYPE_KPROBE,
			   .attach_type = ATTACH_TRACE_UPROBE_MULTI,
			   .value = FIRST_ARGUMENT,
			   .match = -1};
	pid_t other = start_idle();
	struct seen seen;

	check_hook(&r, in_library("uprobe.multi:@:target_add"), add_up, 3);
	check_hook(&r, in_library("uprobe.multi:@:target_add*"), add_up, 4);
	check_hook(&r, in_library("uprobe.multi:@:target_add*:pid=%d", other), add_up, 0);
	r.cookie = true;
	seen = check_hook(&r,
			  in_library("uprobe.multi:@:*_more:cookie=6:pid=%d", getpid()),
			  add_up, 1);
	CHECK_INT(seen.cookie, 6);
	r.value = RESULT;
	seen = check_hook(&r, in_library("uretprobe.multi:@:target_a?d_more"), add_up, 1);
	CHECK_INT((int)seen.value, 1001);
	expect_refusal(&r, in_library("uprobe.multi:@:none*"), DIAG_NO_BINARY_FUNCTION);
	r.attach_type = ATTACH_TRACE_UPROBE_SESSION;
	check_hook(&r, in_library("uprobe.session:@:target_add*"), add_up, 8);
	stop(other);
}

/* ---- USDT ---- */

static void pass_probe(void)
{
	CHECK_INT(target_probe(4, 0x1122334455667788), 4);
}

/* Whether the semaphore was up. */
static int counted;

static void pass_counted(void)
{
	counted = target_counted(4, 5);
}

static int specs_map(u32 max_entries)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = sizeof(struct usdt_spec),
		.max_entries = max_entries,
		.map_name = "__bpf_usdt_spec",
	};

	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Where the second argument of skep:plain is. */
static struct usdt_arg second_argument(void)
{
	struct vec sites = VEC_INIT(struct usdt_site);
	struct usdt_spec spec = {0};
	struct binary bin;

	if (!CHECK_INT(binary_open(library, &bin, NULL), 0))
		return spec.args[1];
	if (CHECK_INT(binary_usdt(&bin, "skep", "plain", &sites, NULL), 0)) {
		const struct usdt_site *site = vec_at(&sites, 0);

		CHECK_INT(usdt_parse_args(site->args, bin.machine, &spec, NULL), 0);
		CHECK_INT(spec.n_args, 2);
	}
	usdt_sites_fini(&sites);
	binary_close(&bin);
	return spec.args[1];
}

static int slots_taken(int map, struct usdt_spec *last)
{
	struct usdt_spec spec;
	int taken = 0;

	for (u32 i = 0; !sys_map_lookup(map, &i, &spec, 0); i++) {
		if (!spec.taken)
			continue;
		taken++;
		*last = spec;
	}
	return taken;
}

static void test_usdt(u32 attach_type)
{
	struct usdt_arg arg = second_argument();
	struct recipe r = {.type = PROG_TYPE_KPROBE,
			   .attach_type = attach_type,
			   .value = arg.type == USDT_REG ? arg.reg : -1,
			   .match = -1,
			   .cookie = true};
	struct seen seen;

	seen = check_hook(&r, in_library("usdt:@:skep:plain:cookie=11"), pass_probe, 1);
	CHECK_INT(seen.cookie, 11);
	if (arg.type == USDT_REG)
		CHECK_INT(seen.value, 0x1122334455667788);
	r.value = -1;
	check_hook(&r, in_library("usdt:@:skep:counted"), pass_counted, 2);
	CHECK_INT(counted, 0);
	check_hook(&r, in_library("usdt:@:skep:counted:pid=%d", getpid()), pass_counted,
		   2);
	expect_refusal(&r, in_library("usdt:@:skep:none"), DIAG_NO_USDT);
	expect_refusal(&r, in_library("usdt:@:none:plain"), DIAG_NO_USDT);
}

/* As programs with libbpf's usdt.bpf.h have it. */
static void test_usdt_specs(bool map_at_hand)
{
	struct recipe r = {.type = PROG_TYPE_KPROBE,
			   .map_at_hand = map_at_hand,
			   .value = -1,
			   .match = -1,
			   .cookie = true,
			   .map = specs_map(2)};
	struct usdt_arg arg = second_argument();
	struct usdt_spec spec = {0};
	struct kern_link *plain, *counted_link;

	if (!CHECK(r.map >= 0))
		return;
	plain = attach(&r, in_library("usdt:@:skep:plain:cookie=12"));
	CHECK_INT(slots_taken(r.map, &spec), 1);
	CHECK(spec.cookie == 12 && spec.n_args == 2);
	CHECK(!memcmp(&spec.args[1], &arg, sizeof(arg)));
	pass_probe();
	CHECK_INT(now_seen().cookie, 0);
	/* two places with different arguments want two slots */
	expect_refusal(&r, in_library("usdt:@:skep:counted"), DIAG_USDT_MAP_FULL);
	CHECK_INT(slots_taken(r.map, &spec), 1);
	kern_link_free(plain);
	CHECK_INT(slots_taken(r.map, &spec), 0);

	counted_link = attach(&r, in_library("usdt:@:skep:counted"));
	CHECK_INT(slots_taken(r.map, &spec), 2);
	pass_counted();
	CHECK_INT(counted, 1);
	CHECK_INT(now_seen().count, 2);
	CHECK_INT(now_seen().cookie, 1);
	kern_link_free(counted_link);
	pass_counted();
	CHECK_INT(counted, 0);
	CHECK_INT(slots_taken(r.map, &spec), 0);
	close(r.map);
}

/* ---- clocks ---- */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Burns time until the program has seen something, or a while has passed. */
static void burn(double limit)
{
	double end = seconds() + limit;
	volatile u64 work = 0;

	while (!now_seen().count && seconds() < end)
		for (int i = 0; i < 100000; i++)
			work++;
}

static void *burn_in_thread(void *arg)
{
	(void)arg;
	burn(5);
	return NULL;
}

/* Sixteen pages that were never there. */
static void touch_memory(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE) * 16;
	volatile u8 *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!CHECK(pages != MAP_FAILED))
		return;
	madvise((void *)pages, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 16; i++)
		pages[size / 16 * i] = 1;
	munmap((void *)pages, size);
}

static void test_perf_events(void)
{
	struct recipe r = {
		.type = PROG_TYPE_PERF_EVENT, .value = -1, .match = -1, .cookie = true};
	struct kern_link *link;
	pthread_t thread;
	char where[128];

	snprintf(where, sizeof(where), "perf_event:cpu-clock:freq=1000:pid=%d:cookie=8",
		 getpid());
	link = attach(&r, where);
	if (!CHECK(link))
		return;
	burn(5);
	CHECK(now_seen().count > 0);
	CHECK_INT(now_seen().cookie, 8);
	/* threads that start later, too */
	forget();
	CHECK_INT(pthread_create(&thread, NULL, burn_in_thread, NULL), 0);
	pthread_join(thread, NULL);
	CHECK(now_seen().count > 0);
	CHECK_INT(kern_link_detach(link, NULL), 0);
	forget();
	burn(0.1);
	CHECK_INT(now_seen().count, 0);
	kern_link_free(link);

	snprintf(where, sizeof(where), "perf_event:page-faults:period=1:pid=%d",
		 getpid());
	link = attach(&r, where);
	if (link) {
		touch_memory();
		CHECK(now_seen().count >= 16);
	}
	kern_link_free(link);
	expect_refusal(&r, "perf_event:none", DIAG_NO_EVENT);
	expect_refusal(&r, "perf_event:cpu-clock:cpu=100000", DIAG_NO_CPU);
	expect_refusal(&r, "perf_event:cpu-clock:pid=2147483647", DIAG_NO_PROCESS);
}

/* ---- iterators ---- */

/* How many things it came by. */
static size_t walk(const struct kern_link *link)
{
	u64 numbers[512];
	size_t n = 0;
	ssize_t got;
	int fd = kern_iter_open(link, NULL);

	if (!CHECK(fd >= 0))
		return 0;
	while ((got = read(fd, numbers, sizeof(numbers))) > 0) {
		for (size_t i = 0; i < (size_t)got / 8; i++)
			CHECK_INT(numbers[i], 1);
		n += (size_t)got / 8;
	}
	CHECK_INT(got, 0);
	close(fd);
	return n;
}

/* Of this process: sanitizers have one of their own. */
static size_t n_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t n = 0;

	for (struct dirent *task; tasks && (task = readdir(tasks));)
		n += task->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return n;
}

static struct recipe iterator(const char *name)
{
	return (struct recipe){
		.type = PROG_TYPE_TRACING,
		.attach_type = ATTACH_TRACE_ITER,
		.btf_name = name,
		.btf_kind = BTF_FUNC,
	};
}

static void test_iter_of_map(const struct recipe *r)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 8};
	struct kern_prog prog = {
		.fd = load(r), .type = r->type, .attach_type = r->attach_type};
	struct kern_link *link = NULL;
	struct hook hook;
	u64 value = 0;

	CHECK_INT(hook_parse("iter:bpf_map_elem", &hook, NULL), 0);
	hook.fd = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	for (u32 key = 0; key < 3; key++)
		CHECK_INT(sys_map_update(hook.fd, &key, &value, 0), 0);
	/* one more for the end */
	if (CHECK_INT(kern_attach(&prog, &hook, &link, NULL), 0)) {
		CHECK_INT(walk(link), 4);
		CHECK_INT(walk(link), 4);
	}
	kern_link_free(link);
	close(hook.fd);
	close(prog.fd);
	hook_fini(&hook);
}

/* Where cgroups of version 2 are, to be looked at. */
static bool find_cgroups(char *where, size_t size)
{
	static const char *const folders[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(where, size, "iter:cgroup:in=%s", folders[i]);
		if (!statfs(folders[i], &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return true;
	}
	return false;
}

static void test_iterators(void)
{
	struct recipe tasks = iterator("bpf_iter_task"),
		      maps = iterator("bpf_iter_bpf_map"),
		      elements = iterator("bpf_iter_bpf_map_elem"),
		      cgroups = iterator("bpf_iter_cgroup");
	struct kern_link *link = attach(&tasks, "iter:task");
	char where[64];

	if (link)
		CHECK(walk(link) > 2);
	kern_link_free(link);
	snprintf(where, sizeof(where), "iter:task:pid=%d", getpid());
	link = attach(&tasks, where);
	if (link)
		CHECK_INT(walk(link), n_threads() + 1); /* and the end */
	kern_link_free(link);
	link = attach(&maps, "iter:bpf_map");
	if (link)
		CHECK(walk(link) >= 2);
	kern_link_free(link);
	if (find_cgroups(where, sizeof(where))) {
		link = attach(&cgroups, where);
		if (link)
			CHECK(walk(link) >= 2);
		kern_link_free(link);
	}
	test_iter_of_map(&elements);
	expect_refusal(&elements, "iter:bpf_map_elem", DIAG_ITER_PARAMETER);
}

/* ---- */

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static const char *prepare(struct arena *arena, struct file *file)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = sizeof(struct seen),
		.max_entries = 1,
	};
	Dl_info info;

	if (geteuid())
		return "root is needed";
	if (file_read("/sys/kernel/btf/vmlinux", file, NULL) ||
	    btf_read(arena, file_bytes(file), NULL, &vmlinux, NULL))
		return "the kernel does not show its types";
	seen_map = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (seen_map < 0)
		return strerror(-seen_map);
	CHECK_INT(target_add(1, 2), 3);
	if (!CHECK(dladdr(dlsym(RTLD_DEFAULT, "target_add"), &info)))
		return "the library is not there";
	snprintf(library, sizeof(library), "%s", info.dli_fname);
	return NULL;
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct file file = {0};
	const char *why = prepare(&arena, &file);
	int files;

	if (why) {
		printf("skipped: %s\n", why);
		file_fini(&file);
		arena_fini(&arena);
		return SKIPPED;
	}
	files = open_files();
	test_tracepoints();
	test_raw_tracepoints();
	test_trampolines();
	test_kprobes();
	test_freplace();
	test_uprobes();
	test_traced_probe();
	test_uprobe_multi();
	test_usdt(0);
	test_usdt(ATTACH_TRACE_UPROBE_MULTI);
	test_usdt_specs(false);
	test_usdt_specs(true);
	test_perf_events();
	test_iterators();
	CHECK_INT(open_files(), files);
	close(seen_map);
	arena_fini(&arena);
	file_fini(&file);
	return check_report();
}
