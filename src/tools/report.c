/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run did, for people and as JSON: events while it goes on, the tally at its end.
 * The types of events are guessed where nobody says them.
 */
#include "tools/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "load/load.h"
#include "tools/out.h"
#include "tools/show.h"
#include "tools/tally.h"

/* ---- what the program sent ---- */

static bool names_an_event(const char *name)
{
	return strstr(name, "event") || strstr(name, "evt") || strstr(name, "record");
}

/* The structure that records of this size probably are: one whose name says so, else the
 * only one of that size.  0: nobody knows. */
static u32 guess_type(const struct btf *btf, u32 size)
{
	u32 found = 0, n = 0;

	for (u32 id = 1; id < btf_count(btf); id++) {
		struct btf_type type = btf_type(btf, id);

		if (type.kind != BTF_STRUCT || type.size != size || !*type.name)
			continue;
		if (names_an_event(type.name))
			return id;
		found = id;
		n++;
	}
	return n == 1 ? found : 0;
}

static u32 type_of_event(struct report *r, const struct skep_map *map, u32 size)
{
	const struct btf *btf = map->obj->file->btf;

	if (!btf)
		return 0;
	if (r->event_type)
		return btf_find(btf, r->event_type, BTF_STRUCT);
	if (map->def->btf_value_id &&
	    btf_size(btf, map->def->btf_value_id) == (s64)size &&
	    map->def->type == MAP_TYPE_RINGBUF)
		return map->def->btf_value_id;
	if (r->guess_size != size) {
		r->guess_size = size;
		r->guess_id = guess_type(btf, size);
	}
	return r->guess_id;
}

struct event_sink {
	struct report *report;
	const struct skep_map *map;
};

static void event_json(const struct event_sink *sink, int cpu, const struct typed *event)
{
	struct json *j = sink->report->json;

	json_begin(j);
	json_string(j, "event", skep_map_name(sink->map));
	if (cpu >= 0)
		json_u64(j, "cpu", (u64)cpu);
	show_json(j, "value", event);
	json_end(j);
}

bool report_wants_event(struct report *r)
{
	return r->n_events++ < r->max_events;
}

static int print_event(void *arg, int cpu, const void *data, u32 size)
{
	const struct event_sink *sink = arg;
	struct text text = TEXT_INIT;
	struct typed event;

	if (!report_wants_event(sink->report))
		return 0;
	event = report_typed(sink->map, type_of_event(sink->report, sink->map, size),
			     data, size);
	if (sink->report->json) {
		event_json(sink, cpu, &event);
		return 0;
	}
	show_value(&text, &event);
	printf("%s%s%s ", style_on(stdout, STYLE_DIM), skep_map_name(sink->map),
	       style_off(stdout));
	put_clean(stdout, text_str(&text), false);
	putchar('\n');
	text_fini(&text);
	return 0;
}

void report_events(struct report *r)
{
	struct skep_map *map = NULL;

	while ((map = skep_object_next_map(r->obj, map))) {
		struct event_sink sink = {r, map};

		skep_map_consume(map, print_event, &sink);
	}
}

/* ---- the tally ---- */

static void tally_as_json(const struct report *r, struct tally *tally)
{
	struct json *j = r->json;

	json_begin(j);
	json_string(j, "program", skep_prog_name(tally->prog));
	json_string(j, "engine", r->engine);
	json_u64(j, "runs", tally->runs);
	json_fixed(j, "ns_per_run", tally_ns_per_run(tally));
	tally_json(tally, j);
	json_end(j);
}

void report_tally(struct report *r, struct tally *tally)
{
	bool packets = skep_prog_takes_packets(tally->prog);
	const char *heads[] = {"PROGRAM",
			       "TYPE",
			       "ENGINE",
			       packets ? ">PACKETS" : ">RUNS",
			       packets ? ">NS/PACKET" : ">NS/RUN",
			       packets ? "VERDICTS" : "RESULTS",
			       NULL};
	struct text results = TEXT_INIT;
	struct number runs;
	struct table table;

	if (r->json) {
		tally_as_json(r, tally);
		return;
	}
	if (r->n_events > r->max_events)
		printf("%s... and %s more events%s\n", style_on(stdout, STYLE_DIM),
		       grouped(&runs, r->n_events - r->max_events), style_off(stdout));
	tally_print(tally, &results);
	table_init(&table, heads, 0);
	table_cell(&table, "%s", skep_prog_name(tally->prog));
	table_cell(&table, "%s", skep_prog_type_name(tally->prog));
	table_cell(&table, "%s", r->engine);
	table_cell(&table, "%s", grouped(&runs, tally->runs));
	table_cell(&table, "%.0f", tally_ns_per_run(tally));
	table_cell(&table, "%s", text_str(&results));
	if (r->n_events)
		putchar('\n');
	table_print(&table);
	text_fini(&results);
}
