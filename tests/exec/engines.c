/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cases cannot say about the engines: limits of time, raw memory for a typed
 * program, helpers of a host, locks inside of values, and one image on many threads.
 */
#include <linux/bpf.h>
#include <pthread.h>
#include <skep/diag.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "maps/map.h"
#include "verify/verify.h"
#include "world/world.h"

/* One program, maybe with one map. */
struct fixture {
	struct arena arena;
	struct prog prog;
	const struct map_def *defs[1];
	struct image *image;
	struct skep_diag diag;
};

static const struct map_def locked_def = {.name = "locked"};

static void fixture_new(struct fixture *f, const char *text, u32 type, struct map **map,
			helper_fn (*helper)(u32))
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct asm_unit unit;
	struct asm_linked linked = {0};
	struct image_spec spec = {.prog = &f->prog, .maps = map, .helper = helper};

	*f = (struct fixture){
		.arena = ARENA_INIT, .diag = SKEP_DIAG_INIT, .defs = {&locked_def}};
	CHECK(!asm_parse(&in, &f->arena, &unit, &f->diag));
	CHECK(!asm_link(&unit, 0, &f->arena, &linked, &f->diag));
	struct prog prog = {.name = "main",
			    .type = type,
			    .insns = linked.insns,
			    .n_insns = linked.n_insns,
			    .maps = f->defs,
			    .n_maps = map != NULL};

	memcpy(&f->prog, &prog, sizeof(prog));
	if (!CHECK(!image_new(&spec, &f->image, &f->diag)))
		fprintf(stderr, "%s\n", f->diag.text);
}

static void fixture_free(struct fixture *f)
{
	image_free(f->image);
	arena_fini(&f->arena);
}

/* Runs on an engine; R0, or ~0 after an error. */
static u64 run_with(struct fixture *f, const struct engine *engine, void *ctx,
		    const struct exec_opts *opts)
{
	struct world_script world;
	struct run run = {
		.world = &world.world, .ctx = ctx, .opts = opts, .diag = &f->diag};
	u64 r0 = 0;
	int err;

	world_script_init(&world);
	diag_clear(&f->diag);
	err = engine->run(f->image, &run, &r0);
	run_end(&run);
	return err ? ~0ull : r0;
}

static void check_diag(const struct fixture *f, const char *id, int insn)
{
	CHECK_STR(skep_diag_name(f->diag.id), id);
	CHECK_INT(f->diag.insn, insn);
}

static const struct engine *checked(void)
{
	return engine_find("checked");
}

static void engines_have_names(void)
{
	CHECK(!engine_find("interp")->safe && checked()->safe);
	CHECK(!engine_find("abacus") && !engine_at(1000));
}

static void time_is_limited(void)
{
	struct fixture f;
	struct exec_opts opts = {.max_ns = 1000000, .max_steps = 1ull << 40};

	fixture_new(&f, "r0 = 0\nloop: r0 += 1\ngoto loop\n", 0, NULL, helper_body);
	CHECK(run_with(&f, checked(), NULL, &opts) == ~0ull);
	CHECK_STR(skep_diag_name(f.diag.id), "TIME_LIMIT");
	fixture_free(&f);
}

static void steps_are_limited_exactly(void)
{
	struct fixture f;
	struct exec_opts opts = {.max_steps = 3};

	fixture_new(&f, "r0 = 1\nr0 = 2\nexit\n", 0, NULL, helper_body);
	CHECK_INT(run_with(&f, checked(), NULL, &opts), 2);
	opts.max_steps = 2;
	CHECK(run_with(&f, checked(), NULL, &opts) == ~0ull);
	check_diag(&f, "STEP_LIMIT", 2);
	fixture_free(&f);
}

static void may_goto_ends_a_loop(void)
{
	struct fixture f;

	fixture_new(&f, "r0 = 0\nloop: may_goto out\nr0 += 1\ngoto loop\nout: exit\n", 0,
		    NULL, helper_body);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), MAY_GOTO_STEPS);
	fixture_free(&f);
}

