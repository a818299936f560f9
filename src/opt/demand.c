/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bits of a value can be other than zero, and which bits of it matter to anybody.
 *
 * Both are one number a value: bits[v], from where on all bits are zero; want[v], from
 * where on no user looks.  Masks and extensions that change no wanted bit go; 64-bit
 * operations of which 32 bits are wanted become 32-bit ones, whose code is shorter, and
 * so do comparisons, divisions and shifts to the right of values that fit.  Objects
 * without 32-bit instructions compute in 64 bits what is meant in 32: so only here their
 * rotates look like some.
 *
 * What is dropped for what is known goes first: every value stays as it was.  Only then
 * is asked what is wanted, and from there on values keep only that; what was known of
 * them is not true any more and is not used again, but of counts that are wanted whole.
 *
 * bits is found in one sweep forward: an argument of a PHI that is not known yet may be
 * anything.  want is found backwards, from nothing upwards: where a loop brings more
 * back, the sweep is repeated, and after WANT_SWEEPS what loops bring is all wanted.
 */
#include <string.h>

#include "opt/passes.h"
#include "opt/rotate.h"

enum { WANT_SWEEPS = 4 };

static inline u8 least(u32 a, u32 b)
{
	return (u8)(a < b ? a : b);
}

static inline u8 most(u32 a, u32 b)
{
	return (u8)(a > b ? a : b);
}

static u8 bits_of(u64 value)
{
	return value ? (u8)(64 - __builtin_clzll(value)) : 0;
}

static inline const struct ir_insn *insn_of(const struct pass *p, u32 value)
{
	return &p->ir->insns[value];
}

static inline bool is_const(const struct pass *p, u32 value)
{
	return p->ir->insns[value].op == IR_CONST;
}

/* ---- bits: what is known ---- */

/* Of an argument that may stand further down. */
static u8 bits_behind(const struct pass *p, u32 value)
{
	const struct ir_insn *insn = insn_of(p, value);

	switch ((int)insn->op) {
	case IR_CONST: return bits_of((u64)insn->imm);
	case IR_ALU: return insn->width;
	case IR_LOAD: return insn->row ? 64 : insn->width;
	case IR_CMP: return 1;
	default: return 64;
	}
}

static u8 bits_phi(const struct pass *p, u32 at, const struct ir_block *block)
{
	const u32 *args = p->ir->args + insn_of(p, at)->aux;
	u8 bits = 0;

	for (u32 i = 0; i < block->n_preds; i++) {
		u32 arg = pass_same(p, args[i]);

		if (arg != at)
			bits = most(bits, arg < at ? p->bits[arg] : bits_behind(p, arg));
	}
	return bits;
}

static u8 bits_shift(const struct pass *p, const struct ir_insn *insn, u8 a)
{
	u8 width = insn->width;
	u32 count;

	if (!is_const(p, insn->b))
		return insn->row == ALU_RSH || (insn->row == ALU_ARSH && a < width)
			       ? a
			       : width;
	count = (u32)insn_of(p, insn->b)->imm & (width - 1u);
	if (insn->row == ALU_LSH)
		return least(a ? a + count : 0, width);
	if (insn->row == ALU_ARSH && a == width)
		return width;
	return (u8)(a > count ? a - count : 0);
}

static u8 bits_alu(const struct pass *p, const struct ir_insn *insn)
{
	u8 width = insn->width;
	u8 a = least(p->bits[insn->a], width), b = least(p->bits[insn->b], width);

	switch ((enum alu)insn->row) {
	case ALU_ADD: return least(most(a, b) + 1u, width);
	case ALU_MUL: return least(a + b, width);
	case ALU_DIV: return a;
	case ALU_MOD: return is_const(p, insn->b) && b ? least(a, b) : a;
	case ALU_OR:
	case ALU_XOR: return most(a, b);
	case ALU_AND: return least(a, b);
	case ALU_MOV: return a;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: return bits_shift(p, insn, a);
	case ALU_MOVS8: return a < 8 ? a : width;
	case ALU_MOVS16: return a < 16 ? a : width;
	case ALU_MOVS32: return a < 32 ? a : width;
	case ALU_SUB:
	case ALU_NEG:
	case ALU_SDIV:
	case ALU_SMOD:
	case ALUS: return width;
	}
	return width;
}

static u8 bits_insn(const struct pass *p, u32 at, const struct ir_block *block)
{
	const struct ir_insn *insn = insn_of(p, at);

	switch ((int)insn->op) {
	case IR_CONST: return bits_of((u64)insn->imm);
	case IR_PHI: return bits_phi(p, at, block);
	case IR_ALU: return bits_alu(p, insn);
	case IR_SELECT: return most(p->bits[insn->b], p->bits[insn->c]);
	case IR_LOAD: return insn->row ? 64 : insn->width;
	case IR_ROTL:
	case IR_SWAP:
	case IR_LOAD_ACQ:
	case IR_ATOMIC: return insn->width;
	case IR_CMP: return 1;
	case IR_LD_PACKET: return 32;
	default: return 64;
	}
}

