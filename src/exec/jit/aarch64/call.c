/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of all kinds, and the stubs by which C code enters a blob and leaves it in a
 * hurry.
 */
#include <errno.h>
#include <stddef.h>

#include "exec/jit/aarch64/a64.h"
#include "exec/jit/jit.h"
#include "maps/map.h"

static const struct a64_access load64 = {64, true, false}, store64 = {64, false, false},
			       load32 = {32, true, false}, store32 = {32, false, false};

/* ---- arguments ---- */

static struct move move_of(const struct a64 *e, u32 v, u8 to)
{
	return (struct move){.to = to, .from = e->where->loc[v], .value = v};
}

/* R1 to R5 in x1 to x5, run in x0. */
static void arguments(struct a64 *e, const struct ir_insn *insn)
{
	u32 n = 0;

	for (u32 i = 0; i < insn->n_args; i++) {
		struct move move = move_of(e, e->ir->args[insn->aux + i], (u8)(1 + i));

		if (move.from != move.to)
			e->moves[n++] = move;
	}
	a64_moves(e, n);
	a64_mov(e, X0, a64_run(e, X0));
}

/* Values that must outlive a call of the engine itself wait in the frame. */
static s32 kept_off(const struct a64 *e, u32 i)
{
	return (s32)(e->slots + 8 * i);
}

static void keep_arguments(struct a64 *e)
{
	for (u32 i = 0; i < MAX_ARGS; i++)
		put(e, a64_access_imm(store64, (u8)(1 + i), A64_SP, kept_off(e, i)));
}

static void take_arguments(struct a64 *e)
{
	for (u32 i = 0; i < MAX_ARGS; i++)
		put(e, a64_access_imm(load64, (u8)(1 + i), A64_SP, kept_off(e, i)));
}

static void call_address(struct a64 *e, const struct native_reloc *reloc)
{
	a64_address(e, X16, reloc);
	put(e, a64_blr(X16));
}

static void call_routine(struct a64 *e, enum jit_routine routine)
{
	call_address(e, &(struct native_reloc){.kind = NATIVE_ROUTINE, .index = routine});
}

static void result(struct a64 *e, u32 v)
{
	if (e->where->loc[v] == LOC_NONE)
		return;
	if (e->where->loc[v] >= 0)
		a64_mov(e, (u8)e->where->loc[v], X0);
	else
		a64_def_end(e, v, X0);
}

/* ---- the way out ---- */

/* Leaves the run when the register is zero, or is not; the stub wants run in x16. */
static void out_if(struct a64 *e, bool wide, u8 reg, bool zero)
{
	if (e->out->returns) {
		put(e, zero ? a64_cbnz(wide, reg, 8) : a64_cbz(wide, reg, 8));
		a64_branch(e, (s32)e->ir->n_blocks);
		return;
	}
	put(e, zero ? a64_cbnz(wide, reg, 12) : a64_cbz(wide, reg, 12));
	if (loc_is_slot(e->where->run))
		a64_run(e, X16);
	else
		a64_mov(e, X16, a64_run(e, X16));
	put(e, a64_b((s32)(e->out->way_out - e->out->len)));
}

static void check(struct a64 *e)
{
	put(e, a64_access_imm(load32, X17, a64_run(e, X16), offsetof(struct run, err)));
	out_if(e, false, X17, false);
}

/* ---- kinds of calls ---- */

/* The callee may have ended in another program: this one runs again. */
static void running_again(struct a64 *e)
{
	if (!e->out->tail_calls)
		return;
	a64_address(e, X16, &(struct native_reloc){.kind = NATIVE_PROG});
	put(e, a64_access_imm(store64, X16, a64_run(e, X17), offsetof(struct run, prog)));
	put(e,
	    a64_access_imm(load64, X17, a64_run(e, X17), offsetof(struct run, engine)));
	a64_address(e, X16, &(struct native_reloc){.kind = NATIVE_IMAGE});
	put(e, a64_access_imm(store64, X16, X17, offsetof(struct jit_run, image)));
}

/* Branches, as yet to nowhere, to one place further down. */
struct leaps {
	u32 from[8];
	u32 n;
};

static void leap(struct a64 *e, struct leaps *leaps, u32 branch)
{
	leaps->from[leaps->n++] = e->out->len;
	put(e, branch);
}

