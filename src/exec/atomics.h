/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic read-modify-write as the rows of isa/atomic.def say, on memory that several CPUs
 * share.  Each is a loop around compare-and-exchange, so that the row alone says what is
 * stored.  What fetches is fully ordered, what does not is relaxed, as in Linux
 * (Documentation/bpf/standardization and the memory model's atomic_t.txt).  Never
 * touches misaligned memory: the verifier and the checked engine see to that.
 */
#ifndef SKEP_EXEC_ATOMICS_H
#define SKEP_EXEC_ATOMICS_H

#include "isa/eval.h"

enum { ATOMIC_IMM_CMPXCHG = 0xf1 }; /* the one that fetches to R0 */

#define APPLY(name, imm, fetch, bits)                                                    \
	static inline void atomic_apply##bits##_##name(u##bits *p, u64 *src, u64 *r0)    \
	{                                                                                \
		int order = fetch ? __ATOMIC_SEQ_CST : __ATOMIC_RELAXED;                 \
		u##bits old = __atomic_load_n(p, __ATOMIC_RELAXED), stored;              \
                                                                                         \
		do                                                                       \
			stored = atomic##bits##_##name(old, (u##bits) * src,             \
						       (u##bits) * r0);                  \
		while (!__atomic_compare_exchange_n(p, &old, stored, true, order,        \
						    __ATOMIC_RELAXED));                  \
		if (fetch)                                                               \
			*(imm == ATOMIC_IMM_CMPXCHG ? r0 : src) = old;                   \
	}
#define T(name, imm, fetch, text, stored)                                                \
	APPLY(name, imm, fetch, 64)                                                      \
	APPLY(name, imm, fetch, 32)
#include "isa/atomic.def"
#undef T
#undef APPLY

#endif
