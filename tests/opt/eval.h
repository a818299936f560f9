/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the intermediate form as it stands: what it means, apart from any machine.  A
 * reference for tests of building and passes; slow.
 */
#ifndef SKEP_TESTS_OPT_EVAL_H
#define SKEP_TESTS_OPT_EVAL_H

#include "exec/exec.h"
#include "opt/compiled.h"

/* As an engine of exec/exec.h.  What program arrays hold are struct compiled *.  -ELOOP:
 * where time is limited, it did too much between two CHECKs. */
int eval_run(const struct compiled *program, struct run *run, u64 *ret);

/* The same where program arrays hold something else. */
typedef const struct compiled *(*eval_find)(void *arg, const void *object);
int eval_run_with(const struct compiled *program, struct run *run, u64 *ret,
		  eval_find find, void *arg);

/* As engines: of the program as it is built, and after the passes.  Compiles at each
 * run; -ENOTSUP where functions call each other too deep. */
enum { EVAL_ENGINES = 2 };
extern const struct engine eval_engines[EVAL_ENGINES];

#endif
