/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logarithms that are found bit by bit become COUNTs.
 *
 *	s = (x > 0xffff) << 4; x >>= s; r = s;		if (x > 0xffff) {
 *	s = (x > 0xff) << 3; x >>= s; r |= s;			x >>= 16;
 *	s = (x > 0xf) << 2; x >>= s; r |= s;			r += 16;
 *	s = (x > 3) << 1; x >>= s; r |= s;		}
 *	r |= x >> 1;					...
 *
 * as in the histograms of bcc and libbpf-tools, and their sums in any order.  The numbers
 * x are followed from the last shift upwards: each is the one before it, or that shifted,
 * by one question.  What is made of the four answers is then simply computed, for all of
 * them: if it is the logarithm each time, it is the logarithm.
 */
#include "exec/jit/machine.h"

enum {
	STEPS = 4,  /* by 16, 8, 4, 2 */
	AHEAD = 24, /* instructions between the last shift and the sum */
	DEEPEST = 16,
	WORK = 256, /* operations looked at for one sum */
};

struct logarithm {
	const struct ir *ir;
	u32 x[STEPS]; /* what is asked for */
	u32 last;     /* the last bit: x >> 1 */
	u32 block;
	u32 work;
};

static const struct ir_insn *at(const struct logarithm *l, u32 value)
{
	return &l->ir->insns[value];
}

static u32 distance_of(u32 step)
{
	return 16u >> step;
}

static bool is_const(const struct logarithm *l, u32 value, s64 number)
{
	return at(l, value)->op == IR_CONST && at(l, value)->imm == number;
}

static bool is_alu(const struct ir_insn *insn, enum alu row, u32 width)
{
	return insn->op == IR_ALU && insn->row == row && insn->width == width;
}

/* ---- questions ---- */

/* Is it that x is at least the bound, or (*when false) that it is less? */
static bool compares(const struct logarithm *l, const struct ir_insn *insn, u32 x,
		     s64 bound, bool *when)
{
	bool over = insn->row == JMP_JGT || insn->row == JMP_JLE;

	*when = insn->row == JMP_JGT || insn->row == JMP_JGE;
	return insn->a == x && is_const(l, insn->b, bound - over) &&
	       (*when || insn->row == JMP_JLT || insn->row == JMP_JLE);
}

/* Do the jumps on the way to the block say that x is below 2^32? */
static bool is_low_here(const struct logarithm *l, u32 x)
{
	enum { BLOCKS = 3 };
	const struct ir *ir = l->ir;
	u32 b = l->block;

	for (u32 i = 0; i < BLOCKS && ir->blocks[b].n_preds == 1; i++) {
		u32 from = ir->preds[ir->blocks[b].preds];
		const struct ir_block *block = &ir->blocks[from];
		const struct ir_insn *end = at(l, block->end - 1);
		bool when;

		if (end->op == IR_JMP && end->width == 64 &&
		    compares(l, end, x, 1ll << 32, &when) &&
		    block->succ[0] != block->succ[1] && block->succ[when] == (s32)b)
			return true;
		b = from;
	}
	return false;
}

/* Is it the question whether x has more bits than the step's distance?  Of what was the
 * upper half of a number, that may be asked of the number. */
static bool asks(const struct logarithm *l, const struct ir_insn *insn, u32 step,
		 bool *when)
{
	u32 x = l->x[step];
	s64 bound = 1ll << distance_of(step);
	const struct ir_insn *half = at(l, x);

	if (insn->op != IR_CMP)
		return false;
	if (is_alu(half, ALU_RSH, 64) && is_const(l, half->b, 32) && insn->width == 64 &&
	    compares(l, insn, half->a, bound << 32, when))
		return true;
	return compares(l, insn, x, bound, when) &&
	       (insn->width == 32 || ir_upper_is_zero(l->ir, x) ||
		(!step && is_low_here(l, x)));
}

/* ---- numbers ---- */

/* x >> by, if the answer says so; finds x. */
static bool find_by_shift(struct logarithm *l, const struct ir_insn *insn, u32 step)
{
	const struct ir_insn *count;
	bool when;

	if (!is_alu(insn, ALU_RSH, 32))
		return false;
	count = at(l, insn->b);
	l->x[step] = insn->a;
	return is_alu(count, ALU_LSH, 32) &&
	       is_const(l, count->b, __builtin_ctz(distance_of(step))) &&
	       asks(l, at(l, count->a), step, &when) && when;
}

