/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of pass_select() have in common.  select.c: small branches become
 * SELECT; select_load.c: those around a load; select_pair.c: two become one; guess.c:
 * which stay branches.
 */
#ifndef SKEP_OPT_SELECT_H
#define SKEP_OPT_SELECT_H

#include "opt/passes.h"

/* A branch: from a block over one or two sides to where they meet. */
struct branch {
	u32 from, meet;
	u32 sides[2]; /* where it is true, and where not; PASS_NONE: none */
};

/* The PHIs where the sides meet. */
struct ends {
	u32 at[2];  /* among the predecessors of meet: the true side's and the false */
	u32 n_phis; /* that differ */
	u32 n_free; /* NOPs behind what the sides compute */
};

/* Of a block with all its parts, but for what ends it: instructions, more or less. */
u32 pass_cost_of_block(const struct pass *p, u32 block);
/* Is it reached from one block only, and goes on to one? */
bool pass_is_side(const struct pass *p, u32 b);
/* To which: of what ends with a GOTO. */
u32 pass_goes_on_to(const struct pass *p, u32 side);
/* Which of the block's predecessors it is; n_preds: none. */
u32 pass_find_pred(const struct pass *p, const struct ir_block *block, u32 pred);
/* What would have to be selected. */
void pass_find_ends(const struct pass *p, const struct branch *branch, struct ends *ends);
/* Is it cheap enough, is there room, and is it not better left a branch? */
bool pass_is_worth_it(const struct pass *p, const struct branch *branch,
		      const struct ends *ends);
/* Writes cmp ? yes : no; or, of 1 and 0, the comparison or its opposite. */
void pass_write_select(struct pass *p, u32 at, u32 cmp, const u32 sides[2]);
/* One of the ways leads there no more. */
void pass_drop_pred(struct pass *p, struct ir_block *meet, u32 gone);

/* select_pair.c: makes one branch of two, if that can then be selected. */
bool pass_join_pair(struct pass *p, u32 b);

/* A side that is a load, behind a branch by a bit, is made such that it may run in any
 * case, and its PHI the same from either way.  false: it is none, all is as it was. */
bool pass_select_load(struct pass *p, const struct branch *branch,
		      const struct ends *ends);

/* Fills p->states.  False: no memory. */
bool pass_find_states(struct pass *p);
/* Is the branch better left one? */
bool pass_is_guessed(const struct pass *p, const struct branch *branch,
		     const struct ends *ends);
/* Does it ask whether what is made of constants, and of steps by constants, is above or
 * below a constant?  In a loop that is a counter. */
bool pass_asks_counter(const struct pass *p, const struct ir_insn *jmp);

#endif
