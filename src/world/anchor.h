/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock as a line over the CPU's counter, good for a millisecond: compiled code reads
 * the time without a call.  Linux answers bpf_ktime_get_ns() so, too, from an anchor that
 * each tick renews (ktime_get_mono_fast_ns()); here whoever comes first when a line is
 * over asks the vDSO's clock and writes the next.
 *
 * What is promised, to all threads and at all times:
 * - Never a step back, unless the counter makes one within a line.
 * - Never ahead of the clock while its rate is what it was in the last 16 ms.  When it
 *   fell (adjtimex: by 500 ppm), ahead by what the clock lost in one line: 0.5 us.
 * - Behind it by what it takes to read it: tens of ns, three times ANCHOR_WINDOW at most;
 *   and by what it gained on the line when its rate rose.
 * Nobody waits: a signal handler may read the time, whatever it interrupted.
 */
#ifndef SKEP_WORLD_ANCHOR_H
#define SKEP_WORLD_ANCHOR_H

#include "base/types.h"
#include "world/vdso.h"

enum {
	ANCHOR_SPAN = 1000000, /* ns that a line is good for */
	ANCHOR_WINDOW = 250,   /* ns: a longer reading tells little */
};

/*
 * The line, for compiled code, which asks the world when there is none.  Who reads takes
 * `end` first and `begin` last, who writes `begin` first and `end` last: where both are
 * the same, all in between belongs together.
 */
struct clock_page {
	_Atomic u64 end, begin;
	_Atomic u64 base;  /* the counter where it starts */
	_Atomic u64 span;  /* how many ticks it is good for; 0: there is no line */
	_Atomic u64 slope; /* ns a tick, times 2^32; span * slope fits */
	_Atomic u64 ns;    /* the time at base */
};

/* The clock, with the counter before and after. */
struct clock_reading {
	u64 before, ns, after;
};

/* The clock behind a page. */
struct anchor {
	struct clock_page *page; /* borrowed */
	u64 (*counter)(void);    /* NULL: the clock is asked at each reading */
	clock_fn gettime;
	clockid_t id;
	_Atomic u64 given; /* see anchor.c */
	_Atomic u64 due;   /* the time when the next reading is to be taken */
	/* Of the thread that has closed `given`: */
	struct clock_reading from, next; /* the slope is measured from, and soon from */
	u64 slope;                       /* as measured last; 0: not yet */
};

/* The time in ns, from the line or the clock. */
u64 anchor_read(struct anchor *a);

#endif
