/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines over a counter, with a counter and a clock that do what the test wants: whatever
 * they do, time never goes back; as soon as they do what they should, the clock is left
 * alone, and nobody is told a time that it has not reached.
 */
#include "world/anchor.c"

#include "check.h"

enum { STEP = 10000, SMALL_STEP = 200, MS = 1000000 }; /* ns */
enum { READ_COUNTER = 40, READ_CLOCK = 50 };           /* ticks that it takes */

/* What happens in the middle of a reading. */
typedef void (*event_fn)(void);

static struct {
	u64 ticks;      /* the counter */
	u64 ns, part;   /* the clock, and 2^-32 of a ns */
	u64 rate;       /* ns a tick, times 2^32 */
	u64 step;       /* ns from one look() to the next */
	u32 asked;      /* how often the clock was */
	event_fn early; /* before the next reading of the clock */
	event_fn event; /* behind it */
} machine;

static const u64 nominal = 1717986918; /* 2.5 GHz */

static void pass_ticks(u64 ticks)
{
	machine.ticks += ticks;
	machine.part += ticks * machine.rate;
	machine.ns += machine.part >> 32;
	machine.part &= UINT32_MAX;
}

static void pass_ns(u64 ns)
{
	for (; ns > MS; ns -= MS)
		pass_ticks(((u64)MS << 32) / machine.rate);
	pass_ticks((ns << 32) / machine.rate);
}

static u64 counter(void)
{
	pass_ticks(READ_COUNTER);
	return machine.ticks;
}

static void happen(event_fn *event)
{
	event_fn what = *event;

	*event = NULL;
	if (what)
		what();
}

static int gettime(clockid_t id, struct timespec *t)
{
	CHECK_INT(id, CLOCK_BOOTTIME);
	happen(&machine.early);
	pass_ticks(READ_CLOCK / 2);
	*t = (struct timespec){.tv_sec = (time_t)(machine.ns / 1000000000),
			       .tv_nsec = (long)(machine.ns % 1000000000)};
	pass_ticks(READ_CLOCK / 2);
	machine.asked++;
	happen(&machine.event);
	return 0;
}

static struct clock_page page;
static struct anchor anchor;

static void start(void)
{
	machine.ticks = 123456789;
	machine.ns = 5000000000000;
	machine.rate = nominal;
	machine.step = STEP;
	machine.asked = 0;
	page = (struct clock_page){0};
	anchor = (struct anchor){.page = &page,
				 .counter = counter,
				 .gettime = gettime,
				 .id = CLOCK_BOOTTIME};
}

/* What the readings of a while were: asked how often, and how far from the clock. */
struct seen {
	u64 last;
	u32 back, asked;
	u64 ahead, behind; /* ns, the most */
};

static void look(struct seen *seen)
{
	u64 t = anchor_read(&anchor);

	seen->back += t < seen->last;
	seen->last = t;
	if (t > machine.ns)
		seen->ahead = max_of(seen->ahead, t - machine.ns);
	else
		seen->behind = max_of(seen->behind, machine.ns - t);
}

static void look_for(struct seen *seen, u64 ns)
{
	u32 asked = machine.asked;

	*seen = (struct seen){.last = seen->last};
	for (u64 end = machine.ns + ns; machine.ns < end; pass_ns(machine.step))
		look(seen);
	seen->asked = machine.asked - asked;
}

/* Everything as it should be. */
static void all_is_well(struct seen *seen)
{
	look_for(seen, 100 * MS);
	CHECK_INT(seen->back, 0);
	CHECK_INT(seen->ahead, 0);
	CHECK(seen->behind <= 100);
	CHECK(seen->asked >= 90 && seen->asked <= 110);
}

/* Two slopes that agree take two spans. */
static void start_well(struct seen *seen)
{
	*seen = (struct seen){0};
	start();
	look_for(seen, 3 * MS);
	CHECK(seen->asked >= 200);
	CHECK_INT(seen->ahead, 0);
	all_is_well(seen);
}

