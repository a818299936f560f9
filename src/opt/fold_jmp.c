/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding comparisons: constants to the right, bounds that cannot be reached, 32 bits
 * where they decide, comparisons with zero where they say the same.
 */
#include "isa/eval.h"
#include "opt/fold.h"

bool eval_jmp(u8 row, u8 width, u64 x, u64 y)
{
	switch ((enum jmp)row) {
#define J(name, ...)                                                                     \
	case JMP_##name:                                                                 \
		return width == 64 ? jmp64_##name(x, y) : jmp32_##name(x, y);
#include "isa/jmp.def"
#undef J
	case JMPS: break;
	}
	return false;
}

static u8 unsigned_row(u8 row)
{
	switch ((int)row) {
	case JMP_JSGT: return JMP_JGT;
	case JMP_JSGE: return JMP_JGE;
	case JMP_JSLT: return JMP_JLT;
	case JMP_JSLE: return JMP_JLE;
	default: return row;
	}
}

static enum jmp_known known(bool outcome)
{
	return outcome ? JMP_ALWAYS : JMP_NEVER;
}

static void exchange(struct ir_insn *jmp)
{
	u32 a = jmp->a;

	jmp->a = jmp->b;
	jmp->b = a;
	jmp->row = (u8)jmp_exchanged((enum jmp)jmp->row);
}

/* In 32 bits, where the upper halves are zero; numbers that are not negative have no
 * sign. */
static void narrow(struct builder *b, struct ir_insn *jmp)
{
	u64 x, y;

	if (jmp->width == 32) {
		jmp->a = low_part(b, jmp->a, 32);
		jmp->b = low_part(b, jmp->b, 32);
		return;
	}
	if (is_const(b, jmp->b) && (u64)value_of(b, jmp->b)->imm > UINT32_MAX)
		return;
	x = may_be_set(b, jmp->a, KNOW_DEPTH);
	y = may_be_set(b, jmp->b, KNOW_DEPTH);
	if (x > UINT32_MAX || y > UINT32_MAX)
		return;
	jmp->row = unsigned_row(jmp->row);
	jmp->width = 32;
	jmp->a = low_part(b, jmp->a, 32);
	jmp->b = low_part(b, jmp->b, 32);
}

/* A comparison of a comparison's 0 or 1 with 0. */
static bool look_through(const struct builder *b, struct ir_insn *jmp)
{
	const struct ir_insn *cmp = value_of(b, jmp->a);
	u8 row = jmp->row == JMP_JNE ? cmp->row : jmp_opposite(cmp->row);

	if (cmp->op != IR_CMP || (jmp->row != JMP_JNE && jmp->row != JMP_JEQ) ||
	    row == JMPS || value_of(b, jmp->b)->imm)
		return false;
	jmp->row = row;
	jmp->width = cmp->width;
	jmp->a = cmp->a;
	jmp->b = cmp->b;
	return true;
}

/* With zero, where that says the same.  y: at the width, unsigned. */
static void prefer_zero(struct builder *b, struct ir_insn *jmp, u64 y)
{
	u64 all = jmp->width == 64 ? UINT64_MAX : UINT32_MAX;
	u8 row = jmp->row;

	if (y == 0 && row == JMP_JGT)
		jmp->row = JMP_JNE;
	else if (y == 0 && row == JMP_JLE)
		jmp->row = JMP_JEQ;
	else if (y == 1 && row == JMP_JLT)
		jmp->row = JMP_JEQ;
	else if (y == 1 && row == JMP_JGE)
		jmp->row = JMP_JNE;
	else if (y == 1 && row == JMP_JSGE)
		jmp->row = JMP_JSGT;
	else if (y == 1 && row == JMP_JSLT)
		jmp->row = JMP_JSLE;
	else if (y == all && row == JMP_JSGT)
		jmp->row = JMP_JSGE;
	else if (y == all && row == JMP_JSLE)
		jmp->row = JMP_JSLT;
	else if (y == all && row == JMP_JSET)
		jmp->row = JMP_JNE;
	else
		return;
	if (y)
		jmp->b = emit_const(b, 0);
}

