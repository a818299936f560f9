/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the x86-64 machine share: what x86 makes of each row of isa's tables,
 * the features that are used where the CPU has them, and which values need no register.
 * Only this folder and its tests include it.
 *
 * R11 never holds a value and is everybody's scratch register; R10 is a second one
 * wherever a value may lie in the frame (machine.spill_scratch) or an instruction's
 * constraint clobbers it.
 */
#ifndef SKEP_EXEC_JIT_X86_64_X86_H
#define SKEP_EXEC_JIT_X86_64_X86_H

#include "exec/jit/machine.h"
#include "exec/jit/x86_64/encode.h"

enum x86_feature {
	X86_BMI1 = 1,
	X86_BMI2 = 2,
	X86_MOVBE = 4,
	X86_POPCNT = 8,
	X86_LZCNT = 16,
	X86_BLIND = MACHINE_BLIND,
};

extern const struct machine machine_x86_64;

/* ---- rows.c ---- */

enum x86_form {
	FORM_SIMPLE, /* op: enum x86_alu */
	FORM_MULTIPLY,
	FORM_DIVIDE, /* op: enum x86_unary */
	FORM_SHIFT,  /* op: enum x86_shift */
	FORM_NEGATE,
	FORM_MOVE,
	FORM_EXTEND, /* op: bits */
};

struct x86_alu_row {
	u8 form; /* enum x86_form */
	u8 op;
	bool commutes;
	bool remainder; /* FORM_DIVIDE: the result is in RDX */
};

struct x86_jmp_row {
	u8 cc;          /* after CMP, or TEST, of the operands */
	u8 unsigned_cc; /* the same of operands that are not negative */
	bool test;
};

enum x86_atomic_form { FORM_LOCKED, FORM_XADD, FORM_XCHG, FORM_CMPXCHG, FORM_LOOP };

struct x86_atomic_row {
	u8 form; /* enum x86_atomic_form */
	u8 op;   /* LOCKED, LOOP: enum x86_alu; XADD: without its result */
};

extern const struct x86_alu_row x86_alu_rows[ALUS];
extern const struct x86_jmp_row x86_jmp_rows[JMPS];
extern const struct x86_atomic_row x86_atomic_rows[ATOMICS];

/* ---- select.c ---- */

void x86_select(struct ir *ir, u32 features);

/* Is it rebuilt wherever it is used, unless the allocator gave it a register? */
static inline bool x86_is_rebuilt(const struct ir_insn *insn)
{
	return insn->op == IR_CONST || insn->op == IR_ADDR || insn->op == IR_FRAME;
}

/* ADD of FRAME and a constant, fused: an address in the frame. */
static inline bool x86_is_frame_address(const struct ir *ir, const struct ir_insn *insn)
{
	return insn->op == IR_ALU && insn->row == ALU_ADD &&
	       ir->insns[insn->a].op == IR_FRAME && ir_is_const(ir, insn->b);
}

/* Must the number not stand in the code as it is?  Small ones say nothing to anybody. */
static inline bool x86_is_blinded(s64 imm, u32 features)
{
	return features & X86_BLIND && imm != (s16)imm;
}

/* Can the value be an immediate of an operation of that width? */
static inline bool x86_fits_imm(const struct ir_insn *insn, u32 width, u32 features)
{
	return insn->op == IR_CONST && (width < 64 || fits_s32(insn->imm)) &&
	       !x86_is_blinded(insn->imm, features);
}

/* Is there a number above it that can be an immediate, too? */
static inline bool x86_has_next(s32 imm, u32 width, u32 features)
{
	s64 next = (s64)imm + 1;

	return next && next <= INT32_MAX && !(width == 8 && next > UINT8_MAX) &&
	       !x86_is_blinded(next, features);
}

/* Is the MULH, which leaves what it likes in RAX otherwise, an MULX? */
static inline bool x86_is_mulx(const struct ir_insn *insn, u32 features)
{
	return features & X86_BMI2 && !insn->row;
}

/* ---- constrain.c ---- */

void x86_constrain(const struct ir *ir, u32 number, u32 features, struct constraint *c);

/* ---- stubs.c, emit.c ---- */

void x86_begin(struct native *out);
void x86_link(u8 *place, const struct native_reloc *reloc, u64 target);
int x86_emit(const struct ir *ir, const struct allocation *where, struct native *out);

#endif
