/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the generator share: the state of one generation, and the primitives
 * that statements are written with.  Only generate*.c include this.
 */
#ifndef SKEP_TESTS_GENERATING_H
#define SKEP_TESTS_GENERATING_H

#include <linux/bpf.h>
#include <stddef.h>

#include "oracle/generate.h"

enum { MAX_DEPTH = 4 };

/* What the slot at `pointer` of a function's frame holds. */
enum pointer_kind {
	NO_POINTER,
	TO_CONTEXT,
	TO_STACK, /* PARENT_SIZE bytes of a caller's frame */
	TO_VALUE, /* of a map */
	/* what callbacks hand from round to round in a caller's frame: CURSORS times 8
	 * bytes */
	TO_CURSORS, /* any numbers */
	TO_INDICES, /* numbers that are never more than LAST_INDEX */
	TO_PACKET,  /* a place in the packet, its end */
};
enum { PARENT_SIZE = 16 };

enum func_kind {
	FUNC_MAIN,
	FUNC_SUB,
	FUNC_LOOP,      /* callback of bpf_loop */
	FUNC_EACH,      /* callback of bpf_for_each_map_elem */
	FUNC_EACH_HASH, /* the same where the order is not known */
};

struct func {
	enum func_kind kind;
	enum pointer_kind pointer;
	u32 depth, start;
	u32 rounds; /* how many callbacks lead here */
	u32 moves;  /* places that move what they hand on, beside its first */
};

/* A call or an address of a function, to be filled in. */
struct fixup {
	u32 insn, func;
};

struct gen {
	u64 random;
	u32 type;
	bool small, unsafe;
	u16 numbers; /* registers that hold numbers between statements */
	struct gen_prog *p;
	u16 readable, writable; /* registers that hold numbers; those that may change */
	struct func funcs[GEN_FUNCS];
	u32 n_funcs;
	struct func *f; /* that is being written */
	struct fixup fixups[128];
	u32 n_fixups;
	u32 loops, nesting; /* around the statement being written */
	bool grows, jumps;  /* kinds of helpers that this program uses */
	u32 budget;         /* statements left */
};

/* Where a function keeps things: offsets from R10.  Numbers lie at [-DATA, 0). */
enum {
	DATA = 32,
	POINTER = -40,
	KEY = -56,
	VALUE = -80, /* GEN_VALUE bytes */
	CURSORS = 3,
	ROUNDS = VALUE - 8 * CURSORS,
	LAST_INDEX = 15,
};

enum { FP = 10, SCRATCH = 9 };
enum { CALLER_SAVED = 0x3f, CALLEE_SAVED = 0x1c0, ALL_NUMBERS = 0x1ff };

/* Memory that statements may touch. */
struct area {
	u8 base;
	s16 off;
	u32 size;
	bool aligned; /* only aligned accesses */
	bool atomic;  /* atomic ones too */
};

/* ---- choice ---- */

u64 gen_random(u64 *state);
u64 gen_number(u64 *state); /* many edges */
u32 below(struct gen *g, u32 n);
bool one_in(struct gen *g, u32 n);
u8 reg_of(struct gen *g, u16 mask);
s32 any_imm(struct gen *g);

#define PICK(g, ...)                                                                     \
	((const s64[]){__VA_ARGS__}[below(g, sizeof((const s64[]){__VA_ARGS__}) /        \
						     sizeof(s64))])

/* ---- instructions ---- */

u32 emit(struct gen *g, enum op op, u8 dst, u8 src, s16 off, s32 imm);
void emit_wide(struct gen *g, u8 dst, u8 src, u64 value);
void emit_call(struct gen *g, s32 helper);
/* The jump at insn goes to what is emitted next. */
void land(struct gen *g, u32 insn);
/* What was emitted since start may be taken out. */
void mark(struct gen *g, u32 start);
/* These registers hold numbers again, as far as they are in play. */
void refill(struct gen *g, u16 mask);
void forget(struct gen *g, u16 mask);
/* dst = a number in [0, mask] made from another */
void emit_masked(struct gen *g, u8 dst, s32 mask);
void emit_pointer(struct gen *g, u8 dst); /* what the frame's slot holds */
void emit_frame(struct gen *g, u8 dst, s32 off);
void emit_memory(struct gen *g, u8 dst, u32 n); /* address of n bytes that hold numbers */
void emit_constant(struct gen *g, u8 dst, s64 n);
void emit_map(struct gen *g, u8 dst, enum gen_map map);
/* dst = base + index.  The base comes first where it lies on the stack: the verifier of
 * Linux 6.18 takes "index += r10" for the frame of the program's main function. */
void emit_sum(struct gen *g, u8 dst, u8 index, u8 base);
/* R2 = the packet (or what lies before it), R3 = its end; R1 is used up */
void emit_packet(struct gen *g, bool meta);

/* ---- statements ---- */

void gen_alu(struct gen *g);
void gen_access(struct gen *g, const struct area *a);
void gen_body(struct gen *g, const struct area *a); /* some accesses and arithmetic */
void gen_statement(struct gen *g);
u32 gen_condition(struct gen *g); /* a jump */
void gen_memory(struct gen *g);
void gen_call_function(struct gen *g);
void gen_unsafe(struct gen *g); /* of the main program's frame, outside of all else */
u32 gen_function(struct gen *g, enum func_kind kind, enum pointer_kind pointer);
void emit_function(struct gen *g, u8 dst, u32 func); /* its address */

bool gen_is_array(enum gen_map map);
void gen_map(struct gen *g);
void gen_tail_call(struct gen *g);
void gen_ring(struct gen *g);
void gen_strtol(struct gen *g);

void gen_callback(struct gen *g);
bool gen_has_cursors(const struct gen *g); /* handed in by who started the rounds */
bool gen_goes_on(struct gen *g);           /* are they moved once more in this one? */
void gen_round(struct gen *g);             /* what is done with them */

/* A jump that is taken unless the n bytes at R2 lie before R3; R4 is used up. */
u32 gen_packet_check(struct gen *g, u32 n);
void gen_packet(struct gen *g);
void gen_context(struct gen *g);
void gen_legacy(struct gen *g);
void gen_packet_helper(struct gen *g);

#endif
