/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of the checked engine, as its files share it: checked.c executes, regions.c
 * knows which memory there is, args.c knows what helpers take.  Only these include it.
 */
#ifndef SKEP_EXEC_CHECKED_H
#define SKEP_EXEC_CHECKED_H

#include "exec/image.h"

enum access_how {
	READ = 1,
	WRITE = 2,
	IS_ATOMIC = 4,
	ATOMIC_READ = IS_ATOMIC | READ,
	ATOMIC_WRITE = IS_ATOMIC | WRITE,
	ATOMIC = IS_ATOMIC | READ | WRITE,
};

enum region_kind {
	REGION_STACK,
	REGION_CONTEXT,
	REGION_PACKET,   /* [data, end) */
	REGION_METADATA, /* [meta, data) */
	REGION_MAP_VALUE,
	REGION_RECORD, /* reserved in a ring buffer */
	REGION_RAW,    /* exec_opts.regions */
};

struct region {
	enum region_kind kind;
	const char *name; /* borrowed: of the map, of the raw region; else of the kind */
	u64 start, size;
	u8 how; /* READ and WRITE as far as they are allowed, IS_ATOMIC where that is */
	bool steady;     /* stays as it is until the next call of a helper */
	struct map *map; /* borrowed; of REGION_MAP_VALUE */
};

enum {
	STACK_SIZE = MAX_FRAMES * FRAME_STACK,
	CACHED_REGIONS = 32, /* a power of two */
	INNER_MAPS = 64,     /* that a run remembers having looked up */
};

struct checked {
	struct run *run;
	const struct image *image; /* running now */
	u64 stack;                 /* lowest address; STACK_SIZE bytes */
	u64 frame; /* lowest address of the current frame: the stack in use starts here */
	u32 depth; /* frames in use */
	u32 given; /* a bit each: registers that hold something when a loop starts */
	const struct abi_ctx *ctx; /* its layout; NULL: none that is known */
	u32 tail_calls;
	u32 call_pc;             /* of the helper call under way */
	bool claims;             /* are checked in this run */
	u64 steps;               /* left before the next look at the limits */
	u64 executed;            /* up to that look */
	u64 max_steps, deadline; /* ns; 0: none */
	u32 n_inner;
	struct map *inner[INNER_MAPS]; /* borrowed: inner maps that look-ups returned */
	struct region cache[CACHED_REGIONS]; /* by instruction; size 0: free */
	struct region claimed; /* a map value that a claim was about; size 0: none */
	u8 written[STACK_SIZE / 8 + 1]; /* a bit a byte of stack: initialised; one more,
					   so that two can be read at once */
	const void *const *labels;      /* out, when asked for */
};

/* An access that is to be judged. */
struct access {
	u64 addr, size;
	enum access_how how;
	int reg; /* that the address came from; -1: none (memory behind memory) */
	u32 pc;
	struct region *cache; /* where to keep its region, or NULL */
};

/* Judges an access that is not on the fast path, marks what is written on the stack.
 * 0, or a negative errno with the account in run->diag. */
int access_checked(struct checked *ck, const struct access *access);

/* Adds source line to the violation just told, makes it the end of the run. */
int violation(struct checked *ck, u32 pc, int err);

/* Forget cached regions: a helper may have moved things. */
void regions_changed(struct checked *ck);

/* The region that addr lies in. */
bool region_at(const struct checked *ck, u64 addr, struct region *region);

/* Is it a map that the program may pass to helpers? */
struct map *known_map(const struct checked *ck, u64 value);

/* Arguments of a helper, before and after the call. */
struct helper_call {
	u32 number;
	u32 pc;
	u64 *r;         /* the registers */
	u32 known;      /* a bit each: initialised; args_done() updates it */
	bool gives_map; /* set by args_check(): R0 will be an inner map */
};
int args_check(struct checked *ck, struct helper_call *call);
void args_done(struct checked *ck, struct helper_call *call);

static inline void stack_mark(struct checked *ck, u64 addr, u64 size)
{
	for (u64 i = addr - ck->stack; size--; i++)
		ck->written[i / 8] |= 1u << i % 8;
}

static inline bool stack_marked(const struct checked *ck, u64 addr)
{
	u64 i = addr - ck->stack;

	return ck->written[i / 8] >> i % 8 & 1;
}

#endif
