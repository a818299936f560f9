/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers.  Each operation computes with the two extreme members of its
 * operands, or with carries that may happen, and takes as unknown every bit in which they
 * differ. Never does: look at ranges, allocate.  More: tnum.h and the paper it names.
 */
#include "verify/tnum.h"

static struct tnum tnum_of(u64 value, u64 unknown)
{
	return (struct tnum){value & ~unknown, unknown};
}

/* All bits below the highest in which min and max differ are unknown, those above known.
 */
struct tnum tnum_range(u64 min, u64 max)
{
	u64 differ = min ^ max;

	if (!differ)
		return tnum_const(min);
	return tnum_of(min, ~0ull >> __builtin_clzll(differ));
}

struct tnum tnum_lsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

struct tnum tnum_rsh(struct tnum a, u8 shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

/* The sign bit is copied whether it is known or not: as an unknown bit it is unknown in
 * all its copies, which admits more than there is, and nothing less. */
struct tnum tnum_arsh(struct tnum a, u8 shift, u8 width)
{
	if (width == 32)
		return (struct tnum){(u32)((s32)a.value >> shift),
				     (u32)((s32)a.mask >> shift)};
	return (struct tnum){(u64)((s64)a.value >> shift), (u64)((s64)a.mask >> shift)};
}

/* The smallest sum has no carry out of unknown bits, the largest all of them: where the
 * two differ a carry may or may not arrive. */
struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 least = a.value + b.value;
	u64 most = least + (a.mask + b.mask);

	return tnum_of(least, (most ^ least) | a.mask | b.mask);
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 known = a.value - b.value;
	u64 most = known + a.mask, least = known - b.mask;

	return tnum_of(known, (most ^ least) | a.mask | b.mask);
}

struct tnum tnum_neg(struct tnum a)
{
	return tnum_sub(tnum_const(0), a);
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;
	u64 maybe = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, maybe & ~ones};
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return tnum_of(a.value ^ b.value, a.mask | b.mask);
}

/* By hand: an unknown bit of a gives both sums, with and without b at its place. */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	if (!(a.mask | b.mask))
		return tnum_const(a.value * b.value);
	for (; a.value | a.mask; a = tnum_rsh(a, 1), b = tnum_lsh(b, 1)) {
		if (a.value & 1)
			sum = tnum_add(sum, b);
		else if (a.mask & 1)
			sum = tnum_union(sum, tnum_add(sum, b));
	}
	return sum;
}

struct tnum tnum_bswap(struct tnum a, u8 size)
{
	u8 unused = 64 - 8 * size;

	return (struct tnum){__builtin_bswap64(a.value << unused),
			     __builtin_bswap64(a.mask << unused)};
}

/*
 * Members are the known ones plus the unknown bits as a number, spread out.  Of n's
 * distance from the smallest member, everything below its highest bit that is no unknown
 * one is filled up; so are all other known bits, for the carry of + 1 to run through
 * them.
 */
u64 tnum_next(struct tnum a, u64 n)
{
	u64 most = a.value | a.mask, over = n - a.value, stray = over & ~a.mask;

	if (n >= most)
		return most;
	if (n < a.value)
		return a.value;
	if (stray)
		over |= ~0ull >> __builtin_clzll(stray);
	return a.value | (((over | ~a.mask) + 1) & a.mask);
}

/* Where one has a known 1 and the other a known 0 (no value is in both) it gives 1. */
struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	return tnum_of(a.value | b.value, a.mask & b.mask);
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return tnum_of(a.value, a.mask | b.mask | (a.value ^ b.value));
}

bool tnum_overlap(struct tnum a, struct tnum b)
{
	return !((a.value ^ b.value) & ~a.mask & ~b.mask);
}

bool tnum_in(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && a.value == (b.value & ~a.mask);
}

struct tnum tnum_cast(struct tnum a, u8 size)
{
	u64 kept = size >= 8 ? ~0ull : (1ull << size * 8) - 1;

	return (struct tnum){a.value & kept, a.mask & kept};
}

bool tnum_is_aligned(struct tnum a, u64 size)
{
	return !size || !((a.value | a.mask) & (size - 1));
}

struct tnum tnum_subreg(struct tnum a)
{
	return (struct tnum){(u32)a.value, (u32)a.mask};
}

struct tnum tnum_clear_subreg(struct tnum a)
{
	return (struct tnum){a.value >> 32 << 32, a.mask >> 32 << 32};
}

struct tnum tnum_with_subreg(struct tnum a, struct tnum subreg)
{
	return (struct tnum){a.value >> 32 << 32 | (u32)subreg.value,
			     a.mask >> 32 << 32 | (u32)subreg.mask};
}
