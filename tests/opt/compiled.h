/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program in the intermediate form, for tests: all functions built, checked, and, if
 * wanted, run through the passes.
 */
#ifndef SKEP_TESTS_OPT_COMPILED_H
#define SKEP_TESTS_OPT_COMPILED_H

#include "base/arena.h"
#include "opt/ir.h"
#include "prog/prog.h"

struct skep_diag;

struct compiled {
	struct arena arena;
	const struct prog *prog;
	struct map *const *maps;
	struct ir_functions functions;
	struct ir *irs;    /* by function */
	const char *wrong; /* what ir_check() said of one of them; NULL: nothing */
	u32 wrong_function;
	bool time_limit; /* it has CHECKs */
};

struct compile_how {
	bool passes;     /* ir_optimise() */
	bool keep_calls; /* nothing inlined */
	bool time_limit; /* with CHECKs */
	const u8 *ways;  /* ir_spec.ways */
	bool verified;   /* listings: of what a verifier accepted, with ways */
	bool unchecked;  /* ir_check() takes its time */
};

/* Errors: as ir_find_functions(), ir_build(); compiled_fini() in any case. */
int compiled_new(const struct prog *prog, struct map *const *maps,
		 const struct compile_how *how, struct compiled *out,
		 struct skep_diag *diag);
void compiled_fini(struct compiled *c);

#endif
