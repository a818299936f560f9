/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: plain accesses, ordered ones, and read-modify-write, with the instructions of
 * LSE where the CPU has them and with exclusive pairs where not.  What fetches is fully
 * ordered, what does not is relaxed (exec/atomics.h).
 */
#include "exec/jit/aarch64/a64.h"

/* Where an access goes: a register and a displacement that fits, or two registers. */
struct place {
	u8 base, index;
	s32 off;
	bool indexed, scaled;
};

/* base = base + off, where the access cannot have it */
static u8 add_off(struct a64 *e, u8 base, s64 off)
{
	bool down = off < 0;
	u64 by = down ? 0 - (u64)off : (u64)off;

	if (a64_fits_add(by)) {
		put(e, a64_add_imm(down ? A64_SUB : A64_ADD,
				   (struct a64_regs){true, X16, base, 0}, (u32)by));
		return X16;
	}
	a64_const(e, X17, (u64)off);
	put(e, a64_rrr(A64_ADD, (struct a64_regs){true, X16, base, X17}));
	return X16;
}

/* A zero register as a base would be the stack pointer. */
static u8 use_base(struct a64 *e, u32 v)
{
	u8 base = a64_use(e, v, X16);

	if (base != A64_ZR)
		return base;
	put(e, a64_movz(true, X16, 0, 0));
	return X16;
}

static struct place place_of(struct a64 *e, const struct ir_insn *insn,
			     struct a64_access access)
{
	struct place place = {0};
	s64 off = insn->imm;

	if (is_fused(value(e, insn->a)) && value(e, insn->a)->op == IR_FRAME) {
		place.base = A64_SP;
		off += a64_frame_end(e);
	} else {
		place.base = use_base(e, insn->a);
	}
	if (insn->b) {
		place.indexed = true;
		place.scaled = insn->scale != 0;
		place.index = a64_use(e, insn->b, X17);
		return place;
	}
	if (!a64_fits_offset(access, off)) {
		if (place.base == A64_SP) {
			put(e, a64_add_imm(A64_ADD,
					   (struct a64_regs){true, X16, A64_SP, 0}, 0));
			place.base = X16;
		}
		place.base = add_off(e, place.base, off);
		off = 0;
	}
	place.off = (s32)off;
	return place;
}

static void access(struct a64 *e, struct a64_access how, u8 reg,
		   const struct place *place)
{
	struct a64_regs r = {true, reg, place->base, place->index};

	if (place->indexed)
		put(e, a64_access_reg(how, r, place->scaled));
	else
		put(e, a64_access_imm(how, reg, place->base, place->off));
}

static void load(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	struct a64_access how = {insn->width, true, insn->row && insn->width < 64};
	struct place place = place_of(e, insn, how);
	u8 to = a64_def(e, v, X16);

	access(e, how, to, &place);
	a64_def_end(e, v, to);
}

static void store(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	struct a64_access how = {insn->width, false, false};
	struct place place = place_of(e, insn, how);
	/* X17 may be the index; X15 holds nothing when anything is spilled */
	u8 from = a64_use(e, insn->c, place.indexed ? X15 : X17);

	access(e, how, from, &place);
}

/* The address in one register: X16 where it has to be computed. */
static u8 address(struct a64 *e, const struct ir_insn *insn)
{
	u8 base;

	if (value(e, insn->a)->op == IR_FRAME && e->where->loc[insn->a] == LOC_NONE) {
		a64_add_sp(e, X16, a64_frame_end(e));
		base = X16;
	} else {
		base = use_base(e, insn->a);
	}
	return insn->imm ? add_off(e, base, insn->imm) : base;
}

static void ordered(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	struct a64_regs r = {true, 0, address(e, insn), 0};

	if (insn->op == IR_STORE_REL) {
		r.rd = a64_use(e, insn->c, X17);
		put(e, a64_ordered(A64_STLR, insn->width, r));
		return;
	}
	r.rd = a64_def(e, v, X17);
	put(e, a64_ordered(A64_LDAR, insn->width, r));
	a64_def_end(e, v, r.rd);
}

void a64_emit_memory(struct a64 *e, u32 v)
{
	switch ((int)value(e, v)->op) {
	case IR_LOAD: load(e, v); break;
	case IR_STORE: store(e, v); break;
	default: ordered(e, v); break;
	}
}

/* ---- read-modify-write ---- */

/* A row for each of atomic.def: how to compute what is stored, and LSE's word for it. */
struct atomic_row {
	bool fetch;
	enum a64_rrr op;
	enum a64_lse lse;
	bool inverted; /* LSE clears bits instead of keeping them */
};

#define ROW_ADD                                                                          \
	{                                                                                \
		false, A64_ADD, A64_LDADD, false                                         \
	}
#define ROW_OR                                                                           \
	{                                                                                \
		false, A64_ORR, A64_LDSET, false                                         \
	}
