/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler must know of a machine, and what one gives it: the contract between
 * the driver (jit.c), the register allocator (alloc.c) and x86_64/, aarch64/.
 *
 * A function of a program becomes a C function: u64 f(struct run *run, u64 r1 .. u64 r5),
 * the same shape as a helper's, so that calls among functions, helpers and callbacks are
 * plain calls of the platform's ABI.  Its frame has the BPF stack (ir->stack_size bytes;
 * R10 is their end) and the spill slots.  A run that must end (run->err is not zero after
 * a call, or its time is over at a CHECK) does not return: it jumps to the way out, which
 * jit_enter() left in struct jit_run; unless native.returns.
 */
#ifndef SKEP_EXEC_JIT_MACHINE_H
#define SKEP_EXEC_JIT_MACHINE_H

#include "base/types.h"
#include "opt/ir.h"

struct allocation;
struct native;
struct native_reloc;

enum { NO_REG = 0xff };
enum { MAX_ARGS = 5 };

/*
 * What an instruction wants of the allocator.  Positions: operands are read first, then
 * clobbers die, then the result is written.  Wishes (in[], out, args) are only that:
 * whoever emits moves what lies elsewhere.  A value that is needed after the instruction
 * is never in a clobbered register; an operand that ends here may be, and the result may
 * be.  A late operand is read last of all: it is in no clobbered register either.  What
 * is fused is read where its user stands: its operands live until there.
 *
 * RUN stands in block 0 of every function with calls, CHECK or LD_PACKET: these
 * read it without naming it, also after their clobbers, in allocation.run.  RUN and
 * PARAMs stand at the start of block 0, before all else: the prologue moves them at once.
 */
struct constraint {
	u32 clobbers;    /* registers that lose what is in them */
	u8 a, b, c, out; /* wished registers, or NO_REG */
	u8 args[MAX_ARGS];
	bool tied;                   /* the result had better be where operand a was */
	bool late_a, late_b, late_c; /* the operand is read after the result may be
					written: never in the result's register */
};

/* Where each value lives for all of its life: a register >= 0, a slot of the frame (8
 * bytes), or nowhere: fused, unused, or rebuilt at each use (CONST, ADDR, FRAME; RUN is
 * never).  Those that are only arguments of calls and PHIs are always rebuilt: straight
 * into the place where they are wanted. */
enum { LOC_NONE = -1 };

static inline s16 loc_of_slot(u32 slot)
{
	return (s16)(-2 - (s32)slot);
}

static inline bool loc_is_slot(s16 loc)
{
	return loc < LOC_NONE;
}

static inline u32 loc_slot(s16 loc)
{
	return (u32)(-2 - loc);
}

struct allocation {
	s16 *loc;     /* by value; from the arena */
	s16 run;      /* where struct run * lives; LOC_NONE: nobody needs it */
	u32 n_slots;  /* of the frame */
	u32 used;     /* registers that are ever written, clobbers included */
	u32 *live_in; /* by block: registers with what was written before it and is read
			 in or behind it; PHIs apart */
};

/* Among features, of no CPU: numbers of the program must not stand in the code as they
 * are (JIT_BLIND), so that they are no immediates.  The driver sets it. */
enum { MACHINE_BLIND = 1 << 30 };

struct machine {
	const char *name;        /* "x86_64" */
	u32 registers;           /* that may be given to values; bit = number */
	u32 spill_scratch;       /* of these: withheld as soon as anything is spilled */
	u32 caller_saved;        /* of these: lost at calls */
	u8 params[1 + MAX_ARGS]; /* where run and R1 to R5 arrive */
	/* Marks what is part of other instructions (IR_FUSED), and may rewrite into forms
	 * that the machine likes (scaled indexes). Recounts uses. */
	void (*select)(struct ir *ir, u32 features);
	/* Of every instruction that is neither NOP nor fused; *c comes zeroed with
	 * NO_REGs. */
	void (*constrain)(const struct ir *ir, u32 insn, u32 features,
			  struct constraint *c);
	/* What a blob of code starts with: jit_enter() at offset 0 (see jit.h), then the
	 * way out, whose offset goes to out->way_out. */
	void (*begin)(struct native *out);
	/* Appends one function and fills its row of out->functions.  Errors: ENOMEM. */
	int (*emit)(const struct ir *ir, const struct allocation *where,
		    struct native *out);
	/* Writes an address into the code: relocs of kind NATIVE_CALL_FUNC get target -
	 * place, the others the address. */
	void (*link)(u8 *place, const struct native_reloc *reloc, u64 target);
};

/* Both are always built: what is not for the host is for tests. */
extern const struct machine machine_x86_64, machine_aarch64;

