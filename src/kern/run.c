/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN.  A packet that does not fit into the room for it is cut and its
 * whole length told, which Linux says with ENOSPC.
 */
#include "kern/run.h"

#include <errno.h>

#include "kern/sys.h"

#define ptr(p) ((u64)(uintptr_t)(p))

int kern_test_run(struct kern_test *test)
{
	union bpf_attr attr = {0};
	int err;

	attr.test.prog_fd = (u32)test->prog_fd;
	attr.test.data_in = ptr(test->data.data);
	attr.test.data_size_in = (u32)test->data.len;
	attr.test.data_out = ptr(test->out);
	attr.test.data_size_out = test->out ? test->out_size : 0;
	attr.test.ctx_in = ptr(test->ctx);
	attr.test.ctx_size_in = test->ctx ? test->ctx_size : 0;
	if (test->data.len) {
		attr.test.ctx_out = attr.test.ctx_in;
		attr.test.ctx_size_out = attr.test.ctx_size_in;
		attr.test.repeat = test->repeat ? test->repeat : 1;
	}
	err = sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr.test));
	if (err == -ENOSPC && test->out)
		err = 0;
	test->ret = attr.test.retval;
	test->out_len = attr.test.data_size_out;
	test->duration_ns = attr.test.duration;
	return err;
}