/* Of JMP and CMP: would the lower halves say the same? */
static bool compares_low(const struct pass *p, const struct ir_insn *insn)
{
	u8 a = p->bits[insn->a], b = p->bits[insn->b];

	switch ((enum jmp)insn->row) {
	case JMP_JEQ:
	case JMP_JNE:
	case JMP_JGT:
	case JMP_JGE:
	case JMP_JLT:
	case JMP_JLE: return a <= 32 && b <= 32;
	case JMP_JSET: return a <= 32 || b <= 32;
	case JMP_JSGT:
	case JMP_JSGE:
	case JMP_JSLT:
	case JMP_JSLE: return a < 32 && b < 32;
	case JMPS: break;
	}
	return false;
}

static u64 low_ones(u32 n)
{
	return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

static bool is_ones_below(const struct pass *p, u32 value, u32 n)
{
	return is_const(p, value) && !(low_ones(n) & ~(u64)insn_of(p, value)->imm);
}

/* Does it change nothing of a value with so many bits? */
static bool keeps_bits(const struct pass *p, const struct ir_insn *insn, u8 bits)
{
	switch ((int)insn->row) {
	case ALU_AND: return is_ones_below(p, insn->b, bits);
	case ALU_MOV: return bits <= insn->width;
	case ALU_MOVS8: return bits < 8;
	case ALU_MOVS16: return bits < 16;
	case ALU_MOVS32: return bits < 32;
	default: return false;
	}
}

/* Is it less than 32, taken as a count of the shift's width?  All bits that such a count
 * has are wanted, so what was known of it stays true. */
static bool is_short_count(const struct pass *p, const struct ir_insn *shift)
{
	if (is_const(p, shift->b))
		return (insn_of(p, shift->b)->imm & (shift->width - 1)) < 32;
	return p->bits[shift->b] <= 5;
}

static void use_bits_alu(struct pass *p, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at];
	u8 a = p->bits[insn->a], b = p->bits[insn->b];

	if (insn->width == 64 || a <= 32)
		if (keeps_bits(p, insn, a)) {
			pass_replace(p, at, insn->a);
			return;
		}
	if (insn->row == ALU_ARSH && a < insn->width)
		insn->row = ALU_RSH;
	if (insn->row == ALU_RSH && a <= 32 && is_short_count(p, insn))
		insn->width = 32;
	if ((insn->row == ALU_SDIV || insn->row == ALU_SMOD) && a < 32 && b < 32)
		insn->row = insn->row == ALU_SDIV ? ALU_DIV : ALU_MOD;
	if ((insn->row == ALU_DIV || insn->row == ALU_MOD) && a <= 32 && b <= 32)
		insn->width = 32;
}

/* Whether a comparison is 0 or 1 is that comparison, or its opposite: pass_select() made
 * it, where the builder could not see it yet. */
static void ask_directly(const struct pass *p, struct ir_insn *insn, u32 at)
{
	const struct ir_insn *asked = insn_of(p, insn->a);
	bool equality = insn->row == JMP_JEQ || insn->row == JMP_JNE;
	u64 number;
	u8 row = asked->row;

	if (!equality || asked->op != IR_CMP || insn->a >= at || !is_const(p, insn->b))
		return;
	number = (u64)insn_of(p, insn->b)->imm;
	if ((insn->row == JMP_JEQ) != (number == 1))
		row = jmp_opposite(row);
	if (number > 1 || row == JMPS)
		return;
	insn->row = row;
	insn->width = asked->width;
	insn->a = asked->a;
	insn->b = asked->b;
}

/*
 *	swap16 x == 0x0800	x == 0x0008
 *
 * What is big-endian in a packet is mostly asked for one of a few constants.  The swapped
 * one goes where there is room, in front of the comparison; not if only the other is an
 * immediate.
 */
static void ask_unswapped(struct pass *p, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at], *room = insn - 1;
	const struct ir_insn *swap = insn_of(p, insn->a);
	u64 y = (u64)insn_of(p, insn->b)->imm & low_ones(insn->width), turned;

	if ((insn->row != JMP_JEQ && insn->row != JMP_JNE) || swap->op != IR_SWAP ||
	    insn->a >= at || insn->width != (swap->width == 64 ? 64 : 32) ||
	    (swap->width == 16 && p->bits[swap->a] > 16) || !is_const(p, insn->b) ||
	    bits_of(y) > swap->width)
		return;
	turned = ir_swap_bytes(swap->width, y);
	if (insn->width == 32)
		turned = (u64)(s64)(s32)turned;
	else if ((s64)turned != (s32)turned && (s64)y == (s32)y)
		return;
	*room = (struct ir_insn){.op = IR_CONST, .imm = (s64)turned, .pc = insn->pc};
	p->bits[at - 1] = bits_of(turned);
	insn->a = swap->a;
	insn->b = at - 1;
}

