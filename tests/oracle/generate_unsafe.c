/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated programs that are unsafe, so that a verifier has to refuse every one.
 *
 * An offset is small on one way through the program, and reaches behind its memory on the
 * other.  The small one is mostly looked at first: whoever takes the other for the same
 * accepts the program.  What happens to the offset until it is used is what has to be
 * followed back from there.  Never does: anything unsafe with the memory of others,
 * should such a program ever run in the checked engine.
 */
#include "oracle/generating.h"

enum {
	SMALL = 63, /* at most, within the scratch memory with all that is added to it */
	LARGE = 100000,
	STEPS = 5,
	KEPT = ROUNDS - 8, /* a slot that nobody else has */
};

/* Jumps to behind the use. */
struct exits {
	u32 insn[STEPS], n;
};

static void emit_unknown(struct gen *g, u8 dst)
{
	emit(g, OP_LDX64, dst, SCRATCH,
	     (s16)(offsetof(struct gen_scratch, mem) + 8 * below(g, GEN_MEM / 8)), 0);
}

/* reg = a number up to most, known or not */
static void emit_offset(struct gen *g, u8 reg, s32 most)
{
	if (one_in(g, 2)) {
		emit(g, OP_MOV64_K, reg, 0, 0, most - (s32)below(g, SMALL));
		return;
	}
	emit_unknown(g, reg);
	emit(g, OP_AND64_K, reg, 0, 0, most);
}

/* A jump that nobody knows the outcome of. */
static u32 emit_choice(struct gen *g)
{
	static const enum op ops[] = {OP_JEQ64_K,  OP_JNE64_K, OP_JGT64_K,
				      OP_JSLT64_K, OP_JEQ32_K, OP_JSET64_K};

	emit_unknown(g, R0);
	return emit(g, ops[below(g, ARRAY_SIZE(ops))], R0, 0, 0, 1 + (s32)below(g, 64));
}

/* What is not jumped to is looked at first. */
static void emit_ways(struct gen *g, u8 reg)
{
	bool small_last = one_in(g, 4);
	u32 jump;

	emit_offset(g, reg, small_last ? SMALL : LARGE);
	jump = emit_choice(g);
	emit_offset(g, reg, small_last ? LARGE : SMALL);
	land(g, jump);
}

/* Through another register, or a slot of the stack: the offset is what it was. */
static void emit_detour(struct gen *g, u8 reg, u8 other)
{
	s32 n = (s32)below(g, 1000);

	switch (below(g, 7)) {
	case 0: emit(g, OP_MOV64_X, other, reg, 0, 0); break;
	case 1: emit(g, OP_MOV32_X, other, reg, 0, 0); break;
	case 2:
		emit(g, OP_STX64, FP, reg, KEPT, 0);
		emit(g, OP_LDX64, other, FP, KEPT, 0);
		break;
	case 3:
		emit(g, OP_STX32, FP, reg, KEPT, 0);
		emit(g, OP_LDX32, other, FP, KEPT, 0);
		break;
	case 4:
		emit(g, OP_MOV64_K, other, 0, 0, 0);
		emit(g, OP_ADD64_X, other, reg, 0, 0);
		break;
	case 5:
		emit(g, OP_MOV64_X, other, reg, 0, 0);
		emit(g, OP_ADD64_K, other, 0, 0, n);
		emit(g, OP_SUB64_K, other, 0, 0, n);
		break;
	case 6:
		emit(g, OP_MOV64_X, other, reg, 0, 0);
		emit(g, OP_LSH64_K, other, 0, 0, 3);
		emit(g, OP_RSH64_K, other, 0, 0, 3);
		break;
	}
	emit(g, OP_MOV64_X, reg, other, 0, 0);
}

/* reg = any number that is no more than it */
static void emit_smaller(struct gen *g, u8 reg, u8 other, struct exits *out)
{
	bool by_reg = one_in(g, 2);

	emit_unknown(g, other);
	out->insn[out->n++] = by_reg ? emit(g, OP_JGT64_X, other, reg, 0, 0)
				     : emit(g, OP_JLT64_X, reg, other, 0, 0);
	emit(g, OP_MOV64_X, reg, other, 0, 0);
}

static void gen_step(struct gen *g, u8 reg, struct exits *out)
{
	u8 other = reg_of(g, g->writable);
	u32 jump;

	switch (below(g, 8)) {
	case 0:
		jump = gen_condition(g);
		gen_alu(g);
		land(g, jump);
		return;
	case 1: gen_memory(g); return;
	case 2:
		if (g->f->depth + 1 < MAX_DEPTH)
			gen_call_function(g);
		return;
	case 3: emit_smaller(g, reg, other, out); return;
	}
	emit_detour(g, reg, other);
}

static void emit_use(struct gen *g, u8 reg)
{
	u8 address = reg_of(g, g->writable);

	if (one_in(g, 2)) {
		emit_sum(g, address, reg, SCRATCH);
	} else {
		emit(g, OP_MOV64_X, address, SCRATCH, 0, 0);
		emit(g, OP_ADD64_X, address, reg, 0, 0);
	}
	emit(g, one_in(g, 2) ? OP_LDX8 : OP_LDX64, address, address, 0, 0);
}

void gen_unsafe(struct gen *g)
{
	u8 reg = reg_of(g, CALLEE_SAVED & g->numbers);
	u16 numbers = g->numbers;
	struct exits out = {.n = 0};

	g->numbers &= (u16) ~(1u << reg);
	forget(g, (u16)(1u << reg));
	emit_ways(g, reg);
	for (u32 n = below(g, STEPS + 1); n; n--)
		gen_step(g, reg, &out);
	emit_use(g, reg);
	while (out.n)
		land(g, out.insn[--out.n]);
	g->numbers = numbers;
	refill(g, (u16)(1u << reg));
}