static void land(struct a64 *e, const struct leaps *leaps)
{
	for (u32 i = 0; i < leaps->n; i++)
		a64_land(e, leaps->from[i]);
}

static void load(struct a64 *e, u8 to, u8 from, size_t off)
{
	put(e, a64_access_imm(load64, to, from, (s32)off));
}

enum { X2 = 2, X3, X4, X5 };

static void load_page(struct a64 *e, u8 to, const struct ir_insn *insn, size_t field)
{
	load(e, to, X1, (size_t)page_off(insn, field));
}

/* x3: what the page in x1 makes of the counter.  That is read behind the page, and so
 * behind any load that acquired what another thread said the time was: a branch on what
 * was loaded, and ISB, are such a border. */
static void read_page(struct a64 *e, const struct ir_insn *insn, struct leaps *over)
{
	const struct a64_regs r = {true, X3, X3, X4};

	load_page(e, X5, insn, offsetof(struct clock_page, span));
	leap(e, over, a64_cbz(true, X5, 0));
	put(e, a64_isb());
	put(e, a64_counter(X3));
	load_page(e, X4, insn, offsetof(struct clock_page, base));
	put(e, a64_rrr(A64_SUB, r));
	put(e, a64_rrr(A64_SUBS, (struct a64_regs){true, A64_ZR, X3, X5}));
	leap(e, over, a64_b_cond(A64_HS, 0));
	load_page(e, X4, insn, offsetof(struct clock_page, slope));
	put(e, a64_madd(r, A64_ZR));
	put(e, a64_shift_imm(A64_LSR, r, 32));
	load_page(e, X4, insn, offsetof(struct clock_page, ns));
	put(e, a64_rrr(A64_ADD, r));
}

static void call_body(struct a64 *e, const struct ir_insn *insn)
{
	call_address(e, &(struct native_reloc){
				.kind = IR_HELPER, .index = insn->a, .value = insn->imm});
}

/* What anchor_read() does while the line is good, else the call. */
static void call_clock(struct a64 *e, const struct ir_insn *insn)
{
	const u32 end = (u32)page_off(insn, offsetof(struct clock_page, end));
	struct leaps over = {.n = 0}, done = {.n = 0};

	load(e, X1, X0, offsetof(struct run, world));
	put(e, a64_add_imm(A64_ADD, (struct a64_regs){true, X2, X1, 0}, end));
	put(e, a64_ordered(A64_LDAR, 64, (struct a64_regs){true, X2, X2, 0}));
	read_page(e, insn, &over);
	put(e, a64_dmb_ishld());
	load_page(e, X4, insn, offsetof(struct clock_page, begin));
	put(e, a64_rrr(A64_SUBS, (struct a64_regs){true, A64_ZR, X4, X2}));
	leap(e, &over, a64_b_cond(A64_NE, 0));
	a64_mov(e, X0, X3);
	leap(e, &done, a64_b(0));
	land(e, &over);
	call_body(e, insn);
	land(e, &done);
}

static void call_helper(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);

	arguments(e, insn);
	if (insn->row >= IR_CALL_CLOCK)
		call_clock(e, insn);
	else
		call_body(e, insn);
	if (insn->row == IR_CALL_ANY)
		check(e);
	result(e, v);
}

static void call_local(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);

	arguments(e, insn);
	native_reloc(e->out, &(struct native_reloc){.off = e->out->len,
						    .kind = NATIVE_CALL_FUNC,
						    .index = (u32)insn->imm});
	put(e, a64_bl(0));
	if (e->out->tail_calls)
		check(e);
	running_again(e);
	result(e, v);
}

/* x16 = the value, before the arguments overwrite it */
static void callx(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);

	a64_mov(e, X17, a64_use(e, insn->a, X17));
	put(e, a64_access_imm(store64, X17, A64_SP, kept_off(e, MAX_ARGS)));
	arguments(e, insn);
	keep_arguments(e);
	put(e, a64_access_imm(load64, 1, A64_SP, kept_off(e, MAX_ARGS)));
	call_routine(e, JIT_CALLX);
	out_if(e, true, X0, true);
	a64_mov(e, X17, X0);
	take_arguments(e);
	a64_mov(e, X0, a64_run(e, X0));
	put(e, a64_blr(X17));
	check(e); /* it may have been a helper */
	running_again(e);
	result(e, v);
}

