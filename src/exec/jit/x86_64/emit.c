/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function of a program as x86-64 code: prologue, blocks in order, what stands behind
 * them.  One pass over the instructions; flow.c then shortens jumps.
 */
#include <assert.h>
#include <errno.h>

#include "exec/jit/x86_64/emit.h"

static bool is_unused(const struct emitter *m, u32 number)
{
	const struct ir_insn *insn = insn_of(m, number);
	u8 effect = ir_ops[insn->op].effect;

	return insn->flags & IR_FUSED || ((effect == IR_PURE || effect == IR_READ) &&
					  m->where->loc[number] == LOC_NONE);
}

static void emit_insn(struct emitter *m, u32 number)
{
	const struct ir_insn *insn = insn_of(m, number);

	m->insn_at = (u32)(m->e.at - m->out->code);
	switch ((enum ir_op)insn->op) {
	case IR_CONST:
	case IR_ADDR:
	case IR_FRAME: put_result(m, number); return;
	case IR_ALU: x86_emit_alu(m, insn); return;
	case IR_ROTL: x86_emit_rotl(m, insn); return;
	case IR_SWAP: x86_emit_swap(m, insn); return;
	case IR_MULH: x86_emit_mulh(m, insn); return;
	case IR_COUNT: x86_emit_count(m, insn); return;
	case IR_CMP: x86_emit_cmp(m, insn); return;
	case IR_SELECT: x86_emit_select(m, insn); return;
	case IR_LOAD: x86_emit_load(m, insn); return;
	case IR_STORE: x86_emit_store(m, insn); return;
	case IR_LOAD_ACQ: x86_emit_load_acq(m, insn); return;
	case IR_STORE_REL: x86_emit_store_rel(m, insn); return;
	case IR_ATOMIC: x86_emit_atomic(m, insn); return;
	case IR_LD_PACKET: x86_emit_ld_packet(m, insn); return;
	case IR_CALL: x86_emit_call(m, insn); return;
	case IR_CALL_LOCAL: x86_emit_call_local(m, insn); return;
	case IR_CALLX: x86_emit_callx(m, insn); return;
	case IR_TAIL_CALL: x86_emit_tail_call(m, insn); return;
	case IR_CHECK: x86_emit_check(m); return;
	case IR_RUN:
	case IR_PARAM: /* the prologue's */
	case IR_NOP:
	case IR_PHI:
	case IR_GOTO: /* the end of a block */
	case IR_JMP:
	case IR_EXIT:
	case IR_OPS: return;
	}
}

/* run and R1 to R5 from where they arrive to where they live. */
static void emit_parameters(struct emitter *m)
{
	const struct ir_block *first = &m->ir->blocks[0];
	struct move moves[2 + MAX_ARGS];
	u32 n = 0, seen = 0;

	if (m->where->run != LOC_NONE)
		moves[n++] = (struct move){m->where->run, RDI, 0};
	for (u32 i = first->start; i < first->end; i++) {
		const struct ir_insn *insn = insn_of(m, i);
		s16 home = m->where->loc[i];

		if (insn->op != IR_PARAM || home == LOC_NONE || seen & 1u << insn->imm)
			continue;
		seen |= 1u << insn->imm;
		moves[n++] = (struct move){home, machine_x86_64.params[insn->imm], i};
	}
	make_moves(m, moves, n);
}

/* What the block computes.  again: behind itself, where CHECKs have just been made. */
static void emit_insns(struct emitter *m, const struct ir_block *b, bool again)
{
	for (u32 i = b->start; i + 1 < b->end; i++) {
		const struct ir_insn *insn = insn_of(m, i);

		if (insn->op == IR_NOP || is_unused(m, i) ||
		    (again && insn->op == IR_CHECK))
			continue;
		make_room(m);
		native_line(m->out, insn->pc);
		emit_insn(m, i);
		release_scratch(m);
		if (ir_ops[insn->op].effect == IR_WRITE && insn->op != IR_STORE)
			forget_held(m);
	}
}

static void emit_end(struct emitter *m, u32 block, u32 next)
{
	make_room(m);
	native_line(m->out, insn_of(m, m->ir->blocks[block].end - 1)->pc);
	flow_end_block(m, block, next);
	release_scratch(m);
}

static void emit_block(struct emitter *m, struct laid laid, u32 next)
{
	const struct ir_block *b = &m->ir->blocks[laid.block];
	u32 end, loop;

	make_room(m);
	flow_begin_block(m, laid);
	emit_insns(m, b, false);
	if (x86_is_twice(m->ir, laid.block)) {
		emit_end(m, laid.block, laid.block);
		flow_forget(m);
		emit_insns(m, b, true);
	}
	if (!x86_find_end(m->ir, laid.block, &end, &loop)) {
		emit_end(m, laid.block, next);
		return;
	}
	make_room(m);
	flow_to(m, laid.block);
	emit_insns(m, &m->ir->blocks[end], false);
	emit_end(m, end, loop);
	flow_forget(m);
	emit_insns(m, &m->ir->blocks[loop], false);
	emit_end(m, loop, UINT32_MAX);
}

/* Behind the blocks: moves of edges, and the ways to leave. */
static void emit_tail(struct emitter *m)
{
	flow_stubs(m);
	make_room(m);
	flow_label(m, label_zero(m));
	if (m->leaves_with_zero) {
		x86_zero(&m->e, RAX);
		x86_emit_epilogue(m);
		x86_ret(&m->e);
	}
	flow_label(m, label_out(m));
	if (m->where->run != LOC_NONE && !m->out->returns) {
		put_place(m, RDI, m->where->run);
		flow_way_out(m);
	}
}

static void pad_start(struct emitter *m)
{
	enum { ENTRY_ALIGNMENT = 16 };

	make_room(m);
	x86_nops(&m->e, -(u32)(m->e.at - m->out->code) & (ENTRY_ALIGNMENT - 1));
	m->start = (u32)(m->e.at - m->out->code);
}

int x86_emit(const struct ir *ir, const struct allocation *where, struct native *out)
{
	struct emitter m = {.ir = ir,
			    .where = where,
			    .out = out,
			    .features = out->features,
			    .e.at = out->code + out->len};
	u32 first_reloc = out->n_relocs, first_line = out->n_lines;
	const struct laid *laid = x86_lay_out(ir);

	if (!laid || flow_begin(&m))
		return -ENOMEM;
	pad_start(&m);
	x86_emit_prologue(&m);
	emit_parameters(&m);
	for (u32 i = 0; i < ir->n_blocks; i++)
		emit_block(&m, laid[i], laid[i + 1].block);
	emit_tail(&m);
	flow_finish(&m, first_reloc, first_line);
	if (m.failed)
		return -ENOMEM;
	out->len = (u32)(m.e.at - out->code);
	out->functions[ir->function].start = m.start;
	out->functions[ir->function].size = out->len - m.start;
	return 0;
}
