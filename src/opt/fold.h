/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of folding have in common.  fold.c: arithmetic; fold_jmp.c: comparisons;
 * divide.c: divisions.
 */
#ifndef SKEP_OPT_FOLD_H
#define SKEP_OPT_FOLD_H

#include "opt/build.h"
#include "opt/rotate.h"

enum { KNOW_DEPTH = 6 }; /* instructions looked through for what is known of bits */

/* Bits that may be 1, for all that is known. */
u64 may_be_set(const struct builder *b, u32 value, u32 depth);

static inline u32 low_part(const struct builder *b, u32 value, u32 width)
{
	return ir_low_part(b->ir, value, width);
}

static inline bool alu_divides(u8 row)
{
	return row == ALU_DIV || row == ALU_MOD || row == ALU_SDIV || row == ALU_SMOD;
}

/* What the instruction tables say. */
u64 eval_alu(u8 row, u8 width, u64 x, u64 y);
bool eval_jmp(u8 row, u8 width, u64 x, u64 y);

enum jmp_known { JMP_OPEN, JMP_ALWAYS, JMP_NEVER };

/* Simplifies a JMP or a CMP in place; says so when the outcome is known. */
enum jmp_known fold_jmp(struct builder *b, struct ir_insn *jmp);

/* imply.c: the outcome of a JMP, folded already, where b writes, if the jumps on every way
 * here say it. */
enum jmp_known jumps_say(const struct builder *b, const struct ir_insn *jmp);
/* Is it known to be something else than 0 where b writes, in so many low bits? */
bool is_never_zero(struct builder *b, u32 value, u8 width);

/* Is it a comparison of cmp ? address : 0 with NULL? */
bool asks_for_null(const struct builder *b, const struct ir_insn *jmp);

/* A PURE, LOAD or STORE made simpler in place; or a value that is the same.  0: none. */
u32 fold(struct builder *b, struct ir_insn *insn);

/* DIV, MOD and their signed kin by a constant; 0: as it is. */
u32 fold_divide(struct builder *b, const struct ir_insn *insn, u64 by);

#endif
