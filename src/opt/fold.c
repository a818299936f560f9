/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding: what an instruction computes, said more simply before it is written. Constants
 * are computed by the expressions of the instruction tables; the rest are laws of
 * arithmetic modulo 2^64 and 2^32, which hold for all values.
 *
 * A law that reaches through a sum, (x + 1) + 2 = x + 3, keeps x alive for longer: it is
 * applied only where x is needed further on, or the sum is not.
 */
#include "opt/fold.h"

#include "base/bytes.h"
#include "isa/eval.h"
#include "maps/map.h"

/* ---- constants ---- */

u64 eval_alu(u8 row, u8 width, u64 x, u64 y)
{
	switch ((enum alu)row) {
#define A(name, ...)                                                                     \
	case ALU_##name:                                                                 \
		return width == 64 ? alu64_##name(x, y) : alu32_##name(x, y);
#include "isa/alu.def"
#undef A
	case ALUS: break;
	}
	return 0;
}

static u64 eval_rotl(u8 width, u64 x, u64 by)
{
	if (width == 64)
		return x << (by & 63) | x >> (-by & 63);
	return (u32)((u32)x << (by & 31) | (u32)x >> (-by & 31));
}

static u64 high_product(bool is_signed, u64 x, u64 y)
{
	if (is_signed)
		return (u64)((__int128)(s64)x * (s64)y >> 64);
	return (u64)((unsigned __int128)x * y >> 64);
}

/* ---- what is known of bits ---- */

static u64 low_bits(u64 max)
{
	return max ? UINT64_MAX >> __builtin_clzll(max) : 0;
}

/* A sum has one bit more than the larger one, and ends in as many zeroes as both. */
static u64 may_sum(const struct builder *b, const struct ir_insn *insn, u32 depth)
{
	u64 either = may_be_set(b, insn->a, depth) | may_be_set(b, insn->b, depth);

	return either ? (low_bits(either) << 1 | 1) & ~((either & -either) - 1) : 0;
}

static u64 may_alu(const struct builder *b, const struct ir_insn *insn, u32 depth)
{
	u64 all = insn->width == 64 ? UINT64_MAX : UINT32_MAX;
	bool by_const = insn->b && is_const(b, insn->b);
	u64 y = by_const ? (u64)value_of(b, insn->b)->imm : 0;

	switch ((int)insn->row) {
	case ALU_AND:
		return all & may_be_set(b, insn->a, depth) &
		       may_be_set(b, insn->b, depth);
	case ALU_OR:
	case ALU_XOR:
		return all &
		       (may_be_set(b, insn->a, depth) | may_be_set(b, insn->b, depth));
	case ALU_ADD: return all & may_sum(b, insn, depth);
	case ALU_MOV: return all & may_be_set(b, insn->a, depth);
	case ALU_RSH:
		if (!by_const)
			return all;
		return (all & may_be_set(b, insn->a, depth)) >> (y & (insn->width - 1));
	case ALU_LSH:
		if (!by_const)
			return all;
		return all & may_be_set(b, insn->a, depth) << (y & (insn->width - 1));
	case ALU_MOD: return by_const && y ? all & low_bits(y - 1) : all;
	default: return all;
	}
}

u64 may_be_set(const struct builder *b, u32 value, u32 depth)
{
	const struct ir_insn *insn = value_of(b, value);

	if (!depth--)
		return ir_upper_is_zero(b->ir, value) ? UINT32_MAX : UINT64_MAX;
	switch ((int)insn->op) {
	case IR_CONST: return (u64)insn->imm;
	case IR_CMP: return 1;
	case IR_ALU: return may_alu(b, insn, depth);
	case IR_LOAD: return insn->row ? UINT64_MAX : UINT64_MAX >> (64 - insn->width);
	case IR_SWAP:
	case IR_LOAD_ACQ:
	case IR_ATOMIC: return UINT64_MAX >> (64 - insn->width);
	case IR_ROTL: return insn->width == 64 ? UINT64_MAX : UINT32_MAX;
	case IR_SELECT:
		return may_be_set(b, insn->b, depth) | may_be_set(b, insn->c, depth);
	default: return UINT64_MAX;
	}
}

