/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one run of a program carries with it: where helpers find the world, the CPU, the
 * packet and the engine they were called from.  Lives on the stack of whoever starts the
 * run; one thread uses it.  Zeroes are a good start, those of run_init() are enough;
 * run_end() when the run is over, however it ended.
 */
#ifndef SKEP_HELPERS_RUN_H
#define SKEP_HELPERS_RUN_H

#include <stddef.h>
#include <string.h>

#include "base/types.h"

struct exec_opts;
struct map;
struct packet;
struct prog;
struct run;
struct skep_diag;
struct world;

/* Every helper has this shape; a helper reads only the arguments of its row in
 * abi/helpers.def.  Map arguments are struct map *, memory and context arguments are
 * addresses: the caller has checked them against that row. */
typedef u64 (*helper_fn)(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

/* Where bpf_redirect() and its family want the packet; the verdict says whether it
 * counts. */
struct redirect {
	u32 helper;  /* BPF_FUNC_redirect*, 0: none asked */
	u32 ifindex; /* or the key of map */
	u64 flags;
	const struct map *map; /* borrowed; NULL: an interface */
};

/* A ring-buffer record that the program reserved and has to submit or discard. */
struct run_record {
	struct map *map; /* borrowed */
	void *data;
	u32 size;
};

enum { RUN_RECORDS = 16, RUN_RES_LOCKS = 64 };

/* What an iterator keeps beside its state; the run owns it until the iterator ends. */
struct run_memory {
	struct run_memory *next;
	u32 n;
	u64 words[]; /* n */
};

/* run->err of a run that ends without a violation. */
enum exec_end {
	EXEC_STOP = 1,   /* the answer is 0 */
	EXEC_THROWN = 2, /* bpf_throw(): the answer is the exception callback's */
};

struct run {
	u64 zero;                /* always, and first: opt/select_load.c */
	struct world *world;     /* borrowed */
	u32 cpu;                 /* the virtual CPU that this thread holds */
	const struct prog *prog; /* the program that runs now; a tail call changes it */
	/* Set by the JIT: the run's own address; NULL, once err is set, when its time is
	 * over.  Cheaper to look at than err: x86_emit_check(). */
	struct run *going;
	void *ctx; /* struct xdp_md, struct __sk_buff, ... as the program sees it */
	struct packet *packet;    /* borrowed; NULL: none */
	struct redirect redirect; /* out */
	/* Set by the hook: a clone of the packet leaves through an interface
	 * (bpf_clone_redirect); NULL: clones are only counted. */
	void (*clone)(struct run *run, u32 ifindex, u64 flags);
	void *hook; /* the hook's own state, for clone() */
	u32 clones; /* out */
	/* Set by the engine: call a function of the program; func as the program passed
	 * it.  Negative errno when the run must end (a violation, the step limit); then
	 * the helper returns at once. */
	int (*call)(struct run *run, u64 func, const u64 args[5], u64 *ret);
	/* Set by engines that run programs nobody verified; NULL: everything may be
	 * touched.  0, or a negative errno with the violation in diag: for memory that
	 * helpers find through other memory. */
	int (*may_access)(struct run *run, u64 addr, u64 size, bool write);
	/* Set by engines that count steps; NULL: nobody does.  A helper that may take
	 * long says that it did as much as so many instructions do, and returns at once
	 * when the run must end: then run->err is set, with the violation in diag. */
	void (*spend)(struct run *run, u64 steps);
	const struct exec_opts *opts; /* of the engine (exec/exec.h); NULL: defaults */
	void *engine;                 /* the engine's own state, for call() */
	struct skep_diag *diag;       /* story of a violation */
	int err;                      /* negative: the run must end; else enum exec_end */
	u64 thrown;                   /* the cookie, when err is EXEC_THROWN */

	/* Kept by helpers, read by engines. */
	u32 *lock;                 /* the bpf_spin_lock that the program holds, or NULL */
	struct run_memory *memory; /* owned */
	u32 n_res_locks;           /* of res_locks; the other rows say nothing */
	u32 held; /* a bit for each row of records in use; the other rows say nothing */
	struct run_record records[RUN_RECORDS]; /* the memory may be written */
	u32 *res_locks[RUN_RES_LOCKS];          /* each bpf_res_spin_lock that it holds */
};

/* A run begins at every packet: what is large and rarely used is left as it is. */
static inline void run_init(struct run *run)
{
	memset(run, 0, offsetof(struct run, records));
}

/* Is there anything for run_end()? */
static inline bool run_holds(const struct run *run)
{
	return run->lock || run->held || run->n_res_locks || run->memory;
}

/* Gives back what the program still holds: its locks, its records (discarded), memory of
 * iterators.  Returns 0, or -EINVAL with diag when there were locks or records: a
 * verified program never leaves things behind. */
int run_end(struct run *run);

#endif
