/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the emitter share.  emit.c walks the blocks; value.c reads and writes
 * values wherever the allocator put them; emit_*.c write the instructions; flow.c keeps
 * labels and jumps and shortens them when the function is complete.  Only this folder
 * includes it.
 *
 * While an instruction is emitted the scratch registers go to whoever asks first: R11,
 * then R10.  constrain.c and the allocator see to it that two are enough.
 */
#ifndef SKEP_EXEC_JIT_X86_64_EMIT_H
#define SKEP_EXEC_JIT_X86_64_EMIT_H

#include "exec/jit/x86_64/x86.h"

enum { CC_ALWAYS = 16 };

/* A place where code is still to change: a jump to a label, or padding. */
struct fix {
	u32 off; /* of the function's code as first written */
	u32 label;
	u8 kind;   /* enum fix_kind */
	u8 cc;     /* FIX_JUMP; CC_ALWAYS: JMP */
	u8 size;   /* bytes that it has now */
	u8 pair;   /* FIX_JUMP: bytes before it that are decoded with it */
	u8 weight; /* of a border through it: more in inner loops, outside of them 0 */
};
enum fix_kind { FIX_JUMP, FIX_WAY_OUT, FIX_ALIGN };

struct label {
	u32 off;   /* as first written */
	u32 fixes; /* how many stand before it */
};

/* An edge whose moves stand behind all blocks. */
struct stub {
	u32 block, edge; /* block's succ[edge] */
	u32 label;
};

enum { EMIT_ROOM = 512 }; /* no instruction of ours takes more, its check included */

struct emitter {
	struct encoder e; /* where in out->code */
	const struct ir *ir;
	const struct allocation *where;
	struct native *out;
	u32 features;
	u32 start;             /* of the function in out->code */
	u32 taken;             /* scratch registers in use */
	bool keep_flags;       /* they are alive: no XOR to make a zero */
	bool failed;           /* memory ran out */
	bool leaves_with_zero; /* somebody jumps to label_zero() */
	/* The frame, relative to RSP in the body. */
	s32 frame; /* R10, the end of the stack */
	s32 slots; /* slot n is at slots - 8 * n */
	s32 spare; /* six words for calls that keep their arguments */
	u32 local; /* bytes that RSP goes down after the pushes */
	u32 saved; /* registers pushed */
	/* flow.c */
	struct fix *fixes;
	struct label *labels; /* of blocks by number, then the two below, then stubs */
	struct stub *stubs;
	struct move *moves; /* room for the widest edge, and for calls */
	u32 (*preds)[2];    /* by block: number of its edges among the target's
			       predecessors */
	bool *has_phis;     /* by block */
	/* Slots whose values R11 and R10 hold still, or LOC_NONE: value.c */
	s16 held[2];
	/* The flags are those of this value's computation while code ends here. */
	u32 flags_at; /* offset in out->code; 0: no value */
	u32 flags_of;
	/* Or those that a SELECT asked. */
	u32 asked_at;
	u32 asked_of; /* its condition */
	u32 asked_cc; /* that it holds */
	u32 insn_at;  /* where the code of the instruction starts, in out->code */
	u32 pair;     /* struct fix: of the next jump */
	u8 weight;
	u32 n_fixes, n_stubs, n_labels;
	u8 sink[EMIT_ROOM]; /* where code goes when there is no memory */
};

/* Labels behind those of blocks. */
static inline u32 label_out(const struct emitter *m)
{
	return m->ir->n_blocks; /* to the way out, because run->err is set */
}

static inline u32 label_zero(const struct emitter *m)
{
	return m->ir->n_blocks + 1; /* leave the function with R0 = 0 */
}

static inline const struct ir_insn *insn_of(const struct emitter *m, u32 value)
{
	return &m->ir->insns[value];
}

/* ---- value.c ---- */

/* EMIT_ROOM more bytes. */
void make_room(struct emitter *m);

u8 take_scratch(struct emitter *m);
void release_scratch(struct emitter *m); /* both */

/* They hold nothing that anybody knows: at labels, and when they were written to without
 * having been taken. */
void forget_held(struct emitter *m);
/* A slot is written. */
void forget_slot(struct emitter *m, s16 loc);

struct x86_rm place_of(const struct emitter *m, s16 loc); /* register or slot */

/* Puts a value into a register, whatever it is. */
void put_value(struct emitter *m, u8 dst, u32 value);
void put_const(struct emitter *m, u8 dst, u64 imm); /* blinded where that is asked for */
/* The register that it is in, else a scratch register with it. */
u8 in_register(struct emitter *m, u32 value);
/* As an operand: a register, a slot, memory where the value is a fused LOAD. */
struct x86_rm operand_of(struct emitter *m, u32 value);
/* As an immediate for an operation of that width, if it can be one. */
bool immediate_of(const struct emitter *m, u32 value, u32 width, s32 *imm);
/* The register it is in, or NO_REG. */
u8 register_of(const struct emitter *m, u32 value);
/* What a LOAD, STORE, ATOMIC .. accesses. */
struct x86_rm address_of(struct emitter *m, const struct ir_insn *insn);
bool mentions(struct x86_rm rm, u8 reg);

