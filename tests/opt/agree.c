/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building and passes against the checked engine: what it lets pass computes the same as
 * intermediate form, before the passes and after them.
 *
 *	agree [SEED [PROGRAMS]]
 *
 * Random programs that nobody verified; see exec/random.c, which does the same for
 * engines.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "check.h"
#include "exec/raw.h"
#include "helpers/helpers.h"
#include "isa/disasm.h"
#include "maps/map.h"
#include "opt/eval.h"

enum { PROGRAMS = CHECK_IS_SANITIZED ? 2000 : 30000 };

static const struct compile_how hows[] = {
	{0},
	{.passes = true},
	{.keep_calls = true},
	{.passes = true, .time_limit = true},
};

struct trial {
	struct map *map;
	struct prog prog;
	u64 seed;
	struct raw_outcome checked;
};

static int run_checked(const void *what, struct run *run, u64 *ret)
{
	return checked_run(what, run, ret);
}

static int run_eval(const void *what, struct run *run, u64 *ret)
{
	return eval_run(what, run, ret);
}

static void tell(const struct trial *t, const struct compiled *c, u32 how)
{
	struct text listing = TEXT_INIT;

	fprintf(stderr, "seed %#llx, %s%s%s:\n", (unsigned long long)t->seed,
		hows[how].passes ? "after passes" : "built",
		hows[how].keep_calls ? ", calls kept" : "",
		hows[how].time_limit ? ", time limited" : "");
	for (u32 i = 0; i < c->functions.n; i++)
		ir_print(&listing, &c->irs[i]);
	fprintf(stderr, "%s\n", text_str(&listing));
	text_fini(&listing);
}

static void try_how(const struct trial *t, u32 how)
{
	struct raw_outcome other = {.diag = SKEP_DIAG_INIT};
	struct compiled c;
	int err = compiled_new(&t->prog, &t->map, &hows[how], &c, NULL);

	if (!CHECK(!err || err == -ENOTSUP)) {
		compiled_fini(&c);
		return;
	}
	if (!err && !CHECK(!c.wrong)) {
		fprintf(stderr, "%s\n", c.wrong);
		tell(t, &c, how);
	} else if (!err && !t->checked.err) {
		raw_run(run_eval, &c, t->map, &other);
		if (!CHECK(raw_same(&t->checked, &other))) {
			fprintf(stderr, "r0 %#llx, checked %#llx\n",
				(unsigned long long)other.r0,
				(unsigned long long)t->checked.r0);
			tell(t, &c, how);
		}
	}
	compiled_fini(&c);
}

/* Did it run? */
static bool try_program(struct map *map)
{
	static const struct map_def def = {.name = "values"};
	const struct map_def *defs[] = {&def};
	struct insn insns[RAW_ROOM];
	struct trial t = {.map = map, .seed = raw_state};
	struct image_spec spec = {.prog = &t.prog,
				  .maps = &map,
				  .helper = helper_body,
				  .engines = FOR_CHECKED};
	struct image *image;

	t.prog = (struct prog){
		.insns = insns, .n_insns = raw_program(insns), .maps = defs, .n_maps = 1};
	t.checked.diag = (struct skep_diag)SKEP_DIAG_INIT;
	if (image_new(&spec, &image, NULL))
		return false;
	raw_run(run_checked, image, map, &t.checked);
	for (u32 how = 0; how < ARRAY_SIZE(hows); how++)
		try_how(&t, how);
	image_free(image);
	return !t.checked.err;
}

int main(int argc, char **argv)
{
	u32 programs = argc > 2 ? (u32)atoi(argv[2]) : PROGRAMS, ran = 0;
	struct map *map = raw_map();

	if (!CHECK(map))
		return check_report();
	raw_state = argc > 1 ? strtoull(argv[1], NULL, 0) : 0x2545f4914f6cdd1d;
	for (u32 i = 0; i < programs; i++)
		ran += try_program(map);
	map_put(map);
	printf("%u of %u ran\n", ran, programs);
	CHECK(programs < 1000 || ran > programs / 50);
	return check_report();
}
