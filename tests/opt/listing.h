/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings of cases: the intermediate form of every program of a file.
 */
#ifndef SKEP_TESTS_OPT_LISTING_H
#define SKEP_TESTS_OPT_LISTING_H

#include "case.h"
#include "opt/compiled.h"

struct map;

/* A case assembled, with its maps. */
struct assembled {
	struct case_built built;
	struct map **maps; /* counted; parallel to built.defs */
};

/* assembled_fini() in any case. */
int assembled_new(const struct test_case *c, struct assembled *out,
		  struct skep_diag *diag);
void assembled_fini(struct assembled *a);

/* false: told says why; what cannot be compiled is told in the listing. */
bool listing_of_case(const struct test_case *c, const struct compile_how *how,
		     struct text *told);
bool listing_of_file(const char *path, const struct compile_how *how, struct text *told);

#endif
