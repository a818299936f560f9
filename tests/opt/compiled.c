/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See compiled.h.
 */
#include "opt/compiled.h"

#include "base/diag.h"
#include "helpers/helpers.h"

static void check(struct compiled *c, u32 function)
{
	if (c->wrong)
		return;
	c->wrong = ir_check(&c->irs[function]);
	c->wrong_function = function;
}

int compiled_new(const struct prog *prog, struct map *const *maps,
		 const struct compile_how *how, struct compiled *out,
		 struct skep_diag *diag)
{
	struct ir_spec spec = {.prog = prog,
			       .maps = maps,
			       .helper = helper_body,
			       .functions = &out->functions,
			       .keep_calls = how->keep_calls,
			       .time_limit = how->time_limit,
			       .ways = how->ways};
	int err;

	*out = (struct compiled){.arena = ARENA_INIT,
				 .prog = prog,
				 .maps = maps,
				 .time_limit = how->time_limit};
	err = ir_find_functions(prog, &out->arena, &out->functions, diag);
	if (err)
		return err;
	out->irs = arena_array(&out->arena, out->functions.n, sizeof(*out->irs));
	if (!out->irs)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < out->functions.n && !err; i++) {
		err = ir_build(&spec, i, &out->arena, &out->irs[i], diag);
		if (!err && !how->unchecked)
			check(out, i);
		if (!err && how->passes)
			err = ir_optimise(&out->irs[i], diag);
		if (!err && how->passes && !how->unchecked)
			check(out, i);
	}
	return err;
}

void compiled_fini(struct compiled *c)
{
	arena_fini(&c->arena);
}
