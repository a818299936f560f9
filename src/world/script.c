/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world as a test says it: every answer comes from a field of struct world_script.
 *
 * The same fields and the same calls give the same answers, on every machine.  Never asks
 * the system for anything but memory.
 */
#include <stdatomic.h>
#include <string.h>

#include "world/memory.h"
#include "world/random.h"
#include "world/world.h"

static struct world_script *script_of(struct world *w)
{
	return container_of(w, struct world_script, world);
}

/* A clock that stands still is only read: many CPUs may do that at once. */
static u64 script_now(struct world *w)
{
	struct world_script *s = script_of(w);

	return s->step ? atomic_fetch_add(&s->now, s->step) : atomic_load(&s->now);
}

static u64 script_tai(struct world *w)
{
	return script_now(w) + script_of(w)->tai_offset;
}

static u64 script_jiffies(struct world *w)
{
	u64 now = script_now(w);

	return world_jiffies(w, now / NS_PER_S, now % NS_PER_S);
}

static u32 script_random(struct world *w)
{
	struct world_script *s = script_of(w);
	u32 i = atomic_load(&s->next_random);

	while (i < s->n_randoms)
		if (atomic_compare_exchange_weak(&s->next_random, &i, i + 1))
			return s->randoms[i];
	return random_next(&s->seed);
}

static void script_task(struct world *w, struct world_task *task)
{
	*task = script_of(w)->task;
}

static int script_read_memory(struct world *w, void *dst, u32 size, u64 addr)
{
	const struct world_script *s = script_of(w);

	for (u32 i = 0; i < s->n_memory; i++) {
		const struct world_memory *m = &s->memory[i];

		if (addr < m->addr || addr - m->addr > m->len ||
		    size > m->len - (addr - m->addr))
			continue;
		if (size)
			memcpy(dst, (const u8 *)m->bytes + (addr - m->addr), size);
		return 0;
	}
	return memory_read(dst, size, addr);
}

static void script_print(struct world *w, const char *text, u32 len)
{
	struct world_script *s = script_of(w);

	if (s->sink)
		s->sink(s->sink_arg, text, len);
}

static const struct world_ops script_ops = {
	.clock = {[CLOCK_OF_MONOTONIC] = script_now,
		  [CLOCK_OF_BOOT] = script_now,
		  [CLOCK_OF_COARSE] = script_now,
		  [CLOCK_OF_TAI] = script_tai,
		  [CLOCK_OF_JIFFIES] = script_jiffies},
	.random = script_random,
	.task = script_task,
	.read_memory = script_read_memory,
	.print = script_print,
};

void world_script_init(struct world_script *w)
{
	*w = (struct world_script){
		.world = {.ops = &script_ops,
			  .n_cpus = 1,
			  .hz = WORLD_HZ,
			  .mtu = WORLD_MTU},
	};
	atomic_init(&w->seed, 1);
}