/* ---- operands ---- */

static bool is_held(const struct builder *b, u32 value)
{
	for (u32 i = 0; i < b->graph->n_vars; i++)
		if (b->var[i] == value)
			return true;
	return false;
}

/* Is x a better operand than sum, which is x plus a constant? */
static bool prefer_inner(const struct builder *b, u32 x, u32 sum)
{
	u8 op = value_of(b, x)->op;

	if (op == IR_FRAME || op == IR_ADDR || is_held(b, x))
		return true;
	return !value_of(b, sum)->uses && !is_held(b, sum);
}

static bool is_alu(const struct builder *b, u32 value, enum alu row, u8 width)
{
	const struct ir_insn *insn = value_of(b, value);

	return insn->op == IR_ALU && insn->row == row && insn->width == width;
}

/* The value cut to the operation's width. */
static u32 cut(struct builder *b, u32 value, u8 width)
{
	return width == 64 ? value : emit_alu(b, ALU_MOV, 32, value, 0);
}

static u32 number(struct builder *b, u64 value, u8 width)
{
	return emit_const(b, width == 64 ? value : (u32)value);
}

/* A constant operand of 32 bits is written sign-extended, so that equal ones are one. */
static u32 operand(struct builder *b, u32 value, u8 width)
{
	s64 imm;

	if (width == 64)
		return value;
	value = low_part(b, value, 32);
	imm = value_of(b, value)->imm;
	if (is_const(b, value) && imm != (s32)imm)
		return emit_const(b, (u64)(s64)(s32)imm);
	return value;
}

/* Its upper half is zero, and its lower one made of lower halves. */
static void narrow(struct builder *b, struct ir_insn *insn)
{
	insn->width = 32;
	insn->a = operand(b, insn->a, 32);
	insn->b = operand(b, insn->b, 32);
}

/* ---- by row: y is the constant operand, cut or extended to the width ---- */

static u32 fold_add(struct builder *b, struct ir_insn *insn, u64 y)
{
	const struct ir_insn *x = value_of(b, insn->a);

	if (!y)
		return cut(b, insn->a, insn->width);
	if (x->op == IR_ADDR && x->row == IR_MAP_BYTES && insn->width == 64)
		return emit_addr(b, IR_MAP_BYTES, x->aux, (u64)x->imm + y);
	if (is_alu(b, insn->a, ALU_ADD, insn->width) && is_const(b, x->b) &&
	    prefer_inner(b, x->a, insn->a)) {
		u64 sum = y + (u64)value_of(b, x->b)->imm;

		if (insn->width == 32)
			sum = (u64)(s64)(s32)sum;
		return emit_alu(b, ALU_ADD, insn->width, x->a, emit_const(b, sum));
	}
	return 0;
}

static u32 fold_mul(struct builder *b, struct ir_insn *insn, u64 y)
{
	u64 all = insn->width == 64 ? UINT64_MAX : UINT32_MAX;

	y &= all;
	if (!y)
		return emit_const(b, 0);
	if (y == all)
		return emit_alu(b, ALU_NEG, insn->width, insn->a, 0);
	if (y & (y - 1))
		return 0;
	return emit_alu(b, ALU_LSH, insn->width, insn->a,
			emit_const(b, (u64)__builtin_ctzll(y)));
}

/*
 *	x >> 3 & 0x1ffffff8, (x & -64) >> 3	x >> 6 << 3
 *
 * An index of words is made one of bytes: that shift addresses can do.
 * shifted: what may be set of x >> by; y: what of that is kept.
 */
static u32 fold_index(struct builder *b, const struct ir_insn *shift, u32 by, u64 shifted,
		      u64 y)
{
	u32 zeroes = y ? (u32)__builtin_ctzll(y) : 0, word;

	if (!zeroes || zeroes > 3 || (shifted & ~y) >> zeroes)
		return 0;
	word = emit_alu(b, ALU_RSH, shift->width, shift->a, emit_const(b, by + zeroes));
	return emit_alu(b, ALU_LSH, 64, word, emit_const(b, zeroes));
}

