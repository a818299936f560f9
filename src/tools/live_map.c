/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map of the running kernel: opening it, its types, its elements.  Nobody else is kept
 * from changing it meanwhile, so going through the keys is bounded, and what is gone when
 * it is looked up was not there.
 */
#include "tools/live_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "btf/btf.h"
#include "kern/find.h"
#include "kern/load.h"
#include "maps/map.h"
#include "tools/json.h"
#include "tools/out.h"
#include "tools/setting.h"

/* ---- opening ---- */

static enum live_class class_of(u32 type)
{
	switch (type) {
	case MAP_TYPE_PROG_ARRAY:
	case MAP_TYPE_ARRAY_OF_MAPS:
	case MAP_TYPE_HASH_OF_MAPS:
	case MAP_TYPE_CGROUP_ARRAY: return LIVE_REFS;
	case MAP_TYPE_QUEUE:
	case MAP_TYPE_STACK: return LIVE_QUEUE;
	case MAP_TYPE_BLOOM_FILTER: return LIVE_FILTER;
	case MAP_TYPE_RINGBUF:
	case MAP_TYPE_USER_RINGBUF: return LIVE_RING;
	case MAP_TYPE_PERF_EVENT_ARRAY: return LIVE_EVENTS;
	case MAP_TYPE_SK_STORAGE:
	case MAP_TYPE_TASK_STORAGE:
	case MAP_TYPE_INODE_STORAGE:
	case MAP_TYPE_CGRP_STORAGE: return LIVE_STORAGE;
	case MAP_TYPE_XSKMAP:
	case MAP_TYPE_ARENA: return LIVE_OPAQUE;
	default: return LIVE_TABLE;
	}
}

bool live_is_array(const struct live_map *m)
{
	return m->info.type == MAP_TYPE_ARRAY || m->info.type == MAP_TYPE_PERCPU_ARRAY;
}

static enum btf_kind value_kind(const struct live_map *m)
{
	return m->btf && m->value_type
		       ? btf_kind(m->btf, btf_resolve(m->btf, m->value_type))
		       : BTF_VOID;
}

/* Types that do not fit the sizes are no help. */
static bool fits(const struct live_map *m, u32 type, u32 size)
{
	return btf_size(m->btf, type) == size;
}

static void read_types(struct live_map *m)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u32 id = m->info.btf_id;
	int err;

	if (!id && !m->info.kernel_type)
		return;
	err = census_btf(&m->arena, m->info.kernel_type ? 0 : id, &m->btf, &diag);
	if (err) {
		m->btf = NULL;
		say_warning(m->info.name, "its types cannot be read: %s", diag.text);
		return;
	}
	m->key_type = m->info.key_type;
	m->value_type = m->info.kernel_type ? m->info.kernel_type : m->info.value_type;
	if (m->key_type && !fits(m, m->key_type, m->info.key_size))
		m->key_type = 0;
	if (m->value_type && !fits(m, m->value_type, m->info.value_size))
		m->value_type = 0;
}

int live_map_open(struct live_map *m, const char *words, struct skep_diag *diag)
{
	int err;

	*m = (struct live_map){.arena = ARENA_INIT};
	m->fd = kern_find(SYS_MAP, words, diag);
	if (m->fd < 0)
		return m->fd;
	err = census_read_map(&m->arena, m->fd, &m->info);
	if (err) {
		live_map_close(m);
		return fail(diag, KERNEL_SAYS, NO_PC, words, strerror(-err));
	}
	m->class = class_of(m->info.type);
	m->n_cpus = kern_map_is_percpu(m->info.type) ? kern_possible_cpus() : 1;
	m->stride = (u32)round_up(m->info.value_size, 8);
	m->value_room = kern_map_value_size(m->info.type, m->info.value_size);
	read_types(m);
	if (m->class == LIVE_TABLE && value_kind(m) == BTF_DATASEC &&
	    m->info.max_entries == 1)
		m->class = LIVE_VARS;
	return 0;
}

void live_map_close(struct live_map *m)
{
	close(m->fd);
	arena_fini(&m->arena);
}

/* ---- elements ---- */

bool live_entry_new(struct live_entry *e, const struct live_map *m)
{
	u64 key_room = round_up(m->info.key_size, 8) + 8;

	e->key = calloc(1, key_room + m->value_room + m->stride + 16);
	if (!e->key)
		return false;
	e->value = e->key + key_room;
	e->sum = e->value + round_up(m->value_room, 8);
	return true;
}

void live_entry_free(struct live_entry *e)
{
	free(e->key);
	e->key = NULL;
}

/* Keys that vanish, or have no value that can be told, are passed over. */
static bool tells_nothing(int err)
{
	return err == -ENOENT || err == -ENOSPC || err == -EOPNOTSUPP || err == -EACCES;
}

