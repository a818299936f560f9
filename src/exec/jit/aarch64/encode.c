/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bit fields of A64 instructions.  Never does: choose forms, check what a caller
 * promised beyond assert().
 */
#include "exec/jit/aarch64/encode.h"

#include <assert.h>

static u32 sf(bool wide)
{
	return (u32)wide << 31;
}

static u32 regs(struct a64_regs r)
{
	assert(r.rd < 32 && r.rn < 32 && r.rm < 32);
	return sf(r.wide) | (u32)r.rm << 16 | (u32)r.rn << 5 | r.rd;
}

/* A signed field of so many bits at a position. */
static u32 field(s64 value, u32 bits, u32 at)
{
	assert(value >= -((s64)1 << (bits - 1)) && value < (s64)1 << (bits - 1));
	return ((u32)value & ((1u << bits) - 1)) << at;
}

u32 a64_rrr(enum a64_rrr op, struct a64_regs r)
{
	return (u32)op | regs(r);
}

u32 a64_rrr_shifted(enum a64_rrr op, struct a64_regs r, enum a64_shift shift, u32 by)
{
	assert(by < (r.wide ? 64u : 32u));
	return (u32)op | regs(r) | (u32)shift << 22 | by << 10;
}

u32 a64_add_uxtw(enum a64_rrr op, struct a64_regs r, u32 by)
{
	assert(by <= 4);
	return (u32)op | 1u << 21 | regs(r) | 2u << 13 | by << 10;
}

bool a64_fits_add(u64 value)
{
	return value < 4096 || (!(value & 4095) && value < 4096 * 4096);
}

u32 a64_add_imm(enum a64_rrr op, struct a64_regs r, u32 value)
{
	bool high = value > 4095;

	assert(a64_fits_add(value));
	r.rm = 0;
	return ((u32)op ^ (0x0b000000 ^ 0x11000000)) | regs(r) | (u32)high << 22 |
	       (high ? value >> 12 : value) << 10;
}

/* A run of ones within an element of 2, 4, ... 64 bits, rotated, and repeated.  Gives
 * immr, imms and N as the instruction has them; false: that is no value of theirs. */
static bool logical_fields(u64 value, bool wide, u32 *fields)
{
	u32 size = 64, ones, turn;
	u64 mask;

	if (!wide)
		value = (u32)value | value << 32;
	if (!value || !~value)
		return false;
	while (size > 2) {
		u32 half = size / 2;

		mask = ((u64)1 << half) - 1;
		if ((value & mask) != (value >> half & mask))
			break;
		size = half;
	}
	mask = size == 64 ? ~(u64)0 : ((u64)1 << size) - 1;
	value &= mask;
	/* turn to the right until the run starts at bit 0 */
	for (turn = 0; !(value & 1) || value >> (size - 1) & 1; turn++)
		value = (value >> 1 | value << (size - 1)) & mask;
	ones = (u32)__builtin_popcountll(value);
	if (value != (ones == 64 ? ~(u64)0 : ((u64)1 << ones) - 1))
		return false;
	/* imms: the size in unary from the top, then ones - 1 */
	*fields = (u32)(size == 64) << 22 | ((size - turn) % size) << 16 |
		  (((~(size * 2 - 1) & 0x3f) | (ones - 1)) & 0x3f) << 10;
	return true;
}

bool a64_fits_logical(u64 value, bool wide)
{
	u32 fields;

	return logical_fields(value, wide, &fields);
}

u32 a64_logical_imm(enum a64_rrr op, struct a64_regs r, u64 value)
{
	u32 fields = 0;
	bool fits = logical_fields(value, r.wide, &fields);

	assert(fits);
	(void)fits;
	r.rm = 0;
	return ((u32)op ^ (0x0a000000 ^ 0x12000000)) | regs(r) | fields;
}

static u32 mov_wide(u32 op, bool wide, u8 rd, u32 value)
{
	assert(rd < 32 && value >> 16 < (wide ? 4u : 2u));
	return op | sf(wide) | value >> 16 << 21 | (value & 0xffff) << 5 | rd;
}

u32 a64_movz(bool wide, u8 rd, u16 value, u32 hw)
{
	return mov_wide(0x52800000, wide, rd, value | hw << 16);
}

u32 a64_movn(bool wide, u8 rd, u16 value, u32 hw)
{
	return mov_wide(0x12800000, wide, rd, value | hw << 16);
}

