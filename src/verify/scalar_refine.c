/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a comparison says of numbers, and what is known of them after it.  A comparison is
 * decided when no pair of admitted values could turn out otherwise; refining intersects
 * with what the outcome implies.  Never does: look at registers, choose a branch
 * (jump.c). More: scalar.h, RFC 9669 4.3.
 */
#include "verify/scalar.h"

enum { NO, YES, EITHER = -1 };

/* Bounds at the width of the comparison. */
struct bounds {
	u64 umin, umax;
	s64 smin, smax;
	struct tnum bits;
};

static struct bounds bounds_of(const struct scalar *s, u8 width)
{
	if (width == 32)
		return (struct bounds){s->umin32, s->umax32, s->smin32, s->smax32,
				       tnum_subreg(s->bits)};
	return (struct bounds){s->umin, s->umax, s->smin, s->smax, s->bits};
}

static bool apart_u(const struct bounds *a, const struct bounds *b)
{
	return a->umin > b->umax || a->umax < b->umin;
}

static bool apart_s(const struct bounds *a, const struct bounds *b)
{
	return a->smin > b->smax || a->smax < b->smin;
}

/* Are they equal?  Numbers that differ in their low halves differ. */
static int equal(u8 width, const struct scalar *d, const struct scalar *s)
{
	struct bounds a = bounds_of(d, width), b = bounds_of(s, width);
	struct bounds a32 = bounds_of(d, 32), b32 = bounds_of(s, 32);

	if (!a.bits.mask && !b.bits.mask)
		return a.bits.value == b.bits.value;
	if (!tnum_overlap(a.bits, b.bits) || apart_u(&a, &b) || apart_s(&a, &b))
		return NO;
	return apart_u(&a32, &b32) || apart_s(&a32, &b32) ? NO : EITHER;
}

static int common_bits(struct tnum a, struct tnum b)
{
	struct tnum swap = a;

	if (b.mask)
		a = b, b = swap;
	if (b.mask)
		return EITHER;
	if (a.value & b.value)
		return YES;
	return (a.value | a.mask) & b.value ? EITHER : NO;
}

static int less_u(const struct bounds *a, const struct bounds *b)
{
	if (a->umax < b->umin)
		return YES;
	return a->umin >= b->umax ? NO : EITHER;
}

static int less_s(const struct bounds *a, const struct bounds *b)
{
	if (a->smax < b->smin)
		return YES;
	return a->smin >= b->smax ? NO : EITHER;
}

static int not(int outcome)
{
	return outcome == EITHER ? EITHER : !outcome;
}

int scalar_branch(enum jmp jmp, u8 width, const struct scalar *d, const struct scalar *s)
{
	struct bounds a = bounds_of(d, width), b = bounds_of(s, width);

	switch (jmp) {
	case JMP_JEQ: return equal(width, d, s);
	case JMP_JNE: return not(equal(width, d, s));
	case JMP_JSET: return common_bits(a.bits, b.bits);
	case JMP_JLT: return less_u(&a, &b);
	case JMP_JGE: return not(less_u(&a, &b));
	case JMP_JGT: return less_u(&b, &a);
	case JMP_JLE: return not(less_u(&b, &a));
	case JMP_JSLT: return less_s(&a, &b);
	case JMP_JSGE: return not(less_s(&a, &b));
	case JMP_JSGT: return less_s(&b, &a);
	case JMP_JSLE: return not(less_s(&b, &a));
	case JMPS: break;
	}
	return EITHER;
}

/* ---- refining: one function for each of six facts ---- */

static void now_equal(u8 width, struct scalar *a, struct scalar *b)
{
	struct tnum bits;

	if (width == 32) {
		a->umin32 = b->umin32 = a->umin32 > b->umin32 ? a->umin32 : b->umin32;
		a->umax32 = b->umax32 = a->umax32 < b->umax32 ? a->umax32 : b->umax32;
		a->smin32 = b->smin32 = a->smin32 > b->smin32 ? a->smin32 : b->smin32;
		a->smax32 = b->smax32 = a->smax32 < b->smax32 ? a->smax32 : b->smax32;
		bits = tnum_intersect(tnum_subreg(a->bits), tnum_subreg(b->bits));
		a->bits = tnum_with_subreg(a->bits, bits);
		b->bits = tnum_with_subreg(b->bits, bits);
		return;
	}
	a->umin = b->umin = max_u64(a->umin, b->umin);
	a->umax = b->umax = min_u64(a->umax, b->umax);
	a->smin = b->smin = a->smin > b->smin ? a->smin : b->smin;
	a->smax = b->smax = a->smax < b->smax ? a->smax : b->smax;
	a->bits = b->bits = tnum_intersect(a->bits, b->bits);
}

/* A bound that is the other's only value moves by one.  It cannot wrap: then both would
 * be constants, and equal, and the branch decided. */
