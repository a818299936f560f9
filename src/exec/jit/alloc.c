/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register allocation: a linear scan over classes of values.
 *
 * Classes come in the order in which they begin to live.  Each takes a register that
 * nobody else needs while it lives: what is in a register now (active), what is in a hole
 * of its life (inactive) and what instructions clobber are all compared by ranges, not by
 * start and end.  Where there is a choice, wishes decide.  When there is none, the class
 * that is used least for its length goes to a slot of the frame, for all of its life; a
 * constant goes nowhere, it is rebuilt.  As soon as anything is spilled, whoever emits
 * needs a register to work with: the scan is made again without it.  What it spilled may
 * find a register that later evictions emptied.
 *
 * Sound because two classes that share a register never meet, whatever the order and the
 * weights: tests/exec/jit_alloc.c follows the values of random functions along all paths.
 */
#include <errno.h>
#include <float.h>
#include <string.h>

#include "exec/jit/alloc.h"

enum {
	MAX_REGISTERS = 32,
	/* Beyond these, cheaper answers do: holes stay unused, what was spilled stays so,
	 * the function is not compiled. */
	MAX_INACTIVE = 256,
	MAX_READMITTED = 64,
	MAX_WORK = 200000, /* .. in comparisons, about */
	MAX_SLOTS = 8192,
	MAX_PHIS = 32,
	MAX_EDGES = 8,
};

struct scan {
	struct alloc *a;
	u32 registers;            /* that may be given */
	u32 used;                 /* given to somebody */
	u32 at;                   /* position */
	u32 event;                /* before this position nothing changes */
	u32 clobber;              /* first one behind the position */
	u32 in[MAX_REGISTERS];    /* the active class, if any */
	u32 until[MAX_REGISTERS]; /* .. lives in one piece */
	u32 active;               /* registers with one */
	u32 *inactive, n_inactive;
	u32 *starts; /* by instruction: the first class that begins there, + 1 */
	u32 *spilled, n_spilled;
	u8 order[MAX_REGISTERS]; /* without wishes, the first free of these */
	u32 n_order;
};

void *alloc_grow(struct alloc *a, void *array, u32 *n, u32 *cap, size_t size)
{
	void **place = array;

	if (*n == *cap) {
		u32 want = *cap * 2 + 64;
		void *more = arena_raw(a->ir->arena, want, size);

		if (!more) {
			a->no_memory = true;
			return NULL;
		}
		if (*n)
			memcpy(more, *place, *n * size);
		*place = more;
		*cap = want;
	}
	return (char *)*place + (*n)++ * size;
}

static u32 bit(u32 reg)
{
	return 1u << reg;
}

static const struct range *first_range(const struct alloc *a, const struct value *v)
{
	return &a->ranges[v->ranges];
}

static u32 start_of(const struct alloc *a, const struct value *v)
{
	return first_range(a, v)->from;
}

static u32 end_of(const struct alloc *a, const struct value *v)
{
	return a->ranges[v->ranges + v->n_ranges - 1].to;
}

/* Registers that lose what is in them while v lives; clobbers from row `from` on. */
static u32 clobbered(const struct alloc *a, const struct value *v, u32 from)
{
	const struct range *r = first_range(a, v), *end = r + v->n_ranges;
	u32 mask = 0, k = from;

	for (; r < end; r++) {
		while (k < a->n_clobbers && a->clobbers[k].at <= r->from)
			k++;
		for (; k < a->n_clobbers && a->clobbers[k].at < r->to; k++)
			mask |= a->clobbers[k].mask;
	}
	return mask;
}

static void start_event(struct scan *s, u32 at)
{
	if (at < s->event)
		s->event = at;
}

/* Moves v's cursor to the range that ends behind the position; false: v is over. */
static bool goes_on(const struct scan *s, struct value *v)
{
	const struct range *r = first_range(s->a, v);

	while (v->cursor < v->n_ranges && r[v->cursor].to <= s->at)
		v->cursor++;
	return v->cursor < v->n_ranges;
}

static void activate(struct scan *s, u32 class)
{
	struct value *v = &s->a->values[class];

	s->in[v->place] = class;
	s->until[v->place] = first_range(s->a, v)[v->cursor].to;
	s->active |= bit((u32)v->place);
	start_event(s, s->until[v->place]);
}

