/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of x86-64's instructions.
 *
 * All but the very short ones go through put(): a word with the opcode and what stands
 * before it, the register field and the r/m operand.  Prefixes stand in the order that
 * the manual wants: LOCK, 66/F2/F3, REX, escape, opcode, ModRM, SIB, displacement.
 */
#include <assert.h>
#include <string.h>

#include "exec/jit/x86_64/encode.h"

/* What put() takes beside the opcode's last byte. */
enum {
	MAP_0F = 0x100,
	MAP_0F38 = 0x200,
	MAP_0F3A = 0x400,
	PREFIX_66 = 0x1000,
	PREFIX_F2 = 0x2000,
	PREFIX_F3 = 0x4000,
	WIDE = 0x8000,      /* REX.W */
	BYTE_REG = 0x10000, /* the register field is 8 bits wide: 4 to 7 need a REX */
	BYTE_RM = 0x20000,  /* so is r/m */
};

enum { MOD_DISP0 = 0x00, MOD_DISP8 = 0x40, MOD_DISP32 = 0x80, MOD_REG = 0xc0 };
enum { RM_SIB = 4, RM_NO_BASE = 5 }; /* also: base RBP or R13 needs a displacement */

static void byte(struct encoder *e, u32 b)
{
	*e->at++ = (u8)b;
}

void x86_imm32(struct encoder *e, u32 word)
{
	memcpy(e->at, &word, sizeof(word));
	e->at += sizeof(word);
}

void x86_bytes(struct encoder *e, const void *bytes, u32 n)
{
	memcpy(e->at, bytes, n);
	e->at += n;
}

/* ModRM, SIB and displacement of an operand in memory; reg is shifted to its place. */
static void put_memory(struct encoder *e, u32 reg, struct x86_rm rm)
{
	bool sib = rm.index != X86_NONE || rm.base == X86_NONE || (rm.base & 7) == RM_SIB;
	u32 mod = MOD_DISP32;
	u32 base = rm.base & 7;

	if (rm.base == X86_NONE) {
		mod = MOD_DISP0; /* and 32 bits of displacement nevertheless */
		base = RM_NO_BASE;
	} else if (!rm.disp && base != RM_NO_BASE) {
		mod = MOD_DISP0;
	} else if (fits_s8(rm.disp)) {
		mod = MOD_DISP8;
	}
	byte(e, mod | reg | (sib ? RM_SIB : base));
	if (sib) {
		u32 index = rm.index == X86_NONE ? RM_SIB : rm.index & 7;

		byte(e, (u32)rm.scale << 6 | index << 3 | base);
	}
	if (mod == MOD_DISP8)
		byte(e, (u8)rm.disp);
	else if (mod == MOD_DISP32 || rm.base == X86_NONE)
		x86_imm32(e, (u32)rm.disp);
}

static void put_modrm(struct encoder *e, u8 reg, struct x86_rm rm)
{
	if (x86_is_mem(rm))
		put_memory(e, (reg & 7u) << 3, rm);
	else
		byte(e, MOD_REG | (reg & 7u) << 3 | (rm.reg & 7u));
}

/* Bit 3 of a register's number; 0 for none. */
static u32 high(u8 reg)
{
	return reg != X86_NONE && reg >= XR8;
}

static u32 rex(u32 code, u8 reg, struct x86_rm rm)
{
	u32 bits = (code & WIDE ? 8 : 0) | high(reg) << 2;

	if (x86_is_mem(rm))
		bits |= high(rm.index) << 1 | high(rm.base);
	else
		bits |= high(rm.reg);
	if (code & BYTE_REG && reg >= RSP)
		bits |= 0x40;
	if (code & BYTE_RM && !x86_is_mem(rm) && rm.reg >= RSP)
		bits |= 0x40;
	return bits ? bits | 0x40 : 0;
}

static void put(struct encoder *e, u32 code, u8 reg, struct x86_rm rm)
{
	u32 prefix = rex(code, reg, rm);

	if (code & PREFIX_66)
		byte(e, 0x66);
	if (code & PREFIX_F2)
		byte(e, 0xf2);
	if (code & PREFIX_F3)
		byte(e, 0xf3);
	if (prefix)
		byte(e, prefix);
	if (code & (MAP_0F | MAP_0F38))
		byte(e, 0x0f);
	if (code & MAP_0F38)
		byte(e, 0x38);
	byte(e, code & 0xff);
	put_modrm(e, reg, rm);
}

