/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic.  The result is computed in its own register, over the first operand where
 * that is there already; the three-operand forms (LEA, IMUL, BMI2) where it is not.  A
 * second operand that lies in the result's register is the trap: commute, negate, or go
 * through R11.
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

static u32 number_of(const struct emitter *m, const struct ir_insn *insn)
{
	return (u32)(insn - m->ir->insns);
}

/* ---- ADD, SUB, OR, AND, XOR ---- */

/* AND with a number whose upper half is zero gives a zero upper half. */
static u32 width_of(const struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *b = insn_of(m, insn->b);

	if (insn->row == ALU_AND && b->op == IR_CONST && (u64)b->imm <= UINT32_MAX)
		return 32;
	return insn->width;
}

/* The flags are those of the result, until something else is emitted. */
static void note_flags(struct emitter *m, const struct ir_insn *insn)
{
	m->flags_of = number_of(m, insn);
	m->flags_at = (u32)(m->e.at - m->out->code);
}

static void add_or_lea(struct emitter *m, const struct ir_insn *insn, u8 dst, s32 imm)
{
	u8 a = register_of(m, insn->a);

	if (dst == a) {
		x86_alu_i(&m->e, X86_ADD, insn->width, x86_reg(dst), imm);
		note_flags(m, insn);
	} else {
		x86_lea(&m->e, insn->width, dst, x86_at(a, imm));
	}
}

/* The slot itself is added to. */
static bool in_slot(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	s16 home = m->where->loc[number_of(m, insn)];
	u32 width = width_of(m, insn);
	s32 imm;
	u8 b;

	if (!loc_is_slot(home) || home != m->where->loc[insn->a] || width != 64)
		return false;
	b = register_of(m, insn->b);
	if (immediate_of(m, insn->b, width, &imm))
		x86_alu_i(&m->e, op, width, place_of(m, home), imm);
	else if (b != NO_REG)
		x86_alu_m(&m->e, op, width, place_of(m, home), b);
	else
		return false;
	forget_slot(m, home);
	note_flags(m, insn);
	return true;
}

/* AND with 0xff or 0xffff */
static void zero_extend(struct emitter *m, const struct ir_insn *insn, u32 width)
{
	struct x86_rm a = operand_of(m, insn->a);
	u8 dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	x86_load(&m->e, width, dst, a);
	finish(m, insn, dst);
}

static void simple_imm(struct emitter *m, const struct ir_insn *insn, u32 op, s32 imm)
{
	u32 width = width_of(m, insn);
	u8 dst = x86_target(m, insn), a = register_of(m, insn->a);

	if (op == X86_ADD && a != NO_REG) {
		add_or_lea(m, insn, dst, imm);
	} else {
		put_value(m, dst, insn->a);
		if (op == X86_XOR && imm == -1) {
			x86_unary(&m->e, X86_NOT, width, x86_reg(dst));
		} else {
			x86_alu_i(&m->e, op, width, x86_reg(dst), imm);
			note_flags(m, insn);
		}
	}
	finish(m, insn, dst);
}

/* a + (x << n), where the shift is fused */
static void add_shifted(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *shift = insn_of(m, insn->b);
	u8 base = in_register(m, insn->a), index = in_register(m, shift->a), dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	x86_lea(&m->e, insn->width, dst,
		(struct x86_rm){X86_NONE, base, index, (u8)insn_of(m, shift->b)->imm, 0});
	finish(m, insn, dst);
}

/* dst = a op b, where b is an operand and may mention dst. */
static void simple_operand(struct emitter *m, const struct ir_insn *insn, u32 op,
			   struct x86_rm b)
{
	u32 width = width_of(m, insn);
	u8 dst = x86_target(m, insn), a = register_of(m, insn->a);

	if (op == X86_ADD && a != NO_REG && !x86_is_mem(b) && dst != a && dst != b.reg) {
		x86_lea(&m->e, width, dst, (struct x86_rm){X86_NONE, a, b.reg, 0, 0});
	} else if (a != dst && a != NO_REG && x86_is_mem(b) && op != X86_SUB) {
		x86_load(&m->e, width, dst, b);
		x86_alu_r(&m->e, op, width, dst, x86_reg(a));
		note_flags(m, insn);
	} else if (a == dst || !mentions(b, dst)) {
		put_value(m, dst, insn->a);
		x86_alu_r(&m->e, op, width, dst, b);
		note_flags(m, insn);
	} else if (x86_is_mem(b)) {
		/* dst is no scratch register: b's may be used again */
		u8 reg = (release_scratch(m), take_scratch(m));

		x86_load(&m->e, width, reg, b);
		put_value(m, dst, insn->a);
		x86_alu_r(&m->e, op, width, dst, x86_reg(reg));
	} else {
		if (op == X86_SUB) {
			x86_unary(&m->e, X86_NEG, width, x86_reg(dst));
			op = X86_ADD;
		}
		x86_alu_r(&m->e, op, width, dst, operand_of(m, insn->a));
	}
	finish(m, insn, dst);
}

