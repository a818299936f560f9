/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog by itself: nobody is ended too early, or much too late, whoever else is
 * watched, was watched, or was ended.  Runs here do nothing but wait for their end.
 */
#include "exec/watchdog.h"

#include <errno.h>
#include <time.h>

#include "check.h"
#include "helpers/run.h"

enum { MS = 1000000, LIMIT = 2 * MS, TRIES = 50 };
#define HOUR (3600ull * 1000 * MS)

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

/* How long it takes until a run with this limit is ended. */
static u64 time_to_end(struct watchdog *dog, u64 max_ns)
{
	struct run run = {0};
	u64 start = now_ns(), end;
	u32 place = watchdog_start(dog, &run, max_ns);

	while (!__atomic_load_n(&run.err, __ATOMIC_RELAXED))
		sleep_ns(MS / 20);
	end = now_ns();
	CHECK_INT(run.err, -ETIMEDOUT);
	CHECK(watchdog_stop(dog, place));
	CHECK(end - start >= max_ns);
	return end - start;
}

/* Others use this machine, too: only what is late every time is late. */
static void end_in_time(struct watchdog *dog, u64 pause)
{
	u64 least = HOUR;

	for (u32 i = 0; i < TRIES && least > 2 * LIMIT; i++) {
		sleep_ns(pause);
		least = min_u64(least, time_to_end(dog, LIMIT));
	}
	CHECK(least <= 2 * LIMIT);
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

int main(void)
{
	after_another_end();
	beside_one_with_more_time();
	what_ends_by_itself_is_left_alone();
	return check_report();
}
