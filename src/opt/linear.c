/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chains of steps such as
 *
 *	x = x & 1 ? x >> 1 ^ POLYNOMIAL : x >> 1;
 *
 * which is how checksums are made bit by bit: each step waits for the one before.
 *
 * All that happens to x there is linear over the bits: what comes of x is what comes of
 * 0, changed by what each bit of x that is set changes alone.  So a value is followed as
 * what it is for 65 x, 0 and the single bits, which says what it is for all; each
 * instruction is computed for these.  Most bits of x are found again in the outcome,
 * somewhere else: that is a shift.  Each other bit changes it by a constant, and these
 * are chosen side by side:
 *
 *	x >> 8 ^ (x & 1 ? C0 : 0) ^ .. ^ (x & 128 ? C7 : 0)
 *
 * An operation is linear if it is made of XOR; if it does the same to all bits (shifts,
 * masks, extensions); if what it adds has no bit in common; or if what it is asked of is
 * one of two numbers (a bit, a mask): all that is computed from that and constants is
 * again one of two.  Both can be read off the 65: no bit is set for any x that is set
 * for none of these, and where these are two numbers, each bit of x changes one into the
 * other, or nothing.  Only what reads one value alone is followed, inside of a block.
 */
#include <assert.h>
#include <string.h>

#include "opt/fold.h"
#include "opt/passes.h"

enum {
	LANES = 65,     /* for 0, and for each bit */
	FOLLOWED = 512, /* values of a block, at most */
	FEW = 4,        /* steps; a block with less is not looked at */
	MOST = 16,      /* bits that are chosen by */
	SHALLOW = 3     /* instructions in a row that are no chain */
};

/* A value that is computed from `root` and constants. */
struct line {
	u32 value;
	u32 root;   /* 0: it is a constant */
	u32 depth;  /* instructions from the root */
	u32 inside; /* uses by others that are followed */
	u32 n;      /* lanes: the root may have so many bits, and 0 */
	u64 at[LANES];
};

/* root shifted, masked, changed by `flip`, and by a constant for each of some bits. */
struct plan {
	u32 root;
	u8 row, width;
	u32 by;
	u64 mask, flip;
	u64 all; /* bits that come of it */
	u32 n;
	struct {
		u32 bit;
		u64 change;
	} choices[MOST];
};

struct linear {
	struct ir *ir;
	struct line *lines;
	u32 n_lines;
	u32 *line_of; /* by value: its line, plus one; of this block if not before start
		       */
	u32 *plan_of; /* by value: how it is written anew, plus one */
	u32 start;    /* of the block */
	struct line operands[3]; /* those that are not followed: roots and constants */
	struct plan *plans;
	u32 n_plans, cap_plans;
};

/* ---- what is linear ---- */

static bool is_constant(const struct line *x)
{
	return !x->root;
}

/* Is it one of two numbers, whatever the root is? */
static bool is_one_of_two(const struct line *x)
{
	u64 other = x->at[0];

	for (u32 i = 1; i < x->n; i++) {
		if (x->at[i] == x->at[0])
			continue;
		if (other != x->at[0] && other != x->at[i])
			return false;
		other = x->at[i];
	}
	return true;
}

static u64 bits_of(const struct line *x)
{
	u64 bits = 0;

	for (u32 i = 0; i < x->n; i++)
		bits |= x->at[i];
	return bits;
}

static bool is_linear_alu(const struct ir_insn *insn, const struct line *a,
			  const struct line *b)
{
	if (insn->row == ALU_XOR)
		return true;
	if (!insn->b)
		return insn->row != ALU_NEG || is_one_of_two(a);
	if ((insn->row == ALU_OR || insn->row == ALU_ADD) && !(bits_of(a) & bits_of(b)))
		return true;
	if (is_constant(a))
		return is_one_of_two(b);
	if (!is_constant(b))
		return false;
	return insn->row == ALU_AND || insn->row == ALU_LSH || insn->row == ALU_RSH ||
	       insn->row == ALU_ARSH || is_one_of_two(a);
}

