/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects whose programs are run: each program with a tag "r0 = N" or "fault ID" is a
 * case, taken the whole way from the file to the result by every engine and the live
 * kernel.  For run_cases.c.
 */
#ifndef SKEP_TESTS_CASE_RUN_H
#define SKEP_TESTS_CASE_RUN_H

#include <skep/skep.h>

#include "case.h"

/* What an engine made of a program. */
struct run_report {
	void *arg;
	void (*done)(void *arg, const char *name, const char *engine,
		     const struct text *told, bool good);
};

/* Does any of its programs say what comes of a run? */
bool case_object_runs(const char *path);

/* Every such program on every engine. */
void case_object_run(const char *path, const struct skep_target *target,
		     const struct run_report *report);

#endif
