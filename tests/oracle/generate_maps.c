/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated statements that work on maps: the helpers of maps, what is done with values
 * that were looked up, and tail calls.  Callbacks are in generate_callbacks.c.
 */
#include "base/bytes.h"
#include "oracle/generating.h"

bool gen_is_array(enum gen_map map)
{
	return map == GEN_ARRAY || map == GEN_PERCPU_ARRAY || map == GEN_INNER_A ||
	       map == GEN_INNER_B;
}

static bool holds_maps(enum gen_map map)
{
	return map == GEN_OUTER || map == GEN_OUTER_HASH;
}

/* A key on the stack, of few different ones, so that they meet. */
static void emit_key(struct gen *g, enum gen_map map)
{
	if (map == GEN_LPM) {
		emit_masked(g, R1, 31);
		if (one_in(g, 8))
			emit(g, OP_MOV64_K, R1, 0, 0, (s32)PICK(g, 0, 32, 33, -1));
		emit(g, OP_STX32, FP, R1, KEY, 0);
		emit_masked(g, R1, 0x01800180);
		emit(g, OP_STX32, FP, R1, KEY + 4, 0);
		return;
	}
	emit_masked(g, R1, GEN_KEYS - 1);
	emit(g, gen_is_array(map) || holds_maps(map) ? OP_STX32 : OP_STX64, FP, R1, KEY,
	     0);
}

void emit_map(struct gen *g, u8 reg, enum gen_map map)
{
	emit_wide(g, reg, LDDW_MAP_IDX, map);
}

/* R0 = a value or NULL */
static void emit_lookup(struct gen *g, enum gen_map map)
{
	bool percpu = map == GEN_PERCPU_ARRAY || map == GEN_PERCPU_HASH;

	emit_key(g, map);
	if (percpu && one_in(g, 2)) {
		emit_masked(g, R3, 3);
		emit_map(g, R1, map);
		emit_frame(g, R2, KEY);
		emit_call(g, BPF_FUNC_map_lookup_percpu_elem);
		return;
	}
	emit_map(g, R1, map);
	emit_frame(g, R2, KEY);
	emit_call(g, BPF_FUNC_map_lookup_elem);
}

static void gen_lookup(struct gen *g, enum gen_map map)
{
	bool store = one_in(g, 4), inner = one_in(g, 8);
	u32 missing, missing_inner = 0;

	emit_lookup(g, !inner ? map : one_in(g, 2) ? GEN_OUTER : GEN_OUTER_HASH);
	missing = emit(g, OP_JEQ64_K, R0, 0, 0, 0);
	if (inner) {
		emit(g, OP_MOV64_X, R4, R0, 0, 0);
		emit_key(g, GEN_INNER_A);
		emit(g, OP_MOV64_X, R1, R4, 0, 0);
		emit_frame(g, R2, KEY);
		emit_call(g, BPF_FUNC_map_lookup_elem);
		missing_inner = emit(g, OP_JEQ64_K, R0, 0, 0, 0);
	}
	refill(g, CALLER_SAVED & ~1);
	if (store) { /* the address survives on the stack, where it hides nothing */
		emit(g, OP_STX64, FP, R0, VALUE, 0);
		emit(g, OP_LDX64, R0, FP, VALUE, 0);
	}
	gen_body(g, &(struct area){R0, 0, GEN_VALUE, false, true});
	land(g, missing);
	if (inner)
		land(g, missing_inner);
	refill(g, CALLER_SAVED);
}

/* R3 = the address of GEN_VALUE bytes that hold numbers */
static void emit_value(struct gen *g)
{
	switch (below(g, 3)) {
	case 0:
		for (s16 off = VALUE; off < VALUE + GEN_VALUE; off += 8)
			emit(g, OP_STX64, FP, reg_of(g, g->readable), off, 0);
		emit_frame(g, R3, VALUE);
		break;
	case 1: emit_frame(g, R3, -DATA + 8 * (s32)below(g, 2)); break;
	case 2:
		emit(g, OP_MOV64_X, R3, SCRATCH, 0, 0);
		emit(g, OP_ADD64_K, R3, 0, 0,
		     (s32)offsetof(struct gen_scratch, mem) +
			     (s32)below(g, GEN_MEM - GEN_VALUE + 1));
		break;
	}
}

static void gen_update(struct gen *g, enum gen_map map)
{
	emit_key(g, map);
	forget(g, 1 << R1);
	emit_value(g);
	forget(g, 1 << R3);
	if (one_in(g, 4))
		emit(g, OP_MOV64_X, R4, reg_of(g, g->readable), 0, 0);
	else
		emit(g, OP_MOV64_K, R4, 0, 0,
		     (s32)PICK(g, 0, 0, 0, 0, 1, 1, 2, 2, 3, 8, -1));
	emit_map(g, R1, map);
	emit_frame(g, R2, KEY);
	emit_call(g, BPF_FUNC_map_update_elem);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
}