/* Is it asked of a single bit? */
static bool is_linear_cmp(const struct ir_insn *insn, const struct line *a,
			  const struct line *b)
{
	u64 number = insn->width == 32 ? (u32)b->at[0] : b->at[0];
	u64 minus_one = insn->width == 32 ? UINT32_MAX : UINT64_MAX;
	u64 asked = bits_of(a) & b->at[0];

	if (!is_constant(b))
		return false;
	switch ((int)insn->row) {
	case JMP_JSET: return !(asked & (asked - 1)) || is_one_of_two(a);
	case JMP_JSLT:
	case JMP_JSGE: return !number || is_one_of_two(a);
	case JMP_JSGT:
	case JMP_JSLE: return number == minus_one || is_one_of_two(a);
	default: return is_one_of_two(a);
	}
}

/* What is between the two is the same for every root. */
static bool is_linear_select(const struct line *a, const struct line *b,
			     const struct line *c, u32 n)
{
	for (u32 i = 1; i < n; i++)
		if ((b->at[i] ^ c->at[i]) != (b->at[0] ^ c->at[0]))
			return false;
	return is_one_of_two(a);
}

static bool is_linear(const struct ir_insn *insn, const struct line *const *x, u32 n)
{
	switch ((int)insn->op) {
	case IR_ALU: return is_linear_alu(insn, x[0], x[1]);
	case IR_CMP: return is_linear_cmp(insn, x[0], x[1]);
	case IR_SELECT: return is_linear_select(x[0], x[1], x[2], n);
	default: return insn->op == IR_SWAP;
	}
}

/* ---- following ---- */

static u64 compute(const struct ir_insn *insn, const struct line *const *x, u32 lane)
{
	u64 a = x[0]->at[lane], b = insn->b ? x[1]->at[lane] : a;

	switch ((int)insn->op) {
	case IR_ALU: return eval_alu(insn->row, insn->width, a, b);
	case IR_CMP: return eval_jmp(insn->row, insn->width, a, b);
	case IR_SELECT: return a ? b : x[2]->at[lane];
	default: return ir_swap_bytes(insn->width, a);
	}
}

static u32 root_bits(const struct ir *ir, u32 value)
{
	const struct ir_insn *insn = &ir->insns[value];

	if (insn->op == IR_LOAD && !insn->row)
		return insn->width;
	return ir_upper_is_zero(ir, value) ? 32 : 64;
}

/* A value that is a root, or a constant. */
static void begin_line(const struct ir *ir, u32 value, struct line *x)
{
	bool constant = ir_is_const(ir, value);

	x->value = value;
	x->root = constant ? 0 : value;
	x->depth = 0;
	x->n = constant ? 1 : root_bits(ir, value) + 1;
	x->at[0] = constant ? (u64)ir->insns[value].imm : 0;
	for (u32 i = 1; i < LANES; i++)
		x->at[i] = constant ? x->at[0] : 1ull << (i - 1);
}

static struct line *line_of(const struct linear *l, u32 value)
{
	u32 line = value < l->start ? 0 : l->line_of[value];

	return line ? &l->lines[line - 1] : NULL;
}

/* Finds what an instruction reads; false: that is not of one root. */
static bool find_operands(struct linear *l, const struct ir_insn *insn,
			  const struct line **x, struct line *sum)
{
	const u32 values[] = {insn->a, insn->b, insn->c};

	sum->root = sum->depth = 0;
	for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
		if (!values[i])
			continue;
		x[i] = line_of(l, values[i]);
		if (!x[i]) {
			begin_line(l->ir, values[i], &l->operands[i]);
			x[i] = &l->operands[i];
		}
		if (x[i]->root && sum->root && x[i]->root != sum->root)
			return false;
		if (x[i]->root) {
			sum->root = x[i]->root;
			sum->n = x[i]->n;
		}
		if (x[i]->depth >= sum->depth)
			sum->depth = x[i]->depth + 1;
	}
	return sum->root;
}

static void count_inside(const struct linear *l, u32 value)
{
	struct line *x = value ? line_of(l, value) : NULL;

	if (x)
		x->inside++;
}

