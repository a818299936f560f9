/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Division by constants: shifts for powers of two, else a product with the reciprocal.
 *
 * With m = floor(2^k / d) + 1 and e = m * d - 2^k, n * m / 2^k is n / d + n * e / (d *
 * 2^k): its integer part is that of n / d for all 0 <= n <= 2^N as long as e < 2^(k - N),
 * since then the excess is less than 1 / d.  We look for the smallest k >= the width for
 * which that holds and m fits.  Granlund & Montgomery, "Division by invariant integers
 * using multiplication"; Warren, "Hacker's Delight", chapter 10.
 */
#include "opt/fold.h"

typedef unsigned __int128 u128;

struct reciprocal {
	u64 m;
	u32 shift; /* beyond the width of the product's lower part: k - width */
};

/* base: 2^base is the unit, 32 or 64; m must be less than that, too.  n has n_bits. */
static bool find_reciprocal(u64 d, u32 base, u32 n_bits, struct reciprocal *r)
{
	for (u32 shift = 0; shift < base && base + shift < 127; shift++) {
		u128 unit = (u128)1 << (base + shift), m = unit / d + 1;
		u128 excess = m * d - unit;

		if (m >> base)
			return false;
		if (excess < (u128)1 << (base + shift - n_bits)) {
			*r = (struct reciprocal){(u64)m, shift};
			return true;
		}
	}
	return false;
}

static u32 bits_of(u64 may)
{
	return may ? 64 - (u32)__builtin_clzll(may) : 0;
}

static u32 shift(struct builder *b, enum alu row, u32 value, u32 by)
{
	return emit_alu(b, row, 64, value, emit_const(b, by));
}

static u32 high(struct builder *b, u32 value, u64 m)
{
	return ir_emit(
		b, &(struct ir_insn){.op = IR_MULH, .a = value, .b = emit_const(b, m)});
}

/* n / d for an n of at most 32 bits in 64: one product, of which the upper part is in the
 * register or in the upper register. */
static u32 divide_narrow(struct builder *b, u32 n, u64 d, u32 n_bits)
{
	struct reciprocal r;

	if (find_reciprocal(d, 32, n_bits, &r))
		return shift(b, ALU_RSH, emit_alu(b, ALU_MUL, 64, n, emit_const(b, r.m)),
			     32 + r.shift);
	return high(b, n, (u64)(((u128)1 << 64) / d) + 1);
}

/* For 64 bits m may need 65: then n is halved once on the way, or, where d is even,
 * first. */
static u32 divide_wide(struct builder *b, u32 n, u64 d, u32 n_bits)
{
	u32 zeroes = (u32)__builtin_ctzll(d), log = bits_of(d - 1);
	struct reciprocal r;
	u32 t, rest;

	if (find_reciprocal(d, 64, n_bits, &r))
		return shift(b, ALU_RSH, high(b, n, r.m), r.shift);
	if (zeroes && find_reciprocal(d >> zeroes, 64, n_bits - zeroes, &r))
		return shift(b, ALU_RSH, high(b, shift(b, ALU_RSH, n, zeroes), r.m),
			     r.shift);
	t = high(b, n, (u64)(((((u128)1 << log) - d) << 64) / d) + 1);
	rest = shift(b, ALU_RSH, emit_alu(b, ALU_SUB, 64, n, t), 1);
	return shift(b, ALU_RSH, emit_alu(b, ALU_ADD, 64, rest, t), log - 1);
}

/* d is neither 0 nor a power of two. */
static u32 quotient(struct builder *b, u32 n, u64 d, u8 width)
{
	u32 n_bits;

	if (width == 32)
		n = emit_alu(b, ALU_MOV, 32, n, 0);
	n_bits = bits_of(may_be_set(b, n, KNOW_DEPTH));
	if (n_bits <= 32 && d > UINT32_MAX)
		return emit_const(b, 0);
	return n_bits <= 32 ? divide_narrow(b, n, d, n_bits)
			    : divide_wide(b, n, d, n_bits);
}

/* n - q * d */
static u32 rest_of(struct builder *b, u32 n, u32 q, u64 d, u8 width)
{
	u32 by = emit_const(b, width == 64 ? d : (u64)(s64)(s32)d);

	return emit_alu(b, ALU_SUB, width, n, emit_alu(b, ALU_MUL, width, q, by));
}