/* After that, nothing is wrong for longer than a while. */
static void recovers(struct seen *seen, u64 ahead, u64 behind)
{
	look_for(seen, 25 * MS);

	CHECK_INT(seen->back, 0);
	CHECK(seen->ahead <= ahead);
	CHECK(seen->behind <= behind);
	all_is_well(seen);
}

static void the_rate_may_change(void)
{
	struct seen seen;

	start_well(&seen);
	machine.step = SMALL_STEP; /* a line's end is where the next begins */
	machine.rate = nominal - nominal / 2000; /* what adjtimex does at most */
	recovers(&seen, 500, 150);
	machine.rate = nominal + nominal / 2000;
	recovers(&seen, 0, 1200);
	machine.rate = nominal - nominal / 10; /* what it does with ticks */
	recovers(&seen, 200000, 150);
	machine.rate = nominal + nominal / 10;
	recovers(&seen, 0, 300000);
}

static void the_counter_may_jump(void)
{
	struct seen seen;

	start_well(&seen);
	for (u32 i = 0; i < 20; i++) {
		machine.ticks -= 2600000 + i * 777777; /* out of the line */
		/* who knows who saw the end of the line */
		recovers(&seen, MS, 100);
	}
	machine.ticks = 0; /* switched off meanwhile */
	recovers(&seen, MS, 100);
	machine.ticks += 9000000000000; /* the clock stood still */
	recovers(&seen, MS, 100);
}

static void a_machine_may_sleep(void)
{
	struct seen seen;
	u32 asked;

	start_well(&seen);
	pass_ns(3600000000000);
	asked = machine.asked;
	recovers(&seen, 0, 100);
	machine.ns += 3600000000000;            /* the counter stood still */
	recovers(&seen, 0, 3600000000000 + MS); /* until the line is over */
	CHECK(machine.asked > asked);
}

/* Who reads now and then asks each time, and is told the truth. */
static void a_program_may_be_idle(void)
{
	static const u64 pauses[] = {2 * MS, 20 * MS, 500 * MS, 3000 * (u64)MS};
	struct seen seen;

	start_well(&seen);
	for (u32 i = 0; i < 100; i++) {
		pass_ns(pauses[i % ARRAY_SIZE(pauses)]);
		look(&seen);
	}
	CHECK_INT(seen.back, 0);
	CHECK_INT(seen.ahead, 0);
	CHECK(seen.behind <= 100);
}

static u64 next_random(void)
{
	static u64 state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return state >> 33;
}

/* No two slopes agree: nothing but the clock is believed. */
static void an_unsteady_counter_is_not_believed(void)
{
	struct seen seen;
	u32 lines = 0;

	start_well(&seen);
	for (u32 i = 0; i < 100000; i++) {
		if (i % 10 == 0)
			machine.rate = nominal / 2 + next_random() % nominal;
		pass_ns(STEP);
		look(&seen);
		lines += i > 1000 && page.span;
	}
	CHECK_INT(seen.back, 0);
	CHECK(lines < 10000);
	machine.rate = nominal;
	recovers(&seen, MS, 3 * MS);
}

static void be_away(void)
{
	pass_ns(800);
}

/* Nor does what was measured from one. */
static void the_first_readings_may_be_interrupted(void)
{
	struct seen seen = {0};

	start();
	for (u32 i = 0; i < 2; i++) {
		while (machine.ns < anchor.due)
			pass_ns(STEP);
		machine.early = be_away;
		look(&seen);
	}
	look_for(&seen, 20 * MS);
	CHECK(seen.behind <= 150);
	all_is_well(&seen);
}

static void an_interrupted_reading_draws_no_line(void)
{
	struct seen seen;

	start_well(&seen);
	while (page.span && line_has(&(struct line){.base = page.base, .span = page.span},
				     machine.ticks + 1000))
		pass_ns(STEP);
	machine.event = be_away;
	look(&seen);
	CHECK(!machine.event);
	CHECK_INT(page.span, 0);
	look_for(&seen, 2 * MS);
	CHECK_INT(seen.back, 0);
	all_is_well(&seen);
}

/* ---- several at once ---- */

static u64 heard;

/* A signal handler, or another thread. */
static void read_meanwhile(void)
{
	heard = anchor_read(&anchor);
}