/* The piece in which the register's holder lived is over. */
static void end_piece(struct scan *s, u32 reg)
{
	u32 class = s->in[reg];
	struct value *v = &s->a->values[class];
	const struct range *r;

	s->active &= ~bit(reg);
	if (!goes_on(s, v))
		return;
	r = &first_range(s->a, v)[v->cursor];
	if (r->from <= s->at || s->n_inactive == MAX_INACTIVE) {
		activate(s, class);
	} else {
		s->inactive[s->n_inactive++] = class;
		start_event(s, r->from);
	}
}

static void advance_active(struct scan *s)
{
	for (u32 left = s->active; left; left &= left - 1) {
		u32 reg = (u32)__builtin_ctz(left);

		if (s->until[reg] <= s->at)
			end_piece(s, reg);
		else
			start_event(s, s->until[reg]);
	}
}

/* A register whose holder stayed in it through a hole is left to the one that lives. */
static void advance_inactive(struct scan *s)
{
	u32 n = 0;

	for (u32 i = 0; i < s->n_inactive; i++) {
		u32 class = s->inactive[i];
		struct value *v = &s->a->values[class];
		bool over = !goes_on(s, v);

		if (!over && first_range(s->a, v)[v->cursor].from <= s->at) {
			if (s->active & bit((u32)v->place))
				s->inactive[n++] = s->in[v->place];
			activate(s, class);
		} else if (!over) {
			s->inactive[n++] = class;
			start_event(s, first_range(s->a, v)[v->cursor].from);
		}
	}
	s->n_inactive = n;
}

static void advance(struct scan *s, u32 at)
{
	s->at = at;
	while (s->clobber < s->a->n_clobbers && s->a->clobbers[s->clobber].at <= at)
		s->clobber++;
	if (at < s->event)
		return;
	s->event = ~0u;
	advance_active(s);
	advance_inactive(s);
}

/* ---- the choice of a register ---- */

/* Registers of inactive classes that v would meet; of `among`. */
static u32 meets_inactive(const struct scan *s, const struct value *v, u32 among)
{
	u32 busy = 0;

	for (u32 i = 0; i < s->n_inactive; i++) {
		const struct value *w = &s->a->values[s->inactive[i]];

		if (bit((u32)w->place) & among & ~busy && ranges_meet(s->a, v, w))
			busy |= bit((u32)w->place);
	}
	return busy;
}

static bool is_free(u32 free, s32 place)
{
	return place >= 0 && free & bit((u32)place);
}

static s16 place_of(struct alloc *a, u32 value)
{
	return a->values[class_of(a, value)].place;
}

static bool is_phi_or_nop(const struct alloc *a, u32 i)
{
	return a->ir->insns[i].op == IR_PHI || a->ir->insns[i].op == IR_NOP;
}

/* Does a PHI take another one of its block, by some edge? */
static bool takes(struct alloc *a, u32 block, u32 phi, u32 other)
{
	const struct ir_block *b = &a->ir->blocks[block];
	const u32 *args = &a->ir->args[a->ir->insns[phi].aux];

	for (u32 k = 0; k < b->n_preds; k++)
		if (class_of(a, args[k]) == other)
			return true;
	return false;
}

/* A value that goes to a PHI over an edge where that PHI goes on to another had better
 * not be where the other is: the edge would have to swap. */
static u32 swapped_with(struct alloc *a, const struct value *v)
{
	u32 block = v->argument_of, phi = class_of(a, v->toward), mask = 0,
	    left = MAX_PHIS;
	const struct ir_block *b = &a->ir->blocks[block];

	if (!(v->flags & VALUE_ARGUMENT) || b->n_preds > MAX_EDGES)
		return 0;
	for (u32 i = b->start; left > 0 && is_phi_or_nop(a, i); i++, left--) {
		s16 place = place_of(a, i);

		if (a->ir->insns[i].op == IR_PHI && place >= 0 && takes(a, block, i, phi))
			mask |= bit((u32)place);
	}
	return mask;
}

static s16 choose(const struct scan *s, u32 class, u32 free)
{
	struct alloc *a = s->a;
	const struct value *v = &a->values[class];
	u32 swapped = swapped_with(a, v), over[2];
	u32 n = written_over(&a->ir->insns[class], over);

	if (free & ~swapped)
		free &= ~swapped;
	for (u32 i = 0; i < HINTS; i++)
		if (v->hint[i] != NO_REG && is_free(free, v->hint[i]))
			return v->hint[i];
	for (u32 i = 0; i < n; i++)
		if (is_free(free, place_of(a, over[i])))
			return place_of(a, over[i]);
	if (v->toward && is_free(free, place_of(a, v->toward)))
		return place_of(a, v->toward);
	for (u32 i = 0; i < s->n_order; i++)
		if (is_free(free, s->order[i]))
			return s->order[i];
	return LOC_NONE;
}