static void now_different(u8 width, struct scalar *a, u64 value)
{
	if (width == 32) {
		a->umin32 += a->umin32 == (u32)value;
		a->umax32 -= a->umax32 == (u32)value;
		if (a->smin32 == (s32)value && a->smin32 < INT32_MAX)
			a->smin32++;
		if (a->smax32 == (s32)value && a->smax32 > INT32_MIN)
			a->smax32--;
		return;
	}
	a->umin += a->umin == value;
	a->umax -= a->umax == value;
	if (a->smin == (s64)value && a->smin < INT64_MAX)
		a->smin++;
	if (a->smax == (s64)value && a->smax > INT64_MIN)
		a->smax--;
}

/* With more than one bit in the mask nobody knows which it was. */
static void now_set(u8 width, struct scalar *a, u64 mask)
{
	struct tnum bits = tnum_or(a->bits, tnum_const(mask));

	if (!mask || mask & (mask - 1))
		return;
	a->bits = width == 32 ? tnum_with_subreg(a->bits, bits) : bits;
}

/* Ranges are made anew from the bits: old ones may contradict them where the branch is
 * dead. */
static void now_clear(u8 width, struct scalar *a, u64 mask)
{
	struct tnum bits = tnum_and(a->bits, tnum_const(~mask));

	scalar_forget_ranges(a);
	a->bits = width == 32 ? tnum_with_subreg(a->bits, bits) : bits;
}

/* a < b, or a <= b: strict is 1 or 0.  strict cannot wrap where the outcome was open. */
static void now_less_u(u8 width, struct scalar *a, struct scalar *b, u32 strict)
{
	if (width == 32) {
		u32 max = b->umax32 - strict, min;

		a->umax32 = a->umax32 < max ? a->umax32 : max;
		min = a->umin32 + strict;
		b->umin32 = b->umin32 > min ? b->umin32 : min;
		return;
	}
	a->umax = min_u64(a->umax, b->umax - strict);
	b->umin = max_u64(b->umin, a->umin + strict);
}

static void now_less_s(u8 width, struct scalar *a, struct scalar *b, u32 strict)
{
	if (width == 32) {
		s32 max = (s32)((u32)b->smax32 - strict), min;

		a->smax32 = a->smax32 < max ? a->smax32 : max;
		min = (s32)((u32)a->smin32 + strict);
		b->smin32 = b->smin32 > min ? b->smin32 : min;
	} else {
		s64 max = (s64)((u64)b->smax - strict), min;

		a->smax = a->smax < max ? a->smax : max;
		min = (s64)((u64)a->smin + strict);
		b->smin = b->smin > min ? b->smin : min;
	}
}

/* Facts about one number and a constant of either side. */
static void against_constant(void (*fact)(u8 width, struct scalar *a, u64 value),
			     u8 width, struct scalar *d, struct scalar *s)
{
	struct tnum d_bits = width == 32 ? tnum_subreg(d->bits) : d->bits;
	struct tnum s_bits = width == 32 ? tnum_subreg(s->bits) : s->bits;

	if (!s_bits.mask)
		fact(width, d, s_bits.value);
	else if (!d_bits.mask)
		fact(width, s, d_bits.value);
}

static void refine(enum jmp jmp, u8 width, bool taken, struct scalar *d, struct scalar *s)
{
	switch (jmp) {
	case JMP_JEQ:
	case JMP_JNE:
		if (taken == (jmp == JMP_JEQ))
			now_equal(width, d, s);
		else
			against_constant(now_different, width, d, s);
		break;
	case JMP_JSET: against_constant(taken ? now_set : now_clear, width, d, s); break;
	case JMP_JLT:
	case JMP_JGE:
		if (taken == (jmp == JMP_JLT))
			now_less_u(width, d, s, 1);
		else
			now_less_u(width, s, d, 0);
		break;
	case JMP_JGT:
	case JMP_JLE:
		if (taken == (jmp == JMP_JGT))
			now_less_u(width, s, d, 1);
		else
			now_less_u(width, d, s, 0);
		break;
	case JMP_JSLT:
	case JMP_JSGE:
		if (taken == (jmp == JMP_JSLT))
			now_less_s(width, d, s, 1);
		else
			now_less_s(width, s, d, 0);
		break;
	case JMP_JSGT:
	case JMP_JSLE:
		if (taken == (jmp == JMP_JSGT))
			now_less_s(width, s, d, 1);
		else
			now_less_s(width, d, s, 0);
		break;
	case JMPS: break;
	}
}

void scalar_refine(enum jmp jmp, u8 width, bool taken, struct scalar *d, struct scalar *s)
{
	refine(jmp, width, taken, d, s);
	scalar_sync(d);
	scalar_sync(s);
}

void scalar_refine_early(enum jmp jmp, u8 width, bool taken, struct scalar *d,
			 struct scalar *s)
{
	refine(jmp, width, taken, d, s);
	scalar_sync_early(d);
	scalar_sync_early(s);
}
