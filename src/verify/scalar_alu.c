/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic of what is known: bits by tnums, ranges by their bounds, at 32 and at 64
 * bits apart, then everything by everything else (scalar_sync).  A bound that may wrap
 * makes its range unknown; no operation here loses a value that the instruction can
 * compute.  As precise as Linux and not more: what it does not compute (division, shifts
 * by an unknown count) is unknown.  More: scalar.h, RFC 9669 4.1.
 */
#include "verify/scalar.h"

#include "base/bytes.h"

/* The two ranges of one width, so that 32 and 64 bits are the same code. */
struct range {
	u64 umin, umax;
	s64 smin, smax;
};

static struct range whole_range(u8 width)
{
	if (width == 32)
		return (struct range){0, UINT32_MAX, INT32_MIN, INT32_MAX};
	return (struct range){0, UINT64_MAX, INT64_MIN, INT64_MAX};
}

static inline struct range range_of(const struct scalar *s, u8 width)
{
	if (width == 32)
		return (struct range){s->umin32, s->umax32, s->smin32, s->smax32};
	return (struct range){s->umin, s->umax, s->smin, s->smax};
}

static inline void set_range(struct scalar *s, u8 width, struct range r)
{
	if (width == 32) {
		s->umin32 = (u32)r.umin, s->umax32 = (u32)r.umax;
		s->smin32 = (s32)r.smin, s->smax32 = (s32)r.smax;
	} else {
		s->umin = r.umin, s->umax = r.umax;
		s->smin = r.smin, s->smax = r.smax;
	}
}

static void forget_signed(struct range *r, u8 width)
{
	struct range whole = whole_range(width);

	r->smin = whole.smin, r->smax = whole.smax;
}

static void forget_unsigned(struct range *r, u8 width)
{
	struct range whole = whole_range(width);

	r->umin = whole.umin, r->umax = whole.umax;
}

/* Arithmetic modulo 2^width that says whether it wrapped. */
static inline bool wrap_u(u64 *value, bool wrapped, u8 width)
{
	if (width == 32) {
		wrapped = *value >> 32;
		*value = (u32)*value;
	}
	return wrapped;
}

static inline bool wrap_s(s64 value, bool wrapped, u8 width)
{
	return wrapped || (width == 32 && value != (s32)value);
}

static inline bool add_u(u64 a, u64 b, u64 *sum, u8 width)
{
	bool wrapped = __builtin_add_overflow(a, b, sum);

	return wrap_u(sum, wrapped, width);
}

static inline bool sub_u(u64 a, u64 b, u64 *difference, u8 width)
{
	bool wrapped = __builtin_sub_overflow(a, b, difference);

	return wrap_u(difference, wrapped, width);
}

static inline bool mul_u(u64 a, u64 b, u64 *product, u8 width)
{
	bool wrapped = __builtin_mul_overflow(a, b, product);

	return wrap_u(product, wrapped, width);
}

static inline bool add_s(s64 a, s64 b, s64 *sum, u8 width)
{
	bool wrapped = __builtin_add_overflow(a, b, sum);

	return wrap_s(*sum, wrapped, width);
}

static inline bool sub_s(s64 a, s64 b, s64 *difference, u8 width)
{
	bool wrapped = __builtin_sub_overflow(a, b, difference);

	return wrap_s(*difference, wrapped, width);
}

static inline bool mul_s(s64 a, s64 b, s64 *product, u8 width)
{
	bool wrapped = __builtin_mul_overflow(a, b, product);

	return wrap_s(*product, wrapped, width);
}

/* ---- ranges of one width ---- */

/* Where both unsigned bounds wrap all sums between them do: the range is whole again. */
static inline struct range range_add(struct range d, struct range s, u8 width)
{
	struct range r;
	bool min_wraps = add_u(d.umin, s.umin, &r.umin, width);
	bool max_wraps = add_u(d.umax, s.umax, &r.umax, width);
	bool smin_wraps = add_s(d.smin, s.smin, &r.smin, width);

	if (max_wraps && !min_wraps)
		forget_unsigned(&r, width);
	if (add_s(d.smax, s.smax, &r.smax, width) || smin_wraps)
		forget_signed(&r, width);
	return r;
}

