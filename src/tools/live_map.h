/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map of the running kernel with its types: elements are read and written as bytes, and
 * turned to and from text by BTF.  For src/tools.
 */
#ifndef SKEP_TOOLS_LIVE_MAP_H
#define SKEP_TOOLS_LIVE_MAP_H

#include "base/arena.h"
#include "kern/census.h"
#include "tools/show.h"

struct json;

/* What elements of a map are, as far as users see them. */
enum live_class {
	LIVE_TABLE,   /* keys and values */
	LIVE_VARS,    /* global variables: one value, named parts */
	LIVE_REFS,    /* values are ids of programs, maps, ... */
	LIVE_QUEUE,   /* values without keys */
	LIVE_FILTER,  /* answers only whether a value is in it */
	LIVE_RING,    /* records, read once */
	LIVE_EVENTS,  /* slots for perf events */
	LIVE_STORAGE, /* an element belongs to a socket, task, inode or cgroup */
	LIVE_OPAQUE,  /* nothing that a user could look at */
};

struct live_map {
	int fd;
	struct census_map info;
	enum live_class class;
	struct arena arena;    /* of info, btf */
	const struct btf *btf; /* NULL: not known */
	u32 key_type, value_type;
	u32 n_cpus;     /* values of one element; 1 unless the map is per-CPU */
	u32 stride;     /* bytes from one to the next */
	u64 value_room; /* bytes that a look-up fills */
};

/* words: a pin, an id or a name.  live_map_close() only after success. */
int live_map_open(struct live_map *m, const char *words, struct skep_diag *diag);
void live_map_close(struct live_map *m);

/* One element; both in one block that live_entry_new() makes and free() releases. */
struct live_entry {
	u8 *key, *value;
	u8 *sum; /* room for one value: all CPUs together */
};
bool live_entry_new(struct live_entry *e, const struct live_map *m);
void live_entry_free(struct live_entry *e);

/* Goes through all keys: first copies nothing from e.  1: there is one more, with its
 * value read; 0: no more; or the errno. */
struct live_walk {
	bool started;
	u64 seen, most; /* keys: a map that changes all the time ends, too */
	u64 unreadable; /* keys whose value the kernel does not tell */
};
int live_next(const struct live_map *m, struct live_walk *walk, struct live_entry *e);

/* Text to bytes. */
int live_parse_key(const struct live_map *m, const char *text, u8 *key,
		   struct skep_diag *diag);
int live_parse_value(const struct live_map *m, const char *text, u8 *value,
		     struct skep_diag *diag);

/* Bytes to text. */
void live_put_key(struct text *t, const struct live_map *m, const u8 *key);
void live_put_value(struct text *t, const struct live_map *m, struct live_entry *e);
void live_entry_json(struct json *j, const struct live_map *m, struct live_entry *e);
void live_key_json(struct json *j, const struct live_map *m, const u8 *key);
void live_value_json(struct json *j, const char *name, const struct live_map *m,
		     struct live_entry *e);

bool live_is_array(const struct live_map *m);

/* Parts of a map of variables: the one with that name. */
struct live_var {
	const char *name;
	u32 type, offset, size;
};
bool live_find_var(const struct live_map *m, const char *name, struct live_var *var);
bool live_var_at(const struct live_map *m, u32 i, struct live_var *var);

#endif
