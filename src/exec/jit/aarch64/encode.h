/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of A64: one function an instruction form, each returns the 32 bits.  Registers
 * are numbers 0 to 31; what 31 means (zero or the stack pointer) is the form's business.
 * wide: 64 bits, else 32.  Arguments are the caller's promise (assert).  Never does:
 * choose forms. Arm Architecture Reference Manual, DDI 0487, C4 and C6.
 */
#ifndef SKEP_EXEC_JIT_AARCH64_ENCODE_H
#define SKEP_EXEC_JIT_AARCH64_ENCODE_H

#include "base/types.h"

enum { A64_LR = 30, A64_FP = 29, A64_ZR = 31, A64_SP = 31 };

/* Conditions, as B.cond and CSEL number them. */
enum a64_cond {
	A64_EQ,
	A64_NE,
	A64_HS,
	A64_LO,
	A64_MI,
	A64_PL,
	A64_VS,
	A64_VC,
	A64_HI,
	A64_LS,
	A64_GE,
	A64_LT,
	A64_GT,
	A64_LE,
};

static inline enum a64_cond a64_not(enum a64_cond cond)
{
	return (enum a64_cond)(cond ^ 1);
}

/* Three registers: rd = rn op rm; the row says which. */
enum a64_rrr {
	A64_ADD = 0x0b000000,
	A64_ADDS = 0x2b000000,
	A64_SUB = 0x4b000000,
	A64_SUBS = 0x6b000000,
	A64_AND = 0x0a000000,
	A64_BIC = 0x0a200000,
	A64_ORR = 0x2a000000,
	A64_ORN = 0x2a200000,
	A64_EOR = 0x4a000000,
	A64_EON = 0x4a200000,
	A64_ANDS = 0x6a000000,
	A64_UDIV = 0x1ac00800,
	A64_SDIV = 0x1ac00c00,
	A64_LSLV = 0x1ac02000,
	A64_LSRV = 0x1ac02400,
	A64_ASRV = 0x1ac02800,
	A64_RORV = 0x1ac02c00,
};
enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR };

/* What the operand of a form is: to keep calls short. */
struct a64_regs {
	bool wide;
	u8 rd, rn, rm;
};

u32 a64_rrr(enum a64_rrr op, struct a64_regs r);
/* ADD, SUB and the logical ones: rm shifted by a constant; not ROR for ADD and SUB. */
u32 a64_rrr_shifted(enum a64_rrr op, struct a64_regs r, enum a64_shift shift, u32 by);
/* ADD, ADDS, SUB, SUBS: rm's lower 32 bits, zero-extended, shifted by 0 to 4; rd, rn may
 * be sp. */
u32 a64_add_uxtw(enum a64_rrr op, struct a64_regs r, u32 by);

/* ADD, ADDS, SUB, SUBS with an immediate: 12 bits, perhaps shifted by 12. */
bool a64_fits_add(u64 value);
u32 a64_add_imm(enum a64_rrr op, struct a64_regs r, u32 value);

/* AND, ORR, EOR, ANDS with an immediate that is a repeated pattern of ones; false: it is
 * not. */
bool a64_fits_logical(u64 value, bool wide);
u32 a64_logical_imm(enum a64_rrr op, struct a64_regs r, u64 value);

/* 16 bits at position hw (0 to 3). */
u32 a64_movz(bool wide, u8 rd, u16 value, u32 hw);
u32 a64_movn(bool wide, u8 rd, u16 value, u32 hw);
u32 a64_movk(bool wide, u8 rd, u16 value, u32 hw);

/* Bit fields: rd = bits [from, from + width) of rn, zero- or sign-extended. */
u32 a64_ubfx(struct a64_regs r, u32 from, u32 width);
u32 a64_sbfx(struct a64_regs r, u32 from, u32 width);
/* rd = the low width bits of rn at position to, all else zero. */
u32 a64_ubfiz(struct a64_regs r, u32 to, u32 width);
u32 a64_shift_imm(enum a64_shift shift, struct a64_regs r, u32 by);

