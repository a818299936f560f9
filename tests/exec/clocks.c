/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled programs read the clock without a call where the world has a page for it
 * (world/anchor.h): then they say what it says, never less than was said before in any
 * thread, and what the kernel says at that moment.
 */
#include <pthread.h>
#include <skep/diag.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "world/counter.h"
#include "world/world.h"

enum { MONOTONIC_CALL = 5, BOOT_CALL = 125 };

struct fixture {
	struct arena arena;
	struct prog prog;
	struct image *image;
	struct skep_diag diag;
};

static void fixture_new(struct fixture *f, const char *text)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct image_spec spec = {
		.prog = &f->prog, .helper = helper_body, .engines = FOR_JIT};
	struct asm_linked linked = {0};
	struct asm_unit unit;

	*f = (struct fixture){.arena = ARENA_INIT, .diag = SKEP_DIAG_INIT};
	CHECK(!asm_parse(&in, &f->arena, &unit, &f->diag));
	CHECK(!asm_link(&unit, 0, &f->arena, &linked, &f->diag));
	struct prog prog = {
		.name = "main", .insns = linked.insns, .n_insns = linked.n_insns};

	memcpy(&f->prog, &prog, sizeof(prog));
	if (!CHECK(!image_new(&spec, &f->image, &f->diag)))
		fprintf(stderr, "%s\n", f->diag.text);
}

static void fixture_free(struct fixture *f)
{
	image_free(f->image);
	arena_fini(&f->arena);
}

static u64 run(const struct fixture *f, struct world *world, void *ctx)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.world = world, .ctx = ctx, .diag = &diag};
	u64 r0 = 0;

	CHECK_INT(jit_run(f->image, &run, &r0), 0);
	return r0;
}

static void fixture_of_call(struct fixture *f, u32 helper)
{
	char text[32];

	snprintf(text, sizeof(text), "call %u\nexit\n", helper);
	fixture_new(f, text);
}

/* ---- a page that the test fills ---- */

enum { ASKED = 77 };

static u64 asked(struct world *w)
{
	(void)w;
	return ASKED;
}

static const struct world_ops asked_ops = {
	.clock = {[CLOCK_OF_MONOTONIC] = asked, [CLOCK_OF_BOOT] = asked},
};

static void a_page_is_read(u32 helper, enum world_clock clock)
{
	struct world world = {.ops = &asked_ops};
	struct clock_page *page = &world.pages[clock];
	u64 before, ticks, after;
	struct fixture f;

	fixture_of_call(&f, helper);
	CHECK_INT(run(&f, &world, NULL), ASKED);
	page->span = UINT64_MAX; /* from 0 on, at no slope */
	page->ns = 12345;
	CHECK_INT(run(&f, &world, NULL), 12345);
	page->begin++; /* somebody writes */
	CHECK_INT(run(&f, &world, NULL), ASKED);
	page->end++;
	CHECK_INT(run(&f, &world, NULL), 12345);

	before = counter_read();
	page->base = before - 1000;
	page->slope = 1ull << 32;
	ticks = run(&f, &world, NULL) - 12345;
	after = counter_read();
	CHECK(ticks >= 1000 && ticks - 1000 <= after - before);
	page->slope = 0;
	page->span = 1000; /* over */
	CHECK_INT(run(&f, &world, NULL), ASKED);
	page->base = after + (1ull << 40); /* the counter went back */
	CHECK_INT(run(&f, &world, NULL), ASKED);
	page->span = 0;
	CHECK_INT(run(&f, &world, NULL), ASKED);
	fixture_free(&f);
}

/* ---- the real world ---- */

/* The real world, with its questions counted: those that compiled code had to ask. */
struct counted {
	struct world_real real;
	struct world_ops ops;
	const struct world_ops *own;
	_Atomic u32 asked;
};

static u64 count(struct world *w, enum world_clock clock)
{
	struct counted *c = container_of(container_of(w, struct world_real, world),
					 struct counted, real);

	atomic_fetch_add(&c->asked, 1);
	return c->own->clock[clock](w);
}

static u64 count_monotonic(struct world *w)
{
	return count(w, CLOCK_OF_MONOTONIC);
}

static u64 count_boot(struct world *w)
{
	return count(w, CLOCK_OF_BOOT);
}

static void counted_init(struct counted *c)
{
	world_real_init(&c->real);
	c->own = c->real.world.ops;
	c->ops = *c->own;
	c->ops.clock[CLOCK_OF_MONOTONIC] = count_monotonic;
	c->ops.clock[CLOCK_OF_BOOT] = count_boot;
	c->real.world.ops = &c->ops;
	atomic_init(&c->asked, 0);
}

static u64 now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

