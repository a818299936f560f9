/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps over a table are made with a pointer.
 *
 *	.. *(u32 *)(row + (x0 << 2) + 508)	p0 = row + (x0 << 2)
 *						.. *(u32 *)(p0 + 508)
 *	x1 = c ? x0 + 128 : x0			p1 = c ? p0 + 512 : p0
 *	.. *(u32 *)(row + (x1 << 2) + 252)	.. *(u32 *)(p1 + 252)
 *	x2 = d ? x1 + 64 : x1			p2 = d ? p1 + 256 : p1
 *	.. x2					.. (p2 - row) >> 2
 *
 * Each step waits for a load, and from a register alone a load is there a cycle earlier
 * than from a sum.  What the last number was is found again, if anybody asks.
 *
 * Sound where numbers are below 2^32, so that nothing was cut from any, and where nobody
 * else asks for those on the way.
 */
#include "opt/choose.h"

enum {
	LEAST = 3,   /* steps; fewer are not worth it */
	AROUND = 64, /* instructions, for what belongs to them */
	DEEPEST = 6, /* operations between a number and its place */
	MOST_BY = 8,
};

/* base + (number << by) + off */
struct place {
	u32 load;  /* from there; 0: none was found */
	u32 outer; /* the sum */
	u32 shift; /* 0: by is */
	u32 number, base, by;
	u64 off;
	bool shared; /* a part of the sum has other users */
};

/* Numbers 0 (where the first step starts) to n. */
struct walk {
	struct chooser *c;
	u32 n;
	struct place places[MAX_STEPS + 1];
};

static struct ir_insn *at(const struct walk *w, u32 value)
{
	return &w->c->p->ir->insns[value];
}

static u32 number(const struct walk *w, u32 i)
{
	return i ? w->c->steps[i - 1].to : w->c->steps[0].from;
}

static bool is_alu64(const struct ir_insn *insn, enum alu row)
{
	return insn->op == IR_ALU && insn->row == row && insn->width == 64;
}

static bool is_sum(const struct walk *w, const struct ir_insn *insn)
{
	return is_alu64(insn, ALU_ADD) && ir_is_const(w->c->p->ir, insn->b);
}

/* ---- where is loaded from ---- */

static void add_off(const struct walk *w, const struct ir_insn *sum, struct place *place)
{
	place->off += (u64)at(w, sum->b)->imm << place->by;
}

/* Down to what a constant is added to. */
static u32 skip_sums(const struct walk *w, u32 value, struct place *place)
{
	for (u32 depth = 0; depth < DEEPEST && is_sum(w, at(w, value)); depth++) {
		add_off(w, at(w, value), place);
		value = at(w, value)->a;
	}
	return value;
}

static bool is_scaled(const struct walk *w, const struct ir_insn *insn)
{
	return is_alu64(insn, ALU_LSH) && ir_is_const(w->c->p->ir, insn->b) &&
	       (u64)at(w, insn->b)->imm <= MOST_BY;
}

/* Goes down what the number is in, with a base found already; false: it is not. */
static bool find_number(const struct walk *w, u32 value, struct place *place)
{
	for (u32 depth = 0; depth < DEEPEST; depth++) {
		const struct ir_insn *insn = at(w, value);

		for (place->number = 0; place->number <= w->n; place->number++)
			if (value == number(w, place->number))
				return true;
		if (value < w->c->start)
			return false;
		place->shared |= insn->uses != 1;
		if (is_sum(w, insn)) {
			add_off(w, insn, place);
		} else if (is_scaled(w, insn) && !place->shift) {
			place->shift = value;
			place->by = (u32)at(w, insn->b)->imm;
		} else {
			return false;
		}
		value = insn->a;
	}
	return false;
}

static bool find_place(const struct walk *w, u32 load, struct place *out)
{
	struct place place = {
		.load = load, .outer = at(w, load)->a, .off = (u64)at(w, load)->imm};
	const struct ir_insn *sum = at(w, place.outer);

	place.shared = sum->uses != 1;
	if (is_sum(w, sum)) {
		add_off(w, sum, &place);
		sum = at(w, sum->a);
		place.shared |= sum->uses != 1;
	}
	if (place.outer < w->c->start || !is_alu64(sum, ALU_ADD))
		return false;
	for (u32 i = 0; i < 2; i++) {
		*out = place;
		out->base = skip_sums(w, i ? sum->a : sum->b, out);
		if (find_number(w, i ? sum->b : sum->a, out))
			return true;
	}
	return false;
}

/* Of numbers that two are loaded by, the first: the other one is a use too many. */
static void find_places(struct walk *w)
{
	const struct chooser *c = w->c;
	u32 from = c->steps[0].next, to = number(w, w->n) + AROUND;
	struct place place;

	from = from - c->start > AROUND ? from - AROUND : c->start;
	for (u32 i = from; i < to && i < c->end; i++)
		if (c->needed[i] && at(w, i)->op == IR_LOAD && !at(w, i)->b &&
		    find_place(w, i, &place) && !w->places[place.number].load)
			w->places[place.number] = place;
}

/* ---- how far it goes ---- */

static bool fits_s32(s64 x)
{
	return x == (s32)x;
}

static bool can_walk_to(const struct walk *w, u32 i)
{
	const struct place *first = &w->places[0], *place = &w->places[i];
	const struct ir_insn *distance = at(w, w->c->steps[i - 1].distance);

	return place->load && !place->shared && place->base == first->base &&
	       place->by == first->by && fits_s32((s64)place->off) &&
	       distance->op == IR_CONST && distance->uses == 1 && distance->imm > 0 &&
	       distance->imm <= INT32_MAX >> first->by;
}

