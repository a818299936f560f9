/* SPDX-License-Identifier: BSD-2-Clause */
#include "opt/written.h"

#include <string.h>

#include <skep/diag.h>

#include "check.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "opt/eval.h"
#include "world/random.h"
#include "world/world.h"

enum { MEMORY = WRITTEN_MEMORY };

struct outcome {
	int err;
	u64 r0;
	u8 memory[MEMORY];
};

u32 below(struct generator *g, u32 n)
{
	return random_next(&g->state) % n;
}

bool one_in(struct generator *g, u32 n)
{
	return !below(g, n);
}

static bool assemble(const char *text, struct arena *arena, struct prog *out)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct asm_linked linked = {0};
	struct asm_unit unit;

	if (!CHECK(!asm_parse(&in, arena, &unit, &diag)) ||
	    !CHECK(!asm_link(&unit, 0, arena, &linked, &diag))) {
		fprintf(stderr, "%s\n%s\n", text, diag.text);
		return false;
	}
	struct prog prog = {
		.name = "main", .insns = linked.insns, .n_insns = linked.n_insns};

	memcpy(out, &prog, sizeof(prog));
	return true;
}

/* By an engine, of an image; NULL: of what was compiled. */
static void run_on(const struct engine *engine, const void *what, struct outcome *out)
{
	struct mem_region region = {
		.addr = out->memory, .size = MEMORY, .writable = true, .name = "memory"};
	struct exec_opts opts = {
		.regions = &region, .n_regions = 1, .max_steps = 1000000};
	struct world_script world;
	struct run run = {.world = &world.world, .ctx = out->memory, .opts = &opts};

	world_script_init(&world);
	out->r0 = UINT64_MAX;
	out->err = engine ? engine->run(what, &run, &out->r0)
			  : eval_run(what, &run, &out->r0);
	run_end(&run);
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	return !a->err && !b->err && a->r0 == b->r0 &&
	       !memcmp(a->memory, b->memory, MEMORY);
}

/* The first ones are all zeroes, all ones and two patterns between. */
static void fill(struct generator *g, u8 memory[MEMORY], u32 input)
{
	memset(memory, (int)(input * 0x55), MEMORY);
	for (u32 i = 0; i < MEMORY && input >= 4; i++)
		memory[i] = (u8)below(g, 256);
}

/* All that a program became. */
struct forms {
	struct compiled built, passed;
	struct image *image;
};

static void compare(struct generator *g, const struct forms *f, u32 input)
{
	struct outcome start, wanted, got;
	bool same;

	fill(g, start.memory, input);
	wanted = got = start;
	run_on(NULL, &f->built, &wanted);
	run_on(NULL, &f->passed, &got);
	same = CHECK(is_same(&got, &wanted));
	for (u32 e = 0; engine_at(e); e++) {
		got = start;
		run_on(engine_at(e), f->image, &got);
		same &= CHECK(is_same(&got, &wanted));
	}
	if (!same)
		fprintf(stderr, "input %u\n%s\n", input, text_str(&g->text));
}

static bool compile(struct generator *g, const struct prog *prog, struct forms *f)
{
	const struct image_spec spec = {.prog = prog, .helper = helper_body};
	bool made = CHECK(
		!compiled_new(prog, NULL, &(struct compile_how){0}, &f->built, NULL));

	made &= CHECK(!compiled_new(prog, NULL, &(struct compile_how){.passes = true},
				    &f->passed, NULL));
	made &= CHECK(!f->passed.wrong);
	made &= CHECK(!image_new(&spec, &f->image, NULL));
	if (!made)
		fprintf(stderr, "%s\n%s\n", f->passed.wrong ? f->passed.wrong : "",
			text_str(&g->text));
	return made;
}

static u32 try_program(struct generator *g, const struct written *test)
{
	struct arena arena = ARENA_INIT;
	struct forms f = {0};
	struct prog prog;
	u32 found = 0;

	text_clear(&g->text);
	test->write(g);
	if (assemble(text_str(&g->text), &arena, &prog)) {
		if (compile(g, &prog, &f)) {
			for (u32 i = 0; i < test->inputs; i++)
				compare(g, &f, i);
			found = test->find(&f.passed);
		}
		image_free(f.image);
		compiled_fini(&f.built);
		compiled_fini(&f.passed);
	}
	arena_fini(&arena);
	return found;
}

int written_main(const struct written *test, int argc, char **argv)
{
	u32 n = argc > 2 ? (u32)atoi(argv[2]) : test->programs,
	    found[WRITTEN_KINDS] = {0};
	struct generator g = {.text = TEXT_INIT,
			      .state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1};

	for (u32 i = 0; i < n; i++) {
		u32 kinds = try_program(&g, test);

		for (u32 k = 0; k < WRITTEN_KINDS; k++)
			found[k] += kinds >> k & 1;
	}
	for (u32 k = 0; k < WRITTEN_KINDS && test->one_in[k]; k++) {
		printf("%u of %u programs have kind %u\n", found[k], n, k);
		CHECK(found[k] >= n / test->one_in[k]);
	}
	text_fini(&g.text);
	return check_report();
}
