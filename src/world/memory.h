/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of this process at an address that may not exist.  Platform code: one file per
 * system (memory_posix.c).  For src/world.
 */
#ifndef SKEP_WORLD_MEMORY_H
#define SKEP_WORLD_MEMORY_H

#include "base/types.h"

/* 0, or -EFAULT with dst zeroed; never faults. */
int memory_read(void *dst, u32 size, u64 addr);

#endif
