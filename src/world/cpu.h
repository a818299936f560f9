/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual CPUs: the slot that a thread holds while it runs programs.  Per-CPU maps are
 * indexed by it, and whoever holds it is alone on it.  Claiming takes no lock.
 */
#ifndef SKEP_WORLD_CPU_H
#define SKEP_WORLD_CPU_H

#include "base/types.h"

enum { CPU_MAX = 1024 };

struct cpu_set {
	u32 n;                           /* const after cpu_set_init() */
	_Atomic u64 taken[CPU_MAX / 64]; /* one bit a slot; acquire and release */
};

/* 1 <= n <= CPU_MAX, or -EINVAL. */
int cpu_set_init(struct cpu_set *set, u32 n);

/* A free slot, `wish` if it is free: its number, or -EBUSY when none is. */
int cpu_claim(struct cpu_set *set, u32 wish);
void cpu_release(struct cpu_set *set, u32 cpu);

#endif
