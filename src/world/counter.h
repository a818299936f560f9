/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter that the CPU gives to everybody: TSC on x86-64, CNTVCT on aarch64.
 */
#ifndef SKEP_WORLD_COUNTER_H
#define SKEP_WORLD_COUNTER_H

#include "base/types.h"

/* Not before what precedes it has happened, what other threads told included; 0 on other
 * machines. */
u64 counter_read(void);

/* Is it what Linux has its time from?  Then it has been found to run at one rate and to
 * be the same on all CPUs, and is watched. */
bool counter_is_clock(void);

#endif