/* The mask of what was shifted, where that is not needed. */
static u32 fold_masked_shift(struct builder *b, const struct ir_insn *insn, u64 may,
			     u64 y)
{
	struct ir_insn shift = *value_of(b, insn->a);
	u32 by;

	if (shift.op != IR_ALU || shift.row != ALU_RSH || !is_const(b, shift.b))
		return 0;
	by = (u32)value_of(b, shift.b)->imm & (shift.width - 1u);
	if (by < 32 && !(y & ~(u64)(UINT32_MAX >> by))) {
		may &= UINT32_MAX >> by;
		shift.width = 32;
	}
	if (!(may & ~y))
		return emit_alu(b, ALU_RSH, shift.width, shift.a, shift.b);
	return fold_index(b, &shift, by, may, y);
}

static u32 fold_and(struct builder *b, struct ir_insn *insn, u64 y)
{
	const struct ir_insn *x;
	u64 may = may_be_set(b, insn->a, KNOW_DEPTH);
	u32 same;

	if (insn->width == 32) {
		y &= UINT32_MAX;
		may &= UINT32_MAX;
	}
	if (!(may & y))
		return emit_const(b, 0);
	if (!(may & ~y))
		return cut(b, insn->a, insn->width);
	if (y == UINT32_MAX)
		return cut(b, insn->a, 32);
	if ((may & y) <= UINT32_MAX) {
		narrow(b, insn);
		y &= UINT32_MAX;
	}
	/* of 32 bits, what it is made of may have more than it had */
	same = fold_masked_shift(b, insn, may_be_set(b, insn->a, KNOW_DEPTH), y);
	if (same)
		return same;
	x = value_of(b, insn->a);
	if (x->op == IR_ALU && x->row == ALU_AND && is_const(b, x->b)) {
		u32 inner = x->a;

		y &= (u64)value_of(b, x->b)->imm;
		return emit_alu(b, ALU_AND, insn->width, inner,
				number(b, y, insn->width));
	}
	return 0;
}

/* Where no bit meets another one an OR is a sum, which can be part of an address. */
static u32 fold_or(struct builder *b, struct ir_insn *insn, u64 y)
{
	enum { SMALL = 4096 };
	u64 may;

	if (y == UINT64_MAX)
		return number(b, y, insn->width);
	if (!y)
		return cut(b, insn->a, insn->width);
	may = may_be_set(b, insn->a, KNOW_DEPTH);
	if (y >= SMALL || may & y)
		return 0;
	return emit_alu(b, ALU_ADD, may <= UINT32_MAX ? 64 : insn->width, insn->a,
			insn->b);
}

/* The same of a shift that addresses can do: it and the sum are one instruction. */
static u32 fold_disjoint(struct builder *b, const struct ir_insn *insn)
{
	for (u32 i = 0; i < 2; i++) {
		const struct ir_insn *x = value_of(b, i ? insn->b : insn->a);

		if (x->op == IR_ALU && x->row == ALU_LSH && x->width == insn->width &&
		    is_const(b, x->b) && (u64)value_of(b, x->b)->imm <= 3 &&
		    !(may_be_set(b, insn->a, KNOW_DEPTH) &
		      may_be_set(b, insn->b, KNOW_DEPTH)))
			return emit_alu(b, ALU_ADD, insn->width, insn->a, insn->b);
	}
	return 0;
}

/* Extensions that were written as two shifts; and what was cut and then shifted. */
static u32 fold_shift_pair(struct builder *b, struct ir_insn *insn, u32 by)
{
	const struct ir_insn *x = value_of(b, insn->a);
	u32 kept = insn->width - by, inner = x->a, left;

	if (!is_alu(b, insn->a, ALU_LSH, insn->width) || !is_const(b, x->b))
		return 0;
	left = (u32)value_of(b, x->b)->imm & (insn->width - 1u);
	if (insn->row == ALU_RSH && left == 32 && by > 32)
		return emit_alu(b, ALU_RSH, 32, inner, emit_const(b, by - 32));
	if (left != by)
		return 0;
	if (insn->row == ALU_RSH && kept == 32)
		return cut(b, inner, 32);
	if (insn->row == ALU_RSH && kept < 32)
		return emit_alu(b, ALU_AND, insn->width, inner,
				emit_const(b, (1ull << kept) - 1));
	if (insn->row == ALU_ARSH && kept == 32)
		return emit_alu(b, ALU_MOVS32, 64, inner, 0);
	if (insn->row == ALU_ARSH && (kept == 16 || kept == 8))
		return emit_alu(b, kept == 16 ? ALU_MOVS16 : ALU_MOVS8, insn->width,
				inner, 0);
	return 0;
}

