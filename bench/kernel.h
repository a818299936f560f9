/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A benchmark program in the running kernel: the same instructions, on an arena's memory.
 */
#ifndef SKEP_BENCH_KERNEL_H
#define SKEP_BENCH_KERNEL_H

#include "base/types.h"

struct prog;

/* A copy of the program that leaves each loop when its steps are used up (may_goto before
 * every jump back), so that Linux' verifier has not to walk all rounds; NULL: no memory,
 * or a jump that does not reach. */
struct prog *kernel_bounded(const struct prog *prog);
void kernel_bounded_free(struct prog *prog);

struct kernel_prog;

enum kernel_len {
	KERNEL_LEN_KNOWN,   /* the verifier knows r2: it follows each round */
	KERNEL_LEN_UNKNOWN, /* r2 comes from memory */
};

/* The program loaded with r1 = the arena's first byte, r2 = bytes; NULL: what says why.
 */
struct kernel_prog *kernel_open(const struct prog *prog, u32 bytes, enum kernel_len len,
				const char **what);
void kernel_close(struct kernel_prog *k);
u8 *kernel_memory(struct kernel_prog *k);

/* So many runs; *ns: of one, as Linux measures it.  R0 of the last. */
u64 kernel_run(struct kernel_prog *k, u64 runs, double *ns);

#endif
