/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines over the counter, and when to believe them.
 *
 * A line starts at what the clock said, and at the counter behind that: it is not ahead.
 * (Or a little above, where the last line is there: its reading took less.)  Its slope
 * is measured over 8 to 16 ms, from before one reading to behind another: it is not too
 * steep.  Only a slope that is what the one before was, to 0.1 %, is used: where a
 * machine was suspended or moved to another host, or a counter fails, the clock is asked
 * until there are two again.
 *
 * Order.  `given` is the greatest time that the clock was asked for, and every such
 * answer raises it.  Who writes a line closes it before, so that nobody is told more than
 * what the line starts at: the greatest of `given`, the clock, and the end of the line
 * before.  Who finds it closed says what is in it.  A line is only followed by another
 * when the counter has left it, so no two of them are in use at once; who finds, with his
 * answer in hand, that there is a new one asks that instead.
 *
 * (A child that another thread forks just when `given` is closed finds it closed forever:
 * its clocks are two spans late.)
 */
#include "world/anchor.h"

#include <stdatomic.h>

enum { FRACTION = 32 };         /* bits of a slope */
enum { MEASURE = 8000000 };     /* ns: slopes are measured over that, up to twice it */
enum { RETRY = 20000 };         /* ns: the next reading after one that is no use */
enum { TOO_LONG = 1000000000 }; /* ns: they are not; shifted by FRACTION it fits */

static const u64 CLOSED = 1ull << 63;

struct line {
	u64 version, base, span, slope, ns;
};

static u64 max_of(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 min_of(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* ---- the page ---- */

static u64 page_load(const _Atomic u64 *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static void page_store(_Atomic u64 *field, u64 value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

/* Where somebody writes: none, of the version that is being replaced. */
static void read_line(const struct clock_page *page, struct line *l)
{
	l->version = page_load(&page->end);
	l->base = page_load(&page->base);
	l->span = page_load(&page->span);
	l->slope = page_load(&page->slope);
	l->ns = page_load(&page->ns);
	if (page_load(&page->begin) != l->version)
		*l = (struct line){.version = l->version};
}

/* Is it still that one? */
static bool is_current(const struct clock_page *page, const struct line *l)
{
	return page_load(&page->end) == l->version;
}

static void write_line(struct clock_page *page, const struct line *l)
{
	page_store(&page->begin, l->version + 1);
	page_store(&page->base, l->base);
	page_store(&page->span, l->span);
	page_store(&page->slope, l->slope);
	page_store(&page->ns, l->ns);
	page_store(&page->end, l->version + 1);
}

static u64 line_after(const struct line *l, u64 ticks)
{
	return l->ns + (ticks * l->slope >> FRACTION);
}

/* A counter that went back is as far away as can be. */
static bool line_has(const struct line *l, u64 counter)
{
	return counter - l->base < l->span;
}

/* ---- the slope ---- */

static u64 read_clock(const struct anchor *a)
{
	struct timespec t = {0};

	a->gettime(a->id, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* 0: there is nothing to measure from. */
static u64 measure(const struct anchor *a, const struct clock_reading *r)
{
	u64 ns = r->ns - a->from.ns, ticks = r->after - a->from.before;

	return ns < TOO_LONG && ticks ? (ns << FRACTION) / ticks : 0;
}

static bool agree(u64 a, u64 b)
{
	return (a > b ? a - b : b - a) <= a >> 10;
}

/* Else it was interrupted, or the first after a while, with cold caches. */
static bool is_narrow(const struct clock_reading *r, u64 slope)
{
	return r->after - r->before <= ((u64)ANCHOR_WINDOW << FRACTION) / slope;
}

/* The slope to use from this reading on, or 0; remembers what the next is measured from,
 * and when. */
static u64 find_slope(struct anchor *a, const struct clock_reading *r)
{
	u64 slope = measure(a, r);
	bool known = slope && agree(slope, a->slope) && is_narrow(&a->from, slope);

	page_store(&a->due, r->ns + ANCHOR_SPAN);
	if (known && !is_narrow(r, slope)) {
		page_store(&a->due, r->ns + RETRY);
		return 0;
	}
	if (slope)
		a->slope = slope;
	if (!known || r->ns - a->next.ns >= MEASURE) {
		a->from = known ? a->next : *r;
		a->next = *r;
	}
	return known ? slope : 0;
}

/* The time at r->after: the clock's, or up to a window later.  What the last line makes
 * of it is not too late: it may have begun at a reading that took less. */
static u64 time_after(const struct clock_reading *r, const struct line *last, u64 slope)
{
	u64 ticks = r->after - last->base, most;

	if (!slope || ticks / 2 > last->span)
		return r->ns;
	most = r->ns + ((r->after - r->before) * slope >> FRACTION);
	return max_of(r->ns, min_of(line_after(last, ticks), most));
}

/* The next line.  If it starts above the clock it is flatter, and they meet where it
 * ends. */
static void draw(struct line *l, const struct clock_reading *r, u64 start, u64 slope)
{
	u64 time = time_after(r, l, slope), above, cut = 0;

	start = max_of(start, time);
	above = start - time;
	l->base = r->after;
	l->ns = start;
	l->span = slope ? ((u64)ANCHOR_SPAN << FRACTION) / slope : 0;
	if (above && l->span)
		cut = above < ANCHOR_SPAN ? (above << FRACTION) / l->span : slope;
	l->slope = slope > cut ? slope - cut : 0;
}

/* ---- answers without a line ---- */

/* What may be said while another thread writes a line: that starts at no less than what
 * is in `given`, and is never two spans behind the clock, however long that takes. */
static u64 meanwhile(u64 given, u64 now)
{
	u64 late = now > 2 * ANCHOR_SPAN ? now - 2 * ANCHOR_SPAN : 0;

	return max_of(given & ~CLOSED, late);
}

/* Raises `given` and the time to the greater of both; closes it or not.  False: it is
 * closed, and the time is what may be said. */
static bool give(struct anchor *a, u64 *time, u64 close)
{
	u64 given = page_load(&a->given), to;

	do {
		if (given & CLOSED) {
			*time = meanwhile(given, *time);
			return false;
		}
		to = max_of(given, *time);
	} while (!atomic_compare_exchange_weak(&a->given, &given, to | close));
	*time = to;
	return true;
}

/* What the clock said when there was no line: l is over.  False: there is a new one,
 * which may be behind that. */
static bool answer(struct anchor *a, struct line *l, struct clock_reading *r)
{
	u64 last = line_after(l, l->span), time = max_of(r->ns, last);
	bool due = l->span || r->ns >= page_load(&a->due), current;

	if (due)
		r->after = a->counter();
	due = give(a, &time, due ? CLOSED : 0) && due;
	current = is_current(a->page, l);
	if (due && current) {
		draw(l, r, time, find_slope(a, r));
		write_line(a->page, l);
	}
	if (due)
		page_store(&a->given, time);
	r->ns = max_of(time, last);
	return current;
}

u64 anchor_read(struct anchor *a)
{
	struct clock_reading r = {0};
	struct line l;

	if (!a->counter)
		return read_clock(a);
	do {
		read_line(a->page, &l);
		r.before = a->counter();
		if (line_has(&l, r.before))
			return line_after(&l, r.before - l.base);
		r.ns = read_clock(a);
	} while (!answer(a, &l, &r));
	return r.ns;
}
