/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several files of skb helpers need.  For src/helpers only.
 */
#ifndef SKEP_HELPERS_SKB_H
#define SKEP_HELPERS_SKB_H

#include "base/types.h"

struct run;

/* The most that a program may grow a packet to: SKB_MAX_ALLOC with pages of 4 KiB. */
enum { SKB_MAX_LEN = 4 * 4096 - 320 };

/* Makes the first len bytes linear and tells the context: 0, or -ENOMEM. */
int skb_make_writable(struct run *run, u64 len);

/* The next get_hash_recalc computes it anew. */
void skb_forget_hash(struct run *run);

#endif