static void emit_simple(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	const struct ir_insn *b = insn_of(m, insn->b);
	s32 imm;

	if (in_slot(m, insn, op))
		return;
	if (b->op == IR_CMP && b->flags & IR_FUSED)
		x86_emit_add_carry(m, insn);
	else if (b->op == IR_ALU && b->flags & IR_FUSED &&
		 !x86_is_frame_address(m->ir, b))
		add_shifted(m, insn);
	else if (op == X86_AND && b->op == IR_CONST &&
		 (b->imm == UINT8_MAX || b->imm == UINT16_MAX))
		zero_extend(m, insn, b->imm == UINT8_MAX ? 8 : 16);
	else if (immediate_of(m, insn->b, width_of(m, insn), &imm))
		simple_imm(m, insn, op, imm);
	else
		simple_operand(m, insn, op, operand_of(m, insn->b));
}

/* ---- MUL ---- */

/* n = (2^scale + 1) << shift, where that takes two instructions of a cycle each: IMUL
 * takes three. */
static bool is_lea_product(s32 n, u8 *scale, u32 *shift)
{
	enum { MAX_SHIFT = 5 };

	for (*shift = 0; *shift < MAX_SHIFT && n > 0 && !(n & 1); ++*shift)
		n >>= 1;
	*scale = n == 3 ? 1 : n == 5 ? 2 : 3;
	return n == 3 || n == 5 || n == 9;
}

static void multiply_imm(struct emitter *m, const struct ir_insn *insn, s32 imm)
{
	u8 a = register_of(m, insn->a), dst, scale;
	struct x86_rm rm;
	u32 shift;

	if (a != NO_REG && is_lea_product(imm, &scale, &shift)) {
		dst = x86_target(m, insn);
		x86_lea(&m->e, insn->width, dst,
			(struct x86_rm){X86_NONE, a, a, scale, 0});
		if (shift == 1)
			x86_alu_r(&m->e, X86_ADD, insn->width, dst, x86_reg(dst));
		else if (shift)
			x86_shift_i(&m->e, X86_SHL, insn->width, x86_reg(dst), shift);
	} else {
		rm = operand_of(m, insn->a);
		release_scratch(m);
		dst = x86_target(m, insn);
		x86_imul_i(&m->e, insn->width, dst, rm, imm);
	}
	finish(m, insn, dst);
}

static void emit_multiply(struct emitter *m, const struct ir_insn *insn)
{
	struct x86_rm b;
	s32 imm;
	u8 dst;

	if (immediate_of(m, insn->b, insn->width, &imm)) {
		multiply_imm(m, insn, imm);
		return;
	}
	b = operand_of(m, insn->b);
	dst = x86_target(m, insn);
	if (register_of(m, insn->a) != dst && mentions(b, dst)) {
		if (x86_is_mem(b)) {
			u8 reg = (release_scratch(m), take_scratch(m));

			x86_load(&m->e, insn->width, reg, b);
			put_value(m, dst, insn->a);
			x86_imul_r(&m->e, insn->width, dst, x86_reg(reg));
		} else {
			x86_imul_r(&m->e, insn->width, dst, operand_of(m, insn->a));
		}
	} else {
		put_value(m, dst, insn->a);
		x86_imul_r(&m->e, insn->width, dst, b);
	}
	finish(m, insn, dst);
}

/* ---- shifts and rotates ---- */

static void shift_by(struct emitter *m, const struct ir_insn *insn, u32 op, u32 count)
{
	u8 dst = x86_target(m, insn), a = register_of(m, insn->a);

	if (op == X86_SHL && a != NO_REG && a != dst && count <= 3 && count) {
		/* x + x is one byte and a cycle less than 0 + x * 2 */
		struct x86_rm at = {X86_NONE, count == 1 ? a : X86_NONE, a,
				    count == 1 ? 0 : (u8)count, 0};

		x86_lea(&m->e, insn->width, dst, at);
	} else if (op == X86_SHL && count == 1 && a == dst) {
		x86_alu_r(&m->e, X86_ADD, insn->width, dst, x86_reg(dst));
	} else {
		put_value(m, dst, insn->a);
		if (count) {
			x86_shift_i(&m->e, op, insn->width, x86_reg(dst), count);
			if (op != X86_ROL)
				note_flags(m, insn);
		} else if (insn->width == 32)
			x86_move(&m->e, 32, dst, dst);
	}
	finish(m, insn, dst);
}

