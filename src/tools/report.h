/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run left behind: its tally, the contents of its maps, and what it sent while it
 * ran.  For src/tools.
 */
#ifndef SKEP_TOOLS_REPORT_H
#define SKEP_TOOLS_REPORT_H

#include "base/types.h"
#include "tools/json.h"
#include "tools/show.h"

struct skep_map;
struct skep_object;
struct tally;

/* Which maps are shown, and how much of each. */
enum report_maps {
	REPORT_LARGEST, /* all maps, the entries with the largest values */
	REPORT_ALL,     /* all maps, all entries */
	REPORT_NONE,
	REPORT_ONE, /* the map with that name, all entries */
};

struct report {
	struct skep_object *obj; /* borrowed */
	const char *engine;
	enum report_maps maps;
	const char *map_name;     /* of REPORT_ONE; borrowed */
	const char *event_type;   /* name of a type in the object's BTF; NULL: guess */
	struct json *json;        /* NULL: text; borrowed */
	u64 n_events, max_events; /* so far; to be shown */
	u32 guess_size, guess_id; /* the type of records of that size, as last guessed */
};

/* One after another: events as they come, then the tally, then the maps. */
void report_events(struct report *r);
bool report_wants_event(struct report *r); /* counts one more: is it shown? */
void report_tally(struct report *r, struct tally *tally);
void report_maps(struct report *r); /* report_maps.c */

/* len bytes of a map's key or value, whose type is id in the BTF of its object. */
struct typed report_typed(const struct skep_map *map, u32 id, const void *data, u64 len);

#endif
