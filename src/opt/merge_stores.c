/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores byte by byte of one number, or of constants, become one wide store.
 *
 *	p[0] = x; p[1] = x >> 8;	store16 p, x
 *	p[0] = x >> 8; p[1] = x;	store16 p, (swap16 x)
 *	p[0] = 1; p[1] = 0;		store16 p, 1
 *
 * Stores are gathered while nothing comes that could touch the same bytes: of accesses
 * with another base that is not known, so they end it, as do calls.  The wide store
 * stands where the last narrow one was; the values that it needs come in the places of
 * the others.
 */
#include "opt/passes.h"

enum { MAX_STORES = 16 };

struct stores {
	struct ir *ir;
	u32 at[MAX_STORES]; /* of one base, apart from each other */
	u32 n;
};

static struct ir_insn *insn_of(const struct stores *s, u32 value)
{
	return &s->ir->insns[value];
}

static u32 bytes_of(const struct ir_insn *access)
{
	return access->width / 8u;
}

static bool same_base(const struct ir_insn *x, const struct ir_insn *y)
{
	return x->a == y->a && x->b == y->b && x->scale == y->scale;
}

/* Distances wrap, as addresses do. */
static bool are_apart(const struct ir_insn *x, const struct ir_insn *y)
{
	u64 gap = (u64)(y->imm - x->imm);

	return gap >= bytes_of(x) && 0 - gap >= bytes_of(y);
}

static bool is_apart(const struct stores *s, const struct ir_insn *access)
{
	for (u32 i = 0; i < s->n; i++) {
		const struct ir_insn *store = insn_of(s, s->at[i]);

		if (!same_base(store, access) || !are_apart(store, access))
			return false;
	}
	return true;
}

/* ---- what is stored ---- */

/* Bits of another value, from one of them upwards. */
struct part {
	u32 of;
	u32 shift;
	u32 valid; /* bits of `of` that count: above, the part is zero */
};

static struct part part_of(const struct stores *s, u32 value)
{
	const struct ir_insn *insn = insn_of(s, value), *by = insn_of(s, insn->b);

	if (insn->op != IR_ALU || insn->row != ALU_RSH || by->op != IR_CONST)
		return (struct part){.of = value, .valid = 64};
	return (struct part){.of = insn->a,
			     .shift = (u32)by->imm & (insn->width - 1u),
			     .valid = insn->width};
}

/* Is the value of `store` the bits of `first` that lie `shift` above? */
static bool continues(const struct stores *s, const struct part *first,
		      const struct ir_insn *store, u32 shift)
{
	struct part part = part_of(s, store->c);

	return part.of == first->of && part.shift == first->shift + shift &&
	       part.shift + store->width <= part.valid;
}

enum order { NO_ORDER, CONSTANTS, UPWARDS, DOWNWARDS };

/* Stores [from, from + n), without gaps, as one: how? */
static enum order order_of(const struct stores *s, u32 from, u32 n)
{
	const struct ir_insn *low = insn_of(s, s->at[from]);
	const struct ir_insn *high = insn_of(s, s->at[from + n - 1]);
	struct part at_low = part_of(s, low->c);
	struct part at_high = part_of(s, high->c);
	u64 end = (u64)high->imm + bytes_of(high);
	bool constants = true, down = true;
	bool up = at_low.shift + (end - (u64)low->imm) * 8 <= at_low.valid;

	for (u32 i = from; i < from + n; i++) {
		const struct ir_insn *store = insn_of(s, s->at[i]);
		u32 below = (u32)((u64)store->imm - (u64)low->imm) * 8;
		u32 above = (u32)(end - (u64)store->imm) * 8 - store->width;

		constants &= insn_of(s, store->c)->op == IR_CONST;
		up = up && continues(s, &at_low, store, below);
		down = down && store->width == 8 && continues(s, &at_high, store, above);
	}
	down = down && at_high.shift + (end - (u64)low->imm) * 8 <= at_high.valid;
	return constants ? CONSTANTS : up ? UPWARDS : down ? DOWNWARDS : NO_ORDER;
}

static u64 constant_of(const struct stores *s, u32 from, u32 n)
{
	const struct ir_insn *low = insn_of(s, s->at[from]);
	u64 value = 0;

	for (u32 i = from; i < from + n; i++) {
		const struct ir_insn *store = insn_of(s, s->at[i]);
		u64 part = (u64)insn_of(s, store->c)->imm;
		u32 below = (u32)((u64)store->imm - (u64)low->imm) * 8;

		value |= (part & (UINT64_MAX >> (64 - store->width))) << below;
	}
	return value;
}

/* ---- merging ---- */

static struct ir_insn *last_of(const struct stores *s, u32 from, u32 n)
{
	u32 last = s->at[from];

	for (u32 i = from + 1; i < from + n; i++)
		last = s->at[i] > last ? s->at[i] : last;
	return insn_of(s, last);
}

