/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function's code: frame, places of values, blocks, branches.  Every instruction has
 * four bytes, so forward branches are patched when all is written; edges that need moves
 * and cannot be fallen through get their moves behind the function.
 */
#include <errno.h>
#include <stddef.h>

#include "exec/jit/aarch64/a64.h"
#include "exec/jit/jit.h"

/* ---- constants and places ---- */

void a64_mov(struct a64 *e, u8 to, u8 from)
{
	if (to != from)
		put(e, a64_rrr(A64_ORR, (struct a64_regs){true, to, A64_ZR, from}));
}

/* MOVZ or MOVN for the first part that is not filler, MOVK for the others. */
static void put_const(struct a64 *e, u8 to, u64 value, bool wide)
{
	u32 ones = 0, zeros = 0, parts = wide ? 4 : 2;
	bool inverted, first = true;

	for (u32 hw = 0; hw < parts; hw++) {
		zeros += !(u16)(value >> 16 * hw);
		ones += (u16)(value >> 16 * hw) == 0xffff;
	}
	inverted = ones > zeros;
	for (u32 hw = 0; hw < parts; hw++) {
		u16 part = (u16)(value >> 16 * hw);

		if (part == (inverted ? 0xffff : 0) && !(first && hw == parts - 1))
			continue;
		if (!first)
			put(e, a64_movk(wide, to, part, hw));
		else if (inverted)
			put(e, a64_movn(wide, to, (u16)~part, hw));
		else
			put(e, a64_movz(wide, to, part, hw));
		first = false;
	}
}

void a64_const(struct a64 *e, u8 to, u64 value)
{
	bool wide = value >> 32 != 0;

	if (value && a64_fits_logical(value, wide))
		put(e, a64_logical_imm(A64_ORR, (struct a64_regs){wide, to, A64_ZR, 0},
				       value));
	else
		put_const(e, to, value, wide);
}

/* Always four instructions: another address may be put there. */
void a64_address(struct a64 *e, u8 to, const struct native_reloc *reloc)
{
	struct native_reloc at = *reloc;

	at.off = e->out->len;
	native_reloc(e->out, &at);
	put(e, a64_movz(true, to, (u16)at.value, 0));
	for (u32 hw = 1; hw < 4; hw++)
		put(e, a64_movk(true, to, (u16)((u64)at.value >> 16 * hw), hw));
}

void a64_add_sp(struct a64 *e, u8 to, u32 off)
{
	struct a64_regs r = {true, to, A64_SP, 0};

	if (off >> 12) {
		put(e, a64_add_imm(A64_ADD, r, off & ~4095u));
		r.rn = to;
	}
	if (off & 4095 || !(off >> 12))
		put(e, a64_add_imm(A64_ADD, r, off & 4095));
}

u32 a64_frame_end(const struct a64 *e)
{
	return e->slots + e->kept + e->stack;
}

static const struct a64_access load64 = {64, true, false}, store64 = {64, false, false};

static s32 slot_off(s16 loc)
{
	return (s32)loc_slot(loc) * 8;
}

void a64_rebuild(struct a64 *e, u32 v, u8 to)
{
	const struct ir_insn *insn = value(e, v);

	if (insn->op == IR_FRAME)
		a64_add_sp(e, to, a64_frame_end(e));
	else if (insn->op == IR_ADDR)
		a64_address(e, to,
			    &(struct native_reloc){.kind = insn->row,
						   .index = insn->aux,
						   .value = insn->imm});
	else
		a64_const(e, to, (u64)insn->imm);
}

u8 a64_use(struct a64 *e, u32 v, u8 scratch)
{
	s16 loc = e->where->loc[v];

	if (loc >= 0)
		return (u8)loc;
	if (loc_is_slot(loc)) {
		put(e, a64_access_imm(load64, scratch, A64_SP, slot_off(loc)));
		return scratch;
	}
	if (value(e, v)->op == IR_CONST && !value(e, v)->imm)
		return A64_ZR;
	a64_rebuild(e, v, scratch);
	return scratch;
}

u8 a64_def(struct a64 *e, u32 v, u8 scratch)
{
	s16 loc = e->where->loc[v];

	return loc >= 0 ? (u8)loc : scratch;
}

void a64_def_end(struct a64 *e, u32 v, u8 reg)
{
	s16 loc = e->where->loc[v];

	if (loc_is_slot(loc))
		put(e, a64_access_imm(store64, reg, A64_SP, slot_off(loc)));
}

/* ---- moves ---- */

