/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that nobody verified: the checked engine survives all of them, and what
 * it lets pass computes the same in the other engines.  random [SEED [PROGRAMS]].
 */
#include <stdlib.h>

#include "check.h"
#include "exec/raw.h"
#include "helpers/helpers.h"
#include "maps/map.h"

/* make fuzz has time for more, with other seeds. */
enum { PROGRAMS = CHECK_IS_SANITIZED ? 4000 : 40000, EMULATED = 6000 };

struct engine_run {
	const struct engine *engine;
	const struct image *image;
};

static int run_engine(const void *what, struct run *run, u64 *ret)
{
	const struct engine_run *e = what;

	return e->engine->run(e->image, run, ret);
}

/* 0: refused, 1: stopped by the checked engine, 2: ran. */
static u32 try_program(struct map *map, u64 seed)
{
	static const struct map_def def = {.name = "values"};
	const struct map_def *defs[] = {&def};
	struct insn insns[RAW_ROOM];
	struct prog prog = {
		.insns = insns, .n_insns = raw_program(insns), .maps = defs, .n_maps = 1};
	struct image_spec spec = {.prog = &prog, .maps = &map, .helper = helper_body};
	struct image *image;
	struct raw_outcome checked = {.diag = SKEP_DIAG_INIT}, other = checked;
	struct engine_run run;

	if (image_new(&spec, &image, NULL))
		return 0;
	run = (struct engine_run){engine_find("checked"), image};
	raw_run(run_engine, &run, map, &checked);
	for (u32 e = 0; !checked.err && engine_at(e); e++) {
		run.engine = engine_at(e);
		raw_run(run_engine, &run, map, &other);
		if (!CHECK(raw_same(&checked, &other)))
			fprintf(stderr, "seed %#llx: %s: r0 %#llx, checked %#llx\n",
				(unsigned long long)seed, engine_at(e)->name,
				(unsigned long long)other.r0,
				(unsigned long long)checked.r0);
	}
	CHECK(!checked.err || checked.diag.id);
	image_free(image);
	return 1 + !checked.err;
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0x9e3779b97f4a7c15;
	u32 programs = check_is_emulated() ? EMULATED : PROGRAMS, counts[3] = {0};
	struct map *map = raw_map();

	if (!CHECK(map))
		return check_report();
	if (argc > 2)
		programs = (u32)atoi(argv[2]);
	raw_state = seed;
	for (u32 i = 0; i < programs; i++) {
		u64 start = raw_state;

		counts[try_program(map, start)]++;
	}
	map_put(map);
	printf("%u refused, %u stopped, %u ran\n", counts[0], counts[1], counts[2]);
	CHECK(programs < 1000 ||
	      (counts[1] > programs / 50 && counts[2] > programs / 50));
	return check_report();
}
