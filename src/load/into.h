/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that attach to programs: which program of an object it is.  For judging them;
 * what is attached in the kernel is found there (skep_prog_set_target()).
 */
#ifndef SKEP_LOAD_INTO_H
#define SKEP_LOAD_INTO_H

#include "load/load.h"

/* Does it replace a function of a program, or may it look at one? */
bool into_is_asked(const struct skep_prog *prog);

/*
 * The program of obj that has the function which prog's section names; *target is NULL
 * where there is none.  name: of the program, or NULL: the one that begins with this
 * function, or else the only one that has it; several are an error.
 */
int into_find(const struct skep_prog *prog, struct skep_object *obj, const char *name,
	      struct skep_prog **target, struct skep_diag *diag);

/* Where the section says nothing: the function that prog attaches to.  Borrowed. */
void into_set_function(struct skep_prog *prog, const char *func);

#endif