static void put_move(void *arg, const struct move *move)
{
	struct a64 *e = arg;
	u8 to = move->to >= 0 ? (u8)move->to : X16;

	if (move->from >= 0 && move->to >= 0) {
		a64_mov(e, to, (u8)move->from);
		return;
	}
	if (move->from >= 0)
		to = (u8)move->from;
	else if (loc_is_slot(move->from))
		put(e, a64_access_imm(load64, to, A64_SP, slot_off(move->from)));
	else
		a64_rebuild(e, move->value, to);
	if (loc_is_slot(move->to))
		put(e, a64_access_imm(store64, to, A64_SP, slot_off(move->to)));
}

static void put_swap(void *arg, s16 a, s16 b)
{
	put_move(arg, &(struct move){.to = X17, .from = a});
	put_move(arg, &(struct move){.to = a, .from = b}); /* by way of x16 */
	put_move(arg, &(struct move){.to = b, .from = X17});
}

u8 a64_run(struct a64 *e, u8 scratch)
{
	if (!loc_is_slot(e->where->run))
		return (u8)e->where->run;
	put(e, a64_access_imm(load64, scratch, A64_SP, slot_off(e->where->run)));
	return scratch;
}

void a64_moves(struct a64 *e, u32 n)
{
	struct move_ops ops = {.arg = e, .move = put_move, .swap = put_swap};

	moves_in_order(e->moves, n, &ops);
}

/* ---- the frame ---- */

enum { CALLEE_SAVED = 0x1ff80000 }; /* x19 to x28 */

static u32 record_bytes(const struct a64 *e)
{
	u32 saved = (u32)__builtin_popcount(e->saved);

	return (e->record ? 16u : 0u) + (saved + (saved & 1)) * 8;
}

/* Pairs of saved registers below the frame record, in order. */
static void put_saved(struct a64 *e, enum a64_pair op)
{
	u32 left = e->saved, at = record_bytes(e) - (e->record ? 16u : 0u);

	while (left) {
		u8 first = (u8)__builtin_ctz(left), second;

		left &= left - 1;
		if (!left) {
			struct a64_access access = op == A64_LDP ? load64 : store64;

			put(e, a64_access_imm(access, first, A64_SP, (s32)at - 8));
			return;
		}
		second = (u8)__builtin_ctz(left);
		left &= left - 1;
		at -= 16;
		/* the first one lies higher */
		put(e, a64_pair(op, (struct a64_regs){true, second, A64_SP, first},
				(s32)at));
	}
}

static void move_sp(struct a64 *e, enum a64_rrr op, u32 by)
{
	struct a64_regs r = {true, A64_SP, A64_SP, 0};

	if (by >> 12)
		put(e, a64_add_imm(op, r, by & ~4095u));
	if (by & 4095)
		put(e, a64_add_imm(op, r, by & 4095));
}

static void prologue(struct a64 *e)
{
	u32 bytes = record_bytes(e);
	struct a64_regs record = {true, A64_FP, A64_SP, A64_LR};

	if (e->out->harden)
		put(e, a64_bti(true, false));
	move_sp(e, A64_SUB, bytes);
	if (e->record) {
		put(e, a64_pair(A64_STP, record, (s32)bytes - 16));
		put(e, a64_add_imm(A64_ADD, (struct a64_regs){true, A64_FP, A64_SP, 0},
				   bytes - 16));
	}
	put_saved(e, A64_STP);
	move_sp(e, A64_SUB, a64_frame_end(e));
	e->function->frame = bytes + a64_frame_end(e);
	e->function->saved = e->saved | (e->record ? 1u << A64_LR : 0);
	e->function->body = e->out->len - e->function->start;
}

void a64_epilogue(struct a64 *e)
{
	u32 bytes = record_bytes(e);
	struct a64_regs record = {true, A64_FP, A64_SP, A64_LR};

	move_sp(e, A64_ADD, a64_frame_end(e));
	put_saved(e, A64_LDP);
	if (e->record)
		put(e, a64_pair(A64_LDP, record, (s32)bytes - 16));
	move_sp(e, A64_ADD, bytes);
}

void a64_return_zero(struct a64 *e)
{
	a64_const(e, X0, 0);
	a64_epilogue(e);
	put(e, a64_ret());
}

/* PARAM and RUN stand where the caller put them until this. */
static void place_params(struct a64 *e)
{
	const struct ir_block *entry = &e->ir->blocks[0];
	s16 run = e->where->run;
	u32 v, n = 0;

	if (run != LOC_NONE && run != X0)
		e->moves[n++] = (struct move){.to = run, .from = X0};
	for (v = entry->start; v < entry->end; v++) {
		const struct ir_insn *insn = value(e, v);
		s16 from, to = e->where->loc[v];

		if (insn->op != IR_PARAM && (insn->op != IR_RUN || to == run))
			continue;
		from = insn->op == IR_RUN ? 0 : (s16)insn->imm;
		if (to != LOC_NONE && to != from)
			e->moves[n++] = (struct move){.to = to, .from = from, .value = v};
	}
	a64_moves(e, n);
}

