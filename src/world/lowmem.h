/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory below 4 GiB, whose addresses fit the 32-bit fields of BPF contexts.  Platform
 * code: one file per system (lowmem_posix.c).
 */
#ifndef SKEP_WORLD_LOWMEM_H
#define SKEP_WORLD_LOWMEM_H

#include "base/types.h"

struct skep_diag;

/* Zeroed pages with an inaccessible page on either side, or NULL with diag
 * (LOW_MEMORY_REFUSED).  size becomes a multiple of the page size. */
void *lowmem_map(u32 *size, struct skep_diag *diag);
void lowmem_unmap(void *mem, u32 size);

#endif
