/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that a program can observe but not compute: clocks, random numbers, the current
 * task, the number of CPUs, and where its printing goes.
 */
#ifndef SKEP_WORLD_H
#define SKEP_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A world.  Programs of many objects may share one. */
struct skep_world;

/** What bpf_get_current_pid_tgid() and its relatives answer in a scripted world. */
struct skep_task {
	uint32_t pid, tgid; /**< of the thread, of the process */
	uint32_t uid, gid;
	uint64_t cgroup_id;
	char comm[16]; /**< NUL-terminated */
};

/**
 * What a program prints.
 * @param arg as it was given to skep_world_set_print()
 * @param text one message of bpf_trace_printk() or bpf_trace_vprintk(), not
 *         NUL-terminated, with a line end if the program gave one
 * @param len its length in bytes May be called by several threads at once, when programs
 *         run in several threads.
 */
typedef void (*skep_print_fn)(void *arg, const char *text, uint32_t len);

/**
 * The machine: its clocks, its random numbers, the calling thread as the current task.
 * Clocks are the kernel's, read without the C library, unless the process has a
 * clock_gettime() of its own that says otherwise when the world is made.
 * @param n_cpus virtual CPUs, 1 to 1024: how many threads may run programs at once, and
 *         how many values per-CPU maps have; 0: one for each CPU that is online
 * @param world out; freed by skep_world_free(), after all objects that use it
 * @return 0, -EINVAL, -ENOMEM. Thread-safe.
 */
int skep_world_new_real(uint32_t n_cpus, struct skep_world **world,
			struct skep_diag *diag);

/**
 * A world that is what the caller says, so that runs can be repeated exactly: time stands
 * at 0 until skep_world_set_time(), random numbers come from a seeded generator, the task
 * is all zeroes.  Parameters and result as for skep_world_new_real(), with 0 meaning one
 * CPU.
 */
int skep_world_new_script(uint32_t n_cpus, struct skep_world **world,
			  struct skep_diag *diag);

/** Frees a world.  NULL is fine. */
void skep_world_free(struct skep_world *world);

/**
 * Sets the clocks of a scripted world.
 * @param ns nanoseconds since boot: what bpf_ktime_get_ns() answers from now on
 * @return 0, -EINVAL for a real world. May be called while programs run.
 */
int skep_world_set_time(struct skep_world *world, uint64_t ns);

/**
 * Sets the clock that bpf_ktime_get_tai_ns() reads: how many nanoseconds it is ahead of
 * the time since boot.
 * @return 0, -EINVAL for a real world. Not while programs run.
 */
int skep_world_set_tai_offset(struct skep_world *world, uint64_t ns);

/**
 * Seeds the random numbers of a scripted world.
 * @return 0, -EINVAL for a real one.
 */
int skep_world_set_seed(struct skep_world *world, uint64_t seed);

/**
 * Sets the current task of a scripted world; copied.
 * @return 0, -EINVAL for a real one. Not while programs run.
 */
int skep_world_set_task(struct skep_world *world, const struct skep_task *task);

/**
 * Says where printing goes; without it, it is dropped.
 * @param print NULL: drop
 * @param arg borrowed, handed to print Not while programs run.
 */
void skep_world_set_print(struct skep_world *world, skep_print_fn print, void *arg);

#ifdef __cplusplus
}
#endif
#endif
