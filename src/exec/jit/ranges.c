/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where values live: from each read back to the definition.
 *
 * Blocks are read from the last to the first, instructions from the end.  In the block of
 * its definition a value lives from there to its last read; most values are done with
 * that.  A read in another block is kept in a list, and then, value by value, followed
 * against the edges until the block of the definition: each block is visited once, marks
 * say so, and nothing is solved for all values at once.  Any control flow will do.  What
 * a PHI takes is read at the end of the predecessor.
 *
 * The way back is also the right one for wishes: who takes a result is known before the
 * operands are met, so that a wish goes up a chain of tied results.
 */
#include <string.h>

#include "exec/jit/alloc.h"

/* A read, on its way to the values that it reads. */
struct reading {
	u32 block;
	u32 to;
	float weight;
	bool argument; /* of a call or a PHI */
};

/* Where a value comes to be. */
struct birth {
	u32 value, block;
	u32 at; /* position */
};

/* Blocks that a value is alive in from their start. */
struct walk {
	u32 *mark;   /* by block: the value that was here last, + 1 */
	u32 *to;     /* .. and where it ends in there */
	u32 *blocks; /* n of them */
	u32 n;
	u32 low, high; /* first and last of them */
};

static u32 max_u32(u32 a, u32 b)
{
	return a > b ? a : b;
}

void add_hint(struct value *v, u8 reg, float weight)
{
	u32 at = HINTS - 1;

	if (reg == NO_REG)
		return;
	for (u32 i = 0; i < HINTS; i++) {
		if (v->hint[i] == reg) {
			weight += v->hint_weight[i];
			at = i;
			break;
		}
	}
	if (v->hint[at] != NO_REG && v->hint[at] != reg && v->hint_weight[at] >= weight)
		return;
	for (; at > 0 && v->hint_weight[at - 1] < weight; at--) {
		v->hint[at] = v->hint[at - 1];
		v->hint_weight[at] = v->hint_weight[at - 1];
	}
	v->hint[at] = reg;
	v->hint_weight[at] = weight;
}

/* The value that stands for it: the run and a parameter are one each. */
static u32 canonical(const struct alloc *a, u32 value)
{
	const struct ir_insn *insn = &a->ir->insns[value];

	if (insn->op == IR_RUN)
		return RUN_VALUE;
	return insn->op == IR_PARAM ? a->params[insn->imm] : value;
}

static bool is_defined_in(const struct alloc *a, u32 value, u32 block)
{
	const struct ir_block *b = &a->ir->blocks[block];

	if (value == RUN_VALUE || a->ir->insns[value].op == IR_PARAM)
		return block == 0;
	return b->start <= value && value < b->end;
}

static void note_value(struct alloc *a, u32 value, const struct reading *r)
{
	struct value *v = &a->values[value];
	bool seen = v->seen == r->block + 1;
	struct read *read;

	if (!r->argument)
		v->flags |= VALUE_OPERAND;
	v->weight += r->weight;
	v->seen = r->block + 1;
	if (is_defined_in(a, value, r->block)) {
		v->last = max_u32(v->last, r->to);
	} else if (seen) {
		read = &a->reads[v->reads];
		read->to = max_u32(read->to, r->to);
	} else {
		read = alloc_grow(a, &a->reads, &a->n_reads, &a->cap_reads,
				  sizeof(*read));
		if (!read)
			return;
		*read = (struct read){v->reads, r->block, r->to};
		v->reads = a->n_reads - 1;
	}
}

/* What is fused is read through: machines fuse a few levels, no more. */
static void note_read(struct alloc *a, u32 value, const struct reading *r)
{
	const struct ir_insn *insn = &a->ir->insns[value];
	const struct ir_op_info *info = &ir_ops[insn->op];
	struct reading inner = *r;

	if (value == 0)
		return;
	if (!(insn->flags & IR_FUSED)) {
		note_value(a, canonical(a, value), r);
		return;
	}
	inner.argument = false;
	if (info->a)
		note_read(a, insn->a, &inner);
	if (info->b)
		note_read(a, insn->b, &inner);
	if (info->c)
		note_read(a, insn->c, &inner);
}