/* ---- branches ---- */

static void fixup(struct a64 *e, s32 block)
{
	e->fixups[e->n_fixups++] = (struct a64_fixup){e->out->len, block};
}

void a64_branch(struct a64 *e, s32 block)
{
	fixup(e, block);
	put(e, a64_b(0));
}

/* A branch of short range: around a far one where the function is large. */
static void branch_if(struct a64 *e, u32 word, u32 opposite, s32 block)
{
	if (e->far) {
		put(e, opposite | 2u << 5);
		a64_branch(e, block);
		return;
	}
	fixup(e, block);
	put(e, word);
}

static bool is_single_bit(u64 value)
{
	return value && !(value & (value - 1));
}

/* Zero tests have instructions of their own. */
static bool branch_on_zero(struct a64 *e, const struct ir_insn *insn, s32 block,
			   bool want)
{
	const struct ir_insn *b = value(e, insn->b);
	bool wide = insn->width == 64;
	u64 imm = wide ? (u64)b->imm : (u32)b->imm;
	u8 a;

	if (b->op != IR_CONST)
		return false;
	if (insn->row == JMP_JSET && is_single_bit(imm) && e->tests_reach) {
		u32 bit = (u32)__builtin_ctzll(imm);

		a = a64_use(e, insn->a, X16);
		fixup(e, block);
		put(e, want ? a64_tbnz(a, bit, 0) : a64_tbz(a, bit, 0));
		return true;
	}
	if (imm || (insn->row != JMP_JEQ && insn->row != JMP_JNE))
		return false;
	a = a64_use(e, insn->a, X16);
	if ((insn->row == JMP_JEQ) == want)
		branch_if(e, a64_cbz(wide, a, 0), a64_cbnz(wide, a, 0), block);
	else
		branch_if(e, a64_cbnz(wide, a, 0), a64_cbz(wide, a, 0), block);
	return true;
}

/* To block when the JMP is what want says. */
static void conditional(struct a64 *e, const struct ir_insn *insn, s32 block, bool want)
{
	enum a64_cond cond;

	if (branch_on_zero(e, insn, block, want))
		return;
	cond = a64_compare(e, insn);
	if (!want)
		cond = a64_not(cond);
	branch_if(e, a64_b_cond(cond, 0), a64_b_cond(a64_not(cond), 0), block);
}

/* Which of the block's predecessors are we, when we go there by succ[way]? */
static u32 pred_number(const struct a64 *e, u32 to, u32 way)
{
	const struct ir_block *block = &e->ir->blocks[to];
	const s32 *succ = e->ir->blocks[e->block].succ;
	u32 skip = way == 1 && succ[0] == succ[1];

	for (u32 i = 0; i < block->n_preds; i++)
		if (e->ir->preds[block->preds + i] == e->block && !skip--)
			return i;
	return 0; /* never: ir_check() */
}

static u32 edge_moves(struct a64 *e, u32 way)
{
	u32 to = (u32)e->ir->blocks[e->block].succ[way];

	return moves_of_edge(e->ir, e->where, to, pred_number(e, to, way), e->moves);
}

/* Goes on to a successor: its moves here, then there, unless it is what follows. */
static void go_on(struct a64 *e, u32 way)
{
	s32 to = e->ir->blocks[e->block].succ[way];

	a64_moves(e, edge_moves(e, way));
	if (to != (s32)e->block + 1)
		a64_branch(e, to);
}

static void two_ways(struct a64 *e, const struct ir_insn *insn)
{
	const s32 *succ = e->ir->blocks[e->block].succ;
	u32 moves[2] = {edge_moves(e, 0), edge_moves(e, 1)};
	u32 away; /* the one that is branched to */

	/* moves are free of a jump only where one falls through */
	away = moves[0] && !moves[1] ? 1 : 0;
	if (!moves[0] == !moves[1])
		away = succ[0] == (s32)e->block + 1;
	if (!moves[away]) {
		conditional(e, insn, succ[away], away == 0);
	} else {
		u32 to = (u32)succ[away];

		conditional(e, insn, ~(s32)e->n_edges, away == 0);
		e->edges[e->n_edges++] =
			(struct a64_edge){to, pred_number(e, to, away), 0};
	}
	go_on(e, !away);
}