/* Where the result is computed: its own register, else a scratch register; finish()
 * brings it home. */
u8 x86_target(struct emitter *m, const struct ir_insn *insn);
void finish(struct emitter *m, const struct ir_insn *insn, u8 reg);

/* A rebuilt value that has a place of its own. */
void put_result(struct emitter *m, u32 number);
void put_address(struct emitter *m, u8 dst, const struct native_reloc *reloc);
void put_place(struct emitter *m, u8 dst, s16 loc);
void move_register(struct emitter *m, u8 dst, u8 src);
void make_moves(struct emitter *m, struct move *moves, u32 n);

/* ---- emit_alu.c, emit_compare.c, emit_memory.c, emit_call.c ---- */

void x86_emit_alu(struct emitter *m, const struct ir_insn *insn);
void x86_emit_rotl(struct emitter *m, const struct ir_insn *insn);
void x86_emit_swap(struct emitter *m, const struct ir_insn *insn);
void x86_emit_mulh(struct emitter *m, const struct ir_insn *insn);
void x86_emit_count(struct emitter *m, const struct ir_insn *insn);
void x86_emit_divide(struct emitter *m, const struct ir_insn *insn);

/* Are the flags already those of the comparison? */
bool flags_are_there(const struct emitter *m, const struct ir_insn *insn);
/* Compares the operands of a CMP or JMP; returns the condition that says it is true. */
u32 x86_emit_condition(struct emitter *m, const struct ir_insn *insn);
/* Does a comparison read the register? */
bool x86_compares(const struct emitter *m, const struct ir_insn *insn, u8 reg);
void x86_emit_cmp(struct emitter *m, const struct ir_insn *insn);
void x86_emit_select(struct emitter *m, const struct ir_insn *insn);
void x86_emit_add_carry(struct emitter *m, const struct ir_insn *insn);

void x86_emit_load(struct emitter *m, const struct ir_insn *insn);
void x86_emit_store(struct emitter *m, const struct ir_insn *insn);
void x86_emit_load_acq(struct emitter *m, const struct ir_insn *insn);
void x86_emit_store_rel(struct emitter *m, const struct ir_insn *insn);
void x86_emit_atomic(struct emitter *m, const struct ir_insn *insn);

void x86_emit_call(struct emitter *m, const struct ir_insn *insn);
void x86_emit_call_local(struct emitter *m, const struct ir_insn *insn);
void x86_emit_callx(struct emitter *m, const struct ir_insn *insn);
void x86_emit_tail_call(struct emitter *m, const struct ir_insn *insn);
void x86_emit_ld_packet(struct emitter *m, const struct ir_insn *insn);
void x86_emit_check(struct emitter *m);
void x86_emit_prologue(struct emitter *m);
void x86_emit_epilogue(struct emitter *m); /* without RET */

/* ---- layout.c ---- */

struct laid {
	u32 block;
	bool top; /* a loop begins with it */
};

/* All blocks, the first one first, then one of number UINT32_MAX; NULL: no memory. */
struct laid *x86_lay_out(const struct ir *ir);
/* Is it a short loop that looks at the time?  Then it is there twice, one round behind
 * the other, and only the first one looks. */
bool x86_is_twice(const struct ir *ir, u32 block);
/* Does the block go on to the end of a loop that lies behind it once more, and the block
 * that the loop begins with? */
bool x86_find_end(const struct ir *ir, u32 block, u32 *end, u32 *loop);

/* ---- flow.c ---- */

/* Room for labels and jumps, numbers of edges.  -ENOMEM. */
int flow_begin(struct emitter *m);
void flow_begin_block(struct emitter *m, struct laid laid);
void flow_label(struct emitter *m, u32 label);
/* Nothing is known of flags and scratch registers: others may come here. */
void flow_forget(struct emitter *m);
void flow_jump(struct emitter *m, u32 cc, u32 label);
void flow_way_out(struct emitter *m);
/* The end of a block; next: what is emitted behind it, or none. */
void flow_end_block(struct emitter *m, u32 block, u32 next);
/* The moves of the one edge, to what is emitted next. */
void flow_to(struct emitter *m, u32 block);
void flow_stubs(struct emitter *m);
/* Shortens and completes the jumps; moves code, relocs and lines. */
void flow_finish(struct emitter *m, u32 first_reloc, u32 first_line);

#endif
