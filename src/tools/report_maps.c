/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the maps hold, for people and as JSON.  A person gets the few entries with the
 * largest values, and per-CPU values added up; a program gets everything.  Never does:
 * change a map.
 */
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "load/kernel.h"
#include "load/load.h"
#include "tools/out.h"
#include "tools/report.h"
#include "tools/show.h"

enum { FEW_ENTRIES = 10 };

struct typed report_typed(const struct skep_map *map, u32 id, const void *data, u64 len)
{
	return (struct typed){map->obj->file->btf, id, {data, len}};
}

/* ---- entries of maps ---- */

struct entry {
	u8 *key;   /* owned */
	u8 *value; /* owned with key: one block; as users copy it */
	u8 *sum;   /* the same; of one value: all CPUs together */
	u64 weight;
	u64 number; /* in the order of the map */
};

struct entries {
	struct skep_map *map; /* borrowed */
	u32 key_size, value_size, n_cpus, stride;
	struct vec kept; /* struct entry */
	u32 keep;        /* at most so many; 0: all */
	u64 n, n_zero;   /* seen; seen and all zero */
};

static struct typed key_of(const struct entries *e, const struct entry *entry)
{
	return report_typed(e->map, e->map->def->btf_key_id, entry->key, e->key_size);
}

static struct typed cpu_value(const struct entries *e, const struct entry *entry, u32 cpu)
{
	return report_typed(e->map, e->map->def->btf_value_id,
			    entry->value + (u64)cpu * e->stride, e->value_size);
}

static struct typed sum_of(const struct entries *e, const struct entry *entry)
{
	return report_typed(e->map, e->map->def->btf_value_id, entry->sum, e->value_size);
}

static void entries_init(struct entries *e, struct skep_map *map, u32 keep)
{
	u32 type = map->def->type;

	*e = (struct entries){.map = map, .kept = VEC_INIT(struct entry), .keep = keep};
	e->key_size = skep_map_key_size(map);
	e->value_size = map->def->value_size;
	e->stride = (u32)round_up(e->value_size, 8);
	e->n_cpus = kern_map_is_percpu(type) ? (u32)(skep_map_value_size(map) / e->stride)
					     : 1;
}

static void entry_fini(struct entry *entry)
{
	free(entry->key);
}

static void entries_fini(struct entries *e)
{
	for (size_t i = 0; i < e->kept.len; i++)
		entry_fini(vec_at(&e->kept, i));
	vec_fini(&e->kept);
}

static bool entry_init(struct entry *entry, const struct entries *e, const u8 *key)
{
	u64 key_room = round_up(e->key_size, 8);
	u64 value_room = (u64)e->stride * e->n_cpus;

	*entry = (struct entry){.key = calloc(1, key_room + value_room + e->stride + 8),
				.number = e->n};
	if (!entry->key)
		return false;
	memcpy(entry->key, key, e->key_size);
	entry->value = entry->key + key_room;
	entry->sum = entry->value + value_room;
	return true;
}

static struct percpu parts_of(const struct entries *e, const struct entry *entry)
{
	return (struct percpu){cpu_value(e, entry, 0), e->n_cpus, e->stride};
}

static void weigh(struct entry *entry, const struct entries *e)
{
	struct percpu parts = parts_of(e, entry);
	struct typed sum = percpu_sum(&parts, entry->sum);

	entry->weight = show_weight(&sum);
}

static int heavier_first(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;

	if (ea->weight != eb->weight)
		return ea->weight < eb->weight ? 1 : -1;
	return ea->number < eb->number ? -1 : ea->number > eb->number;
}

static int in_map_order(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;

	return ea->number < eb->number ? -1 : ea->number > eb->number;
}

/* Keeps the heaviest; the lightest one leaves when there are too many. */
static void keep(struct entries *e, struct entry *entry)
{
	struct entry *last;

	if (!e->keep || e->kept.len < e->keep) {
		last = vec_push(&e->kept);
		if (!last) {
			entry_fini(entry);
			return;
		}
		*last = *entry;
		if (e->keep && e->kept.len == e->keep)
			qsort(e->kept.data, e->kept.len, sizeof(*last), heavier_first);
		return;
	}
	last = vec_at(&e->kept, e->kept.len - 1);
	if (heavier_first(entry, last) >= 0) {
		entry_fini(entry);
		return;
	}
	entry_fini(last);
	*last = *entry;
	for (; last > (struct entry *)e->kept.data && heavier_first(last, last - 1) < 0;
	     last--) {
		struct entry swap = *last;

		*last = last[-1];
		last[-1] = swap;
	}
}

