/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the aarch64 machine share.  Registers: x0 to x15 and x19 to x28 hold
 * values, x16 and x17 are scratch within an instruction, x29 and x30 are the frame
 * record.  x18 is the platform's.  Only this folder includes it.
 *
 * A frame, from the caller's stack pointer down: frame record, saved registers, BPF stack
 * (R10 is its end), arguments kept across engine calls, spill slots.
 */
#ifndef SKEP_EXEC_JIT_AARCH64_A64_H
#define SKEP_EXEC_JIT_AARCH64_A64_H

#include "exec/jit/aarch64/encode.h"
#include "exec/jit/machine.h"

enum {
	X0,
	X1,
	X13 = 13,
	X14,
	X15,
	X16,
	X17,
	X19 = 19,
};

enum a64_feature { A64_HAS_LSE = 1 };

/* A branch that waits for its target. */
struct a64_fixup {
	u32 off;
	s32 block; /* or, when negative, ~number of an edge */
};

/* An edge with moves that could not stay in line. */
struct a64_edge {
	u32 to, pred;
	u32 off;
};

struct a64 {
	const struct ir *ir;
	const struct allocation *where;
	struct native *out;
	struct native_function *function;
	u32 *block_off;
	struct a64_fixup *fixups;
	u32 n_fixups;
	struct a64_edge *edges;
	u32 n_edges;
	struct move *moves;     /* room for what happens at once */
	u32 block;              /* being emitted */
	u32 slots, kept, stack; /* bytes of the frame's parts */
	u32 saved;              /* mask of registers */
	bool record;            /* there is a frame record */
	bool tests_reach;       /* TBZ and TBNZ reach every block of the function */
	bool far;               /* conditional branches may not */
};

static inline void put(struct a64 *e, u32 word)
{
	native_u32(e->out, word);
}

static inline const struct ir_insn *value(const struct a64 *e, u32 v)
{
	return &e->ir->insns[v];
}

static inline bool is_fused(const struct ir_insn *insn)
{
	return insn->flags & IR_FUSED;
}

/* ---- emit.c: values and places ---- */

/* The register that holds the value: its own, or the scratch after loading or rebuilding
 * it. */
u8 a64_use(struct a64 *e, u32 v, u8 scratch);
/* Where to compute a value; a64_def_end() stores it when it lives in the frame. */
u8 a64_def(struct a64 *e, u32 v, u8 scratch);
void a64_def_end(struct a64 *e, u32 v, u8 reg);
void a64_mov(struct a64 *e, u8 to, u8 from);
void a64_const(struct a64 *e, u8 to, u64 value);
void a64_address(struct a64 *e, u8 to, const struct native_reloc *reloc);
/* to = sp + off */
void a64_add_sp(struct a64 *e, u8 to, u32 off);
void a64_rebuild(struct a64 *e, u32 v, u8 to);
void a64_moves(struct a64 *e, u32 n);   /* e->moves, at once */
u32 a64_frame_end(const struct a64 *e); /* offset of R10 from sp */
void a64_epilogue(struct a64 *e);
void a64_return_zero(struct a64 *e); /* from the function */
/* To a block; ir->n_blocks: a64_return_zero(), where native.returns. */
void a64_branch(struct a64 *e, s32 block);
/* The branch at from, written with distance 0, leads here. */
void a64_land(struct a64 *e, u32 from);

/* ---- the instructions ---- */

void a64_emit_alu(struct a64 *e, u32 v); /* ALU, ROTL, SWAP, MULH, COUNT */
/* Sets the flags for a CMP or JMP; the condition under which it is true. */
enum a64_cond a64_compare(struct a64 *e, const struct ir_insn *insn);
void a64_emit_cmp(struct a64 *e, u32 v);
void a64_emit_select(struct a64 *e, u32 v);
void a64_emit_memory(struct a64 *e, u32 v); /* LOAD, STORE, LOAD_ACQ, STORE_REL */
void a64_emit_atomic(struct a64 *e, u32 v);
void a64_emit_call(struct a64 *e, u32 v); /* CALL* , TAIL_CALL, LD_PACKET, CHECK */
void a64_begin(struct native *out);
/* struct run *, loaded into the scratch when it lives in the frame */
u8 a64_run(struct a64 *e, u8 scratch);

/* ---- what is part of what (select.c) ---- */

void a64_select(struct ir *ir, u32 features);
void a64_constrain(const struct ir *ir, u32 v, u32 features, struct constraint *c);

/* The amount of a fused shift to the left. */
static inline u32 shift_of(const struct ir *ir, const struct ir_insn *shift)
{
	return (u32)ir->insns[shift->b].imm & (shift->width - 1u);
}

#endif