static void follow(struct linear *l, u32 value)
{
	const struct ir_insn *insn = &l->ir->insns[value];
	struct line *sum = &l->lines[l->n_lines];
	const struct line *x[3] = {NULL};

	if (insn->op != IR_ALU && insn->op != IR_CMP && insn->op != IR_SELECT &&
	    insn->op != IR_SWAP)
		return;
	if (!find_operands(l, insn, x, sum) || !is_linear(insn, x, sum->n))
		return;
	for (u32 i = 0; i < sum->n; i++)
		sum->at[i] = compute(insn, x, i);
	sum->value = value;
	sum->inside = 0;
	count_inside(l, insn->a);
	count_inside(l, insn->b);
	count_inside(l, insn->c);
	l->line_of[value] = ++l->n_lines;
}

/* ---- what comes of it ---- */

/* Does somebody else read it? */
static bool is_result(const struct linear *l, const struct line *x)
{
	return x->depth > SHALLOW && l->ir->insns[x->value].uses > x->inside;
}

static u64 change_by(const struct line *x, u32 bit)
{
	return x->at[bit + 1] ^ x->at[0];
}

/* How far most bits move, to the left; 0 also if there are none. */
static s32 find_distance(const struct line *x)
{
	u8 votes[2 * LANES] = {0};
	u32 best = LANES;

	for (u32 i = 0; i + 1 < x->n; i++) {
		u64 change = change_by(x, i);
		u32 to;

		if (!change || (change & (change - 1)))
			continue;
		to = LANES + (u32)__builtin_ctzll(change) - i;
		if (++votes[to] > votes[best])
			best = to;
	}
	return (s32)best - LANES;
}

/* What the shift does not do to a bit is chosen by it; false: that is too much. */
static bool find_choices(const struct line *x, struct plan *plan)
{
	plan->n = 0;
	for (u32 i = 0; i + 1 < x->n; i++) {
		u64 moved = eval_alu(plan->row, plan->width, 1ull << i, plan->by);
		u64 change = change_by(x, i) ^ (moved & plan->mask);

		if (!change)
			continue;
		if (plan->n == MOST)
			return false;
		plan->choices[plan->n].bit = i;
		plan->choices[plan->n++].change = change;
	}
	return true;
}

/* Blocks stand as in the program: a root may be computed further down, where what is
 * written here could not name it yet. */
static bool find_plan(const struct line *x, struct plan *plan)
{
	s32 distance = find_distance(x);
	struct plan masked;

	if (x->root > x->value)
		return false;
	*plan = (struct plan){.root = x->root,
			      .row = distance < 0 ? ALU_RSH : ALU_LSH,
			      .by = (u32)(distance < 0 ? -distance : distance),
			      .mask = UINT64_MAX,
			      .flip = x->at[0],
			      .all = bits_of(x)};
	plan->width = plan->all <= UINT32_MAX && x->n <= 33 ? 32 : 64;
	masked = *plan;
	masked.mask = plan->all;
	if (!find_choices(x, &masked))
		return false;
	if (!find_choices(x, plan) || plan->n > masked.n)
		*plan = masked;
	return true;
}

static u32 count_rounds(u32 n)
{
	return n ? 32 - (u32)__builtin_clz(n) : 0;
}

/* Is it the only result of its root, and does it take half as long then, and no more
 * instructions? */
static bool is_worth_it(const struct linear *l, const struct line *x,
			const struct plan *plan)
{
	u32 members = 0;

	for (u32 i = 0; i < l->n_lines; i++) {
		const struct line *other = &l->lines[i];

		if (other->root != x->root)
			continue;
		if (other != x && is_result(l, other))
			return false;
		members++;
	}
	return 2 * (2 + count_rounds(plan->n)) <= x->depth && 3 * plan->n + 2 <= members;
}

static bool add_plan(struct linear *l, u32 value, const struct plan *plan)
{
	if (l->n_plans == l->cap_plans) {
		u32 cap = 2 * l->cap_plans + 8;
		struct plan *more = arena_raw(l->ir->arena, cap, sizeof(*more));

		if (!more)
			return false;
		if (l->n_plans)
			memcpy(more, l->plans, l->n_plans * sizeof(*more));
		l->plans = more;
		l->cap_plans = cap;
	}
	l->plans[l->n_plans++] = *plan;
	l->plan_of[value] = l->n_plans;
	return true;
}