/* What a tail call has at hand, beside its arguments: nothing else is alive. */
enum { X6 = 6, X7, X8 };

static void store(struct a64 *e, u8 reg, u8 to, size_t off)
{
	put(e, a64_access_imm(store64, reg, to, (s32)off));
}

static void compare32(struct a64 *e, u8 a, u8 b)
{
	put(e, a64_rrr(A64_SUBS, (struct a64_regs){false, A64_ZR, a, b}));
}

/* x16: what is in the slot of the array in x2 that w3 says.  The load acquires, as that
 * of map_prog() does: what was written before the program was put there is seen by it,
 * also where none of its addresses comes from the slot. */
static void load_slot(struct a64 *e, struct leaps *stay)
{
	const struct a64_regs slot = {true, X16, X16, X3};

	put(e, a64_access_imm(load32, X16, X2, offsetof(struct map, max_entries)));
	compare32(e, X3, X16);
	leap(e, stay, a64_b_cond(A64_HS, 0));
	load(e, X16, X2, map_ref_layout.refs);
	put(e, a64_add_uxtw(A64_ADD, slot, 3));
	put(e, a64_add_imm(A64_ADD, slot, map_ref_layout.slots));
	put(e, a64_ordered(A64_LDAR, 64, slot));
	leap(e, stay, a64_cbz(true, X16, 0));
}

/* x16: the image there, x17: where it starts; x6: run->engine, w7: its count. */
static void find_program(struct a64 *e, u32 type, struct leaps *stay)
{
	load(e, X6, X0, offsetof(struct run, engine));
	put(e, a64_access_imm(load32, X7, X6, offsetof(struct jit_run, tail_calls)));
	put(e, a64_add_imm(A64_SUBS, (struct a64_regs){false, A64_ZR, X7, 0},
			   MAX_TAIL_CALLS));
	leap(e, stay, a64_b_cond(A64_HS, 0));
	load_slot(e, stay);
	load(e, X16, X16, map_ref_layout.object);
	put(e, a64_access_imm(load32, X17, X16, offsetof(struct image, type)));
	a64_const(e, X8, type);
	compare32(e, X17, X8);
	leap(e, stay, a64_b_cond(A64_NE, 0));
	load(e, X17, X16, offsetof(struct image, entry));
	leap(e, stay, a64_cbz(true, X17, 0));
}

/* What jit.c's tail_call() does, where R2 is known to be an array: the slot is read once,
 * and whoever changes it meanwhile keeps what was there. */
static void tail_call_here(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	struct leaps stay = {.n = 0};

	arguments(e, insn);
	find_program(e, (u32)insn->imm, &stay);
	put(e, a64_add_imm(A64_ADD, (struct a64_regs){false, X7, X7, 0}, 1));
	put(e, a64_access_imm(store32, X7, X6, offsetof(struct jit_run, tail_calls)));
	store(e, X16, X6, offsetof(struct jit_run, image));
	load(e, X16, X16, offsetof(struct image, prog));
	store(e, X16, X0, offsetof(struct run, prog));
	a64_epilogue(e);
	put(e, a64_br(X17)); /* through x17 a BTI C lets jumps in */
	land(e, &stay);
	put(e, a64_movn(true, X0, ENOENT - 1, 0));
	result(e, v);
}

/* When nobody is there, R0 is -ENOENT and the program goes on. */
static void tail_call(struct a64 *e, u32 v)
{
	struct leaps stay = {.n = 0};

	if (value(e, v)->row) {
		tail_call_here(e, v);
		return;
	}
	arguments(e, value(e, v));
	keep_arguments(e);
	a64_mov(e, X1, X2);
	a64_mov(e, X2, X3);
	call_routine(e, JIT_TAIL_CALL);
	leap(e, &stay, a64_cbz(true, X0, 0));
	a64_mov(e, X17, X0);
	take_arguments(e);
	a64_mov(e, X0, a64_run(e, X0));
	a64_epilogue(e);
	put(e, a64_br(X17));
	land(e, &stay);
	put(e, a64_movn(true, X0, ENOENT - 1, 0));
	result(e, v);
}

