/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF, the language of tcpdump and SO_ATTACH_FILTER, translated to eBPF: what it
 * computes becomes a socket filter over struct __sk_buff with the same answer for every
 * packet.
 *
 * Anybody may include this.  See Documentation/networking/filter.rst.
 */
#ifndef SKEP_ISA_CLASSIC_H
#define SKEP_ISA_CLASSIC_H

#include "base/bytes.h"
#include "isa/insn.h"

struct arena;

enum { CLASSIC_MAX_INSNS = 4096 };

/* As struct sock_filter of <linux/filter.h>. */
struct classic_insn {
	u16 code;
	u8 jt, jf;
	u32 k;
};

/*
 * What Linux computes for classic programs only and no eBPF program can ask for.  The
 * translation calls them under these numbers, behind all that Linux will ever give out:
 * u64 f(ctx, A, X).
 */
enum classic_helper {
	CLASSIC_NLATTR = 1000, /* offset of the netlink attribute X, from offset A on; 0 */
	CLASSIC_NLATTR_NEST,   /* the same among the attributes nested in the one at A */
	CLASSIC_PAY_OFFSET,    /* where the payload behind the transport header starts */
	CLASSIC_HATYPE,        /* ARPHRD_* of the interface */
	CLASSIC_HELPERS_END
};

/*
 * Reads what `tcpdump -ddd` prints: the number of instructions, then one a line, "code jt
 * jf k" in decimal.  The result is in the arena.
 */
int classic_parse(struct bytes text, struct arena *arena, struct classic_insn **insns,
		  u32 *n_insns, struct skep_diag *diag);

/*
 * The answer in R0 is that of the classic program: bytes of the packet to keep.  Refuses
 * what Linux refuses: unknown opcodes and extensions, jumps out of the program, shifts of
 * 32 or more, division by a constant zero, scratch memory read before it was written, a
 * last instruction that is no return.  The result is in the arena.
 */
int classic_translate(const struct classic_insn *classic, u32 n_classic,
		      struct arena *arena, struct insn **insns, u32 *n_insns,
		      struct skep_diag *diag);

#endif
