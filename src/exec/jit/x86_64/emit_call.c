/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls, and what a function does at its start and end.  All calls are those of the
 * platform's ABI: run in RDI, R1 to R5 behind it, the answer in RAX.
 */
#include <assert.h>
#include <errno.h>

#include "exec/image.h"
#include "exec/jit/jit.h"
#include "exec/jit/x86_64/emit.h"
#include "maps/map.h"

enum { RUN_ERR = offsetof(struct run, err), RUN_ENGINE = offsetof(struct run, engine) };
enum { RED_ZONE = 128 };

static bool is_saved(u32 used, u8 reg)
{
	return used & 1u << reg && (reg == RBX || reg == RBP || (reg >= XR12));
}

/* ---- prologue and epilogue ---- */

/* BPF's stack lies at the top, slots below it, the words for calls at the bottom.  What
 * calls nobody may leave them all below the stack pointer. */
static void lay_out_frame(struct emitter *m)
{
	const struct ir *ir = m->ir;
	bool keeps_args = false;
	u32 pushed = 0, size;

	for (u32 i = 0; i < ir->n_insns; i++)
		keeps_args |= calls_with_room(&ir->insns[i]);
	for (u8 reg = 0; reg < 16; reg++)
		if (is_saved(m->where->used, reg)) {
			m->saved |= 1u << reg;
			pushed += 8;
		}
	size = ir->stack_size + 8 * m->where->n_slots +
	       (keeps_args ? 8 * (1 + MAX_ARGS) : 0);
	size = (u32)round_up(size, 8);
	if (ir->calls || keeps_args)
		size += (8 + pushed + size) % 16;
	m->local = ir->calls || keeps_args || size > RED_ZONE ? size : 0;
	m->frame = (s32)m->local;
	m->slots = m->frame - (s32)ir->stack_size - 8;
	m->spare = 0;
	m->out->functions[ir->function].frame = 8 + pushed + m->local;
	m->out->functions[ir->function].saved = m->saved;
}

void x86_emit_prologue(struct emitter *m)
{
	lay_out_frame(m);
	if (m->out->harden & JIT_BRANCH_TARGETS)
		x86_endbr(&m->e);
	for (u8 reg = 0; reg < 16; reg++)
		if (m->saved & 1u << reg)
			x86_push(&m->e, reg);
	if (m->local)
		x86_alu_i(&m->e, X86_SUB, 64, x86_reg(RSP), (s32)m->local);
	m->out->functions[m->ir->function].body =
		(u32)(m->e.at - m->out->code) - m->start;
}

void x86_emit_epilogue(struct emitter *m)
{
	if (m->local)
		x86_alu_i(&m->e, X86_ADD, 64, x86_reg(RSP), (s32)m->local);
	for (u8 reg = 15; reg < 16; reg--)
		if (m->saved & 1u << reg)
			x86_pop(&m->e, reg);
}

/* ---- arguments ---- */

static u32 add_move(struct emitter *m, u32 n, u8 to, u32 value)
{
	s16 from = m->where->loc[value];

	m->moves[n] = (struct move){.to = to, .from = from, .value = value};
	return n + 1;
}

/* run and the arguments to where they are wanted, in any order that works. */
static void put_arguments(struct emitter *m, const struct ir_insn *insn, u32 extra,
			  u8 extra_to)
{
	const u8 *params = machine_x86_64.params;
	u32 n = 0;

	m->moves[n++] = (struct move){.to = params[0], .from = m->where->run};
	for (u32 i = 0; i < insn->n_args; i++)
		if (m->ir->args[insn->aux + i])
			n = add_move(m, n, params[1 + i], m->ir->args[insn->aux + i]);
	if (extra)
		n = add_move(m, n, extra_to, extra);
	make_moves(m, m->moves, n);
}

/* ---- calls ---- */

static void call_address(struct emitter *m, const struct native_reloc *to)
{
	put_address(m, RAX, to);
	x86_call(&m->e, x86_reg(RAX));
}