static void use_bits_compared(struct pass *p, u32 at, const struct ir_block *block)
{
	struct ir_insn *insn = &p->ir->insns[at];

	ask_directly(p, insn, at);
	insn->width = compares_low(p, insn) ? 32 : insn->width;
	if (at > block->start && pass_is_room(p, at - 1))
		ask_unswapped(p, at);
}

static void use_bits(struct pass *p, u32 at, const struct ir_block *block)
{
	const struct ir_insn *insn = insn_of(p, at);

	if (insn->op == IR_ALU)
		use_bits_alu(p, at);
	else if (insn->op == IR_JMP || insn->op == IR_CMP)
		use_bits_compared(p, at, block);
}

static void sweep_bits(struct pass *p)
{
	struct ir *ir = p->ir;

	memset(p->bits, 64, ir->n_insns); /* what stands further down may be anything */
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			struct ir_insn *insn = &ir->insns[i];

			if (insn->op == IR_NOP)
				continue;
			if (p->renamed)
				pass_operands(p, insn, pass_n_args(insn, block));
			p->bits[i] = bits_insn(p, i, block);
			use_bits(p, i, block);
		}
	}
}

/* ---- want: what matters ---- */

struct wants {
	struct pass *p;
	u32 at;     /* the sweep is here */
	bool again; /* more was wanted of something that it had passed */
	bool all;   /* whatever comes from behind is wanted as it is */
};

static void want(struct wants *s, u32 value, u32 bits)
{
	value = pass_same(s->p, value);
	if (s->p->want[value] >= bits)
		return;
	s->p->want[value] = (u8)bits;
	s->again |= value >= s->at;
}

static u32 shift_count(const struct pass *p, const struct ir_insn *insn)
{
	return (u32)insn_of(p, insn->b)->imm & (insn->width - 1u);
}

static void want_shift(struct wants *s, const struct ir_insn *insn, u32 bits)
{
	u32 width = insn->width, count;
	bool left = insn->row == ALU_LSH;

	if (!is_const(s->p, insn->b)) {
		want(s, insn->a, left ? bits : width);
		want(s, insn->b, width == 64 ? 6 : 5);
		return;
	}
	count = shift_count(s->p, insn);
	if (!left)
		want(s, insn->a, least(bits + count, width));
	else if (bits > count)
		want(s, insn->a, bits - count);
}

static void want_alu(struct wants *s, const struct ir_insn *insn, u32 bits)
{
	bits = least(bits, insn->width);
	switch ((enum alu)insn->row) {
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_OR:
	case ALU_XOR:
		want(s, insn->a, bits);
		want(s, insn->b, bits);
		return;
	case ALU_AND:
		want(s, insn->b, bits);
		if (is_const(s->p, insn->b))
			bits = least(bits, bits_of((u64)insn_of(s->p, insn->b)->imm));
		want(s, insn->a, bits);
		return;
	case ALU_NEG:
	case ALU_MOV: want(s, insn->a, bits); return;
	case ALU_MOVS8: want(s, insn->a, least(bits, 8)); return;
	case ALU_MOVS16: want(s, insn->a, least(bits, 16)); return;
	case ALU_MOVS32: want(s, insn->a, least(bits, 32)); return;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: want_shift(s, insn, bits); return;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
	case ALUS: break;
	}
	want(s, insn->a, insn->width);
	want(s, insn->b, insn->width);
}

static void want_all(struct wants *s, const struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (info->a)
		want(s, insn->a, 64);
	if (info->b)
		want(s, insn->b, 64);
	if (info->c)
		want(s, insn->c, 64);
	for (u32 i = 0; i < n_args; i++)
		want(s, s->p->ir->args[insn->aux + i], 64);
}

static void want_compared(struct wants *s, const struct ir_insn *insn)
{
	u32 bits = insn->width;

	want(s, insn->b, bits);
	if (insn->row == JMP_JSET && is_const(s->p, insn->b))
		bits = least(bits, bits_of((u64)insn_of(s->p, insn->b)->imm));
	want(s, insn->a, bits);
}

static void want_phi(struct wants *s, const struct ir_insn *insn, u32 n_args, u32 bits)
{
	const u32 *args = s->p->ir->args + insn->aux;

	for (u32 i = 0; i < n_args; i++)
		want(s, args[i], s->all && args[i] >= s->at ? 64 : bits);
}