/* One after the other, the same way. */
static u32 fold_shift_chain(struct builder *b, struct ir_insn *insn, u32 by)
{
	const struct ir_insn *x = value_of(b, insn->a);
	u32 sum, most = insn->width - 1u;

	if (!is_alu(b, insn->a, insn->row, insn->width) || !is_const(b, x->b) ||
	    !prefer_inner(b, x->a, insn->a))
		return 0;
	sum = by + ((u32)value_of(b, x->b)->imm & most);
	if (sum > most && insn->row != ALU_ARSH)
		return emit_const(b, 0);
	return emit_alu(b, insn->row, insn->width, x->a,
			emit_const(b, sum > most ? most : sum));
}

/* A mask of nothing but what the shift drops does nothing. */
static u32 fold_right_shift(struct builder *b, struct ir_insn *insn, u32 by)
{
	u64 all = insn->width == 64 ? UINT64_MAX : UINT32_MAX;
	u64 may = all & may_be_set(b, insn->a, KNOW_DEPTH);
	const struct ir_insn *x = value_of(b, insn->a);
	struct ir_insn shift = *insn;
	u64 mask;

	if (!(may >> by))
		return emit_const(b, 0);
	if (insn->width == 64 && may <= UINT32_MAX)
		return emit_alu(b, ALU_RSH, 32, insn->a, emit_const(b, by));
	if (!is_alu(b, insn->a, ALU_AND, insn->width) || !is_const(b, x->b))
		return 0;
	shift.a = x->a;
	mask = (u64)value_of(b, x->b)->imm & all;
	if (!((mask ^ all) >> by))
		return emit_alu(b, ALU_RSH, insn->width, shift.a, insn->b);
	may = all & may_be_set(b, shift.a, KNOW_DEPTH);
	return fold_index(b, &shift, by, may >> by, mask >> by);
}

static u32 fold_shift(struct builder *b, struct ir_insn *insn, u64 y)
{
	u32 by = y & (insn->width - 1u), same = 0;

	if (!by)
		return cut(b, insn->a, insn->width);
	if (insn->row != ALU_LSH)
		same = fold_shift_pair(b, insn, by);
	if (!same)
		same = fold_shift_chain(b, insn, by);
	if (!same && insn->row == ALU_RSH)
		same = fold_right_shift(b, insn, by);
	if (same)
		return same;
	if (insn->row == ALU_LSH)
		insn->a = low_part(b, insn->a, insn->width - by);
	if (by != y)
		insn->b = emit_const(b, by);
	return 0;
}

static u32 fold_by_const(struct builder *b, struct ir_insn *insn)
{
	u64 y = (u64)value_of(b, insn->b)->imm;

	switch ((int)insn->row) {
	case ALU_ADD: return fold_add(b, insn, y);
	case ALU_SUB:
		return emit_alu(b, ALU_ADD, insn->width, insn->a,
				emit_const(b, insn->width == 64
						      ? 0 - y
						      : (u64)(s64)(s32)(0 - y)));
	case ALU_MUL: return fold_mul(b, insn, y);
	case ALU_AND: return fold_and(b, insn, y);
	case ALU_OR: return fold_or(b, insn, y);
	case ALU_XOR: return y ? 0 : cut(b, insn->a, insn->width);
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: return fold_shift(b, insn, y);
	case ALU_DIV:
	case ALU_MOD:
	case ALU_SDIV:
	case ALU_SMOD: return fold_divide(b, insn, y);
	default: return 0;
	}
}

/* ---- rotates ---- */