static const char frames_text[] = "	r1 = -1\n"
				  "	call rounds\n"
				  "	r6 = r0\n"
				  "	r1 = 5\n"
				  "	call rounds\n"
				  "	r6 += r0\n"
				  "	r0 = r6\n"
				  "	r1 = 3\n"
				  "mine:	may_goto out\n"
				  "	r0 += 1\n"
				  "	r1 -= 1\n"
				  "	if r1 != 0 goto mine\n"
				  "out:	exit\n"
				  "rounds:\n"
				  "	r0 = 0\n"
				  "loop:	may_goto none\n"
				  "	r0 += 1\n"
				  "	r1 -= 1\n"
				  "	if r1 != 0 goto loop\n"
				  "	exit\n"
				  "none:	may_goto still\n"
				  "	r0 = 0\n"
				  "still:	exit\n";

/* One frame uses up all of its own, and then has none; the others have theirs. */
static void may_goto_counts_in_each_frame(void)
{
	struct fixture f;

	fixture_new(&f, frames_text, 0, NULL, helper_body);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), MAY_GOTO_STEPS + 8);
	fixture_free(&f);
}

static void a_typed_program_has_raw_memory(void)
{
	struct fixture f;
	u64 memory = 40;
	struct mem_region region = {"memory", &memory, sizeof(memory), false};
	struct exec_opts opts = {
		.r2 = sizeof(memory), .regions = &region, .n_regions = 1};

	fixture_new(&f, "r0 = *(u64 *)(r1 + 0)\nr0 += r2\nexit\n", BPF_PROG_TYPE_SYSCALL,
		    NULL, helper_body);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), &memory, &opts), 48);
	fixture_free(&f);
	fixture_new(&f, "*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit\n", BPF_PROG_TYPE_SYSCALL,
		    NULL, helper_body);
	CHECK(run_with(&f, checked(), &memory, &opts) == ~0ull);
	check_diag(&f, "READ_ONLY", 0);
	fixture_free(&f);
}

static void tail_calls_stay_among_their_like(void)
{
	static const char next[] = "r0 = 2\nexit\n";
	static const char first[] = "ld_pseudo r2, 5, 0\nr3 = 0\ncall 12\nr0 = 1\nexit\n";
	struct map_attr attr = {.type = BPF_MAP_TYPE_PROG_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1};
	struct map *map = NULL;
	struct fixture f, same, other;
	u32 key = 0;

	CHECK(!map_new(&attr, &map, NULL));
	fixture_new(&f, first, BPF_PROG_TYPE_SYSCALL, &map, helper_body);
	fixture_new(&same, next, BPF_PROG_TYPE_SYSCALL, NULL, helper_body);
	fixture_new(&other, next, BPF_PROG_TYPE_KPROBE, NULL, helper_body);
	CHECK(!map_update_ref(map, &key, same.image, 0));
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 2);
	CHECK(!map_update_ref(map, &key, other.image, 0));
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 1);
	fixture_free(&f);
	fixture_free(&same);
	fixture_free(&other);
	map_put(map);
}

/* Puts one program, the other or none into the slot, until it is told to end. */
struct changing {
	struct map *map;
	struct image *images[2];
	_Atomic bool stop;
	_Atomic u32 rounds;
};

static void *change(void *arg)
{
	struct changing *c = arg;
	u32 key = 0;

	for (u32 i = 0; !c->stop; i = (i + 1) % 4) {
		if (i & 1)
			map_delete(c->map, &key, 0);
		else
			CHECK(!map_update_ref(c->map, &key, c->images[i / 2], 0));
		c->rounds++;
	}
	return NULL;
}