/* An access happens, whoever wants what it gives: so its address is always wanted. */
static void want_operands(struct wants *s, const struct ir_block *block)
{
	const struct ir_insn *insn = insn_of(s->p, s->at);
	u32 bits = s->p->want[s->at];

	switch ((int)insn->op) {
	case IR_ALU: want_alu(s, insn, bits); return;
	case IR_PHI: want_phi(s, insn, block->n_preds, bits); return;
	case IR_CMP:
	case IR_JMP: want_compared(s, insn); return;
	case IR_SELECT:
		want(s, insn->a, 64);
		want(s, insn->b, bits);
		want(s, insn->c, bits);
		return;
	case IR_ROTL:
		want(s, insn->a, insn->width);
		want(s, insn->b, insn->width == 64 ? 6 : 5);
		return;
	case IR_SWAP: want(s, insn->a, insn->width); return;
	case IR_STORE:
	case IR_STORE_REL:
		want(s, insn->a, 64);
		want(s, insn->b, insn->op == IR_STORE ? 64 : 0);
		want(s, insn->c, insn->width);
		return;
	case IR_ATOMIC:
		want(s, insn->a, 64);
		want(s, insn->b, insn->width);
		want(s, insn->c, insn->width);
		return;
	case IR_LD_PACKET: want(s, insn->a, 32); return;
	default: want_all(s, insn, insn->n_args);
	}
}

static bool is_of_interest(const struct wants *s, u32 at)
{
	u8 op = insn_of(s->p, at)->op;

	return s->p->want[at] || ir_ops[op].effect != IR_PURE || (s->all && op == IR_PHI);
}

static bool sweep_want(struct wants *s)
{
	struct ir *ir = s->p->ir;

	s->again = false;
	for (u32 b = ir->n_blocks; b-- > 0;) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->end; i-- > block->start;) {
			s->at = i;
			if (is_of_interest(s, i))
				want_operands(s, block);
		}
	}
	return s->again;
}

/* ---- using what is wanted ---- */

/* Would the operation on lower halves give the same lower bits? */
static bool works_low(const struct pass *p, const struct ir_insn *insn, u8 bits)
{
	switch ((int)insn->row) {
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_OR:
	case ALU_XOR:
	case ALU_AND:
	case ALU_NEG: return bits <= 32;
	case ALU_LSH: return bits <= 32 && is_short_count(p, insn);
	case ALU_RSH: return is_const(p, insn->b) && bits + shift_count(p, insn) <= 32;
	default: return false;
	}
}

/* Does it change nothing of the lowest bits? */
static bool keeps_low(const struct pass *p, const struct ir_insn *insn, u8 bits)
{
	switch ((int)insn->row) {
	case ALU_AND: return is_ones_below(p, insn->b, bits);
	case ALU_ADD:
	case ALU_SUB:
	case ALU_OR:
	case ALU_XOR:
		return is_const(p, insn->b) &&
		       !(low_ones(bits) & (u64)insn_of(p, insn->b)->imm);
	case ALU_MOV: return bits <= insn->width;
	case ALU_MOVS8: return bits <= 8;
	case ALU_MOVS16: return bits <= 16;
	case ALU_MOVS32: return bits <= 32;
	default: return false;
	}
}

/* Does it cut what has become an operation of 32 bits?  What stands further down may
 * still be replaced by what has an upper half. */
static bool is_cut(const struct pass *p, u32 at)
{
	const struct ir_insn *insn = insn_of(p, at);
	u32 value = pass_same(p, insn->a);

	return insn->row == ALU_MOV && value < at && ir_upper_is_zero(p->ir, value);
}

/* Operations that became narrow can be the halves of a rotate. */
static void find_rotate(struct pass *p, struct ir_insn *insn)
{
	struct ir_insn rotate;

	if (!ir_may_rotate(insn) || !ir_find_rotate(p->ir, insn, insn->width, &rotate))
		return;
	rotate.pc = insn->pc;
	*insn = rotate;
}

static void use_want(struct pass *p, u32 at)
{
	struct ir_insn *insn = &p->ir->insns[at];
	u8 bits = p->want[at];

	if (insn->op == IR_LOAD && bits <= insn->width)
		insn->row = 0;
	if (insn->op != IR_ALU)
		return;
	if (p->renamed)
		pass_operands(p, insn, 0);
	if (!bits) /* then its operands are not what they were either */
		insn->flags &= (u8)~IR_NONZERO;
	if (bits > insn->width ? is_cut(p, at) : keeps_low(p, insn, bits)) {
		pass_replace(p, at, insn->a);
		return;
	}
	if (insn->width == 64 && works_low(p, insn, bits))
		insn->width = 32;
	find_rotate(p, insn);
}

void pass_demand(struct pass *p)
{
	struct wants s = {.p = p};
	u32 sweeps = 1;

	sweep_bits(p);
	while (sweep_want(&s))
		s.all = sweeps++ >= WANT_SWEEPS;
	for (u32 i = 1; i < p->ir->n_insns; i++)
		use_want(p, i);
}
