/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values where the allocator put them: in a register, in a slot of the frame, or nowhere,
 * to be rebuilt.
 */
#include <assert.h>

#include "exec/jit/x86_64/emit.h"

enum { SCRATCH = 1 << XR11 | 1 << XR10 };

void make_room(struct emitter *m)
{
	u8 *at = NULL;

	if (!m->failed) {
		m->out->len = (u32)(m->e.at - m->out->code);
		at = native_room(m->out, EMIT_ROOM);
	}
	m->failed = !at;
	m->e.at = at ? at : m->sink;
}

/* Which of held[] is the register's. */
static u32 held_by(u8 reg)
{
	return reg == XR10;
}

static bool is_free(const struct emitter *m, u8 reg)
{
	return !(m->taken & 1u << reg);
}

/* Where there are slots R10 is free, too: rather the one that holds nothing. */
u8 take_scratch(struct emitter *m)
{
	bool spare = m->where->n_slots && is_free(m, XR10) && m->held[1] == LOC_NONE;
	u8 reg = !is_free(m, XR11) || (spare && m->held[0] != LOC_NONE) ? XR10 : XR11;

	assert(is_free(m, reg));
	m->taken |= 1u << reg;
	m->held[held_by(reg)] = LOC_NONE;
	return reg;
}

/* The scratch register that holds the slot's value still; NO_REG: none. */
static u8 take_held(struct emitter *m, s16 loc)
{
	if (!loc_is_slot(loc))
		return NO_REG;
	for (u32 i = 0; i < ARRAY_SIZE(m->held); i++)
		if (m->held[i] == loc) {
			u8 reg = i ? XR10 : XR11;

			m->taken |= 1u << reg;
			return reg;
		}
	return NO_REG;
}

void forget_held(struct emitter *m)
{
	m->held[0] = m->held[1] = LOC_NONE;
}

void forget_slot(struct emitter *m, s16 loc)
{
	for (u32 i = 0; i < ARRAY_SIZE(m->held); i++)
		if (m->held[i] == loc)
			m->held[i] = LOC_NONE;
}

void release_scratch(struct emitter *m)
{
	m->taken = 0;
}

struct x86_rm place_of(const struct emitter *m, s16 loc)
{
	assert(loc != LOC_NONE);
	if (loc >= 0)
		return x86_reg((u8)loc);
	return x86_at(RSP, m->slots - 8 * (s32)loc_slot(loc));
}

u8 register_of(const struct emitter *m, u32 value)
{
	s16 loc = m->where->loc[value];

	return loc >= 0 ? (u8)loc : NO_REG;
}

/* Blinded, a constant of the program stands in the code only mixed with random bits. */
static void put_blinded(struct emitter *m, u8 dst, u64 imm)
{
	u64 random = m->out->blinding * (2 * (imm ^ m->out->len) + 1);
	s32 key = (s32)(random >> 32), key2 = (s32)random;
	u64 word = __builtin_bswap64(imm - (u64)(s64)key2) - (u64)(s64)key;

	/* no flags are changed */
	x86_move_i64(&m->e, dst, word);
	x86_lea(&m->e, 64, dst, x86_at(dst, key));
	x86_bswap(&m->e, 64, dst);
	x86_lea(&m->e, 64, dst, x86_at(dst, key2));
}

void put_const(struct emitter *m, u8 dst, u64 imm)
{
	if (!imm && !m->keep_flags)
		x86_zero(&m->e, dst);
	else if (x86_is_blinded((s64)imm, m->features))
		put_blinded(m, dst, imm);
	else
		x86_move_i(&m->e, dst, imm);
}

void put_address(struct emitter *m, u8 dst, const struct native_reloc *reloc)
{
	struct native_reloc r = *reloc;
	u8 *place = x86_move_i64(&m->e, dst, 0);

	r.off = (u32)(place - m->out->code);
	native_reloc(m->out, &r);
}

static void put_frame(struct emitter *m, u8 dst, s64 off)
{
	s64 disp = m->frame + off;

	if (disp)
		x86_lea(&m->e, 64, dst, x86_at(RSP, (s32)disp));
	else
		x86_move(&m->e, 64, dst, RSP);
}

static void put_load(struct emitter *m, u8 dst, const struct ir_insn *insn,
		     struct x86_rm at)
{
	if (insn->row)
		x86_load_signed(&m->e, insn->width, dst, at);
	else
		x86_load(&m->e, insn->width, dst, at);
}

