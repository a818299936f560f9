/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that become one.  A block that takes in another one gets its instructions as a
 * further part; where the parts do not stand one behind the other already, all
 * instructions are copied in the new order at the end (pass_settle).
 */
#include <string.h>

#include "base/diag.h"
#include "opt/passes.h"

struct ir_insn *pass_end(const struct pass *p, u32 b)
{
	return &p->ir->insns[p->ir->blocks[p->tail[b]].end - 1];
}

void pass_absorb(struct pass *p, u32 into, u32 block)
{
	struct ir_block *to = &p->ir->blocks[into], *from = &p->ir->blocks[block];

	p->home[block] = into;
	p->next[p->tail[into]] = block;
	p->tail[into] = p->tail[block];
	to->succ[0] = from->succ[0];
	to->succ[1] = from->succ[1];
}

static void *grown(struct arena *arena, const void *old, u32 n, u32 cap, size_t size)
{
	void *p = arena_array(arena, cap, size);

	if (p)
		memcpy(p, old, n * size);
	return p;
}

static bool room_for_block(struct pass *p)
{
	struct arena *arena = p->ir->arena;
	u32 n = p->ir->n_blocks, cap = n + n / 2 + 4;
	struct ir_block *blocks;
	u32 *next, *tail, *home;

	if (n < p->cap_blocks)
		return true;
	blocks = grown(arena, p->ir->blocks, n, cap, sizeof(*blocks));
	next = grown(arena, p->next, n, cap, sizeof(*next));
	tail = grown(arena, p->tail, n, cap, sizeof(*tail));
	home = grown(arena, p->home, n, cap, sizeof(*home));
	if (!blocks || !next || !tail || !home)
		return false;
	p->ir->blocks = blocks;
	p->next = next;
	p->tail = tail;
	p->home = home;
	p->cap_blocks = cap;
	return true;
}

static bool room_for_insns(struct pass *p, u32 more)
{
	struct arena *arena = p->ir->arena;
	u32 n = p->ir->n_insns, cap = n + n / 2 + more;
	struct ir_insn *insns;
	u32 *same;
	u8 *bits, *want;

	if (n + more <= p->cap_insns)
		return true;
	insns = grown(arena, p->ir->insns, n, cap, sizeof(*insns));
	same = grown(arena, p->same, n, cap, sizeof(*same));
	bits = arena_array(arena, cap, sizeof(*bits)); /* empty as yet */
	want = arena_array(arena, cap, sizeof(*want));
	if (!insns || !same || !bits || !want)
		return false;
	p->ir->insns = insns;
	p->same = same;
	p->bits = bits;
	p->want = want;
	p->cap_insns = cap;
	return true;
}

u32 pass_new_block(struct pass *p, u32 n_insns)
{
	struct ir *ir = p->ir;
	u32 b = ir->n_blocks, start = ir->n_insns;

	if (!room_for_block(p) || !room_for_insns(p, n_insns))
		return PASS_NONE;
	ir->blocks[b] = (struct ir_block){.start = start,
					  .end = start + n_insns,
					  .succ = {IR_NO_BLOCK, IR_NO_BLOCK}};
	p->next[b] = PASS_NONE;
	p->tail[b] = p->home[b] = b;
	ir->n_blocks++;
	ir->n_insns += n_insns;
	return b;
}

static bool is_empty(const struct pass *p, const struct ir_block *block)
{
	for (u32 i = block->start; i + 1 < block->end; i++)
		if (p->ir->insns[i].op != IR_NOP)
			return false;
	return p->ir->insns[block->end - 1].op == IR_GOTO;
}

/* Only of a block that goes to two others: of one, the empty block is joined. */
void pass_skip(struct pass *p, u32 b)
{
	struct ir *ir = p->ir;
	struct ir_block *block = &ir->blocks[b], *from, *to;
	u32 pred, i = 0;

	if (block->n_preds != 1 || !is_empty(p, block) || block->succ[0] == (s32)b)
		return;
	pred = ir->preds[block->preds];
	from = &ir->blocks[pred];
	to = &ir->blocks[block->succ[0]];
	if (from->succ[1] == IR_NO_BLOCK || from->succ[0] == block->succ[0] ||
	    from->succ[1] == block->succ[0])
		return;
	while (ir->preds[to->preds + i] != b)
		i++;
	ir->preds[to->preds + i] = pred;
	from->succ[from->succ[1] == (s32)b] = block->succ[0];
	pass_nop(pass_end(p, b));
	p->home[b] = PASS_NONE;
}

