/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Computing: one row of alu.def, one row of instructions here; comparisons and
 * selections. Division by zero gives 0 on A64 as in BPF, and MSUB makes the modulo right
 * for it, too.
 */
#include "exec/jit/aarch64/a64.h"

enum alu_form {
	PLAIN,     /* a register, or an immediate of its own kind */
	SHIFT,     /* a constant is a bit field */
	MULTIPLY,  /* MADD with zero */
	REMAINDER, /* divide, multiply and subtract */
	NEGATE,
	COPY, /* of the low bits, sign-extended or not */
};

struct alu_row {
	u8 form;
	u8 bits;  /* COPY; sign-extended unless 32 without is_signed */
	u8 shift; /* SHIFT: enum a64_shift */
	enum a64_rrr op;
};

/* A row for each of alu.def: what is missing does not compile. */
#define ROW_ADD                                                                          \
	{                                                                                \
		.form = PLAIN, .op = A64_ADD                                             \
	}
#define ROW_SUB                                                                          \
	{                                                                                \
		.form = PLAIN, .op = A64_SUB                                             \
	}
#define ROW_MUL                                                                          \
	{                                                                                \
		.form = MULTIPLY                                                         \
	}
#define ROW_DIV                                                                          \
	{                                                                                \
		.form = PLAIN, .op = A64_UDIV                                            \
	}
#define ROW_SDIV                                                                         \
	{                                                                                \
		.form = PLAIN, .op = A64_SDIV                                            \
	}
#define ROW_OR                                                                           \
	{                                                                                \
		.form = PLAIN, .op = A64_ORR                                             \
	}
#define ROW_AND                                                                          \
	{                                                                                \
		.form = PLAIN, .op = A64_AND                                             \
	}
#define ROW_LSH                                                                          \
	{                                                                                \
		.form = SHIFT, .op = A64_LSLV, .shift = A64_LSL                          \
	}
#define ROW_RSH                                                                          \
	{                                                                                \
		.form = SHIFT, .op = A64_LSRV, .shift = A64_LSR                          \
	}
#define ROW_ARSH                                                                         \
	{                                                                                \
		.form = SHIFT, .op = A64_ASRV, .shift = A64_ASR                          \
	}
#define ROW_NEG                                                                          \
	{                                                                                \
		.form = NEGATE                                                           \
	}
#define ROW_MOD                                                                          \
	{                                                                                \
		.form = REMAINDER, .op = A64_UDIV                                        \
	}
#define ROW_SMOD                                                                         \
	{                                                                                \
		.form = REMAINDER, .op = A64_SDIV                                        \
	}
#define ROW_XOR                                                                          \
	{                                                                                \
		.form = PLAIN, .op = A64_EOR                                             \
	}
#define ROW_MOV                                                                          \
	{                                                                                \
		.form = COPY                                                             \
	}
#define ROW_MOVS8                                                                        \
	{                                                                                \
		.form = COPY, .bits = 8                                                  \
	}
#define ROW_MOVS16                                                                       \
	{                                                                                \
		.form = COPY, .bits = 16                                                 \
	}
#define ROW_MOVS32                                                                       \
	{                                                                                \
		.form = COPY, .bits = 32                                                 \
	}

static const struct alu_row rows[ALUS] = {
#define A(name, ...) [ALU_##name] = ROW_##name,
#include "isa/alu.def"
#undef A
};

static u64 imm_of(const struct a64 *e, const struct ir_insn *insn)
{
	u64 imm = (u64)value(e, insn->b)->imm;

	return insn->width == 64 ? imm : (u32)imm;
}

static bool b_is_fused_const(const struct a64 *e, const struct ir_insn *insn)
{
	const struct ir_insn *b = value(e, insn->b);

	return b->op == IR_CONST && is_fused(b) && imm_of(e, insn);
}

static void add_const(struct a64 *e, enum a64_rrr op, struct a64_regs r, u64 imm)
{
	if (a64_fits_add(imm)) {
		put(e, a64_add_imm(op, r, (u32)imm));
		return;
	}
	imm = 0 - imm;
	op = op ^ (A64_ADD ^ A64_SUB);
	put(e, a64_add_imm(op, r, (u32)imm));
}

