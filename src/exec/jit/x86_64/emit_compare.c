/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparisons: the flags that JMP, CMP, SELECT and sums with a carry read.
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

/* TEST with a constant; the byte form where it says the same.  (The sign flag would
 * differ; nobody reads it.) */
static void test_imm(struct emitter *m, u32 width, struct x86_rm a, s32 imm)
{
	if (imm >= 0 && imm <= UINT8_MAX)
		width = 8;
	else if (imm >= 0 && width == 64)
		width = 32;
	if (!x86_is_mem(a) && imm == UINT8_MAX)
		x86_test_r(&m->e, 8, a, a.reg);
	else
		x86_test_i(&m->e, width, a, imm);
}

static bool is_fused_load(const struct emitter *m, u32 value)
{
	const struct ir_insn *insn = insn_of(m, value);

	return insn->op == IR_LOAD && insn->flags & IR_FUSED;
}

static void test(struct emitter *m, u32 width, u32 a, u32 b)
{
	/* the one in memory is y, rather one that is loaded than one in a slot */
	u32 x = register_of(m, a) == NO_REG && !is_fused_load(m, b) ? b : a;
	u32 y = x == a ? b : a;
	struct x86_rm rm;
	s32 imm;

	if (is_fused_load(m, a) && insn_of(m, a)->width < width)
		width = insn_of(m, a)->width;
	if (register_of(m, a) != NO_REG && insn_of(m, b)->op == IR_CONST &&
	    insn_of(m, b)->imm == UINT16_MAX) {
		x86_test_r(&m->e, 16, x86_reg(register_of(m, a)), register_of(m, a));
	} else if (immediate_of(m, b, width, &imm)) {
		test_imm(m, width, operand_of(m, a), imm);
	} else {
		rm = operand_of(m, y);
		x86_test_r(&m->e, width, rm, in_register(m, x));
	}
}

/* AND, fused, against zero. */
static bool test_of_and(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *and = insn_of(m, insn->a);

	if (!(and->flags & IR_FUSED) || and->op != IR_ALU || and->row != ALU_AND)
		return false;
	test(m, and->width, and->a, and->b);
	return true;
}

/* A fused sign extension against zero. */
static bool test_of_sign(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *extend = insn_of(m, insn->a);
	u32 bits = x86_alu_rows[extend->row].op;
	struct x86_rm a;

	if (!(extend->flags & IR_FUSED) || extend->op != IR_ALU ||
	    x86_alu_rows[extend->row].form != FORM_EXTEND)
		return false;
	a = operand_of(m, extend->a);
	if (x86_is_mem(a))
		x86_alu_i(&m->e, X86_CMP, bits, a, 0);
	else
		x86_test_r(&m->e, bits, a, a.reg);
	return true;
}

/* SETcc and CMOVcc are an operation more where they look at two flags: whether something
 * is above is asked so that the carry alone tells. */
static bool wants_carry(const struct ir_insn *insn, u32 cc)
{
	return insn->op == IR_CMP && (cc == CC_A || cc == CC_BE);
}

/* Above n is not below n + 1, if there is such a number. */
static void ask_carry(const struct emitter *m, u32 width, s32 *imm, u32 *cc)
{
	if (!x86_has_next(*imm, width, m->features))
		return;
	++*imm;
	*cc = *cc == CC_A ? CC_AE : CC_B;
}

static u32 exchanged(u32 cc)
{
	return cc == CC_A ? CC_B : CC_AE;
}

/* A fused load that is narrower than the comparison; select.c chose only what is not
 * negative. */
static bool compare_narrow(struct emitter *m, const struct ir_insn *insn, u32 *cc)
{
	const struct ir_insn *load = insn_of(m, insn->a);
	s32 imm = (s32)insn_of(m, insn->b)->imm;

	if (!is_fused_load(m, insn->a) || load->width >= insn->width)
		return false;
	if (wants_carry(insn, *cc))
		ask_carry(m, load->width, &imm, cc);
	if (x86_jmp_rows[insn->row].test)
		x86_test_i(&m->e, load->width, address_of(m, load), imm);
	else
		x86_alu_i(&m->e, X86_CMP, load->width, address_of(m, load), imm);
	return true;
}