static void call_routine(struct emitter *m, enum jit_routine routine)
{
	call_address(m, &(struct native_reloc){.kind = NATIVE_ROUTINE, .index = routine});
}

/* A register with run, after a call. */
static u8 run_register(struct emitter *m)
{
	if (m->where->run >= 0)
		return (u8)m->where->run;
	x86_load(&m->e, 64, XR11, place_of(m, m->where->run));
	return XR11;
}

/* Where a run that must end goes. */
static u32 leaving(struct emitter *m)
{
	m->leaves_with_zero |= m->out->returns;
	return m->out->returns ? label_zero(m) : label_out(m);
}

/* Behind a call: has it ended the run? */
static void look_at_err(struct emitter *m)
{
	x86_alu_i(&m->e, X86_CMP, 32, x86_at(run_register(m), RUN_ERR), 0);
	flow_jump(m, CC_NE, leaving(m));
}

/* Not run->err: memory and an immediate are compared in two operations, with the jump
 * three.  Memory and a register are one, the jump included. */
static void compare_going(struct emitter *m)
{
	u32 start = (u32)(m->e.at - m->out->code);
	u8 run = run_register(m);

	x86_alu_m(&m->e, X86_CMP, 64, x86_at(run, offsetof(struct run, going)), run);
	m->pair = (u32)(m->e.at - m->out->code) - start;
}

void x86_emit_check(struct emitter *m)
{
	compare_going(m);
	flow_jump(m, CC_NE, leaving(m));
}

/* Jumps to one place a few bytes further down. */
struct leaps {
	u8 *from[8];
	u32 n;
};

static void leap(struct emitter *m, struct leaps *leaps, u32 cc)
{
	x86_jcc8(&m->e, cc, 0);
	leaps->from[leaps->n++] = m->e.at;
}

static void land(struct emitter *m, const struct leaps *leaps)
{
	for (u32 i = 0; i < leaps->n; i++) {
		assert(m->e.at - leaps->from[i] <= INT8_MAX);
		leaps->from[i][-1] = (u8)(m->e.at - leaps->from[i]);
	}
}

static void call_helper(struct emitter *m, const struct ir_insn *insn)
{
	call_address(m, &(struct native_reloc){
				.kind = IR_HELPER, .index = insn->a, .value = insn->imm});
}

static struct x86_rm in_page(const struct ir_insn *insn, size_t field)
{
	return x86_at(RCX, page_off(insn, field));
}

/* What anchor_read() does while the line is good, else the call.  RDTSC waits, by LFENCE,
 * for what has told the program what time it is; loads stay in order by themselves. */
static void emit_clock(struct emitter *m, const struct ir_insn *insn)
{
	struct leaps over = {.n = 0}, done = {.n = 0};

	put_arguments(m, insn, 0, 0);
	x86_load(&m->e, 64, RCX, x86_at(RDI, offsetof(struct run, world)));
	x86_load(&m->e, 64, RSI, in_page(insn, offsetof(struct clock_page, end)));
	x86_load(&m->e, 64, XR8, in_page(insn, offsetof(struct clock_page, span)));
	x86_test_r(&m->e, 64, x86_reg(XR8), XR8);
	leap(m, &over, CC_E);
	x86_lfence(&m->e);
	x86_rdtsc(&m->e);
	x86_shift_i(&m->e, X86_SHL, 64, x86_reg(RDX), 32);
	x86_alu_r(&m->e, X86_OR, 64, RAX, x86_reg(RDX));
	x86_alu_r(&m->e, X86_SUB, 64, RAX,
		  in_page(insn, offsetof(struct clock_page, base)));
	x86_alu_r(&m->e, X86_CMP, 64, RAX, x86_reg(XR8));
	leap(m, &over, CC_AE);
	x86_imul_r(&m->e, 64, RAX, in_page(insn, offsetof(struct clock_page, slope)));
	x86_shift_i(&m->e, X86_SHR, 64, x86_reg(RAX), 32);
	x86_alu_r(&m->e, X86_ADD, 64, RAX,
		  in_page(insn, offsetof(struct clock_page, ns)));
	x86_alu_r(&m->e, X86_CMP, 64, RSI,
		  in_page(insn, offsetof(struct clock_page, begin)));
	leap(m, &done, CC_E);
	land(m, &over);
	call_helper(m, insn);
	land(m, &done);
}