static bool is_rebuilt(const struct alloc *a, u32 value)
{
	return a->values[value].flags & VALUE_REBUILT;
}

static void read_phi(struct alloc *a, u32 block, u32 phi)
{
	const struct ir *ir = a->ir;
	const struct ir_block *b = &ir->blocks[block];

	for (u32 k = 0; k < b->n_preds; k++) {
		u32 arg = ir->args[ir->insns[phi].aux + k];
		u32 pred = ir->preds[b->preds + k];
		struct value *v;
		struct reading r = {pred, 2 * ir->blocks[pred].end, a->freq[pred], true};

		if (is_rebuilt(a, arg))
			continue;
		note_read(a, arg, &r);
		arg = canonical(a, arg);
		v = &a->values[arg];
		if (v->toward)
			continue;
		v->toward = phi;
		v->argument_of = block;
		v->flags |= VALUE_ARGUMENT;
	}
}

static void read_phis(struct alloc *a)
{
	for (u32 b = 0; b < a->ir->n_blocks; b++) {
		const struct ir_block *block = &a->ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			if (a->ir->insns[i].op == IR_PHI)
				read_phi(a, b, i);
			else if (a->ir->insns[i].op != IR_NOP)
				break;
		}
	}
}

static bool commutes(const struct ir_insn *insn)
{
	return (insn->op == IR_ALU &&
		(insn->row == ALU_ADD || insn->row == ALU_MUL || insn->row == ALU_AND ||
		 insn->row == ALU_OR || insn->row == ALU_XOR)) ||
	       insn->op == IR_MULH;
}

static bool ends_here(const struct alloc *a, u32 value)
{
	const struct value *v = &a->values[value];

	return value && !v->last && !v->reads;
}

u32 written_over(const struct ir_insn *insn, u32 over[2])
{
	if (insn->op == IR_SELECT) {
		over[0] = insn->b;
		over[1] = insn->c;
		return 2;
	}
	over[0] = insn->a;
	over[1] = insn->b;
	if (commutes(insn))
		return 2;
	return insn->op == IR_ALU || insn->op == IR_ROTL || insn->op == IR_SWAP;
}

/* Where the result is wished, the operand that it is written over is wished, too. */
static void pass_wishes_on(struct alloc *a, u32 i, bool tied)
{
	const struct value *from = &a->values[i];
	u32 over[2], n = written_over(&a->ir->insns[i], over);

	for (u32 k = 0; k < n; k++) {
		u32 to = canonical(a, over[k]);

		if (!ends_here(a, to))
			continue;
		for (u32 h = 0; tied && h < HINTS; h++)
			add_hint(&a->values[to], from->hint[h],
				 from->hint_weight[h] * 0.9f);
		tied = false;
		if (from->toward && !a->values[to].toward)
			a->values[to].toward = from->toward;
	}
}

/* Does it take the run without naming it? */
static bool needs_run(enum ir_op op)
{
	return op == IR_CALL || op == IR_CALL_LOCAL || op == IR_CALLX ||
	       op == IR_TAIL_CALL || op == IR_CHECK || op == IR_LD_PACKET;
}

static void read_operand(struct alloc *a, u32 value, struct reading *r, u8 wish)
{
	if (!value)
		return;
	note_read(a, value, r);
	if (wish != NO_REG)
		add_hint(&a->values[canonical(a, value)], wish, r->weight);
}

