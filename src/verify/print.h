/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and states as text, in the form of the kernel's log, so that the two can be
 * compared: "R1=ctx() R2=scalar(umin=1,umax=9,var_off=(0x0; 0xf)) fp-8=????mmmm cb".
 *
 * For log and explain in src/verify.
 */
#ifndef SKEP_VERIFY_PRINT_H
#define SKEP_VERIFY_PRINT_H

#include "verify/env.h"

struct text;

/* What the register is: "scalar(umax=255)", "fp-8", "map_value(map=m,ks=4,vs=8)".  frame:
 * the one that it is in. */
void print_reg(struct text *t, const struct frame *frame, const struct reg *reg);
/* "map_value_or_null", "rcu_ptr_task_struct". */
void print_reg_type(struct text *t, const struct reg *reg);

/* What is printed of a frame: bits. */
struct print_parts {
	u16 regs;
	u64 slots;
};

/* One frame, its number first unless it is the first one; each item after a space. */
void print_frame(struct text *t, const struct state *st, u32 no,
		 const struct print_parts *parts);
/* The current frame, all of it. */
void print_state(struct text *t, const struct state *st);

#endif