static bool find_by_select(struct logarithm *l, const struct ir_insn *insn, u32 step)
{
	if (insn->op != IR_SELECT)
		return false;
	for (u32 i = 0; i < 2; i++) {
		const struct ir_insn *shifted = at(l, i ? insn->c : insn->b);
		bool when;

		if (!is_alu(shifted, ALU_RSH, 32) ||
		    !is_const(l, shifted->b, distance_of(step)) ||
		    shifted->a != (i ? insn->b : insn->c))
			continue;
		l->x[step] = shifted->a;
		if (asks(l, at(l, insn->a), step, &when) && when == !i)
			return true;
	}
	return false;
}

static bool find_numbers(struct logarithm *l)
{
	u32 value = at(l, l->last)->a;

	for (u32 step = STEPS; step-- > 0;) {
		const struct ir_insn *insn = at(l, value);

		if (!find_by_shift(l, insn, step) && !find_by_select(l, insn, step))
			return false;
		value = l->x[step];
	}
	return true;
}

/* ---- answers ---- */

/* What a value is when the answers are these bits of a logarithm, the last one of which
 * is x >> 1.  False: it is made of something else. */
static bool compute(struct logarithm *l, u32 value, u32 log, u32 depth, u64 *out)
{
	const struct ir_insn *insn = at(l, value);
	u64 a, b;
	bool when;

	if (value == l->last) {
		*out = log & 1;
		return true;
	}
	if (!depth-- || l->work++ > WORK)
		return false;
	if (insn->op == IR_CONST) {
		*out = (u64)insn->imm;
		return true;
	}
	for (u32 step = 0; step < STEPS && insn->op == IR_CMP; step++)
		if (asks(l, insn, step, &when)) {
			*out = ((log & distance_of(step)) != 0) == when;
			return true;
		}
	if (insn->op == IR_SELECT) { /* what is not chosen, too: drop_use() goes down */
		u64 sides[2];

		if (!compute(l, insn->a, log, depth, &a) ||
		    !compute(l, insn->b, log, depth, &sides[1]) ||
		    !compute(l, insn->c, log, depth, &sides[0]))
			return false;
		*out = sides[a & 1];
		return true;
	}
	if (insn->op != IR_ALU || !insn->b || !compute(l, insn->a, log, depth, &a) ||
	    !compute(l, insn->b, log, depth, &b))
		return false;
	switch ((int)insn->row) {
	case ALU_ADD: *out = a + b; break;
	case ALU_OR: *out = a | b; break;
	case ALU_XOR: *out = a ^ b; break;
	case ALU_LSH: *out = a << (b & (insn->width - 1u)); break;
	default: return false;
	}
	*out = insn->width == 64 ? *out : (u32)*out;
	return true;
}

static bool is_logarithm(struct logarithm *l, u32 sum)
{
	for (u32 log = 32; log-- > 0;) {
		u64 out;

		l->work = 0;
		if (!compute(l, sum, log, DEEPEST, &out) || out != log)
			return false;
	}
	return true;
}

/* ---- the sum ---- */

/* A value's only user up to there that may be a part of the sum, or 0. */
static u32 find_user(const struct logarithm *l, u32 value, u32 end)
{
	for (u32 i = value + 1; i < end; i++) {
		const struct ir_insn *insn = at(l, i);

		if (insn->op == IR_ALU && (insn->a == value || insn->b == value))
			return i;
	}
	return 0;
}

/* The sum that the last bit goes into, if it is the logarithm; 0: none is. */
static u32 find_sum(struct logarithm *l)
{
	u32 end = l->ir->blocks[l->block].end, value = l->last;

	if (end - value > AHEAD)
		end = value + AHEAD;
	while (value && at(l, value)->uses == 1) {
		value = find_user(l, value, end);
		if (value && is_logarithm(l, value))
			return value;
	}
	return 0;
}

static void find_log(struct ir *ir, u32 block, u32 last)
{
	struct logarithm l = {.ir = ir, .last = last, .block = block};
	u32 sum = find_numbers(&l) ? find_sum(&l) : 0;
	struct ir_insn *insn = &ir->insns[sum], old = *insn;

	if (!sum)
		return;
	*insn = (struct ir_insn){.op = IR_COUNT,
				 .row = IR_COUNT_LOG2,
				 .width = 32,
				 .a = l.x[0],
				 .pc = old.pc,
				 .uses = old.uses};
	ir->insns[l.x[0]].uses++;
	drop_use(ir, old.a);
	drop_use(ir, old.b);
}

void find_logs(struct ir *ir)
{
	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++) {
			const struct ir_insn *insn = &ir->insns[i];

			if (is_alu(insn, ALU_RSH, 32) &&
			    ir->insns[insn->b].op == IR_CONST &&
			    ir->insns[insn->b].imm == 1)
				find_log(ir, b, i);
		}
}
