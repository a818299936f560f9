/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program of an object is run.  For src/tools.
 */
#ifndef SKEP_TOOLS_CHOOSE_H
#define SKEP_TOOLS_CHOOSE_H

#include <skep/skep.h>

struct choice {
	struct skep_object *obj; /* borrowed; not loaded yet */
	const char *name;        /* NULL: the only one that fits */
	bool context;            /* it is given a context, not packets */
};

/* Also selects it for loading, with what it may tail-call and nothing else: other
 * programs may need what skep lacks.  EXIT_OK, or EXIT_USAGE after saying why. */
int choose_prog(const struct choice *choice, struct skep_prog **chosen);

#endif
