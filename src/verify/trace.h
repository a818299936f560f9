/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path to a refusal, with what was known at each step.
 *
 * A verification depends on nothing but program and options, so it is repeated twice: to
 * learn which steps are on the path to its end, and to look at those.  For explain*.c.
 */
#ifndef SKEP_VERIFY_TRACE_H
#define SKEP_VERIFY_TRACE_H

#include "base/vec.h"
#include "verify/state.h"
#include "verify/verify.h"

/* One instruction that was looked at, in which frame. */
struct trace_step {
	u32 pc, depth;
};

/* A register became that before a step. */
struct trace_value {
	u32 step;
	struct reg reg;
};

/* Of the last step. */
struct trace_end {
	u32 n_refs;
	struct ref refs[MAX_REFS];
	u32 subprogs[FRAMES];
	u32 n_slots[FRAMES];
	u8 slots[FRAMES][STACK_SLOTS][8]; /* enum slot_type */
	bool in_callback, speculative;
};

struct trace {
	struct vec steps; /* struct trace_step, the first one first */
	/* [frame][register]: struct trace_value, in order of steps */
	struct vec values[FRAMES][N_REGS];
	bool cut; /* there were steps before the first one */
	struct trace_end end;
};

/* False: there is none (no memory, or nothing was explored); trace_fini() in any case. */
bool trace_take(const struct prog *prog, const struct verify_opts *opts,
		const struct skep_diag *refused, struct trace *trace);
void trace_fini(struct trace *trace);

static inline u32 trace_len(const struct trace *trace)
{
	return (u32)trace->steps.len;
}

static inline const struct trace_step *trace_at(const struct trace *trace, u32 step)
{
	return vec_at(&trace->steps, step);
}

/* The register before the step; NULL: nothing had been said of it. */
const struct reg *trace_reg(const struct trace *trace, u32 step, u32 frame, u32 no);

#endif