int live_next(const struct live_map *m, struct live_walk *walk, struct live_entry *e)
{
	int err;

	if (!walk->most)
		walk->most = 2 * (u64)m->info.max_entries + 1024;
	while (walk->seen < walk->most) {
		err = sys_map_next_key(m->fd, walk->started ? e->key : NULL, e->key);
		if (err)
			return err == -ENOENT ? 0 : err;
		walk->started = true;
		walk->seen++;
		err = sys_map_lookup(m->fd, e->key, e->value, 0);
		if (!err)
			return 1;
		if (!tells_nothing(err))
			return err;
		walk->unreadable += err != -ENOENT;
	}
	return 0;
}

/* ---- text to bytes ---- */

int live_parse_key(const struct live_map *m, const char *text, u8 *key,
		   struct skep_diag *diag)
{
	struct place place = {m->btf, m->key_type, key, m->info.key_size};
	int err = m->info.type == MAP_TYPE_LPM_TRIE ? set_prefix(text, &place, diag)
						    : set_bytes(text, &place, diag);

	return diag_in(diag, err, "key");
}

int live_parse_value(const struct live_map *m, const char *text, u8 *value,
		     struct skep_diag *diag)
{
	struct place place = {m->btf, m->value_type, value, m->info.value_size};
	int err = set_bytes(text, &place, diag);

	for (u32 cpu = 1; !err && cpu < m->n_cpus; cpu++)
		memcpy(value + (u64)cpu * m->stride, value, m->info.value_size);
	return diag_in(diag, err, "value");
}

/* ---- bytes to text ---- */

static struct typed key_of(const struct live_map *m, const u8 *key)
{
	return (struct typed){m->btf, m->key_type, {key, m->info.key_size}};
}

static struct percpu values_of(const struct live_map *m, const struct live_entry *e)
{
	struct typed first = {m->btf, m->value_type, {e->value, m->info.value_size}};

	return (struct percpu){first, m->n_cpus, m->stride};
}

void live_put_key(struct text *t, const struct live_map *m, const u8 *key)
{
	struct typed typed = key_of(m, key);

	if (m->info.type == MAP_TYPE_LPM_TRIE)
		show_prefix(t, &typed);
	else
		show_value(t, &typed);
}

static const char *ref_kind(const struct live_map *m)
{
	switch (m->info.type) {
	case MAP_TYPE_PROG_ARRAY: return "program";
	case MAP_TYPE_CGROUP_ARRAY: return "cgroup";
	default: return "map";
	}
}

/* Return addresses, up to the first 0. */
static void put_stack(struct text *t, const struct live_map *m, const u8 *value)
{
	for (u32 i = 0; i + 8 <= m->info.value_size && load_u64(value + i); i += 8)
		text_printf(t, "%s%#llx", i ? " " : "",
			    (unsigned long long)load_u64(value + i));
}

void live_put_value(struct text *t, const struct live_map *m, struct live_entry *e)
{
	struct percpu values = values_of(m, e);
	struct typed sum = percpu_sum(&values, e->sum);

	if (m->class == LIVE_REFS)
		text_printf(t, "%s %u", ref_kind(m), load_u32(e->value));
	else if (m->info.type == MAP_TYPE_STACK_TRACE)
		put_stack(t, m, e->value);
	else
		show_percpu(t, &values, &sum);
}

void live_key_json(struct json *j, const struct live_map *m, const u8 *key)
{
	struct typed typed = key_of(m, key);

	show_json(j, "key", &typed);
}

void live_value_json(struct json *j, const char *name, const struct live_map *m,
		     struct live_entry *e)
{
	struct percpu values = values_of(m, e);
	struct typed sum = percpu_sum(&values, e->sum);

	if (m->class == LIVE_REFS)
		json_u64(j, name, load_u32(e->value));
	else
		show_json(j, name, &sum);
}

void live_entry_json(struct json *j, const struct live_map *m, struct live_entry *e)
{
	struct percpu values = values_of(m, e);

	if (m->info.key_size)
		live_key_json(j, m, e->key);
	live_value_json(j, "value", m, e);
	if (m->n_cpus == 1)
		return;
	json_array(j, "cpus");
	for (u32 cpu = 0; cpu < m->n_cpus; cpu++) {
		struct typed value = percpu_value(&values, cpu);

		show_json(j, NULL, &value);
	}
	json_array_end(j);
}

/* ---- variables ---- */

bool live_var_at(const struct live_map *m, u32 i, struct live_var *var)
{
	struct btf_type section = btf_type(m->btf, btf_resolve(m->btf, m->value_type));
	struct btf_secvar secvar;
	struct btf_type type;

	if (m->class != LIVE_VARS || i >= section.vlen)
		return false;
	secvar = btf_secvar(&section, i);
	type = btf_type(m->btf, secvar.type);
	*var = (struct live_var){type.name, type.type, secvar.offset, secvar.size};
	if ((u64)var->offset + var->size > m->info.value_size)
		var->size = 0;
	return true;
}

bool live_find_var(const struct live_map *m, const char *name, struct live_var *var)
{
	for (u32 i = 0; live_var_at(m, i, var); i++) {
		if (var->size && !strcmp(var->name, name))
			return true;
	}
	return false;
}
