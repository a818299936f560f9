/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The legacy packet accesses (RFC 9669 5.5), LD_ABS and LD_IND, that come from classic
 * BPF. Only src/exec includes this.
 */
#ifndef SKEP_EXEC_LEGACY_H
#define SKEP_EXEC_LEGACY_H

#include "base/types.h"

struct packet;

/*
 * The size bytes at off, from network to host order.  A negative off counts from a
 * header: see <linux/filter.h>, SKF_NET_OFF and SKF_LL_OFF.  False where there are no
 * such bytes: then the program ends with 0.
 */
bool legacy_load(const struct packet *p, s32 off, u32 size, u64 *value);

#endif
