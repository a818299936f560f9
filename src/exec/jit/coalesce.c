/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PHIs and what they take are put into one class wherever they are not alive at the same
 * time: then the edge needs no move.  Edges that are taken often are served first: blocks
 * by the depth of their loops, and in each the edges from behind before those that enter.
 * Constants stay out: an edge puts them straight into their place.
 */
#include <string.h>

#include "exec/jit/alloc.h"

/* A class of more pieces than this takes no more: merging them is quadratic. */
enum { MAX_PIECES = 1024, MAX_DEPTH = 16 };

u32 class_of(struct alloc *a, u32 value)
{
	struct value *values = a->values;

	while (values[value].class != value) {
		values[value].class = values[values[value].class].class;
		value = values[value].class;
	}
	return value;
}

bool ranges_meet(const struct alloc *a, const struct value *x, const struct value *y)
{
	const struct range *p = &a->ranges[x->ranges + x->cursor];
	const struct range *q = &a->ranges[y->ranges + y->cursor];
	const struct range *p_end = &a->ranges[x->ranges + x->n_ranges];
	const struct range *q_end = &a->ranges[y->ranges + y->n_ranges];

	while (p < p_end && q < q_end) {
		if (p->to <= q->from)
			p++;
		else if (q->to <= p->from)
			q++;
		else
			return true;
	}
	return false;
}

/* Sorted into one, at the end of the array.  At an odd position an operand's range may
 * end and a result's begin: clobbers pass between them, so that they are not joined. */
static bool merge_ranges(struct alloc *a, struct value *into, const struct value *from)
{
	u32 n = into->n_ranges + from->n_ranges, i = 0, k = 0, start = a->n_ranges, out;

	for (u32 grown = 0; grown < n; grown++)
		if (!alloc_grow(a, &a->ranges, &a->n_ranges, &a->cap_ranges,
				sizeof(*a->ranges)))
			return false;
	out = start;
	while (i < into->n_ranges || k < from->n_ranges) {
		const struct range *x = &a->ranges[into->ranges + i];
		const struct range *y = &a->ranges[from->ranges + k];
		bool first =
			k == from->n_ranges || (i < into->n_ranges && x->from < y->from);
		struct range r = first ? *x : *y;

		if (first)
			i++;
		else
			k++;
		if (out > start && a->ranges[out - 1].to == r.from && r.from % 2 == 0)
			a->ranges[out - 1].to = r.to;
		else
			a->ranges[out++] = r;
	}
	a->n_ranges = out;
	into->ranges = start;
	into->n_ranges = out - start;
	return true;
}

static void join(struct alloc *a, u32 into, u32 from)
{
	struct value *x = &a->values[into], *y = &a->values[from];

	if (!merge_ranges(a, x, y))
		return;
	x->length += y->length;
	x->weight += y->weight;
	for (u32 i = 0; i < HINTS; i++)
		add_hint(x, y->hint[i], y->hint_weight[i]);
	if (!x->toward)
		x->toward = y->toward;
	y->class = into;
}

static void try_to_join(struct alloc *a, u32 phi, u32 arg)
{
	u32 x = class_of(a, phi), y = class_of(a, arg);
	const struct value *v = &a->values[x], *w = &a->values[y];

	if (x == y || w->flags & VALUE_REBUILT || !v->n_ranges || !w->n_ranges ||
	    v->n_ranges + w->n_ranges > MAX_PIECES || ranges_meet(a, v, w))
		return;
	join(a, x, y);
}

/* PHIs of a block with what they take over edges from behind, or over the others. */
static void join_block(struct alloc *a, u32 block, bool behind)
{
	const struct ir *ir = a->ir;
	const struct ir_block *b = &ir->blocks[block];

	for (u32 i = b->start; i < b->end; i++) {
		const struct ir_insn *phi = &ir->insns[i];

		if (phi->op == IR_NOP)
			continue;
		if (phi->op != IR_PHI)
			break;
		for (u32 k = 0; k < b->n_preds; k++)
			if ((ir->preds[b->preds + k] >= block) == behind)
				try_to_join(a, i, ir->args[phi->aux + k]);
	}
}

static u32 capped_depth(const struct ir_block *b)
{
	return b->loop_depth < MAX_DEPTH ? b->loop_depth : MAX_DEPTH - 1;
}

void coalesce_phis(struct alloc *a)
{
	const struct ir *ir = a->ir;
	u32 n_at[MAX_DEPTH] = {0};

	for (u32 b = 0; b < ir->n_blocks; b++)
		n_at[capped_depth(&ir->blocks[b])]++;
	for (u32 depth = MAX_DEPTH; depth-- > 0;) {
		for (u32 b = 0; n_at[depth] && b < ir->n_blocks; b++) {
			if (capped_depth(&ir->blocks[b]) != depth)
				continue;
			join_block(a, b, true);
			join_block(a, b, false);
		}
	}
}
