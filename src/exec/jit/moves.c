/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves that happen at once: at the edges to blocks with PHIs, before calls and in the
 * prologue.  A move may be made as soon as nobody else still reads the place that it
 * writes.  What then remains are cycles, in which each place is read exactly once: swaps
 * turn them.  The work is quadratic in the number of moves, which are few.
 */
#include "exec/jit/machine.h"

static bool is_pending(const struct move *m)
{
	return m->to != LOC_NONE;
}

static void finish(struct move *m)
{
	m->to = m->from = LOC_NONE;
}

static struct move *reader_of(struct move *moves, u32 n, s16 place)
{
	for (u32 i = 0; i < n; i++)
		if (moves[i].from == place)
			return &moves[i];
	return NULL;
}

static struct move *writer_of(struct move *moves, u32 n, s16 place)
{
	if (place == LOC_NONE)
		return NULL;
	for (u32 i = 0; i < n; i++)
		if (moves[i].to == place)
			return &moves[i];
	return NULL;
}

/* Makes m and what it stood in the way of, as long as nobody reads what they write. */
static void move_chain(struct move *m, struct move *moves, u32 n,
		       const struct move_ops *ops)
{
	while (m && is_pending(m) && !reader_of(moves, n, m->to)) {
		s16 from = m->from;

		ops->move(ops->arg, m);
		finish(m);
		m = writer_of(moves, n, from);
	}
}

/* A cycle: after the swap one more value is where it should be, and what was there is
 * where that came from. */
static void turn_cycle(struct move *m, struct move *moves, u32 n,
		       const struct move_ops *ops)
{
	while (m && m->from != m->to) {
		struct move *next = reader_of(moves, n, m->to);

		ops->swap(ops->arg, m->to, m->from);
		if (next)
			next->from = m->from;
		finish(m);
		m = next;
	}
	if (m)
		finish(m);
}

void moves_in_order(struct move *moves, u32 n, const struct move_ops *ops)
{
	for (u32 i = 0; i < n; i++)
		if (moves[i].from == moves[i].to)
			finish(&moves[i]);
	for (u32 i = 0; i < n; i++)
		move_chain(&moves[i], moves, n, ops);
	for (u32 i = 0; i < n; i++)
		if (is_pending(&moves[i]))
			turn_cycle(&moves[i], moves, n, ops);
}

u32 count_phis(const struct ir *ir, u32 block)
{
	const struct ir_block *b = &ir->blocks[block];
	u32 n = 0;

	for (u32 i = b->start; i < b->end; i++) {
		if (ir->insns[i].op == IR_PHI)
			n++;
		else if (ir->insns[i].op != IR_NOP)
			break;
	}
	return n;
}

/* Is it never taken from a register at an edge? */
static bool is_rebuilt(const struct ir_insn *insn)
{
	return insn->op == IR_CONST || insn->op == IR_ADDR || insn->op == IR_FRAME ||
	       insn->flags & IR_FUSED;
}

u32 moves_of_edge(const struct ir *ir, const struct allocation *where, u32 block,
		  u32 pred, struct move *moves)
{
	const struct ir_block *b = &ir->blocks[block];
	u32 n = 0;

	for (u32 i = b->start; i < b->end; i++) {
		const struct ir_insn *phi = &ir->insns[i];
		u32 value;
		s16 from;

		if (phi->op == IR_NOP)
			continue;
		if (phi->op != IR_PHI)
			break;
		value = ir->args[phi->aux + pred];
		from = is_rebuilt(&ir->insns[value]) ? LOC_NONE : where->loc[value];
		if (where->loc[i] != LOC_NONE && where->loc[i] != from)
			moves[n++] = (struct move){where->loc[i], from, value};
	}
	return n;
}
