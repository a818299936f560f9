/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from one instruction: the working state before it becomes the one after it.
 *
 * One function per class of instructions.  Each returns 0 (env->pc is where it goes on) or
 * a negative errno with the reason; a path that ends says so in *step.  For src/verify.
 */
#ifndef SKEP_VERIFY_TRANSFER_H
#define SKEP_VERIFY_TRANSFER_H

#include "verify/env.h"

/* The instruction at env->pc; sets env->pc to the next one.  transfer.c */
int transfer(struct env *env, enum step *step);

/* Is the register written?  The first question of every read. */
static inline int need_reg(struct env *env, u32 regno)
{
	if (env_regs(env)[regno].kind == UNINIT)
		return reject(env, READ_UNINIT, (int)regno);
	return 0;
}

/* It gets a value: not R10. */
static inline int need_writable(struct env *env, u32 regno)
{
	return regno == R10 ? reject(env, WRITE_FRAME_POINTER) : 0;
}

/*
 * What was computed contradicts itself, which happens on code that cannot run: as Linux does,
 * its ranges are forgotten (or, asked for by BPF_F_TEST_REG_INVARIANTS, it is refused).
 */
int need_consistent(struct env *env, struct scalar *value);

/* Functions that leave env->pc alone: transfer() goes on after the instruction. */

/* The error of what returned NULL and told why. */
static inline int env_told(const struct env *env)
{
	return env->diag->err < 0 ? env->diag->err : -ENOMEM;
}

/* alu.c: moves, arithmetic, byte swaps, casts between address spaces.  alu_fini() frees what
 * they remember. */
void alu_fini(struct env *env);
int transfer_alu(struct env *env, const struct insn *insn, const struct op_info *op);

/* pointer.c: dst op= number or number op= pointer; dst is the result. */
struct pointer_op {
	enum alu op;
	u32 dst; /* register that gets the result */
	const struct reg *pointer, *number; /* pointer may be dst itself, number not */
	bool swapped; /* number op pointer */
};
int transfer_pointer(struct env *env, const struct insn *insn, const struct pointer_op *op);

/* jump.c: conditional jumps, and those whose condition is hidden; both set env->pc. */
int transfer_jump(struct env *env, const struct insn *insn, const struct op_info *op,
		  enum step *step);
int transfer_may_goto(struct env *env, const struct insn *insn);

/* memory.c: loads, stores, atomics. */
int transfer_memory(struct env *env, const struct insn *insn, const struct op_info *op);
/* LD_ABS and LD_IND; sets env->pc. */
int transfer_legacy(struct env *env, const struct insn *insn, const struct op_info *op);

/* constant.c: 64-bit immediates: numbers, maps, values, functions, kernel variables. */
int transfer_lddw(struct env *env, const struct insn *insn);

/* call.c: calls of helpers, kfuncs and functions; exit. */
int transfer_call(struct env *env, const struct insn *insn, enum step *step);
int transfer_exit(struct env *env, const struct insn *insn, enum step *step);

#endif