static u32 wide(u32 width)
{
	return width == 64 ? WIDE : 0;
}

/* For opcodes that come in pairs: even is 8 bits, odd the others.  (Where the register
 * field is a digit, up to 7, BYTE_REG may add a REX that says nothing.) */
static u32 sized(u32 width)
{
	if (width == 8)
		return BYTE_REG | BYTE_RM;
	return 1 | (width == 16 ? PREFIX_66 : wide(width));
}

static void put_imm(struct encoder *e, u32 width, s32 imm)
{
	if (width == 8) {
		byte(e, (u8)imm);
	} else if (width == 16) {
		byte(e, (u8)imm);
		byte(e, (u8)(imm >> 8));
	} else {
		x86_imm32(e, (u32)imm);
	}
}

void x86_alu_r(struct encoder *e, u32 op, u32 width, u8 dst, struct x86_rm src)
{
	put(e, op << 3 | 2 | sized(width), dst, src);
}

void x86_alu_m(struct encoder *e, u32 op, u32 width, struct x86_rm dst, u8 src)
{
	put(e, op << 3 | sized(width), src, dst);
}

void x86_alu_i(struct encoder *e, u32 op, u32 width, struct x86_rm dst, s32 imm)
{
	if (width == 8) {
		put(e, 0x80 | BYTE_RM, (u8)op, dst);
		byte(e, (u8)imm);
	} else if (width == 16 ? fits_s8((s16)imm) : fits_s8(imm)) {
		put(e, 0x82 | sized(width), (u8)op, dst);
		byte(e, (u8)imm);
	} else if (dst.reg == RAX && width >= 32) {
		if (width == 64)
			byte(e, 0x48);
		byte(e, op << 3 | 5);
		x86_imm32(e, (u32)imm);
	} else {
		put(e, 0x80 | sized(width), (u8)op, dst);
		put_imm(e, width, imm);
	}
}

void x86_test_r(struct encoder *e, u32 width, struct x86_rm a, u8 b)
{
	put(e, 0x84 | sized(width), b, a);
}

void x86_test_i(struct encoder *e, u32 width, struct x86_rm a, s32 imm)
{
	put(e, 0xf6 | sized(width), 0, a);
	put_imm(e, width, imm);
}

void x86_imul_r(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0xaf | MAP_0F | wide(width), dst, src);
}

void x86_imul_i(struct encoder *e, u32 width, u8 dst, struct x86_rm src, s32 imm)
{
	if (fits_s8(imm)) {
		put(e, 0x6b | wide(width), dst, src);
		byte(e, (u8)imm);
	} else {
		put(e, 0x69 | wide(width), dst, src);
		x86_imm32(e, (u32)imm);
	}
}

void x86_unary(struct encoder *e, u32 op, u32 width, struct x86_rm rm)
{
	put(e, 0xf6 | sized(width), (u8)op, rm);
}

void x86_sign_rdx(struct encoder *e, u32 width)
{
	if (width == 64)
		byte(e, 0x48);
	byte(e, 0x99);
}

void x86_shift_i(struct encoder *e, u32 op, u32 width, struct x86_rm dst, u32 count)
{
	put(e, (count == 1 ? 0xd0 : 0xc0) | sized(width), (u8)op, dst);
	if (count != 1)
		byte(e, count);
}

void x86_shift_cl(struct encoder *e, u32 op, u32 width, struct x86_rm dst)
{
	put(e, 0xd2 | sized(width), (u8)op, dst);
}

void x86_bswap(struct encoder *e, u32 width, u8 reg)
{
	u32 prefix = (width == 64 ? 0x48 : 0) | (reg >= XR8 ? 0x41 : 0);

	if (prefix)
		byte(e, prefix);
	byte(e, 0x0f);
	byte(e, 0xc8 | (reg & 7u));
}

void x86_popcnt(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0xb8 | MAP_0F | PREFIX_F3 | wide(width), dst, src);
}

void x86_lzcnt(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0xbd | MAP_0F | PREFIX_F3 | wide(width), dst, src);
}

void x86_bsr(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0xbd | MAP_0F | wide(width), dst, src);
}

void x86_lea(struct encoder *e, u32 width, u8 dst, struct x86_rm at)
{
	assert(x86_is_mem(at));
	put(e, 0x8d | wide(width), dst, at);
}

