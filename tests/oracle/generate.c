/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator's frame: choice, instructions, control flow and functions.  What touches
 * maps is in generate_maps.c, what touches packets in generate_packet.c, what is called
 * back in generate_callbacks.c.
 */
#include <string.h>

#include "base/bytes.h"
#include "oracle/generating.h"

/* ---- choice ---- */

u64 gen_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

u32 below(struct gen *g, u32 n)
{
	return (u32)(gen_random(&g->random) >> 33) % n;
}

bool one_in(struct gen *g, u32 n)
{
	return !below(g, n);
}

u8 reg_of(struct gen *g, u16 mask)
{
	u32 n = below(g, (u32)__builtin_popcount(mask));

	while (n--)
		mask &= (u16)(mask - 1);
	return (u8)__builtin_ctz(mask);
}

s32 any_imm(struct gen *g)
{
	return (s32)gen_number(&g->random);
}

/* ---- instructions ---- */

u32 emit(struct gen *g, enum op op, u8 dst, u8 src, s16 off, s32 imm)
{
	const struct op_info *info = op_info(op);
	struct gen_prog *p = g->p;

	/* the second operand is a register or a number, whatever the caller offers */
	if (p->n_insns < GEN_INSNS)
		p->insns[p->n_insns] =
			(struct insn){.code = info->code,
				      .dst_reg = dst,
				      .src_reg = info->src > 1 ? src : 0,
				      .off = info->off ? off : info->off_is,
				      .imm = info->imm ? imm : info->imm_is};
	return p->n_insns++;
}

void emit_wide(struct gen *g, u8 dst, u8 src, u64 value)
{
	emit(g, OP_LDDW, dst, src, 0, (s32)value);
	if (g->p->n_insns < GEN_INSNS)
		g->p->insns[g->p->n_insns] = (struct insn){.imm = (s32)(value >> 32)};
	g->p->n_insns++;
}

void emit_call(struct gen *g, s32 helper)
{
	emit(g, OP_CALL, 0, CALL_HELPER, 0, helper);
	forget(g, CALLER_SAVED);
}

void land(struct gen *g, u32 insn)
{
	s32 distance = (s32)(g->p->n_insns - insn) - 1;
	struct insn *jump;

	if (insn >= GEN_INSNS)
		return;
	jump = &g->p->insns[insn];
	if (decode(jump) == OP_JA32)
		jump->imm = distance;
	else
		jump->off = (s16)distance;
}

void mark(struct gen *g, u32 start)
{
	struct gen_prog *p = g->p;

	if (p->n_ranges < GEN_RANGES && p->n_insns > start)
		p->ranges[p->n_ranges++] = (struct gen_range){start, p->n_insns - start};
}

void forget(struct gen *g, u16 mask)
{
	g->readable &= (u16)~mask;
	g->writable &= (u16)~mask;
}

static s16 scratch_off(struct gen *g, u32 size)
{
	return (s16)(offsetof(struct gen_scratch, mem) + below(g, GEN_MEM / size) * size);
}

static void refill_one(struct gen *g, u8 reg)
{
	u32 how = below(g, g->readable ? 6 : 3);

	if (how == 0)
		emit(g, OP_MOV64_K, reg, 0, 0, any_imm(g));
	else if (how == 1 && one_in(g, 2))
		emit_wide(g, reg, LDDW_IMM, gen_number(&g->random));
	else if (how <= 3)
		emit(g, OP_LDX64, reg, SCRATCH, scratch_off(g, 8), 0);
	else
		emit(g, how == 4 ? OP_MOV64_X : OP_MOV32_X, reg, reg_of(g, g->readable),
		     0, 0);
	g->readable |= (u16)(1u << reg);
	g->writable |= (u16)(1u << reg);
}

void refill(struct gen *g, u16 mask)
{
	forget(g, mask);
	for (u8 reg = R0; reg <= R8; reg++)
		if ((mask & g->numbers) >> reg & 1)
			refill_one(g, reg);
}

void emit_masked(struct gen *g, u8 dst, s32 mask)
{
	emit(g, OP_MOV64_X, dst, reg_of(g, g->readable), 0, 0);
	emit(g, OP_AND64_K, dst, 0, 0, mask);
}

void emit_pointer(struct gen *g, u8 dst)
{
	emit(g, OP_LDX64, dst, FP, POINTER, 0);
}

void emit_frame(struct gen *g, u8 dst, s32 off)
{
	emit(g, OP_MOV64_X, dst, FP, 0, 0);
	emit(g, OP_ADD64_K, dst, 0, 0, off);
}

