/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks, random numbers, and where the program runs: questions that the world answers.
 */
#include "helpers/bodies.h"

static u64 ask_clock(struct run *run, enum world_clock clock)
{
	return run->world->ops->clock[clock](run->world);
}

HELPER(ktime_get_ns)
{
	return ask_clock(run, CLOCK_OF_MONOTONIC);
}

HELPER(ktime_get_boot_ns)
{
	return ask_clock(run, CLOCK_OF_BOOT);
}

HELPER(ktime_get_coarse_ns)
{
	return ask_clock(run, CLOCK_OF_COARSE);
}

HELPER(ktime_get_tai_ns)
{
	return ask_clock(run, CLOCK_OF_TAI);
}

HELPER(jiffies64)
{
	return ask_clock(run, CLOCK_OF_JIFFIES);
}

HELPER(get_prandom_u32)
{
	return run->world->ops->random(run->world);
}

HELPER(get_smp_processor_id)
{
	return run->cpu;
}

HELPER(get_numa_node_id)
{
	return run->world->numa_node;
}