void x86_move(struct encoder *e, u32 width, u8 dst, u8 src)
{
	put(e, 0x89 | wide(width), src, x86_reg(dst));
}

void x86_move_i(struct encoder *e, u8 dst, u64 imm)
{
	if (imm == (u32)imm) {
		if (dst >= XR8)
			byte(e, 0x41);
		byte(e, 0xb8 | (dst & 7u));
		x86_imm32(e, (u32)imm);
	} else if (fits_s32((s64)imm)) {
		put(e, 0xc7 | WIDE, 0, x86_reg(dst));
		x86_imm32(e, (u32)imm);
	} else {
		x86_move_i64(e, dst, imm);
	}
}

u8 *x86_move_i64(struct encoder *e, u8 dst, u64 imm)
{
	byte(e, dst >= XR8 ? 0x49 : 0x48);
	byte(e, 0xb8 | (dst & 7u));
	memcpy(e->at, &imm, sizeof(imm));
	e->at += sizeof(imm);
	return e->at - sizeof(imm);
}

void x86_zero(struct encoder *e, u8 dst)
{
	x86_alu_m(e, X86_XOR, 32, x86_reg(dst), dst);
}

void x86_load(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	if (width == 8)
		put(e, 0xb6 | MAP_0F | BYTE_RM, dst, src);
	else if (width == 16)
		put(e, 0xb7 | MAP_0F, dst, src);
	else
		put(e, 0x8b | wide(width), dst, src);
}

void x86_load_signed(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	if (width == 8)
		put(e, 0xbe | MAP_0F | BYTE_RM | WIDE, dst, src);
	else if (width == 16)
		put(e, 0xbf | MAP_0F | WIDE, dst, src);
	else
		put(e, (width == 32 ? 0x63 : 0x8b) | WIDE, dst, src);
}

void x86_sign_extend_32(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	assert(width < 32);
	if (width == 8)
		put(e, 0xbe | MAP_0F | BYTE_RM, dst, src);
	else
		put(e, 0xbf | MAP_0F, dst, src);
}

void x86_store(struct encoder *e, u32 width, struct x86_rm dst, u8 src)
{
	put(e, 0x88 | sized(width), src, dst);
}

void x86_store_i(struct encoder *e, u32 width, struct x86_rm dst, s32 imm)
{
	assert(x86_is_mem(dst));
	put(e, 0xc6 | sized(width), 0, dst);
	put_imm(e, width, imm);
}

void x86_cmov(struct encoder *e, u32 cc, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0x40 | cc | MAP_0F | wide(width), dst, src);
}

void x86_setcc(struct encoder *e, u32 cc, u8 dst)
{
	put(e, 0x90 | cc | MAP_0F | BYTE_RM, 0, x86_reg(dst));
}

void x86_xchg_r(struct encoder *e, u8 a, struct x86_rm b)
{
	put(e, 0x87 | WIDE, a, b);
}

void x86_push(struct encoder *e, u8 reg)
{
	if (reg >= XR8)
		byte(e, 0x41);
	byte(e, 0x50 | (reg & 7u));
}

void x86_pop(struct encoder *e, u8 reg)
{
	if (reg >= XR8)
		byte(e, 0x41);
	byte(e, 0x58 | (reg & 7u));
}

void x86_push_m(struct encoder *e, struct x86_rm rm)
{
	put(e, 0xff, 6, rm);
}

void x86_pop_m(struct encoder *e, struct x86_rm rm)
{
	put(e, 0x8f, 0, rm);
}

void x86_lock(struct encoder *e)
{
	byte(e, 0xf0);
}

void x86_xadd(struct encoder *e, u32 width, struct x86_rm dst, u8 src)
{
	put(e, 0xc0 | MAP_0F | sized(width), src, dst);
}

void x86_xchg(struct encoder *e, u32 width, struct x86_rm dst, u8 src)
{
	put(e, 0x86 | sized(width), src, dst);
}

void x86_cmpxchg(struct encoder *e, u32 width, struct x86_rm dst, u8 src)
{
	put(e, 0xb0 | MAP_0F | sized(width), src, dst);
}