static u32 fold_rotate(struct builder *b, const struct ir_insn *insn, u8 width)
{
	struct ir_insn rotate;

	if (!ir_find_rotate(b->ir, insn, width, &rotate))
		return 0;
	return ir_emit(b, &rotate);
}

/* ---- arithmetic ---- */

/* Cuts to 32 bits: of a rotate that was written in 64 bits, of what needs no cut. */
static u32 fold_cut(struct builder *b, struct ir_insn *insn)
{
	const struct ir_insn *x = value_of(b, insn->a);

	if (ir_upper_is_zero(b->ir, insn->a) ||
	    may_be_set(b, insn->a, KNOW_DEPTH) <= UINT32_MAX)
		return insn->a;
	if (ir_may_rotate(x) && x->width == 64)
		return fold_rotate(b, x, 32);
	return 0;
}

static u32 fold_extend(struct builder *b, struct ir_insn *insn)
{
	u32 from = insn->row == ALU_MOVS8 ? 8 : insn->row == ALU_MOVS16 ? 16 : 32;

	insn->a = low_part(b, insn->a, from);
	if (may_be_set(b, insn->a, KNOW_DEPTH) < 1ull << (from - 1))
		return insn->a;
	return 0;
}

static u32 fold_one_operand(struct builder *b, struct ir_insn *insn)
{
	insn->a = operand(b, insn->a, insn->width);
	if (is_const(b, insn->a)) {
		u64 x = (u64)value_of(b, insn->a)->imm;

		return emit_const(b, eval_alu(insn->row, insn->width, x, x));
	}
	if (insn->row == ALU_MOV)
		return fold_cut(b, insn);
	if (insn->row != ALU_NEG)
		return fold_extend(b, insn);
	if (is_alu(b, insn->a, ALU_NEG, insn->width))
		return cut(b, value_of(b, insn->a)->a, insn->width);
	return 0;
}

static bool commutes(u8 row)
{
	return row == ALU_ADD || row == ALU_MUL || row == ALU_OR || row == ALU_AND ||
	       row == ALU_XOR;
}

static u32 fold_same(struct builder *b, struct ir_insn *insn)
{
	switch ((int)insn->row) {
	case ALU_SUB:
	case ALU_XOR: return emit_const(b, 0);
	case ALU_AND:
	case ALU_OR: return cut(b, insn->a, insn->width);
	default: return 0;
	}
}

static u32 fold_alu(struct builder *b, struct ir_insn *insn)
{
	u32 same = 0;

	if (!insn->b)
		return fold_one_operand(b, insn);
	insn->a = operand(b, insn->a, insn->width);
	insn->b = operand(b, insn->b, insn->width);
	if (is_const(b, insn->a) && is_const(b, insn->b))
		return emit_const(b, eval_alu(insn->row, insn->width,
					      (u64)value_of(b, insn->a)->imm,
					      (u64)value_of(b, insn->b)->imm));
	if (is_const(b, insn->a) && commutes(insn->row)) {
		u32 a = insn->a;

		insn->a = insn->b;
		insn->b = a;
	}
	if (is_const(b, insn->b))
		return fold_by_const(b, insn);
	if (insn->a == insn->b)
		same = fold_same(b, insn);
	else if (ir_may_rotate(insn))
		same = fold_rotate(b, insn, insn->width);
	else if (insn->row == ALU_SUB && is_const(b, insn->a) &&
		 !value_of(b, insn->a)->imm)
		same = emit_alu(b, ALU_NEG, insn->width, insn->b, 0);
	if (!same && insn->row == ALU_OR)
		same = fold_disjoint(b, insn);
	if (alu_divides(insn->row) && is_never_zero(b, insn->b, insn->width))
		insn->flags |= IR_NONZERO;
	return same;
}

/* ---- the others ---- */

static u32 fold_rotl(struct builder *b, struct ir_insn *insn)
{
	insn->a = operand(b, insn->a, insn->width);
	if (!is_const(b, insn->b))
		return 0;
	if (is_const(b, insn->a))
		return emit_const(b,
				  eval_rotl(insn->width, (u64)value_of(b, insn->a)->imm,
					    (u64)value_of(b, insn->b)->imm));
	if (!(value_of(b, insn->b)->imm & (insn->width - 1)))
		return cut(b, insn->a, insn->width);
	return 0;
}

