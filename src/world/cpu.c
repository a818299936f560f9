/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claiming a virtual CPU.
 *
 * A bit a slot; whoever turns it from 0 to 1 owns the slot.  Taking acquires what the
 * last holder released, so its per-CPU values are seen whole.  Never waits.
 */
#include "world/cpu.h"

#include <errno.h>
#include <stdatomic.h>

int cpu_set_init(struct cpu_set *set, u32 n)
{
	if (!n || n > CPU_MAX)
		return -EINVAL;
	set->n = n;
	for (u32 i = 0; i < CPU_MAX / 64; i++)
		atomic_init(&set->taken[i], 0);
	return 0;
}

static bool take(struct cpu_set *set, u32 cpu)
{
	u64 bit = 1ull << (cpu % 64);

	return !(atomic_fetch_or_explicit(&set->taken[cpu / 64], bit,
					  memory_order_acquire) &
		 bit);
}

int cpu_claim(struct cpu_set *set, u32 wish)
{
	for (u32 i = 0; i < set->n; i++) {
		u32 cpu = (u32)(((u64)wish + i) % set->n);

		if (take(set, cpu))
			return (int)cpu;
	}
	return -EBUSY;
}

void cpu_release(struct cpu_set *set, u32 cpu)
{
	atomic_fetch_and_explicit(&set->taken[cpu / 64], ~(1ull << (cpu % 64)),
				  memory_order_release);
}