/* Are there enough changes, and as many choices? */
static bool may_be_chain(const struct ir *ir, const struct ir_block *block)
{
	u32 changes = 0, choices = 0;

	for (u32 i = block->start; i < block->end; i++) {
		const struct ir_insn *insn = &ir->insns[i];

		choices += insn->op == IR_SELECT;
		if (insn->op != IR_ALU)
			continue;
		changes += insn->row == ALU_XOR;
		choices += insn->row == ALU_NEG || insn->row == ALU_ARSH;
	}
	return changes >= FEW && choices >= FEW;
}

static bool look_at(struct linear *l, const struct ir_block *block)
{
	struct plan plan;

	l->n_lines = 0;
	l->start = block->start;
	for (u32 i = block->start; i < block->end && l->n_lines < FOLLOWED; i++)
		follow(l, i);
	for (u32 i = 0; i < l->n_lines; i++) {
		const struct line *x = &l->lines[i];

		if (is_result(l, x) && find_plan(x, &plan) && is_worth_it(l, x, &plan) &&
		    !add_plan(l, x->value, &plan))
			return false;
	}
	return true;
}

/* ---- writing ---- */

struct writer {
	struct ir_insn *insns;
	u32 *number;  /* by old value */
	bool *is_new; /* by new value: its operands have their new numbers */
	u32 n;
	u32 pc;
};

static u32 put(struct writer *w, const struct ir_insn *insn)
{
	w->is_new[w->n] = true;
	w->insns[w->n] = *insn;
	w->insns[w->n].pc = w->pc;
	return w->n++;
}

static u32 put_const(struct writer *w, u64 number)
{
	return put(w, &(struct ir_insn){.op = IR_CONST, .imm = (s64)number});
}

static u32 put_alu(struct writer *w, u8 row, u8 width, u32 a, u32 b)
{
	return put(w, &(struct ir_insn){
			      .op = IR_ALU, .row = row, .width = width, .a = a, .b = b});
}

/* Of 32 bits, a constant operand is sign-extended, as the program's are. */
static u32 put_by_const(struct writer *w, u8 row, u8 width, u32 a, u64 b)
{
	return put_alu(w, row, width, a, put_const(w, width == 32 ? (u64)(s32)b : b));
}

/* What is being written for a plan. */
struct sum {
	const struct plan *plan;
	u32 root, upper; /* its upper half, if asked for */
	u8 width;
};

static u32 put_moved(struct writer *w, const struct sum *s)
{
	const struct plan *plan = s->plan;
	u32 moved = s->root;

	if (plan->by)
		moved = put_by_const(w, plan->row, plan->width, moved, plan->by);
	if (plan->mask != UINT64_MAX)
		moved = put_by_const(w, ALU_AND, plan->width, moved, plan->mask);
	if (plan->flip)
		moved = put_by_const(w, ALU_XOR, s->width, moved, plan->flip);
	return s->width == plan->width ? moved : put_alu(w, ALU_MOV, 32, moved, 0);
}

/* In the half of the root that it is in: masks are small numbers so. */
static u32 put_question(struct writer *w, struct sum *s, u32 bit)
{
	if (bit >= 32 && !s->upper)
		s->upper = put_by_const(w, ALU_RSH, 64, s->root, 32);
	return put(w, &(struct ir_insn){.op = IR_CMP,
					.row = JMP_JSET,
					.width = 32,
					.a = bit < 32 ? s->root : s->upper,
					.b = put_const(w, (u64)(s32)(1u << bit % 32))});
}

/* `so_far`, or 0 if there is none, changed if the bit is set. */
static u32 put_choice(struct writer *w, struct sum *s, u32 i, u32 so_far)
{
	u64 change = s->plan->choices[i].change;
	u32 changed, cmp = put_question(w, s, s->plan->choices[i].bit);

	if (s->width == 32)
		change = (u32)change;
	if (so_far) {
		changed = put_by_const(w, ALU_XOR, s->width, so_far, change);
	} else {
		changed = put_const(w, change);
		so_far = put_const(w, 0);
	}
	return put(w, &(struct ir_insn){.op = IR_SELECT,
					.width = 64,
					.a = cmp,
					.b = changed,
					.c = so_far});
}