static void give(struct scan *s, u32 class, s16 place)
{
	s->a->values[class].place = place;
	s->used |= bit((u32)place);
	activate(s, class);
}

static void spill(struct scan *s, u32 class)
{
	s->a->values[class].place = LOC_NONE;
	s->spilled[s->n_spilled++] = class;
}

static float density(const struct value *v)
{
	return v->weight / (float)v->length;
}

/* The density of the densest class that v would meet in each register. */
static void find_rivals(const struct scan *s, const struct value *v, float *rival)
{
	for (u32 left = s->active; left; left &= left - 1) {
		u32 reg = (u32)__builtin_ctz(left);

		rival[reg] = density(&s->a->values[s->in[reg]]);
	}
	for (u32 i = 0; i < s->n_inactive; i++) {
		const struct value *w = &s->a->values[s->inactive[i]];

		if (density(w) > rival[w->place] && ranges_meet(s->a, v, w))
			rival[w->place] = density(w);
	}
}

/* Who meets v in the register goes. */
static void evict(struct scan *s, const struct value *v, u32 reg)
{
	u32 n = 0;

	if (s->active & bit(reg)) {
		s->active &= ~bit(reg);
		spill(s, s->in[reg]);
	}
	for (u32 i = 0; i < s->n_inactive; i++) {
		const struct value *w = &s->a->values[s->inactive[i]];

		if (w->place == (s16)reg && ranges_meet(s->a, v, w))
			spill(s, s->inactive[i]);
		else
			s->inactive[n++] = s->inactive[i];
	}
	s->n_inactive = n;
}

static void compete(struct scan *s, u32 class, u32 allowed)
{
	const struct value *v = &s->a->values[class];
	float rival[MAX_REGISTERS] = {0}, least = density(v);
	u32 reg = NO_REG;

	find_rivals(s, v, rival);
	for (u32 i = 0; i < s->n_order; i++) {
		if (!(allowed & bit(s->order[i])) || rival[s->order[i]] >= least)
			continue;
		reg = s->order[i];
		least = rival[reg];
	}
	if (reg == NO_REG) {
		spill(s, class);
		return;
	}
	evict(s, v, reg);
	give(s, class, (s16)reg);
}

static void place_class(struct scan *s, u32 class)
{
	const struct value *v = &s->a->values[class];
	u32 allowed = s->registers & ~clobbered(s->a, v, s->clobber);
	u32 free;
	s16 place;

	/* What is rebuilt costs less than saving a register for the caller. */
	if (v->flags & VALUE_REBUILT && !(allowed & s->a->machine->caller_saved)) {
		spill(s, class);
		return;
	}
	free = allowed & ~s->active;
	free &= ~meets_inactive(s, v, free);
	place = choose(s, class, free);
	if (place == LOC_NONE)
		compete(s, class, allowed);
	else
		give(s, class, place);
}

/* ---- the scan ---- */

static bool is_class(const struct alloc *a, u32 i)
{
	return a->values[i].class == i && a->values[i].n_ranges;
}

/* Registers that are wished least come first; those that callers saved before others. */
static void set_order(struct scan *s)
{
	struct alloc *a = s->a;
	u32 n = 0;

	for (u32 reg = 0; reg < MAX_REGISTERS; reg++) {
		u32 k = n;

		if (!(a->machine->registers & bit(reg)))
			continue;
		if (!(a->machine->caller_saved & bit(reg)))
			a->wish[reg] = FLT_MAX;
		for (; k > 0 && a->wish[s->order[k - 1]] > a->wish[reg]; k--)
			s->order[k] = s->order[k - 1];
		s->order[k] = (u8)reg;
		n++;
	}
	s->n_order = n;
}

/* What an instruction gives begins behind what is alive when its block starts. */
static void sort_by_start(struct scan *s)
{
	struct alloc *a = s->a;

	for (u32 i = a->ir->n_insns; i-- > 0;) {
		struct value *v = &a->values[i];
		u32 at, *link;

		if (!is_class(a, i))
			continue;
		at = start_of(a, v);
		link = &s->starts[at / 2];
		while (at % 2 && *link)
			link = &a->values[*link - 1].next;
		v->next = *link;
		*link = i + 1;
	}
}

