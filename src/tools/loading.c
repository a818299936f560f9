/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings are applied in the order of the command line; the first that is wrong ends it.
 */
#include "tools/loading.h"

#include <string.h>

#include <skep/skep.h>

#include "load/load.h"
#include "tools/out.h"
#include "tools/setting.h"

int loading_set_variables(const struct args *args, u32 option, struct skep_object *obj)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, option, &cursor))) {
		if (set_variable(obj, given->values[0], &diag))
			return refuse(&diag, EXIT_USAGE);
	}
	return EXIT_OK;
}

int loading_set_elements(const struct args *args, u32 option, struct skep_object *obj)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, option, &cursor))) {
		if (set_element(obj, given->values, &diag))
			return refuse(&diag, EXIT_USAGE);
	}
	return EXIT_OK;
}

int loading_choose_maps(const struct args *args, const struct report_options *options,
			struct skep_object *obj, struct report *report)
{
	const char *maps = args_value(args, options->maps);

	report->obj = obj;
	report->max_events = ~0ull;
	if (args_number(args, options->events, ~0ull, &report->max_events))
		return EXIT_USAGE;
	report->event_type = args_value(args, options->event_type);
	report->map_name = maps;
	if (!maps)
		report->maps = REPORT_LARGEST;
	else if (!strcmp(maps, "all"))
		report->maps = REPORT_ALL;
	else if (!strcmp(maps, "none"))
		report->maps = REPORT_NONE;
	else if (skep_object_find_map(obj, maps))
		report->maps = REPORT_ONE;
	else
		return args_refuse(args, "there is no map \"%s\"", maps);
	if (report->event_type &&
	    (!obj->file->btf ||
	     !btf_find(obj->file->btf, report->event_type, BTF_STRUCT)))
		return args_refuse(args, "the object has no struct \"%s\"",
				   report->event_type);
	return EXIT_OK;
}
