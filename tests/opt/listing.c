/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See listing.h.
 */
#include "opt/listing.h"

#include <errno.h>
#include <skep/diag.h>

#include "base/text.h"
#include "maps/map.h"
#include "target/target.h"
#include "verify/verify.h"

int assembled_new(const struct test_case *c, struct assembled *out,
		  struct skep_diag *diag)
{
	int err;

	*out = (struct assembled){.built = {.arena = ARENA_INIT}};
	err = case_build(c, &out->built, diag);
	if (err)
		return err;
	out->maps =
		arena_array(&out->built.arena, out->built.n_maps + 1, sizeof(*out->maps));
	if (!out->maps)
		return -ENOMEM;
	return case_make_maps(c, &out->built, out->maps, diag);
}

void assembled_fini(struct assembled *a)
{
	for (u32 i = 0; a->maps && i < a->built.n_maps; i++)
		map_put(a->maps[i]);
	case_built_fini(&a->built);
}

static bool list_program(const struct prog *prog, struct map *const *maps,
			 const struct compile_how *how, struct text *told)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct compiled compiled;
	bool good = true;

	if (compiled_new(prog, maps, how, &compiled, &diag))
		text_printf(told, "refused: %s\n", diag.text);
	else if (compiled.wrong)
		good = false;
	for (u32 i = 0; !diag.id && i < compiled.functions.n; i++) {
		if (compiled.functions.n > 1)
			text_printf(told, "%sf%u:\n", i ? "\n" : "", i);
		ir_print(told, &compiled.irs[i]);
	}
	if (!good)
		text_printf(told, "function %u: %s\n", compiled.wrong_function,
			    compiled.wrong);
	compiled_fini(&compiled);
	return good;
}

/* With what the verifier says of its jumps. */
static bool list_verified(const struct prog *prog, struct map *const *maps,
			  const struct compile_how *how, struct text *told)
{
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target, .ways = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_result result;
	struct compile_how then = *how;
	bool good = !verify_prog(prog, &opts, &result, &diag);

	then.ways = result.ways;
	if (good)
		good = list_program(prog, maps, &then, told);
	else
		text_printf(told, "%s\n", diag.text);
	verify_result_fini(&result);
	return good;
}

bool listing_of_case(const struct test_case *c, const struct compile_how *how,
		     struct text *told)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct assembled a;
	bool good = !assembled_new(c, &a, &diag);

	if (!good)
		text_printf(told, "%s", diag.text);
	for (u32 i = 0; good && i < a.built.unit.n_funcs; i++)
		if (a.built.unit.funcs[i].program)
			good = how->verified ? list_verified(&a.built.progs[i], a.maps,
							     how, told)
					     : list_program(&a.built.progs[i], a.maps,
							    how, told);
	assembled_fini(&a);
	return good;
}

bool listing_of_file(const char *path, const struct compile_how *how, struct text *told)
{
	struct test_case c;
	bool good = !case_read(&c, path) && listing_of_case(&c, how, told);

	case_free(&c);
	return good;
}
