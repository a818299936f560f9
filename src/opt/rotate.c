/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x << n with x >> (width - n) are a turned x.
 *
 * Asked while building, of what was written as wide as it is meant (fold.c); and of what
 * was not, as in objects without 32-bit instructions, when the operations became as
 * narrow as what is wanted of them (demand.c).
 */
#include "opt/rotate.h"

static const struct ir_insn *at(const struct ir *ir, u32 value)
{
	return &ir->insns[value];
}

u32 ir_low_part(const struct ir *ir, u32 value, u32 width)
{
	for (;;) {
		const struct ir_insn *insn = at(ir, value);
		u64 mask = UINT64_MAX >> (64 - width), kept;

		if (insn->op != IR_ALU)
			return value;
		switch ((int)insn->row) {
		case ALU_MOV: kept = UINT32_MAX; break;
		case ALU_MOVS8: kept = UINT8_MAX; break;
		case ALU_MOVS16: kept = UINT16_MAX; break;
		case ALU_MOVS32: kept = UINT32_MAX; break;
		case ALU_AND:
			kept = ir_is_const(ir, insn->b) ? (u64)at(ir, insn->b)->imm : 0;
			if (insn->width == 32)
				kept &= UINT32_MAX;
			break;
		default: return value;
		}
		if ((kept & mask) != mask)
			return value;
		value = insn->a;
	}
}

static u32 count_bits(u8 width)
{
	return width == 64 ? 6 : 5;
}

/* Is `value` what is left of the width when `by` is taken from it?  Constants: exactly;
 * others as shift counts. */
static bool is_rest(const struct ir *ir, u32 value, u32 by, u8 width)
{
	const struct ir_insn *insn;
	u32 mask = width - 1u, bits = count_bits(width);

	if (ir_is_const(ir, value) && ir_is_const(ir, by))
		return at(ir, value)->imm + at(ir, by)->imm == width;
	value = ir_low_part(ir, value, bits);
	by = ir_low_part(ir, by, bits);
	insn = at(ir, value);
	if (insn->op != IR_ALU)
		return false;
	if (insn->row == ALU_NEG)
		return ir_low_part(ir, insn->a, bits) == by;
	return insn->row == ALU_SUB && ir_is_const(ir, insn->a) &&
	       !(at(ir, insn->a)->imm & mask) && ir_low_part(ir, insn->b, bits) == by;
}

bool ir_find_rotate(const struct ir *ir, const struct ir_insn *sum, u8 width,
		    struct ir_insn *rotate)
{
	for (u32 i = 0; i < 2; i++) {
		const struct ir_insn *l = at(ir, i ? sum->b : sum->a);
		const struct ir_insn *r = at(ir, i ? sum->a : sum->b);
		u32 x;

		if (l->op != IR_ALU || l->row != ALU_LSH || l->width < width ||
		    r->op != IR_ALU || r->row != ALU_RSH || r->width != width)
			continue;
		if (!is_rest(ir, r->b, l->b, width) && !is_rest(ir, l->b, r->b, width))
			continue;
		if (!ir_is_const(ir, l->b)) {
			/* by 0: x ^ x, x + x */
			if (sum->row != ALU_OR || l->width != width)
				continue;
		} else if ((u64)at(ir, l->b)->imm - 1 >= width - 1u) {
			continue; /* 0, where the rest is not folded yet, is the same */
		}
		x = ir_low_part(ir, l->a, width);
		if (ir_low_part(ir, r->a, width) != x)
			continue;
		*rotate = (struct ir_insn){.op = IR_ROTL,
					   .width = width,
					   .a = x,
					   .b = ir_low_part(ir, l->b, count_bits(width))};
		return true;
	}
	return false;
}