static void read_operands(struct alloc *a, u32 i, u32 block, const struct constraint *c)
{
	const struct ir_insn *insn = &a->ir->insns[i];
	const struct ir_op_info *info = &ir_ops[insn->op];
	struct reading r = {.block = block, .weight = a->freq[block]};
	bool calls = insn->op == IR_CALL || insn->op == IR_CALL_LOCAL ||
		     insn->op == IR_CALLX || insn->op == IR_TAIL_CALL;

	r.to = 2 * i + 1 + c->late_a;
	if (info->a)
		read_operand(a, insn->a, &r, c->a);
	r.to = 2 * i + 1 + c->late_b;
	if (info->b)
		read_operand(a, insn->b, &r, c->b);
	r.to = 2 * i + 1 + c->late_c;
	if (info->c)
		read_operand(a, insn->c, &r, c->c);
	r.to = 2 * i + 2;
	if (needs_run(insn->op))
		note_value(a, RUN_VALUE, &r);
	r.to = 2 * i + 1;
	r.argument = true;
	for (u32 k = 0; calls && k < insn->n_args; k++)
		read_operand(a, a->ir->args[insn->aux + k], &r,
			     k < MAX_ARGS ? c->args[k] : NO_REG);
}

static void read_insn(struct alloc *a, u32 i, u32 block)
{
	const struct ir_insn *insn = &a->ir->insns[i];
	struct constraint c = {0,   NO_REG, NO_REG, NO_REG, NO_REG,
			       {0}, false,  false,  false,  false};
	struct clobber *clobber;

	if (insn->op == IR_NOP || insn->op == IR_PHI || insn->flags & IR_FUSED)
		return;
	memset(c.args, NO_REG, sizeof(c.args));
	a->machine->constrain(a->ir, i, a->features, &c);
	a->values[i].weight += a->freq[block];
	add_hint(&a->values[i], c.out, a->freq[block]);
	pass_wishes_on(a, i, c.tied);
	read_operands(a, i, block, &c);
	if (!c.clobbers)
		return;
	clobber = alloc_grow(a, &a->clobbers, &a->n_clobbers, &a->cap_clobbers,
			     sizeof(*clobber));
	if (clobber)
		*clobber = (struct clobber){2 * i + 1, c.clobbers};
}

static void read_blocks(struct alloc *a)
{
	for (u32 b = a->ir->n_blocks; b-- > 0;) {
		const struct ir_block *block = &a->ir->blocks[b];

		for (u32 i = block->end; i-- > block->start;)
			read_insn(a, i, b);
	}
	for (u32 i = 0; i < a->n_clobbers / 2; i++) {
		struct clobber *x = &a->clobbers[i];
		struct clobber *y = &a->clobbers[a->n_clobbers - 1 - i], old = *x;

		*x = *y;
		*y = old;
	}
}

static void reach(struct walk *w, u32 value, u32 block, u32 to)
{
	if (w->mark[block] == value + 1) {
		w->to[block] = max_u32(w->to[block], to);
		return;
	}
	w->mark[block] = value + 1;
	w->to[block] = to;
	w->blocks[w->n++] = block;
	w->low = block < w->low ? block : w->low;
	w->high = max_u32(w->high, block);
}

static void sort_rows(u32 *blocks, u32 n)
{
	for (u32 gap = n > 8 ? n / 2 : 1; gap > 0; gap /= 2) {
		for (u32 i = gap; i < n; i++) {
			u32 x = blocks[i], k = i;

			for (; k >= gap && blocks[k - gap] > x; k -= gap)
				blocks[k] = blocks[k - gap];
			blocks[k] = x;
		}
	}
}

/* Blocks in the order of the code.  What a value is alive in lies close together as a
 * rule: then looking at all between is faster. */
static void put_in_order(struct walk *w, u32 value)
{
	u32 n = 0, wide = w->high - w->low;

	if (wide > 8 * w->n) {
		sort_rows(w->blocks, w->n);
		return;
	}
	for (u32 b = w->low; b <= w->high; b++)
		if (w->mark[b] == value + 1)
			w->blocks[n++] = b;
}

