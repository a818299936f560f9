/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as it is: its clocks, its random numbers, the thread that runs.
 *
 * Prints nothing itself: world_real.sink does.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "world/counter.h"
#include "world/cpu.h"
#include "world/memory.h"
#include "world/random.h"
#include "world/world.h"

static struct world_real *real_of(struct world *w)
{
	return container_of(w, struct world_real, world);
}

static inline u64 ask(clock_fn gettime, clockid_t id)
{
	struct timespec t = {0};

	gettime(id, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

static u64 real_monotonic(struct world *w)
{
	return anchor_read(&real_of(w)->anchors[CLOCK_OF_MONOTONIC]);
}

static u64 real_boot(struct world *w)
{
	return anchor_read(&real_of(w)->anchors[CLOCK_OF_BOOT]);
}

static u64 real_coarse(struct world *w)
{
	return ask(real_of(w)->gettime, CLOCK_MONOTONIC_COARSE);
}

static u64 real_tai(struct world *w)
{
	return ask(real_of(w)->gettime, CLOCK_TAI);
}

/* As Linux' own, they go on together with the coarse clock, at a tick. */
static u64 real_jiffies(struct world *w)
{
	struct timespec t = {0};

	real_of(w)->gettime(CLOCK_MONOTONIC_COARSE, &t);
	return world_jiffies(w, (u64)t.tv_sec, (u64)t.tv_nsec);
}

u64 world_jiffies(const struct world *w, u64 seconds, u64 ns)
{
	/* the counter starts five minutes before it wraps at 32 bits */
	u64 first = (u32) - (300 * w->hz);

	return first + seconds * w->hz + ns * w->hz / NS_PER_S;
}

/* The vDSO's function is what the C library's calls, and the way there is saved.  But a
 * host may have put a function of his own before the library's, to fake time: then what
 * it says counts, and the vDSO's answers do not fit in between. */
static clock_fn find_clock(void)
{
	static const clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME,
					CLOCK_MONOTONIC_COARSE, CLOCK_TAI};
	clock_fn direct = vdso_clock();

	for (u32 i = 0; i < ARRAY_SIZE(ids) && direct; i++) {
		u64 before = ask(clock_gettime, ids[i]);
		u64 between = ask(direct, ids[i]);
		u64 after = ask(clock_gettime, ids[i]);

		if (between < before || after < between)
			direct = NULL;
	}
	return direct ? direct : clock_gettime;
}

/* The counter is what the vDSO's clock is made of; any other has nothing to do with
 * it. */
static void find_anchors(struct world_real *w)
{
	static const clockid_t ids[WORLD_PAGES] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};
	bool stable = w->gettime != clock_gettime && counter_is_clock();

	for (u32 i = 0; i < WORLD_PAGES; i++)
		w->anchors[i] = (struct anchor){.page = &w->world.pages[i],
						.counter = stable ? counter_read : NULL,
						.gettime = w->gettime,
						.id = ids[i]};
}

static u32 real_random(struct world *w)
{
	return random_next(&real_of(w)->random);
}

static void real_task(struct world *w, struct world_task *task)
{
	*task = (struct world_task){
		.pid = (u32)syscall(SYS_gettid),
		.tgid = (u32)getpid(),
		.uid = getuid(),
		.gid = getgid(),
		.cgroup_id = real_of(w)->cgroup_id,
	};
	prctl(PR_GET_NAME, task->comm);
}

static int real_read_memory(struct world *w, void *dst, u32 size, u64 addr)
{
	(void)w;
	return memory_read(dst, size, addr);
}

static void real_print(struct world *w, const char *text, u32 len)
{
	struct world_real *real = real_of(w);

	if (real->sink)
		real->sink(real->sink_arg, text, len);
}

/* The id of a cgroup is the inode number of its folder in the unified hierarchy. */
static u64 own_cgroup_id(void)
{
	char line[1024], path[1200];
	struct stat st;
	u64 id = 0;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s", line + 3);
		if (!stat(path, &st))
			id = st.st_ino;
	}
	fclose(f);
	return id;
}

static const struct world_ops real_ops = {
	.clock = {[CLOCK_OF_MONOTONIC] = real_monotonic,
		  [CLOCK_OF_BOOT] = real_boot,
		  [CLOCK_OF_COARSE] = real_coarse,
		  [CLOCK_OF_TAI] = real_tai,
		  [CLOCK_OF_JIFFIES] = real_jiffies},
	.random = real_random,
	.task = real_task,
	.read_memory = real_read_memory,
	.print = real_print,
};

void world_real_init(struct world_real *w)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	u64 seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = ask(clock_gettime, CLOCK_REALTIME);
	*w = (struct world_real){
		.world = {.ops = &real_ops,
			  .n_cpus = 1,
			  .hz = WORLD_HZ,
			  .mtu = WORLD_MTU},
		.gettime = find_clock(),
		.cgroup_id = own_cgroup_id(),
	};
	find_anchors(w);
	if (cpus > 1)
		w->world.n_cpus = cpus < CPU_MAX ? (u32)cpus : CPU_MAX;
	atomic_init(&w->random, seed);
}