/* A run sees what was there or what is there now, and what it goes on with stays. */
static void slots_change_under_a_run(void)
{
	static const char first[] = "r6 = 0\nld_pseudo r2, 5, 0\nr3 = 0\ncall 12\n"
				    "r0 = 1\nexit\n";
	struct map_attr attr = {.type = BPF_MAP_TYPE_PROG_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1};
	struct changing c = {.stop = false};
	struct fixture f, next[2];
	pthread_t thread;
	u64 r0;

	CHECK(!map_new(&attr, &c.map, NULL));
	fixture_new(&f, first, 0, &c.map, helper_body);
	fixture_new(&next[0], "r0 = 2\nexit\n", 0, NULL, helper_body);
	fixture_new(&next[1], "r0 = 3\nexit\n", 0, NULL, helper_body);
	for (u32 i = 0; i < 2; i++)
		c.images[i] = next[i].image;
	CHECK_INT(pthread_create(&thread, NULL, change, &c), 0);
	for (u32 e = 0; engine_at(e); e++)
		for (u32 i = 0, start = c.rounds; i < 1000 || c.rounds - start < 100;
		     i++) {
			r0 = run_with(&f, engine_at(e), NULL, NULL);
			CHECK(r0 >= 1 && r0 <= 3);
		}
	c.stop = true;
	pthread_join(thread, NULL);
	map_reclaim(c.map);
	fixture_free(&f);
	fixture_free(&next[0]);
	fixture_free(&next[1]);
	map_put(c.map);
}

/* Over more code than one branch reaches: of aarch64, TBZ 32 KiB, CBZ and B.cond 1 MiB.
 */
static void jumps_over(u32 calls, const char *condition)
{
	static const char call[] =
		"r1 = r7\nld_pseudo r2, 5, 0\nr3 = 9\ncall 12\nr6 += 1\n";
	struct map_attr attr = {.type = BPF_MAP_TYPE_PROG_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1};
	size_t room = calls * sizeof(call) + 200;
	char *text = malloc(room), *at = text;
	u64 memory;
	struct mem_region region = {"memory", &memory, sizeof(memory), true};
	struct exec_opts opts = {.regions = &region, .n_regions = 1};
	struct map *map = NULL;
	struct fixture f;

	if (!CHECK(text) || !CHECK(!map_new(&attr, &map, NULL)))
		return;
	at += sprintf(at, "r7 = r1\nagain: r6 = *(u64 *)(r7 + 0)\n");
	at += sprintf(at, "if %s goto far\ngoto near\nfar: gotol out\nnear:\n",
		      condition);
	for (u32 i = 0; i < calls; i++)
		at += sprintf(at, "%s", call);
	sprintf(at, "*(u64 *)(r7 + 0) = r6\ngotol again\nout: r0 = r6\nexit\n");
	fixture_new(&f, text, 0, &map, helper_body);
	for (u32 e = 0; engine_at(e); e++) {
		memory = 0;
		CHECK_INT(run_with(&f, engine_at(e), &memory, &opts), calls);
	}
	fixture_free(&f);
	map_put(map);
	free(text);
}

static void jumps_reach_over_large_code(void)
{
	jumps_over(240, "r6 & 16");
	jumps_over(8000, "r6 & 0x40");
	jumps_over(8000, "r6 == 8000");
}

/* ---- a host's own helpers ---- */

static u64 host_add(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	(void)run;
	return r1 + r2 + r3 + r4 + r5;
}

static u64 host_stop(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	(void)r1, (void)r2, (void)r3, (void)r4, (void)r5;
	run->err = EXEC_STOP;
	return 9;
}

static u64 host_call(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	u64 args[5] = {r2, r3, r4, r5}, ret = 0;

	return run->call(run, r1, args, &ret) ? 0 : ret;
}

static helper_fn host_helper(u32 number)
{
	switch (number) {
	case 1001: return host_add;
	case 1002: return host_stop;
	case 1003: return host_call;
	case 2000000000: return host_add;
	default: return NULL;
	}
}

static void a_host_has_its_own_helpers(void)
{
	struct fixture f;

	fixture_new(&f, "r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\ncall 1001\nexit\n", 0,
		    NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 15);
	fixture_free(&f);
}

/* Its number, which is in the place of an operand, is none. */
static void bits_of_a_helper_s_answer_are_counted(void)
{
	static const char text[] =
		"r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\ncall 2000000000\nr0 ^= -1\n"
		"r1 = r0\nr1 >>= 1\nr2 = 0x5555555555555555 ll\nr1 &= r2\nr0 -= r1\n"
		"r1 = r0\nr2 = 0x3333333333333333 ll\nr1 &= r2\nr0 >>= 2\nr0 &= r2\n"
		"r0 += r1\nr1 = r0\nr1 >>= 4\nr0 += r1\nr2 = 0x0f0f0f0f0f0f0f0f ll\n"
		"r0 &= r2\nr2 = 0x0101010101010101 ll\nr0 *= r2\nr0 >>= 56\nexit\n";
	struct fixture f;

	fixture_new(&f, text, 0, NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 60);
	fixture_free(&f);
}

