/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of x86-64 that the compiler uses, as bytes.
 *
 * One function a form; the caller sees to room: no instruction is longer than
 * X86_MAX_INSN bytes.  Widths are in bits.  The shortest form is chosen where several say
 * the same, but what a caller asks for is what it gets: nothing here knows what flags or
 * registers are in use.  Intel SDM volume 2.
 */
#ifndef SKEP_EXEC_JIT_X86_64_ENCODE_H
#define SKEP_EXEC_JIT_X86_64_ENCODE_H

#include "base/types.h"

/* XR8 to XR15: isa/insn.h has the names R8 and R9. */
enum x86_register {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	XR8,
	XR9,
	XR10,
	XR11,
	XR12,
	XR13,
	XR14,
	XR15,
	X86_NONE = 0xff,
};

/* As in the low bits of Jcc, SETcc and CMOVcc; ^ 1 is the opposite. */
enum x86_cc {
	CC_B = 2,
	CC_AE = 3,
	CC_E = 4,
	CC_NE = 5,
	CC_BE = 6,
	CC_A = 7,
	CC_S = 8,
	CC_NS = 9,
	CC_L = 12,
	CC_GE = 13,
	CC_LE = 14,
	CC_G = 15,
};

/* The reg field (/digit) of the groups that the instructions form. */
enum x86_alu { X86_ADD, X86_OR, X86_ADC, X86_SBB, X86_AND, X86_SUB, X86_XOR, X86_CMP };
enum x86_shift { X86_ROL, X86_ROR, X86_SHL = 4, X86_SHR, X86_SAR = 7 };
enum x86_unary { X86_NOT = 2, X86_NEG, X86_MUL, X86_IMUL, X86_DIV, X86_IDIV };

enum { X86_MAX_INSN = 15 };

/* What ModRM's r/m field says: a register, or memory at base + (index << scale) + disp.
 */
struct x86_rm {
	u8 reg;         /* X86_NONE: memory */
	u8 base, index; /* X86_NONE: none; index is never RSP */
	u8 scale;       /* 0 to 3 */
	s32 disp;
};

static inline struct x86_rm x86_reg(u8 reg)
{
	return (struct x86_rm){.reg = reg, .base = X86_NONE, .index = X86_NONE};
}

static inline struct x86_rm x86_at(u8 base, s32 disp)
{
	return (struct x86_rm){X86_NONE, base, X86_NONE, 0, disp};
}

static inline bool x86_is_mem(struct x86_rm rm)
{
	return rm.reg == X86_NONE;
}

static inline bool fits_s8(s64 n)
{
	return n == (s8)n;
}

static inline bool fits_s32(s64 n)
{
	return n == (s32)n;
}

struct encoder {
	u8 *at; /* where the next byte goes */
};

void x86_bytes(struct encoder *e, const void *bytes, u32 n);
void x86_imm32(struct encoder *e, u32 word);

/* Arithmetic: width 32 or 64; with memory as destination 8 and 16, too. */
void x86_alu_r(struct encoder *e, u32 op, u32 width, u8 dst, struct x86_rm src);
void x86_alu_m(struct encoder *e, u32 op, u32 width, struct x86_rm dst, u8 src);
void x86_alu_i(struct encoder *e, u32 op, u32 width, struct x86_rm dst, s32 imm);
void x86_test_r(struct encoder *e, u32 width, struct x86_rm a, u8 b);
void x86_test_i(struct encoder *e, u32 width, struct x86_rm a, s32 imm);
void x86_imul_r(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_imul_i(struct encoder *e, u32 width, u8 dst, struct x86_rm src, s32 imm);
void x86_unary(struct encoder *e, u32 op, u32 width, struct x86_rm rm);
void x86_sign_rdx(struct encoder *e, u32 width); /* CDQ, CQO */
void x86_shift_i(struct encoder *e, u32 op, u32 width, struct x86_rm dst, u32 count);
void x86_shift_cl(struct encoder *e, u32 op, u32 width, struct x86_rm dst);
void x86_bswap(struct encoder *e, u32 width, u8 reg);
void x86_popcnt(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_lzcnt(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
/* The number of the highest bit; of zero: the zero flag, and dst is anything. */
void x86_bsr(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_lea(struct encoder *e, u32 width, u8 dst, struct x86_rm at);

/* Moves.  move_i changes no flags, zero does. */
void x86_move(struct encoder *e, u32 width, u8 dst, u8 src);
void x86_move_i(struct encoder *e, u8 dst, u64 imm);
u8 *x86_move_i64(struct encoder *e, u8 dst, u64 imm); /* always the long form: where
							  its imm64 is */
void x86_zero(struct encoder *e, u8 dst);
/* From width bits (8 to 64), the rest zero or, extended to 64 bits, the sign. */
void x86_load(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_load_signed(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_sign_extend_32(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_store(struct encoder *e, u32 width, struct x86_rm dst, u8 src);
void x86_store_i(struct encoder *e, u32 width, struct x86_rm dst, s32 imm);
void x86_cmov(struct encoder *e, u32 cc, u32 width, u8 dst, struct x86_rm src);
void x86_setcc(struct encoder *e, u32 cc, u8 dst);
void x86_xchg_r(struct encoder *e, u8 a, struct x86_rm b); /* 64 bits */
void x86_push(struct encoder *e, u8 reg);
void x86_pop(struct encoder *e, u8 reg);
void x86_push_m(struct encoder *e, struct x86_rm rm);
void x86_pop_m(struct encoder *e, struct x86_rm rm);

/* Atomics: LOCK before what follows. */
void x86_lock(struct encoder *e);
void x86_xadd(struct encoder *e, u32 width, struct x86_rm dst, u8 src);
void x86_xchg(struct encoder *e, u32 width, struct x86_rm dst, u8 src);
void x86_cmpxchg(struct encoder *e, u32 width, struct x86_rm dst, u8 src);

/* BMI1, BMI2, MOVBE. */
void x86_shift_x(struct encoder *e, u32 op, u32 width, u8 dst, struct x86_rm src,
		 u8 count);
void x86_rorx(struct encoder *e, u32 width, u8 dst, struct x86_rm src, u32 count);
void x86_mulx(struct encoder *e, u32 width, u8 high, u8 low, struct x86_rm src);
void x86_andn(struct encoder *e, u32 width, u8 dst, u8 inverted, struct x86_rm src);
void x86_movbe_load(struct encoder *e, u32 width, u8 dst, struct x86_rm src);
void x86_movbe_store(struct encoder *e, u32 width, struct x86_rm dst, u8 src);

/* Flow.  Distances count from the end of the instruction. */
void x86_jmp8(struct encoder *e, s8 distance);
void x86_jmp32(struct encoder *e, s32 distance);
void x86_jcc8(struct encoder *e, u32 cc, s8 distance);
void x86_jcc32(struct encoder *e, u32 cc, s32 distance);
void x86_call32(struct encoder *e, s32 distance);
void x86_call(struct encoder *e, struct x86_rm to);
void x86_jmp(struct encoder *e, struct x86_rm to);
void x86_ret(struct encoder *e);
void x86_endbr(struct encoder *e);
void x86_lfence(struct encoder *e);
void x86_rdtsc(struct encoder *e);
void x86_nops(struct encoder *e, u32 n); /* n bytes of them */

#endif
