/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live kernel as an oracle: load a program, run it on bytes, see what comes out.
 * kernel_refuses() first: where bpf(2) is not allowed, the test exits with KERNEL_SKIP.
 * Nothing is ever attached.  Tests include this, nothing else does.
 */
#ifndef SKEP_TESTS_KERNEL_H
#define SKEP_TESTS_KERNEL_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/bytes.h"
#include "function_btf.h"
#include "isa/insn.h"

enum { KERNEL_SKIP = 77 };

static inline long kernel_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

struct kernel_prog {
	u32 type;
	const struct insn *insns;
	u32 n_insns;
	const int *fds; /* of the maps that LDDW_MAP_IDX* refer to; NULL: none */
	u32 flags;      /* BPF_F_XDP_HAS_FRAGS, ... */
	/* Where its functions start, which Linux wants to know of programs with
	 * callbacks; btf_fd: kernel_function_btf().  Or none. */
	const u32 *functions;
	u32 n_functions;
	int btf_fd;
	char *log;    /* what the verifier says */
	u32 log_size; /* 0: nothing is wanted */
};

/* Types of functions; a descriptor. */
static inline int kernel_function_btf(void)
{
	union bpf_attr attr = {.btf = (u64)(uintptr_t)&function_btf,
			       .btf_size = sizeof(function_btf)};

	return (int)kernel_bpf(BPF_BTF_LOAD, &attr);
}

enum { KERNEL_FUNCTIONS = 64 };

/* A descriptor of the program, or a negative errno with the verifier's words in log. */
static inline int kernel_load_prog(const struct kernel_prog *p)
{
	u8 *slots = malloc((size_t)p->n_insns * INSN_SIZE + 1);
	union bpf_attr attr = {
		.prog_type = p->type,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = p->n_insns,
		.license = (u64)(uintptr_t) "GPL",
		.log_buf = (u64)(uintptr_t)(p->log_size ? p->log : NULL),
		.log_size = p->log_size,
		.log_level = p->log_size ? 1 : 0,
		.fd_array = (u64)(uintptr_t)p->fds,
		.prog_flags = p->flags,
	};
	struct bpf_func_info functions[KERNEL_FUNCTIONS];

	if (!slots)
		return -ENOMEM;
	for (u32 i = 0; i < p->n_insns; i++)
		insn_write(slots + (size_t)i * INSN_SIZE, &p->insns[i],
			   host_is_big_endian());
	for (u32 i = 0; i < p->n_functions && i < KERNEL_FUNCTIONS; i++)
		functions[i] =
			(struct bpf_func_info){p->functions[i], FUNCTION_BTF_FUNC};
	if (p->n_functions) {
		attr.prog_btf_fd = (u32)p->btf_fd;
		attr.func_info = (u64)(uintptr_t)functions;
		attr.func_info_cnt = p->n_functions;
		attr.func_info_rec_size = sizeof(functions[0]);
	}
	if (p->log_size)
		p->log[0] = 0;
	int fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		fd = -errno;
	free(slots);
	return fd;
}

static inline int kernel_load(u32 type, const struct insn *insns, u32 n, char *log,
			      u32 log_size)
{
	return kernel_load_prog(&(struct kernel_prog){.type = type,
						      .insns = insns,
						      .n_insns = n,
						      .log = log,
						      .log_size = log_size});
}

/* One run on `len` bytes; what comes out goes to `out`.  0 or a negative errno. */
static inline int kernel_run(int fd, struct bytes in, void *out, u32 *out_len, u32 *ret)
{
	union bpf_attr attr = {
		.test.prog_fd = (u32)fd,
		.test.data_in = (u64)(uintptr_t)in.data,
		.test.data_size_in = (u32)in.len,
		.test.data_out = (u64)(uintptr_t)out,
		.test.data_size_out = out ? *out_len : 0,
		.test.repeat = 1,
	};

	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	*ret = attr.test.retval;
	if (out)
		*out_len = attr.test.data_size_out;
	return 0;
}

/* As KERNEL_VERSION() has it, without the patch level: ABI_LINUX(6, 12).  What a test
 * asserts of Linux is often younger than a kernel of make lab. */
static inline u32 kernel_version(void)
{
	struct utsname host;
	unsigned int major = 0, minor = 0;

	if (uname(&host) || sscanf(host.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return major << 16 | minor << 8;
}

/* Why bpf(2) cannot be used here, or NULL. */
static inline const char *kernel_refuses(void)
{
	const struct insn insns[] = {{.code = 0xb7}, {.code = 0x95}};
	int fd = kernel_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, 2, NULL, 0);

	if (fd < 0)
		return strerror(-fd);
	close(fd);
	return NULL;
}

#endif