static void gen_delete(struct gen *g, enum gen_map map)
{
	emit_key(g, map);
	emit_map(g, R1, map);
	emit_frame(g, R2, KEY);
	emit_call(g, BPF_FUNC_map_delete_elem);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
}

void gen_map(struct gen *g)
{
	static const enum gen_map maps[] = {
		GEN_ARRAY, GEN_HASH,         GEN_HASH,        GEN_HASH_MALLOC, GEN_LRU,
		GEN_LPM,   GEN_PERCPU_ARRAY, GEN_PERCPU_HASH, GEN_INNER_A};
	enum gen_map map = maps[below(g, ARRAY_SIZE(maps))];
	u32 start = g->p->n_insns, what = below(g, 10);

	if (what < 5)
		gen_lookup(g, map);
	else if (what < 8)
		gen_update(g, map);
	else
		gen_delete(g, map);
	mark(g, start);
}

static void gen_reserve(struct gen *g)
{
	u32 size = 8 + 8 * below(g, 4), full;

	emit_map(g, R1, GEN_RING);
	emit_constant(g, R2, one_in(g, 16) ? 4096 : size);
	emit_constant(g, R3, 0);
	emit_call(g, BPF_FUNC_ringbuf_reserve);
	full = emit(g, OP_JEQ64_K, R0, 0, 0, 0);
	refill(g, CALLER_SAVED & ~1);
	for (u32 off = 0; off < size; off += 8) /* what lies there is chance */
		emit(g, OP_STX64, R0, reg_of(g, g->readable), (s16)off, 0);
	gen_body(g, &(struct area){R0, 0, size, false, false});
	emit(g, OP_MOV64_X, R1, R0, 0, 0);
	emit_constant(g, R2, PICK(g, 0, 0, 1, 2));
	emit_call(g, one_in(g, 3) ? BPF_FUNC_ringbuf_discard : BPF_FUNC_ringbuf_submit);
	land(g, full);
	refill(g, CALLER_SAVED);
}

void gen_ring(struct gen *g)
{
	u32 start = g->p->n_insns, n = 1 + below(g, one_in(g, 4) ? 300 : 32);

	if (one_in(g, 3)) {
		gen_reserve(g);
		mark(g, start);
		return;
	}
	if (one_in(g, 4)) {
		emit_constant(g, R2, PICK(g, 0, 0, 1, 7));
		emit_map(g, R1, GEN_RING);
		emit_call(g, BPF_FUNC_ringbuf_query);
	} else {
		emit_memory(g, R2, n);
		emit_constant(g, R3, n);
		emit_constant(g, R4, PICK(g, 0, 0, 1, 2, 4, -1));
		emit_map(g, R1, GEN_RING);
		emit_call(g, BPF_FUNC_ringbuf_output);
	}
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
	mark(g, start);
}

void gen_strtol(struct gen *g)
{
	u32 start = g->p->n_insns, n = 1 + below(g, 24);

	emit(g, OP_STX64, FP, reg_of(g, g->readable), KEY, 0);
	emit_memory(g, R1, n);
	emit_constant(g, R2, n);
	emit_constant(g, R3, PICK(g, 0, 8, 10, 16, 10, 0, 7));
	emit_frame(g, R4, KEY);
	emit_call(g, one_in(g, 2) ? BPF_FUNC_strtol : BPF_FUNC_strtoul);
	g->readable |= 1, g->writable |= 1; /* the result */
	emit(g, OP_LDX64, R1, FP, KEY, 0);
	g->readable |= 1 << R1, g->writable |= 1 << R1;
	refill(g, CALLER_SAVED & ~3);
	mark(g, start);
}

/* From frames that leave enough stack, and never from a callback. */
void gen_tail_call(struct gen *g)
{
	u32 start = g->p->n_insns;

	if (!g->jumps || g->f->pointer != TO_CONTEXT || g->f->depth > 1)
		return;
	emit_pointer(g, R1);
	forget(g, 1 << R1);
	if (one_in(g, 2))
		emit(g, OP_MOV64_K, R3, 0, 0, (s32)below(g, 5));
	else
		emit_masked(g, R3, 7);
	emit_map(g, R2, GEN_JUMPS);
	emit_call(g, BPF_FUNC_tail_call);
	refill(g, CALLER_SAVED);
	mark(g, start);
}