static void a_helper_ends_the_run(void)
{
	struct fixture f;

	/* in the program itself, and in a callback */
	fixture_new(&f, "r0 = 5\ncall 1002\nr0 = 6\nexit\n", 0, NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 0);
	fixture_free(&f);
	fixture_new(&f,
		    ".program main\nr1 = func[f]\ncall 1003\nr0 = 6\nexit\n"
		    ".func f\ncall 1002\nr0 = 7\nexit\n",
		    0, NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 0);
	fixture_free(&f);
}

/* In a program that took the place of a function: who called that does not go on. */
static void a_helper_ends_the_run_behind_a_tail_call(void)
{
	static const char first[] =
		".program main\nr6 = r1\ncall f\n*(u64 *)(r6 + 0) = 1\nr0 = 6\nexit\n"
		".func f\nld_pseudo r2, 5, 0\nr3 = 0\ncall 12\nr0 = 7\nexit\n";
	struct map_attr attr = {.type = BPF_MAP_TYPE_PROG_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1};
	u64 memory = 40;
	struct mem_region region = {"memory", &memory, sizeof(memory), true};
	struct exec_opts opts = {.regions = &region, .n_regions = 1};
	struct map *map = NULL;
	struct fixture f, next;
	u32 key = 0;

	CHECK(!map_new(&attr, &map, NULL));
	fixture_new(&f, first, 0, &map, host_helper);
	fixture_new(&next, "r0 = 5\ncall 1002\nr0 = 2\nexit\n", 0, NULL, host_helper);
	CHECK(!map_update_ref(map, &key, next.image, 0));
	for (u32 e = 0; engine_at(e); e++) {
		CHECK_INT(run_with(&f, engine_at(e), &memory, &opts), 0);
		CHECK_INT(memory, 40);
	}
	fixture_free(&f);
	fixture_free(&next);
	map_put(map);
}

static void callbacks_nest_eight_deep(void)
{
	/* each function calls itself through the host until R1 is 0 */
	static const char text[] =
		".program main\nr1 = func[f]\nr2 = DEPTH\ncall 1003\nexit\n"
		".func f\nif r1 == 0 goto last\nr2 = r1\nr2 += -1\nr1 = func[f]\n"
		"call 1003\nr0 += 1\nexit\nlast: r0 = 0\nexit\n";
	struct fixture f;
	char six[sizeof(text)], seven[sizeof(text)];

	snprintf(six, sizeof(six), "%s", text);
	memcpy(strstr(six, "DEPTH"), "    6", 5);
	fixture_new(&f, six, 0, NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++)
		CHECK_INT(run_with(&f, engine_at(e), NULL, NULL), 6);
	fixture_free(&f);
	snprintf(seven, sizeof(seven), "%s", text);
	memcpy(strstr(seven, "DEPTH"), "    7", 5);
	fixture_new(&f, seven, 0, NULL, host_helper);
	for (u32 e = 0; engine_at(e); e++) {
		CHECK(run_with(&f, engine_at(e), NULL, NULL) == ~0ull);
		CHECK_STR(skep_diag_name(f.diag.id), "CALL_DEPTH");
	}
	fixture_free(&f);
}

/* ---- what lies in values ---- */

static struct map *new_array(u32 flags, bool lock)
{
	static const struct map_field fields[] = {
		{.off = 4, .size = 4, .is_spin_lock = true}};
	struct map_attr attr = {.type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = 16,
				.max_entries = 1,
				.flags = flags,
				.fields = fields,
				.n_fields = lock};
	struct map *map = NULL;

	CHECK(!map_new(&attr, &map, NULL));
	return map;
}

