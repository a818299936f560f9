/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of helper bodies share: the head of a body, its arguments as C sees
 * them, and the packet's context brought up to date.  For src/helpers only.
 */
#ifndef SKEP_HELPERS_BODIES_H
#define SKEP_HELPERS_BODIES_H

#include <errno.h>
#include <linux/bpf.h>

#include "base/types.h"
#include "helpers/run.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

/* Linux' internal errno, which programs get to see. */
enum { ENOTSUPP = 524 };

/* The head of a body; it reads the arguments of its row in abi/helpers.def. */
#define HELPER(name)                                                                     \
	u64 helper_##name(                                                               \
		__attribute__((unused)) struct run *run, __attribute__((unused)) u64 r1, \
		__attribute__((unused)) u64 r2, __attribute__((unused)) u64 r3,          \
		__attribute__((unused)) u64 r4, __attribute__((unused)) u64 r5)

/* The same of a kfunc, whose row is in abi/kfunc_protos.def. */
#define KFUNC(name)                                                                      \
	u64 kfunc_##name(__attribute__((unused)) struct run *run,                        \
			 __attribute__((unused)) u64 r1, __attribute__((unused)) u64 r2, \
			 __attribute__((unused)) u64 r3, __attribute__((unused)) u64 r4, \
			 __attribute__((unused)) u64 r5)

/* The head of a body that works on the packet: without one, the run ends. */
#define PACKET_HELPER(name)                                                              \
	static u64 packet_##name(                                                        \
		__attribute__((unused)) struct run *run, __attribute__((unused)) u64 r2, \
		__attribute__((unused)) u64 r3, __attribute__((unused)) u64 r4,          \
		__attribute__((unused)) u64 r5);                                         \
	HELPER(name)                                                                     \
	{                                                                                \
		return run->packet ? packet_##name(run, r2, r3, r4, r5)                  \
				   : no_packet(run);                                     \
	}                                                                                \
	static u64 packet_##name(                                                        \
		__attribute__((unused)) struct run *run, __attribute__((unused)) u64 r2, \
		__attribute__((unused)) u64 r3, __attribute__((unused)) u64 r4,          \
		__attribute__((unused)) u64 r5)

/* A violation: the program works on a packet in a run that has none. */
u64 no_packet(struct run *run);

#define B(name) HELPER(name);
#include "helpers/offered.def"
#undef B
#define P(name, ...) KFUNC(name);
#include "abi/kfunc_protos.def"
#undef P

static inline void *pointer(u64 reg)
{
	return (void *)(uintptr_t)reg;
}

/* A negative errno, or another signed answer, as R0. */
static inline u64 answer(s64 value)
{
	return (u64)value;
}

/* The same of a kfunc whose result is an int: in Linux its upper half is 0. */
static inline u64 answer_int(s64 value)
{
	return (u32)value;
}

static inline void xdp_sync(struct run *run)
{
	xdp_ctx_sync(run->ctx, run->packet);
}

static inline void skb_sync(struct run *run)
{
	skb_ctx_sync(run->ctx, run->packet);
}

#endif
