/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scripted world does as it is told, the real one tells the truth, and no two threads
 * ever hold the same CPU.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "world/cpu.h"
#include "world/world.h"

static void a_script_repeats_itself(void)
{
	static const u32 first[] = {7, 8};
	struct world_script a, b;
	u32 last = 0, same = 0;

	world_script_init(&a);
	world_script_init(&b);
	a.randoms = first;
	a.n_randoms = 2;
	CHECK_INT(a.world.ops->random(&a.world), 7);
	CHECK_INT(a.world.ops->random(&a.world), 8);
	for (int i = 0; i < 100; i++) {
		u32 r = a.world.ops->random(&a.world);

		same += r == last;
		last = r;
		CHECK_INT(r, b.world.ops->random(&b.world));
	}
	CHECK_INT(same, 0);
}

static void a_script_moves_its_clock_by_steps(void)
{
	struct world_script s;

	world_script_init(&s);
	s.now = 1000;
	s.step = 10;
	s.tai_offset = 5;
	CHECK_INT(s.world.ops->clock[CLOCK_OF_MONOTONIC](&s.world), 1000);
	CHECK_INT(s.world.ops->clock[CLOCK_OF_TAI](&s.world), 1015);
	s.now = 3000000000;
	s.step = 0;
	/* what the kernel calls INITIAL_JIFFIES, and 3 s of 250 Hz */
	CHECK_INT(s.world.ops->clock[CLOCK_OF_JIFFIES](&s.world), 4294892296 + 750);
}

static void a_script_shows_the_memory_it_was_given(void)
{
	struct world_memory m = {.addr = 0x1000, .bytes = "abcd", .len = 4};
	struct world_script s;
	char got[8] = "zzzz";

	world_script_init(&s);
	s.memory = &m;
	s.n_memory = 1;
	CHECK_INT(s.world.ops->read_memory(&s.world, got, 4, 0x1000), 0);
	CHECK_STR(got, "abcd");
	CHECK_INT(s.world.ops->read_memory(&s.world, got, 4, (uintptr_t) "wxyz"), 0);
	CHECK_STR(got, "wxyz");
	CHECK_INT(s.world.ops->read_memory(&s.world, got, 2, 0x1003), -EFAULT);
	CHECK_INT(got[0] + got[1], 0);
	CHECK_INT(s.world.ops->read_memory(&s.world, got, 1, 0xfff), -EFAULT);
	CHECK_INT(s.world.ops->read_memory(&s.world, got, 8, UINT64_MAX - 3), -EFAULT);
}

static void the_machine_reads_memory_without_faulting(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct world_real w;
	u64 got = 1;

	world_real_init(&w);
	munmap(mem + page, page);
	memcpy(mem + page - 8, "12345678", 8);
	CHECK_INT(w.world.ops->read_memory(&w.world, &got, 8, (uintptr_t)mem + page - 8),
		  0);
	CHECK(!memcmp(&got, "12345678", 8));
	CHECK_INT(w.world.ops->read_memory(&w.world, &got, 8, (uintptr_t)mem + page - 4),
		  -EFAULT);
	CHECK_INT(got, 0);
	CHECK_INT(w.world.ops->read_memory(&w.world, &got, 8, 0), -EFAULT);
	munmap(mem, page);
}

static void the_machine_knows_who_runs(void)
{
	struct world_task task;
	struct world_real w;
	u64 t;

	world_real_init(&w);
	w.world.ops->task(&w.world, &task);
	CHECK_INT(task.tgid, getpid());
	CHECK_INT(task.uid, getuid());
	CHECK(task.comm[0] && !task.comm[15]);
	t = w.world.ops->clock[CLOCK_OF_MONOTONIC](&w.world);
	CHECK(t && w.world.ops->clock[CLOCK_OF_MONOTONIC](&w.world) >= t);
	CHECK(w.world.n_cpus >= 1 && w.world.n_cpus <= CPU_MAX);
}

