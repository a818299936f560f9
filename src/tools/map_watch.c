/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching a map: each look takes all elements, sorts them by key, and is compared with
 * the one before.  Per-CPU values count as their sum.  What comes and goes between two
 * looks is not seen.
 */
#define _GNU_SOURCE /* qsort_r() */
#include "tools/map_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vec.h"
#include "tools/json.h"
#include "tools/live_map.h"
#include "tools/out.h"

/* More than this is not kept: a look is refused instead. */
enum { MAX_LOOK = 1 << 28 };

/* All elements at one moment: key and whole value, one after another. */
struct look {
	u8 *data; /* owned */
	size_t n, size, room, entry_size;
};

static size_t key_room(const struct live_map *m)
{
	return round_up(m->info.key_size, 8);
}

static int look_add(struct look *l, const struct live_map *m, const struct live_entry *e)
{
	u8 *at;

	if (l->size + l->entry_size > l->room) {
		size_t room = l->room ? 2 * l->room : 64 * l->entry_size;
		u8 *more = room > MAX_LOOK ? NULL : realloc(l->data, room);

		if (!more)
			return -ENOMEM;
		l->data = more;
		l->room = room;
	}
	at = l->data + l->size;
	memset(at, 0, l->entry_size);
	memcpy(at, e->key, m->info.key_size);
	memcpy(at + key_room(m), e->value, m->value_room);
	l->size += l->entry_size;
	l->n++;
	return 0;
}

static int by_key(const void *a, const void *b, void *key_size)
{
	return memcmp(a, b, *(size_t *)key_size);
}

static int look_take(struct look *l, const struct live_map *m, struct live_entry *e)
{
	size_t key_size = m->info.key_size;
	struct live_walk walk = {0};
	int err;

	l->n = l->size = 0;
	while ((err = live_next(m, &walk, e)) > 0) {
		err = look_add(l, m, e);
		if (err)
			return err;
	}
	if (l->n)
		qsort_r(l->data, l->n, l->entry_size, by_key, &key_size);
	return err;
}

/* ---- saying what changed ---- */

struct watcher {
	const struct watch *watch;
	struct live_entry entry; /* scratch */
};

static void load_entry(struct watcher *w, const u8 *at)
{
	const struct live_map *m = w->watch->map;

	memcpy(w->entry.key, at, m->info.key_size);
	memcpy(w->entry.value, at + key_room(m), m->value_room);
}

static void put_value(struct watcher *w, struct text *t, const u8 *at)
{
	load_entry(w, at);
	live_put_value(t, w->watch->map, &w->entry);
}

static void say_text(struct watcher *w, const u8 *old, const u8 *new)
{
	struct text t = TEXT_INIT;

	text_printf(&t, "%c ", !old ? '+' : !new ? '-' : ' ');
	live_put_key(&t, w->watch->map, new ? new : old);
	text_puts(&t, "  ");
	if (old)
		put_value(w, &t, old);
	if (old && new)
		text_puts(&t, " -> ");
	if (new)
		put_value(w, &t, new);
	put_clean(stdout, text_str(&t), false);
	putchar('\n');
	text_fini(&t);
}

static void say_json(struct watcher *w, const u8 *old, const u8 *new)
{
	struct json *j = w->watch->json;
	const struct live_map *m = w->watch->map;

	json_begin(j);
	json_string(j, "map", m->info.name);
	json_string(j, "change", !old ? "added" : !new ? "removed" : "changed");
	live_key_json(j, m, new ? new : old);
	if (old) {
		load_entry(w, old);
		live_value_json(j, "old", m, &w->entry);
	}
	if (new) {
		load_entry(w, new);
		live_value_json(j, "value", m, &w->entry);
	}
	json_end(j);
}

/* Of a map of variables each one is an element of its own. */
static void say_vars(struct watcher *w, const u8 *old, const u8 *new)
{
	const struct live_map *m = w->watch->map;
	struct live_var var;

	for (u32 i = 0; live_var_at(m, i, &var); i++) {
		const u8 *a = old + key_room(m) + var.offset,
			 *b = new + key_room(m) + var.offset;
		struct typed was = {m->btf, var.type, {a, var.size}};
		struct typed is = {m->btf, var.type, {b, var.size}};
		struct text t = TEXT_INIT;

		if (!memcmp(a, b, var.size))
			continue;
		if (w->watch->json) {
			json_begin(w->watch->json);
			json_string(w->watch->json, "map", m->info.name);
			json_string(w->watch->json, "change", "changed");
			json_string(w->watch->json, "variable", var.name);
			show_json(w->watch->json, "old", &was);
			show_json(w->watch->json, "value", &is);
			json_end(w->watch->json);
			continue;
		}
		text_printf(&t, "  %s  ", var.name);
		show_value(&t, &was);
		text_puts(&t, " -> ");
		show_value(&t, &is);
		put_clean(stdout, text_str(&t), false);
		putchar('\n');
		text_fini(&t);
	}
}

static void say_change(struct watcher *w, const u8 *old, const u8 *new)
{
	if (w->watch->map->class == LIVE_VARS && old && new)
		say_vars(w, old, new);
	else if (w->watch->json)
		say_json(w, old, new);
	else
		say_text(w, old, new);
}

static void compare(struct watcher *w, const struct look *old, const struct look *new)
{
	size_t i = 0, k = 0, size = old->entry_size;

	while (i < old->n || k < new->n) {
		const u8 *a = i < old->n ? old->data + i * size : NULL;
		const u8 *b = k < new->n ? new->data + k *size : NULL;
		int order = !a ? 1 : !b ? -1 : memcmp(a, b, w->watch->map->info.key_size);

		if (order < 0)
			say_change(w, a, NULL);
		else if (order > 0)
			say_change(w, NULL, b);
		else if (memcmp(a, b, size))
			say_change(w, a, b);
		i += order <= 0;
		k += order >= 0;
	}
	fflush(stdout);
}

static void rest(u64 ms)
{
	struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static int watch_loop(struct watcher *w, struct look looks[2])
{
	const struct watch *watch = w->watch;
	int err = look_take(&looks[0], watch->map, &w->entry);

	for (u64 i = 1; !err && (!watch->times || i <= watch->times); i++) {
		struct look *old = &looks[(i - 1) & 1], *new = &looks[i & 1];

		rest(watch->interval_ms);
		err = look_take(new, watch->map, &w->entry);
		if (!err)
			compare(w, old, new);
		if (ferror(stdout))
			break;
	}
	return err;
}

int watch_map(const struct watch *watch)
{
	struct watcher w = {.watch = watch};
	struct look looks[2] = {0};
	int err = -ENOMEM;

	looks[0].entry_size = looks[1].entry_size =
		key_room(watch->map) + round_up(watch->map->value_room, 8);
	if (live_entry_new(&w.entry, watch->map))
		err = watch_loop(&w, looks);
	live_entry_free(&w.entry);
	free(looks[0].data);
	free(looks[1].data);
	return err;
}
