/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the jumps on every way here say about a comparison, and so about a division.
 *
 *	if (n > 1500 || n < min)	n >= min where min is a byte: both ways
 *		n = n < min ? ..	here say so
 *
 * From the block that is written we walk back along all ways, a few blocks far.  A jump
 * on a way leaves some orders of two values (less, equal, greater); those of the question
 * are read off them where the values are the same, or where one is and the jump compared
 * it with a constant.  The walk ends at a block that computes an operand, as what is said
 * before it is said of another round's value, and at the heads of loops, which are not
 * written whole.  All of it is arithmetic: nothing is taken from the verifier.
 */
#include "opt/fold.h"

enum {
	LESS = 1,
	EQUAL = 2,
	GREATER = 4,
	ANY = LESS | EQUAL | GREATER,
	WAYS = 12,  /* edges looked at for one question */
	BLOCKS = 4, /* in a row */
};

struct question {
	const struct builder *b;
	const struct ir_insn *jmp;
	u32 ways; /* that may still be looked at */
};

/* Values at the width of a comparison, from low to high; the sign bit is turned over
 * where it has a sign, so that the order is that of unsigned numbers. */
struct range {
	u64 low, high;
};

/* In which orders of its operands the row is true; 0: it is no question of order. */
static u32 orders_of(u8 row)
{
	switch ((enum jmp)row) {
	case JMP_JEQ: return EQUAL;
	case JMP_JNE: return LESS | GREATER;
	case JMP_JGT:
	case JMP_JSGT: return GREATER;
	case JMP_JGE:
	case JMP_JSGE: return GREATER | EQUAL;
	case JMP_JLT:
	case JMP_JSLT: return LESS;
	case JMP_JLE:
	case JMP_JSLE: return LESS | EQUAL;
	case JMP_JSET:
	case JMPS: break;
	}
	return 0;
}

static bool has_sign(u8 row)
{
	return row == JMP_JSGT || row == JMP_JSGE || row == JMP_JSLT || row == JMP_JSLE;
}

static bool asks_equality(u8 row)
{
	return row == JMP_JEQ || row == JMP_JNE;
}

static u32 exchanged(u32 orders)
{
	return (orders & EQUAL) | (orders & LESS ? GREATER : 0) |
	       (orders & GREATER ? LESS : 0);
}

static bool is_equal(const struct builder *b, u32 x, u32 y)
{
	return x == y || (is_const(b, x) && is_const(b, y) &&
			  value_of(b, x)->imm == value_of(b, y)->imm);
}

static u64 all_of(const struct ir_insn *jmp)
{
	return jmp->width == 64 ? UINT64_MAX : UINT32_MAX;
}

/* What turns numbers of its row into unsigned ones. */
static u64 sign_of(const struct ir_insn *jmp)
{
	return has_sign(jmp->row) ? all_of(jmp) / 2 + 1 : 0;
}

/* ---- of one jump ---- */

/* The same two values, which are in one of these orders as the jump sees them. */
static u32 seen_without_sign(const struct ir_insn *jmp, const struct ir_insn *ask,
			     u32 orders)
{
	if (has_sign(jmp->row) == has_sign(ask->row) || asks_equality(jmp->row))
		return orders;
	return orders & EQUAL ? ANY : LESS | GREATER;
}

/* What remains of all numbers when the order to `to` is one of these; false: none. */
static bool range_beside(u64 to, u64 all, u32 orders, struct range *out)
{
	*out = (struct range){0, all};
	if (!(orders & LESS))
		out->low = to;
	if (!(orders & GREATER))
		out->high = to;
	if (orders & EQUAL)
		return true;
	if ((out->low == to && to == all) || (out->high == to && !to))
		return orders == (LESS | GREATER);
	out->low += out->low == to;
	out->high -= out->high == to;
	return true;
}

static struct range range_of(const struct builder *b, u32 value, u64 all, u64 sign)
{
	u64 may = may_be_set(b, value, KNOW_DEPTH) & all;

	if (is_const(b, value))
		return (struct range){may ^ sign, may ^ sign};
	if (may & sign)
		return (struct range){0, all};
	return (struct range){sign, may | sign};
}

static u32 orders_between(const struct range *x, const struct range *y)
{
	return (x->low < y->high ? LESS : 0) | (x->high > y->low ? GREATER : 0) |
	       (x->low <= y->high && y->low <= x->high ? EQUAL : 0);
}

/* The jump compared the value, one of the question's operands, with a constant; the other
 * operand is anything. */
