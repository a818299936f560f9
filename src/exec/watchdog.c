/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog's thread and the places where runs stand while they are under way.
 *
 * Starting and stopping a run is an exchange each; nobody but the thread reads clocks.
 * It looks again and again, and takes the time from the look that saw a run first: so a
 * limit is never cut short.  Who starts a run that cannot wait for the next look wakes
 * the thread.  A run lives on the stack of its thread, so it must not be touched when it
 * is over: the thread takes the place (BUSY) while it writes, and who stops meanwhile
 * waits.
 */
#include "exec/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "helpers/run.h"

enum {
	MIN_TICK = 50000, /* ns between looks */
	CALM_LOOKS = 8,   /* that could have been later: then they are */
};
#define NEVER UINT64_MAX

/* States of a place beside the address of a run. */
enum { FREE = 0, BUSY = 1, ENDED = 2 };

struct place {
	_Alignas(64) _Atomic uintptr_t state;
	_Atomic u32 serial; /* of runs that stood here */
	_Atomic u64 max_ns;
	/* the thread's own */
	u32 seen;
	u64 since;
};

struct watchdog {
	struct place *places; /* owned */
	u32 n;
	_Atomic u64 tick; /* ns to the next look at most; NEVER: when somebody starts */
	_Atomic bool stop;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	pid_t pid; /* whose thread it is: a child of fork() has none */
};

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* Returns false when the run has another err: it is on its way out, but an exception
 * callback may go on, so that it has to be looked at again. */
static bool end_run(struct place *place, uintptr_t state)
{
	struct run *run = (struct run *)state;
	int none = 0;
	bool ends;

	if (!atomic_compare_exchange_strong(&place->state, &state, BUSY))
		return true;
	if (atomic_load(&place->serial) !=
	    place->seen) { /* the next one, at the same address */
		atomic_store(&place->state, state);
		return true;
	}
	ends = __atomic_compare_exchange_n(&run->err, &none, -ETIMEDOUT, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (ends)
		__atomic_store_n(&run->going, NULL, __ATOMIC_RELEASE);
	atomic_store(&place->state, ends ? ENDED : state);
	return ends;
}

/* How often a run with this limit is looked at. */
static u64 tick_for(u64 max_ns)
{
	return max_ns / 8 < MIN_TICK ? MIN_TICK : max_ns / 8;
}

/* How long this place can do without another look.  A run that is seen for the first time
 * may have begun after `now`. */
static u64 look_at(struct place *place, u64 now)
{
	uintptr_t state = atomic_load(&place->state);
	u32 serial = atomic_load(&place->serial);
	u64 max_ns = atomic_load(&place->max_ns);

	if (state <= ENDED)
		return NEVER;
	if (place->seen != serial) {
		place->seen = serial;
		place->since = now_ns();
		return tick_for(max_ns);
	}
	if (now - place->since < max_ns)
		return tick_for(max_ns);
	return end_run(place, state) ? NEVER : MIN_TICK;
}

/* Looks at all; how long they can do without another look. */
static u64 look_around(struct watchdog *dog)
{
	u64 now = now_ns(), tick = NEVER;

	for (u32 i = 0; i < dog->n; i++)
		tick = min_u64(tick, look_at(&dog->places[i], now));
	return tick;
}

static void nap(struct watchdog *dog, u64 ns)
{
	u64 until = now_ns() + ns;
	struct timespec ts = {(time_t)(until / 1000000000), (long)(until % 1000000000)};

	if (ns == NEVER)
		pthread_cond_wait(&dog->wake, &dog->lock);
	else
		pthread_cond_timedwait(&dog->wake, &dog->lock, &ts);
}

/*
 * The tick is told before the look that must not find anybody who needs a shorter one:
 * watchdog_start() stores its run, then reads the tick, so that one of the two sees the
 * other.  It grows only when a longer one would have done for some time: runs that come
 * and go do not wake the thread each time.
 */
static void *watch(void *arg)
{
	struct watchdog *dog = arg;
	u64 tick = MIN_TICK, next;
	u32 calm = 0;

	pthread_mutex_lock(&dog->lock);
	while (!dog->stop) {
		atomic_store(&dog->tick, tick);
		next = look_around(dog);
		calm = next > tick ? calm + 1 : 0;
		if (next < tick || calm == CALM_LOOKS) {
			tick = next;
			calm = 0;
			continue;
		}
		nap(dog, tick);
	}
	pthread_mutex_unlock(&dog->lock);
	return NULL;
}

/* Signals are the host's: none of its handlers runs on this thread. */
static int start_thread(struct watchdog *dog)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&dog->thread, NULL, watch, dog);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int watchdog_new(u32 n, struct watchdog **out, struct skep_diag *diag)
{
	struct watchdog *dog = calloc(1, sizeof(*dog));
	pthread_condattr_t attr;
	int err;

	if (!dog)
		return fail(diag, NO_MEMORY, NO_PC);
	dog->n = n;
	dog->pid = getpid();
	dog->places = aligned_alloc(64, n * sizeof(*dog->places));
	if (!dog->places) {
		free(dog);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	memset(dog->places, 0, n * sizeof(*dog->places));
	pthread_mutex_init(&dog->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&dog->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = start_thread(dog);
	if (err) {
		pthread_cond_destroy(&dog->wake);
		pthread_mutex_destroy(&dog->lock);
		free(dog->places);
		free(dog);
		return fail_errno(diag, err, NO_MEMORY, NO_PC);
	}
	*out = dog;
	return 0;
}

/* In a child, the lock may be held for ever, and the thread seem to wait. */
static bool has_thread(const struct watchdog *dog)
{
	return dog->pid == getpid();
}

static void wake_up(struct watchdog *dog)
{
	pthread_mutex_lock(&dog->lock);
	pthread_cond_signal(&dog->wake);
	pthread_mutex_unlock(&dog->lock);
}

static void end_thread(struct watchdog *dog)
{
	atomic_store(&dog->stop, true);
	wake_up(dog);
	pthread_join(dog->thread, NULL);
	pthread_cond_destroy(&dog->wake);
	pthread_mutex_destroy(&dog->lock);
}

void watchdog_free(struct watchdog *dog)
{
	if (!dog)
		return;
	if (has_thread(dog))
		end_thread(dog);
	free(dog->places);
	free(dog);
}

/* A free place becomes this run's; serial and limit are written while it is BUSY. */
static bool take(struct place *place, struct run *run, u64 max_ns)
{
	uintptr_t none = FREE;

	if (!atomic_compare_exchange_strong(&place->state, &none, BUSY))
		return false;
	atomic_store_explicit(&place->max_ns, max_ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&place->serial, 1, memory_order_relaxed);
	atomic_store(&place->state, (uintptr_t)run);
	return true;
}

u32 watchdog_start(struct watchdog *dog, struct run *run, u64 max_ns)
{
	u32 i = run->cpu % dog->n;

	while (!take(&dog->places[i], run, max_ns)) {
		i = (i + 1) % dog->n;
		if (i == run->cpu % dog->n)
			sched_yield();
	}
	if (tick_for(max_ns) < atomic_load(&dog->tick) && has_thread(dog))
		wake_up(dog);
	return i;
}

bool watchdog_stop(struct watchdog *dog, u32 i)
{
	struct place *place = &dog->places[i];
	uintptr_t state = atomic_load(&place->state);

	for (;;) {
		if (state == BUSY) {
			sched_yield();
			state = atomic_load(&place->state);
		} else if (atomic_compare_exchange_strong(&place->state, &state, FREE)) {
			return state == ENDED;
		}
	}
}
