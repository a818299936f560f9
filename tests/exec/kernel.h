/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live kernel as the oracle of tests: loads bytecode through bpf(2) and runs it on a
 * packet with BPF_PROG_TEST_RUN.  Attaches nothing.  Tests skip what needs it, and say
 * so, where it is not there.
 */
#ifndef SKEP_TESTS_KERNEL_H
#define SKEP_TESTS_KERNEL_H

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isa/insn.h"

enum { KERNEL_MAX_INSNS = 4096 };

static inline long kernel_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A descriptor, or a negative errno. log may be NULL. */
static inline int kernel_load(u32 type, const struct insn *insns, u32 n, char *log,
			      u32 log_size)
{
	static u8 slots[KERNEL_MAX_INSNS * INSN_SIZE];
	union bpf_attr attr;
	long fd;

	if (n > KERNEL_MAX_INSNS)
		return -E2BIG;
	for (u32 i = 0; i < n; i++)
		insn_write(slots + (size_t)i * INSN_SIZE, &insns[i],
			   __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (u64)(uintptr_t)slots;
	attr.insn_cnt = n;
	attr.license = (u64)(uintptr_t) "GPL";
	attr.log_buf = (u64)(uintptr_t)log;
	attr.log_size = log ? log_size : 0;
	attr.log_level = log ? 1 : 0;
	fd = kernel_bpf(BPF_PROG_LOAD, &attr);
	return fd < 0 ? -errno : (int)fd;
}

/* One run on a packet, which is replaced by what the program left; 0 or -errno. */
static inline int kernel_run(int fd, void *packet, u32 *len, u32 room, u32 *ret)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = attr.test.data_out = (u64)(uintptr_t)packet;
	attr.test.data_size_in = *len;
	attr.test.data_size_out = room;
	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr) < 0)
		return -errno;
	*len = attr.test.data_size_out;
	*ret = attr.test.retval;
	return 0;
}

#endif
