/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands that load an object have in common: settings of the command line, and
 * which maps and events are shown.  For src/tools.
 */
#ifndef SKEP_TOOLS_LOADING_H
#define SKEP_TOOLS_LOADING_H

#include "tools/command.h"
#include "tools/report.h"

/* Every --var before the object is loaded, every --set after it; `option` is theirs.
 * EXIT_OK, or the exit status after saying why. */
int loading_set_variables(const struct args *args, u32 option, struct skep_object *obj);
int loading_set_elements(const struct args *args, u32 option, struct skep_object *obj);

/* Numbers of the options. */
struct report_options {
	u32 maps, events, event_type;
};

int loading_choose_maps(const struct args *args, const struct report_options *options,
			struct skep_object *obj, struct report *report);

#endif