/* Of a block with one predecessor. */
static void drop_phis(struct pass *p, const struct ir_block *block)
{
	struct ir *ir = p->ir;

	for (u32 i = pass_phi(ir, block, block->start); i < block->end;
	     i = pass_phi(ir, block, i + 1)) {
		pass_replace(p, i, pass_same(p, ir->args[ir->insns[i].aux]));
		pass_nop(&ir->insns[i]);
	}
}

void pass_join(struct pass *p, u32 b)
{
	struct ir *ir = p->ir;

	for (;;) {
		struct ir_insn *end = pass_end(p, b);
		u32 next = (u32)ir->blocks[b].succ[0];

		if (end->op != IR_GOTO || next == b || ir->blocks[next].n_preds != 1)
			return;
		drop_phis(p, &ir->blocks[next]);
		pass_nop(end);
		pass_absorb(p, b, next);
	}
}

/* ---- the new order ---- */

struct order {
	struct pass *p;
	u32 *blocks; /* the heads that are left */
	u32 n;
	bool *placed;
	bool *is_led_to; /* by block: the one before it in the old order goes there */
};

static bool goes_to(const struct pass *p, u32 b, u32 to)
{
	const s32 *succ = p->ir->blocks[b].succ;

	return succ[0] == (s32)to || succ[1] == (s32)to;
}

static u32 next_head(const struct pass *p, u32 b)
{
	for (b++; b < p->ir->n_blocks && p->home[b] != b;)
		b++;
	return b;
}

static void place(struct order *o, u32 b)
{
	o->blocks[o->n++] = b;
	o->placed[b] = true;
}

/* How much we want it behind b: what stays in the loop before what leaves it; then who
 * stood there, and who is not wanted behind another one.  0: not at all. */
static u32 worth_of(const struct order *o, u32 b, u32 to)
{
	const struct ir_block *blocks = o->p->ir->blocks;
	bool stays = blocks[to].loop_depth >= blocks[b].loop_depth;
	bool was_next = next_head(o->p, b) == to || to >= o->p->n_old;

	if (o->placed[to])
		return 0;
	if (!was_next && o->is_led_to[to] && !stays)
		return 0;
	return 1 + (stays ? 4 : 0) + (was_next ? 2 : 0) + !o->is_led_to[to];
}

/* Who is to follow b; PASS_NONE: whoever is left. */
static u32 find_follower(const struct order *o, u32 b)
{
	const s32 *succ = o->p->ir->blocks[b].succ;
	u32 worth[2];

	for (u32 i = 0; i < 2; i++)
		worth[i] = succ[i] == IR_NO_BLOCK ? 0 : worth_of(o, b, (u32)succ[i]);
	if (!worth[0] && !worth[1])
		return PASS_NONE;
	return (u32)succ[worth[1] > worth[0]];
}

static void find_order(struct order *o)
{
	struct pass *p = o->p;
	u32 n = p->ir->n_blocks;

	for (u32 b = 0, next; b < n; b = next) {
		next = next_head(p, b);
		if (next < n)
			o->is_led_to[next] = goes_to(p, b, next);
	}
	for (u32 b = 0; b < n; b = next_head(p, b))
		for (u32 i = b; i != PASS_NONE && !o->placed[i]; i = find_follower(o, i))
			place(o, i);
}

/* ---- copying ---- */

struct copy {
	struct pass *p;
	struct ir_insn *insns;
	u32 n;
	u32 *number; /* by old value: the new one */
};

static void copy_part(struct copy *c, u32 part, bool last)
{
	const struct ir_block *block = &c->p->ir->blocks[part];

	for (u32 i = block->start; i < block->end; i++) {
		const struct ir_insn *insn = &c->p->ir->insns[i];

		if (insn->op == IR_NOP)
			continue;
		if (last && i + 1 == block->end)
			for (u32 k = 0; k < IR_SPARE; k++)
				c->insns[c->n++] = (struct ir_insn){.pc = insn->pc};
		c->number[i] = c->n;
		c->insns[c->n++] = *insn;
	}
}

static void copy_block(struct copy *c, u32 b, struct ir_block *out)
{
	u32 start = c->n;

	for (u32 part = b; part != PASS_NONE; part = c->p->next[part])
		copy_part(c, part, part == c->p->tail[b]);
	*out = c->p->ir->blocks[b];
	out->start = start;
	out->end = c->n;
}

static u32 copied(const struct copy *c, u32 value)
{
	return c->number[pass_same(c->p, value)];
}