static inline struct range range_sub(struct range d, struct range s, u8 width)
{
	struct range r;
	bool min_wraps = sub_u(d.umin, s.umax, &r.umin, width);
	bool max_wraps = sub_u(d.umax, s.umin, &r.umax, width);
	bool smin_wraps = sub_s(d.smin, s.smax, &r.smin, width);

	if (min_wraps && !max_wraps)
		forget_unsigned(&r, width);
	if (sub_s(d.smax, s.smin, &r.smax, width) || smin_wraps)
		forget_signed(&r, width);
	return r;
}

/* The signed extremes are among the products of the bounds. */
static inline struct range range_mul(struct range d, struct range s, u8 width)
{
	struct range r = whole_range(width);
	u64 umin, umax;
	s64 product[4];

	if (!mul_u(d.umax, s.umax, &umax, width) && !mul_u(d.umin, s.umin, &umin, width))
		r.umin = umin, r.umax = umax;
	if (mul_s(d.smin, s.smin, &product[0], width) ||
	    mul_s(d.smin, s.smax, &product[1], width) ||
	    mul_s(d.smax, s.smin, &product[2], width) ||
	    mul_s(d.smax, s.smax, &product[3], width))
		return r;
	r.smin = r.smax = product[0];
	for (u32 i = 1; i < ARRAY_SIZE(product); i++) {
		r.smin = product[i] < r.smin ? product[i] : r.smin;
		r.smax = product[i] > r.smax ? product[i] : r.smax;
	}
	return r;
}

/* The unsigned range is the signed one, too, where it does not cross the sign. */
static inline struct range range_unsigned(u64 umin, u64 umax, u8 width)
{
	struct range r = whole_range(width);
	s64 smin = width == 32 ? (s32)umin : (s64)umin;
	s64 smax = width == 32 ? (s32)umax : (s64)umax;

	r.umin = umin, r.umax = umax;
	if (smin <= smax)
		r.smin = smin, r.smax = smax;
	return r;
}

static inline struct tnum bits_of(struct tnum bits, u8 width)
{
	return width == 32 ? tnum_subreg(bits) : bits;
}

/* bits: of the result.  x & y is at most the smaller, x | y at least the larger of both.
 */
static inline struct range range_bitwise(enum alu op, const struct scalar *d,
					 const struct scalar *s, struct tnum bits,
					 u8 width)
{
	struct range a = range_of(d, width), b = range_of(s, width);
	u64 umin, umax;

	bits = bits_of(bits, width);
	umin = bits.value, umax = bits.value | bits.mask;
	if (!bits_of(d->bits, width).mask && !bits_of(s->bits, width).mask)
		return range_unsigned(bits.value, bits.value, width);
	if (op == ALU_AND)
		umax = min_u64(a.umax, b.umax);
	else if (op == ALU_OR)
		umin = max_u64(a.umin, b.umin);
	return range_unsigned(umin, umax, width);
}

/* Shifting left by a constant, where no one bit is lost. */
static inline struct range range_lsh(struct range d, u64 shift, u8 width)
{
	struct range r = whole_range(width);

	if (shift >= width || d.umax > 1ull << (width - 1 - shift))
		return r;
	r.umin = d.umin << shift, r.umax = d.umax << shift;
	return r;
}

/* ---- whole operations ---- */

/* A 32-bit result: the upper half is zero. */
static void zero_extend(struct scalar *s)
{
	s->bits = tnum_subreg(s->bits);
	s->umin = s->umin32, s->umax = s->umax32;
	s->smin = 0, s->smax = UINT32_MAX;
	if (s->smin32 >= 0)
		s->smin = s->smin32, s->smax = s->smax32;
}

