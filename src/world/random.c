/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SplitMix64: a Weyl sequence and a finaliser.  The state moves by one atomic addition,
 * so threads never draw the same number twice.  Not for keys.
 */
#include "world/random.h"

#include <stdatomic.h>

u32 random_next(_Atomic u64 *state)
{
	const u64 weyl = 0x9e3779b97f4a7c15;
	u64 z = atomic_fetch_add_explicit(state, weyl, memory_order_relaxed) + weyl;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (u32)((z ^ (z >> 31)) >> 32);
}