/* The place of one of the stores, not the last, that `value` stands before; 0: none. */
static u32 place_behind(const struct stores *s, u32 from, u32 n, u32 value)
{
	const struct ir_insn *last = last_of(s, from, n);

	for (u32 i = from; i < from + n; i++)
		if (s->at[i] > value && insn_of(s, s->at[i]) != last)
			return s->at[i];
	return 0;
}

/* A constant that takes an instruction of its own is worth three stores. */
static bool is_dear(u64 value, u32 width, u32 n)
{
	return width == 64 && n < 3 && (s64)value != (s32)value;
}

static bool merge_constants(struct stores *s, u32 from, u32 n, struct ir_insn *wide)
{
	u64 value = constant_of(s, from, n);

	wide->c = place_behind(s, from, n, 0);
	if (is_dear(value, wide->width, n))
		return false;
	*insn_of(s, wide->c) = (struct ir_insn){
		.op = IR_CONST, .imm = (s64)value, .pc = insn_of(s, wide->c)->pc};
	return true;
}

static bool merge_swapped(struct stores *s, u32 from, u32 n, struct ir_insn *wide)
{
	u32 value = insn_of(s, s->at[from + n - 1])->c;

	wide->c = place_behind(s, from, n, value);
	if (!wide->c)
		return false;
	*insn_of(s, wide->c) = (struct ir_insn){.op = IR_SWAP,
						.width = wide->width,
						.a = value,
						.pc = insn_of(s, wide->c)->pc};
	return true;
}

/* What is no store any more is a value that the wide one needs, or goes. */
static void replace(struct stores *s, u32 from, u32 n, const struct ir_insn *wide)
{
	*last_of(s, from, n) = *wide;
	for (u32 i = from; i < from + n; i++) {
		struct ir_insn *insn = insn_of(s, s->at[i]);

		if (insn->op == IR_STORE && insn != last_of(s, from, n))
			pass_nop(insn);
	}
}

static bool merge(struct stores *s, u32 from, u32 n, u32 bytes)
{
	struct ir_insn wide = *insn_of(s, s->at[from]);
	bool done = false;

	wide.width = (u8)(bytes * 8);
	switch (order_of(s, from, n)) {
	case CONSTANTS: done = merge_constants(s, from, n, &wide); break;
	case DOWNWARDS: done = merge_swapped(s, from, n, &wide); break;
	case UPWARDS: done = true; break;
	case NO_ORDER: break;
	}
	if (done)
		replace(s, from, n, &wide);
	return done;
}

/* How many stores from this one on are so many bytes without a gap; 0: none are. */
static u32 count_for(const struct stores *s, u32 from, u32 bytes)
{
	const struct ir_insn *low = insn_of(s, s->at[from]);
	u64 done = 0;

	for (u32 i = from; i < s->n && done < bytes; i++) {
		const struct ir_insn *store = insn_of(s, s->at[i]);

		if ((u64)store->imm != (u64)low->imm + done)
			return 0;
		done += bytes_of(store);
		if (done == bytes)
			return i + 1 - from;
	}
	return 0;
}

static u32 merge_from(struct stores *s, u32 from)
{
	for (u32 bytes = 8; bytes > 1; bytes /= 2) {
		u32 n = count_for(s, from, bytes);

		if (n > 1 && merge(s, from, n, bytes))
			return n;
	}
	return 1;
}

static void sort(struct stores *s)
{
	s64 origin = insn_of(s, s->at[0])->imm;

	for (u32 i = 1; i < s->n; i++) {
		u32 at = s->at[i], k = i;
		s64 off = (s64)((u64)insn_of(s, at)->imm - (u64)origin);

		for (; k && (s64)((u64)insn_of(s, s->at[k - 1])->imm - (u64)origin) > off;
		     k--)
			s->at[k] = s->at[k - 1];
		s->at[k] = at;
	}
}

static void flush(struct stores *s)
{
	if (s->n > 1) {
		sort(s);
		for (u32 i = 0; i < s->n;)
			i += merge_from(s, i);
	}
	s->n = 0;
}

static void visit(struct stores *s, u32 at)
{
	const struct ir_insn *insn = insn_of(s, at);

	if (ir_ops[insn->op].effect == IR_PURE)
		return;
	if (insn->op == IR_LOAD && is_apart(s, insn))
		return;
	if (insn->op != IR_STORE || s->n == MAX_STORES || !is_apart(s, insn))
		flush(s);
	if (insn->op == IR_STORE && insn->width < 64)
		s->at[s->n++] = at;
}

void pass_merge_stores(struct pass *p)
{
	struct ir *ir = p->ir;
	struct stores s = {.ir = ir};

	if (p->narrow_stores < 2)
		return;
	pass_rename(p);
	for (u32 b = 0; b < ir->n_blocks; b++) {
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++)
			visit(&s, i);
		flush(&s);
	}
}