static inline void both_widths(struct scalar *r, u8 width, struct range r32,
			       struct range r64)
{
	set_range(r, 32, r32);
	if (width == 64)
		set_range(r, 64, r64);
}

static struct scalar alu_add(u8 width, const struct scalar *d, const struct scalar *s)
{
	struct scalar r = {.bits = tnum_add(d->bits, s->bits)};

	both_widths(&r, width, range_add(range_of(d, 32), range_of(s, 32), 32),
		    range_add(range_of(d, 64), range_of(s, 64), 64));
	return r;
}

static struct scalar alu_sub(u8 width, const struct scalar *d, const struct scalar *s)
{
	struct scalar r = {.bits = tnum_sub(d->bits, s->bits)};

	both_widths(&r, width, range_sub(range_of(d, 32), range_of(s, 32), 32),
		    range_sub(range_of(d, 64), range_of(s, 64), 64));
	return r;
}

static struct scalar alu_neg(u8 width, const struct scalar *d)
{
	struct scalar zero = scalar_const(0);

	return alu_sub(width, &zero, d);
}

static struct scalar alu_mul(u8 width, const struct scalar *d, const struct scalar *s)
{
	struct scalar r = {.bits = tnum_mul(d->bits, s->bits)};

	both_widths(&r, width, range_mul(range_of(d, 32), range_of(s, 32), 32),
		    range_mul(range_of(d, 64), range_of(s, 64), 64));
	return r;
}

static struct scalar alu_bitwise(enum alu op, u8 width, const struct scalar *d,
				 const struct scalar *s)
{
	struct scalar r = {.umin = 0};

	r.bits = op == ALU_AND  ? tnum_and(d->bits, s->bits)
		 : op == ALU_OR ? tnum_or(d->bits, s->bits)
				: tnum_xor(d->bits, s->bits);
	both_widths(&r, width, range_bitwise(op, d, s, r.bits, 32),
		    range_bitwise(op, d, s, r.bits, 64));
	return r;
}

/* Is the count of a shift known, and less than the width? */
static bool shift_count(u8 width, const struct scalar *s, u8 *count)
{
	struct range r = range_of(s, width);

	*count = (u8)s->umin;
	return !bits_of(s->bits, width).mask && r.smin == r.smax && r.umin == r.umax &&
	       s->umax < width;
}

/* x << 32 keeps the order of the low halves: the compilers' way to extend a sign. */
static struct scalar alu_lsh(u8 width, const struct scalar *d, u8 count)
{
	struct scalar r = scalar_unknown();
	struct range r64 = range_lsh(range_of(d, 64), count, 64);

	r.bits = tnum_lsh(bits_of(d->bits, width), count);
	if (count == 32) {
		r64.smin = (s64)((u64)d->smin32 << 32);
		r64.smax = (s64)((u64)d->smax32 << 32);
	}
	both_widths(&r, width, range_lsh(range_of(d, 32), count, 32), r64);
	return r;
}

static struct scalar alu_rsh(u8 width, const struct scalar *d, u8 count)
{
	struct scalar r = scalar_unknown();
	struct range shifted = whole_range(width), from = range_of(d, width);

	r.bits = tnum_rsh(bits_of(d->bits, width), count);
	shifted.umin = from.umin >> count, shifted.umax = from.umax >> count;
	set_range(&r, width, shifted);
	return r;
}

static struct scalar alu_arsh(u8 width, const struct scalar *d, u8 count)
{
	struct scalar r = scalar_unknown();
	struct range shifted = whole_range(width), from = range_of(d, width);

	r.bits = tnum_arsh(bits_of(d->bits, width), count, width);
	shifted.smin = from.smin >> count, shifted.smax = from.smax >> count;
	set_range(&r, width, shifted);
	return r;
}