void emit_memory(struct gen *g, u8 dst, u32 n)
{
	if (n <= DATA && one_in(g, 2)) {
		emit_frame(g, dst, -DATA + (s32)below(g, DATA - n + 1));
	} else {
		emit(g, OP_MOV64_X, dst, SCRATCH, 0, 0);
		emit(g, OP_ADD64_K, dst, 0, 0,
		     (s32)offsetof(struct gen_scratch, mem) +
			     (s32)below(g, GEN_MEM - n + 1));
	}
	forget(g, (u16)(1u << dst));
}

void emit_constant(struct gen *g, u8 dst, s64 n)
{
	emit(g, OP_MOV64_K, dst, 0, 0, (s32)n);
	forget(g, (u16)(1u << dst));
}

/* ---- arithmetic ---- */

/* One of the instructions of a kind. */
static enum op any_op(struct gen *g, enum op_kind kind)
{
	enum op op;

	do
		op = (enum op)below(g, OPS);
	while (op_info(op)->kind != kind);
	return op;
}

/* Numbers that the verifier takes: shifts are shorter than the register, nothing is
 * divided by zero (but by a register that is). */
static s32 imm_for(struct gen *g, const struct op_info *info)
{
	s32 imm = any_imm(g);

	switch (info->row) {
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: return one_in(g, 4) ? info->width - 1 : imm & (info->width - 1);
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD: return imm ? imm : -1;
	}
	return imm;
}

void gen_alu(struct gen *g)
{
	enum op op = any_op(g, one_in(g, 10) ? KIND_END : KIND_ALU);
	const struct op_info *info = op_info(op);
	u32 start = g->p->n_insns;

	emit(g, op, reg_of(g, g->writable), reg_of(g, g->readable), 0, imm_for(g, info));
	mark(g, start);
}

static void gen_alus(struct gen *g)
{
	u32 start = g->p->n_insns;

	for (u32 n = 1 + below(g, 6); n; n--)
		gen_alu(g);
	mark(g, start);
}

/* ---- memory ---- */

static bool fetches(const struct op_info *info)
{
#define T(name, imm, fetch, ...) [ATOMIC_##name] = fetch,
	static const bool fetch_of[] = {
#include "isa/atomic.def"
	};
#undef T
	return info->kind == KIND_ATOMIC && fetch_of[info->row];
}

static enum op_kind access_kind(struct gen *g, const struct area *a)
{
	static const enum op_kind kinds[] = {
		KIND_LDX, KIND_LDX,    KIND_LDXS,   KIND_ST,       KIND_STX,
		KIND_STX, KIND_ATOMIC, KIND_ATOMIC, KIND_LOAD_ACQ, KIND_STORE_REL};

	return kinds[below(g, a->atomic ? 10 : 6)];
}

void gen_access(struct gen *g, const struct area *a)
{
	enum op_kind kind = access_kind(g, a);
	u32 start = g->p->n_insns, size, align;
	const struct op_info *info;
	u8 src = reg_of(g, g->readable), dst = reg_of(g, g->writable);
	enum op op;
	bool load;
	s16 off;

	do {
		op = any_op(g, kind);
		info = op_info(op);
		size = info->width / 8u;
	} while (size > a->size);
	load = kind == KIND_LDX || kind == KIND_LDXS || kind == KIND_LOAD_ACQ;
	align = a->aligned || kind == KIND_ATOMIC || kind == KIND_LOAD_ACQ ||
				kind == KIND_STORE_REL
			? size
			: 1;
	off = (s16)(a->off + (s32)(below(g, (a->size - size) / align + 1) * align));
	if (fetches(info)) {
		if (info->row == ATOMIC_CMPXCHG && !(g->writable & 1))
			return;
		src = info->row == ATOMIC_CMPXCHG ? src : dst;
	}
	emit(g, op, load ? dst : a->base, load ? a->base : src, off, any_imm(g));
	if (op ==
	    OP_ATOMIC_CMPXCHG32) /* Linux 6.18 may forget to (docs/differences.md) */
		emit(g, OP_MOV32_X, R0, R0, 0, 0);
	mark(g, start);
}

void gen_body(struct gen *g, const struct area *a)
{
	for (u32 n = 1 + below(g, 4); n; n--) {
		if (one_in(g, 4))
			gen_alu(g);
		gen_access(g, a);
	}
}

static const struct area scratch_area = {SCRATCH, offsetof(struct gen_scratch, mem),
					 GEN_MEM, false, true};

void emit_sum(struct gen *g, u8 reg, u8 index, u8 base)
{
	if (base != SCRATCH) {
		emit(g, OP_MOV64_X, reg, base, 0, 0);
		emit(g, OP_ADD64_X, reg, index, 0, 0);
	} else {
		emit(g, OP_MOV64_X, reg, index, 0, 0);
		emit(g, OP_ADD64_X, reg, base, 0, 0);
	}
}