/* The kernel's answers around ours.  What is behind by more than SLACK, or ahead at all,
 * may be the kernel's doing (it corrected its rate just then), once or twice. */
enum { SLACK = 1000, READINGS = 1000000, FEWER = 100000 };

static void the_time_is_the_kernels(u32 helper, clockid_t id)
{
	u32 n = CHECK_IS_SANITIZED || check_is_emulated() ? FEWER : READINGS;
	u32 late = 0, early = 0, back = 0;
	struct counted c;
	struct fixture f;
	u64 last = 0;

	counted_init(&c);
	fixture_of_call(&f, helper);
	for (u32 i = 0; i < n; i++) {
		u64 before = now(id), t = run(&f, &c.real.world, NULL), after = now(id);

		back += t < last;
		late += t + SLACK < before;
		early += t > after + SLACK;
		last = t;
	}
	CHECK_INT(back, 0);
	CHECK(late <= n / 1000);
	CHECK(early <= n / 1000);
	if (c.real.anchors[0].counter)
		CHECK(c.asked < n / 2);
	fixture_free(&f);
}

enum { LOOPS = 1000000 };

/* In a loop, which is faster than any test's own; R0: how often the clock went back. */
static const char loop[] = "r6 = 0\n"
			   "r7 = 0\n"
			   "r8 = 0\n"
			   "next: call 5\n"
			   "if r0 >= r6 goto on\n"
			   "r8 += 1\n"
			   "on: r6 = r0\n"
			   "r7 += 1\n"
			   "if r7 < 1000000 goto next\n"
			   "r0 = r8\n"
			   "exit\n";

static void the_clock_never_goes_back(void)
{
	struct counted c;
	struct fixture f;

	counted_init(&c);
	fixture_new(&f, loop);
	CHECK_INT(run(&f, &c.real.world, NULL), 0);
	if (c.real.anchors[0].counter)
		CHECK(c.asked < LOOPS / 2);
	fixture_free(&f);
}

/* What R1 points to is the greatest time that any thread saw: what is read behind it must
 * not be less. */
static const char relay[] = "r6 = r1\n"
			    "r7 = 0\n"
			    "r8 = 0\n"
			    "next: r9 = load_acquire((u64 *)(r6 + 0))\n"
			    "call 5\n"
			    "if r0 >= r9 goto on\n"
			    "r8 += 1\n"
			    "on: r2 = r0\n"
			    "r0 = r9\n"
			    "r0 = cmpxchg_64(r6 + 0, r0, r2)\n"
			    "r7 += 1\n"
			    "if r7 < 500000 goto next\n"
			    "r0 = r8\n"
			    "exit\n";

enum { THREADS = 4 };

struct runner {
	pthread_t thread;
	const struct fixture *f;
	struct world *world;
	u64 *latest, back;
};

static void *run_relay(void *arg)
{
	struct runner *r = arg;

	r->back = run(r->f, r->world, r->latest);
	return NULL;
}

static void no_thread_is_told_less_than_another(void)
{
	struct runner runners[THREADS];
	struct counted c;
	struct fixture f;
	u64 latest = 0;

	counted_init(&c);
	fixture_new(&f, relay);
	for (u32 i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){
			.f = &f, .world = &c.real.world, .latest = &latest};
		CHECK(!pthread_create(&runners[i].thread, NULL, run_relay, &runners[i]));
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(runners[i].thread, NULL);
		CHECK_INT(runners[i].back, 0);
	}
	CHECK(latest <= now(CLOCK_MONOTONIC) + SLACK);
	fixture_free(&f);
}

/* ---- one program in several worlds ---- */

static void each_run_has_its_own_world(void)
{
	struct world_script script;
	struct counted c;
	struct fixture f;

	counted_init(&c);
	world_script_init(&script);
	script.now = 1000;
	script.step = 10;
	fixture_of_call(&f, MONOTONIC_CALL);
	for (u32 i = 0; i < 100000; i++) {
		if (i % 1000 == 0)
			CHECK_INT(run(&f, &script.world, NULL), 1000 + i / 100);
		CHECK(run(&f, &c.real.world, NULL) > 1000000);
	}
	fixture_free(&f);
}

int main(void)
{
	a_page_is_read(MONOTONIC_CALL, CLOCK_OF_MONOTONIC);
	a_page_is_read(BOOT_CALL, CLOCK_OF_BOOT);
	the_time_is_the_kernels(MONOTONIC_CALL, CLOCK_MONOTONIC);
	the_time_is_the_kernels(BOOT_CALL, CLOCK_BOOTTIME);
	the_clock_never_goes_back();
	no_thread_is_told_less_than_another();
	each_run_has_its_own_world();
	return check_report();
}
