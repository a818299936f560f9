/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two values that end in one: as soon as it can be.
 *
 * clang orders instructions for ten registers and spills what does not fit; without the
 * spills many values are alive at once that wait for nothing but to be added.  Arithmetic
 * of two operands that nobody needs later moves up to behind whoever used them last: from
 * there on one register holds what two did.  It is pure, so it may stand anywhere behind
 * its operands.
 *
 * Where a loop became one block, its CHECK moves up to the PHIs: it would take the flags
 * from a sum that is compared behind it.  Nothing but time hangs on where it stands.
 *
 * An instruction moves to the group of the one that it follows: the group's own, then
 * those that moved there, in the order in which they came.  So whatever was in a group
 * stands before what comes to it.  Never moves anything from one block to another.
 */
#include <string.h>

#include "opt/passes.h"

enum { FAR = 6 }; /* instructions; for less nothing is moved */

struct order {
	struct ir *ir;
	u32 *left;  /* by value: uses not passed by yet; PHIs' and other blocks' count */
	u32 *last;  /* by value: the group of its last use so far, at first its own */
	u32 *first; /* by group: who moved there first; 0: nobody */
	u32 *tail;  /* by group: who did last */
	u32 *next;  /* by instruction: who moved there next */
	u32 start;  /* of the block */
	u32 top;    /* its last PHI, if it is a loop; 0: it is none */
	bool moved; /* anything */
};

static struct ir_insn *at(const struct order *o, u32 value)
{
	return &o->ir->insns[value];
}

static bool is_here(const struct order *o, u32 value)
{
	return value >= o->start;
}

static u32 find_top(const struct ir *ir, u32 b)
{
	const struct ir_block *block = &ir->blocks[b];
	u32 top = 0;

	if (block->succ[0] != (s32)b && block->succ[1] != (s32)b)
		return 0;
	for (u32 i = block->start; i < block->end && ir->insns[i].op == IR_PHI; i++)
		top = i;
	return top;
}

/* The group to move to, or the instruction itself. */
static u32 find_group(const struct order *o, u32 number)
{
	const struct ir_insn *insn = at(o, number);
	u32 group;
	u8 op;

	if (insn->op == IR_CHECK && o->top)
		return o->top;
	/* a and b are values only of some */
	if (insn->op != IR_ALU || !insn->b || insn->a == insn->b ||
	    ir_is_const(o->ir, insn->a) || ir_is_const(o->ir, insn->b) ||
	    o->left[insn->a] != 1 || o->left[insn->b] != 1)
		return number;
	group = o->last[insn->a];
	if (group < o->last[insn->b])
		group = o->last[insn->b];
	op = at(o, group)->op;
	if (!is_here(o, group) || group + FAR > number || op == IR_PHI ||
	    op == IR_PARAM || op == IR_RUN)
		return number;
	return group;
}

static void move(struct order *o, u32 number, u32 group)
{
	if (o->first[group])
		o->next[o->tail[group]] = number;
	else
		o->first[group] = number;
	o->tail[group] = number;
	o->moved = true;
}

static void pass_by(struct order *o, u32 value, u32 group)
{
	if (!value)
		return;
	o->left[value]--;
	if (o->last[value] < group)
		o->last[value] = group;
}

static void look_at(struct order *o, u32 number)
{
	const struct ir_insn *insn = at(o, number);
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 group;

	o->last[number] = number;
	if (insn->op == IR_PHI)
		return;
	group = find_group(o, number);
	if (group != number)
		move(o, number, group);
	o->last[number] = group;
	pass_by(o, info->a ? insn->a : 0, group);
	pass_by(o, info->b ? insn->b : 0, group);
	pass_by(o, info->c ? insn->c : 0, group);
	for (u32 i = 0; i < insn->n_args; i++)
		pass_by(o, o->ir->args[insn->aux + i], group);
}

/* ---- the new order ---- */

struct packing {
	struct ir_insn *insns;
	u32 *number; /* by old value */
	u32 n;
};

static void take(struct packing *to, const struct order *o, u32 number)
{
	to->number[number] = to->n;
	to->insns[to->n++] = *at(o, number);
}

static bool is_moved(const struct order *o, u32 number)
{
	return o->last[number] == UINT32_MAX;
}

static void take_block(struct packing *to, const struct order *o,
		       const struct ir_block *block)
{
	for (u32 i = block->start; i < block->end; i++) {
		if (is_moved(o, i))
			continue;
		take(to, o, i);
		for (u32 k = o->first[i]; k; k = o->next[k])
			take(to, o, k);
	}
}

static bool put_in_order(struct order *o)
{
	struct ir *ir = o->ir;
	struct packing to = {
		.insns = arena_raw(ir->arena, ir->n_insns, sizeof(*to.insns)),
		.number = o->left, /* nobody counts any more */
		.n = 1,
	};

	if (!to.insns)
		return false;
	to.insns[0] = ir->insns[0];
	to.number[0] = 0;
	for (u32 g = 1; g < ir->n_insns; g++)
		for (u32 k = o->first[g]; k; k = o->next[k])
			o->last[k] = UINT32_MAX;
	for (u32 b = 0; b < ir->n_blocks; b++)
		take_block(&to, o, &ir->blocks[b]);
	ir->insns = to.insns;
	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++)
			pass_number(ir, to.number, &ir->insns[i],
				    pass_n_args(&ir->insns[i], &ir->blocks[b]));
	return true;
}

bool pass_order(struct pass *p)
{
	struct ir *ir = p->ir;
	u32 n = ir->n_insns;
	u32 *words = arena_array(ir->arena, n, 5 * sizeof(*words));
	struct order o = {.ir = ir};

	if (!words)
		return false;
	o.left = words;
	o.last = words + n;
	o.first = words + 2 * (size_t)n;
	o.tail = words + 3 * (size_t)n;
	o.next = words + 4 * (size_t)n;
	for (u32 i = 0; i < n; i++)
		o.left[i] = ir->insns[i].uses;
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		o.start = block->start;
		o.top = find_top(ir, b);
		for (u32 i = block->start; i < block->end; i++)
			look_at(&o, i);
	}
	return !o.moved || put_in_order(&o);
}