static void a_map_may_be_for_writing_only(void)
{
	struct map *map = new_array(BPF_F_WRONLY_PROG, false);
	struct fixture f;

	fixture_new(&f,
		    "ld_pseudo r1, 6, 0\n*(u8 *)(r1 + 0) = 1\n"
		    "r0 = *(u8 *)(r1 + 0)\nexit\n",
		    0, &map, helper_body);
	CHECK(run_with(&f, checked(), NULL, NULL) == ~0ull);
	check_diag(&f, "WRITE_ONLY", 3);
	fixture_free(&f);
	map_put(map);
}

/* R6: the value; R1: its lock. */
#define TO_LOCK "ld_pseudo r6, 6, 0\nr1 = r6\nr1 += 4\n"

static void locks_are_used_as_linux_says(void)
{
	static const struct {
		const char *text, *id;
		int insn;
	} tries[] = {
		{TO_LOCK "call 93\n*(u32 *)(r6 + 8) = 1\nr1 = r6\nr1 += 4\ncall 94\n"
			 "r0 = 0\nexit\n",
		 "NONE", -1},
		{TO_LOCK "call 93\ncall 7\nexit\n", "LOCKED_CALL", 5},
		{TO_LOCK "call 93\nr1 = r6\nr1 += 4\ncall 93\nexit\n", "LOCK_HELD_TWICE",
		 -1},
		{TO_LOCK "call 94\nr0 = 0\nexit\n", "LOCK_NOT_HELD", -1},
		{TO_LOCK "call 93\nr0 = 0\nexit\n", "LOCK_LEFT", -1},
		{TO_LOCK "r1 += 4\ncall 93\nr0 = 0\nexit\n", "BAD_ARGUMENT", 5},
		{TO_LOCK "*(u32 *)(r1 + 0) = 1\nr0 = 0\nexit\n", "SPECIAL_FIELD", 4},
		{TO_LOCK "r0 = *(u64 *)(r6 + 0)\nexit\n", "SPECIAL_FIELD", 4},
	};
	struct map *map = new_array(0, true);

	for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
		struct fixture f;

		fixture_new(&f, tries[i].text, 0, &map, helper_body);
		run_with(&f, checked(), NULL, NULL);
		CHECK_STR(skep_diag_name(f.diag.id), tries[i].id);
		if (tries[i].insn >= 0)
			CHECK_INT(f.diag.insn, tries[i].insn);
		fixture_free(&f);
	}
	map_put(map);
}

/* ---- worlds ---- */

/* What time it is says the world of this run, whoever asked before. */
static void each_run_has_a_world_of_its_own(void)
{
	const struct engine *engine;
	struct world_script script;
	struct world_real machine;
	struct fixture f;
	u64 before, told = 0;

	world_script_init(&script);
	world_real_init(&machine);
	script.now = 5;
	before = machine.world.ops->clock[CLOCK_OF_MONOTONIC](&machine.world);
	fixture_new(&f, "call 5\nexit\n" /* bpf_ktime_get_ns */, 0, NULL, helper_body);
	for (u32 i = 0; (engine = engine_at(i)); i++) {
		struct run run = {.world = &script.world, .diag = &f.diag};

		CHECK(!engine->run(f.image, &run, &told) && told == 5);
		run.world = &machine.world;
		CHECK(!engine->run(f.image, &run, &told) && told >= before);
		before = told;
		run.world = &script.world;
		CHECK(!engine->run(f.image, &run, &told) && told == 5);
	}
	fixture_free(&f);
}

/* ---- many threads ---- */

enum { THREADS = 4, RUNS = 2000 };

struct worker {
	struct fixture *fixture;
	const struct engine *engine;
	u32 failed;
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (u32 i = 0; i < RUNS; i++) {
		struct run run = {.cpu = 0};
		u64 r0;

		worker->failed +=
			worker->engine->run(worker->fixture->image, &run, &r0) ||
			r0 != 77;
	}
	return NULL;
}

