/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --into OBJECT[:PROGRAM[:FUNCTION]] of commands that judge: programs that others attach
 * to.  For src/tools.
 */
#ifndef SKEP_TOOLS_INTO_H
#define SKEP_TOOLS_INTO_H

#include <skep/skep.h>

#include "base/types.h"

struct target;

/* Each --into, in order. */
struct into;
int into_new(bool kernel, struct into **out, struct skep_diag *diag);
void into_free(struct into *into); /* NULL is fine */
int into_add(struct into *into, const char *option, struct skep_diag *diag);

/* The program that prog attaches to, fitted to the target; NULL: none was said. */
int into_target(struct into *into, struct skep_prog *prog, const struct target *target,
		struct skep_prog **found, struct skep_diag *diag);
/* The same in the kernel that runs, if any was said: prog has it from now on. */
int into_load(struct into *into, struct skep_prog *prog, const struct target *target,
	      struct skep_diag *diag);

#endif
