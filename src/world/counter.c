/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU's counter, in the order in which Linux and the compiled code read it
 * (emit_call.c, aarch64/call.c), and what Linux thinks of it.
 *
 * Never decides by itself that a counter is good.
 */
#include "world/counter.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
static const char name[] = "tsc";

u64 counter_read(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}
#elif defined(__aarch64__)
static const char name[] = "arch_sys_counter";

u64 counter_read(void)
{
	u64 ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
}
#else
static const char name[] = "";

u64 counter_read(void)
{
	return 0;
}
#endif

bool counter_is_clock(void)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	char line[64] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	return *name && !strcmp(line, name);
}
