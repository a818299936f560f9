/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What x86-64 makes of the rows of isa's tables.  A row without its macro here does not
 * compile.
 */
#include "exec/jit/x86_64/x86.h"

#define X86_ADD_ROW    FORM_SIMPLE, X86_ADD, .commutes = true
#define X86_SUB_ROW    FORM_SIMPLE, X86_SUB
#define X86_MUL_ROW    FORM_MULTIPLY, X86_IMUL, .commutes = true
#define X86_DIV_ROW    FORM_DIVIDE, X86_DIV
#define X86_SDIV_ROW   FORM_DIVIDE, X86_IDIV
#define X86_OR_ROW     FORM_SIMPLE, X86_OR, .commutes = true
#define X86_AND_ROW    FORM_SIMPLE, X86_AND, .commutes = true
#define X86_LSH_ROW    FORM_SHIFT, X86_SHL
#define X86_RSH_ROW    FORM_SHIFT, X86_SHR
#define X86_NEG_ROW    FORM_NEGATE, X86_NEG
#define X86_MOD_ROW    FORM_DIVIDE, X86_DIV, .remainder = true
#define X86_SMOD_ROW   FORM_DIVIDE, X86_IDIV, .remainder = true
#define X86_XOR_ROW    FORM_SIMPLE, X86_XOR, .commutes = true
#define X86_MOV_ROW    FORM_MOVE
#define X86_MOVS8_ROW  FORM_EXTEND, 8
#define X86_MOVS16_ROW FORM_EXTEND, 16
#define X86_MOVS32_ROW FORM_EXTEND, 32
#define X86_ARSH_ROW   FORM_SHIFT, X86_SAR

const struct x86_alu_row x86_alu_rows[ALUS] = {
#define A(name, ...) [ALU_##name] = {X86_##name##_ROW},
#include "isa/alu.def"
#undef A
};

#define X86_JEQ_ROW  CC_E, CC_E
#define X86_JGT_ROW  CC_A, CC_A
#define X86_JGE_ROW  CC_AE, CC_AE
#define X86_JSET_ROW CC_NE, CC_NE, .test = true
#define X86_JNE_ROW  CC_NE, CC_NE
#define X86_JSGT_ROW CC_G, CC_A
#define X86_JSGE_ROW CC_GE, CC_AE
#define X86_JLT_ROW  CC_B, CC_B
#define X86_JLE_ROW  CC_BE, CC_BE
#define X86_JSLT_ROW CC_L, CC_B
#define X86_JSLE_ROW CC_LE, CC_BE

const struct x86_jmp_row x86_jmp_rows[JMPS] = {
#define J(name, ...) [JMP_##name] = {X86_##name##_ROW},
#include "isa/jmp.def"
#undef J
};

#define X86_ATOMIC_ADD_ROW       FORM_LOCKED, X86_ADD
#define X86_ATOMIC_OR_ROW        FORM_LOCKED, X86_OR
#define X86_ATOMIC_AND_ROW       FORM_LOCKED, X86_AND
#define X86_ATOMIC_XOR_ROW       FORM_LOCKED, X86_XOR
#define X86_ATOMIC_FETCH_ADD_ROW FORM_XADD, X86_ADD
#define X86_ATOMIC_FETCH_OR_ROW  FORM_LOOP, X86_OR
#define X86_ATOMIC_FETCH_AND_ROW FORM_LOOP, X86_AND
#define X86_ATOMIC_FETCH_XOR_ROW FORM_LOOP, X86_XOR
#define X86_ATOMIC_XCHG_ROW      FORM_XCHG
#define X86_ATOMIC_CMPXCHG_ROW   FORM_CMPXCHG

const struct x86_atomic_row x86_atomic_rows[ATOMICS] = {
#define T(name, ...) [ATOMIC_##name] = {X86_ATOMIC_##name##_ROW},
#include "isa/atomic.def"
#undef T
};

/* Loads and stores: x86_load() and its like choose by the width. */
#define W(bits, ...)                                                                     \
	_Static_assert(bits == 8 || bits == 16 || bits == 32 || bits == 64,              \
		       "encode.c has its opcodes");
#include "isa/mem.def"
#undef W