static void threads_share_an_image(void)
{
	struct map *map = new_array(0, false);
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	u32 key = 0, n_engines = 0;
	u64 value[2] = {0};
	struct fixture f;

	fixture_new(&f,
		    "ld_pseudo r1, 6, 0\nr2 = 1\nlock *(u64 *)(r1 + 0) += r2\n"
		    "*(u64 *)(r10 - 8) = 77\nr0 = *(u64 *)(r10 - 8)\nexit\n",
		    0, &map, helper_body);
	for (; engine_at(n_engines); n_engines++) {
		for (u32 i = 0; i < THREADS; i++) {
			workers[i] = (struct worker){&f, engine_at(n_engines), 0};
			pthread_create(&threads[i], NULL, work, &workers[i]);
		}
		for (u32 i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			CHECK_INT(workers[i].failed, 0);
		}
	}
	CHECK(!map_user_lookup(map, &key, value, 0));
	CHECK_INT(value[0], THREADS * RUNS * n_engines);
	fixture_free(&f);
	map_put(map);
}

/* Whose pointers they are only the verifier knows. */
static void arenas_are_verified(void)
{
	const struct map_attr attr = {
		.type = MAP_TYPE_ARENA, .max_entries = 1, .flags = MAP_MMAPABLE};
	const struct insn insns[] = {{.code = 0xb7}, {.code = 0x95}};
	const struct map_def *defs[] = {&(struct map_def){.name = "arena"}};
	const struct prog prog = {
		.insns = (struct insn *)insns, .n_insns = 2, .maps = defs, .n_maps = 1};
	struct image_spec spec = {.prog = &prog};
	struct skep_diag diag = SKEP_DIAG_INIT;
	const u8 nothing[2] = {0};
	struct image *image;
	struct map *map;

	if (!CHECK(!map_new(&attr, &map, &diag)))
		return;
	spec.maps = &map;
	CHECK_INT(image_new(&spec, &image, &diag), -ENOTSUP);
	CHECK_STR(skep_diag_name(diag.id), "ARENA_UNVERIFIED");
	spec.arena = nothing;
	CHECK_INT(image_new(&spec, &image, &diag), 0);
	image_free(image);
	map_put(map);
}

/* What the verifier never looked at ends the run, and a jump goes the way that it saw. */
static void ways_are_kept(void)
{
	/* r0 = 1; if r0 == 1 goto +1; exit; r0 = 2; exit */
	const struct insn insns[] = {{.code = 0xb7, .imm = 1},
				     {.code = 0x15, .off = 1, .imm = 1},
				     {.code = 0x95},
				     {.code = 0xb7, .imm = 2},
				     {.code = 0x95}};
	const struct prog prog = {.insns = (struct insn *)insns, .n_insns = 5};
	const u8 on[] = {1, VERIFY_WENT_ON, 1, 0, 0}, both[] = {1, 3, 1, 0, 0};
	struct image_spec spec = {.prog = &prog, .engines = FOR_INTERP | FOR_CHECKED};
	struct fixture f = {.diag = SKEP_DIAG_INIT};

	for (int i = 0; i < 4; i++) {
		const struct engine *engine = engine_find(i & 1 ? "interp" : "checked");

		spec.ways = i & 2 ? on : both;
		if (!CHECK(!image_new(&spec, &f.image, &f.diag)))
			return;
		CHECK_INT(run_with(&f, engine, NULL, NULL), i & 2 ? 1 : ~0ull);
		CHECK_STR(skep_diag_name(f.diag.id), i & 2 ? "NONE" : "CLAIM_NEVER");
		CHECK_INT(f.diag.insn, i & 2 ? NO_PC : 3);
		image_free(f.image);
	}
}

int main(void)
{
	engines_have_names();
	arenas_are_verified();
	ways_are_kept();
	time_is_limited();
	steps_are_limited_exactly();
	may_goto_ends_a_loop();
	may_goto_counts_in_each_frame();
	a_typed_program_has_raw_memory();
	tail_calls_stay_among_their_like();
	slots_change_under_a_run();
	jumps_reach_over_large_code();
	a_host_has_its_own_helpers();
	bits_of_a_helper_s_answer_are_counted();
	a_helper_ends_the_run();
	a_helper_ends_the_run_behind_a_tail_call();
	callbacks_nest_eight_deep();
	a_map_may_be_for_writing_only();
	locks_are_used_as_linux_says();
	each_run_has_a_world_of_its_own();
	threads_share_an_image();
	return check_report();
}