/* Neither has anything in its upper half, and the comparison does not care for signs. */
static bool is_narrow(const struct emitter *m, const struct ir_insn *insn)
{
	const struct x86_jmp_row *row = &x86_jmp_rows[insn->row];

	return row->cc == row->unsigned_cc && ir_upper_is_zero(m->ir, insn->a) &&
	       ir_upper_is_zero(m->ir, insn->b);
}

static void compare_imm(struct emitter *m, u32 width, const struct ir_insn *insn, s32 imm,
			u32 *cc)
{
	u8 a = register_of(m, insn->a);

	if (wants_carry(insn, *cc))
		ask_carry(m, width, &imm, cc);
	if (!imm && a != NO_REG)
		x86_test_r(&m->e, width, x86_reg(a), a);
	else
		x86_alu_i(&m->e, X86_CMP, width, operand_of(m, insn->a), imm);
}

static u32 compare(struct emitter *m, u32 width, const struct ir_insn *insn, u32 cc)
{
	u8 a = register_of(m, insn->a);
	struct x86_rm rm;
	s32 imm;

	if (immediate_of(m, insn->b, width, &imm)) {
		compare_imm(m, width, insn, imm, &cc);
		return cc;
	}
	if (a == NO_REG && register_of(m, insn->b) != NO_REG) {
		rm = operand_of(m, insn->a);
		if (wants_carry(insn, cc)) {
			x86_alu_r(&m->e, X86_CMP, width, register_of(m, insn->b), rm);
			return exchanged(cc);
		}
		x86_alu_m(&m->e, X86_CMP, width, rm, register_of(m, insn->b));
		return cc;
	}
	/* what is loaded comes first: its address may take both scratch registers */
	if (is_fused_load(m, insn->a)) {
		a = in_register(m, insn->a);
		rm = operand_of(m, insn->b);
	} else {
		rm = operand_of(m, insn->b);
		a = in_register(m, insn->a);
	}
	if (!wants_carry(insn, cc)) {
		x86_alu_r(&m->e, X86_CMP, width, a, rm);
		return cc;
	}
	if (x86_is_mem(rm))
		x86_alu_m(&m->e, X86_CMP, width, rm, a);
	else
		x86_alu_r(&m->e, X86_CMP, width, rm.reg, x86_reg(a));
	return exchanged(cc);
}

static bool asks_for_sign(const struct ir_insn *insn)
{
	return insn->row == JMP_JSLT || insn->row == JMP_JSGE;
}

/* Is a sum that was just computed compared with a part of it?  It is less where there is
 * a carry. */
static bool carry_is_there(const struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *sum = insn_of(m, m->flags_of);

	return m->flags_at == (u32)(m->e.at - m->out->code) && m->flags_of == insn->a &&
	       (insn->row == JMP_JLT || insn->row == JMP_JGE) && sum->op == IR_ALU &&
	       sum->row == ALU_ADD && sum->width == insn->width &&
	       (insn->b == sum->a || insn->b == sum->b);
}

/* Is the comparison one with zero of what was just computed?  Then the flags are there:
 * all of them after OR and XOR, the sign after sums (AND may have been made narrow),
 * after others only whether it was zero. */
bool flags_are_there(const struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *a = insn_of(m, insn->a), *b = insn_of(m, insn->b);

	if (carry_is_there(m, insn))
		return true;
	if (m->flags_at != (u32)(m->e.at - m->out->code) || m->flags_of != insn->a ||
	    b->op != IR_CONST || b->imm || x86_jmp_rows[insn->row].test)
		return false;
	if (insn->row == JMP_JEQ || insn->row == JMP_JNE)
		return a->width == insn->width || a->width == 32;
	if (a->width != insn->width)
		return false;
	return a->row == ALU_OR || a->row == ALU_XOR ||
	       (asks_for_sign(insn) && (a->row == ALU_ADD || a->row == ALU_SUB));
}