/* (alloc.c)  Values that are alive at the same time never share a place.  PHIs and their
 * arguments share one where they can; where not, the emitter moves (moves.h) on the edge.
 * Errors: ENOMEM. */
int allocate(const struct ir *ir, const struct machine *machine, u32 features,
	     struct allocation *out);

/* (count.c)  For select(): makes COUNTs of what counts bits by arithmetic; of ones only
 * for machines that count them.  Uses must be counted. */
void find_counts(struct ir *ir, bool ones);
/* One use less of the value; an ALU, CMP or SELECT that then has none becomes a NOP, and
 * uses nothing either. */
void drop_use(struct ir *ir, u32 value);

/* (logs.c)  For select(): makes COUNTs of logarithms.  Uses must be counted. */
void find_logs(struct ir *ir);

/* (moves.c)  Moves that happen at once, put in an order.  A source is a value's place or,
 * with loc LOC_NONE, the value itself (to be rebuilt). */
struct move {
	s16 to;   /* register or slot */
	s16 from; /* register, slot, LOC_NONE */
	u32 value;
};

struct move_ops {
	void *arg;
	void (*move)(void *arg, const struct move *move);
	void (*swap)(void *arg, s16 a, s16 b); /* cycles; a slot can be among them: then
						  spill_scratch is free */
};

/* The array is used up. */
void moves_in_order(struct move *moves, u32 n, const struct move_ops *ops);

/* What block's PHIs need when it is entered from its n-th predecessor: moves whose places
 * differ; room for one per PHI.  Returns how many. */
u32 moves_of_edge(const struct ir *ir, const struct allocation *where, u32 block,
		  u32 pred, struct move *moves);
u32 count_phis(const struct ir *ir, u32 block);

/* Does the instruction call a function of the engine, of those whose caller keeps run and
 * R1 to R5, or gets the answer, in words of its frame?  Six are enough. */
static inline bool calls_with_room(const struct ir_insn *insn)
{
	return insn->op == IR_CALLX || insn->op == IR_LD_PACKET ||
	       (insn->op == IR_TAIL_CALL && !insn->row);
}

/* ---- native code ---- */

/* A place that gets an address when the code is put where it runs. */
struct native_reloc {
	u32 off;   /* of the 8 bytes (x86_64: imm64; aarch64: literal or movz/movk x4) */
	u8 kind;   /* enum ir_addr, or NATIVE_* */
	u32 index; /* ir_insn.aux; function; enum jit_routine */
	s64 value; /* the address now; IR_MAP_BYTES, once it is compiled: what
		      to add to the region's */
};
enum {
	NATIVE_ROUTINE = IR_ADDRS, /* a C function of the engine: enum jit_routine */
	NATIVE_CALL_FUNC,          /* pc-relative, to function index of the same blob */
	NATIVE_IMAGE,              /* struct image * of the program itself */
	NATIVE_PROG,               /* its struct prog * */
};

struct native_line {
	u32 off; /* from here on */
	u32 pc;  /* the code comes from this instruction of the program */
};

/* Unwinding: what a function's prologue did. */
struct native_function {
	u32 start, size; /* bytes in the code */
	u32 frame; /* bytes from the CFA to the stack pointer in the body, return address
		      included */
	u32 saved; /* mask of callee-saved registers, stored in ascending order of number,
		      first one highest, right below the return address (aarch64: below
		      the frame record, whose bit is that of the link register) */
	u32 body;  /* offset from start where the prologue is over */
};

struct native {
	u8 *code;
	u32 len, cap;
	struct native_reloc *relocs;
	u32 n_relocs, cap_relocs;
	struct native_line *lines;
	u32 n_lines, cap_lines;
	struct native_function *functions; /* n of them, by number */
	u32 n_functions;
	u32 way_out;     /* offset */
	u32 exception;   /* number of the exception callback; 0: none was named */
	bool tail_calls; /* some function of the program makes them: see jit.h */
	bool returns;    /* a run that must end returns 0: see jit.h */
	const struct machine *machine;
	u32 features; /* of the CPU: x86: enum x86_feature */
	u32 harden;   /* enum jit_harden */
	u64 blinding; /* random, for harden */
	u32 known_to; /* enum jit_known_to: who is told when it is linked */
	bool failed;  /* memory ran out; checked once at the end */
};

/* Room for that many more bytes behind len (at n->code + n->len, to be filled and counted
 * by the caller); NULL when memory ran out. */
u8 *native_room(struct native *n, u32 bytes);
void native_byte(struct native *n, u8 byte);
void native_u32(struct native *n, u32 word);
void native_u64(struct native *n, u64 word);
void native_reloc(struct native *n, const struct native_reloc *reloc);
void native_line(struct native *n, u32 pc);
void native_fini(struct native *n);

#endif