static void readings_may_nest(void)
{
	struct seen seen;

	start_well(&seen);
	for (u32 i = 0; i < 10000; i++) {
		machine.event = read_meanwhile;
		heard = seen.last;
		pass_ns(100 * (next_random() % 200));
		CHECK(seen.last <= heard);
		look(&seen);
		CHECK(heard <= seen.last);
		seen.last = max_of(heard, seen.last);
	}
	CHECK_INT(seen.back, 0);
	CHECK_INT(seen.ahead, 0);
}

/* Somebody was stopped in the middle of writing a line. */
static void nobody_waits_for_who_writes(void)
{
	struct line l;
	u64 given;

	start();
	(void)anchor_read(&anchor);
	read_line(&page, &l);
	given = machine.ns;
	anchor.given = given | CLOSED;
	page.begin++;
	page.ns = 1;
	page.span = UINT64_MAX;
	pass_ns(STEP);
	CHECK_INT(anchor_read(&anchor), given);
	pass_ns(10 * (u64)ANCHOR_SPAN);
	heard = anchor_read(&anchor);
	CHECK(heard > given && heard <= machine.ns - 2 * ANCHOR_SPAN);
	CHECK(heard >= machine.ns - 2 * ANCHOR_SPAN - 100);
	/* he goes on */
	l.ns = given;
	l.base = machine.ticks;
	write_line(&page, &l);
	anchor.given = given;
	CHECK(anchor_read(&anchor) >= heard);
}

/* What somebody was told counts, whoever reads next. */
static void what_was_given_counts(void)
{
	struct seen seen;
	u64 given;

	start_well(&seen);
	pass_ns(MS);
	given = machine.ns + 5000;
	anchor.given = given;
	CHECK_INT(anchor_read(&anchor), given);
	CHECK(page.span);
	CHECK(anchor_read(&anchor) >= given);
}

/* A line is over for those who read it, and has been followed. */
static void a_late_answer_is_not_given(void)
{
	struct clock_reading r = {.before = counter()};
	struct line old, new;

	start();
	read_line(&page, &old);
	r.ns = read_clock(&anchor);
	(void)anchor_read(&anchor);
	CHECK(!answer(&anchor, &old, &r));
	CHECK(!(anchor.given & CLOSED));
	read_line(&page, &new);
	CHECK(new.version != old.version);
}

/* ---- all of it ---- */

static void disturb(void)
{
	switch (next_random() % 40) {
	case 0: machine.rate = nominal + next_random() % (nominal / 500); break;
	case 1: machine.rate = nominal - next_random() % (nominal / 500); break;
	case 2: machine.ticks -= 6000000 + next_random() % 10000000; break;
	case 3: machine.ticks += next_random() % 10000000; break;
	case 4: machine.ns += next_random(); break;
	case 5: pass_ns(next_random() % 2000000000); break;
	case 6: machine.event = be_away; break;
	case 7: machine.event = read_meanwhile; break;
	case 8: machine.early = read_meanwhile; break;
	case 9: machine.early = be_away; break;
	default: pass_ns(next_random() % (3 * MS)); break;
	}
}

static void whatever_happens_time_goes_on(void)
{
	struct seen seen;

	start_well(&seen);
	for (u32 i = 0; i < 20000; i++) {
		heard = seen.last;
		disturb();
		for (u32 j = 0; j < 20; j++) {
			pass_ns(next_random() % STEP);
			look(&seen);
		}
		CHECK(heard <= seen.last);
	}
	CHECK_INT(seen.back, 0);
	CHECK(seen.ahead <= 5 * MS);
	machine.rate = nominal;
	look_for(&seen, 25 * MS);
	all_is_well(&seen);
}

int main(void)
{
	the_rate_may_change();
	the_counter_may_jump();
	a_machine_may_sleep();
	a_program_may_be_idle();
	an_unsteady_counter_is_not_believed();
	an_interrupted_reading_draws_no_line();
	the_first_readings_may_be_interrupted();
	readings_may_nest();
	nobody_waits_for_who_writes();
	what_was_given_counts();
	a_late_answer_is_not_given();
	whatever_happens_time_goes_on();
	return check_report();
}
