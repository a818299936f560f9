/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a loaded program by BPF_PROG_TEST_RUN: Linux makes the packet or the context
 * and gives back what the program left.  For src/load.
 */
#ifndef SKEP_KERN_RUN_H
#define SKEP_KERN_RUN_H

#include "base/bytes.h"

struct kern_test {
	int prog_fd;
	struct bytes data; /* the packet; len 0: none */
	void *out;         /* NULL: not wanted */
	u32 out_size;      /* room */
	u32 out_len;       /* set: of the packet, which may be more */
	void *ctx;         /* read, and written with ctx_size bytes; NULL: Linux' own */
	u32 ctx_size;
	u32 repeat; /* of packets; 0: once */
	u32 ret;         /* set */
	u32 duration_ns; /* set */
};

/* 0 or a negative errno; -524 (ENOTSUPP) for types that Linux cannot run like this. */
int kern_test_run(struct kern_test *test);

#endif