/* The operand b is a shift to the left or a product that is part of this instruction. */
static void with_fused(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	const struct ir_insn *b = value(e, insn->b);

	r.rn = a64_use(e, insn->a, X16);
	if (b->row == ALU_LSH) {
		r.rm = a64_use(e, b->a, X17);
		put(e,
		    a64_rrr_shifted(rows[insn->row].op, r, A64_LSL, shift_of(e->ir, b)));
		return;
	}
	{
		u8 ra = r.rn;

		r.rn = a64_use(e, b->a, X17);
		/* only when spilled: X15 holds nothing then */
		r.rm = a64_use(e, b->b, X15);
		put(e, insn->row == ALU_ADD ? a64_madd(r, ra) : a64_msub(r, ra));
	}
}

/* The operand b is a comparison that is part of this sum. */
static void add_condition(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	enum a64_cond cond = a64_compare(e, value(e, insn->b));

	r.rn = r.rm = a64_use(e, insn->a, X16); /* which touches no flags */
	put(e, a64_csinc(r, a64_not(cond)));
}

static void plain(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	enum a64_rrr op = rows[insn->row].op;
	const struct ir_insn *b = value(e, insn->b);

	if (is_fused(b) && b->op == IR_CMP) {
		add_condition(e, insn, r);
		return;
	}
	if (is_fused(b) && b->op == IR_ALU) {
		with_fused(e, insn, r);
		return;
	}
	r.rn = a64_use(e, insn->a, X16);
	if (!b_is_fused_const(e, insn)) {
		r.rm = a64_use(e, insn->b, X17);
		put(e, a64_rrr(op, r));
	} else if (op == A64_ADD || op == A64_SUB) {
		u64 imm = imm_of(e, insn);

		if (!a64_fits_add(imm) && !r.wide)
			imm = (u64)(s64)(s32)imm;
		/* 31 would be the stack pointer */
		if (r.rn == A64_ZR) {
			put(e, a64_movz(true, X16, 0, 0));
			r.rn = X16;
		}
		add_const(e, op, r, imm);
	} else {
		put(e, a64_logical_imm(op, r, imm_of(e, insn)));
	}
}

static void shift(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	const struct alu_row *row = &rows[insn->row];

	r.rn = a64_use(e, insn->a, X16);
	if (value(e, insn->b)->op == IR_CONST) {
		u32 by = (u32)value(e, insn->b)->imm & (insn->width - 1u);

		put(e, a64_shift_imm((enum a64_shift)row->shift, r, by));
		return;
	}
	r.rm = a64_use(e, insn->b, X17);
	put(e, a64_rrr(row->op, r));
}

/* The quotient goes to a scratch register: operands are read twice. */
static void remainder_of(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	struct a64_regs quotient = r;
	u8 a = a64_use(e, insn->a, X16), b = a64_use(e, insn->b, X17), q = X16;

	if (a == X16 && b == X17)
		q = X15; /* both were spilled: X15 holds nothing */
	else if (a == X16)
		q = X17;
	quotient.rd = q;
	quotient.rn = a;
	quotient.rm = b;
	put(e, a64_rrr(rows[insn->row].op, quotient));
	r.rn = q;
	r.rm = b;
	put(e, a64_msub(r, a));
}

static void copy(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	u8 bits = rows[insn->row].bits;

	r.rn = a64_use(e, insn->a, X16);
	if (!bits)
		put(e, a64_rrr(A64_ORR, (struct a64_regs){false, r.rd, A64_ZR, r.rn}));
	else if (r.rn == A64_ZR)
		a64_mov(e, r.rd, A64_ZR);
	else
		put(e, a64_sbfx(r, 0, bits));
}

static void alu(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	switch ((enum alu_form)rows[insn->row].form) {
	case PLAIN: plain(e, insn, r); break;
	case SHIFT: shift(e, insn, r); break;
	case MULTIPLY:
		r.rn = a64_use(e, insn->a, X16);
		r.rm = a64_use(e, insn->b, X17);
		put(e, a64_madd(r, A64_ZR));
		break;
	case REMAINDER: remainder_of(e, insn, r); break;
	case NEGATE:
		r.rn = A64_ZR;
		r.rm = a64_use(e, insn->a, X16);
		put(e, a64_rrr(A64_SUB, r));
		break;
	case COPY: copy(e, insn, r); break;
	}
}

static void rotate(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	u32 width = insn->width;

	r.rn = a64_use(e, insn->a, X16);
	if (value(e, insn->b)->op == IR_CONST) {
		u32 by = (u32)value(e, insn->b)->imm & (width - 1);

		put(e, a64_shift_imm(A64_ROR, r, (width - by) & (width - 1)));
		return;
	}
	r.rm = a64_use(e, insn->b, X17);
	put(e, a64_rrr(A64_SUB, (struct a64_regs){false, X17, A64_ZR, r.rm}));
	r.rm = X17;
	put(e, a64_rrr(A64_RORV, r));
}