static void put_rebuilt(struct emitter *m, u8 dst, const struct ir_insn *insn)
{
	if (insn->op == IR_CONST) {
		put_const(m, dst, (u64)insn->imm);
	} else if (insn->op == IR_ADDR) {
		put_address(m, dst,
			    &(struct native_reloc){.kind = insn->row,
						   .index = insn->aux,
						   .value = insn->imm});
	} else if (insn->op == IR_FRAME) {
		put_frame(m, dst, 0);
	} else if (insn->op == IR_LOAD) {
		put_load(m, dst, insn, address_of(m, insn));
	} else if (x86_is_frame_address(m->ir, insn)) {
		put_frame(m, dst, insn_of(m, insn->b)->imm);
	} else {
		assert(insn->op == IR_NOP);
		put_const(m, dst, 0);
	}
}

void move_register(struct emitter *m, u8 dst, u8 src)
{
	if (dst != src)
		x86_move(&m->e, 64, dst, src);
}

/* A register or slot. */
void put_place(struct emitter *m, u8 dst, s16 loc)
{
	if (loc >= 0)
		move_register(m, dst, (u8)loc);
	else
		x86_load(&m->e, 64, dst, place_of(m, loc));
}

void put_value(struct emitter *m, u8 dst, u32 value)
{
	s16 loc = m->where->loc[value];

	if (loc != LOC_NONE)
		put_place(m, dst, loc);
	else
		put_rebuilt(m, dst, insn_of(m, value));
}

void put_result(struct emitter *m, u32 number)
{
	const struct ir_insn *insn = insn_of(m, number);
	u8 dst = x86_target(m, insn);

	put_rebuilt(m, dst, insn);
	finish(m, insn, dst);
}

/* Into a scratch register that is not among `taken`: those of the address are free. */
static u8 load_from(struct emitter *m, const struct ir_insn *load, struct x86_rm at,
		    u32 taken)
{
	u8 reg;

	m->taken = taken;
	reg = take_scratch(m);
	put_load(m, reg, load, at);
	return reg;
}

u8 in_register(struct emitter *m, u32 value)
{
	const struct ir_insn *insn = insn_of(m, value);
	u32 taken = m->taken;
	u8 reg = register_of(m, value);

	if (reg == NO_REG)
		reg = take_held(m, m->where->loc[value]);
	if (reg != NO_REG)
		return reg;
	if (m->where->loc[value] == LOC_NONE && insn->op == IR_LOAD)
		return load_from(m, insn, address_of(m, insn), taken);
	reg = take_scratch(m);
	put_value(m, reg, value);
	if (loc_is_slot(m->where->loc[value]))
		m->held[held_by(reg)] = m->where->loc[value];
	return reg;
}

struct x86_rm operand_of(struct emitter *m, u32 value)
{
	const struct ir_insn *insn = insn_of(m, value);
	u32 taken = m->taken;
	struct x86_rm rm;
	u8 reg;

	reg = take_held(m, m->where->loc[value]);
	if (reg != NO_REG)
		return x86_reg(reg);
	if (m->where->loc[value] != LOC_NONE)
		return place_of(m, m->where->loc[value]);
	if (insn->op != IR_LOAD)
		return x86_reg(in_register(m, value));
	rm = address_of(m, insn);
	if (m->taken != SCRATCH || taken)
		return rm;
	/* both scratch registers are in the address: one is enough for the value */
	return x86_reg(load_from(m, insn, rm, taken));
}

bool immediate_of(const struct emitter *m, u32 value, u32 width, s32 *imm)
{
	const struct ir_insn *insn = insn_of(m, value);

	if (!x86_fits_imm(insn, width, m->features))
		return false;
	*imm = (s32)insn->imm;
	return true;
}

bool mentions(struct x86_rm rm, u8 reg)
{
	return rm.reg == reg || rm.base == reg || rm.index == reg;
}

/* The base of an access in a register, what is constant of it added to *disp. */
static u8 base_of(struct emitter *m, u32 value, s64 *disp)
{
	const struct ir_insn *insn = insn_of(m, value);
	s64 sum;
	u8 reg;

	if (m->where->loc[value] != LOC_NONE)
		return in_register(m, value);
	if (insn->op == IR_FRAME) {
		*disp += m->frame;
		return RSP;
	}
	if (x86_is_frame_address(m->ir, insn)) {
		*disp += m->frame + insn_of(m, insn->b)->imm;
		return RSP;
	}
	if (insn->op == IR_CONST && fits_s32(*disp)) {
		sum = (s64)((u64)insn->imm + (u64)*disp);
		reg = take_scratch(m);
		put_const(m, reg, (u64)sum);
		*disp = 0;
		return reg;
	}
	return in_register(m, value);
}