static u32 orders_by_range(const struct builder *b, const struct ir_insn *jmp,
			   const struct ir_insn *ask, u32 orders)
{
	u64 all = all_of(jmp), sign = sign_of(jmp), turn = sign ^ sign_of(ask);
	u32 other = jmp->a == ask->a ? ask->b : ask->a;
	struct range x, y = range_of(b, other, all, sign_of(ask));

	if (!range_beside(((u64)value_of(b, jmp->b)->imm & all) ^ sign, all, orders, &x))
		return ANY;
	if (turn && !asks_equality(ask->row)) {
		if ((x.low ^ x.high) & turn)
			return ANY;
		x = (struct range){x.low ^ turn, x.high ^ turn};
	} else {
		y = range_of(b, other, all, sign);
	}
	orders = orders_between(&x, &y);
	return other == ask->b ? orders : exchanged(orders);
}

/* In which orders the operands of the question can be when the jump went that way. */
static u32 orders_behind(const struct builder *b, const struct ir_insn *jmp, bool taken,
			 const struct ir_insn *ask)
{
	u32 orders = orders_of(jmp->row);

	if (!orders || jmp->width != ask->width)
		return ANY;
	if (!taken)
		orders ^= ANY;
	if (is_equal(b, jmp->a, ask->a) && is_equal(b, jmp->b, ask->b))
		return seen_without_sign(jmp, ask, orders);
	if (is_equal(b, jmp->a, ask->b) && is_equal(b, jmp->b, ask->a))
		return exchanged(seen_without_sign(jmp, ask, orders));
	if (is_const(b, jmp->b) && (jmp->a == ask->a || jmp->a == ask->b))
		return orders_by_range(b, jmp, ask, orders);
	return ANY;
}

/* ---- of all ways ---- */

static enum jmp_known along(const struct question *q, u32 from, u32 to)
{
	const struct builder *b = q->b;
	const struct ir_block *block = &b->ir->blocks[b->last[from]];
	const struct ir_insn *end = value_of(b, block->end - 1);
	u32 orders, asked = orders_of(q->jmp->row);

	if (end->op != IR_JMP || block->succ[0] == block->succ[1])
		return JMP_OPEN;
	orders = orders_behind(b, end, block->succ[0] == (s32)to, q->jmp);
	if (!(orders & ~asked))
		return JMP_ALWAYS;
	return orders & asked ? JMP_OPEN : JMP_NEVER;
}

static bool is_made_in(const struct builder *b, u32 block, u32 value)
{
	const struct ir_block *blocks = b->ir->blocks;
	u32 end = block == b->source ? b->ir->n_insns : blocks[b->last[block]].end;

	return !is_const(b, value) && value >= blocks[b->first[block]].start &&
	       value < end;
}

static enum jmp_known known_at(struct question *q, u32 block, u32 depth)
{
	const struct builder *b = q->b;
	const struct graph_block *at = &b->graph->blocks[block];
	const u32 *preds = b->graph->preds + at->preds;
	u32 n = b->n_edges[block];
	enum jmp_known all = JMP_OPEN;

	if (!depth || !n || at->last_pred >= block || is_made_in(b, block, q->jmp->a) ||
	    is_made_in(b, block, q->jmp->b))
		return JMP_OPEN;
	for (u32 i = 0; i < n; i++) {
		enum jmp_known one;

		if (!q->ways)
			return JMP_OPEN;
		q->ways--;
		one = along(q, preds[i], block);
		if (one == JMP_OPEN)
			one = known_at(q, preds[i], depth - 1);
		if (one == JMP_OPEN || (i && one != all))
			return JMP_OPEN;
		all = one;
	}
	return all;
}

enum jmp_known jumps_say(const struct builder *b, const struct ir_insn *jmp)
{
	struct question q = {b, jmp, WAYS};

	if (!orders_of(jmp->row))
		return JMP_OPEN;
	return known_at(&q, b->source, BLOCKS);
}

bool is_never_zero(struct builder *b, u32 value, u8 width)
{
	const struct ir_insn *insn = value_of(b, value);
	u64 all = width == 32 || insn->width == 32 ? UINT32_MAX : UINT64_MAX;
	struct ir_insn jmp = {
		.op = IR_JMP, .row = JMP_JNE, .width = width, .a = value, .b = b->zero};
	enum jmp_known known;

	if (insn->op == IR_ALU && insn->row == ALU_OR && is_const(b, insn->b) &&
	    (u64)value_of(b, insn->b)->imm & all)
		return true;
	known = fold_jmp(b, &jmp);
	return (known == JMP_OPEN ? jumps_say(b, &jmp) : known) == JMP_ALWAYS;
}