static u32 divide_unsigned(struct builder *b, const struct ir_insn *insn, u64 d)
{
	bool power = !(d & (d - 1)), div = insn->row == ALU_DIV;
	u32 n = insn->a, q;

	if (power && div)
		return emit_alu(b, ALU_RSH, insn->width, n,
				emit_const(b, (u64)__builtin_ctzll(d)));
	if (power)
		return emit_alu(b, ALU_AND, insn->width, n,
				emit_const(b, insn->width == 64
						      ? d - 1
						      : (u64)(s64)(s32)(d - 1)));
	q = quotient(b, n, d, insn->width);
	return div ? q : rest_of(b, n, q, d, insn->width);
}

/* Rounds towards zero: negative n get d - 1 first. */
static u32 shift_signed(struct builder *b, u32 n, u32 by, u8 width)
{
	u32 sign = emit_alu(b, ALU_ARSH, width, n, emit_const(b, width - 1u));
	u32 more = emit_alu(b, ALU_RSH, width, sign, emit_const(b, width - by));
	u32 sum = emit_alu(b, ALU_ADD, width, n, more);

	return emit_alu(b, ALU_ARSH, width, sum, emit_const(b, by));
}

/*
 * For -2^31 <= n < 0, or -2^63, the product's integer part, rounded down, is one less
 * than n / d rounded towards zero.
 */
static u32 multiply_signed(struct builder *b, u32 n, u64 d)
{
	struct reciprocal r;
	u32 wide, product, sign;

	if (!find_reciprocal(d, 32, 31, &r))
		return 0;
	wide = emit_alu(b, ALU_MOVS32, 64, n, 0);
	product = emit_alu(b, ALU_MUL, 64, wide, emit_const(b, r.m));
	sign = emit_alu(b, ALU_RSH, 64, wide, emit_const(b, 63));
	return emit_alu(b, ALU_ADD, 32, shift(b, ALU_ARSH, product, 32 + r.shift), sign);
}

/* An m of 64 bits is 2^64 more than what MULH takes it for: n is missing. */
static u32 multiply_signed_wide(struct builder *b, u32 n, u64 d)
{
	struct reciprocal r;
	u32 product, sign;

	if (!find_reciprocal(d, 64, 63, &r))
		return 0;
	product = ir_emit(
		b, &(struct ir_insn){
			   .op = IR_MULH, .row = 1, .a = n, .b = emit_const(b, r.m)});
	if (r.m >> 63)
		product = emit_alu(b, ALU_ADD, 64, product, n);
	sign = shift(b, ALU_RSH, n, 63);
	return emit_alu(b, ALU_ADD, 64, shift(b, ALU_ARSH, product, r.shift), sign);
}

static u32 divide_signed(struct builder *b, const struct ir_insn *insn, s64 d)
{
	u64 size = d < 0 ? 0 - (u64)d : (u64)d;
	u32 n = insn->a, q;

	if (!(size & (size - 1)))
		q = shift_signed(b, n, (u32)__builtin_ctzll(size), insn->width);
	else if (insn->width == 32)
		q = multiply_signed(b, n, size);
	else
		q = multiply_signed_wide(b, n, size);
	if (!q)
		return 0;
	if (d < 0)
		q = emit_alu(b, ALU_NEG, insn->width, q, 0);
	return insn->row == ALU_SDIV ? q : rest_of(b, n, q, (u64)d, insn->width);
}

/* 0 and 1 and -1: as alu.def has it. */
static u32 divide_trivial(struct builder *b, const struct ir_insn *insn, u64 d)
{
	bool div = insn->row == ALU_DIV || insn->row == ALU_SDIV;
	u32 same = insn->width == 64 ? insn->a : emit_alu(b, ALU_MOV, 32, insn->a, 0);

	if (d == 0)
		return div ? emit_const(b, 0) : same;
	if (!div)
		return emit_const(b, 0);
	return d == 1 ? same : emit_alu(b, ALU_NEG, insn->width, insn->a, 0);
}

u32 fold_divide(struct builder *b, const struct ir_insn *insn, u64 by)
{
	bool is_signed = insn->row == ALU_SDIV || insn->row == ALU_SMOD;
	s64 d = insn->width == 64 ? (s64)by : (s64)(s32)by;

	if (!is_signed && insn->width == 32)
		by = (u32)by;
	if (by == 0 || by == 1 || (is_signed && d == -1))
		return divide_trivial(b, insn, by);
	if (!is_signed)
		return divide_unsigned(b, insn, by);
	return divide_signed(b, insn, d);
}
