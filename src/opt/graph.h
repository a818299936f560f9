/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function as it stands in the program: its blocks, who follows whom, which registers
 * and stack slots are alive where, and what loops change.  Found in a few sweeps before
 * anything is built.  Included by src/opt alone.
 */
#ifndef SKEP_OPT_GRAPH_H
#define SKEP_OPT_GRAPH_H

#include "opt/ir.h"

enum {
	GRAPH_SLOTS = 53,                   /* at most, of the stack: promoted */
	GRAPH_VARS = N_REGS + GRAPH_SLOTS, /* a bit each of a u64 */
};

struct graph_block {
	u32 start, end; /* instructions of the program */
	s32 succ[2];    /* blocks or IR_NO_BLOCK: where the jump goes, what follows */
	u32 preds;      /* in graph.preds; those that can be reached */
	u32 n_preds;
	u32 last_pred; /* highest number among them */
	u64 reads;     /* variables that are read before they are written */
	u64 writes;
	u64 live; /* at its start */
	u64 varies; /* of a loop's header: written in the loop */
	u16 loop_depth;
	bool reached;
	bool irregular; /* of a loop's header: the loop has other ways in */
};

struct graph {
	const struct prog *prog;
	const u8 *ops;  /* by instruction of the program: enum op */
	u32 start, end; /* the function */
	struct graph_block *blocks;
	u32 n_blocks;
	u32 *preds;
	u32 n_preds;
	u32 n_vars;
	u8 *slot_of;        /* by instruction from start: the variable that the access (or
			       the call's key) is; 0: memory.  NULL: no slots */
	u8 slot_width[GRAPH_VARS]; /* by variable: 32 or 64 */
	u32 stack_size;     /* bytes below R10 that remain memory */
};

#endif