/* By an unknown count even a 32-bit result is unknown as a whole, as it is for Linux. */
static bool alu_shift(enum alu op, u8 width, const struct scalar *d,
		      const struct scalar *s, struct scalar *r)
{
	u8 count;

	if (!shift_count(width, s, &count)) {
		*r = scalar_unknown();
		return false;
	}
	*r = op == ALU_LSH   ? alu_lsh(width, d, count)
	     : op == ALU_RSH ? alu_rsh(width, d, count)
			     : alu_arsh(width, d, count);
	return true;
}

/* ---- parts of numbers ---- */

static u64 sign_extend(u64 value, u8 size)
{
	u8 unused = 64 - 8 * size;

	return (u64)((s64)(value << unused) >> unused);
}

/*
 * Where all values share what is above the low bytes, the extended bounds are the bounds
 * of the extended values, unless these have both signs.
 */
static struct range range_sign_extend(struct range r, u8 size, u8 width)
{
	u64 kept_out = ~0ull << 8 * size;
	s64 a = (s64)sign_extend((u64)r.smin, size),
	    b = (s64)sign_extend((u64)r.smax, size);
	struct range extended = whole_range(width);

	extended.smin = (s64)(~0ull << (8 * size - 1)), extended.smax = ~extended.smin;
	if (((u64)r.smin & kept_out) != ((u64)r.smax & kept_out) || (a < 0) != (b < 0))
		return extended;
	extended.smin = a < b ? a : b, extended.smax = a < b ? b : a;
	extended.umin = (u64)extended.smin, extended.umax = (u64)extended.smax;
	return extended;
}

struct scalar scalar_sign_extend(const struct scalar *s, u8 size)
{
	struct scalar r = {.bits = TNUM_UNKNOWN};
	struct range extended;

	if (size >= 8)
		return *s;
	if (scalar_is_const(s))
		return scalar_const(sign_extend(s->bits.value, size));
	extended = range_sign_extend(range_of(s, 64), size, 64);
	set_range(&r, 64, extended);
	r.umin32 = 0, r.umax32 = UINT32_MAX;
	r.smin32 = (s32)extended.smin, r.smax32 = (s32)extended.smax;
	if (extended.umax == UINT64_MAX && !extended.umin)
		return r;
	r.umin32 = (u32)extended.umin, r.umax32 = (u32)extended.umax;
	r.bits = tnum_range(extended.umin, extended.umax);
	return r;
}

/* w = (s8)w, w = (s16)w; the upper half is zeroed afterwards. */
static struct scalar sign_extend32(const struct scalar *s, u8 size)
{
	struct scalar r = {.bits = TNUM_UNKNOWN};
	struct range extended = range_sign_extend(range_of(s, 32), size, 32);

	if (scalar_is_const(s))
		return scalar_const(sign_extend(s->bits.value, size));
	set_range(&r, 32, extended);
	if (extended.umin || extended.umax != UINT32_MAX)
		r.bits = tnum_range((u32)extended.umin, (u32)extended.umax);
	return r;
}

struct scalar scalar_truncate(const struct scalar *s, u8 size)
{
	struct scalar r = *s;
	u64 kept;

	if (size >= 8)
		return r;
	kept = (1ull << 8 * size) - 1;
	r.bits = tnum_cast(r.bits, size);
	if ((r.umin & ~kept) == (r.umax & ~kept))
		r.umin &= kept, r.umax &= kept;
	else
		r.umin = 0, r.umax = kept;
	r.smin = (s64)r.umin, r.smax = (s64)r.umax;
	if (size < 4)
		set_range(&r, 32, whole_range(32));
	scalar_sync(&r);
	return r;
}

/* Of ranges nothing is left once bytes are swapped. */
static struct scalar swap_bytes(const struct scalar *d, u8 size)
{
	struct scalar r = scalar_unknown();

	r.bits = tnum_bswap(d->bits, size);
	if (size < 8)
		return scalar_truncate(&r, size);
	scalar_sync(&r);
	return r;
}

