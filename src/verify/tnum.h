/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: of each bit of a 64-bit value whether it is 0, 1 or unknown.
 *
 * Concretisation: { x | (x & ~mask) == value }; value & mask is always 0.  Every
 * operation is sound: when x is in a and y in b, then x op y is in tnum_op(a, b).
 * Addition, subtraction and multiplication after Vishwanathan, Shachnai, Narayana,
 * Nagarakatte: "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers"
 * (CGO 2022). Each operation computes with the two extreme members of its operands, or
 * with carries that may happen, and takes as unknown every bit in which they differ.
 *
 * Nearly all are a few instructions, executed dozens of times for each instruction that
 * is verified: they are inline.  For src/verify.
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

static inline struct tnum tnum_of(u64 value, u64 unknown)
{
	return (struct tnum){value & ~unknown, unknown};
}

/*
 * The smallest tnum with all of [min, max] (unsigned): all bits below the highest in
 * which the two differ are unknown, those above known.
 */
static inline struct tnum tnum_range(u64 min, u64 max)
{
	u64 differ = min ^ max;

	if (!differ)
		return tnum_const(min);
	return tnum_of(min, ~0ull >> __builtin_clzll(differ));
}

static inline struct tnum tnum_lsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

static inline struct tnum tnum_rsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

struct tnum tnum_arsh(struct tnum a, u8 shift, u8 width); /* width: 32 or 64 */

/* The smallest sum has no carry out of unknown bits, the largest all of them: where the
 * two differ a carry may or may not arrive. */
static inline struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 least = a.value + b.value;
	u64 most = least + (a.mask + b.mask);

	return tnum_of(least, (most ^ least) | a.mask | b.mask);
}

static inline struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 known = a.value - b.value;
	u64 most = known + a.mask, least = known - b.mask;

	return tnum_of(known, (most ^ least) | a.mask | b.mask);
}

static inline struct tnum tnum_neg(struct tnum a)
{
	return tnum_sub(tnum_const(0), a);
}

static inline struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;
	u64 maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, maybe & ~ones};
}

static inline struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

static inline struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return tnum_of(a.value ^ b.value, a.mask | b.mask);
}

struct tnum tnum_mul(struct tnum a, struct tnum b);

/* The low size bytes, swapped; the rest is zero. */
struct tnum tnum_bswap(struct tnum a, u8 size);

/* The smallest member above n; the largest one where there is none. */
u64 tnum_next(struct tnum a, u64 n);

/* What is in both; where one has a known 1 and the other a known 0, which no value has in
 * both (tnum_overlap), it gives 1. */
static inline struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	return tnum_of(a.value | b.value, a.mask & b.mask);
}

/* The smallest that has both. */
static inline struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return tnum_of(a.value, a.mask | b.mask | (a.value ^ b.value));
}

static inline bool tnum_overlap(struct tnum a, struct tnum b)
{
	return !((a.value ^ b.value) & ~a.mask & ~b.mask);
}

/* Is everything of b in a? */
static inline bool tnum_in(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && a.value == (b.value & ~a.mask);
}

/* Of the low size bytes, zero-extended. */
static inline struct tnum tnum_cast(struct tnum a, u8 size)
{
	u64 kept = size >= 8 ? ~0ull : (1ull << size * 8) - 1;

	return (struct tnum){a.value & kept, a.mask & kept};
}

/* Are all values multiples of size, a power of two or 0 (always)? */
static inline bool tnum_is_aligned(struct tnum a, u64 size)
{
	return !size || !((a.value | a.mask) & (size - 1));
}

/* The low half. */
static inline struct tnum tnum_subreg(struct tnum a)
{
	return (struct tnum){(u32)a.value, (u32)a.mask};
}

/* The upper half, in place. */
static inline struct tnum tnum_clear_subreg(struct tnum a)
{
	return (struct tnum){a.value >> 32 << 32, a.mask >> 32 << 32};
}

static inline struct tnum tnum_with_subreg(struct tnum a, struct tnum subreg)
{
	return (struct tnum){a.value >> 32 << 32 | (u32)subreg.value,
			     a.mask >> 32 << 32 | (u32)subreg.mask};
}

#endif
