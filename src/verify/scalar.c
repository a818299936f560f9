/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a number, and how its nine parts (bits, and four ranges of two bounds)
 * refine each other.  Each step intersects one part with what another one implies, so
 * none can lose a value; contradictions leave a range with min > max.  Never does:
 * compute (scalar_alu.c), decide (scalar_refine.c).  More: scalar.h.
 */
#include "verify/scalar.h"

struct scalar scalar_unknown(void)
{
	struct scalar s = {.bits = TNUM_UNKNOWN};

	scalar_forget_ranges(&s);
	return s;
}

void scalar_forget_ranges(struct scalar *s)
{
	s->smin = INT64_MIN, s->smax = INT64_MAX;
	s->umin = 0, s->umax = UINT64_MAX;
	s->smin32 = INT32_MIN, s->smax32 = INT32_MAX;
	s->umin32 = 0, s->umax32 = UINT32_MAX;
}

/* ---- intersections ---- */

static void within_u64(struct scalar *s, u64 min, u64 max)
{
	s->umin = s->umin > min ? s->umin : min;
	s->umax = s->umax < max ? s->umax : max;
}

static void within_s64(struct scalar *s, s64 min, s64 max)
{
	s->smin = s->smin > min ? s->smin : min;
	s->smax = s->smax < max ? s->smax : max;
}

static void within_u32(struct scalar *s, u32 min, u32 max)
{
	s->umin32 = s->umin32 > min ? s->umin32 : min;
	s->umax32 = s->umax32 < max ? s->umax32 : max;
}

static void within_s32(struct scalar *s, s32 min, s32 max)
{
	s->smin32 = s->smin32 > min ? s->smin32 : min;
	s->smax32 = s->smax32 < max ? s->smax32 : max;
}

/* ---- what one part says of another ---- */

/*
 * Bits and range may have just one number in common: the first of the range, the largest
 * with these bits, or one between.
 */
static void only_number(struct scalar *s)
{
	u64 value = s->bits.value, mask = s->bits.mask, next;

	if (s->umin == value) {
		if ((value | (mask & -mask)) > s->umax)
			*s = scalar_const(value);
		return;
	}
	next = tnum_next(s->bits, s->umin);
	if ((s->umin & ~mask) == value) {
		if (next > s->umax)
			*s = scalar_const(s->umin);
	} else if (next == (value | mask)) {
		*s = scalar_const(next);
	} else if (next <= s->umax && tnum_next(s->bits, next) > s->umax) {
		*s = scalar_const(next);
	}
}

/* Unknown bits all 0, all 1; of signed numbers the sign bit the other way round. */
static void ranges_from_bits(struct scalar *s)
{
	u64 value = s->bits.value, mask = s->bits.mask;
	u32 value32 = (u32)value, mask32 = (u32)mask;

	within_s32(s, (s32)(value32 | (mask32 & 1u << 31)),
		   (s32)(value32 | (mask32 & INT32_MAX)));
	within_u32(s, value32, value32 | mask32);
	within_s64(s, (s64)(value | (mask & 1ull << 63)),
		   (s64)(value | (mask & INT64_MAX)));
	within_u64(s, value, value | mask);
	only_number(s);
}

/*
 * The low halves of [min, max], a range of 64 bits of either sign.  With equal upper
 * halves they are [(u32)min, (u32)max], where that does not wrap as u32 or s32.  With
 * upper halves that follow each other and low halves from negative to not they are that
 * range as s32.
 */
static void low_half_of(struct scalar *s, u64 min, u64 max)
{
	u32 upper_min = (u32)(min >> 32), upper_max = (u32)(max >> 32);
	bool negative_to_positive = (s32)min < 0 && (s32)max >= 0;

	if (upper_min == upper_max) {
		if ((u32)min <= (u32)max)
			within_u32(s, (u32)min, (u32)max);
		if ((s32)min <= (s32)max)
			within_s32(s, (s32)min, (s32)max);
	} else if (upper_min + 1 == upper_max && negative_to_positive) {
		within_s32(s, (s32)min, (s32)max);
	}
}

/*
 * Signed and unsigned ranges of the same bits.  One that does not cross the place where
 * the other wraps is one for the other, too.  A signed range [-a, b] is two unsigned ones
 * at the ends, [0, b] and [-a, max]: if the unsigned range meets only one of them both
 * are that one (cross).
 */
static void signs_agree32(struct scalar *s, bool cross)
{
	if ((s32)s->umin32 <= (s32)s->umax32)
		within_s32(s, (s32)s->umin32, (s32)s->umax32);
	if ((u32)s->smin32 <= (u32)s->smax32) {
		within_u32(s, (u32)s->smin32, (u32)s->smax32);
	} else if (cross && s->umax32 < (u32)s->smin32) {
		s->smin32 = (s32)s->umin32;
		within_u32(s, 0, (u32)s->smax32);
	} else if (cross && (u32)s->smax32 < s->umin32) {
		s->smax32 = (s32)s->umax32;
		within_u32(s, (u32)s->smin32, UINT32_MAX);
	}
}

static void signs_agree64(struct scalar *s, bool cross)
{
	if ((s64)s->umin <= (s64)s->umax)
		within_s64(s, (s64)s->umin, (s64)s->umax);
	if ((u64)s->smin <= (u64)s->smax) {
		within_u64(s, (u64)s->smin, (u64)s->smax);
	} else if (cross && s->umax < (u64)s->smin) {
		s->smin = (s64)s->umin;
		within_u64(s, 0, (u64)s->smax);
	} else if (cross && (u64)s->smax < s->umin) {
		s->smax = (s64)s->umax;
		within_u64(s, (u64)s->smin, UINT64_MAX);
	}
}

