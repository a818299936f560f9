/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits that are counted in parallel become COUNTs, which machines have.
 *
 *	y = x - (x >> 1 & 0x55..)
 *	z = (y & 0x33..) + (y >> 2 & 0x33..)
 *	n = (z + (z >> 4) & 0x0f..) * 0x01.. >> width - 8
 *
 * is how many bits of x are set, for every x: the sums are of pairs, of fours, of bytes,
 * none of which overflows, and the product's top byte is the sum of all bytes.  It is
 * what __builtin_popcount() is for BPF, and how people write it.
 *
 *	s = x; s |= s >> 1; s |= s >> 2; .. s |= s >> width / 2
 *
 * sets all bits below the highest one, so those of ~s are the leading zeroes of x, all of
 * them if x is 0: __builtin_clz(), and what clang makes of while (x >>= 1) n++.
 */
#include "exec/jit/machine.h"

struct match {
	const struct ir *ir;
	u32 width;
};

static const struct ir_insn *at(const struct match *m, u32 value)
{
	return &m->ir->insns[value];
}

/* The value is an operation with a constant: a byte of the mask, repeated. */
static bool is_masked(const struct match *m, u32 value, enum alu row, u64 byte)
{
	const struct ir_insn *insn = at(m, value), *b = at(m, insn->b);
	u64 want = byte * (UINT64_MAX / UINT8_MAX);

	if (insn->op != IR_ALU || insn->row != row || insn->width != m->width ||
	    b->op != IR_CONST)
		return false;
	return m->width == 64 ? (u64)b->imm == want : (u32)b->imm == (u32)want;
}

static bool is_shifted(const struct match *m, u32 value, s64 by)
{
	const struct ir_insn *insn = at(m, value), *b = at(m, insn->b);

	return insn->op == IR_ALU && insn->row == ALU_RSH && insn->width == m->width &&
	       b->op == IR_CONST && b->imm == by;
}

/* x + (x >> by), or what is masked of both. */
static bool is_pair_sum(const struct match *m, u32 value, u32 mask, s64 by, u32 *x)
{
	const struct ir_insn *sum = at(m, value);

	if (sum->op != IR_ALU || sum->row != ALU_ADD || sum->width != m->width)
		return false;
	for (u32 i = 0; i < 2; i++) {
		u32 low = i ? sum->b : sum->a, high = i ? sum->a : sum->b;

		if (mask && (!is_masked(m, low, ALU_AND, mask) ||
			     !is_masked(m, high, ALU_AND, mask)))
			continue;
		*x = mask ? at(m, low)->a : low;
		high = mask ? at(m, high)->a : high;
		if (is_shifted(m, high, by) && at(m, high)->a == *x)
			return true;
	}
	return false;
}

/* x - (x >> 1 & 0x55..), or both halves of each pair added. */
static bool is_pairs(const struct match *m, u32 value, u32 *x)
{
	const struct ir_insn *insn = at(m, value);

	if (is_pair_sum(m, value, 0x55, 1, x))
		return true;
	*x = insn->a;
	return insn->op == IR_ALU && insn->row == ALU_SUB && insn->width == m->width &&
	       is_masked(m, insn->b, ALU_AND, 0x55) &&
	       is_shifted(m, at(m, insn->b)->a, 1) &&
	       at(m, at(m, insn->b)->a)->a == insn->a;
}

/* ~s: then *x is what was smeared. */
static bool is_smeared(const struct match *m, u32 value, u32 *x)
{
	const struct ir_insn *inverse = at(m, value), *b = at(m, inverse->b);
	u32 shifted;

	if (inverse->op != IR_ALU || inverse->row != ALU_XOR ||
	    inverse->width != m->width || b->op != IR_CONST || b->imm != -1)
		return false;
	value = inverse->a;
	for (u32 by = m->width / 2; by; by /= 2) {
		const struct ir_insn *step = at(m, value);
		bool exchanged;

		if (step->op != IR_ALU || step->row != ALU_OR || step->width != m->width)
			return false;
		exchanged = is_shifted(m, step->a, by);
		shifted = exchanged ? step->a : step->b;
		value = exchanged ? step->b : step->a;
		if (!is_shifted(m, shifted, by) || at(m, shifted)->a != value)
			return false;
	}
	*x = value;
	return true;
}

/* The value whose bits the shift counts, with all that it is made of, or 0. */
static u32 counted(const struct ir *ir, const struct ir_insn *insn)
{
	const struct match m = {.ir = ir, .width = insn->width};
	u32 x, product = insn->a;

	if (!is_shifted(&m, (u32)(insn - ir->insns), insn->width - 8) ||
	    !is_masked(&m, product, ALU_MUL, 1) ||
	    !is_masked(&m, at(&m, product)->a, ALU_AND, 0x0f) ||
	    !is_pair_sum(&m, at(&m, at(&m, product)->a)->a, 0, 4, &x) ||
	    !is_pair_sum(&m, x, 0x33, 2, &x) || !is_pairs(&m, x, &x))
		return 0;
	return x;
}

void drop_use(struct ir *ir, u32 value)
{
	struct ir_insn *insn = &ir->insns[value];
	struct ir_insn old = *insn;

	if (--insn->uses || (old.op != IR_ALU && old.op != IR_CMP && old.op != IR_SELECT))
		return;
	*insn = (struct ir_insn){.op = IR_NOP, .pc = old.pc};
	drop_use(ir, old.a);
	if (old.b)
		drop_use(ir, old.b);
	if (old.op == IR_SELECT)
		drop_use(ir, old.c);
}

void find_counts(struct ir *ir, bool ones)
{
	for (u32 i = 0; i < ir->n_insns; i++) {
		struct ir_insn *insn = &ir->insns[i];
		const struct match m = {.ir = ir, .width = insn->width};
		u32 x = insn->op == IR_ALU && insn->row == ALU_RSH ? counted(ir, insn)
								   : 0;
		u32 a = insn->a, b = insn->b;
		bool leading = x && is_smeared(&m, x, &x);

		if (!x || (!leading && !ones))
			continue;
		ir->insns[x].uses++;
		insn->op = IR_COUNT;
		insn->row = leading ? IR_COUNT_LEADING : IR_COUNT_ONES;
		insn->a = x;
		insn->b = 0;
		drop_use(ir, a);
		drop_use(ir, b);
	}
}
