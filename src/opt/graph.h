/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function as it stands in the program: its blocks, who follows whom, which registers
 * and stack slots are alive where, and what loops change.  Found in a few sweeps before
 * anything is built.
 *
 * Blocks are numbered in reverse postorder: all but the first have a predecessor with a
 * lower number, and who jumps to a lower number, or to itself, jumps back.  Those that
 * cannot be reached have no number.  Included by src/opt alone.
 */
#ifndef SKEP_OPT_GRAPH_H
#define SKEP_OPT_GRAPH_H

#include "opt/ir.h"
#include "prog/prog.h"

struct abi_helper;

/* Variables: R0 to R10, the steps that may_goto has left in this frame, stack slots. */
enum {
	GRAPH_STEPS = N_REGS,
	GRAPH_FIRST_SLOT,
	GRAPH_VARS = 64, /* at most: a bit each of a u64 */
};

/* ir_functions.effects: what an instruction reads and writes, a bit each: registers and
 * GRAPH_STEPS. */
static inline u32 effect_reads(u32 effect)
{
	return effect & 0xffff;
}

static inline u32 effect_writes(u32 effect)
{
	return effect >> 16;
}

/* ir_functions.marks */
enum { MARK_ENTRY = 1, MARK_BLOCK = 2 };

struct graph_block {
	u32 start, end; /* instructions of the program */
	s32 succ[2];    /* blocks or IR_NO_BLOCK: where the jump goes, what follows */
	u32 preds;      /* in graph.preds */
	u32 n_preds;
	u32 last_pred; /* highest number among them */
	u64 reads;     /* variables that are read before they are written */
	u64 writes;
	u64 live;   /* at its start */
	u64 varies; /* of a loop's header: written in the loop; all when not known */
	u16 loop_depth;
	bool header; /* something jumps back here */
};

struct graph {
	const struct ir_spec *spec;
	const struct prog *prog;
	const u8 *ops;  /* by instruction of the program: enum op */
	u32 start, end; /* the function */
	struct graph_block *blocks;
	u32 n_blocks;
	u32 *placed; /* blocks as they stand in the program */
	bool moved;  /* that is not the order of their numbers */
	u32 *preds;  /* the first block has room for one more: where the function starts,
			when it is the head of a loop */
	u32 n_preds;
	u32 n_vars;
	u8 *slot_of; /* by instruction from start: the variable that the access (or the
			call's key) is; 0: memory.  NULL: no slots */
	u8 slot_width[GRAPH_VARS]; /* by variable: 32 or 64 */
	u32 stack_size;            /* bytes below R10 that remain memory */
};

/* Errors: ENOMEM. */
int graph_make(const struct ir_spec *spec, u32 function, struct arena *arena,
	       struct graph *out);

/* slots.c: which stack slots are variables; fills n_vars, slot_of, slot_width, stack_size
 * and the blocks' reads and writes of them.  Needs the registers' live.  Errors: ENOMEM.
 */
int graph_promote(struct graph *g, struct arena *arena);

/* ---- functions.c ---- */

/* The number of the function that starts at pc. */
u32 graph_function(const struct ir_functions *functions, u32 pc);
/* The helper's row for this program, or NULL; how many arguments it has: 5 then. */
const struct abi_helper *graph_helper(const struct prog *prog, u32 number);
u32 graph_helper_args(const struct prog *prog, u32 number);

static inline bool graph_jumps(u8 op)
{
	u8 kind = op_info(op)->kind;

	return kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO ||
	       kind == KIND_EXIT;
}

/* Before clang 18 the register of callx was in imm. */
static inline u8 graph_callx_reg(const struct insn *insn)
{
	return insn->dst_reg ? insn->dst_reg : (u8)insn->imm;
}

#endif