static u64 now_of(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

/* Not near to them: the same, so that what a program writes down can be compared.  Those
 * with a page may be behind a little, never ahead (world/anchor.h). */
static void the_machines_clocks_are_the_hosts(void)
{
	static const clockid_t ids[] = {
		[CLOCK_OF_MONOTONIC] = CLOCK_MONOTONIC,
		[CLOCK_OF_BOOT] = CLOCK_BOOTTIME,
		[CLOCK_OF_COARSE] = CLOCK_MONOTONIC_COARSE,
		[CLOCK_OF_TAI] = CLOCK_TAI,
	};
	struct world_real w;
	u32 wrong = 0;

	world_real_init(&w);
	for (u32 i = 0; i < 10000; i++) {
		u32 clock = i % ARRAY_SIZE(ids);
		u64 before = now_of(ids[clock]);
		u64 told = w.world.ops->clock[clock](&w.world);
		u64 behind = clock < WORLD_PAGES ? 4 * ANCHOR_WINDOW : 0;

		wrong += told + behind < before || told > now_of(ids[clock]);
	}
	CHECK_INT(wrong, 0);
}

static void the_machines_jiffies_go_on_with_its_coarse_clock(void)
{
	u64 before, told, after;
	struct world_real w;

	world_real_init(&w);
	w.world.hz = 1000;
	before = now_of(CLOCK_MONOTONIC_COARSE);
	told = w.world.ops->clock[CLOCK_OF_JIFFIES](&w.world);
	after = now_of(CLOCK_MONOTONIC_COARSE);
	CHECK(told >= world_jiffies(&w.world, before / NS_PER_S, before % NS_PER_S));
	CHECK(told <= world_jiffies(&w.world, after / NS_PER_S, after % NS_PER_S));
}

static struct world_real shared_world;
static _Atomic u64 latest, earlier;

/* Whoever was told a time by another thread is not told an earlier one. */
static void *read_often(void *arg)
{
	struct world *w = &shared_world.world;

	(void)arg;
	for (u32 i = 0; i < 50000; i++) {
		u64 seen = latest, told = w->ops->clock[CLOCK_OF_MONOTONIC](w);

		earlier += told < seen;
		while (seen < told && !atomic_compare_exchange_weak(&latest, &seen, told))
			;
	}
	return NULL;
}

static void the_machines_clock_is_one_for_all_threads(void)
{
	pthread_t threads[3];

	world_real_init(&shared_world);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, read_often, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(latest > 0);
	CHECK_INT(earlier, 0);
}

static struct cpu_set cpus;
static _Atomic u32 holders[3];
static _Atomic u32 collisions, claims;

static void *claim_often(void *arg)
{
	for (u32 i = 0; i < 20000; i++) {
		int cpu = cpu_claim(&cpus, i + (u32)(uintptr_t)arg);

		if (cpu < 0)
			continue;
		claims++;
		if (atomic_fetch_add(&holders[cpu], 1))
			collisions++;
		atomic_fetch_sub(&holders[cpu], 1);
		cpu_release(&cpus, (u32)cpu);
	}
	return NULL;
}

static void nobody_shares_a_cpu(void)
{
	pthread_t threads[4];

	CHECK_INT(cpu_set_init(&cpus, 0), -EINVAL);
	CHECK_INT(cpu_set_init(&cpus, CPU_MAX + 1), -EINVAL);
	CHECK_INT(cpu_set_init(&cpus, 3), 0);
	CHECK_INT(cpu_claim(&cpus, 2), 2);
	CHECK_INT(cpu_claim(&cpus, 2), 0);
	CHECK_INT(cpu_claim(&cpus, UINT32_MAX), 1);
	CHECK_INT(cpu_claim(&cpus, 0), -EBUSY);
	for (u32 i = 0; i < 3; i++)
		cpu_release(&cpus, i);
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, claim_often, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(collisions, 0);
	CHECK(claims > 0);
}

int main(void)
{
	a_script_repeats_itself();
	a_script_moves_its_clock_by_steps();
	a_script_shows_the_memory_it_was_given();
	the_machine_reads_memory_without_faulting();
	the_machine_knows_who_runs();
	the_machines_clocks_are_the_hosts();
	the_machines_jiffies_go_on_with_its_coarse_clock();
	the_machines_clock_is_one_for_all_threads();
	nobody_shares_a_cpu();
	return check_report();
}