static bool is_array(u32 type)
{
	return type == MAP_TYPE_ARRAY || type == MAP_TYPE_PERCPU_ARRAY;
}

static void add_entry(struct entries *e, const u8 *key)
{
	struct entry entry;
	struct bytes all;

	if (!entry_init(&entry, e, key))
		return;
	if (skep_map_lookup(e->map, key, entry.value, 0)) {
		entry_fini(&entry);
		return;
	}
	e->n++;
	all = (struct bytes){entry.value, (u64)e->stride * e->n_cpus};
	/* who looks at an array looks for what is in it */
	if (e->keep && is_array(e->map->def->type) && show_is_zero(all)) {
		e->n_zero++;
		entry_fini(&entry);
		return;
	}
	weigh(&entry, e);
	keep(e, &entry);
}

static void read_entries(struct entries *e)
{
	u8 *key = calloc(1, round_up(e->key_size, 8) + 8);
	bool more = key && !skep_map_next_key(e->map, NULL, key);

	while (more) {
		add_entry(e, key);
		more = !skep_map_next_key(e->map, key, key);
	}
	free(key);
	if (e->kept.len)
		qsort(e->kept.data, e->kept.len, sizeof(struct entry),
		      is_array(e->map->def->type) || !e->keep ? in_map_order
							      : heavier_first);
}

/* ---- maps ---- */

/* Does bpf(2) list its elements? */
static bool has_entries(const struct skep_map *map)
{
	u32 type = map->def->type;

	return type != MAP_TYPE_RINGBUF && type != MAP_TYPE_PERF_EVENT_ARRAY;
}

/* The name of the program in a slot, or of the map with the id that users see there. */
static const char *ref_name(const struct entries *e, const struct entry *entry)
{
	struct map *map = e->map->map;
	const struct image *image;

	if (!map)
		return kernel_ref_name(e->map, load_u32(entry->value));
	if (map->type == MAP_TYPE_PROG_ARRAY) {
		image = map_prog(map, load_u32(entry->key));
		return image ? image_prog(image)->name : "";
	}
	for (u32 i = 0; i < e->map->obj->n_maps; i++) {
		const struct skep_map *other = &e->map->obj->maps[i];

		if (other->map && other->map->id == load_u32(entry->value))
			return other->def->name;
	}
	return "";
}

static void put_key(struct text *t, const struct entries *e, const struct entry *entry)
{
	struct typed key = key_of(e, entry);

	if (e->map->def->type == MAP_TYPE_LPM_TRIE)
		show_prefix(t, &key);
	else
		show_value(t, &key);
}

static void put_parts(struct text *t, const struct entries *e, const struct entry *entry)
{
	struct percpu parts = parts_of(e, entry);
	struct typed sum = sum_of(e, entry);

	show_percpu(t, &parts, &sum);
}

static void print_entries(const struct entries *e)
{
	static const char *const heads[] = {"", "", NULL};
	struct table table;

	table_init(&table, heads, 2);
	for (size_t i = 0; i < e->kept.len; i++) {
		const struct entry *entry = vec_at(&e->kept, i);
		struct text key = TEXT_INIT, value = TEXT_INIT;

		put_key(&key, e, entry);
		if (load_holds_refs(e->map))
			text_puts(&value, ref_name(e, entry));
		else
			put_parts(&value, e, entry);
		table_cell(&table, "%s", text_str(&key));
		table_cell(&table, "%s", text_str(&value));
		text_fini(&key);
		text_fini(&value);
	}
	table_print(&table);
}

static void print_rest(const struct entries *e)
{
	u64 rest = e->n - e->n_zero - e->kept.len;
	struct number n;

	if (rest)
		printf("  %s... and %s more%s\n", style_on(stdout, STYLE_DIM),
		       grouped(&n, rest), style_off(stdout));
}

static void print_head(const struct skep_map *map, const char *what)
{
	printf("\n%s", style_on(stdout, STYLE_NAME));
	put_clean(stdout, skep_map_name(map), false);
	printf("%s  %s, %s\n", style_off(stdout), skep_map_type_name(map), what);
}

static void print_map(const struct report *r, struct skep_map *map)
{
	struct entries e;
	char what[96];
	struct number a, b;

	entries_init(&e, map, r->maps == REPORT_LARGEST ? FEW_ENTRIES : 0);
	read_entries(&e);
	if (is_array(map->def->type) && e.n_zero)
		snprintf(what, sizeof(what), "%s of %s entries are not zero",
			 grouped(&a, e.n - e.n_zero), grouped(&b, e.n));
	else
		snprintf(what, sizeof(what), "%s of %s entries", grouped(&a, e.n),
			 grouped(&b, skep_map_max_entries(map)));
	print_head(map, what);
	print_entries(&e);
	print_rest(&e);
	entries_fini(&e);
}