/* Finds the blocks that the value is alive in when they start. */
static void walk_back(struct alloc *a, struct walk *w, const struct birth *birth)
{
	const struct ir *ir = a->ir;
	struct value *v = &a->values[birth->value];

	w->n = w->high = 0;
	w->low = ~0u;
	for (u32 r = v->reads; r; r = a->reads[r].next)
		reach(w, birth->value, a->reads[r].block, a->reads[r].to);
	for (u32 i = 0; i < w->n; i++) {
		const struct ir_block *b = &ir->blocks[w->blocks[i]];

		for (u32 k = 0; k < b->n_preds; k++) {
			u32 pred = ir->preds[b->preds + k];

			if (pred == birth->block)
				v->last = 2 * ir->blocks[pred].end;
			else
				reach(w, birth->value, pred, 2 * ir->blocks[pred].end);
		}
	}
	put_in_order(w, birth->value);
}

static void add_range(struct alloc *a, struct value *v, struct range r)
{
	struct range *last = v->n_ranges ? &a->ranges[a->n_ranges - 1] : NULL;

	v->length += r.to - r.from;
	if (last && last->to == r.from) {
		last->to = r.to;
		return;
	}
	last = alloc_grow(a, &a->ranges, &a->n_ranges, &a->cap_ranges, sizeof(*last));
	if (!last)
		return;
	*last = r;
	v->n_ranges++;
}

/* The piece in its own block, and those of the others. */
static void add_ranges(struct alloc *a, struct walk *w, const struct birth *birth)
{
	struct value *v = &a->values[birth->value];
	struct range own = {birth->at, v->last};
	u32 i = 0;

	for (; i < w->n && w->blocks[i] < birth->block; i++)
		add_range(a, v,
			  (struct range){2 * a->ir->blocks[w->blocks[i]].start,
					 w->to[w->blocks[i]]});
	if (own.to > own.from)
		add_range(a, v, own);
	for (; i < w->n; i++)
		add_range(a, v,
			  (struct range){2 * a->ir->blocks[w->blocks[i]].start,
					 w->to[w->blocks[i]]});
}

static void make_ranges(struct alloc *a, struct walk *w, const struct birth *birth)
{
	struct value *v = &a->values[birth->value];
	bool only_argument = v->flags & VALUE_REBUILT && !(v->flags & VALUE_OPERAND);

	if ((!v->last && !v->reads) || only_argument)
		return;
	/* What is rebuilt saves its definition, and is no load. */
	if (v->flags & VALUE_REBUILT)
		v->weight = (v->weight - 2 * a->freq[birth->block]) / 2;
	for (u32 i = 0; i < HINTS; i++)
		if (v->hint[i] < ARRAY_SIZE(a->wish))
			a->wish[v->hint[i]] += v->hint_weight[i];
	w->n = 0;
	if (v->reads)
		walk_back(a, w, birth);
	v->ranges = a->n_ranges;
	add_ranges(a, w, birth);
}

static void make_all_ranges(struct alloc *a, struct walk *w)
{
	const struct ir *ir = a->ir;
	u32 start = 2 * ir->blocks[0].start;

	make_ranges(a, w, &(struct birth){RUN_VALUE, 0, start});
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			struct birth birth = {i, b, 2 * i + 1};

			if (a->values[i].class != i || ir->insns[i].op == IR_NOP)
				continue;
			if (ir->insns[i].op == IR_PHI)
				birth.at = 2 * block->start;
			if (ir->insns[i].op == IR_PARAM)
				birth = (struct birth){i, 0, start};
			make_ranges(a, w, &birth);
		}
	}
}

void find_ranges(struct alloc *a)
{
	u32 n = a->ir->n_blocks;
	u32 *words = arena_array(a->ir->arena, (size_t)n * 3, sizeof(*words));
	struct walk w = {.mark = words};

	if (!words) {
		a->no_memory = true;
		return;
	}
	w.to = words + n;
	w.blocks = words + 2 * (size_t)n;
	read_phis(a);
	read_blocks(a);
	if (!a->no_memory)
		make_all_ranges(a, &w);
}
