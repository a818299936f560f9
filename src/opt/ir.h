/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The intermediate form of one function of a program: what the compiler works on.
 *
 * Static single assignment over 64-bit values.  A value is named by the number of the
 * instruction that computes it; number 0 is a NOP and means "none".  Instructions stand
 * in one array in the order of execution, a block is a range of it.  BPF's registers, and
 * the stack slots that are only read and written whole (slots.c), are gone: what remains
 * of them at joins is in PHIs.  What a 32-bit operation gives has a zero upper half, as
 * in RFC 9669; the upper halves of its operands do not matter.
 *
 * ir_build() folds while it builds (fold.c) and puts what it knows of maps and helpers in
 * place of calls (inline*.c); ir_optimise() runs the passes.  Passes rewrite in place and
 * leave NOPs.  Some add something: pass_select() in the IR_SPARE NOPs before each END, and
 * blocks (select_pair.c); choose.c where values stood that nobody needs; linear.c writes a
 * new array.  What is left at the end has no NOPs.
 * Of what the verifier proved some things are taken (docs/jit.md).  Included by src/opt,
 * src/exec/jit and tests.  Never knows a machine.
 */
#ifndef SKEP_OPT_IR_H
#define SKEP_OPT_IR_H

#include "base/arena.h"
#include "helpers/run.h"
#include "isa/insn.h"

struct map;
struct prog;
struct skep_diag;
struct text;

enum ir_op {
#define I(name, ...) IR_##name,
#include "opt/ir.def"
#undef I
	IR_OPS
};

enum ir_effect { IR_PURE, IR_READ, IR_WRITE, IR_END };

struct ir_op_info {
	const char *name;
	bool a, b, c; /* which fields are values */
	u8 effect;    /* enum ir_effect */
};

extern const struct ir_op_info ir_ops[IR_OPS];

/* What an ADDR is the address of, and a CALL's imm: a stored program finds other numbers
 * there when it is loaded. */
enum ir_addr {
	IR_MAP,       /* struct map * of maps[aux] */
	IR_MAP_BYTES, /* byte of its region: imm - (u64)maps[aux]->region */
	IR_HELPER,    /* body of helper aux */
	IR_FUNC,      /* function aux of the program; imm is not used */
	IR_ADDRS
};

enum ir_count {
	IR_COUNT_ONES,    /* bits that are set */
	IR_COUNT_LEADING, /* zeroes above the highest one; of zero: all */
	IR_COUNT_LOG2,    /* bits below the highest one; of zero: none */
};

/* What is known of a CALL: it may end the run, it never does, or it is what page
 * row - IR_CALL_CLOCK of the world says (struct world.pages), unless that is silent. */
enum ir_call { IR_CALL_ANY, IR_CALL_RETURNS, IR_CALL_CLOCK };

/* FUSED is set by a machine's selection (exec/jit/machine.h): the value is computed as
 * part of the instructions that use it, as an address, an immediate, a memory operand or
 * a condition, and has no register of its own.  NONZERO is set by the builder, of a
 * division: where it stands, b is not 0; pass_demand() takes it back. */
enum { IR_FUSED = 1, IR_NONZERO = 2 };

enum { IR_SPARE = 2 };

struct ir_insn {
	u8 op;    /* enum ir_op */
	u8 row;   /* as the op says */
	u8 width; /* of the operation or access, in bits */
	u8 scale; /* LOAD, STORE: of b, 0 to 3 */
	u32 a, b, c;
	u32 aux; /* CALL*, TAIL_CALL, PHI: first argument in ir->args; ADDR: an index */
	u16 n_args; /* PHI: its block's n_preds counts, not this */
	u8 flags;   /* IR_FUSED, IR_NONZERO */
	s64 imm;
	u32 pc;   /* the instruction of the program that it comes from */
	u32 uses; /* how many operands and arguments name it (ir_count_uses) */
};

enum { IR_NO_BLOCK = -1 };

struct ir_block {
	u32 start, end; /* instructions [start, end): PHIs first, last an END */
	u32 preds;      /* first predecessor in ir->preds: the order of PHIs' arguments; a
			   block that goes here both ways stands twice */
	u32 n_preds;
	s32 succ[2]; /* blocks, or IR_NO_BLOCK; may be equal */
	u32 pc;      /* first instruction of the program in it */
	u16 loop_depth;
	bool loop_header; /* this block or a later one jumps here */
};

