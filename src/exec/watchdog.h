/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends runs that take too long, for engines whose code cannot look at a clock: one thread
 * looks at all runs under way, and sets run->err of those whose time is over, and clears
 * run->going.  The code notices at its next CHECK or call.
 *
 * Why a thread: a flag that somebody else sets costs the code one load and one branch
 * that is never taken; counting down to a look at the clock costs each iteration a chain
 * through memory.  No signals are sent, and the thread takes none.  While no run with a
 * limit is under way it soon sleeps for good.  Belongs to whoever made it; a child process
 * made by fork() has no thread: its runs are not limited.
 */
#ifndef SKEP_EXEC_WATCHDOG_H
#define SKEP_EXEC_WATCHDOG_H

#include "base/types.h"

struct run;
struct skep_diag;
struct watchdog;

/* n: how many runs may be under way at once; more wait for their turn.  Errors: ENOMEM,
 * EAGAIN when there can be no thread. */
int watchdog_new(u32 n, struct watchdog **out, struct skep_diag *diag);
void watchdog_free(struct watchdog *dog); /* no run is under way; NULL is fine */

/*
 * From now on the run ends after max_ns, never before; late by a quarter of that at most,
 * or 100 us, and by what the machine takes to wake a thread.  Returns the place to give
 * back.
 */
u32 watchdog_start(struct watchdog *dog, struct run *run, u64 max_ns);

/* The run is over; true: the watchdog ended it (or was just about to). */
bool watchdog_stop(struct watchdog *dog, u32 place);

#endif