u32 a64_movk(bool wide, u8 rd, u16 value, u32 hw)
{
	return mov_wide(0x72800000, wide, rd, value | hw << 16);
}

/* ---- bit fields ---- */

enum { SBFM = 0x13000000, UBFM = 0x53000000 };

static u32 bitfield(u32 op, struct a64_regs r, u32 immr, u32 imms)
{
	r.rm = 0;
	return op | (u32)r.wide << 22 | regs(r) | immr << 16 | imms << 10;
}

u32 a64_ubfx(struct a64_regs r, u32 from, u32 width)
{
	assert(width && from + width <= (r.wide ? 64u : 32u));
	return bitfield(UBFM, r, from, from + width - 1);
}

u32 a64_sbfx(struct a64_regs r, u32 from, u32 width)
{
	assert(width && from + width <= (r.wide ? 64u : 32u));
	return bitfield(SBFM, r, from, from + width - 1);
}

u32 a64_ubfiz(struct a64_regs r, u32 to, u32 width)
{
	u32 size = r.wide ? 64 : 32;

	assert(width && to + width <= size);
	return bitfield(UBFM, r, (size - to) % size, width - 1);
}

u32 a64_shift_imm(enum a64_shift shift, struct a64_regs r, u32 by)
{
	u32 size = r.wide ? 64 : 32;

	assert(by < size);
	switch (shift) {
	case A64_LSL: return a64_ubfiz(r, by, size - by);
	case A64_LSR: return a64_ubfx(r, by, size - by);
	case A64_ASR: return a64_sbfx(r, by, size - by);
	case A64_ROR: break;
	}
	r.rm = r.rn; /* EXTR */
	return 0x13800000 | (u32)r.wide << 22 | regs(r) | by << 10;
}

/* ---- arithmetic of its own kind ---- */

u32 a64_madd(struct a64_regs r, u8 ra)
{
	return 0x1b000000 | regs(r) | (u32)ra << 10;
}

u32 a64_msub(struct a64_regs r, u8 ra)
{
	return 0x1b008000 | regs(r) | (u32)ra << 10;
}

u32 a64_umulh(u8 rd, u8 rn, u8 rm)
{
	return 0x1bc07c00 | regs((struct a64_regs){true, rd, rn, rm});
}

u32 a64_smulh(u8 rd, u8 rn, u8 rm)
{
	return 0x1b407c00 | regs((struct a64_regs){true, rd, rn, rm});
}

u32 a64_clz(struct a64_regs r)
{
	r.rm = 0;
	return 0x5ac01000 | regs(r);
}

u32 a64_rev(struct a64_regs r)
{
	r.rm = 0;
	return 0x5ac00800 | regs(r) | (u32)r.wide << 10;
}

u32 a64_rev16(struct a64_regs r)
{
	r.rm = 0;
	return 0x5ac00400 | regs(r);
}

u32 a64_csel(struct a64_regs r, enum a64_cond cond)
{
	return 0x1a800000 | regs(r) | (u32)cond << 12;
}

u32 a64_csinc(struct a64_regs r, enum a64_cond cond)
{
	return 0x1a800400 | regs(r) | (u32)cond << 12;
}

u32 a64_cset(bool wide, u8 rd, enum a64_cond cond)
{
	return a64_csinc((struct a64_regs){wide, rd, A64_ZR, A64_ZR}, a64_not(cond));
}

/* ---- memory ---- */

static u32 log2_bytes(u32 width)
{
	return (u32)__builtin_ctz(width / 8);
}

/* size and opc of a single-register access */
static u32 access_fields(struct a64_access access)
{
	u32 opc = access.load ? (access.is_signed ? 2 : 1) : 0;

	assert(!access.is_signed || access.width < 64);
	return log2_bytes(access.width) << 30 | opc << 22;
}

static bool fits_scaled(struct a64_access access, s64 off)
{
	u32 log2 = log2_bytes(access.width);

	return off >= 0 && !(off & ((1 << log2) - 1)) && off >> log2 < 4096;
}

bool a64_fits_offset(struct a64_access access, s64 off)
{
	return fits_scaled(access, off) || (off >= -256 && off < 256);
}

u32 a64_access_imm(struct a64_access access, u8 rt, u8 rn, s32 off)
{
	u32 word = access_fields(access) | (u32)rn << 5 | rt;

	if (fits_scaled(access, off))
		return word | 0x39000000 | (u32)off >> log2_bytes(access.width) << 10;
	return word | 0x38000000 | field(off, 9, 12);
}

