/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who judges programs: skep's own verifier, or the kernel that runs; one face for both.
 * For src/tools.
 */
#ifndef SKEP_TOOLS_JUDGE_H
#define SKEP_TOOLS_JUDGE_H

#include <skep/skep.h>

#include "base/types.h"

struct into;

enum outcome { ACCEPTED, REJECTED, UNSUPPORTED };

struct judge_opts {
	bool kernel;       /* the one that runs judges */
	u32 log;           /* 0: none; 1, 2 as in Linux */
	bool unprivileged; /* as for a loader without rights; not the kernel */
	u32 flags;         /* enum verify_flag */
	struct into *into; /* borrowed: what programs attach to; NULL: not said */
};

struct verdict {
	enum outcome outcome;
	u64 insns_processed, states; /* 0: not known */
	u64 time_us;
	u64 memory;             /* bytes at most; 0: not known */
	char *log;              /* free(); NULL: none */
	char *explanation;      /* free(); NULL: none */
	char *explanation_json; /* the same as an object; free(); NULL: none */
};

/* The programs of one object; obj and target are borrowed. */
struct judge;
int judge_new(struct skep_object *obj, const struct skep_target *target,
	      const struct judge_opts *opts, struct judge **out, struct skep_diag *diag);
void judge_free(struct judge *judge); /* NULL is fine */

/* 0: accepted; negative: diag says why it was not. */
int judge_prog(struct judge *judge, struct skep_prog *prog, struct verdict *verdict,
	       struct skep_diag *diag);
void verdict_fini(struct verdict *verdict);

#endif