/* base + disp in a scratch register. */
static u8 add_far(struct emitter *m, u8 base, u64 disp)
{
	u8 reg = take_scratch(m);

	put_const(m, reg, disp);
	x86_lea(&m->e, 64, reg, (struct x86_rm){X86_NONE, base, reg, 0, 0});
	m->taken &= ~(1u << base);
	return reg;
}

struct x86_rm address_of(struct emitter *m, const struct ir_insn *insn)
{
	s64 disp = insn->imm;
	struct x86_rm rm = {.reg = X86_NONE, .index = X86_NONE};
	bool flags = m->keep_flags;

	m->keep_flags = true;
	rm.base = base_of(m, insn->a, &disp);
	if (!fits_s32(disp) || x86_is_blinded(disp, m->features)) {
		rm.base = add_far(m, rm.base, (u64)disp);
		disp = 0;
	}
	rm.disp = (s32)disp;
	if ((insn->op == IR_LOAD || insn->op == IR_STORE) && insn->b) {
		rm.index = in_register(m, insn->b);
		rm.scale = insn->scale;
	}
	m->keep_flags = flags;
	return rm;
}

u8 x86_target(struct emitter *m, const struct ir_insn *insn)
{
	u8 reg = register_of(m, (u32)(insn - m->ir->insns));

	return reg != NO_REG ? reg : take_scratch(m);
}

void finish(struct emitter *m, const struct ir_insn *insn, u8 reg)
{
	s16 loc = m->where->loc[insn - m->ir->insns];

	if (loc >= 0)
		move_register(m, (u8)loc, reg);
	if (!loc_is_slot(loc))
		return;
	x86_store(&m->e, 64, place_of(m, loc), reg);
	forget_slot(m, loc);
	if (reg == XR11 || reg == XR10)
		m->held[held_by(reg)] = loc;
}

/* ---- moves at once ---- */

static void move_to_slot(struct emitter *m, const struct move *move)
{
	struct x86_rm to = place_of(m, move->to);
	const struct ir_insn *insn = insn_of(m, move->value);

	if (move->from >= 0) {
		x86_store(&m->e, 64, to, (u8)move->from);
		return;
	}
	if (loc_is_slot(move->from)) {
		x86_load(&m->e, 64, XR11, place_of(m, move->from));
	} else if (x86_fits_imm(insn, 64, m->features)) {
		x86_store_i(&m->e, 64, to, (s32)insn->imm);
		return;
	} else {
		put_rebuilt(m, XR11, insn);
	}
	x86_store(&m->e, 64, to, XR11);
}

static void make_move(void *arg, const struct move *move)
{
	struct emitter *m = arg;

	make_room(m);
	if (move->to < 0)
		move_to_slot(m, move);
	else if (move->from == LOC_NONE)
		put_rebuilt(m, (u8)move->to, insn_of(m, move->value));
	else
		put_place(m, (u8)move->to, move->from);
}

static void swap_places(void *arg, s16 a, s16 b)
{
	struct emitter *m = arg;

	make_room(m);
	if (a < 0 && b < 0) {
		x86_load(&m->e, 64, XR11, place_of(m, a));
		x86_load(&m->e, 64, XR10, place_of(m, b));
		x86_store(&m->e, 64, place_of(m, a), XR10);
		x86_store(&m->e, 64, place_of(m, b), XR11);
	} else if (a < 0 || b < 0) {
		/* XCHG with memory would lock the bus */
		u8 reg = (u8)(a < 0 ? b : a);
		struct x86_rm slot = place_of(m, a < 0 ? a : b);

		x86_move(&m->e, 64, XR11, reg);
		x86_load(&m->e, 64, reg, slot);
		x86_store(&m->e, 64, slot, XR11);
	} else {
		/* three that cost nothing rather than one that takes two cycles */
		x86_move(&m->e, 64, XR11, (u8)a);
		x86_move(&m->e, 64, (u8)a, (u8)b);
		x86_move(&m->e, 64, (u8)b, XR11);
	}
}

void make_moves(struct emitter *m, struct move *moves, u32 n)
{
	struct move_ops ops = {.arg = m, .move = make_move, .swap = swap_places};

	if (n)
		forget_held(m);
	moves_in_order(moves, n, &ops);
	make_room(m);
}
