/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: the operations that are more than a few instructions.  Never does:
 * look at ranges, allocate.  More: tnum.h and the paper it names.
 */
#include "verify/tnum.h"

/* The sign bit is copied whether it is known or not: as an unknown bit it is unknown in
 * all its copies, which admits more than there is, and nothing less. */
struct tnum tnum_arsh(struct tnum a, u8 shift, u8 width)
{
	if (width == 32)
		return (struct tnum){(u32)((s32)a.value >> shift),
				     (u32)((s32)a.mask >> shift)};
	return (struct tnum){(u64)((s64)a.value >> shift), (u64)((s64)a.mask >> shift)};
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
