/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated callbacks of bpf_loop and bpf_for_each_map_elem, and what they hand from
 * round to round: cursors, which are numbers or packet pointers in the frame of whoever
 * started the rounds.
 *
 * A cursor says where memory is touched, and is moved by the round; what it may be in
 * the next one, the verifier only learns by going round.  Those that may be anything are
 * compared first; those that never leave their bounds are used as they are, in rounds and
 * after the last.  Never does: rounds over the elements of a hash, whose order nobody
 * knows.
 */
#include "base/bytes.h"
#include "oracle/generating.h"

enum { TEMPS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 };

/* ---- rounds ---- */

/* dst = the cursors: those of the frame, or those that were handed in */
static void emit_cursors(struct gen *g, u8 dst, bool own)
{
	if (own)
		emit_frame(g, dst, ROUNDS);
	else
		emit_pointer(g, dst);
}

/* Jumps that leave a part of a round. */
struct exits {
	u32 insn[3], n;
};

static void leave(struct gen *g, struct exits *out, enum op op, s32 imm)
{
	out->insn[out->n++] = emit(g, op, op == OP_JA ? 0 : R2, 0, 0, imm);
}

/* Jumps away if R2 > limit, or makes it smaller. */
static void emit_check(struct gen *g, s32 limit, struct exits *out)
{
	switch (below(g, 7)) {
	case 0: leave(g, out, OP_JGT64_K, limit); return;
	case 1: leave(g, out, OP_JGE64_K, limit + 1); return;
	case 2:
		emit(g, OP_JLE64_K, R2, 0, 1, limit);
		leave(g, out, OP_JA, 0);
		return;
	case 3:
		leave(g, out, OP_JSGT64_K, limit);
		leave(g, out, OP_JSLT64_K, 0);
		return;
	case 4:
		emit(g, OP_MOV32_X, R2, R2, 0, 0);
		leave(g, out, OP_JGT32_K, limit);
		return;
	case 5:
		emit(g, OP_JLE64_K, R2, 0, 1, limit);
		emit(g, OP_MOV64_K, R2, 0, 0, 0);
		return;
	}
	emit(g, OP_AND64_K, R2, 0, 0, 7);
}

/* R2 = the place after the one at R2, or any other */
static void emit_next(struct gen *g, bool any)
{
	static const enum op ops[] = {OP_XOR64_K, OP_RSH64_K, OP_MUL64_K, OP_ARSH64_K};

	switch (below(g, any ? 9 : 8)) {
	case 0:
	case 1:
	case 2:
	case 3: emit(g, OP_ADD64_K, R2, 0, 0, (s32)PICK(g, 1, 1, 2, 4, 8, -1)); return;
	case 4:
		emit_masked(g, R3, 7);
		emit(g, OP_ADD64_X, R2, R3, 0, 0);
		return;
	case 5: emit_masked(g, R2, 31); return;
	case 6:
		emit(g, ops[below(g, ARRAY_SIZE(ops))], R2, 0, 0, 1 + (s32)below(g, 3));
		return;
	case 7: emit(g, OP_MOV64_X, R2, reg_of(g, g->readable), 0, 0); return;
	}
	emit(g, OP_LDX64, R2, R1, (s16)(8 * below(g, CURSORS)), 0);
}

/* Which memory R2 is a place in.  Small: the verifier may go there byte by byte. */
static struct area cursor_area(struct gen *g, bool any)
{
	struct area a = {SCRATCH, offsetof(struct gen_scratch, mem), 24, false, false};

	switch (below(g, any ? 4 : 3)) {
	case 0: return a;
	case 1: a.off = (s16)(a.off + (s32)below(g, GEN_MEM - 24)); return a;
	case 2: return (struct area){FP, -DATA, DATA, true, false};
	}
	return (struct area){R1, 0, 8 * CURSORS, true, false};
}

/* Where what was compared in vain goes on, or ends the rounds. */
static void land_all(struct gen *g, struct exits *out, bool ends)
{
	u32 over = ends ? emit(g, OP_JA, 0, 0, 0, 0) : 0;

	while (out->n)
		land(g, out->insn[--out->n]);
	if (!ends)
		return;
	emit(g, OP_MOV64_K, R0, 0, 0, 1);
	emit(g, OP_EXIT, 0, 0, 0, 0);
	land(g, over);
}

/* R3 = the cursor's place in the area; on the stack, everything is aligned. */
static void emit_place(struct gen *g, const struct area *a)
{
	u8 index = R2;

	if (a->aligned) {
		index = R4;
		emit(g, OP_MOV64_X, index, R2, 0, 0);
		emit(g, OP_AND64_K, index, 0, 0, -8);
	}
	emit_sum(g, R3, index, a->base);
}

/* The verifier goes through all that they may be at once: of an unknown number of rounds,
 * and of rounds in rounds, only one moves. */
static u32 cursors_moved(const struct gen *g)
{
	return g->f->rounds > 1 || g->f->kind == FUNC_EACH ? 1 : CURSORS;
}

