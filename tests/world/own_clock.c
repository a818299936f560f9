/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host that has a clock_gettime() of its own, as who fakes time does: programs are told
 * what it says, and nothing of the kernel's.
 */
#include <time.h>

#include "check.h"
#include "world/world.h"

static long readings;

int clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){.tv_sec = 2, .tv_nsec = ++readings};
	return 0;
}

int main(void)
{
	struct world_real w;

	world_real_init(&w);
	for (u32 i = 0; i < CLOCK_OF_JIFFIES; i++) {
		readings = 100;
		CHECK_INT(w.world.ops->clock[i](&w.world), 2 * (u64)NS_PER_S + 101);
	}
	CHECK_INT(w.world.ops->clock[CLOCK_OF_JIFFIES](&w.world),
		  world_jiffies(&w.world, 2, 0));
	return check_report();
}