static void emit_end(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);

	if (insn->op == IR_GOTO) {
		go_on(e, 0);
	} else if (insn->op == IR_EXIT) {
		u8 a = a64_use(e, insn->a, X0);

		a64_mov(e, X0, a);
		a64_epilogue(e);
		put(e, a64_ret());
	} else {
		two_ways(e, insn);
	}
}

/* ---- blocks ---- */

static bool is_dead(const struct ir_insn *insn)
{
	return insn->op == IR_NOP || is_fused(insn) ||
	       (!insn->uses && ir_ops[insn->op].effect <= IR_READ);
}

static void emit_insn(struct a64 *e, u32 v)
{
	const struct ir_insn *insn = value(e, v);
	u8 reg;

	native_line(e->out, insn->pc);
	switch ((enum ir_op)insn->op) {
	case IR_CONST:
	case IR_ADDR:
	case IR_FRAME:
		if (e->where->loc[v] == LOC_NONE)
			break;
		reg = a64_def(e, v, X16);
		a64_rebuild(e, v, reg);
		a64_def_end(e, v, reg);
		break;
	case IR_ALU:
	case IR_ROTL:
	case IR_SWAP:
	case IR_MULH:
	case IR_COUNT: a64_emit_alu(e, v); break;
	case IR_CMP: a64_emit_cmp(e, v); break;
	case IR_SELECT: a64_emit_select(e, v); break;
	case IR_LOAD:
	case IR_STORE:
	case IR_LOAD_ACQ:
	case IR_STORE_REL: a64_emit_memory(e, v); break;
	case IR_ATOMIC: a64_emit_atomic(e, v); break;
	case IR_LD_PACKET:
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL:
	case IR_CHECK: a64_emit_call(e, v); break;
	case IR_GOTO:
	case IR_JMP:
	case IR_EXIT: emit_end(e, v); break;
	case IR_NOP:
	case IR_RUN:
	case IR_PARAM:
	case IR_PHI:
	case IR_OPS: break;
	}
}

static void emit_blocks(struct a64 *e)
{
	for (e->block = 0; e->block < e->ir->n_blocks; e->block++) {
		const struct ir_block *block = &e->ir->blocks[e->block];

		while (block->loop_header && e->out->len & 15)
			put(e, a64_nop());
		e->block_off[e->block] = e->out->len;
		if (!e->block)
			place_params(e);
		for (u32 v = block->start; v < block->end; v++)
			if (!is_dead(value(e, v)))
				emit_insn(e, v);
	}
}

static void emit_edges(struct a64 *e)
{
	for (u32 i = 0; i < e->n_edges; i++) {
		struct a64_edge *edge = &e->edges[i];

		edge->off = e->out->len;
		a64_moves(e,
			  moves_of_edge(e->ir, e->where, edge->to, edge->pred, e->moves));
		a64_branch(e, (s32)edge->to);
	}
}