/* base + a number that the verifier knows bounds of */
static void gen_indexed(struct gen *g, struct area a, u8 base)
{
	u8 reg = reg_of(g, CALLER_SAVED & ~1 & g->writable), index = R0;
	bool compare = one_in(g, 3);
	u32 jump = 0;

	a.base = reg;
	if (compare) {
		emit(g, OP_MOV64_X, index, reg_of(g, g->readable), 0, 0);
		if (a.atomic || a.aligned)
			emit(g, OP_AND64_K, index, 0, 0, -8);
		jump = emit(g, OP_JGT64_K, index, 0, 0, (s32)(a.size - 8));
		a.size = 8;
	} else {
		emit_masked(g, index, a.atomic || a.aligned ? 8 : 15);
		a.size -= 15;
	}
	emit_sum(g, reg, index, base);
	forget(g, (u16)(1u << reg));
	gen_body(g, &a);
	if (compare)
		land(g, jump);
	refill(g, (u16)(1u << reg));
}

/* What the caller's stack or a map's value holds.  A callback leaves its caller's stack
 * alone: the verifier would look at every iteration. */
static void gen_behind_pointer(struct gen *g)
{
	struct area a = {R1, 0, GEN_VALUE, true, true};

	if (g->f->pointer == TO_STACK)
		a.size = PARENT_SIZE;
	else if (g->f->pointer != TO_VALUE)
		return;
	emit_pointer(g, R1);
	if (g->f->kind == FUNC_LOOP) {
		emit(g, OP_LDX64, R1, R1, 8 * (s16)below(g, 2), 0);
		return;
	}
	forget(g, 1 << R1);
	gen_body(g, &a);
	refill(g, 1 << R1);
}

void gen_memory(struct gen *g)
{
	const struct area stack = {FP, -DATA, DATA, true, true};
	struct area indexed = scratch_area;
	u32 start = g->p->n_insns;

	switch (below(g, 6)) {
	case 0:
	case 1: gen_body(g, &scratch_area); break;
	case 2: gen_body(g, &stack); break;
	case 3:
		indexed.atomic = one_in(g, 2);
		gen_indexed(g, indexed, SCRATCH);
		break;
	case 4:
		indexed = stack;
		indexed.atomic = false; /* Linux: only where the offset is known */
		gen_indexed(g, indexed, FP);
		break;
	case 5: gen_behind_pointer(g); break;
	}
	mark(g, start);
}

/* ---- control flow ---- */

u32 gen_condition(struct gen *g)
{
	enum op op = any_op(g, KIND_JMP);

	return emit(g, op, reg_of(g, g->readable), reg_of(g, g->readable), 0, any_imm(g));
}

static void gen_block(struct gen *g, u32 n)
{
	g->nesting++;
	while (n--)
		gen_statement(g);
	g->nesting--;
}

static void gen_exit(struct gen *g)
{
	u32 start = g->p->n_insns;

	if (g->f->kind >= FUNC_LOOP)
		emit(g, OP_MOV64_K, R0, 0, 0, (s32)below(g, 2));
	emit(g, OP_EXIT, 0, 0, 0, 0);
	mark(g, start);
}

static void gen_if(struct gen *g)
{
	u32 start = g->p->n_insns, jump = gen_condition(g), over;

	gen_block(g, 1 + below(g, 3));
	if (one_in(g, 16)) {
		gen_exit(g);
		land(g, jump);
	} else if (one_in(g, 2)) {
		over = emit(g, one_in(g, 4) ? OP_JA32 : OP_JA, 0, 0, 0, 0);
		land(g, jump);
		gen_block(g, 1 + below(g, 2));
		land(g, over);
	} else {
		land(g, jump);
	}
	mark(g, start);
}