#define ROW_AND                                                                          \
	{                                                                                \
		false, A64_AND, A64_LDCLR, true                                          \
	}
#define ROW_XOR                                                                          \
	{                                                                                \
		false, A64_EOR, A64_LDEOR, false                                         \
	}
#define ROW_FETCH_ADD                                                                    \
	{                                                                                \
		true, A64_ADD, A64_LDADD, false                                          \
	}
#define ROW_FETCH_OR                                                                     \
	{                                                                                \
		true, A64_ORR, A64_LDSET, false                                          \
	}
#define ROW_FETCH_AND                                                                    \
	{                                                                                \
		true, A64_AND, A64_LDCLR, true                                           \
	}
#define ROW_FETCH_XOR                                                                    \
	{                                                                                \
		true, A64_EOR, A64_LDEOR, false                                          \
	}
#define ROW_XCHG                                                                         \
	{                                                                                \
		true, A64_ORR, A64_SWP, false                                            \
	}
#define ROW_CMPXCHG                                                                      \
	{                                                                                \
		true, A64_ORR, A64_SWP, false                                            \
	}

static const struct atomic_row rows[ATOMICS] = {
#define T(name, ...) [ATOMIC_##name] = ROW_##name,
#include "isa/atomic.def"
#undef T
};

/* What all of them have: the width, the address, the operand, where the old value goes.
 */
struct rmw {
	u32 width;
	u8 at, with, old;
};

static void with_lse(struct a64 *e, const struct atomic_row *row, const struct rmw *rmw)
{
	struct a64_regs r = {true, rmw->old, rmw->at, rmw->with};

	if (row->inverted) {
		put(e, a64_rrr(A64_ORN, (struct a64_regs){true, X14, A64_ZR, rmw->with}));
		r.rm = X14;
	}
	if (!row->fetch)
		r.rd = A64_ZR;
	put(e, a64_lse(row->lse, rmw->width, r, row->fetch));
}

/* Stores X14 or the operand; back to the load while somebody else was faster. */
static void store_exclusive(struct a64 *e, const struct rmw *rmw, u8 what, u32 again)
{
	/* release, and a full barrier behind it: nothing passes in either direction */
	put(e, a64_ordered(A64_STLXR, rmw->width,
			   (struct a64_regs){true, what, rmw->at, X15}));
	put(e, a64_cbnz(false, X15, (s32)(again - e->out->len)));
}

static void with_exclusives(struct a64 *e, enum atomic kind, const struct rmw *rmw)
{
	const struct atomic_row *row = &rows[kind];
	u32 again = e->out->len;
	u8 what = rmw->with;

	put(e, a64_ordered(A64_LDXR, rmw->width,
			   (struct a64_regs){true, rmw->old, rmw->at, 0}));
	if (kind != ATOMIC_XCHG) {
		what = X14;
		put(e, a64_rrr(row->op, (struct a64_regs){rmw->width == 64, X14, rmw->old,
							  rmw->with}));
	}
	store_exclusive(e, rmw, what, again);
	if (row->fetch)
		put(e, a64_dmb_ish());
}

static void compare_exchange(struct a64 *e, const struct ir_insn *insn,
			     const struct rmw *rmw)
{
	bool wide = rmw->width == 64;
	u8 expected = a64_use(e, insn->b, X14);
	u32 again;

	if (e->out->features & A64_HAS_LSE) {
		a64_mov(e, X15, expected);
		put(e, a64_casal(rmw->width,
				 (struct a64_regs){true, X15, rmw->at, rmw->with}));
		if (wide)
			a64_mov(e, rmw->old, X15);
		else
			put(e, a64_rrr(A64_ORR,
				       (struct a64_regs){false, rmw->old, A64_ZR, X15}));
		return;
	}
	again = e->out->len;
	put(e, a64_ordered(A64_LDXR, rmw->width,
			   (struct a64_regs){true, rmw->old, rmw->at, 0}));
	put(e, a64_rrr(A64_SUBS, (struct a64_regs){wide, A64_ZR, rmw->old, expected}));
	put(e, a64_b_cond(A64_NE, 12));
	store_exclusive(e, rmw, rmw->with, again);
	put(e, a64_dmb_ish());
}

void a64_emit_atomic(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	const struct atomic_row *row = &rows[insn->row];
	struct rmw rmw = {.width = insn->width};
	bool kept = row->fetch && e->where->loc[v] != LOC_NONE;

	rmw.at = address(e, insn);
	rmw.with = a64_use(e, insn->c, X17);
	rmw.old = kept ? a64_def(e, v, X13) : X13;
	if (insn->row == ATOMIC_CMPXCHG)
		compare_exchange(e, insn, &rmw);
	else if (e->out->features & A64_HAS_LSE)
		with_lse(e, row, &rmw);
	else
		with_exclusives(e, (enum atomic)insn->row, &rmw);
	if (kept)
		a64_def_end(e, v, rmw.old);
}
