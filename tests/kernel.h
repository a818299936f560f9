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
#include <unistd.h>

#include "base/bytes.h"
#include "isa/insn.h"

enum { KERNEL_SKIP = 77 };

static inline long kernel_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A descriptor of the program, or a negative errno with the verifier's words in log. */
static inline int kernel_load(u32 type, const struct insn *insns, u32 n, char *log,
			      u32 log_size)
{
	u8 *slots = malloc((size_t)n * INSN_SIZE + 1);
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = n,
		.license = (u64)(uintptr_t) "GPL",
		.log_buf = (u64)(uintptr_t)log,
		.log_size = log_size,
		.log_level = log_size ? 1 : 0,
	};

	if (!slots)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		insn_write(slots + (size_t)i * INSN_SIZE, &insns[i],
			   host_is_big_endian());
	if (log_size)
		log[0] = 0;
	int fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		fd = -errno;
	free(slots);
	return fd;
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
