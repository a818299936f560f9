/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every instruction computes, as inline functions made from the rows of alu.def,
 * jmp.def and atomic.def: alu64_ADD(d, s), alu32_ADD(d, s), jmp64_JEQ(d, s), jmp32_JEQ(d,
 * s), atomic64_ADD(d, s, r0), end_BE16(d), ... A 32-bit operation takes and gives 64-bit
 * registers; its result is zero-extended. Interpreters, constant folding and tests
 * include this.
 */
#ifndef SKEP_ISA_EVAL_H
#define SKEP_ISA_EVAL_H

#include "base/bytes.h"

#define A(name, code, off, sign, forms, text, result)                                    \
	static inline u64 alu64_##name(u64 a, u64 b)                                     \
	{                                                                                \
		enum { M = 63 };                                                         \
		sign##64 d = (sign##64)a, s = (sign##64)b;                               \
		(void)d, (void)s;                                                        \
		return (u64)(result);                                                    \
	}                                                                                \
	static inline u64 alu32_##name(u64 a, u64 b)                                     \
	{                                                                                \
		enum { M = 31 };                                                         \
		sign##32 d = (sign##32)a, s = (sign##32)b;                               \
		(void)d, (void)s;                                                        \
		return (u32)(result);                                                    \
	}
#include "isa/alu.def"
#undef A

#define J(name, code, sign, text, taken)                                                 \
	static inline bool jmp64_##name(u64 a, u64 b)                                    \
	{                                                                                \
		sign##64 d = (sign##64)a, s = (sign##64)b;                               \
		return taken;                                                            \
	}                                                                                \
	static inline bool jmp32_##name(u64 a, u64 b)                                    \
	{                                                                                \
		sign##32 d = (sign##32)a, s = (sign##32)b;                               \
		return taken;                                                            \
	}
#include "isa/jmp.def"
#undef J

#define T(name, imm, fetch, text, stored)                                                \
	static inline u64 atomic64_##name(u64 d, u64 s, u64 r0)                          \
	{                                                                                \
		(void)d, (void)s, (void)r0;                                              \
		return stored;                                                           \
	}                                                                                \
	static inline u32 atomic32_##name(u32 d, u32 s, u32 r0)                          \
	{                                                                                \
		(void)d, (void)s, (void)r0;                                              \
		return stored;                                                           \
	}
#include "isa/atomic.def"
#undef T

/* Byte swaps (RFC 9669 4.2): the low bits, to or from the byte order of the name. */
#define END(bits)                                                                        \
	static inline u64 end_BSWAP##bits(u64 d)                                         \
	{                                                                                \
		return __builtin_bswap##bits((u##bits)d);                                \
	}                                                                                \
	static inline u64 end_LE##bits(u64 d)                                            \
	{                                                                                \
		return host_is_big_endian() ? end_BSWAP##bits(d) : (u##bits)d;           \
	}                                                                                \
	static inline u64 end_BE##bits(u64 d)                                            \
	{                                                                                \
		return host_is_big_endian() ? (u##bits)d : end_BSWAP##bits(d);           \
	}
END(16)
END(32)
END(64)
#undef END

#endif