static u32 count_steps(const struct walk *w)
{
	enum { NEXT_STEP_AND_PLACE = 3 };
	const struct place *first = &w->places[0];
	u32 n = 0;

	if (!first->load || first->shared || first->outer > w->c->steps[0].next ||
	    !fits_s32((s64)first->off))
		return 0;
	while (n < w->n && can_walk_to(w, n + 1)) {
		n++;
		if (at(w, number(w, n))->uses != NEXT_STEP_AND_PLACE)
			break;
	}
	return n;
}

/* How often somebody asks for the last number behind its place, not too far away and no
 * PHI; before it only its own sum may. */
static u32 count_asked(const struct walk *w)
{
	const struct place *place = &w->places[w->n];
	u32 last = number(w, w->n), before = 0, n = 0;

	for (u32 i = last + 1; i <= place->outer; i++)
		before += w->c->needed[i] ? pass_names(at(w, i), last) : 0;
	for (u32 i = place->outer + 1; i < w->c->end && i <= place->outer + AROUND; i++)
		n += w->c->needed[i] ? pass_names(at(w, i), last) : 0;
	return before == 1 ? n : UINT32_MAX;
}

/* ---- walking ---- */

static void use(const struct walk *w, u32 value)
{
	at(w, value)->uses++;
}

static void write_alu64(const struct walk *w, u32 value, enum alu row, u32 a, u32 b)
{
	struct ir_insn *insn = at(w, value);

	*insn = (struct ir_insn){
		.op = IR_ALU, .row = row, .width = 64, .a = a, .b = b, .pc = insn->pc};
	use(w, a);
	use(w, b);
	w->c->needed[value] = true;
}

/* The parts of a place's sum have no user any more, but for number, base and by. */
static u32 take_apart(const struct walk *w, const struct place *place)
{
	u32 count = place->shift ? at(w, place->shift)->b : 0;

	use(w, number(w, place->number));
	use(w, place->base);
	if (count)
		use(w, count);
	choose_drop(w->c, place->outer);
	return count;
}

/* What take_apart() held. */
static void let_go(const struct walk *w, const struct place *place, u32 count)
{
	at(w, number(w, place->number))->uses--;
	at(w, place->base)->uses--;
	if (count)
		choose_drop(w->c, count);
}

/* What is loaded lies at a distance from the pointer. */
static void load_from(const struct walk *w, const struct place *place, u32 pointer)
{
	at(w, place->load)->a = pointer;
	at(w, place->load)->imm = (s64)place->off;
	use(w, pointer);
}

/* The first pointer: the place without its distance. */
static void find_pointer(const struct walk *w)
{
	const struct place *place = &w->places[0];
	u32 from = number(w, 0), count = take_apart(w, place);

	if (place->shift) {
		write_alu64(w, place->shift, ALU_LSH, from, count);
		from = place->shift;
	}
	write_alu64(w, place->outer, ALU_ADD, from, place->base);
	load_from(w, place, place->outer);
	let_go(w, place, count);
}

static void make_step(const struct walk *w, u32 i)
{
	const struct step *step = &w->c->steps[i - 1];
	struct ir_insn *next = at(w, step->next), *to = at(w, step->to);
	u32 pointer = i > 1 ? step->from : w->places[0].outer;

	at(w, step->distance)->imm <<= w->places[0].by;
	next->width = 64;
	next->a = pointer;
	if (to->b == step->next)
		to->c = pointer;
	else
		to->b = pointer;
	at(w, step->from)->uses -= 2;
	at(w, pointer)->uses += 2;
}

static void rename_in(struct ir_insn *insn, u32 value, u32 name)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (info->a && insn->a == value)
		insn->a = name;
	if (info->b && insn->b == value)
		insn->b = name;
	if (info->c && insn->c == value)
		insn->c = name;
}

/* The last number, for those who ask for it, in the place of its place. */
static void find_again(const struct walk *w, u32 count, u32 asked)
{
	const struct place *place = &w->places[w->n];
	u32 last = number(w, w->n), distance = place->shift ? place->shift : place->outer;

	for (u32 i = place->outer + 1; i < w->c->end && i <= place->outer + AROUND; i++)
		if (w->c->needed[i])
			rename_in(at(w, i), last, place->outer);
	write_alu64(w, distance, ALU_SUB, last, place->base);
	if (place->shift)
		write_alu64(w, place->outer, ALU_RSH, distance, count);
	at(w, last)->uses -= asked;
	at(w, place->outer)->uses = asked;
}

static void walk(const struct walk *w, u32 asked)
{
	find_pointer(w);
	for (u32 i = 1; i <= w->n; i++) {
		const struct place *place = &w->places[i];
		u32 count = take_apart(w, place);

		make_step(w, i);
		if (i == w->n && asked)
			find_again(w, count, asked);
		load_from(w, place, number(w, i));
		let_go(w, place, count);
	}
}

void choose_walk(struct chooser *c)
{
	struct walk w = {.c = c, .n = c->n_steps};
	u32 asked;

	if (w.n < LEAST)
		return;
	find_places(&w);
	w.n = count_steps(&w);
	if (w.n < LEAST)
		return;
	asked = at(&w, number(&w, w.n))->uses - 1;
	if (count_asked(&w) == asked)
		walk(&w, asked);
}
