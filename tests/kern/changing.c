/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that decide what a function returns: fmod_ret and LSM in this process only,
 * freplace in a program of this test.  They work while they are attached and not after.
 * Kernels that lock these types refuse with EPERM: make lab has others.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "check.h"
#include "kern/link.h"
#include "kern/sys.h"
#include "kernel.h"

static int asked, refused;

/* ---- programs ---- */

/* A BTF of ours: functions main, which takes nothing, and answer, which takes a number
 * and can be replaced. */
enum { OUR_INT = 1, OUR_PROTO, OUR_MAIN, OUR_PROTO_OF_ANSWER, OUR_ANSWER };

static int load_types(void)
{
	enum { INT = 1 << 24, FUNC = 12 << 24, FUNC_PROTO = 13 << 24, GLOBAL = 1 };
	static const struct {
		u16 magic;
		u8 version, flags;
		u32 hdr_len, type_off, type_len, str_off, str_len;
		u32 types[4 + 3 + 3 + 5 + 3];
		char strings[20]; /* no padding */
	} btf = {
		.magic = 0xeb9f,
		.version = 1,
		.hdr_len = 24,
		.type_len = sizeof(btf.types),
		.str_off = sizeof(btf.types),
		.str_len = sizeof(btf.strings),
		.types = {1, INT, 4, 1 << 24 | 32, 0, FUNC_PROTO,
			  OUR_INT,                                 /* int (void) */
			  5, FUNC | GLOBAL, OUR_PROTO,             /* main */
			  0, FUNC_PROTO | 1, OUR_INT, 17, OUR_INT, /* int (int a) */
			  10, FUNC | GLOBAL, OUR_PROTO_OF_ANSWER},
		.strings = "\0int\0main\0answer\0a",
	};
	union bpf_attr attr = {.btf = (u64)(uintptr_t)&btf, .btf_size = sizeof(btf)};

	return sys_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

struct recipe {
	u32 type, attach_type;
	const struct insn *insns;
	u32 n;
	u32 btf_id;       /* what it attaches to */
	int prog_fd;      /* 0: that is of the kernel */
	int types;        /* 0: the program has none of its own */
	u32 functions[4]; /* where each starts, and its type */
	u32 n_functions;
};

static int load(const struct recipe *r)
{
	static char log[1 << 14];
	u8 slots[16 * INSN_SIZE];
	union bpf_attr attr = {
		.prog_type = r->type,
		.expected_attach_type = r->attach_type,
		.attach_btf_id = r->btf_id,
		.attach_prog_fd = (u32)r->prog_fd,
		.prog_btf_fd = (u32)r->types,
		.func_info = (u64)(uintptr_t)r->functions,
		.func_info_cnt = r->n_functions,
		.func_info_rec_size = r->n_functions ? 8 : 0,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = r->n,
		.license = (u64)(uintptr_t) "GPL",
		.log_buf = (u64)(uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd;

	for (u32 i = 0; i < r->n; i++)
		insn_write(slots + (size_t)i * INSN_SIZE, &r->insns[i],
			   host_is_big_endian());
	log[0] = 0;
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	asked++;
	if (fd == -EPERM) {
		printf("%s: refused by this kernel's policy\n",
		       abi_prog_type(r->type)->name);
		refused++;
	} else if (!CHECK(fd >= 0)) {
		fprintf(stderr, "\t%s: %s\n%s\n", abi_prog_type(r->type)->name,
			strerror(-fd), log);
	}
	return fd;
}

static struct kern_link *attach(const struct recipe *r, int fd, const char *where)
{
	struct kern_prog prog = {
		.fd = fd, .type = r->type, .attach_type = r->attach_type, .name = "test"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_link *link = NULL;
	struct hook hook;

	if (!CHECK_INT(hook_parse(where, &hook, &diag), 0)) {
		fprintf(stderr, "\t%s\n", diag.text);
		return NULL;
	}
	if (!CHECK_INT(kern_attach(&prog, &hook, &link, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", where, diag.text);
	hook_fini(&hook);
	return link;
}

/* ---- fmod_ret, LSM ---- */

/* For this process it returns `imm`, for others what was to be returned. */
#define FOR_US(imm_)                                                                     \
	{                                                                                \
		{.code = 0x85, .imm = 14}, /* get_current_pid_tgid */                    \
			{.code = 0x77, .dst_reg = 0, .imm = 32},                         \
			{.code = 0xbf, .dst_reg = 1, .src_reg = 0},                      \
			{.code = 0xb7, .dst_reg = 0, .imm = 0},                          \
			{.code = 0x55, .dst_reg = 1, .off = 1, .imm = getpid()},         \
			{.code = 0xb7, .dst_reg = 0, .imm = (imm_)}, {.code = 0x95},     \
	}

/* errno of asking for the own group, which these programs are asked about. */
static int ask_group(void)
{
	return syscall(SYS_getpgid, getpid()) < 0 ? errno : 0;
}

static void check_denies(const struct recipe *r, const char *where, int denied)
{
	int fd = CHECK(r->btf_id) ? load(r) : -ENOENT;
	struct kern_link *link;

	if (fd < 0)
		return;
	CHECK_INT(ask_group(), 0);
	link = attach(r, fd, where);
	close(fd);
	CHECK_INT(ask_group(), denied);
	kern_link_free(link);
	CHECK_INT(ask_group(), 0);
}

static void test_deciding(const struct btf *vmlinux)
{
	const struct insn says_no[] = FOR_US(-EACCES), says_never[] = FOR_US(-EPERM);
	const struct recipe fmod_ret = {
		.type = PROG_TYPE_TRACING,
		.attach_type = ATTACH_MODIFY_RETURN,
		.insns = says_no,
		.n = ARRAY_SIZE(says_no),
		.btf_id = btf_find(vmlinux, "security_task_getpgid", BTF_FUNC),
	};
	const struct recipe lsm = {
		.type = PROG_TYPE_LSM,
		.attach_type = ATTACH_LSM_MAC,
		.insns = says_never,
		.n = ARRAY_SIZE(says_never),
		.btf_id = btf_find(vmlinux, "bpf_lsm_task_getpgid", BTF_FUNC),
	};

	check_denies(&fmod_ret, "fmod_ret:security_task_getpgid", EACCES);
	check_denies(&lsm, "lsm:task_getpgid", EPERM);
}

/* ---- freplace ---- */

static void check_answer(int fd, u32 want)
{
	static const u8 packet[64];
	u32 got = 0;

	CHECK_INT(
		kernel_run(fd, (struct bytes){packet, sizeof(packet)}, NULL, NULL, &got),
		0);
	CHECK_INT(got, want);
}

static void test_replacing(void)
{
	/* main: return answer(1); answer: return a; and instead of it: return a + 41 */
	static const struct insn main_insns[] = {
		{.code = 0xb7, .dst_reg = 1, .imm = 1},
		{.code = 0x85, .src_reg = CALL_LOCAL, .imm = 1},
		{.code = 0x95},
		{.code = 0xbf, .dst_reg = 0, .src_reg = 1},
		{.code = 0x95},
	};
	static const struct insn other_insns[] = {
		{.code = 0xbf, .dst_reg = 0, .src_reg = 1},
		{.code = 0x07, .dst_reg = 0, .imm = 41},
		{.code = 0x95},
	};
	int types = load_types();
	struct recipe replaced = {
		.type = PROG_TYPE_SOCKET_FILTER,
		.insns = main_insns,
		.n = ARRAY_SIZE(main_insns),
		.types = types,
		.functions = {0, OUR_MAIN, 3, OUR_ANSWER},
		.n_functions = 2,
	};
	int fd = CHECK(types >= 0) ? load(&replaced) : types;
	struct recipe replacing = {
		.type = PROG_TYPE_EXT,
		.insns = other_insns,
		.n = ARRAY_SIZE(other_insns),
		.btf_id = OUR_ANSWER,
		.prog_fd = fd,
		.types = types,
		.functions = {0, OUR_ANSWER},
		.n_functions = 1,
	};
	int other = fd < 0 ? fd : load(&replacing);

	if (other >= 0) {
		check_answer(fd, 1);
		struct kern_link *link = attach(&replacing, other, "freplace:answer");
		check_answer(fd, 42);
		kern_link_free(link);
		check_answer(fd, 1);
		close(other);
	}
	close(fd);
	close(types);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	const struct btf *vmlinux = NULL;
	const char *why = kernel_refuses();
	struct file file = {0};

	if (!file_read("/sys/kernel/btf/vmlinux", &file, NULL))
		btf_read(&arena, file_bytes(&file), NULL, &vmlinux, NULL);
	if (why || !vmlinux) {
		printf("skipped: %s\n", why ? why : "the kernel does not show its types");
	} else {
		test_deciding(vmlinux);
		test_replacing();
	}
	arena_fini(&arena);
	file_fini(&file);
	if (why || !vmlinux)
		return KERNEL_SKIP;
	/* what is replaced is a program of a type that is never locked */
	if (asked == refused + 1 && !check_failed) {
		printf("skipped: this kernel refuses fmod_ret, LSM and freplace\n");
		return KERNEL_SKIP;
	}
	return check_report();
}
