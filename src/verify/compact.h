/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept states made small: compact.c.  For the exploration in src/verify.
 */
#ifndef SKEP_VERIFY_COMPACT_H
#define SKEP_VERIFY_COMPACT_H

#include "verify/env.h"

/* Of the registers and the spilled ones of a frame, a bit each: is a number; is precise.
 */
struct small_marks {
	u64 slots, slots_precise;
	u16 regs, regs_precise;
};

/* A kept state that nobody knows yet, made small: st is given up, and has no frames then,
 * but ->small.  It may be st itself.  NULL: no memory, told, and st is as it was. */
struct state *state_compact(struct env *env, struct state *st);

/* Each is good until the next one of its kind.  A base (pack.c) does not change but for
 * its marks: what is open of it need not be opened again. */
enum opened { OPENED_SEEN, OPENED_BASE, OPENED_KINDS };
/* The small state, whole, to look at. */
struct state *state_open(struct env *env, const struct state *st, enum opened which);
/* A kept state to look at: itself, unless it is small. */
static inline const struct state *state_whole(struct env *env, const struct state *st)
{
	return st->small ? state_open(env, st, OPENED_SEEN) : st;
}
/* The same without its stack, as OPENED_SEEN: what that does not cover st does not, either. */
struct state *state_open_regs(struct env *env, const struct state *st);
/* What was cleaned there is not in the small one any more, either. */
void state_close(struct env *env, struct state *st, const struct state *whole);

struct small_marks *state_marks(const struct state *st, u32 frame);
u32 small_callsite(const struct state *st, u32 frame);

#endif