/* The count must be in CL: the work is done in R11 where RCX or the count's register is
 * the result's, or the first operand ends in RCX. */
static void shift_by_cl(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	u8 a = register_of(m, insn->a), b = register_of(m, insn->b);
	u8 dst = x86_target(m, insn), work = dst;

	if (dst == RCX || dst == b || (a == RCX && b != RCX))
		work = dst == XR11 ? XR11 : take_scratch(m);
	put_value(m, work, insn->a);
	if (b != RCX)
		put_value(m, RCX, insn->b);
	x86_shift_cl(&m->e, op, insn->width, x86_reg(work));
	finish(m, insn, work);
}

static void emit_shift(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	const struct ir_insn *count = insn_of(m, insn->b);
	struct x86_rm a;
	u8 b, dst;

	if (count->op == IR_CONST) {
		shift_by(m, insn, op, (u32)count->imm & (insn->width - 1u));
	} else if (m->features & X86_BMI2) {
		b = in_register(m, insn->b);
		a = operand_of(m, insn->a);
		release_scratch(m);
		dst = x86_target(m, insn);
		x86_shift_x(&m->e, op, insn->width, dst, a, b);
		finish(m, insn, dst);
	} else {
		shift_by_cl(m, insn, op);
	}
}

void x86_emit_rotl(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *b = insn_of(m, insn->b);
	u32 count = (u32)b->imm & (insn->width - 1u);
	struct x86_rm a;
	u8 dst;

	if (b->op != IR_CONST) {
		shift_by_cl(m, insn, X86_ROL);
		return;
	}
	if (m->features & X86_BMI2 && count) {
		a = operand_of(m, insn->a);
		release_scratch(m);
		dst = x86_target(m, insn);
		if (a.reg != dst) {
			x86_rorx(&m->e, insn->width, dst, a, insn->width - count);
			finish(m, insn, dst);
			return;
		}
		release_scratch(m);
	}
	shift_by(m, insn, X86_ROL, count);
}

/* ---- the rest ---- */

static void emit_negate(struct emitter *m, const struct ir_insn *insn)
{
	u8 dst = x86_target(m, insn);

	put_value(m, dst, insn->a);
	x86_unary(&m->e, X86_NEG, insn->width, x86_reg(dst));
	finish(m, insn, dst);
}

/* Of 32 bits: the upper half is cut off. */
static void emit_move(struct emitter *m, const struct ir_insn *insn)
{
	struct x86_rm a = operand_of(m, insn->a);
	u8 dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	x86_load(&m->e, insn->width, dst, a);
	finish(m, insn, dst);
}

static void emit_extend(struct emitter *m, const struct ir_insn *insn, u32 bits)
{
	struct x86_rm a = operand_of(m, insn->a);
	u8 dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	if (insn->width == 64)
		x86_load_signed(&m->e, bits, dst, a);
	else if (bits == 32)
		x86_load(&m->e, 32, dst, a);
	else
		x86_sign_extend_32(&m->e, bits, dst, a);
	finish(m, insn, dst);
}

/* Is all above the low 16 bits zero? */
static bool is_halfword(const struct emitter *m, u32 value)
{
	const struct ir_insn *insn = insn_of(m, value), *b = insn_of(m, insn->b);

	if (insn->op == IR_LOAD)
		return insn->width <= 16 && !insn->row;
	return insn->op == IR_ALU && insn->row == ALU_AND && b->op == IR_CONST &&
	       (u64)b->imm <= UINT16_MAX;
}

void x86_emit_swap(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *load = insn_of(m, insn->a);
	u8 dst;

	if (load->flags & IR_FUSED && load->op == IR_LOAD) {
		struct x86_rm at = address_of(m, load);

		release_scratch(m);
		dst = x86_target(m, insn);
		x86_movbe_load(&m->e, insn->width, dst, at);
	} else {
		dst = x86_target(m, insn);
		put_value(m, dst, insn->a);
		if (insn->width == 16 && is_halfword(m, insn->a)) {
			x86_shift_i(&m->e, X86_ROL, 16, x86_reg(dst), 8);
		} else {
			x86_bswap(&m->e, insn->width == 64 ? 64 : 32, dst);
			if (insn->width == 16)
				x86_shift_i(&m->e, X86_SHR, 32, x86_reg(dst), 16);
		}
	}
	finish(m, insn, dst);
}

