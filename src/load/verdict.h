/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the results of packet programs are called.  For src/load.
 */
#ifndef SKEP_LOAD_VERDICT_H
#define SKEP_LOAD_VERDICT_H

#include "base/types.h"

/* Is a program of this type run on packets by skep? */
bool takes_packets(u32 prog_type);

/* "XDP_DROP", or NULL where the result has no name. */
const char *verdict_name(u32 prog_type, u64 ret);

/* What a program of this type returns when the next one of a chain is to run; false:
 * there are no chains of them. */
bool verdict_goes_on(u32 prog_type, s32 *verdict);

#endif