static void copy_operands(const struct copy *c, struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 *args = c->p->ir->args + insn->aux;

	if (info->a)
		insn->a = copied(c, insn->a);
	if (info->b)
		insn->b = copied(c, insn->b);
	if (info->c)
		insn->c = copied(c, insn->c);
	for (u32 i = 0; i < n_args; i++)
		args[i] = copied(c, args[i]);
}

/* Takes over the copies. */
static void copy_end(struct copy *c, struct ir_block *blocks, u32 n_blocks)
{
	struct pass *p = c->p;
	struct ir *ir = p->ir;

	for (u32 b = 0; b < n_blocks; b++)
		for (u32 i = blocks[b].start; i < blocks[b].end; i++)
			copy_operands(c, &c->insns[i],
				      pass_n_args(&c->insns[i], &blocks[b]));
	memset(p->same, 0, ir->n_insns * sizeof(*p->same));
	p->renamed = false;
	ir->insns = c->insns;
	ir->n_insns = ir->cap_insns = c->n;
	ir->blocks = blocks;
}

/* Each head and its parts, one behind the other.  Never longer than it was: what was
 * absorbed leaves its spare room. */
static bool copy_in_order(struct pass *p, const struct order *o)
{
	struct ir *ir = p->ir;
	struct copy c = {.p = p, .n = 1};
	struct ir_block *blocks = arena_raw(ir->arena, o->n, sizeof(*blocks));
	u32 room = ir->n_insns + IR_SPARE * o->n;

	c.insns = arena_raw(ir->arena, room, sizeof(*c.insns));
	c.number = arena_array(ir->arena, ir->n_insns, sizeof(*c.number));
	if (!blocks || !c.insns || !c.number)
		return false;
	c.insns[0] = (struct ir_insn){.op = IR_NOP};
	for (u32 b = 0; b < o->n; b++)
		copy_block(&c, o->blocks[b], &blocks[b]);
	copy_end(&c, blocks, o->n);
	return true;
}

/* ---- settling ---- */

static u32 head_of(const struct pass *p, u32 b)
{
	while (p->home[b] != b)
		b = p->home[b];
	return b;
}

/* Do the blocks in their order, with all parts, stand behind each other already? */
static bool is_in_place(const struct order *o)
{
	const struct pass *p = o->p;
	u32 end = 0;

	for (u32 b = 0; b < o->n; b++)
		for (u32 part = o->blocks[b]; part != PASS_NONE; part = p->next[part]) {
			if (p->ir->blocks[part].start < end)
				return false;
			end = p->ir->blocks[part].end;
		}
	return true;
}

/* The heads become all blocks there are; number: by old block. */
static void keep_heads(struct pass *p, const struct order *o, const u32 *number)
{
	struct ir *ir = p->ir;

	ir->n_blocks = o->n;
	for (u32 b = 0; b < o->n; b++) {
		struct ir_block *block = &ir->blocks[b];

		for (u32 i = 0; i < 2; i++)
			if (block->succ[i] != IR_NO_BLOCK)
				block->succ[i] = (s32)number[block->succ[i]];
		for (u32 i = 0; i < block->n_preds; i++)
			ir->preds[block->preds + i] =
				number[head_of(p, ir->preds[block->preds + i])];
	}
}

static bool settle(struct pass *p, struct order *o, u32 *number)
{
	struct ir *ir = p->ir;

	find_order(o);
	for (u32 b = 0; b < o->n; b++)
		number[o->blocks[b]] = b;
	if (!is_in_place(o))
		return copy_in_order(p, o);
	for (u32 b = 0; b < o->n; b++) {
		u32 end = ir->blocks[p->tail[o->blocks[b]]].end;

		ir->blocks[b] = ir->blocks[o->blocks[b]];
		ir->blocks[b].end = end;
	}
	return true;
}

bool pass_settle(struct pass *p)
{
	struct arena *arena = p->ir->arena;
	u32 n = p->ir->n_blocks;
	struct order o = {
		.p = p,
		.blocks = arena_array(arena, n, sizeof(*o.blocks)),
		.placed = arena_array(arena, n, sizeof(*o.placed)),
		.is_led_to = arena_array(arena, n, sizeof(*o.is_led_to)),
	};
	u32 *number = arena_array(arena, n, sizeof(*number));

	if (!o.blocks || !o.placed || !o.is_led_to || !number || !settle(p, &o, number))
		return false;
	keep_heads(p, &o, number);
	return true;
}