void x86_emit_mulh(struct emitter *m, const struct ir_insn *insn)
{
	u32 a = insn->a, b = insn->b;
	bool mulx = x86_is_mulx(insn, m->features);
	u8 first = mulx ? RDX : RAX, dst;
	struct x86_rm rm;

	/* what is in the register that the multiplication reads is its first operand;
	 * what is in the other one, or rebuilt, had better be */
	if (register_of(m, b) == first ||
	    (register_of(m, a) != first && m->where->loc[b] == LOC_NONE)) {
		a = insn->b;
		b = insn->a;
	}
	rm = operand_of(m, b);
	if (register_of(m, a) != first && rm.reg == first) {
		/* the same value twice, or both want it */
		u8 reg = take_scratch(m);

		move_register(m, reg, first);
		rm = x86_reg(reg);
	}
	put_value(m, first, a);
	if (mulx) {
		release_scratch(m);
		dst = x86_target(m, insn);
		forget_held(m); /* the lower half goes to R11 */
		x86_mulx(&m->e, 64, dst, XR11, rm);
		finish(m, insn, dst);
	} else {
		x86_unary(&m->e, insn->row ? X86_IMUL : X86_MUL, 64, rm);
		finish(m, insn, RDX);
	}
}

/* For CPUs without LZCNT: the number of the highest bit, from width - 1 down.  For zero
 * it is 2 * width - 1, of which XOR makes the width. */
static void count_from_top(struct emitter *m, u32 width, u8 dst, struct x86_rm a)
{
	u8 all;

	x86_bsr(&m->e, width, dst, a);
	all = take_scratch(m);
	x86_move_i(&m->e, all, 2 * width - 1);
	x86_cmov(&m->e, CC_E, width, dst, x86_reg(all));
	x86_alu_i(&m->e, X86_XOR, 32, x86_reg(dst), (s32)width - 1);
}

/* The number of the highest bit; the last one is set first, so that there is one. */
static void number_of_top(struct emitter *m, u32 width, u8 dst, struct x86_rm a)
{
	if (x86_is_mem(a))
		x86_load(&m->e, width, dst, a);
	else if (a.reg != dst)
		x86_move(&m->e, width, dst, a.reg);
	x86_alu_i(&m->e, X86_OR, width, x86_reg(dst), 1);
	if (!(m->features & X86_LZCNT)) {
		x86_bsr(&m->e, width, dst, x86_reg(dst));
		return;
	}
	x86_lzcnt(&m->e, width, dst, x86_reg(dst));
	x86_alu_i(&m->e, X86_XOR, 32, x86_reg(dst), (s32)width - 1);
}

/* POPCNT and LZCNT wait for what was in their result's register, on CPUs that think it a
 * mistake of others: so that is zeroed, where it is not the operand's. */
void x86_emit_count(struct emitter *m, const struct ir_insn *insn)
{
	bool leading = insn->row == IR_COUNT_LEADING;
	struct x86_rm a = operand_of(m, insn->a);
	u8 dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	if (insn->row == IR_COUNT_LOG2) {
		number_of_top(m, insn->width, dst, a);
		finish(m, insn, dst);
		return;
	}
	if (leading && !(m->features & X86_LZCNT)) {
		count_from_top(m, insn->width, dst, a);
		finish(m, insn, dst);
		return;
	}
	if (!mentions(a, dst))
		x86_zero(&m->e, dst);
	if (leading)
		x86_lzcnt(&m->e, insn->width, dst, a);
	else
		x86_popcnt(&m->e, insn->width, dst, a);
	finish(m, insn, dst);
}

void x86_emit_alu(struct emitter *m, const struct ir_insn *insn)
{
	const struct x86_alu_row *row = &x86_alu_rows[insn->row];

	switch ((enum x86_form)row->form) {
	case FORM_SIMPLE: emit_simple(m, insn, row->op); return;
	case FORM_MULTIPLY: emit_multiply(m, insn); return;
	case FORM_DIVIDE: x86_emit_divide(m, insn); return;
	case FORM_SHIFT: emit_shift(m, insn, row->op); return;
	case FORM_NEGATE: emit_negate(m, insn); return;
	case FORM_MOVE: emit_move(m, insn); return;
	case FORM_EXTEND: emit_extend(m, insn, row->op); return;
	}
}
