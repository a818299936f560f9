/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does the program get into a state that the verifier did not claim?
 *
 * The verifier's word for a register (a range, a kind of pointer with an offset) against
 * the number that is in it, for the memory that this run has.  Only checked.c includes
 * this.
 */
#ifndef SKEP_EXEC_CLAIMED_H
#define SKEP_EXEC_CLAIMED_H

#include "exec/checked.h"

/* Before an instruction of ck->image. */
struct moment {
	u32 pc;
	u32 known;    /* a bit each: registers that hold something */
	const u64 *r; /* N_REGS */
};

/* 0, or a negative errno with the account in run->diag.  The image has claims. */
int claims_checked(struct checked *ck, const struct moment *now);

#endif