static void scan(struct scan *s)
{
	struct alloc *a = s->a;

	s->used = s->active = s->n_inactive = s->n_spilled = s->clobber = s->event = 0;
	for (u32 i = 0; i < a->ir->n_insns; i++) {
		for (u32 next = s->starts[i]; next; next = a->values[next - 1].next) {
			advance(s, start_of(a, &a->values[next - 1]));
			place_class(s, next - 1);
		}
	}
}

/* Registers in which v meets nobody. */
static u32 find_room(const struct scan *s, const struct value *v)
{
	const struct alloc *a = s->a;
	u32 free = s->registers & ~clobbered(a, v, 0);

	for (u32 i = 0; free && i < a->ir->n_insns; i++) {
		const struct value *w = &a->values[i];

		if (w->place >= 0 && free & bit((u32)w->place) && is_class(a, i) &&
		    ranges_meet(a, v, w))
			free &= ~bit((u32)w->place);
	}
	return free;
}

static void forget_scan(struct scan *s)
{
	for (u32 i = 0; i < s->a->ir->n_insns; i++) {
		s->a->values[i].cursor = 0;
		s->a->values[i].place = LOC_NONE;
	}
}

/* Gives back registers that evictions emptied: the heaviest class first. */
static void readmit(struct scan *s)
{
	struct alloc *a = s->a;
	u32 tries = MAX_WORK / a->ir->n_insns;

	if (tries > MAX_READMITTED)
		tries = MAX_READMITTED;
	for (u32 i = 0; i < a->ir->n_insns; i++)
		a->values[i].cursor = 0;
	for (; tries > 0 && s->n_spilled; tries--) {
		u32 best = 0, class;

		for (u32 i = 1; i < s->n_spilled; i++)
			if (a->values[s->spilled[i]].weight >
			    a->values[s->spilled[best]].weight)
				best = i;
		class = s->spilled[best];
		s->spilled[best] = s->spilled[--s->n_spilled];
		if (a->values[class].flags & VALUE_REBUILT)
			continue;
		a->values[class].place =
			choose(s, class, find_room(s, &a->values[class]));
		if (a->values[class].place >= 0)
			s->used |= bit((u32)a->values[class].place);
	}
}

/* ---- slots ---- */

/* Slots that are free again, and those in use, by the instruction where that ends. */
struct slots {
	u32 *free, n_free;
	u32 *ends; /* by instruction: slot + 1 */
	u32 *next; /* by slot */
	u32 n, max;
};

static void place_in_slot(const struct alloc *a, struct slots *slots, struct value *v)
{
	u32 end = end_of(a, v) / 2, slot;

	if (slots->n_free)
		slot = slots->free[--slots->n_free];
	else
		slot = slots->n++;
	slots->next[slot] = slots->ends[end];
	slots->ends[end] = slot + 1;
	v->place = loc_of_slot(slot);
}

static int place_in_slots(struct scan *s, u32 *n_slots)
{
	struct alloc *a = s->a;
	struct arena *arena = a->ir->arena;
	struct slots slots = {.max = a->ir->n_insns < MAX_SLOTS ? a->ir->n_insns
								: MAX_SLOTS};

	slots.free = arena_raw(arena, slots.max, sizeof(u32));
	slots.next = arena_raw(arena, slots.max, sizeof(u32));
	slots.ends = arena_array(arena, (size_t)a->ir->n_insns + 1, sizeof(u32));
	if (!slots.free || !slots.next || !slots.ends)
		return -ENOMEM;
	for (u32 i = 0; i < a->ir->n_insns; i++) {
		for (u32 k = slots.ends[i]; k; k = slots.next[k - 1])
			slots.free[slots.n_free++] = k - 1;
		for (u32 k = s->starts[i]; k; k = a->values[k - 1].next) {
			struct value *v = &a->values[k - 1];

			if (v->place != LOC_NONE || v->flags & VALUE_REBUILT)
				continue;
			if (slots.n == slots.max && !slots.n_free)
				return -ENOMEM;
			place_in_slot(a, &slots, v);
		}
	}
	*n_slots = slots.n;
	return 0;
}

/* ---- all of it ---- */

static void prepare_values(struct alloc *a)
{
	const struct ir *ir = a->ir;

	for (u32 i = 0; i < ir->n_insns; i++) {
		const struct ir_insn *insn = &ir->insns[i];
		struct value *v = &a->values[i];

		v->class = i;
		v->hint[0] = v->hint[1] = NO_REG;
		v->place = LOC_NONE;
		if (insn->op == IR_CONST || insn->op == IR_ADDR || insn->op == IR_FRAME)
			v->flags = VALUE_REBUILT;
		if (insn->op == IR_RUN)
			v->class = RUN_VALUE;
		if (insn->op == IR_PARAM) {
			if (!a->params[insn->imm])
				a->params[insn->imm] = i;
			v->class = a->params[insn->imm];
		}
	}
	add_hint(&a->values[RUN_VALUE], a->machine->params[0], 1);
	for (u32 i = 1; i <= MAX_ARGS; i++)
		if (a->params[i])
			add_hint(&a->values[a->params[i]], a->machine->params[i], 1);
}