/* Each takes the place of the next, R2 = the first: what the last will be is decided
 * rounds before it is used. */
static void emit_shift(struct gen *g)
{
	for (s16 at = 8 * (CURSORS - 1); at; at -= 8) {
		emit(g, OP_LDX64, R3, R1, (s16)(at - 8), 0);
		emit(g, OP_STX64, R1, R3, at, 0);
	}
	emit(g, OP_LDX64, R2, R1, 0, 0);
}

/* Memory at the cursor that is in R2. */
static void gen_use(struct gen *g, bool any, struct exits *out)
{
	struct area a = cursor_area(g, any);

	if (any) {
		emit_check(g, (s32)a.size - 8, out);
		a.size = 8;
	} else {
		a.size -= LAST_INDEX;
	}
	emit_place(g, &a);
	a.base = R3;
	g->readable |= 1 << R2;
	gen_body(g, &a);
}

/* As before, but the verifier first sees rounds in which nobody asks what the cursor is.
 */
static void gen_late_use(struct gen *g)
{
	struct exits out = {.n = 0};
	u32 over;

	over = gen_condition(g);
	leave(g, &out, OP_JA, 0);
	land(g, over);
	gen_use(g, true, &out);
	land_all(g, &out, false);
}

static void gen_move(struct gen *g, bool any)
{
	emit_next(g, any);
	if (any)
		return;
	if (one_in(g, 2)) {
		emit(g, OP_AND64_K, R2, 0, 0, LAST_INDEX);
	} else {
		emit(g, OP_JLE64_K, R2, 0, 1, LAST_INDEX);
		emit(g, OP_MOV64_K, R2, 0, 0, 0);
	}
}

/* A cursor is used and moves. */
static void gen_cursor(struct gen *g, bool any, bool own)
{
	bool shifts = any && cursors_moved(g) == CURSORS && one_in(g, 3);
	s16 at = (s16)(8 * (shifts ? CURSORS - 1 : below(g, cursors_moved(g))));
	bool narrow = any && one_in(g, 4);
	struct exits out = {.n = 0};

	emit_cursors(g, R1, own);
	emit(g, narrow ? OP_LDX32 : OP_LDX64, R2, R1, at, 0);
	if (any && g->f->kind == FUNC_LOOP && one_in(g, 2))
		gen_late_use(g);
	else
		gen_use(g, any, &out);
	if (shifts) {
		emit_shift(g);
		at = 0;
	}
	gen_move(g, any);
	emit(g, narrow ? OP_STX32 : OP_STX64, R1, R2, at, 0);
	land_all(g, &out, out.n && g->f->kind >= FUNC_LOOP && one_in(g, 2));
}

/* The packet at a cursor, which goes on by what is found there.  One place in a round
 * where it may go on or not: the verifier follows each sequence of such choices. */
static void gen_packet_cursor(struct gen *g, bool own)
{
	u32 n = 1 + below(g, 16);
	struct exits out = {.n = 1};

	emit_cursors(g, R1, own);
	emit(g, OP_LDX64, R2, R1, 0, 0);
	emit(g, OP_LDX64, R3, R1, 8, 0);
	out.insn[0] = gen_packet_check(g, n);
	gen_body(g, &(struct area){R2, 0, n, false, false});
	if (one_in(g, 2)) {
		emit(g, OP_ADD64_K, R2, 0, 0, 1 + (s32)below(g, n));
	} else {
		emit(g, OP_LDX8, R3, R2, (s16)below(g, n), 0);
		emit(g, OP_AND64_K, R3, 0, 0, 15);
		emit(g, OP_ADD64_X, R2, R3, 0, 0);
	}
	emit(g, OP_STX64, R1, R2, 0, 0);
	land_all(g, &out, g->f->kind >= FUNC_LOOP);
}

static void gen_at_cursor(struct gen *g, enum pointer_kind pointer, bool own)
{
	u32 start = g->p->n_insns, skip = 0;
	bool skips = pointer != TO_PACKET && one_in(g, 4);

	if (skips)
		skip = gen_condition(g);
	forget(g, TEMPS);
	if (pointer == TO_PACKET)
		gen_packet_cursor(g, own);
	else
		gen_cursor(g, pointer == TO_CURSORS, own);
	if (skips)
		land(g, skip);
	refill(g, TEMPS);
	mark(g, start);
}

bool gen_has_cursors(const struct gen *g)
{
	return g->f->pointer >= TO_CURSORS;
}

bool gen_goes_on(struct gen *g)
{
	if (g->f->kind != FUNC_LOOP || !gen_has_cursors(g) || g->f->pointer == TO_PACKET)
		return false;
	return g->f->moves < 2 && one_in(g, 3) && ++g->f->moves;
}

void gen_round(struct gen *g)
{
	gen_at_cursor(g, g->f->pointer, false);
}

/* ---- who starts them ---- */