/* At most: nine of what is moved, and of the upper half; of a choice two constants, a
 * comparison, a change, a SELECT and half a sum. */
static u32 count_insns(const struct plan *plan)
{
	return 9 + 5 * plan->n + plan->n / 2;
}

/* Two in a row wait for each other no longer than it takes to add up the others, and a
 * change of what there is needs fewer instructions than one of 0. */
static u32 put_plan(struct writer *w, const struct plan *plan)
{
	struct sum s = {.plan = plan,
			.root = w->number[plan->root],
			.width = plan->all <= UINT32_MAX ? 32 : 64};
	u32 terms[MOST / 2 + 2] = {put_moved(w, &s)}, n = 1;

	for (u32 i = 0; i < plan->n; i++) {
		terms[n - 1] = put_choice(w, &s, i, terms[n - 1]);
		n += i % 2;
	}
	n -= !terms[n - 1];
	while (n > 1) {
		for (u32 i = 0; i < n / 2; i++)
			terms[i] = put_alu(w, ALU_XOR, s.width, terms[2 * i],
					   terms[2 * i + 1]);
		if (n % 2)
			terms[n / 2] = terms[n - 1];
		n = n / 2 + n % 2;
	}
	return terms[0];
}

static void copy_block(const struct linear *l, struct writer *w, struct ir_block *block)
{
	u32 start = w->n;

	for (u32 i = block->start; i < block->end; i++) {
		u32 plan = l->plan_of[i];

		w->pc = l->ir->insns[i].pc;
		if (plan) {
			w->number[i] = put_plan(w, &l->plans[plan - 1]);
			continue;
		}
		w->number[i] = w->n;
		w->insns[w->n++] = l->ir->insns[i];
	}
	block->start = start;
	block->end = w->n;
}

static void rename_block(const struct linear *l, const struct writer *w,
			 const struct ir_block *block)
{
	for (u32 i = block->start; i < block->end; i++)
		if (!w->is_new[i])
			pass_number(l->ir, w->number, &w->insns[i],
				    pass_n_args(&w->insns[i], block));
}

static bool write_plans(struct linear *l)
{
	struct ir *ir = l->ir;
	struct writer w = {.n = 1};
	u32 most = ir->n_insns;

	for (u32 i = 0; i < l->n_plans; i++)
		most += count_insns(&l->plans[i]);
	w.insns = arena_raw(ir->arena, most, sizeof(*w.insns));
	w.number = arena_array(ir->arena, ir->n_insns, sizeof(*w.number));
	w.is_new = arena_array(ir->arena, most, sizeof(*w.is_new));
	if (!w.insns || !w.number || !w.is_new)
		return false;
	w.insns[0] = ir->insns[0];
	for (u32 b = 0; b < ir->n_blocks; b++)
		copy_block(l, &w, &ir->blocks[b]);
	for (u32 b = 0; b < ir->n_blocks; b++)
		rename_block(l, &w, &ir->blocks[b]);
	assert(w.n <= most);
	ir->insns = w.insns;
	ir->n_insns = w.n;
	ir->cap_insns = most;
	return true;
}

static bool begin(struct linear *l)
{
	struct arena *arena = l->ir->arena;

	l->lines = arena_raw(arena, FOLLOWED, sizeof(*l->lines));
	l->line_of = arena_array(arena, l->ir->n_insns, sizeof(*l->line_of));
	l->plan_of = arena_array(arena, l->ir->n_insns, sizeof(*l->plan_of));
	return l->lines && l->line_of && l->plan_of;
}

bool pass_linear(struct pass *p)
{
	struct linear l = {.ir = p->ir};

	for (u32 b = 0; b < p->ir->n_blocks; b++) {
		const struct ir_block *block = &p->ir->blocks[b];

		if (!may_be_chain(p->ir, block))
			continue;
		if (!l.lines && !begin(&l))
			return false;
		if (!look_at(&l, block))
			return false;
	}
	return !l.n_plans || (write_plans(&l) && pass_dead(p));
}