u32 x86_emit_condition(struct emitter *m, const struct ir_insn *insn)
{
	const struct x86_jmp_row *row = &x86_jmp_rows[insn->row];
	u32 width = insn->width, cc = row->unsigned_cc;

	if (flags_are_there(m, insn) && asks_for_sign(insn))
		return insn->row == JMP_JSLT ? CC_S : CC_NS; /* whatever overflowed */
	if (flags_are_there(m, insn))
		return row->cc;
	if (test_of_and(m, insn) || test_of_sign(m, insn))
		return row->cc;
	if (compare_narrow(m, insn, &cc))
		return cc;
	if (width == 64 && is_narrow(m, insn))
		width = 32;
	if (!row->test)
		return compare(m, width, insn, row->cc);
	test(m, width, insn->a, insn->b);
	return row->cc;
}

bool x86_compares(const struct emitter *m, const struct ir_insn *insn, u8 reg)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 operands[] = {info->a ? insn->a : 0, info->b ? insn->b : 0};

	for (u32 i = 0; i < ARRAY_SIZE(operands); i++) {
		const struct ir_insn *operand = insn_of(m, operands[i]);

		if (!operands[i])
			continue;
		if (register_of(m, operands[i]) == reg)
			return true;
		if (operand->flags & IR_FUSED && x86_compares(m, operand, reg))
			return true;
	}
	return false;
}

void x86_emit_cmp(struct emitter *m, const struct ir_insn *insn)
{
	u8 dst = register_of(m, (u32)(insn - m->ir->insns));
	bool zeroed = dst != NO_REG && !x86_compares(m, insn, dst);
	u32 cc;

	if (zeroed)
		x86_zero(&m->e, dst);
	cc = x86_emit_condition(m, insn);
	release_scratch(m);
	dst = x86_target(m, insn);
	x86_setcc(&m->e, cc, dst);
	if (!zeroed)
		x86_load(&m->e, 8, dst, x86_reg(dst));
	finish(m, insn, dst);
}

/* y + 1 where there is a carry; y - -1 - 1 where there is one is y + 1 where there is
 * none; minus is the same the other way round. */
void x86_emit_add_carry(struct emitter *m, const struct ir_insn *insn)
{
	bool adds = insn->row == ALU_ADD;
	u32 cc = x86_emit_condition(m, insn_of(m, insn->b));
	u8 dst;

	assert(cc == CC_B || cc == CC_AE); /* select.c */
	release_scratch(m);
	m->keep_flags = true;
	dst = x86_target(m, insn);
	put_value(m, dst, insn->a);
	m->keep_flags = false;
	x86_alu_i(&m->e, adds == (cc == CC_B) ? X86_ADC : X86_SBB, insn->width,
		  x86_reg(dst), cc == CC_B ? 0 : -1);
	finish(m, insn, dst);
}

/* What a SELECT asks, unless the one before it asked the same.  Returns when it holds. */
static u32 emit_question(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *condition = insn_of(m, insn->a);
	u8 reg;

	if (m->asked_at == (u32)(m->e.at - m->out->code) && m->asked_of == insn->a)
		return m->asked_cc;
	if (condition->flags & IR_FUSED && condition->op == IR_CMP)
		return x86_emit_condition(m, condition);
	reg = in_register(m, insn->a);
	x86_test_r(&m->e, 32, x86_reg(reg), reg);
	return CC_NE;
}

void x86_emit_select(struct emitter *m, const struct ir_insn *insn)
{
	u32 yes = insn->b, no = insn->c, cc = emit_question(m, insn);
	struct x86_rm rm;
	u8 dst;

	m->asked_of = insn->a;
	m->asked_cc = cc;
	release_scratch(m);
	m->keep_flags = true;
	dst = x86_target(m, insn);
	/* what is in place already, or can only be moved, is what stays */
	if (register_of(m, yes) == dst ||
	    (m->where->loc[yes] == LOC_NONE && m->where->loc[no] != LOC_NONE &&
	     register_of(m, no) != dst)) {
		no = insn->b;
		yes = insn->c;
		cc ^= 1;
	}
	put_value(m, dst, no);
	rm = operand_of(m, yes);
	x86_cmov(&m->e, cc, 64, dst, rm);
	m->keep_flags = false;
	finish(m, insn, dst);
	m->asked_at = (u32)(m->e.at - m->out->code);
}