static void emit_first(struct gen *g, enum pointer_kind pointer)
{
	if (pointer == TO_PACKET) {
		emit_packet(g, false);
		emit(g, OP_STX64, FP, R2, ROUNDS, 0);
		emit(g, OP_STX64, FP, R3, ROUNDS + 8, 0);
		forget(g, TEMPS);
		return;
	}
	for (u32 i = 0; i < CURSORS; i++) {
		if (one_in(g, 2))
			emit(g, OP_MOV64_K, R1, 0, 0, (s32)below(g, LAST_INDEX + 1));
		else if (pointer == TO_INDICES || one_in(g, 2))
			emit_masked(g, R1, LAST_INDEX);
		else
			emit(g, OP_MOV64_X, R1, reg_of(g, g->readable), 0, 0);
		emit(g, OP_STX64, FP, R1, (s16)(ROUNDS + 8 * (s32)i), 0);
	}
}

/* R1 = how many rounds.  Never a 0 that the verifier knows: it then drops the callback
 * whose address is loaded, and Linux 6.18 warns of a bug of its own. */
static void emit_count(struct gen *g, bool few)
{
	emit(g, OP_LDX8, R1, SCRATCH, (s16)offsetof(struct gen_scratch, mem), 0);
	emit(g, OP_AND64_K, R1, 0, 0, few ? 1 : 3);
	if (one_in(g, 2))
		emit(g, OP_MOV64_K, R1, 0, 0,
		     (s32)(few ? PICK(g, 1, 2, 2) : PICK(g, 1, 2, 3, 5, 5)));
}

static enum gen_map some_array(struct gen *g)
{
	static const enum gen_map arrays[] = {GEN_ARRAY, GEN_INNER_B, GEN_PERCPU_ARRAY};

	return arrays[below(g, ARRAY_SIZE(arrays))];
}

static void emit_rounds(struct gen *g, u32 func, bool own)
{
	if (g->funcs[func].kind == FUNC_LOOP)
		emit_count(g, g->f->rounds);
	else
		emit_map(g, R1, some_array(g));
	emit_function(g, R2, func);
	emit_cursors(g, R3, own);
	emit(g, OP_MOV64_K, R4, 0, 0, one_in(g, 30));
	emit_call(g, g->funcs[func].kind == FUNC_LOOP ? BPF_FUNC_loop
						      : BPF_FUNC_for_each_map_elem);
}

static enum pointer_kind some_cursors(struct gen *g)
{
	if (g->f->pointer == TO_CONTEXT && one_in(g, 4))
		return TO_PACKET;
	return one_in(g, 2) ? TO_CURSORS : TO_INDICES;
}

static bool gen_rounds(struct gen *g)
{
	bool own = !gen_goes_on(g);
	enum pointer_kind pointer = own ? some_cursors(g) : g->f->pointer;
	bool each = own && pointer != TO_PACKET && one_in(g, 3);
	u32 func = gen_function(g, each ? FUNC_EACH : FUNC_LOOP, pointer);

	if (!func)
		return false;
	if (own)
		emit_first(g, pointer);
	emit_rounds(g, func, own);
	if (!g->f->rounds && one_in(g, 4)) /* they go on where they stopped */
		emit_rounds(g, func, own);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
	if (one_in(g, 2))
		gen_at_cursor(g, pointer, own);
	return true;
}

/* ---- callbacks with nothing to hand on ---- */

static u32 emit_loop(struct gen *g)
{
	u32 func = gen_function(g, FUNC_LOOP, TO_STACK);

	if (!func)
		return 0;
	emit_count(g, false);
	emit_function(g, R2, func);
	emit_frame(g, R3, -DATA + 8 * (s32)below(g, 3));
	emit(g, OP_MOV64_K, R4, 0, 0, one_in(g, 30));
	emit_call(g, BPF_FUNC_loop);
	return func;
}

static u32 emit_each(struct gen *g)
{
	static const enum gen_map maps[] = {GEN_ARRAY,      GEN_HASH,    GEN_HASH_MALLOC,
					    GEN_LRU,        GEN_INNER_B, GEN_PERCPU_ARRAY,
					    GEN_PERCPU_HASH};
	enum gen_map map = maps[below(g, ARRAY_SIZE(maps))];
	u32 func =
		gen_function(g, gen_is_array(map) ? FUNC_EACH : FUNC_EACH_HASH, TO_VALUE);

	if (!func)
		return 0;
	emit_map(g, R1, map);
	emit_function(g, R2, func);
	if (one_in(g, 2))
		emit(g, OP_MOV64_K, R3, 0, 0, 0);
	else
		emit_frame(g, R3, -DATA);
	emit(g, OP_MOV64_K, R4, 0, 0, one_in(g, 30));
	emit_call(g, BPF_FUNC_for_each_map_elem);
	return func;
}

void gen_callback(struct gen *g)
{
	u32 start = g->p->n_insns;

	/* two calls of a statement */
	if (g->n_fixups + 2 > ARRAY_SIZE(g->fixups))
		return;
	if (one_in(g, 2)) {
		if (gen_rounds(g))
			mark(g, start);
		return;
	}
	if (!(one_in(g, 2) ? emit_loop(g) : emit_each(g)))
		return;
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
	mark(g, start);
}