static u32 read_word(const u8 *at)
{
	return (u32)at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

static void write_word(u8 *at, u32 word)
{
	for (u32 i = 0; i < 4; i++)
		at[i] = (u8)(word >> 8 * i);
}

/* Puts a distance into B, BL, B.cond, CBZ, CBNZ, TBZ or TBNZ. */
static u32 aimed(u32 word, s32 distance)
{
	if ((word & 0x7c000000) == 0x14000000)
		return word | (a64_b(distance) & 0x3ffffff);
	if ((word & 0x7e000000) == 0x36000000)
		return word | (a64_tbz(0, 0, distance) & 0x7ffe0);
	return word | (a64_cbz(false, 0, distance) & 0xffffe0);
}

void a64_land(struct a64 *e, u32 from)
{
	u8 *at = e->out->code + from;

	if (!e->out->failed)
		write_word(at, aimed(read_word(at), (s32)(e->out->len - from)));
}

/* Bits of a branch's field, in words. */
static u32 reach(u32 word)
{
	if ((word & 0x7c000000) == 0x14000000)
		return 26;
	return (word & 0x7e000000) == 0x36000000 ? 14 : 19;
}

/* false: some branch does not reach that far. */
static bool patch_branches(struct a64 *e)
{
	for (u32 i = 0; i < e->n_fixups; i++) {
		const struct a64_fixup *f = &e->fixups[i];
		u32 to = f->block >= 0 ? e->block_off[f->block] : e->edges[~f->block].off;
		u8 *at = e->out->code + f->off;
		s32 distance = (s32)(to - f->off), most = 2 << reach(read_word(at));

		if (distance < -most || distance >= most)
			return false;
		write_word(at, aimed(read_word(at), distance));
	}
	return true;
}

/* Behind the blocks: where the run ends when it must. */
static void emit_return(struct a64 *e)
{
	e->block_off[e->ir->n_blocks] = e->out->len;
	if (e->out->returns)
		a64_return_zero(e);
}

/* ---- the function ---- */

/* What its calls need of the frame. */
static void look_at_calls(struct a64 *e)
{
	const struct ir *ir = e->ir;

	for (u32 v = 0; v < ir->n_insns; v++) {
		const struct ir_insn *insn = &ir->insns[v];

		if (calls_with_room(insn))
			e->kept = 8 * (1 + MAX_ARGS);
		e->record |= e->kept || insn->op == IR_CALL || insn->op == IR_CALL_LOCAL;
	}
}

static u32 most_moves(const struct ir *ir)
{
	u32 most = 2 * (1 + MAX_ARGS);

	for (u32 i = 0; i < ir->n_blocks; i++) {
		u32 phis = count_phis(ir, i);

		if (phis > most)
			most = phis;
	}
	return most;
}

/* That leave the function where native.returns. */
static u32 count_checks(const struct ir *ir)
{
	u32 n = 0;

	for (u32 v = 0; v < ir->n_insns; v++)
		n += ir->insns[v].op == IR_CALL || ir->insns[v].op == IR_CHECK;
	return n;
}

static u32 round16(u32 n)
{
	return (n + 15) & ~15u;
}

static int emitter_init(struct a64 *e)
{
	const struct ir *ir = e->ir;

	e->saved = e->where->used & CALLEE_SAVED;
	e->slots = round16(e->where->n_slots * 8);
	look_at_calls(e);
	e->stack = round16(ir->stack_size);
	/* TBZ reaches 32 KiB, the others 1 MiB; most instructions have far less than 100
	 * bytes, and emit() sees where all of them together have more */
	e->tests_reach = ir->n_insns < 300;
	e->far = ir->n_insns > 9000;
	e->block_off = arena_array(ir->arena, ir->n_blocks + 1, sizeof(*e->block_off));
	e->fixups = arena_array(ir->arena, (size_t)ir->n_blocks * 4 + count_checks(ir),
				sizeof(*e->fixups));
	e->edges = arena_array(ir->arena, ir->n_blocks, sizeof(*e->edges));
	e->moves = arena_array(ir->arena, most_moves(ir), sizeof(*e->moves));
	if (!e->block_off || !e->fixups || !e->edges || !e->moves)
		return -ENOMEM;
	/* what an access of a slot reaches */
	return e->where->n_slots > 4000 ? -ENOTSUP : 0;
}

/* -ERANGE: branches do not reach. */
static int put_function(struct a64 *e)
{
	struct native *out = e->out;

	e->n_fixups = e->n_edges = 0;
	prologue(e);
	emit_blocks(e);
	emit_edges(e);
	emit_return(e);
	if (out->failed)
		return -ENOMEM;
	e->function->size = out->len - e->function->start;
	return patch_branches(e) ? 0 : -ERANGE;
}

static int emit(const struct ir *ir, const struct allocation *where, struct native *out)
{
	const u32 n_relocs = out->n_relocs, n_lines = out->n_lines;
	struct a64 e = {.ir = ir,
			.where = where,
			.out = out,
			.function = &out->functions[ir->function]};
	int err = emitter_init(&e);

	if (err)
		return err;
	e.function->start = out->len;
	while ((err = put_function(&e)) == -ERANGE) {
		if (e.far)
			return -ENOTSUP;
		/* once more, with branches that reach farther */
		e.far = !e.tests_reach;
		e.tests_reach = false;
		out->len = e.function->start;
		out->n_relocs = n_relocs;
		out->n_lines = n_lines;
	}
	return err;
}

static void link(u8 *place, const struct native_reloc *reloc, u64 target)
{
	if (reloc->kind == NATIVE_CALL_FUNC) {
		write_word(place, aimed(read_word(place), (s32)target));
		return;
	}
	for (u32 hw = 0; hw < 4; hw++) {
		u32 word = read_word(place + 4 * hw) & ~(0xffffu << 5);

		write_word(place + 4 * hw, word | (u32)(u16)(target >> 16 * hw) << 5);
	}
}

const struct machine machine_aarch64 = {
	.name = "aarch64",
	.registers = 0xffff | CALLEE_SAVED, /* x0 to x15, x19 to x28 */
	.spill_scratch = 1u << X15,
	.caller_saved = 0xffff,
	.params = {0, 1, 2, 3, 4, 5},
	.select = a64_select,
	.constrain = a64_constrain,
	.begin = a64_begin,
	.emit = emit,
	.link = link,
};