/* A loop whose counter the body leaves alone. */
static void gen_loop(struct gen *g)
{
	u32 start = g->p->n_insns, top, out = 0;
	u8 reg = reg_of(g, CALLEE_SAVED & g->writable);
	s32 n = 1 + (s32)below(g, 4);
	u32 how = below(g, 4);

	if (how == 0)
		emit_masked(g, reg, 3);
	else
		emit(g, OP_MOV64_K, reg, 0, 0, how == 1 ? 0 : n);
	g->writable &= (u16) ~(1u << reg);
	g->loops++;
	top = g->p->n_insns;
	if (how == 0)
		out = emit(g, OP_JEQ64_K, reg, 0, 0, 0);
	else if (how == 3)
		out = emit(g, OP_MAY_GOTO, 0, 0, 0, 0);
	gen_block(g, 1 + below(g, 3));
	emit(g, OP_ADD64_K, reg, 0, 0, how == 1 ? 1 : -1);
	if (how == 0)
		emit(g, OP_JA, 0, 0, (s16)((s32)top - (s32)g->p->n_insns - 1), 0);
	else
		emit(g, how == 1 ? OP_JLT64_K : OP_JNE64_K, reg, 0,
		     (s16)((s32)top - (s32)g->p->n_insns - 1), how == 1 ? n : 0);
	if (how == 0 || how == 3)
		land(g, out);
	g->loops--;
	g->writable |= (u16)(1u << reg);
	mark(g, start);
}

/* ---- functions ---- */

u32 gen_function(struct gen *g, enum func_kind kind, enum pointer_kind pointer)
{
	u32 i = (u32)(g->f - g->funcs) + 1;
	u32 rounds = g->f->rounds + (kind >= FUNC_LOOP);

	/* one that is there, if it lies deeper, so that there is no recursion */
	for (; i < g->n_funcs; i++)
		if (g->funcs[i].kind == kind && g->funcs[i].pointer == pointer &&
		    g->funcs[i].depth == g->f->depth + 1 &&
		    g->funcs[i].rounds == rounds && one_in(g, 2))
			return i;
	if (g->n_funcs == GEN_FUNCS || g->f->depth + 1 >= MAX_DEPTH)
		return 0;
	g->funcs[g->n_funcs] = (struct func){.kind = kind,
					     .pointer = pointer,
					     .depth = g->f->depth + 1,
					     .rounds = rounds};
	return g->n_funcs++;
}

static void fix_later(struct gen *g, u32 insn, u32 func)
{
	g->fixups[g->n_fixups++] = (struct fixup){insn, func};
}

void emit_function(struct gen *g, u8 dst, u32 func)
{
	fix_later(g, g->p->n_insns, func);
	emit_wide(g, dst, LDDW_FUNC, 0);
}

void gen_call_function(struct gen *g)
{
	bool pass = g->f->pointer == TO_CONTEXT ? one_in(g, 2) : gen_goes_on(g);
	enum pointer_kind pointer = pass ? g->f->pointer : TO_STACK;
	u32 start = g->p->n_insns, func;

	if (g->n_fixups == ARRAY_SIZE(g->fixups))
		return;
	func = gen_function(g, FUNC_SUB, pointer);
	if (!func)
		return;
	if (pointer != TO_STACK)
		emit_pointer(g, R1);
	else
		emit_frame(g, R1, -DATA + 8 * (s32)below(g, 3));
	fix_later(g, emit(g, OP_CALL, 0, CALL_LOCAL, 0, 0), func);
	forget(g, CALLER_SAVED);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
	mark(g, start);
}

void gen_statement(struct gen *g)
{
	u32 what = below(g, 100);
	/* The verifier takes every path of a loop again and again.  No path may have some
	 * thousand branches: it refuses such programs, and that of Linux 6.18 may crash.
	 */
	bool nested = g->nesting + 2 * g->loops > 2, in_loop = g->loops,
	     may_loop = g->f->kind <= FUNC_SUB && g->loops < (g->f->depth ? 1 : 2);

	if (!g->budget)
		return;
	g->budget--;
	if (gen_goes_on(g))
		gen_round(g);
	else if (what < 10 && !nested)
		gen_if(g);
	else if (what < 14 && !nested && may_loop && g->writable & CALLEE_SAVED)
		gen_loop(g);
	else if (what < 19 && !in_loop)
		gen_call_function(g);
	else if (what < 25 && !in_loop)
		gen_callback(g);
	else if (what < 35)
		gen_map(g);
	else if (what < 43)
		gen_packet(g);
	else if (what < 49)
		gen_packet_helper(g);
	else if (what < 52)
		gen_context(g);
	else if (what < 54)
		gen_tail_call(g);
	else if (what < 55)
		gen_legacy(g);
	else if (what < 57)
		gen_ring(g);
	else if (what < 58)
		gen_strtol(g);
	else if (what < 72)
		gen_memory(g);
	else
		gen_alus(g);
}