/* In the byte order that it has already a number is cut off only. */
static struct scalar order_bytes(const struct scalar *d, u8 size, bool swap)
{
	return swap ? swap_bytes(d, size) : scalar_truncate(d, size);
}

struct scalar scalar_end(enum op op, const struct scalar *d)
{
	bool big = host_is_big_endian();
	u8 size = op_info(op)->width / 8;

	switch ((int)op) {
	case OP_LE16:
	case OP_LE32:
	case OP_LE64: return order_bytes(d, size, big);
	case OP_BE16:
	case OP_BE32:
	case OP_BE64: return order_bytes(d, size, !big);
	case OP_BSWAP16:
	case OP_BSWAP32:
	case OP_BSWAP64: return swap_bytes(d, size);
	}
	return scalar_unknown();
}

/* ---- the rows ---- */

/* count < width. */
static u64 shift_known(enum alu op, u8 width, u64 d, u64 count)
{
	if (op == ALU_LSH)
		return d << count;
	if (op == ALU_RSH)
		return (width == 32 ? (u32)d : d) >> count;
	return width == 32 ? (u64)((s32)d >> count) : (u64)((s64)d >> count);
}

static bool op_known(enum alu op, u8 width, u64 d, u64 s, u64 *result)
{
	switch (op) {
	case ALU_ADD: *result = d + s; return true;
	case ALU_SUB: *result = d - s; return true;
	case ALU_MUL: *result = d * s; return true;
	case ALU_AND: *result = d & s; return true;
	case ALU_OR: *result = d | s; return true;
	case ALU_XOR: *result = d ^ s; return true;
	case ALU_NEG: *result = 0 - d; return true;
	case ALU_MOV: *result = s; return true;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		if (s < width)
			*result = shift_known(op, width, d, s);
		return s < width;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32:
	case ALUS: break;
	}
	return false;
}

bool scalar_alu_known(enum alu op, u8 width, u64 d, u64 s, u64 *result)
{
	if (!op_known(op, width, d, s, result))
		return false;
	if (width == 32)
		*result = (u32)*result;
	return true;
}

/* The result before 32-bit ones are extended and all is made to agree; false: it is done.
 */
static bool alu_raw(enum alu op, u8 width, const struct scalar *d, const struct scalar *s,
		    struct scalar *r)
{
	switch (op) {
	case ALU_ADD: *r = alu_add(width, d, s); return true;
	case ALU_SUB: *r = alu_sub(width, d, s); return true;
	case ALU_NEG: *r = alu_neg(width, d); return true;
	case ALU_MUL: *r = alu_mul(width, d, s); return true;
	case ALU_AND:
	case ALU_OR:
	case ALU_XOR: *r = alu_bitwise(op, width, d, s); return true;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: return alu_shift(op, width, d, s, r);
	case ALU_MOV: *r = *s; return width == 32;
	case ALU_MOVS8:
		*r = width == 32 ? sign_extend32(s, 1) : scalar_sign_extend(s, 1);
		return width == 32;
	case ALU_MOVS16:
		*r = width == 32 ? sign_extend32(s, 2) : scalar_sign_extend(s, 2);
		return width == 32;
	case ALU_MOVS32: *r = scalar_sign_extend(s, 4); return false;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
	case ALUS: break;
	}
	*r = scalar_unknown();
	return false;
}

struct scalar scalar_alu(enum alu op, u8 width, const struct scalar *d,
			 const struct scalar *s)
{
	struct scalar r;
	u64 value;

	if (scalar_is_whole_const(d) && (op == ALU_NEG || scalar_is_whole_const(s)) &&
	    scalar_alu_known(op, width, d->bits.value, s->bits.value, &value))
		return scalar_const(value);
	if (!alu_raw(op, width, d, s, &r))
		return r;
	if (width == 32)
		zero_extend(&r);
	scalar_sync(&r);
	return r;
}