static void ld_packet(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	u64 off = (u32)insn->imm;
	struct leaps over = {.n = 0};

	if (insn->a) {
		u8 a = a64_use(e, insn->a, X16);

		a64_const(e, X17, off);
		put(e, a64_rrr(A64_ADD, (struct a64_regs){false, 1, a, X17}));
	} else {
		a64_const(e, 1, off);
	}
	a64_const(e, 2, insn->width / 8);
	put(e, a64_add_imm(A64_ADD, (struct a64_regs){true, 3, A64_SP, 0},
			   (u32)kept_off(e, 0)));
	a64_mov(e, X0, a64_run(e, X0));
	call_routine(e, JIT_LD_PACKET);
	leap(e, &over, a64_cbnz(true, X0, 0));
	a64_return_zero(e);
	land(e, &over);
	put(e, a64_access_imm(load64, X0, A64_SP, kept_off(e, 0)));
	result(e, v);
}

void a64_emit_call(struct a64 *e, u32 v)
{
	switch ((int)value(e, v)->op) {
	case IR_CALL: call_helper(e, v); break;
	case IR_CALL_LOCAL: call_local(e, v); break;
	case IR_CALLX: callx(e, v); break;
	case IR_TAIL_CALL: tail_call(e, v); break;
	case IR_LD_PACKET: ld_packet(e, v); break;
	default: check(e); break;
	}
}

/* ---- stubs ---- */

enum { STUB_FRAME = 128, STUB_OLD = 96, STUB_ENGINE = 104 };

/* x19 to x28 and the frame record. */
static void stub_saved(struct native *out, enum a64_pair op)
{
	for (u32 reg = X19; reg < A64_FP; reg += 2)
		native_u32(out, a64_pair(op,
					 (struct a64_regs){true, (u8)reg, A64_SP,
							   (u8)(reg + 1)},
					 (s32)(16 + (reg - X19) * 8)));
	native_u32(out, a64_pair(op, (struct a64_regs){true, A64_FP, A64_SP, A64_LR}, 0));
}

/* jit_enter(run, r1 .. r5, function): way_out is kept in the frame, the engine's own
 * state beside it.  The way out comes with run in x16. */
void a64_begin(struct native *out)
{
	const struct a64_access load = load64, store = store64;
	s32 engine = offsetof(struct run, engine), way_out;
	u32 back;

	way_out = offsetof(struct jit_run, way_out);
	native_u32(out, a64_bti(true, false));
	native_u32(out, a64_add_imm(A64_SUB, (struct a64_regs){true, A64_SP, A64_SP, 0},
				    STUB_FRAME));
	stub_saved(out, A64_STP);
	native_u32(out,
		   a64_add_imm(A64_ADD, (struct a64_regs){true, A64_FP, A64_SP, 0}, 0));
	native_u32(out, a64_access_imm(load, X16, X0, engine));
	native_u32(out, a64_access_imm(load, X17, X16, way_out));
	native_u32(out, a64_access_imm(store, X17, A64_SP, STUB_OLD));
	native_u32(out, a64_access_imm(store, X16, A64_SP, STUB_ENGINE));
	native_u32(out, a64_access_imm(store, A64_FP, X16, way_out));
	native_u32(out, a64_blr(6));
	back = out->len;
	native_u32(out, a64_access_imm(load, X16, A64_SP, STUB_ENGINE));
	native_u32(out, a64_access_imm(load, X17, A64_SP, STUB_OLD));
	native_u32(out, a64_access_imm(store, X17, X16, way_out));
	stub_saved(out, A64_LDP);
	native_u32(out, a64_add_imm(A64_ADD, (struct a64_regs){true, A64_SP, A64_SP, 0},
				    STUB_FRAME));
	native_u32(out, a64_ret());

	out->way_out = out->len;
	native_u32(out, a64_access_imm(load, X16, X16, engine));
	native_u32(out, a64_access_imm(load, X17, X16, way_out));
	native_u32(out, a64_add_imm(A64_ADD, (struct a64_regs){true, A64_SP, X17, 0}, 0));
	native_u32(out, a64_movz(true, X0, 0, 0));
	native_u32(out, a64_b((s32)(back - out->len)));
}
