/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotates, and what they look through.  Included by src/opt alone.
 */
#ifndef SKEP_OPT_ROTATE_H
#define SKEP_OPT_ROTATE_H

#include "opt/ir.h"

/* What has the same low bits and is there already: the value before it was extended. */
u32 ir_low_part(const struct ir *ir, u32 value, u32 width);

/* Two shifts can be a rotate if this joins them. */
static inline bool ir_may_rotate(const struct ir_insn *insn)
{
	return insn->op == IR_ALU &&
	       (insn->row == ALU_OR || insn->row == ALU_XOR || insn->row == ALU_ADD);
}

/* Are the low bits of `sum`, an ir_may_rotate(), as many as `width`, those of a rotate of
 * that width?  Of a sum of 64 bits they may be 32.  True of the form as it stands, for
 * all values: whoever asks must have renamed its operands. */
bool ir_find_rotate(const struct ir *ir, const struct ir_insn *sum, u8 width,
		    struct ir_insn *rotate);

#endif