void x86_emit_call(struct emitter *m, const struct ir_insn *insn)
{
	if (insn->row >= IR_CALL_CLOCK) {
		emit_clock(m, insn);
	} else {
		put_arguments(m, insn, 0, 0);
		call_helper(m, insn);
	}
	if (insn->row == IR_CALL_ANY)
		look_at_err(m);
	finish(m, insn, RAX);
}

/* Who was called may have ended in another program: ours is the running one again, unless
 * that one ended the run (jit.c: call_program). */
static void restore_program(struct emitter *m)
{
	u8 run;

	if (!m->out->tail_calls)
		return;
	run = run_register(m);
	put_address(m, RCX, &(struct native_reloc){.kind = NATIVE_PROG});
	x86_store(&m->e, 64, x86_at(run, offsetof(struct run, prog)), RCX);
	x86_load(&m->e, 64, RDX, x86_at(run, RUN_ENGINE));
	put_address(m, RCX, &(struct native_reloc){.kind = NATIVE_IMAGE});
	x86_store(&m->e, 64, x86_at(RDX, offsetof(struct jit_run, image)), RCX);
}

void x86_emit_call_local(struct emitter *m, const struct ir_insn *insn)
{
	struct native_reloc reloc = {.kind = NATIVE_CALL_FUNC, .index = (u32)insn->imm};

	put_arguments(m, insn, 0, 0);
	reloc.off = (u32)(m->e.at - m->out->code) + 1;
	x86_call32(&m->e, 0);
	native_reloc(m->out, &reloc);
	if (m->out->tail_calls)
		look_at_err(m);
	restore_program(m);
	finish(m, insn, RAX);
}

/* run and R1 to R5 survive a call in between. */
static void keep_arguments(struct emitter *m)
{
	for (u32 i = 0; i <= MAX_ARGS; i++)
		x86_store(&m->e, 64, x86_at(RSP, m->spare + 8 * (s32)i),
			  machine_x86_64.params[i]);
}

static void take_arguments(struct emitter *m)
{
	for (u32 i = 0; i <= MAX_ARGS; i++)
		x86_load(&m->e, 64, machine_x86_64.params[i],
			 x86_at(RSP, m->spare + 8 * (s32)i));
}

void x86_emit_callx(struct emitter *m, const struct ir_insn *insn)
{
	put_arguments(m, insn, insn->a, RAX);
	keep_arguments(m);
	x86_move(&m->e, 64, RSI, RAX);
	call_routine(m, JIT_CALLX);
	x86_test_r(&m->e, 64, x86_reg(RAX), RAX);
	flow_jump(m, CC_E, label_out(m));
	take_arguments(m);
	x86_call(&m->e, x86_reg(RAX));
	look_at_err(m);
	restore_program(m);
	finish(m, insn, RAX);
}

/* RAX: the image in the slot of the array in RDX that ECX says; R10: run->engine. */
static void find_program(struct emitter *m, const struct ir_insn *insn,
			 struct leaps *stay)
{
	const s32 slots = (s32)map_ref_layout.slots;

	x86_load(&m->e, 64, XR10, x86_at(RDI, RUN_ENGINE));
	x86_alu_r(&m->e, X86_CMP, 32, RCX,
		  x86_at(RDX, offsetof(struct map, max_entries)));
	leap(m, stay, CC_AE);
	x86_alu_i(&m->e, X86_CMP, 32, x86_at(XR10, offsetof(struct jit_run, tail_calls)),
		  MAX_TAIL_CALLS);
	leap(m, stay, CC_AE);
	x86_load(&m->e, 64, RAX, x86_at(RDX, (s32)map_ref_layout.refs));
	x86_move(&m->e, 32, XR11, RCX);
	x86_load(&m->e, 64, RAX, (struct x86_rm){X86_NONE, RAX, XR11, 3, slots});
	x86_test_r(&m->e, 64, x86_reg(RAX), RAX);
	leap(m, stay, CC_E);
	x86_load(&m->e, 64, RAX, x86_at(RAX, (s32)map_ref_layout.object));
	x86_alu_i(&m->e, X86_CMP, 32, x86_at(RAX, offsetof(struct image, type)),
		  (s32)insn->imm);
	leap(m, stay, CC_NE);
}

