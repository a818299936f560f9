/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: of each bit of a 64-bit value whether it is 0, 1 or unknown.
 *
 * Concretisation: { x | (x & ~mask) == value }; value & mask is always 0.  Every operation
 * is sound: when x is in a and y in b, then x op y is in tnum_op(a, b).  Addition,
 * subtraction and multiplication after Vishwanathan, Shachnai, Narayana, Nagarakatte:
 * "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers" (CGO 2022).
 * For src/verify.
 */
#ifndef SKEP_VERIFY_TNUM_H
#define SKEP_VERIFY_TNUM_H

#include "base/types.h"

struct tnum {
	u64 value, mask;
};

#define TNUM_UNKNOWN ((struct tnum){0, ~0ull})

static inline struct tnum tnum_const(u64 value)
{
	return (struct tnum){value, 0};
}

static inline bool tnum_is_const(struct tnum a)
{
	return !a.mask;
}

static inline bool tnum_equals(struct tnum a, u64 value)
{
	return !a.mask && a.value == value;
}

static inline bool tnum_is_unknown(struct tnum a)
{
	return !~a.mask;
}

/* The smallest tnum with all of [min, max] (unsigned). */
struct tnum tnum_range(u64 min, u64 max);

struct tnum tnum_lsh(struct tnum a, u8 shift);
struct tnum tnum_rsh(struct tnum a, u8 shift);
struct tnum tnum_arsh(struct tnum a, u8 shift, u8 width); /* width: 32 or 64 */
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_neg(struct tnum a);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);

/* The low size bytes, swapped; the rest is zero. */
struct tnum tnum_bswap(struct tnum a, u8 size);

/* The smallest member above n; the largest one where there is none. */
u64 tnum_next(struct tnum a, u64 n);

/* What is in both; meaningless when nothing is (tnum_overlap). */
struct tnum tnum_intersect(struct tnum a, struct tnum b);
/* The smallest that has both. */
struct tnum tnum_union(struct tnum a, struct tnum b);
bool tnum_overlap(struct tnum a, struct tnum b);
/* Is everything of b in a? */
bool tnum_in(struct tnum a, struct tnum b);
/* Of the low size bytes, zero-extended. */
struct tnum tnum_cast(struct tnum a, u8 size);
/* Are all values multiples of size, a power of two or 0 (always)? */
bool tnum_is_aligned(struct tnum a, u64 size);

struct tnum tnum_subreg(struct tnum a);              /* the low half */
struct tnum tnum_clear_subreg(struct tnum a);        /* the upper half, in place */
struct tnum tnum_with_subreg(struct tnum a, struct tnum subreg);

#endif
