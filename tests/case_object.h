/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases that want a verdict: an object, from a case's text or from a compiler, and each
 * of its programs before skep's verifier and before the live kernel, as `skep verify`
 * asks them.  Nothing is run or attached.  For run_cases.c.
 */
#ifndef SKEP_TESTS_CASE_OBJECT_H
#define SKEP_TESTS_CASE_OBJECT_H

#include "case.h"
#include "case_kernel.h"

struct kernel_judge;
struct skep_object;
struct skep_prog;
struct skep_target;

struct case_object {
	struct skep_object *obj;          /* owned */
	struct kernel_judge *kernel;      /* owned; NULL: not asked yet */
	const struct skep_target *target; /* borrowed */
};

/* case_object_fini() in any case.  The types of the target: the running kernel's. */
int case_object_of_text(const struct test_case *c, const struct skep_target *target,
			struct case_object *o, struct skep_diag *diag);
int case_object_of_file(const char *path, const struct skep_target *target,
			struct case_object *o, struct skep_diag *diag);
void case_object_fini(struct case_object *o);

/*
 * The case of a program that a compiler made: what its declaration tags "case: LINE" say.
 * path: borrowed.  false: it has none.  case_free() in any case.
 */
bool case_of_tags(const struct skep_prog *prog, const char *path, struct test_case *c);

/* Is the verdict the one that the case wants?  told: what differs. */
enum kernel_answer case_verdict(const struct case_object *o, struct skep_prog *prog,
				const struct test_case *c, struct text *told);
enum kernel_answer case_verdict_of_kernel(struct case_object *o, struct skep_prog *prog,
					  const struct test_case *c, struct text *told);

#endif
