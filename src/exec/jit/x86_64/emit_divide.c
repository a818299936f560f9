/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Division: x86 divides RDX:RAX and traps where RFC 9669 has an answer.
 *
 *	x / 0 = 0, x % 0 = x; MIN / -1 = MIN, MIN % -1 = 0
 *
 * A divisor that is not constant is looked at first.  64-bit divisions of what fits in 32
 * bits take a third of the time, so that is looked at, too.
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

/* Short jumps inside of one instruction's code: written first, aimed later. */
static u8 *jump_from(struct emitter *m, u32 cc)
{
	if (cc == CC_ALWAYS)
		x86_jmp8(&m->e, 0);
	else
		x86_jcc8(&m->e, cc, 0);
	return m->e.at;
}

static void jump_to_here(struct emitter *m, u8 *from)
{
	assert(fits_s8(m->e.at - from));
	from[-1] = (u8)(m->e.at - from);
}

/* What is known of the divisor. */
struct divisor {
	u8 reg;
	bool never_zero, never_minus_one;
	bool narrow; /* both operands are below 2^32, unsigned */
};

static struct divisor divisor_of(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *b = insn_of(m, insn->b);
	u8 reg = register_of(m, insn->b);
	bool is_signed = x86_alu_rows[insn->row].op == X86_IDIV;
	s64 imm = insn->width == 32 ? (s32)b->imm : b->imm;
	struct divisor d = {.never_minus_one = true};

	if (is_signed)
		d.never_minus_one = b->op == IR_CONST && imm != -1;
	d.never_zero = insn->flags & IR_NONZERO || (b->op == IR_CONST && imm);
	d.narrow = !is_signed && ir_upper_is_zero(m->ir, insn->a) &&
		   ir_upper_is_zero(m->ir, insn->b);
	if (reg == NO_REG || reg == RAX || reg == RDX) {
		d.reg = take_scratch(m);
		put_value(m, d.reg, insn->b);
	} else {
		d.reg = reg;
	}
	return d;
}

static void divide(struct emitter *m, const struct ir_insn *insn, u32 width, u8 by)
{
	u32 op = x86_alu_rows[insn->row].op;

	if (op == X86_IDIV)
		x86_sign_rdx(&m->e, width);
	else
		x86_zero(&m->e, RDX);
	x86_unary(&m->e, op, width, x86_reg(by));
}

/* Where both operands are short, 64 bits wide or not is the same. */
static void divide_short(struct emitter *m, const struct ir_insn *insn, u8 by)
{
	u8 *is_short, *end;

	move_register(m, RDX, RAX);
	x86_alu_r(&m->e, X86_OR, 64, RDX, x86_reg(by));
	x86_shift_i(&m->e, X86_SHR, 64, x86_reg(RDX), 32);
	is_short = jump_from(m, CC_E);
	divide(m, insn, 64, by);
	end = jump_from(m, CC_ALWAYS);
	jump_to_here(m, is_short);
	/* the upper half of RDX is zero already, and IDIV of two numbers that are not
	 * negative is DIV */
	x86_unary(&m->e, X86_DIV, 32, x86_reg(by));
	jump_to_here(m, end);
}

/* x is in RAX; the result goes where a division puts it. */
static void result_of_zero(struct emitter *m, const struct ir_insn *insn)
{
	if (x86_alu_rows[insn->row].remainder)
		x86_move(&m->e, insn->width, RDX, RAX);
	else
		x86_zero(&m->e, RAX);
}

static void result_of_minus_one(struct emitter *m, const struct ir_insn *insn)
{
	if (x86_alu_rows[insn->row].remainder)
		x86_zero(&m->e, RDX);
	else
		x86_unary(&m->e, X86_NEG, insn->width, x86_reg(RAX));
}

void x86_emit_divide(struct emitter *m, const struct ir_insn *insn)
{
	struct divisor d = divisor_of(m, insn);
	u8 *zero = NULL, *minus_one = NULL, *end_zero = NULL, *end_minus_one = NULL;
	u32 width = insn->width;

	put_value(m, RAX, insn->a);
	if (!d.never_zero) {
		x86_test_r(&m->e, width, x86_reg(d.reg), d.reg);
		zero = jump_from(m, CC_NE);
		result_of_zero(m, insn);
		end_zero = jump_from(m, CC_ALWAYS);
		jump_to_here(m, zero);
	}
	if (!d.never_minus_one) {
		x86_alu_i(&m->e, X86_CMP, width, x86_reg(d.reg), -1);
		minus_one = jump_from(m, CC_NE);
		result_of_minus_one(m, insn);
		end_minus_one = jump_from(m, CC_ALWAYS);
		jump_to_here(m, minus_one);
	}
	if (width == 64 && !d.narrow)
		divide_short(m, insn, d.reg);
	else
		divide(m, insn, 32, d.reg);
	if (end_zero)
		jump_to_here(m, end_zero);
	if (end_minus_one)
		jump_to_here(m, end_minus_one);
	finish(m, insn, x86_alu_rows[insn->row].remainder ? RDX : RAX);
}
