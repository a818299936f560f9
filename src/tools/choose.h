/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program of an object is run or attached.  For src/tools.
 */
#ifndef SKEP_TOOLS_CHOOSE_H
#define SKEP_TOOLS_CHOOSE_H

#include <skep/skep.h>

enum choice_use { FOR_PACKETS, FOR_CONTEXT, FOR_HOOK };

struct choice {
	struct skep_object *obj; /* borrowed; not loaded yet */
	const char *name;        /* NULL: the only one that fits */
	enum choice_use use;     /* what it is given, or that it is attached */
};

/* Also selects it for loading, with what it may tail-call and nothing else: other
 * programs may need what skep lacks.  EXIT_OK, or EXIT_USAGE after saying why. */
int choose_prog(const struct choice *choice, struct skep_prog **chosen);

#endif