/* How far is it x shifted to the right, as wide as the jump sees it?  0: it is not that.
 */
static u32 shifted_by(const struct builder *b, u32 value, const struct ir_insn *jmp)
{
	const struct ir_insn *shift = value_of(b, value);

	if (shift->op != IR_ALU || shift->row != ALU_RSH || shift->a != jmp->a ||
	    !is_const(b, shift->b) ||
	    (shift->width != jmp->width && !ir_upper_is_zero(b->ir, jmp->a)))
		return 0;
	return (u32)value_of(b, shift->b)->imm & (shift->width - 1u);
}

/*
 *	x > 1		x >> 1 != 0
 *	x >= 12		x >> 2 >= 3
 *
 * clang writes the first where the program says the second: `while (x >>= 1)`.  If what
 * is left is in a variable, nobody needs x any more.  y: at the width, unsigned.
 */
static void ask_shifted(struct builder *b, struct ir_insn *jmp, u64 y)
{
	bool above = jmp->row == JMP_JGT || jmp->row == JMP_JLE;
	u64 least = above ? y + 1 : y; /* of the numbers on the upper side */

	if ((!above && jmp->row != JMP_JGE && jmp->row != JMP_JLT) || !least)
		return;
	for (u32 i = 0; i < b->graph->n_vars; i++) {
		u32 by = b->var[i] ? shifted_by(b, b->var[i], jmp) : 0;

		if (!by || least & ((1ull << by) - 1))
			continue;
		least >>= by;
		jmp->a = b->var[i];
		jmp->b = emit_const(b, least - above);
		prefer_zero(b, jmp, least - above);
		return;
	}
}

/* What is known of the bits of the left side against a constant. */
static enum jmp_known bounded(const struct builder *b, const struct ir_insn *jmp, u64 y)
{
	u64 all = jmp->width == 64 ? UINT64_MAX : UINT32_MAX;
	u64 may = may_be_set(b, jmp->a, KNOW_DEPTH) & all;

	switch ((int)jmp->row) {
	case JMP_JEQ: return y & ~may ? JMP_NEVER : JMP_OPEN;
	case JMP_JNE: return y & ~may ? JMP_ALWAYS : JMP_OPEN;
	case JMP_JSET: return y & may ? JMP_OPEN : JMP_NEVER;
	case JMP_JGT: return may <= y ? JMP_NEVER : JMP_OPEN;
	case JMP_JGE: return !y ? JMP_ALWAYS : may < y ? JMP_NEVER : JMP_OPEN;
	case JMP_JLT: return !y ? JMP_NEVER : may < y ? JMP_ALWAYS : JMP_OPEN;
	case JMP_JLE: return may <= y ? JMP_ALWAYS : JMP_OPEN;
	default: return JMP_OPEN;
	}
}

/* Too small to bring an address around to 0, even several of them. */
static bool is_offset(const struct builder *b, u32 value)
{
	const struct ir_insn *insn = value_of(b, value);
	u64 x = may_be_set(b, value, KNOW_DEPTH), y;

	if (insn->op == IR_ALU && insn->row == ALU_MUL) {
		x = may_be_set(b, insn->a, KNOW_DEPTH);
		y = may_be_set(b, insn->b, KNOW_DEPTH);
		return x <= UINT32_MAX && y <= UINT32_MAX >> 4;
	}
	return x <= UINT64_MAX >> 4;
}

/* Is it in some object, and so not NULL? */
static bool is_address(const struct builder *b, u32 value)
{
	const struct ir_insn *insn = value_of(b, value);

	for (u32 depth = 0; depth < KNOW_DEPTH; depth++) {
		if (insn->op != IR_ALU || insn->row != ALU_ADD || insn->width != 64 ||
		    !is_offset(b, insn->b))
			break;
		insn = value_of(b, insn->a);
	}
	return insn->op == IR_ADDR;
}