static void estimate_frequencies(struct alloc *a)
{
	for (u32 b = 0; b < a->ir->n_blocks; b++) {
		const struct ir_block *block = &a->ir->blocks[b];
		u32 depth = block->loop_depth < 8 ? block->loop_depth : 8;

		a->freq[b] = (float)(1u << (3 * depth));
	}
}

/* The first block that starts at a position or behind it. */
static u32 block_from(const struct ir *ir, u32 at)
{
	u32 low = 0, high = ir->n_blocks;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (2 * ir->blocks[mid].start < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void fill_live_class(const struct alloc *a, const struct value *v,
			    const struct ir_block *home, struct allocation *out)
{
	const struct ir *ir = a->ir;

	for (u32 r = v->ranges; r < v->ranges + v->n_ranges; r++) {
		const struct range *range = &a->ranges[r];
		u32 b;

		/* most never leave their block */
		if (range->from > 2 * home->start && range->to < 2 * home->end)
			continue;
		for (b = block_from(ir, range->from);
		     b < ir->n_blocks && 2 * ir->blocks[b].start <= range->to; b++)
			out->live_in[b] |= 1u << v->place;
	}
}

static void fill_live(struct alloc *a, struct allocation *out)
{
	const struct ir *ir = a->ir;

	if (a->values[RUN_VALUE].place >= 0)
		fill_live_class(a, &a->values[RUN_VALUE], &ir->blocks[0], out);
	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++)
			if (a->values[i].class == i && a->values[i].place >= 0)
				fill_live_class(a, &a->values[i], &ir->blocks[b], out);
}

static int fill(struct scan *s, struct allocation *out)
{
	struct alloc *a = s->a;

	out->live_in = arena_array(a->ir->arena, a->ir->n_blocks, sizeof(u32));
	if (!out->live_in)
		return -ENOMEM;
	fill_live(a, out);
	out->used = s->used;
	for (u32 i = 0; i < a->n_clobbers; i++)
		out->used |= a->clobbers[i].mask;
	for (u32 i = 0; i < a->ir->n_insns; i++)
		out->loc[i] = place_of(a, i);
	out->run = out->loc[RUN_VALUE];
	out->loc[0] = LOC_NONE;
	return 0;
}

static int give_places(struct alloc *a, struct allocation *out)
{
	u32 n = a->ir->n_insns;
	u32 *words = arena_raw(a->ir->arena, (size_t)n * 2, sizeof(*words));
	struct scan s = {.a = a, .registers = a->machine->registers};
	int err = 0;

	s.starts = arena_array(a->ir->arena, (size_t)n + 1, sizeof(*s.starts));
	if (!words || !s.starts)
		return -ENOMEM;
	s.inactive = words;
	s.spilled = words + n;
	set_order(&s);
	sort_by_start(&s);
	scan(&s);
	if (s.n_spilled) {
		s.registers &= ~a->machine->spill_scratch;
		forget_scan(&s);
		scan(&s);
		readmit(&s);
		err = place_in_slots(&s, &out->n_slots);
	}
	return err ? err : fill(&s, out);
}

int allocate(const struct ir *ir, const struct machine *machine, u32 features,
	     struct allocation *out)
{
	struct alloc a = {.ir = ir, .machine = machine, .features = features};
	struct arena *arena = ir->arena;

	*out = (struct allocation){.run = LOC_NONE};
	out->loc = arena_raw(arena, ir->n_insns, sizeof(*out->loc));
	a.values = arena_array(arena, ir->n_insns, sizeof(*a.values));
	a.freq = arena_raw(arena, ir->n_blocks, sizeof(*a.freq));
	a.n_reads = a.cap_reads = 1;
	a.reads = arena_array(arena, 1, sizeof(*a.reads));
	if (!out->loc || !a.values || !a.freq || !a.reads)
		return -ENOMEM;
	prepare_values(&a);
	estimate_frequencies(&a);
	find_ranges(&a);
	if (!a.no_memory)
		coalesce_phis(&a);
	if (a.no_memory)
		return -ENOMEM;
	return give_places(&a, out);
}
