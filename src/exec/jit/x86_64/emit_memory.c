/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads, stores and atomics.  x86's memory order is strong: a plain load acquires, a
 * plain store releases, and what is locked is ordered fully.
 */
#include "exec/jit/x86_64/emit.h"

static void load(struct emitter *m, const struct ir_insn *insn, bool is_signed)
{
	struct x86_rm at = address_of(m, insn);
	u8 dst;

	release_scratch(m);
	dst = x86_target(m, insn);
	if (is_signed)
		x86_load_signed(&m->e, insn->width, dst, at);
	else
		x86_load(&m->e, insn->width, dst, at);
	finish(m, insn, dst);
}

void x86_emit_load(struct emitter *m, const struct ir_insn *insn)
{
	load(m, insn, insn->row);
}

void x86_emit_load_acq(struct emitter *m, const struct ir_insn *insn)
{
	load(m, insn, false);
}

/* An address in scratch registers becomes one of them, so that there is room for c. */
static struct x86_rm one_register(struct emitter *m, struct x86_rm at)
{
	u8 reg;

	if (m->taken != (1 << XR11 | 1 << XR10))
		return at;
	release_scratch(m);
	reg = take_scratch(m);
	x86_lea(&m->e, 64, reg, at);
	return x86_at(reg, 0);
}

static void update(struct emitter *m, const struct ir_insn *insn,
		   const struct ir_insn *alu)
{
	u32 op = x86_alu_rows[alu->row].op;
	struct x86_rm at = address_of(m, insn);
	s32 imm;

	if (immediate_of(m, alu->b, insn->width, &imm)) {
		x86_alu_i(&m->e, op, insn->width, at, imm);
		return;
	}
	if (register_of(m, alu->b) == NO_REG)
		at = one_register(m, at);
	x86_alu_m(&m->e, op, insn->width, at, in_register(m, alu->b));
}

static void store(struct emitter *m, const struct ir_insn *insn)
{
	struct x86_rm at = address_of(m, insn);
	s32 imm;

	if (immediate_of(m, insn->c, insn->width, &imm)) {
		x86_store_i(&m->e, insn->width, at, imm);
		return;
	}
	if (register_of(m, insn->c) == NO_REG)
		at = one_register(m, at);
	x86_store(&m->e, insn->width, at, in_register(m, insn->c));
}

void x86_emit_store(struct emitter *m, const struct ir_insn *insn)
{
	const struct ir_insn *c = insn_of(m, insn->c);
	struct x86_rm at;

	if (!(c->flags & IR_FUSED) || x86_is_rebuilt(c) ||
	    x86_is_frame_address(m->ir, c)) {
		store(m, insn);
	} else if (c->op == IR_SWAP) {
		at = address_of(m, insn);
		if (register_of(m, c->a) == NO_REG)
			at = one_register(m, at);
		x86_movbe_store(&m->e, insn->width, at, in_register(m, c->a));
	} else {
		update(m, insn, c);
	}
}

void x86_emit_store_rel(struct emitter *m, const struct ir_insn *insn)
{
	store(m, insn);
}

/* ---- atomics ---- */

/* Nobody wants the old value. */
static void locked(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	struct x86_rm at = address_of(m, insn);
	u8 c = NO_REG;
	s32 imm;
	bool is_imm = immediate_of(m, insn->c, insn->width, &imm);

	if (!is_imm)
		c = in_register(m, insn->c);
	x86_lock(&m->e);
	if (is_imm)
		x86_alu_i(&m->e, op, insn->width, at, imm);
	else
		x86_alu_m(&m->e, op, insn->width, at, c);
}

/* XADD and XCHG leave the old value in the register of the new one: the result's, as the
 * address is not there (late_a). */
static void exchange(struct emitter *m, const struct ir_insn *insn, bool add)
{
	struct x86_rm at = address_of(m, insn);
	u8 reg = x86_target(m, insn);

	put_value(m, reg, insn->c);
	if (add) {
		x86_lock(&m->e);
		x86_xadd(&m->e, insn->width, at, reg);
	} else {
		x86_xchg(&m->e, insn->width, at, reg);
	}
	finish(m, insn, reg);
}

/* RAX is what is expected and becomes what was there: with 32 bits, when it was as
 * expected, its upper half is not written. */
static void compare_exchange(struct emitter *m, const struct ir_insn *insn)
{
	struct x86_rm at = address_of(m, insn);
	u8 c = in_register(m, insn->c);

	put_value(m, RAX, insn->b);
	x86_lock(&m->e);
	x86_cmpxchg(&m->e, insn->width, at, c);
	if (insn->width == 32)
		x86_move(&m->e, 32, RAX, RAX);
	finish(m, insn, RAX);
}

/* What has no instruction that gives the old value: until nobody came between. */
static void loop(struct emitter *m, const struct ir_insn *insn, u32 op)
{
	struct x86_rm at = address_of(m, insn);
	u8 reg = take_scratch(m);
	u8 *again;

	x86_load(&m->e, insn->width, RAX, at);
	again = m->e.at;
	put_value(m, reg, insn->c);
	x86_alu_r(&m->e, op, insn->width, reg, x86_reg(RAX));
	x86_lock(&m->e);
	x86_cmpxchg(&m->e, insn->width, at, reg);
	x86_jcc8(&m->e, CC_NE, (s8)(again - m->e.at - 2));
	finish(m, insn, RAX);
}

void x86_emit_atomic(struct emitter *m, const struct ir_insn *insn)
{
	const struct x86_atomic_row *row = &x86_atomic_rows[insn->row];

	switch ((enum x86_atomic_form)row->form) {
	case FORM_LOCKED: locked(m, insn, row->op); return;
	case FORM_XADD: exchange(m, insn, true); return;
	case FORM_XCHG: exchange(m, insn, false); return;
	case FORM_CMPXCHG: compare_exchange(m, insn); return;
	case FORM_LOOP:
		if (m->where->loc[insn - m->ir->insns] == LOC_NONE)
			locked(m, insn, row->op);
		else
			loop(m, insn, row->op);
		return;
	}
}
