/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same helper calls, on the live kernel and on ours: what they answer, what they do
 * to the packet, to memory and to the context must be the same.  A case is a sequence of
 * calls; the kernel gets it as a program, ours are called directly.
 */
#ifndef SKEP_TESTS_ORACLE_H
#define SKEP_TESTS_ORACLE_H

#include <linux/bpf.h>

#include "base/bytes.h"

enum {
	ORACLE_CALLS = 8,
	ORACLE_MEMORY = 4096, /* what helpers may read and write */
	ORACLE_TEXT = 256,    /* constant strings */
	ORACLE_PACKET = 128 * 1024,
	ORACLE_POINTERS = 12,
};

enum oracle_kind {
	NUMBER,
	CONTEXT,
	MEMORY, /* address of byte n of the memory */
	TEXT,   /* address of byte n of the constant strings */
};

struct oracle_arg {
	enum oracle_kind kind;
	u64 n;
};

struct oracle_call {
	u32 helper;
	struct oracle_arg args[5];
	/* before the call, the u64 at memory[at] becomes the address of memory[to] */
	struct oracle_pointer {
		u32 at, to;
	} pointers[ORACLE_POINTERS];
	u32 n_pointers;
};

struct oracle_case {
	u32 type; /* BPF_PROG_TYPE_XDP, _SCHED_CLS */
	bool frags;
	u32 gso_size, gso_segs;
	u8 packet[ORACLE_PACKET];
	u32 packet_len;
	struct oracle_call calls[ORACLE_CALLS];
	u32 n_calls;
	u8 memory[ORACLE_MEMORY];
	char text[ORACLE_TEXT];
};

enum { ORACLE_FIELDS = 12 };

struct oracle_result {
	int err; /* of loading or running the program; then the rest is nothing */
	u64 r0[ORACLE_CALLS];
	u32 fields[ORACLE_FIELDS]; /* of the context, at the end */
	u64 tstamp;                /* of the skb, at the end */
	u8 packet[ORACLE_PACKET];
	u32 packet_len;
	u8 memory[ORACLE_MEMORY];
};

void oracle_kernel(const struct oracle_case *c, struct oracle_result *r);
void oracle_ours(const struct oracle_case *c, struct oracle_result *r);

/* Both, compared; a difference is printed with everything that repeats it. */
bool oracle_agrees(const struct oracle_case *c);

/* Exits with KERNEL_SKIP and a message where bpf(2) is refused. */
void oracle_or_skip(void);

/* A repeatable source of numbers below n; n > 0. */
u32 pick(u32 n);
/* One of a list of numbers. */
#define PICK(...)                                                                        \
	((const s64[]){__VA_ARGS__}[pick(sizeof((s64[]){__VA_ARGS__}) / sizeof(s64))])

#endif
