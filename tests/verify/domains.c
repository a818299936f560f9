/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract domains admit whatever the machine can compute.
 *
 * The oracle are the rows of alu.def and jmp.def (isa/eval.h).  Abstract values are made
 * from concrete ones: all tnums of 4 bits with all their members, all ranges of few bits,
 * and at 64 bits random mixtures of bits and ranges around a random value; the value is
 * what must never be lost.  Repeatable: SKEP_SEED is the seed.
 */
#include "check.h"

#include "isa/eval.h"
#include "verify/scalar.h"

static u64 random_state = 0x9e3779b97f4a7c15;

static u64 random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1d;
}

/* ---- the rows as tables ---- */

typedef u64 alu_fn(u64 d, u64 s);
typedef bool jmp_fn(u64 d, u64 s);

static const struct {
	const char *name;
	alu_fn *at64, *at32;
} alus[] = {
#define A(name, code, off, sign, forms, text, result)                                    \
	[ALU_##name] = {#name, alu64_##name, alu32_##name},
#include "isa/alu.def"
#undef A
};

static const struct {
	const char *name;
	jmp_fn *at64, *at32;
} jmps[] = {
#define J(name, code, sign, text, taken)                                                 \
	[JMP_##name] = {#name, jmp64_##name, jmp32_##name},
#include "isa/jmp.def"
#undef J
};

static u64 oracle_alu(u32 row, u8 width, u64 d, u64 s)
{
	return width == 64 ? alus[row].at64(d, s) : alus[row].at32(d, s);
}

static bool oracle_jmp(u32 row, u8 width, u64 d, u64 s)
{
	return width == 64 ? jmps[row].at64(d, s) : jmps[row].at32(d, s);
}

/* ---- failures: each operation is reported once ---- */

static u64 tried;

static bool admitted(const struct scalar *s, u64 value, const char *what, const u64 of[2])
{
	static const char *last;

	tried++;
	if (scalar_admits(s, value))
		return true;
	if (what != last) {
		CHECK(!"a value is lost");
		fprintf(stderr,
			"\t%s of %#" PRIx64 ", %#" PRIx64 " is %#" PRIx64
			", not in bits %#" PRIx64 "/%#" PRIx64 " u [%#" PRIx64
			", %#" PRIx64 "] s [%" PRId64 ", %" PRId64 "] u32 [%#x, %#x]"
			" s32 [%d, %d]\n",
			what, of[0], of[1], value, s->bits.value, s->bits.mask, s->umin,
			s->umax, s->smin, s->smax, s->umin32, s->umax32, s->smin32,
			s->smax32);
	}
	last = what;
	return false;
}

/* ---- tnums, exhaustively ---- */

enum { BITS = 4, NUMBERS = 1 << BITS };

typedef struct tnum tnum_fn(struct tnum a, struct tnum b);

static bool tnum_has(struct tnum t, u64 value)
{
	return (value & ~t.mask) == t.value;
}

static const struct {
	tnum_fn *abstract;
	alu_fn *concrete;
} tnum_fns[] = {
	{tnum_add, alu64_ADD}, {tnum_sub, alu64_SUB}, {tnum_and, alu64_AND},
	{tnum_or, alu64_OR},   {tnum_xor, alu64_XOR}, {tnum_mul, alu64_MUL},
};

static u32 lost_of_pair(struct tnum a, struct tnum b)
{
	struct tnum both = tnum_intersect(a, b), either = tnum_union(a, b);
	bool overlap = false, inside = true;
	u32 lost = 0;

	for (u64 x = 0; x < NUMBERS; x++) {
		bool in_a = tnum_has(a, x), in_b = tnum_has(b, x);

		lost += (in_a && in_b && !tnum_has(both, x)) ||
			((in_a || in_b) && !tnum_has(either, x));
		overlap |= in_a && in_b;
		inside &= in_a || !in_b;
		for (u64 y = 0; in_a && y < NUMBERS; y++)
			for (u32 i = 0; tnum_has(b, y) && i < ARRAY_SIZE(tnum_fns); i++)
				lost += !tnum_has(tnum_fns[i].abstract(a, b),
						  tnum_fns[i].concrete(x, y));
	}
	CHECK_INT(tnum_overlap(a, b), overlap);
	CHECK_INT(tnum_in(a, b), inside);
	return lost;
}

static u32 lost_of_one(struct tnum a)
{
	u32 lost = 0;

	for (u64 x = 0; x < NUMBERS; x++) {
		if (!tnum_has(a, x))
			continue;
		lost += !tnum_has(tnum_neg(a), 0 - x) || !tnum_has(tnum_subreg(a), x);
		for (u8 n = 0; n < 64; n++)
			lost += !tnum_has(tnum_lsh(a, n), x << n) ||
				!tnum_has(tnum_rsh(a, n), x >> n) ||
				!tnum_has(tnum_arsh(a, n, 64), (u64)((s64)x >> n));
	}
	return lost;
}

static void check_tnums(void)
{
	u32 lost = 0;

	for (u64 am = 0; am < NUMBERS; am++)
		for (u64 av = 0; av < NUMBERS; av++) {
			if (am & av)
				continue;
			lost += lost_of_one((struct tnum){av, am});
			for (u64 bm = 0; bm < NUMBERS; bm++)
				for (u64 bv = 0; bv < NUMBERS; bv++)
					if (!(bm & bv))
						lost += lost_of_pair(
							(struct tnum){av, am},
							(struct tnum){bv, bm});
		}
	for (u64 min = 0; min < NUMBERS; min++)
		for (u64 max = min; max < NUMBERS; max++)
			for (u64 x = min; x <= max; x++)
				lost += !tnum_has(tnum_range(min, max), x);
	CHECK_INT(lost, 0);
	CHECK(tnum_is_unknown(tnum_range(0, ~0ull)));
}

/* ---- scalars: an abstract value around a concrete one ---- */

/* Numbers near the places where something wraps. */
static u64 random_number(void)
{
	static const u64 corners[] = {0,          1,          INT8_MAX,
				      INT16_MAX,  INT32_MAX,  1ull << 31,
				      UINT32_MAX, 1ull << 32, INT64_MAX,
				      1ull << 63, ~0ull,      0xffffffff80000000};
	u64 corner = corners[random64() % ARRAY_SIZE(corners)];

	switch (random64() % 5) {
	case 0: return random64();
	case 1: return corner + random64() % 17 - 8;
	case 2: return random64() >> random64() % 64;
	case 3: return (u64)((s64)random64() >> random64() % 64);
	default: return random64() % 40;
	}
}

static void widen(struct scalar *s, u64 value)
{
	u64 a = random_number(), b = random_number();
	u32 how = (u32)random64();

	if (how & 1)
		s->umin = min_u64(a, value), s->umax = max_u64(b, value);
	if (how & 2) {
		s->smin = (s64)a < (s64)value ? (s64)a : (s64)value;
		s->smax = (s64)b > (s64)value ? (s64)b : (s64)value;
	}
	if (how & 4) {
		s->umin32 = (u32)min_u64((u32)a, (u32)value);
		s->umax32 = (u32)max_u64((u32)b, (u32)value);
	}
	if (how & 8) {
		s->smin32 = (s32)a < (s32)value ? (s32)a : (s32)value;
		s->smax32 = (s32)b > (s32)value ? (s32)b : (s32)value;
	}
	if (how & 16) {
		s->bits.mask = a | (how & 32 ? b : 0);
		s->bits.value = value & ~s->bits.mask;
	}
}

static struct scalar around(u64 value)
{
	struct scalar s = scalar_unknown();
	u64 of[2] = {value, 0};

	if (!(random64() % 8))
		return scalar_const(value);
	widen(&s, value);
	scalar_sync(&s);
	admitted(&s, value, "sync", of);
	CHECK(!scalar_is_empty(&s));
	return s;
}

static void check_alu_once(u32 row, u8 width, const u64 of[2], const struct scalar *d,
			   const struct scalar *s)
{
	struct scalar r;

	if (row == ALU_MOVS32 && width == 32)
		return;
	r = scalar_alu(row, width, d, s);
	admitted(&r, oracle_alu(row, width, of[0], of[1]), alus[row].name, of);
}

static void check_jmp_once(u32 row, u8 width, const u64 of[2], const struct scalar *d,
			   const struct scalar *s)
{
	bool taken = oracle_jmp(row, width, of[0], of[1]);
	int decided = scalar_branch(row, width, d, s);
	struct scalar a = *d, b = *s;

	if (decided >= 0) {
		if (decided != taken)
			CHECK_STR("wrongly decided", jmps[row].name);
		return;
	}
	scalar_refine(row, width, taken, &a, &b);
	admitted(&a, of[0], jmps[row].name, of);
	admitted(&b, of[1], jmps[row].name, of);
}

static void check_pair(const u64 of[2], const struct scalar *d, const struct scalar *s)
{
	for (u8 width = 32; width <= 64; width += 32) {
		for (u32 row = 0; row < ALUS; row++)
			check_alu_once(row, width, of, d, s);
		for (u32 row = 0; row < JMPS; row++)
			check_jmp_once(row, width, of, d, s);
	}
}

static void check_parts(u64 value, const struct scalar *s)
{
	static const struct {
		enum op op;
		u64 (*oracle)(u64);
	} ends[] = {
		{OP_LE16, end_LE16},       {OP_LE32, end_LE32},
		{OP_LE64, end_LE64},       {OP_BE16, end_BE16},
		{OP_BE32, end_BE32},       {OP_BE64, end_BE64},
		{OP_BSWAP16, end_BSWAP16}, {OP_BSWAP32, end_BSWAP32},
		{OP_BSWAP64, end_BSWAP64},
	};
	u64 of[2] = {value, 0};
	struct scalar r;

	for (u8 size = 1; size <= 8; size *= 2) {
		u8 unused = 64 - 8 * size;

		r = scalar_truncate(s, size);
		admitted(&r, value << unused >> unused, "truncation", of);
		r = scalar_sign_extend(s, size);
		admitted(&r, (u64)((s64)(value << unused) >> unused), "sign extension",
			 of);
	}
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		r = scalar_end(ends[i].op, s);
		admitted(&r, ends[i].oracle(value), "byte swap", of);
	}
}

static void check_random(u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u64 of[2] = {random_number(), random_number()};
		struct scalar d = around(of[0]), s = around(of[1]);

		if (!(random64() % 3)) {
			of[1] = random64() % 64;
			s = scalar_const(of[1]);
		}
		check_pair(of, &d, &s);
		check_parts(of[0], &d);
	}
}