bool asks_for_null(const struct builder *b, const struct ir_insn *jmp)
{
	const struct ir_insn *found = value_of(b, jmp->a), *zero = value_of(b, jmp->b);
	const struct ir_insn *no;

	if ((jmp->row != JMP_JNE && jmp->row != JMP_JEQ) || jmp->width != 64 ||
	    zero->op != IR_CONST || zero->imm || found->op != IR_SELECT)
		return false;
	no = value_of(b, found->c); /* of a SELECT: elsewhere it need not be a value */
	return no->op == IR_CONST && !no->imm && is_address(b, found->b);
}

/* Whether what a look-up gave is NULL is what the look-up asked itself. */
static bool ask_again(const struct builder *b, struct ir_insn *jmp)
{
	const struct ir_insn *cmp;
	u8 row;

	if (!asks_for_null(b, jmp))
		return false;
	cmp = value_of(b, value_of(b, jmp->a)->a);
	row = jmp->row == JMP_JNE ? cmp->row : jmp_opposite(cmp->row);
	if (row == JMPS)
		return false;
	jmp->row = row;
	jmp->width = cmp->width;
	jmp->a = cmp->a;
	jmp->b = cmp->b;
	return true;
}

/* What is not negative is compared as what it is; with what is, the outcome is known. */
static enum jmp_known drop_sign(const struct builder *b, struct ir_insn *jmp, u64 y)
{
	u64 sign = jmp->width == 64 ? 1ull << 63 : 1ull << 31;

	if (unsigned_row(jmp->row) == jmp->row ||
	    may_be_set(b, jmp->a, KNOW_DEPTH) & sign)
		return JMP_OPEN;
	if (y & sign)
		return known(jmp->row == JMP_JSGT || jmp->row == JMP_JSGE);
	jmp->row = unsigned_row(jmp->row);
	return JMP_OPEN;
}

static enum jmp_known fold_with_const(struct builder *b, struct ir_insn *jmp)
{
	u64 y = (u64)value_of(b, jmp->b)->imm;
	enum jmp_known outcome;

	if (jmp->width == 32)
		y = (u32)y;
	if (!y && jmp->width == 64 && (jmp->row == JMP_JEQ || jmp->row == JMP_JNE)) {
		if (is_address(b, jmp->a))
			return known(jmp->row == JMP_JNE);
		if (ask_again(b, jmp))
			return fold_jmp(b, jmp);
	}
	outcome = drop_sign(b, jmp, y);
	if (outcome == JMP_OPEN)
		outcome = bounded(b, jmp, y);
	if (outcome != JMP_OPEN)
		return outcome;
	prefer_zero(b, jmp, y);
	ask_shifted(b, jmp, y);
	if (look_through(b, jmp))
		return fold_jmp(b, jmp);
	y = (u64)value_of(b, jmp->b)->imm; /* equal ones are one */
	if (jmp->width == 32 && (s64)y != (s32)y)
		jmp->b = emit_const(b, (u64)(s64)(s32)y);
	return JMP_OPEN;
}

enum jmp_known fold_jmp(struct builder *b, struct ir_insn *jmp)
{
	u64 any = 0x0123456789abcdef;

	if (is_const(b, jmp->a))
		exchange(jmp);
	narrow(b, jmp);
	if (is_const(b, jmp->a) && is_const(b, jmp->b))
		return known(eval_jmp(jmp->row, jmp->width, (u64)value_of(b, jmp->a)->imm,
				      (u64)value_of(b, jmp->b)->imm));
	if (jmp->a == jmp->b && jmp->row != JMP_JSET)
		return known(eval_jmp(jmp->row, jmp->width, any, any));
	return is_const(b, jmp->b) ? fold_with_const(b, jmp) : JMP_OPEN;
}
