/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator behind both worlds: one step of a counter, mixed well (SplitMix64, Steele
 * et al. 2014).  Any state is a good state; many threads may draw at once.  For
 * src/world.
 */
#ifndef SKEP_WORLD_RANDOM_H
#define SKEP_WORLD_RANDOM_H

#include "base/types.h"

u32 random_next(_Atomic u64 *state);

#endif
