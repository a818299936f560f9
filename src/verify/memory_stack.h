/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack as bytes: what loads and stores (memory_stack.c) and the memory arguments of
 * calls (stack_region.c) share.
 *
 * For these two files.
 */
#ifndef SKEP_VERIFY_MEMORY_STACK_H
#define SKEP_VERIFY_MEMORY_STACK_H

#include "verify/memory.h"

/* Bytes of the stack that a register points to. */
struct stack_range {
	u32 reg;
	s32 off; /* beside that of the register */
	u32 size;
	enum access_type type;
	/* found by stack_range_check(): */
	struct frame *frame; /* borrowed from the working state */
	bool fixed;          /* min == max */
	s64 min, max;        /* of the first byte; -512 .. -1 */
};

/* Is it inside of the frame?  Makes room for it. */
int stack_range_check(struct env *env, struct stack_range *range);
/* Somebody reads, or (clobber) reads and writes any bytes of the range: they must be
 * initialised and no objects. */
int stack_bytes_read(struct env *env, const struct stack_range *range, bool clobber);
/* The type of one byte: those of the bytes after it in the same slot follow. */
u8 *stack_byte(struct frame *frame, s32 off);
/* The slot holds bytes from now on, no register or object. */
void stack_scrub_special(struct slot *slot);

#endif