/* VEX in its three-byte form: code as for put(), vvvv the third operand. */
static void put_vex(struct encoder *e, u32 code, u8 reg, u8 vvvv, struct x86_rm rm)
{
	u32 map = code & MAP_0F38 ? 2 : 3;
	u32 r = high(reg), x = 0, b = high(rm.reg);
	u32 pp = code & PREFIX_F2 ? 3 : code & PREFIX_F3 ? 2 : code & PREFIX_66 ? 1 : 0;

	if (x86_is_mem(rm)) {
		x = high(rm.index);
		b = high(rm.base);
	}
	byte(e, 0xc4);
	byte(e, !r << 7 | !x << 6 | !b << 5 | map);
	byte(e, (code & WIDE ? 0x80u : 0) | (~(u32)vvvv & 15) << 3 | pp);
	byte(e, code & 0xff);
	put_modrm(e, reg, rm);
}

void x86_shift_x(struct encoder *e, u32 op, u32 width, u8 dst, struct x86_rm src,
		 u8 count)
{
	u32 prefix = op == X86_SHL ? PREFIX_66 : op == X86_SHR ? PREFIX_F2 : PREFIX_F3;

	put_vex(e, 0xf7 | MAP_0F38 | prefix | wide(width), dst, count, src);
}

void x86_rorx(struct encoder *e, u32 width, u8 dst, struct x86_rm src, u32 count)
{
	put_vex(e, 0xf0 | MAP_0F3A | PREFIX_F2 | wide(width), dst, 0, src);
	byte(e, count);
}

void x86_mulx(struct encoder *e, u32 width, u8 high_half, u8 low, struct x86_rm src)
{
	put_vex(e, 0xf6 | MAP_0F38 | PREFIX_F2 | wide(width), high_half, low, src);
}

void x86_andn(struct encoder *e, u32 width, u8 dst, u8 inverted, struct x86_rm src)
{
	put_vex(e, 0xf2 | MAP_0F38 | wide(width), dst, inverted, src);
}

void x86_movbe_load(struct encoder *e, u32 width, u8 dst, struct x86_rm src)
{
	put(e, 0xf0 | MAP_0F38 | (width == 16 ? PREFIX_66 : wide(width)), dst, src);
}

void x86_movbe_store(struct encoder *e, u32 width, struct x86_rm dst, u8 src)
{
	put(e, 0xf1 | MAP_0F38 | (width == 16 ? PREFIX_66 : wide(width)), src, dst);
}

void x86_jmp8(struct encoder *e, s8 distance)
{
	byte(e, 0xeb);
	byte(e, (u8)distance);
}

void x86_jmp32(struct encoder *e, s32 distance)
{
	byte(e, 0xe9);
	x86_imm32(e, (u32)distance);
}

void x86_jcc8(struct encoder *e, u32 cc, s8 distance)
{
	byte(e, 0x70 | cc);
	byte(e, (u8)distance);
}

void x86_jcc32(struct encoder *e, u32 cc, s32 distance)
{
	byte(e, 0x0f);
	byte(e, 0x80 | cc);
	x86_imm32(e, (u32)distance);
}

void x86_call32(struct encoder *e, s32 distance)
{
	byte(e, 0xe8);
	x86_imm32(e, (u32)distance);
}

void x86_call(struct encoder *e, struct x86_rm to)
{
	put(e, 0xff, 2, to);
}

void x86_jmp(struct encoder *e, struct x86_rm to)
{
	put(e, 0xff, 4, to);
}

void x86_ret(struct encoder *e)
{
	byte(e, 0xc3);
}

void x86_endbr(struct encoder *e)
{
	x86_bytes(e, "\xf3\x0f\x1e\xfa", 4);
}

void x86_lfence(struct encoder *e)
{
	x86_bytes(e, "\x0f\xae\xe8", 3);
}

void x86_rdtsc(struct encoder *e)
{
	x86_bytes(e, "\x0f\x31", 2);
}

/* One instruction for each length, as the manuals recommend. */
void x86_nops(struct encoder *e, u32 n)
{
	static const char *const nops[] = {
		"",
		"\x90",
		"\x66\x90",
		"\x0f\x1f\x00",
		"\x0f\x1f\x40\x00",
		"\x0f\x1f\x44\x00\x00",
		"\x66\x0f\x1f\x44\x00\x00",
		"\x0f\x1f\x80\x00\x00\x00\x00",
		"\x0f\x1f\x84\x00\x00\x00\x00\x00",
		"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00",
	};
	enum { LONGEST = ARRAY_SIZE(nops) - 1 };

	for (; n > LONGEST; n -= LONGEST)
		x86_bytes(e, nops[LONGEST], LONGEST);
	x86_bytes(e, nops[n], n);
}