static void swap(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	r.rn = a64_use(e, insn->a, X16);
	r.wide = insn->width == 64;
	put(e, a64_rev(r));
	if (insn->width == 16) {
		r.rn = r.rd;
		put(e, a64_shift_imm(A64_LSR, r, 16));
	}
}

/* Leading zeroes, or what they leave of 31: select.c finds no other count. */
static void count(struct a64 *e, const struct ir_insn *insn, struct a64_regs r)
{
	r.rn = a64_use(e, insn->a, X16);
	if (insn->row == IR_COUNT_LOG2) {
		put(e, a64_logical_imm(A64_ORR, r, 1));
		r.rn = r.rd;
	}
	put(e, a64_clz(r));
	r.rn = r.rd;
	if (insn->row == IR_COUNT_LOG2)
		put(e, a64_logical_imm(A64_EOR, r, insn->width - 1u));
}

void a64_emit_alu(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	struct a64_regs r = {insn->width == 64, a64_def(e, v, X16), 0, 0};

	switch ((int)insn->op) {
	case IR_ALU: alu(e, insn, r); break;
	case IR_ROTL: rotate(e, insn, r); break;
	case IR_SWAP: swap(e, insn, r); break;
	case IR_COUNT: count(e, insn, r); break;
	default:
		r.rn = a64_use(e, insn->a, X16);
		r.rm = a64_use(e, insn->b, X17);
		put(e, insn->row ? a64_smulh(r.rd, r.rn, r.rm)
				 : a64_umulh(r.rd, r.rn, r.rm));
		break;
	}
	a64_def_end(e, v, r.rd);
}

/* ---- conditions ---- */

#define COND_JEQ  A64_EQ
#define COND_JGT  A64_HI
#define COND_JGE  A64_HS
#define COND_JSET A64_NE
#define COND_JNE  A64_NE
#define COND_JSGT A64_GT
#define COND_JSGE A64_GE
#define COND_JLT  A64_LO
#define COND_JLE  A64_LS
#define COND_JSLT A64_LT
#define COND_JSLE A64_LE

static const u8 conds[JMPS] = {
#define J(name, ...) [JMP_##name] = COND_##name,
#include "isa/jmp.def"
#undef J
};

enum a64_cond a64_compare(struct a64 *e, const struct ir_insn *insn)
{
	struct a64_regs r = {insn->width == 64, A64_ZR, a64_use(e, insn->a, X16), 0};
	bool test = insn->row == JMP_JSET;
	u64 imm;

	if (!b_is_fused_const(e, insn)) {
		r.rm = a64_use(e, insn->b, X17);
		put(e, a64_rrr(test ? A64_ANDS : A64_SUBS, r));
		return (enum a64_cond)conds[insn->row];
	}
	imm = imm_of(e, insn);
	if (test) {
		put(e, a64_logical_imm(A64_ANDS, r, imm));
		return A64_NE;
	}
	if (r.rn == A64_ZR) { /* 31 would be the stack pointer */
		put(e, a64_movz(true, X16, 0, 0));
		r.rn = X16;
	}
	if (a64_fits_add(imm)) {
		put(e, a64_add_imm(A64_SUBS, r, (u32)imm));
	} else {
		imm = 0 - imm;
		/* adding sets the flags as subtracting does: minus imm is not 0 */
		put(e, a64_add_imm(A64_ADDS, r, (u32)imm));
	}
	return (enum a64_cond)conds[insn->row];
}

void a64_emit_cmp(struct a64 *e, u32 v)
{
	enum a64_cond cond = a64_compare(e, value(e, v));
	u8 to = a64_def(e, v, X16);

	put(e, a64_cset(false, to, cond));
	a64_def_end(e, v, to);
}

void a64_emit_select(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v), *cmp = value(e, insn->a);
	struct a64_regs r = {true, a64_def(e, v, X16), 0, 0};
	enum a64_cond cond = A64_NE;

	if (is_fused(cmp))
		cond = a64_compare(e, cmp);
	else
		put(e, a64_add_imm(A64_SUBS,
				   (struct a64_regs){true, A64_ZR,
						     a64_use(e, insn->a, X16), 0},
				   0));
	r.rn = a64_use(e, insn->b, X16); /* neither loads nor constants touch flags */
	r.rm = a64_use(e, insn->c, X17);
	put(e, a64_csel(r, cond));
	a64_def_end(e, v, r.rd);
}
