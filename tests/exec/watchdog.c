/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog by itself: nobody is ended too early, or much too late, whoever else is
 * watched, was watched, or was ended.  Runs here do nothing but wait for their end.
 */
#include "exec/watchdog.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "helpers/run.h"

enum { MS = 1000000, LIMIT = 2 * MS, IN_TIME = LIMIT + LIMIT / 4 + MS / 4, TRIES = 50 };
#define PATIENCE (5000ull * MS)
#define HOUR     (3600ull * 1000 * MS)
#define NEVER    UINT64_MAX

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 * MS + (u64)ts.tv_nsec;
}

static void sleep_ns(u64 ns)
{
	struct timespec ts = {.tv_nsec = (long)ns};

	nanosleep(&ts, NULL);
}

/* How long it takes until a run with this limit is ended; NEVER: it is not, for seconds. */
static u64 time_to_end(struct watchdog *dog, u64 max_ns)
{
	struct run run = {0};
	u64 start = now_ns(), end;
	u32 place = watchdog_start(dog, &run, max_ns);

	do {
		sleep_ns(MS / 20);
		end = now_ns();
	} while (!__atomic_load_n(&run.err, __ATOMIC_RELAXED) && end - start < PATIENCE);
	if (!CHECK(watchdog_stop(dog, place)))
		return NEVER;
	CHECK_INT(run.err, -ETIMEDOUT);
	CHECK(end - start >= max_ns);
	return end - start;
}

/* Others use this machine, too: only what is late every time is late. */
static void end_in_time(struct watchdog *dog, u64 pause)
{
	u64 least = NEVER;

	for (u32 i = 0; i < TRIES && least > IN_TIME; i++) {
		sleep_ns(pause);
		least = min_u64(least, time_to_end(dog, LIMIT));
	}
	CHECK(least <= IN_TIME);
}

static void after_another_end(void)
{
	struct watchdog *dog;

	CHECK(!watchdog_new(2, &dog, NULL));
	time_to_end(dog, LIMIT);
	end_in_time(dog, 0);
	end_in_time(dog, 5 * MS);
	end_in_time(dog, 200 * MS); /* the thread sleeps */
	watchdog_free(dog);
}

static void beside_one_with_more_time(void)
{
	struct run run = {0};
	struct watchdog *dog;
	u32 place;

	CHECK(!watchdog_new(2, &dog, NULL));
	place = watchdog_start(dog, &run, HOUR);
	end_in_time(dog, 0);
	end_in_time(dog, 5 * MS);
	end_in_time(dog, 200 * MS); /* the thread looks rarely */
	CHECK(!watchdog_stop(dog, place));
	CHECK_INT(run.err, 0);
	watchdog_free(dog);
}

static void what_ends_by_itself_is_left_alone(void)
{
	struct watchdog *dog;

	CHECK(!watchdog_new(2, &dog, NULL));
	for (u32 i = 0; i < 20000; i++) {
		struct run run = {0};
		u32 place = watchdog_start(dog, &run, i % 2 ? HOUR : HOUR / 1000);

		CHECK(!watchdog_stop(dog, place) && !run.err);
	}
	watchdog_free(dog);
}

/* However the thread is about to fall asleep when a run starts: it sees it.  With many
 * places it looks for long, at the one that is taken first. */
static void starts_are_seen(void)
{
	enum { PLACES = 16384, STARTS = 500, SHORT = MS / 10 };
	struct watchdog *dog;
	u64 seed = 1;

	CHECK(!watchdog_new(PLACES, &dog, NULL));
	for (u32 i = 0; i < STARTS; i++) {
		u64 until = now_ns() + (seed >> 33) % (3 * MS);

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		while (now_ns() < until)
			;
		if (time_to_end(dog, SHORT) == NEVER)
			break;
	}
	watchdog_free(dog);
}

/* A child has no thread; nothing waits for it. */
static void children_do_not_wait(void)
{
	enum { PLACES = 4096, CHILDREN = 40 };
	struct run run = {0};
	struct watchdog *dog;
	u32 place;
	int status;

	CHECK(!watchdog_new(PLACES, &dog, NULL));
	for (u32 i = 0; i < CHILDREN; i++) {
		pid_t child;

		place = watchdog_start(dog, &run, HOUR - i);
		child = fork();
		if (!child) {
			struct run own = {0};

			alarm(20);
			place = watchdog_start(dog, &own, MS);
			watchdog_stop(dog, place);
			watchdog_free(dog);
			_exit(0);
		}
		CHECK(child > 0 && waitpid(child, &status, 0) == child && !status);
		CHECK(!watchdog_stop(dog, place));
	}
	watchdog_free(dog);
}

int main(void)
{
	after_another_end();
	beside_one_with_more_time();
	what_ends_by_itself_is_left_alone();
	starts_are_seen();
	children_do_not_wait();
	return check_report();
}