/* What jit.c's tail_call() does, where R2 is known to be an array: the slot is read once,
 * and whoever changes it meanwhile keeps what was there. */
static void tail_call_here(struct emitter *m, const struct ir_insn *insn)
{
	struct leaps stay = {.n = 0};

	put_arguments(m, insn, 0, 0);
	find_program(m, insn, &stay);
	x86_load(&m->e, 64, XR11, x86_at(RAX, offsetof(struct image, entry)));
	x86_test_r(&m->e, 64, x86_reg(XR11), XR11);
	leap(m, &stay, CC_E);
	x86_alu_i(&m->e, X86_ADD, 32, x86_at(XR10, offsetof(struct jit_run, tail_calls)),
		  1);
	x86_store(&m->e, 64, x86_at(XR10, offsetof(struct jit_run, image)), RAX);
	x86_load(&m->e, 64, RAX, x86_at(RAX, offsetof(struct image, prog)));
	x86_store(&m->e, 64, x86_at(RDI, offsetof(struct run, prog)), RAX);
	x86_emit_epilogue(m);
	x86_jmp(&m->e, x86_reg(XR11));
	land(m, &stay);
	x86_move_i(&m->e, RAX, (u64)-ENOENT);
	finish(m, insn, RAX);
}

void x86_emit_tail_call(struct emitter *m, const struct ir_insn *insn)
{
	u8 *stay;

	if (insn->row) {
		tail_call_here(m, insn);
		return;
	}
	put_arguments(m, insn, 0, 0);
	keep_arguments(m);
	x86_move(&m->e, 64, RSI, RDX);
	x86_move(&m->e, 64, RDX, RCX);
	call_routine(m, JIT_TAIL_CALL);
	x86_test_r(&m->e, 64, x86_reg(RAX), RAX);
	x86_jcc8(&m->e, CC_E, 0);
	stay = m->e.at;
	take_arguments(m);
	x86_emit_epilogue(m);
	x86_jmp(&m->e, x86_reg(RAX));
	stay[-1] = (u8)(m->e.at - stay);
	x86_move_i(&m->e, RAX, (u64)-ENOENT);
	finish(m, insn, RAX);
}

static void add_offset(struct emitter *m, u8 reg, s32 imm)
{
	if (x86_is_blinded(imm, m->features)) {
		put_const(m, RDX, (u64)(s64)imm);
		x86_alu_r(&m->e, X86_ADD, 32, reg, x86_reg(RDX));
	} else if (imm) {
		x86_alu_i(&m->e, X86_ADD, 32, x86_reg(reg), imm);
	}
}

void x86_emit_ld_packet(struct emitter *m, const struct ir_insn *insn)
{
	/* the first spare word is where the value comes */
	if (insn->a) {
		put_value(m, RSI, insn->a);
		add_offset(m, RSI, (s32)insn->imm);
	} else {
		put_const(m, RSI, (u64)insn->imm);
	}
	put_place(m, RDI, m->where->run);
	x86_move_i(&m->e, RDX, insn->width / 8);
	x86_lea(&m->e, 64, RCX, x86_at(RSP, m->spare));
	call_routine(m, JIT_LD_PACKET);
	x86_test_r(&m->e, 64, x86_reg(RAX), RAX);
	m->leaves_with_zero = true;
	flow_jump(m, CC_E, label_zero(m));
	x86_load(&m->e, 64, RAX, x86_at(RSP, m->spare));
	finish(m, insn, RAX);
}