/* All ranges of a few numbers around 0 and around the ends, with all their members. */
static struct scalar small_range(s64 min, s64 max)
{
	struct scalar s = scalar_unknown();

	s.smin = min, s.smax = max;
	scalar_sync(&s);
	return s;
}

static void check_small_pair(s64 a, s64 b, s64 c, s64 d)
{
	struct scalar x = small_range(a, b), y = small_range(c, d);

	for (s64 i = a; i <= b; i++)
		for (s64 k = c; k <= d; k++)
			check_pair((u64[]){(u64)i, (u64)k}, &x, &y);
}

static void check_small(void)
{
	enum { LOW = -3, HIGH = 3 };

	for (s64 a = LOW; a <= HIGH; a++)
		for (s64 b = a; b <= HIGH; b++)
			for (s64 c = LOW; c <= HIGH; c++)
				for (s64 d = c; d <= HIGH; d++)
					check_small_pair(a, b, c, d);
}

/* What the same programs being accepted rests on. */
static void check_precision(void)
{
	struct scalar x = scalar_unknown(), mask = scalar_const(0xff), r;

	r = scalar_alu(ALU_AND, 64, &x, &mask);
	CHECK_INT(r.umax, 255);
	CHECK_INT(r.smin, 0);
	mask = scalar_const(4);
	r = scalar_alu(ALU_LSH, 64, &r, &mask);
	CHECK_INT(r.umax, 255 * 16);
	CHECK(tnum_is_aligned(r.bits, 16));
	scalar_refine(JMP_JSGT, 32, false, &x, &mask);
	CHECK_INT(x.smax32, 4);
	x = scalar_const(7);
	CHECK_INT(scalar_branch(JMP_JEQ, 64, &x, &mask), 0);
	mask = scalar_alu(ALU_MUL, 32, &x, &mask);
	CHECK(scalar_is_const(&mask) && mask.umin == 28);
	CHECK(scalar_within(&r, &r) && scalar_same(&r, &r) && !scalar_same(&r, &x));
	x.smin = 8;
	CHECK(scalar_is_empty(&x));
}

int main(void)
{
	const char *seed = getenv("SKEP_SEED");

	if (seed)
		random_state ^= strtoull(seed, NULL, 0) * 0x9e3779b97f4a7c15;
	check_tnums();
	check_small();
	check_random(CHECK_IS_SANITIZED || check_is_emulated() ? 12000 : 150000);
	check_precision();
	CHECK(tried > 1000000);
	return check_report();
}
