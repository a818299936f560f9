/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one run of a program carries with it: where helpers find the world, the CPU, the
 * packet and the engine they were called from.  Lives on the stack of whoever starts the
 * run; one thread uses it.
 */
#ifndef SKEP_HELPERS_RUN_H
#define SKEP_HELPERS_RUN_H

#include "base/types.h"

struct map;
struct packet;
struct prog;
struct run;
struct skep_diag;
struct world;

/* Every helper has this shape; a helper reads only the arguments of its row in
 * abi/helpers.def. */
typedef u64 (*helper_fn)(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

/* Where bpf_redirect() and its family want the packet; the verdict says whether it
 * counts. */
struct redirect {
	u32 helper;  /* BPF_FUNC_redirect*, 0: none asked */
	u32 ifindex; /* or the key of map */
	u64 flags;
	const struct map *map; /* borrowed; NULL: an interface */
};

struct run {
	struct world *world;     /* borrowed */
	u32 cpu;                 /* the virtual CPU that this thread holds */
	const struct prog *prog; /* the program that runs now; a tail call changes it */
	void *ctx; /* struct xdp_md, struct __sk_buff, ... as the program sees it */
	struct packet *packet;    /* borrowed; NULL: none */
	struct redirect redirect; /* out */
	/* Set by the engine: call a function of the program; func as the program passed
	 * it.  Negative errno when the run must end (a violation, the step limit); then
	 * the helper returns at once. */
	int (*call)(struct run *run, u64 func, const u64 args[5], u64 *ret);
	void *engine;           /* the engine's own state, for call() */
	struct skep_diag *diag; /* story of a violation */
	int err;                /* negative: the run must end */
};

#endif
