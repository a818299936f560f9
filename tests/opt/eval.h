/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the intermediate form as it stands: what it means, apart from any machine.  A
 * reference for tests of building and passes; slow.
 */
#ifndef SKEP_TESTS_OPT_EVAL_H
#define SKEP_TESTS_OPT_EVAL_H

#include "opt/compiled.h"

/* As an engine of exec/exec.h.  What program arrays hold are struct compiled *. */
int eval_run(const struct compiled *program, struct run *run, u64 *ret);

#endif
