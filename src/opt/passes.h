/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the passes of ir_optimise() share: which values were replaced by others, and what
 * is known of each.  A pass that finds two values equal says so in `same` and goes on;
 * operands are renamed when somebody comes by (pass_operands), all of them at the end
 * (pass_rename).  Every pass is a sweep or two over the instructions.  Included by
 * src/opt alone.
 */
#ifndef SKEP_OPT_PASSES_H
#define SKEP_OPT_PASSES_H

#include "opt/ir.h"

enum { PASS_NONE = UINT32_MAX };

struct pass {
	struct ir *ir;
	u32 *same; /* by value: what took its place, or 0 */
	u8 *bits;  /* by value: all bits from this one up are known to be zero */
	u8 *want;  /* by value: all bits from this one up matter to nobody */
	bool renamed;
	u8 *states; /* by value, guess.c's; NULL: none */
	/* Counted by pass_loads(): what there is to merge. */
	u32 narrow_loads, narrow_stores, shifts;
	u32 *next; /* by block: the next part of the block that it is part of */
	u32 *tail; /* by block: its last part */
	u32 *home; /* by block: the one that took it in, itself, or PASS_NONE */
	u32 cap_insns, cap_blocks; /* room for pass_new_block() */
	u32 n_old;                 /* blocks that were there before any new one */
};

static inline u32 pass_same(const struct pass *p, u32 value)
{
	while (p->same[value])
		value = p->same[value];
	return value;
}

/* Says that `value` is the same as `as`, which stands before it on every path. */
static inline void pass_replace(struct pass *p, u32 value, u32 as)
{
	p->same[value] = as;
	p->renamed = true;
}

/* How many of its operands are that value. */
static inline u32 pass_names(const struct ir_insn *insn, u32 value)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	return (u32)(info->a && insn->a == value) + (info->b && insn->b == value) +
	       (info->c && insn->c == value);
}

/* How many arguments a call or PHI has. */
static inline u32 pass_n_args(const struct ir_insn *insn, const struct ir_block *block)
{
	return insn->op == IR_PHI ? block->n_preds : insn->n_args;
}

/* The block's next PHI from `at` on; its end: no more. */
static inline u32 pass_phi(const struct ir *ir, const struct ir_block *block, u32 at)
{
	while (at < block->end && ir->insns[at].op == IR_NOP)
		at++;
	return at < block->end && ir->insns[at].op == IR_PHI ? at : block->end;
}

static inline void pass_nop(struct ir_insn *insn)
{
	*insn = (struct ir_insn){.op = IR_NOP, .pc = insn->pc};
}

/* May something be written there?  Not where a value has been that another one replaced:
 * who names it is yet to be renamed. */
static inline bool pass_is_room(const struct pass *p, u32 at)
{
	return p->ir->insns[at].op == IR_NOP && !p->same[at];
}

/* The block that an instruction is in. */
const struct ir_block *pass_block_of(const struct ir *ir, u32 insn);
/* Renames the operands of one instruction. */
void pass_operands(struct pass *p, struct ir_insn *insn, u32 n_args);
/* Renames all of them, if any was replaced. */
void pass_rename(struct pass *p);

/* Operands of one instruction by their new numbers. */
void pass_number(const struct ir *ir, const u32 *number, struct ir_insn *insn,
		 u32 n_args);

/* blocks.c: takes in the block that b goes to, if nobody else goes there. */
void pass_join(struct pass *p, u32 b);
/* `block` becomes the last part of `into`, who ends as it did. */
void pass_absorb(struct pass *p, u32 into, u32 block);
/* A new one of so many NOPs; PASS_NONE: no memory.  Blocks and instructions may move. */
u32 pass_new_block(struct pass *p, u32 n_insns);
/* What ends the block with all its parts. */
struct ir_insn *pass_end(const struct pass *p, u32 b);
/* An empty block that another one branches to: that goes on to where it leads. */
void pass_skip(struct pass *p, u32 b);
/* Blocks are ranges again, in an order of execution.  False: no memory. */
bool pass_settle(struct pass *p);
/* select.c: small branches become SELECT; joins blocks.  False: no memory. */
bool pass_select(struct pass *p);
/* phis.c: PHIs that are one value, and two that are the same. */
void pass_phis(struct pass *p);
/* merge_*.c: accesses byte by byte become wide ones.  False: no memory. */
bool pass_merge_loads(struct pass *p);
void pass_merge_stores(struct pass *p);
/* same.c: what was computed before is not computed again. */
void pass_same_values(struct pass *p);
/* loads.c: what is known to be in memory is not loaded again. */
void pass_loads(struct pass *p);
/* demand.c: fills bits and want, and drops what computes what is known or not wanted. */
void pass_demand(struct pass *p);
/* dead.c: drops what nobody needs; counts uses.  Values get new numbers: the last of all.
 * False: no memory. */
bool pass_dead(struct pass *p);
/* choose.c: steps whose question waits for what they are added to become selects, and
 * several over a table the walk of a pointer (walk.c).  Keeps uses and needed; what is not
 * needed is room for constants. */
void pass_choose(struct pass *p, bool *needed);
/* linear.c: chains of bits are computed side by side.  Needs uses; values get new
 * numbers. False: no memory. */
bool pass_linear(struct pass *p);
/* order.c: two values that end in one do so as soon as they can.  Needs uses; values get
 * new numbers.  False: no memory. */
bool pass_order(struct pass *p);

#endif
