/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts that statements of assembly text are made of: registers, numbers, memory,
 * names in brackets.  need: fail if it is not there.  Only the assembler includes this.
 */
#ifndef SKEP_ISA_ASM_OPERAND_H
#define SKEP_ISA_ASM_OPERAND_H

#include "isa/asm_insn.h"

/* A memory operand: *(u32 *)(r1 + 4) */
struct memory {
	u8 width;
	bool sign_extends;
	u8 reg;
	s16 off;
};

/* Encoding: the op, with the fields that are not operands. */
void asm_set_op(struct statement *st, enum op op);
void asm_set_lddw(struct statement *st, enum lddw_src src);
/* ... and the address in dst_reg or src_reg. */
void asm_set_access(struct statement *st, enum op op, const struct memory *m,
		    bool to_dst);

/* Registers: r0 to r10; those of an operation of 32 (half) or 64 bits; those that hold
 * what an access of this width transfers. */
int asm_need_full_reg(struct scan *s, u8 *number);
int asm_need_reg_of(struct scan *s, bool half, u8 *number);
int asm_need_reg_for(struct scan *s, u8 width, u8 *number);

int asm_need_imm(struct scan *s, s32 *imm);
int asm_accept_addend(struct scan *s, s64 min, s64 max, s64 *value); /* + 4, - 4, or 0 */

int asm_need_name(struct scan *s, struct statement *st);
int asm_need_bracketed_name(struct scan *s, struct statement *st, enum want want);
int asm_need_bracketed_numbers(struct scan *s, s32 *first, s64 *second);

int asm_need_type(struct scan *s, struct memory *m);    /* (u32 *) */
int asm_need_address(struct scan *s, struct memory *m); /* r1 + 4 */
int asm_need_memory(struct scan *s, struct memory *m);  /* (u32 *)(r1 + 4) */

/* The operator of one of the rows, the longest that fits; -1 if there is none. */
int asm_accept_row(struct scan *s, const char *const *texts, int n);

/* The second operand of arithmetic and of comparisons; sets the instruction. */
int asm_need_operand(struct scan *s, struct statement *st, enum op_kind kind, u8 row,
		     bool half);

/* What stands on the right of "=" when a register is on the left; half: it is w0. */
int asm_assign(struct scan *s, struct statement *st, bool half);

#endif
