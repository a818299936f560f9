/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of worlds: the real or the scripted one, its CPUs and their packets.
 * Never does: anything that a program could see and world.ops does not say.
 */
#include "load/world.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"

static int make_cpus(struct skep_world *w, u32 n_cpus, struct skep_diag *diag)
{
	if (cpu_set_init(&w->cpus, n_cpus))
		return fail(diag, BAD_CPU_COUNT, NO_PC, n_cpus, CPU_MAX);
	w->slots = calloc(n_cpus, sizeof(*w->slots));
	if (!w->slots)
		return fail(diag, NO_MEMORY, NO_PC);
	world_of(w)->n_cpus = n_cpus;
	return 0;
}

static int make_world(bool scripted, u32 n_cpus, struct skep_world **world,
		      struct skep_diag *diag)
{
	struct skep_world *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return fail(diag, NO_MEMORY, NO_PC);
	w->scripted = scripted;
	if (scripted)
		world_script_init(&w->script);
	else
		world_real_init(&w->real);
	err = make_cpus(w, n_cpus, diag);
	if (err)
		free(w);
	else
		*world = w;
	return err;
}

static u32 online_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > CPU_MAX ? CPU_MAX : (u32)n;
}

SKEP_API int skep_world_new_real(u32 n_cpus, struct skep_world **world,
				 struct skep_diag *diag)
{
	return make_world(false, n_cpus ? n_cpus : online_cpus(), world, diag);
}

SKEP_API int skep_world_new_script(u32 n_cpus, struct skep_world **world,
				   struct skep_diag *diag)
{
	return make_world(true, n_cpus ? n_cpus : 1, world, diag);
}

SKEP_API void skep_world_free(struct skep_world *w)
{
	if (!w)
		return;
	for (u32 cpu = 0; cpu < w->cpus.n; cpu++) {
		if (w->slots[cpu].has_packet)
			packet_fini(&w->slots[cpu].packet);
	}
	free(w->slots);
	free(w);
}

SKEP_API int skep_world_set_time(struct skep_world *w, u64 ns)
{
	if (!w->scripted)
		return -EINVAL;
	w->script.now = ns;
	return 0;
}

SKEP_API int skep_world_set_tai_offset(struct skep_world *w, u64 ns)
{
	if (!w->scripted)
		return -EINVAL;
	w->script.tai_offset = ns;
	return 0;
}

SKEP_API int skep_world_set_seed(struct skep_world *w, u64 seed)
{
	if (!w->scripted)
		return -EINVAL;
	w->script.seed = seed;
	return 0;
}

SKEP_API int skep_world_set_task(struct skep_world *w, const struct skep_task *task)
{
	struct world_task *to = &w->script.task;

	if (!w->scripted)
		return -EINVAL;
	*to = (struct world_task){.pid = task->pid,
				  .tgid = task->tgid,
				  .uid = task->uid,
				  .gid = task->gid,
				  .cgroup_id = task->cgroup_id};
	memcpy(to->comm, task->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = 0;
	return 0;
}

SKEP_API void skep_world_set_print(struct skep_world *w, skep_print_fn print, void *arg)
{
	if (w->scripted) {
		w->script.sink = print;
		w->script.sink_arg = arg;
	} else {
		w->real.sink = print;
		w->real.sink_arg = arg;
	}
}

/*
 * Threads start looking at different places, so that they do not fight for CPU 0: stacks
 * lie apart.  A scripted world has one order of CPUs, so that runs can be repeated.
 */
static u32 first_try(const struct skep_world *w, u32 wish)
{
	int on_stack;

	if (wish)
		return wish - 1;
	return w->scripted ? 0 : (u32)((uintptr_t)&on_stack >> 16);
}

u32 world_hold_cpu(struct skep_world *w, u32 wish)
{
	int cpu;

	while ((cpu = cpu_claim(&w->cpus, first_try(w, wish))) < 0)
		sched_yield();
	return (u32)cpu;
}

void world_release_cpu(struct skep_world *w, u32 cpu)
{
	cpu_release(&w->cpus, cpu);
}

int world_packet(struct skep_world *w, u32 cpu, struct packet **packet,
		 struct skep_diag *diag)
{
	struct cpu_slot *slot = &w->slots[cpu];
	int err = slot->has_packet ? 0 : packet_init(&slot->packet, diag);

	slot->has_packet = !err;
	*packet = &slot->packet;
	return err;
}