static void gen_prologue(struct gen *g)
{
	u16 args = g->f->kind == FUNC_SUB    ? 0x3c & g->numbers
		   : g->f->kind == FUNC_LOOP ? 1 << R1
					     : 0;

	g->readable = g->writable = args;
	if (g->f->kind == FUNC_LOOP)
		emit(g, OP_STX64, FP, R2, POINTER, 0);
	else if (g->f->kind >= FUNC_EACH)
		emit(g, OP_STX64, FP, gen_has_cursors(g) ? R4 : R3, POINTER, 0);
	else
		emit(g, OP_STX64, FP, R1, POINTER, 0);
	emit_wide(g, SCRATCH, LDDW_MAP_IDX_VALUE, GEN_SCRATCH);
	refill(g, ALL_NUMBERS & ~args);
	for (s16 off = -DATA; off < 0; off += 8)
		if (one_in(g, 2))
			emit(g, OP_STX64, FP, reg_of(g, g->readable), off, 0);
		else
			emit(g, OP_ST64, FP, 0, off, any_imm(g));
}

static void gen_epilogue(struct gen *g)
{
	if (g->f->kind == FUNC_MAIN)
		for (u8 reg = R0; reg <= R8; reg++)
			if (g->numbers >> reg & 1)
				emit(g, OP_STX64, SCRATCH, reg, (s16)(reg * 8), 0);
	if (g->f->kind >= FUNC_LOOP)
		emit(g, OP_AND64_K, R0, 0, 0, one_in(g, 2));
	emit(g, OP_EXIT, 0, 0, 0, 0);
}

/* Elements come in any order: what is done with them commutes. */
static void gen_each_hash(struct gen *g)
{
	s16 off = (s16)(8 * below(g, 3));

	emit_pointer(g, R1);
	emit(g, OP_LDX64, R2, R1, off, 0);
	for (u32 n = below(g, 4); n; n--) {
		enum op op;

		do
			op = any_op(g, KIND_ALU);
		while (op_info(op)->reg);
		emit(g, op, R2, 0, 0, imm_for(g, op_info(op)));
	}
	emit(g, OP_STX64, R1, R2, off, 0);
	emit(g, one_in(g, 2) ? OP_ATOMIC_ADD64 : OP_ATOMIC_XOR32, SCRATCH, R2,
	     scratch_off(g, 8), 0);
	emit(g, OP_MOV64_K, R0, 0, 0, 0);
	emit(g, OP_EXIT, 0, 0, 0, 0);
}

static void gen_one_function(struct gen *g, u32 i)
{
	static const u32 budgets[2][5] = {{24, 8, 4, 4, 0}, {6, 3, 2, 2, 0}};

	g->f = &g->funcs[i];
	g->f->start = g->p->n_insns;
	g->budget = budgets[g->small][g->f->kind];
	g->budget -= below(g, g->budget / 2 + 1);
	gen_prologue(g);
	if (g->f->kind == FUNC_EACH_HASH) {
		gen_each_hash(g);
		return;
	}
	if (g->unsafe && g->f->kind == FUNC_MAIN)
		gen_unsafe(g);
	if (gen_has_cursors(g))
		gen_round(g);
	while (g->budget)
		gen_statement(g);
	gen_epilogue(g);
}

static void gen_program(struct gen *g, struct gen_prog *p)
{
	g->p = p;
	p->n_insns = p->n_ranges = 0;
	g->n_fixups = 0;
	g->n_funcs = 1;
	g->funcs[0] = (struct func){.kind = FUNC_MAIN, .pointer = TO_CONTEXT};
	for (u32 i = 0; i < g->n_funcs; i++)
		gen_one_function(g, i);
	for (u32 i = 0; i < g->n_fixups; i++) {
		u32 at = g->fixups[i].insn;

		if (at < GEN_INSNS)
			p->insns[at].imm =
				(s32)g->funcs[g->fixups[i].func].start - (s32)at - 1;
	}
}

/* R0 and R1 are results, one more is handed to functions; R6 and R7 outlive calls. */
static u16 few_numbers(struct gen *g)
{
	return (u16)(1 << R0 | 1 << R1 | 1 << (R2 + below(g, 4)) | 1 << R6 | 1 << R7);
}

void generate(struct gen_case *c, u64 seed, bool small, bool unsafe)
{
	struct gen g = {.random = seed * 0x2545f4914f6cdd1d,
			.small = small,
			.unsafe = unsafe,
			.numbers = ALL_NUMBERS};

	if (small)
		g.numbers = few_numbers(&g);
	c->seed = seed;
	c->small = small;
	c->type = one_in(&g, 2) ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	g.type = c->type;
	g.jumps = one_in(&g, small ? 24 : 6);
	g.grows = one_in(&g, 2);
	c->n_progs = g.jumps ? GEN_PROGS : 1;
	for (u32 i = 0; i < c->n_progs; i++)
		do
			gen_program(&g, &c->progs[i]);
		while (c->progs[i].n_insns > GEN_INSNS);
}
