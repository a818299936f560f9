/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier claims of an accepted program: for each instruction, every state of
 * the registers that it may be executed in.
 *
 * A program is sound when each state that it really gets into is one of them; the checked
 * engine asserts that (exec/claimed.h), fuzzers run with it.  Only registers that may
 * still be read are claimed: what is on the stack shows when it is loaded.  For src/exec
 * and tests.
 */
#ifndef SKEP_VERIFY_CLAIMS_H
#define SKEP_VERIFY_CLAIMS_H

#include "verify/state.h"

struct claims;
struct prog;
struct skep_diag;
struct text;
struct verify_opts;

/*
 * One explored state of an instruction.  Registers that nobody reads any more, and kinds
 * that stand for objects of the kernel, are UNINIT: nothing is claimed.  Ids are small
 * numbers that only mean something within the claim.
 */
struct claim {
	u32 depth;   /* of frames: number of the current one */
	u16 claimed; /* a bit each: registers of which anything is claimed */
	u16 related; /* ... that have an id */
	struct reg regs[N_REGS];
};

/* for_each_bit(i, claim->claimed) */
#define for_each_bit(i, bits)                                                            \
	for (u32 left_ = (bits), i; left_ && (i = (u32)__builtin_ctz(left_), true);      \
	     left_ &= left_ - 1)

/* All of one instruction; n 0: it is never executed. */
struct claim_set {
	const struct claim *claims; /* borrowed from struct claims */
	u32 n;
	bool anything; /* too many to be told: nothing is claimed */
};

/*
 * Verifies once more, in a way that what is explored covers all that can happen: no
 * scalar is left out when states are compared.  Costs more time and memory than a
 * verification.  Errors: those of verify_prog(), also where it accepts (too complex).
 */
int claims_new(const struct prog *prog, const struct verify_opts *opts,
	       struct claims **out, struct skep_diag *diag);
void claims_free(struct claims *claims);

struct claim_set claims_at(const struct claims *claims, u32 pc);
/* How many instructions have so many states that nothing is claimed. */
u32 claims_given_up(const struct claims *claims);

/* What was claimed of a register, each different thing once: "3 or scalar(umax=7)". */
void claims_print(struct text *t, const struct claims *claims, u32 pc, u32 regno);

#endif
