/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that a program can observe but not compute: clocks, random numbers, the current
 * task, memory of others, and where its printing goes.  Helpers reach it through this one
 * vtable; nothing else in an engine is non-deterministic, which is what makes runs
 * repeatable in tests and in the debugger.
 *
 * world_real_init() is the machine; world_script_init() is what the caller says, and
 * moves only as he says. Packets are packet.h.  Thread safety: a world's ops may be
 * called from many threads at once.
 */
#ifndef SKEP_WORLD_WORLD_H
#define SKEP_WORLD_WORLD_H

#include "base/types.h"
#include "world/anchor.h"

struct world;

enum world_clock {
	CLOCK_OF_MONOTONIC, /* bpf_ktime_get_ns */
	CLOCK_OF_BOOT,      /* bpf_ktime_get_boot_ns */
	CLOCK_OF_COARSE,    /* bpf_ktime_get_coarse_ns */
	CLOCK_OF_TAI,       /* bpf_ktime_get_tai_ns */
	CLOCK_OF_JIFFIES,   /* bpf_jiffies64: ticks, not ns */
	WORLD_CLOCKS
};

/* The first two have a page, which compiled code looks at before it asks. */
enum { WORLD_PAGES = CLOCK_OF_BOOT + 1 };

/* Who runs right now, as helpers tell it. */
struct world_task {
	u32 pid, tgid, uid, gid;
	u64 cgroup_id;
	char comm[16];
};

struct world_ops {
	u64 (*clock[WORLD_CLOCKS])(struct world *); /* ns, but for jiffies */
	u32 (*random)(struct world *);
	void (*task)(struct world *, struct world_task *);
	/* 0, or -EFAULT with dst zeroed; never faults the host */
	int (*read_memory)(struct world *, void *dst, u32 size, u64 addr);
	/* one message of bpf_trace_printk, without a NUL, with its newline if the program
	 * gave one */
	void (*print)(struct world *, const char *text, u32 len);
};

struct world {
	const struct world_ops *ops; /* static */
	u32 n_cpus;                  /* per-CPU maps have that many values */
	u32 numa_node;
	u32 hz;  /* jiffies a second */
	u32 mtu; /* of every interface, without the Ethernet header */
	/* What ops->clock would say, by clock; zeroes: ask. */
	struct clock_page pages[WORLD_PAGES];
};

/* CONFIG_HZ and MTU of most systems; the caller may set others in struct world. */
enum { WORLD_HZ = 250, WORLD_MTU = 1500 };

enum { NS_PER_S = 1000000000 };

/* bpf_jiffies64() when the monotonic clock says so; ns of the second. */
u64 world_jiffies(const struct world *w, u64 seconds, u64 ns);

/* The machine.  Its print writes nothing: set `sink` to see it.  Stays where it was
 * made. */
struct world_real {
	struct world world;
	_Atomic u64 random; /* state of the generator; seeded by the system */
	clock_fn gettime;   /* as clock_gettime(2) */
	struct anchor anchors[WORLD_PAGES];
	u64 cgroup_id; /* of this process when the world was made */
	void (*sink)(void *arg, const char *text, u32 len);
	void *sink_arg; /* borrowed */
};

void world_real_init(struct world_real *w);

/* What the caller says.  The clocks start at `now` and go on by `step` at each reading;
 * random numbers come from `randoms` first, then from a generator seeded with `seed`. */
struct world_script {
	struct world world;
	_Atomic u64 now; /* ns since boot; the caller may set it at any time */
	u64 step;
	u64 tai_offset; /* what CLOCK_OF_TAI is ahead, ns */
	_Atomic u64 seed;
	const u32 *randoms; /* borrowed; may be NULL */
	u32 n_randoms;
	_Atomic u32 next_random;
	struct world_task task;
	/* memory that probe reads see in place of what is there; elsewhere they see this
	 * process, where the program's own stack and maps are */
	struct world_memory {
		u64 addr;
		const void *bytes; /* borrowed */
		u32 len;
	} const *memory; /* borrowed; may be NULL */
	u32 n_memory;
	void (*sink)(void *arg, const char *text, u32 len);
	void *sink_arg; /* borrowed */
};

/* One CPU, time 0, no step, seed 1, task 0 "", no memory, no sink: then set the fields.
 */
void world_script_init(struct world_script *w);

#endif