/* rd = ra + rn * rm; MSUB: ra - rn * rm. */
u32 a64_madd(struct a64_regs r, u8 ra);
u32 a64_msub(struct a64_regs r, u8 ra);
u32 a64_clz(struct a64_regs r); /* rd = leading zeroes of rn */
u32 a64_umulh(u8 rd, u8 rn, u8 rm);
u32 a64_smulh(u8 rd, u8 rn, u8 rm);

u32 a64_rev(struct a64_regs r); /* the bytes of all of it */
u32 a64_rev16(struct a64_regs r);

u32 a64_csel(struct a64_regs r, enum a64_cond cond);
u32 a64_csinc(struct a64_regs r, enum a64_cond cond); /* cond ? rn : rm + 1 */
u32 a64_cset(bool wide, u8 rd, enum a64_cond cond);

/* ---- memory ---- */

/* An access: width in bits, sign-extended to 64 bits or not. */
struct a64_access {
	u8 width;
	bool load, is_signed;
};

/* [rn + off]: scaled 12 bits unsigned or 9 bits signed. */
bool a64_fits_offset(struct a64_access access, s64 off);
u32 a64_access_imm(struct a64_access access, u8 rt, u8 rn, s32 off);
/* [rn + rm] or [rn + (rm << log2 of the access's bytes)] */
u32 a64_access_reg(struct a64_access access, struct a64_regs r, bool scaled);
/* Two registers of 64 bits; off a multiple of 8 within +-504. */
enum a64_pair { A64_STP = 0x29000000, A64_LDP = 0x29400000 };
u32 a64_pair(enum a64_pair op, struct a64_regs r, s32 off); /* rd, rm at [rn + off] */
u32 a64_stp_before(struct a64_regs r, s32 off);             /* rn += off first */
u32 a64_ldp_after(struct a64_regs r, s32 off);              /* rn += off afterwards */

/* Ordered and exclusive: rd at [rn]; rm: the status of STXR. */
enum a64_order {
	A64_LDAR = 0x08dffc00,
	A64_STLR = 0x089ffc00,
	A64_LDXR = 0x085f7c00,
	A64_STXR = 0x08007c00,
	A64_LDAXR = 0x085ffc00,
	A64_STLXR = 0x0800fc00,
};
u32 a64_ordered(enum a64_order op, u32 width, struct a64_regs r);

/* LSE, full barrier or none: memory at [rn] op= rm, the old value in rd (zr: dropped). */
enum a64_lse {
	A64_LDADD = 0x38200000,
	A64_LDCLR = 0x38201000,
	A64_LDEOR = 0x38202000,
	A64_LDSET = 0x38203000,
	A64_SWP = 0x38208000,
};
u32 a64_lse(enum a64_lse op, u32 width, struct a64_regs r, bool ordered);
/* CASAL: [rn] == rd ? rm is stored; the old value in rd */
u32 a64_casal(u32 width, struct a64_regs r);
u32 a64_dmb_ish(void);
u32 a64_dmb_ishld(void);
u32 a64_isb(void);
u32 a64_counter(u8 rd); /* CNTVCT */

/* ---- control ---- */

/* Distances in bytes from the instruction itself; ranges are the caller's promise. */
u32 a64_b(s32 distance);
u32 a64_bl(s32 distance);
u32 a64_b_cond(enum a64_cond cond, s32 distance);
u32 a64_cbz(bool wide, u8 rt, s32 distance);
u32 a64_cbnz(bool wide, u8 rt, s32 distance);
u32 a64_tbz(u8 rt, u32 bit, s32 distance);
u32 a64_tbnz(u8 rt, u32 bit, s32 distance);
u32 a64_br(u8 rn);
u32 a64_blr(u8 rn);
u32 a64_ret(void);
u32 a64_adr(u8 rd, s32 distance); /* +- 1 MiB */
u32 a64_nop(void);
/* A landing place for indirect branches: c for calls, j for jumps. */
u32 a64_bti(bool c, bool j);

#endif
