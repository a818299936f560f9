/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that leave registers alone, and the spills and fills that compilers put around
 * them for kernels that do not know.
 *
 * Such pairs need not run, so their stack need not be there: it does not count in the
 * combined stack of functions.  For cfg, live_regs, stack_depth and memory_stack in
 * src/verify.
 */
#ifndef SKEP_VERIFY_FASTCALL_H
#define SKEP_VERIFY_FASTCALL_H

#include "verify/env.h"

/* What the prototype says of a call; false: it is none of a helper or kfunc, or not
 * known. */
struct call_summary {
	u32 n_args;
	bool is_void, fastcall;
};
bool call_summary(const struct env *env, u32 pc, struct call_summary *sum);

/* Finds the pairs: fills aux->fastcall_spills, fastcall_pattern and the functions'
 * fields. */
void fastcall_mark(struct env *env);

/*
 * The instruction at env->pc accesses the stack of a frame at off (of a variable offset:
 * the least).  When it is no part of a pair and touches the pairs' stack, they stay.
 */
void fastcall_stack_access(struct env *env, const struct frame *frame, s32 off);

/* After exploration: the stack of functions without the pairs that need not run. */
void fastcall_shrink_stack(struct env *env);

#endif
