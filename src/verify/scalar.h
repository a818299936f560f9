/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a number: its bits, and its ranges, signed and unsigned, as a whole and
 * of its low half; each refined by the others.
 *
 * Values, passed and returned by value; no operation can fail.  Every operation is sound
 * (tests/verify/domains.c tries it exhaustively at few bits and at random at 64), and as
 * precise as the one of Linux 6.18, so that the same programs are accepted.  Semantics: RFC 9669
 * section 4; refinement: Documentation/bpf/verifier.rst of the kernel.  For src/verify.
 */
#ifndef SKEP_VERIFY_SCALAR_H
#define SKEP_VERIFY_SCALAR_H

#include "isa/insn.h"
#include "verify/tnum.h"

struct scalar {
	struct tnum bits;
	s64 smin, smax;
	u64 umin, umax;
	s32 smin32, smax32;
	u32 umin32, umax32;
};

struct scalar scalar_unknown(void);

static inline struct scalar scalar_const(u64 value)
{
	return (struct scalar){
		.bits = tnum_const(value),
		.smin = (s64)value,
		.smax = (s64)value,
		.umin = value,
		.umax = value,
		.smin32 = (s32)value,
		.smax32 = (s32)value,
		.umin32 = (u32)value,
		.umax32 = (u32)value,
	};
}

static inline bool scalar_is_const(const struct scalar *s)
{
	return !s->bits.mask;
}

/* A constant with all its parts: not one whose ranges were forgotten. */
static inline bool scalar_is_whole_const(const struct scalar *s)
{
	return !(s->bits.mask | (s->umin ^ s->umax) | (u64)(s->smin ^ s->smax) |
		 (s->umin32 ^ s->umax32) | (u32)(s->smin32 ^ s->smax32));
}

/* All ranges unknown, the bits as they are. */
void scalar_forget_ranges(struct scalar *s);
/* Refines everything by everything else, until nothing changes that matters. */
void scalar_sync(struct scalar *s);
/* As before Linux knew about ranges of both signs that overlap at one end only. */
void scalar_sync_early(struct scalar *s);
/* Nothing satisfies it: the code that holds it cannot run. */
bool scalar_is_empty(const struct scalar *s);
static inline bool scalar_same(const struct scalar *a, const struct scalar *b)
{
	/* Written out, it is four wide comparisons where memcmp() is a call. */
	return !((a->bits.value ^ b->bits.value) | (a->bits.mask ^ b->bits.mask) |
		 (u64)(a->smin ^ b->smin) | (u64)(a->smax ^ b->smax) |
		 (a->umin ^ b->umin) | (a->umax ^ b->umax) |
		 (u32)(a->smin32 ^ b->smin32) | (u32)(a->smax32 ^ b->smax32) |
		 (a->umin32 ^ b->umin32) | (a->umax32 ^ b->umax32));
}

/* Is all of inner in outer? */
bool scalar_within(const struct scalar *outer, const struct scalar *inner);
bool scalar_admits(const struct scalar *s, u64 value);

/* d op s of numbers that are known: what loops count with and addresses are made of.
 * False: of these scalar_alu() has to know. */
bool scalar_alu_known(enum alu op, u8 width, u64 d, u64 s, u64 *result);

/* d op s, for a row of alu.def at 32 or 64 bits; 32-bit results are zero-extended.  s of an
 * operation with one operand (NEG) is not looked at. */
struct scalar scalar_alu(enum alu op, u8 width, const struct scalar *d,
			 const struct scalar *s);
/* Byte swaps (decode() says which). */
struct scalar scalar_end(enum op op, const struct scalar *d);
/* Loads and 32-bit moves: the low size bytes, zero- or sign-extended. */
struct scalar scalar_truncate(const struct scalar *s, u8 size);
struct scalar scalar_sign_extend(const struct scalar *s, u8 size);

/* Is "d jmp s" taken?  1 yes, 0 no, -1 either. */
int scalar_branch(enum jmp jmp, u8 width, const struct scalar *d, const struct scalar *s);

/*
 * What is known of d and s once "d jmp s" turned out as taken.  Both are refined in place.
 * s may be a constant.  What cannot be leaves them empty (scalar_is_empty).
 */
void scalar_refine(enum jmp jmp, u8 width, bool taken, struct scalar *d, struct scalar *s);
/* The same with scalar_sync_early(). */
void scalar_refine_early(enum jmp jmp, u8 width, bool taken, struct scalar *d,
			 struct scalar *s);

#endif
