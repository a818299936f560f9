/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the intermediate form: what build.c has in hand while it reads a function, and
 * what the inlined helpers (inline*.c) write with.
 *
 * ir_emit() folds, finds what was computed before, and only then appends; whoever emits
 * never has to think of that.  What is written is straight code; to branch:
 *
 *	fork_if(b, &(struct ir_insn){.op = IR_JMP, .row = JMP_JLT, .width = 32,
 *				     .a = index, .b = emit_const(b, n)}, &fork);
 *	inside = emit_alu(b, ALU_ADD, 64, base, offset);
 *	fork_else(b, &fork, inside);
 *	*ret = fork_end(b, &fork, emit_const(b, 0));
 *
 * and to loop:
 *
 *	i = loop_begin(b, &loop, emit_const(b, 0));
 *	...
 *	next = emit_alu(b, ALU_ADD, 64, i, emit_const(b, 1));
 *	loop_end(b, &loop, next, &(struct ir_insn){.op = IR_JMP, ..again while true});
 *
 * Both nest.  A JMP whose outcome is known makes no branch: then the other side is
 * written, too, but nobody gets there and it vanishes.  Included by src/opt alone.
 */
#ifndef SKEP_OPT_BUILD_H
#define SKEP_OPT_BUILD_H

#include "opt/graph.h"
#include "opt/ir.h"

enum { CSE_ENTRIES = 256 };

/* What a value is where a jump was taken, and where it was not (refine.c). */
struct refined {
	u32 value, taken, not_taken; /* value 0: nothing is known */
};

struct builder {
	const struct ir_spec *spec; /* borrowed */
	struct ir *ir;              /* being written */
	struct graph *graph; /* the function as it stands in the program; preds: as far
				as they are written */
	u32 zero;            /* CONST 0 of the first block */
	u32 pc;              /* of the program: what is emitted comes from here */
	u32 source;          /* block of the graph being read */
	u32 block;           /* block of ir being written */
	u32 var[GRAPH_VARS]; /* the value that each has now */
	u32 *out;          /* by block of the graph, n_vars each: their values at its end;
			      one more: at the function's start */
	u32 *n_edges;      /* by block of the graph: predecessors written so far */
	s32 *first, *last; /* by block of the graph: its blocks of ir, or IR_NO_BLOCK */
	struct refined *refined; /* by block of the graph: what its jump tells */
	u32 *checks;     /* by block of the graph: the CHECK of its jump back, or 0 */
	u32 start_check; /* the CHECK at the function's start, or 0 */
	u32 cap_blocks, cap_preds;
	u16 loops;            /* inlined ones around us */
	bool orphans;         /* a block was written before all who go there */
	bool recount;         /* something was taken back: uses are too many */
	u32 cse_start;        /* instructions from here on are before us on every path */
	u32 cse[CSE_ENTRIES]; /* by hash: who computed this last */
	bool failed;          /* memory ran out: what is emitted goes nowhere */
};

/* Returns the value, 0 for what has none.  Of *insn, pc and uses need not be set; a
 * CALL's or PHI's arguments come from emit_args(). */
u32 ir_emit(struct builder *b, const struct ir_insn *insn);
/* For aux: a place in ir->args. */
u32 emit_args(struct builder *b, const u32 *args, u32 n);

u32 emit_const(struct builder *b, u64 value);
u32 emit_addr(struct builder *b, enum ir_addr what, u32 index, u64 addr);
u32 emit_alu(struct builder *b, enum alu row, u8 width, u32 x, u32 y);
u32 emit_cmp(struct builder *b, enum jmp row, u8 width, u32 x, u32 y);
u32 emit_select(struct builder *b, u32 cmp, u32 yes, u32 no);
u32 emit_load(struct builder *b, u8 width, u32 base, s64 off); /* zero-extended */
void emit_store(struct builder *b, u8 width, u32 base, s64 off, u32 value);

/* ---- emit.c, for build.c ---- */

/* Appends without folding. */
u32 append(struct builder *b, const struct ir_insn *insn);
/* Starts a block behind those that are there, as b->block. */
void block_begin(struct builder *b);
/* Ends it.  Until all are there, successors are numbers of the graph's blocks, those
 * inside of one instruction inner_block(number). */
void block_end(struct builder *b, const struct ir_insn *end, s32 yes, s32 no);

static inline s32 inner_block(u32 block)
{
	return -2 - (s32)block;
}

/* rounds.c: loops that end by themselves lose their CHECK.  false: no memory. */
bool build_rounds(struct builder *b);

/* clean.c: blocks in the order of the program; those that nobody enters go.  false: no
 * memory. */
bool build_clean(struct builder *b);

static inline const struct ir_insn *value_of(const struct builder *b, u32 value)
{
	return &b->ir->insns[value];
}

static inline bool is_const(const struct builder *b, u32 value)
{
	return value_of(b, value)->op == IR_CONST;
}

/* ---- refine.c, for build.c ---- */

/* The block b->source ends with this jump, which is not folded yet. */
void refine_jump(struct builder *b, const struct ir_insn *jmp);
/* It starts, and only that block leads there. */
void refine_enter(struct builder *b, u32 from);

/* ---- control flow inside of one instruction of the program ---- */

/* Where writing stood: what follows is taken back when nobody gets there. */
struct mark {
	u32 n_insns, n_blocks, n_args, cse_start;
	struct ir_block block; /* the one that was being written */
};

enum fork_known { FORK_OPEN, FORK_TRUE, FORK_FALSE };

struct fork {
	u8 known;         /* enum fork_known: the outcome of the JMP */
	u32 from;         /* block that branches; of a loop: its header */
	u32 then_end;     /* last block of the side taken */
	u32 value;        /* that it gives; of a loop: the PHI */
	struct mark dead; /* where the side that nobody takes starts */
};

void fork_if(struct builder *b, const struct ir_insn *jmp, struct fork *fork);
void fork_else(struct builder *b, struct fork *fork, u32 value); /* value: may be 0 */
u32 fork_end(struct builder *b, struct fork *fork, u32 value);   /* of either side */
u32 loop_begin(struct builder *b, struct fork *loop, u32 first);
void loop_end(struct builder *b, struct fork *loop, u32 next,
	      const struct ir_insn *again);

/* ---- arena.c ---- */

/* The instruction at pc, b->pc, when an arena makes it another one; else false. */
bool build_arena(struct builder *b, u32 pc);
/* What the user of that map, an arena, calls its byte. */
u32 arena_address(struct builder *b, u32 index, u32 off);

/* ---- what inline*.c does ---- */

/* The call to helper `number` with these arguments: writes something better and sets *ret
 * to R0, or does nothing and returns false. */
bool inline_call(struct builder *b, u32 number, const u32 args[5], u32 *ret);

/* Will inline_call() do so for this map (an index in spec->maps), reading the key as one
 * LOAD of so many bits, by read_key()?  Then the key may live in a register.  0: no. */
u32 inline_key_bits(const struct ir_spec *spec, u32 number, u32 map);

/* The key that R2 points to, of the call at b->pc: a LOAD, or the value that the stack
 * slot has.  Zero-extended. */
u32 read_key(struct builder *b, u32 addr, u32 bits);

#endif