struct ir {
	struct ir_insn *insns;
	u32 n_insns, cap_insns;
	struct ir_block *blocks; /* in the order of the code; nobody jumps to [0] */
	u32 n_blocks;
	u32 *args; /* of calls and PHIs */
	u32 n_args, cap_args;
	u32 *preds; /* numbers of blocks */
	u32 n_preds;
	u32 function;        /* number in ir_functions */
	u32 stack_size;      /* bytes of BPF stack that are still used, a multiple of 8 */
	bool calls;          /* calls anything: helpers, functions, the engine */
	bool tail_calls;     /* itself */
	struct arena *arena; /* all of it lives there */
};

/* Where the functions of a program start: entry[0] is the program's own. */
struct ir_functions {
	u32 *entry; /* sorted; instructions */
	u32 n;
	/* Found on the way, for ir_build(): */
	const u8 *ops;      /* by instruction: enum op; second slots: OP_INVALID */
	const u8 *marks;    /* by instruction: graph.h */
	const u32 *effects; /* by instruction: graph.h */
	const u8 *params;   /* by function: which of R1 to R5 it may read; bit 0: R1 */
};

/* What to build from; all borrowed. */
struct ir_spec {
	const struct prog *prog;
	struct map *const *maps;         /* live ones, parallel to prog->maps */
	helper_fn (*helper)(u32 number); /* helper's body */
	const struct ir_functions *functions;
	const u8 *arena; /* enum verify_arena, by instruction; NULL: there is no arena */
	bool time_limit; /* CHECK at back edges and calls, but rounds.c says where not */
	/* A verifier accepted the program as Linux does: it has followed every path to
	 * its end, a million instructions at most, but those through may_goto and through
	 * callbacks.  Then a CHECK at these is as good as one at each back edge.  Nor
	 * does it write to maps that it may only read. */
	bool bounded;
	/* By instruction: which ways of a conditional jump the verifier looked at (enum
	 * verify_way): the others must not be gone.  NULL: nobody knows. */
	const u8 *ways;
	bool keep_calls; /* nothing is put in place of helper calls */
};

/* Finds the functions; array from the arena.  Errors: ENOMEM; ENOTSUP with a diag when
 * calls nest deeper than MAX_FRAMES or in a circle (callbacks and callx apart). */
int ir_find_functions(const struct prog *prog, struct arena *arena,
		      struct ir_functions *out, struct skep_diag *diag);

/* The program is one that image_new() takes.  Errors: ENOMEM. */
int ir_build(const struct ir_spec *spec, u32 function, struct arena *arena,
	     struct ir *out, struct skep_diag *diag);

/* All passes, in order. */
int ir_optimise(struct ir *ir, struct skep_diag *diag);

void ir_count_uses(struct ir *ir);

/* A listing for people and tests: a block a paragraph, "v7 = add32 v3, 5". */
void ir_print(struct text *t, const struct ir *ir);

/* Is it well formed (operands defined before use on every path, PHIs first, counts
 * right)?  NULL, or what is wrong with it, static: for tests and assertions. */
const char *ir_check(const struct ir *ir);

/* 8 bits, for tables of values that forget.  Where maps lie must not decide what is found
 * again: of an address counts whose it is and the place in its page. */
static inline u32 ir_hash(const struct ir_insn *insn)
{
	u64 imm = (u64)insn->imm;
	u32 h;

	if (insn->op == IR_ADDR)
		imm = insn->aux + (insn->row == IR_MAP_BYTES ? (imm & 4095) << 32 : 0);
	h = insn->a * 0x9e3779b1u ^ insn->b * 0x85ebca6bu ^ (u32)imm * 0xc2b2ae35u;
	h ^= insn->c * 0x27d4eb2fu ^ (u32)(imm >> 32);
	h += insn->op * 0x165667b1u + insn->row * 0x1000193u + insn->width;
	return (h ^ h >> 15) * 0x9e3779b1u >> 24;
}

static inline bool ir_is_const(const struct ir *ir, u32 value)
{
	return ir->insns[value].op == IR_CONST;
}

/* The comparison (enum jmp) that says the opposite; JMPS: there is none. */
u8 jmp_opposite(u8 row);

/* Is the upper half of the value known to be zero? */
bool ir_upper_is_zero(const struct ir *ir, u32 value);
/* What SWAP gives. */
u64 ir_swap_bytes(u8 width, u64 x);

#endif
