/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PHIs and what they take are put into one class wherever they are not alive at the same
 * time: then the edge needs no move.  Edges that are taken often are served first, by the
 * depth of their loops, and of these the ones where a move would need a jump, too.
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

/* The first of [from, n) that ends behind a position: near by as a rule. */
static u32 skip_to(const struct range *r, u32 from, u32 n, u32 at)
{
	u32 step = 1, low = from, high;

	while (low + step < n && r[low + step].to <= at) {
		low += step;
		step *= 2;
	}
	high = low + step < n ? low + step : n;
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (r[middle].to <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ranges_meet(const struct alloc *a, const struct value *x, const struct value *y)
{
	const struct range *p = &a->ranges[x->ranges], *q = &a->ranges[y->ranges];
	u32 i = x->cursor, k = y->cursor;

	while (i < x->n_ranges && k < y->n_ranges) {
		if (p[i].to <= q[k].from)
			i = skip_to(p, i, x->n_ranges, q[k].from);
		else if (q[k].to <= p[i].from)
			k = skip_to(q, k, y->n_ranges, p[i].from);
		else
			return true;
	}
	return false;
}

/* At an odd position an operand's range may end and a result's begin: clobbers pass
 * between them, so that they are not joined. */
static bool touch(const struct range *x, const struct range *y)
{
	return x->to == y->from && y->from % 2 == 0;
}

/* A place for n ranges at the end of the array; later ones go behind it. */
static bool reserve(struct alloc *a, u32 n, u32 *start)
{
	*start = a->n_ranges;
	while (a->n_ranges - *start < n)
		if (!alloc_grow(a, &a->ranges, &a->n_ranges, &a->cap_ranges,
				sizeof(*a->ranges)))
			return false;
	return true;
}

/* Puts one more among the others, in a place that has room for it. */
static void insert_range(struct alloc *a, struct value *v, struct range r)
{
	struct range *all = &a->ranges[v->ranges];
	u32 at = skip_to(all, 0, v->n_ranges, r.from);

	if (at > 0 && touch(&all[at - 1], &r)) {
		all[at - 1].to = r.to;
		if (at == v->n_ranges || !touch(&all[at - 1], &all[at]))
			return;
		all[at - 1].to = all[at].to;
		v->n_ranges--;
		memmove(&all[at], &all[at + 1], (v->n_ranges - at) * sizeof(r));
	} else if (at < v->n_ranges && touch(&r, &all[at])) {
		all[at].from = r.from;
	} else {
		memmove(&all[at + 1], &all[at], (v->n_ranges - at) * sizeof(r));
		all[at] = r;
		v->n_ranges++;
	}
}

static bool merge_ranges(struct alloc *a, struct value *into, const struct value *from)
{
	u32 n = into->n_ranges + from->n_ranges, start;

	if (n > into->room) {
		if (!reserve(a, 2 * n, &start))
			return false;
		memcpy(&a->ranges[start], &a->ranges[into->ranges],
		       into->n_ranges * sizeof(*a->ranges));
		into->ranges = start;
		into->room = 2 * n;
	}
	for (u32 i = 0; i < from->n_ranges; i++)
		insert_range(a, into, a->ranges[from->ranges + i]);
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
	if (v->n_ranges >= w->n_ranges)
		join(a, x, y);
	else
		join(a, y, x);
}

/* An edge has its moves where its predecessor ends, or, when that has another way to go,
 * in a block of its own with another jump. */
static u32 rank_of_edge(const struct ir *ir, u32 block, u32 pred)
{
	const struct ir_block *from = &ir->blocks[pred];
	u32 depth = from->loop_depth, limit = ir->blocks[block].loop_depth;

	if (depth > limit)
		depth = limit;
	if (depth >= MAX_DEPTH)
		depth = MAX_DEPTH - 1;
	return 2 * depth + (from->succ[1] != IR_NO_BLOCK);
}

/* The PHIs of a block with what they take over its edges of a rank. */
static void join_block(struct alloc *a, u32 block, u32 rank)
{
	const struct ir *ir = a->ir;
	const struct ir_block *b = &ir->blocks[block];

	for (u32 k = 0; k < b->n_preds; k++) {
		if (rank_of_edge(ir, block, ir->preds[b->preds + k]) != rank)
			continue;
		for (u32 i = b->start; i < b->end; i++) {
			const struct ir_insn *phi = &ir->insns[i];

			if (phi->op == IR_PHI)
				try_to_join(a, i, ir->args[phi->aux + k]);
			else if (phi->op != IR_NOP)
				break;
		}
	}
}

void coalesce_phis(struct alloc *a)
{
	const struct ir *ir = a->ir;
	bool has_rank[2 * MAX_DEPTH] = {0};

	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 k = 0; k < ir->blocks[b].n_preds; k++)
			has_rank[rank_of_edge(ir, b,
					      ir->preds[ir->blocks[b].preds + k])] = true;
	for (u32 rank = 2 * MAX_DEPTH; rank-- > 0;)
		for (u32 b = 0; has_rank[rank] && b < ir->n_blocks; b++)
			join_block(a, b, rank);
}