/* A copy of its bytes, for free(); NULL: no memory. */
static void *read_var(const struct skep_map *map, const struct object_var *var)
{
	void *copy = malloc((size_t)var->size + 1);

	if (copy && skep_object_get_var(map->obj, var->name, copy, var->size, NULL)) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* Global variables, by name; of the few that a person wants to see, those with a value.
 */
static void print_vars(const struct report *r, const struct skep_map *map)
{
	static const char *const heads[] = {"", "", NULL};
	const struct object *file = map->obj->file;
	struct table table;

	table_init(&table, heads, 2);
	for (u32 i = 0; i < file->n_vars; i++) {
		const struct object_var *var = &file->vars[i];
		struct text text = TEXT_INIT;
		struct typed value;
		void *at;

		if (var->map != map->def || !(at = read_var(map, var)))
			continue;
		value = report_typed(map, var->btf_id, at, var->size);
		if (r->maps != REPORT_LARGEST || !show_is_zero(value.data)) {
			show_value(&text, &value);
			table_cell(&table, "%s", var->name);
			table_cell(&table, "%s", text_str(&text));
		}
		text_fini(&text);
		free(at);
	}
	if (table.cells.len)
		print_head(map, "global variables");
	table_print(&table);
}

static bool is_vars(const struct skep_map *map)
{
	return map->def->origin == MAP_DATA || map->def->origin == MAP_RODATA ||
	       map->def->origin == MAP_KCONFIG;
}

static void print_any(const struct report *r, struct skep_map *map)
{
	char what[64];
	struct number n;

	if (has_entries(map) && !is_vars(map)) {
		print_map(r, map);
	} else if (is_vars(map)) {
		/* constants are known to whoever set them */
		if (map->def->origin == MAP_DATA || r->maps != REPORT_LARGEST)
			print_vars(r, map);
	} else if (skep_map_lost(map)) {
		snprintf(what, sizeof(what), "%s events were lost",
			 grouped(&n, skep_map_lost(map)));
		print_head(map, what);
	}
}

/* ---- maps as JSON ---- */

static void vars_json(struct json *j, const struct skep_map *map)
{
	const struct object *file = map->obj->file;

	json_object(j, NULL);
	json_u64(j, "key", 0);
	json_object(j, "value");
	for (u32 i = 0; i < file->n_vars; i++) {
		const struct object_var *var = &file->vars[i];
		struct typed value;
		void *at;

		if (var->map != map->def || !(at = read_var(map, var)))
			continue;
		value = report_typed(map, var->btf_id, at, var->size);
		show_json(j, var->name, &value);
		free(at);
	}
	json_object_end(j);
	json_object_end(j);
}

static void entry_json(struct json *j, const struct entries *e, const struct entry *entry)
{
	struct typed key = key_of(e, entry), value = sum_of(e, entry);

	json_object(j, NULL);
	show_json(j, "key", &key);
	if (load_holds_refs(e->map))
		json_string(j, "value", ref_name(e, entry));
	else
		show_json(j, "value", &value);
	if (e->n_cpus > 1) {
		json_array(j, "cpus");
		for (u32 cpu = 0; cpu < e->n_cpus; cpu++) {
			value = cpu_value(e, entry, cpu);
			show_json(j, NULL, &value);
		}
		json_array_end(j);
	}
	json_object_end(j);
}

static void entries_json(struct json *j, struct skep_map *map)
{
	struct entries e;

	entries_init(&e, map, 0);
	read_entries(&e);
	for (size_t i = 0; i < e.kept.len; i++)
		entry_json(j, &e, vec_at(&e.kept, i));
	entries_fini(&e);
}

static void map_json(const struct report *r, struct skep_map *map)
{
	struct json *j = r->json;

	json_begin(j);
	json_string(j, "map", skep_map_name(map));
	json_string(j, "type", skep_map_type_name(map));
	json_array(j, "entries");
	if (is_vars(map))
		vars_json(j, map);
	else if (has_entries(map))
		entries_json(j, map);
	json_array_end(j);
	if (!has_entries(map))
		json_u64(j, "lost", skep_map_lost(map));
	json_end(j);
}

void report_maps(struct report *r)
{
	struct skep_map *map = NULL;

	while ((map = skep_object_next_map(r->obj, map))) {
		if (r->maps == REPORT_NONE || !load_has_map(map))
			continue;
		if (r->maps == REPORT_ONE && strcmp(skep_map_name(map), r->map_name))
			continue;
		if (r->json)
			map_json(r, map);
		else
			print_any(r, map);
	}
}