static u64 with_low(u64 number, u32 low)
{
	return number >> 32 << 32 | low;
}

/*
 * The low half of the smallest value is at least umin32, that of the largest at most
 * umax32. And: a sign-extended 32-bit number with a low half that is not negative is that
 * half.
 */
static void whole_from_low_half(struct scalar *s)
{
	within_u64(s, with_low(s->umin, s->umin32), with_low(s->umax, s->umax32));
	within_s64(s, (s64)with_low((u64)s->smin, s->umin32),
		   (s64)with_low((u64)s->smax, s->umax32));
	if (s->smin32 < 0 || s->smin < INT32_MIN || s->smax > INT32_MAX)
		return;
	s->smin = s->smin32, s->smax = s->smax32;
	s->umin = (u64)s->smin32, s->umax = (u64)s->smax32;
	s->bits = tnum_intersect(s->bits, tnum_range(s->umin, s->umax));
}

static void bits_from_ranges(struct scalar *s)
{
	struct tnum whole = tnum_intersect(s->bits, tnum_range(s->umin, s->umax));
	struct tnum low =
		tnum_intersect(tnum_subreg(whole), tnum_range(s->umin32, s->umax32));

	s->bits = tnum_or(tnum_clear_subreg(whole), low);
}

static bool same_ranges(const struct scalar *a, const struct scalar *b)
{
	return a->smin == b->smin && a->smax == b->smax && a->umin == b->umin &&
	       a->umax == b->umax && a->smin32 == b->smin32 && a->smax32 == b->smax32 &&
	       a->umin32 == b->umin32 && a->umax32 == b->umax32;
}

/* Three rounds are what Linux makes; what a fourth would find it does not know either.  A
 * round that changes nothing is the last one. */
static void deduce_ranges(struct scalar *s, bool cross)
{
	struct scalar before;

	for (int round = 0; round < 3; round++) {
		before = *s;
		low_half_of(s, s->umin, s->umax);
		low_half_of(s, (u64)s->smin, (u64)s->smax);
		signs_agree32(s, cross);
		signs_agree64(s, cross);
		whole_from_low_half(s);
		if (same_ranges(&before, s))
			break;
	}
}

static s64 larger(s64 a, s64 b)
{
	return a > b ? a : b;
}

static s64 smaller(s64 a, s64 b)
{
	return a < b ? a : b;
}

/*
 * What lengths and indices are: at most INT32_MAX, and the signed range is a 32-bit one
 * as well or says nothing new.  Then the rounds make all four ranges their intersection;
 * it is computed at once.  False: this number is not like that.
 */
static bool deduce_small(struct scalar *s)
{
	bool nothing_new = s->smin <= (s64)s->umin && s->smax >= (s64)s->umax;
	s64 min, max;

	if (s->umax > INT32_MAX ||
	    (!nothing_new && (s->smin < 0 || s->smax > UINT32_MAX)))
		return false;
	min = larger(larger((s64)s->umin, s->smin), larger(s->umin32, s->smin32));
	max = smaller(smaller((s64)s->umax, s->smax), smaller(s->umax32, s->smax32));
	if (min > max)
		return false;
	s->smin = min, s->smax = max;
	s->umin = (u64)min, s->umax = (u64)max;
	s->smin32 = (s32)min, s->smax32 = (s32)max;
	s->umin32 = (u32)min, s->umax32 = (u32)max;
	return true;
}

static inline void sync_ranges(struct scalar *s, bool cross)
{
	struct scalar before;

	if (!s->bits.mask && scalar_admits(s, s->bits.value)) {
		*s = scalar_const(s->bits.value);
		return;
	}
	ranges_from_bits(s);
	before = *s;
	if (deduce_small(s)) {
		s->bits = tnum_intersect(s->bits, tnum_range(s->umin, s->umax));
	} else {
		deduce_ranges(s, cross);
		bits_from_ranges(s);
	}
	/* Asked twice, the same bits say the same of the same ranges. */
	if (!scalar_same(&before, s))
		ranges_from_bits(s);
}

void scalar_sync(struct scalar *s)
{
	sync_ranges(s, true);
}

void scalar_sync_early(struct scalar *s)
{
	sync_ranges(s, false);
}

/* ---- questions ---- */

bool scalar_is_empty(const struct scalar *s)
{
	struct scalar c = scalar_const(s->bits.value);

	if (s->umin > s->umax || s->smin > s->smax || s->umin32 > s->umax32 ||
	    s->smin32 > s->smax32)
		return true;
	if (!s->bits.mask && (s->umin != c.umin || s->umax != c.umax ||
			      s->smin != c.smin || s->smax != c.smax))
		return true;
	return !(u32)s->bits.mask && (s->umin32 != c.umin32 || s->umax32 != c.umax32 ||
				      s->smin32 != c.smin32 || s->smax32 != c.smax32);
}

bool scalar_within(const struct scalar *outer, const struct scalar *inner)
{
	return outer->umin <= inner->umin && outer->umax >= inner->umax &&
	       outer->smin <= inner->smin && outer->smax >= inner->smax &&
	       outer->umin32 <= inner->umin32 && outer->umax32 >= inner->umax32 &&
	       outer->smin32 <= inner->smin32 && outer->smax32 >= inner->smax32 &&
	       tnum_in(outer->bits, inner->bits);
}

bool scalar_admits(const struct scalar *s, u64 value)
{
	u32 low = (u32)value;

	return (value & ~s->bits.mask) == s->bits.value && s->umin <= value &&
	       value <= s->umax && s->smin <= (s64)value && (s64)value <= s->smax &&
	       s->umin32 <= low && low <= s->umax32 && s->smin32 <= (s32)low &&
	       (s32)low <= s->smax32;
}