u32 a64_access_reg(struct a64_access access, struct a64_regs r, bool scaled)
{
	r.wide = false; /* the bit is part of the size */
	return 0x38206800 | access_fields(access) | regs(r) | (u32)scaled << 12;
}

static u32 pair(u32 op, struct a64_regs r, s32 off)
{
	assert(!(off & 7));
	return op | 1u << 31 | field(off / 8, 7, 15) | (u32)r.rm << 10 | (u32)r.rn << 5 |
	       r.rd;
}

u32 a64_pair(enum a64_pair op, struct a64_regs r, s32 off)
{
	return pair((u32)op, r, off);
}

u32 a64_stp_before(struct a64_regs r, s32 off)
{
	return pair(0x29800000, r, off);
}

u32 a64_ldp_after(struct a64_regs r, s32 off)
{
	return pair(0x28c00000, r, off);
}

/* Unused register fields are all ones. */
u32 a64_ordered(enum a64_order op, u32 width, struct a64_regs r)
{
	u32 status = op == A64_STXR || op == A64_STLXR ? (u32)r.rm << 16 : 0x1f0000u;

	return (u32)op | log2_bytes(width) << 30 | status | (u32)r.rn << 5 | r.rd;
}

u32 a64_lse(enum a64_lse op, u32 width, struct a64_regs r, bool ordered)
{
	return (u32)op | log2_bytes(width) << 30 | (ordered ? 3u << 22 : 0) |
	       (u32)r.rm << 16 | (u32)r.rn << 5 | r.rd;
}

u32 a64_casal(u32 width, struct a64_regs r)
{
	return 0x08e0fc00 | log2_bytes(width) << 30 | (u32)r.rd << 16 | (u32)r.rn << 5 |
	       r.rm;
}

u32 a64_dmb_ish(void)
{
	return 0xd5033bbf;
}

u32 a64_dmb_ishld(void)
{
	return 0xd50339bf;
}

u32 a64_isb(void)
{
	return 0xd5033fdf;
}

u32 a64_counter(u8 rd)
{
	return 0xd53be040 | rd;
}

/* ---- control ---- */

static s32 words(s32 distance)
{
	assert(!(distance & 3));
	return distance / 4;
}

u32 a64_b(s32 distance)
{
	return 0x14000000 | field(words(distance), 26, 0);
}

u32 a64_bl(s32 distance)
{
	return 0x94000000 | field(words(distance), 26, 0);
}

u32 a64_b_cond(enum a64_cond cond, s32 distance)
{
	return 0x54000000 | field(words(distance), 19, 5) | (u32)cond;
}

u32 a64_cbz(bool wide, u8 rt, s32 distance)
{
	return 0x34000000 | sf(wide) | field(words(distance), 19, 5) | rt;
}

u32 a64_cbnz(bool wide, u8 rt, s32 distance)
{
	return 0x35000000 | sf(wide) | field(words(distance), 19, 5) | rt;
}

static u32 test_bit(u32 op, u8 rt, u32 bit)
{
	assert(bit < 64);
	return op | bit >> 5 << 31 | (bit & 31) << 19 | rt;
}

u32 a64_tbz(u8 rt, u32 bit, s32 distance)
{
	return test_bit(0x36000000, rt, bit) | field(words(distance), 14, 5);
}

u32 a64_tbnz(u8 rt, u32 bit, s32 distance)
{
	return test_bit(0x37000000, rt, bit) | field(words(distance), 14, 5);
}

u32 a64_br(u8 rn)
{
	return 0xd61f0000 | (u32)rn << 5;
}

u32 a64_blr(u8 rn)
{
	return 0xd63f0000 | (u32)rn << 5;
}

u32 a64_ret(void)
{
	return 0xd65f03c0;
}

u32 a64_adr(u8 rd, s32 distance)
{
	assert(distance >= -(1 << 20) && distance < 1 << 20);
	return 0x10000000 | ((u32)distance & 3) << 29 | field(distance >> 2, 19, 5) | rd;
}

u32 a64_nop(void)
{
	return 0xd503201f;
}

u32 a64_bti(bool c, bool j)
{
	return 0xd503241f | (u32)c << 6 | (u32)j << 7;
}
