/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of a path to a refusal the steps that matter: where a register or a place on the stack
 * got what it held, and what was found out about it on the way.  For explain*.c.
 */
#ifndef SKEP_VERIFY_SLICE_H
#define SKEP_VERIFY_SLICE_H

#include "prog/prog.h"
#include "verify/trace.h"

/* What a step has to do with it. */
enum event_kind {
	EVENT_CONSTANT,  /* it became a number or an address that the instruction has */
	EVENT_READ,      /* read from memory that is not the stack */
	EVENT_RESULT,    /* of a call, or of what an instruction did with memory */
	EVENT_CLOBBERED, /* a call left it without a value */
	EVENT_GIVEN,     /* by what called: an argument of a callback */
	EVENT_LOST,      /* a call ended what was known of it */
	EVENT_COPIED,
	EVENT_COMPUTED,
	EVENT_ADDED, /* a number to a pointer */
	EVENT_SPILLED,
	EVENT_FILLED,
	EVENT_WRITTEN,  /* the place on the stack, by something else */
	EVENT_PASSED,   /* as an argument of a function */
	EVENT_RETURNED, /* by a function */
	EVENT_REFINED,  /* a branch told more about it */
	EVENT_COMPARED, /* a branch looked at it and told nothing */
	EVENT_BRANCH,   /* another branch on the way */
	EVENT_ENTERED,  /* a lock was taken, a section entered, with R1 */
};

struct event {
	u32 step; /* of the trace */
	enum event_kind kind;
	u32 frame;
	s32 reg;      /* concerned, in frame; -1: none */
	s32 off;      /* place on the stack */
	u32 repeated; /* so often before, at the same instruction */
	bool turns;   /* it may be negative from here on */
};

struct slice {
	const struct prog *prog;   /* borrowed */
	const struct trace *trace; /* borrowed */
	struct vec events; /* struct event, the last one first until slice_sort() */
	bool numbers;      /* follow numbers that were added to pointers, too */
	bool negative;     /* where one became negative is what matters most */
	bool compared;     /* some branch looked at a number that matters */
	bool refined;      /* some branch told more about a pointer */
	bool written;      /* the place it comes from was found */
	s32 argument; /* register that the path started with: of a function; 0: none */
};

/* Who wrote the register or the byte of the stack before the last step, and so on. */
void slice_reg(struct slice *slice, u32 reg);
void slice_stack(struct slice *slice, u32 frame, s32 off);
/* The branches after a step. */
void slice_branches(struct slice *slice, u32 from);
/* In order; at most so many, those that matter most. */
void slice_sort(struct slice *slice, u32 most);
void slice_fini(struct slice *slice);

#endif