static u32 fold_swap(struct builder *b, struct ir_insn *insn)
{
	const struct ir_insn *x;

	insn->a = low_part(b, insn->a, insn->width);
	x = value_of(b, insn->a);
	if (x->op == IR_CONST)
		return emit_const(b, ir_swap_bytes(insn->width, (u64)x->imm));
	if (x->op == IR_SWAP && x->width == insn->width && insn->width >= 32)
		return cut(b, x->a, insn->width);
	return 0;
}

static u32 fold_mulh(struct builder *b, struct ir_insn *insn)
{
	if (!is_const(b, insn->b) || !is_const(b, insn->a))
		return 0;
	return emit_const(b, high_product(insn->row, (u64)value_of(b, insn->a)->imm,
					  (u64)value_of(b, insn->b)->imm));
}

static u32 fold_select(struct builder *b, struct ir_insn *insn)
{
	if (insn->b == insn->c)
		return insn->b;
	if (is_const(b, insn->a))
		return value_of(b, insn->a)->imm ? insn->b : insn->c;
	return 0;
}

static u32 fold_cmp(struct builder *b, struct ir_insn *insn)
{
	switch (fold_jmp(b, insn)) {
	case JMP_ALWAYS: return emit_const(b, 1);
	case JMP_NEVER: return emit_const(b, 0);
	case JMP_OPEN: break;
	}
	return 0;
}

/* A constant distance goes into the access. */
static void fold_address(struct builder *b, struct ir_insn *insn)
{
	const struct ir_insn *x = value_of(b, insn->a);
	s64 off;

	if (!is_alu(b, insn->a, ALU_ADD, 64) || !is_const(b, x->b))
		return;
	off = value_of(b, x->b)->imm;
	if (off != (s32)off || insn->imm + off != (s32)(insn->imm + off) ||
	    !prefer_inner(b, x->a, insn->a))
		return;
	insn->imm += off;
	insn->a = x->a;
}

/* As LOAD does. */
static u64 read_word(const u8 *at, const struct ir_insn *load)
{
	u32 unused = 64u - load->width;
	u64 word = load->width == 64   ? load_u64(at)
		   : load->width == 32 ? load_u32(at)
		   : load->width == 16 ? load_u16(at)
				       : load_u8(at);

	return load->row ? (u64)((s64)(word << unused) >> unused) : word;
}

/* What a frozen map holds is known now: no program that a verifier accepted writes it. */
static u32 fold_load(struct builder *b, struct ir_insn *insn)
{
	const struct ir_insn *x;
	struct map_value_range at;
	const u8 *addr;

	fold_address(b, insn);
	x = value_of(b, insn->a);
	if (!b->spec->bounded || x->op != IR_ADDR || x->row != IR_MAP_BYTES ||
	    !map_holds_constants(b->spec->maps[x->aux]))
		return 0;
	addr = (const u8 *)(uintptr_t)(x->imm + insn->imm);
	if (!map_find_value(b->spec->maps[x->aux], addr, &at) ||
	    insn->width / 8u > at.len - at.offset)
		return 0;
	return emit_const(b, read_word(addr, insn));
}

u32 fold(struct builder *b, struct ir_insn *insn)
{
	switch ((int)insn->op) {
	case IR_ALU: return fold_alu(b, insn);
	case IR_CMP: return fold_cmp(b, insn);
	case IR_ROTL: return fold_rotl(b, insn);
	case IR_SWAP: return fold_swap(b, insn);
	case IR_MULH: return fold_mulh(b, insn);
	case IR_SELECT: return fold_select(b, insn);
	case IR_STORE:
	case IR_STORE_REL:
	case IR_ATOMIC:
		insn->c = low_part(b, insn->c, insn->width);
		if (insn->b && insn->op == IR_ATOMIC)
			insn->b = low_part(b, insn->b, insn->width);
		fold_address(b, insn);
		return 0;
	case IR_LOAD: return fold_load(b, insn);
	case IR_LOAD_ACQ: fold_address(b, insn); return 0;
	default: return 0;
	}
}
