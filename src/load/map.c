/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of maps: bpf(2)'s commands on the map behind the handle.  A map that
 * was not created yet answers -EINVAL.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/events.h"
#include "kern/load.h"
#include "kern/sys.h"
#include "load/load.h"

SKEP_API const char *skep_map_name(const struct skep_map *map)
{
	return map->def->name;
}

SKEP_API u32 skep_map_type(const struct skep_map *map)
{
	return map->def->type;
}

SKEP_API const char *skep_map_type_name(const struct skep_map *map)
{
	const struct abi_name *name = abi_map_type(map->def->type);

	return name ? name->name : "unknown";
}

SKEP_API u32 skep_map_key_size(const struct skep_map *map)
{
	return map->map ? map->map->key_size : map->def->key_size;
}

SKEP_API size_t skep_map_value_size(const struct skep_map *map)
{
	if (map->obj->in_kernel)
		return kern_map_value_size(map->def->type, map->def->value_size);
	return map->map ? map_user_value_size(map->map) : map->def->value_size;
}

SKEP_API u32 skep_map_max_entries(const struct skep_map *map)
{
	return map->map ? map->map->max_entries : map->def->max_entries;
}

SKEP_API int skep_map_lookup(const struct skep_map *map, const void *key, void *value,
			     u64 flags)
{
	if (map->fd >= 0)
		return sys_map_lookup(map->fd, key, value, flags);
	return map->map ? map_user_lookup(map->map, key, value, flags) : -EINVAL;
}

SKEP_API int skep_map_update(struct skep_map *map, const void *key, const void *value,
			     u64 flags)
{
	if (map->fd >= 0)
		return sys_map_update(map->fd, key, value, flags);
	return map->map ? map_user_update(map->map, key, value, flags) : -EINVAL;
}

SKEP_API int skep_map_delete(struct skep_map *map, const void *key)
{
	if (map->fd >= 0)
		return sys_map_delete(map->fd, key);
	return map->map ? map_user_delete(map->map, key) : -EINVAL;
}

SKEP_API int skep_map_next_key(const struct skep_map *map, const void *key, void *next)
{
	if (map->fd >= 0)
		return sys_map_next_key(map->fd, key, next);
	return map->map ? map_user_next_key(map->map, key, next) : -EINVAL;
}

SKEP_API int skep_map_update_map(struct skep_map *map, const void *key,
				 const struct skep_map *inner, u64 flags)
{
	if (map->fd >= 0 && inner->fd >= 0)
		return sys_map_update(map->fd, key, &inner->fd, flags);
	if (!map->map || !inner->map || !map_is_of_maps(map->map))
		return -EINVAL;
	return map_update_ref(map->map, key, inner->map, flags);
}

SKEP_API int skep_map_update_prog(struct skep_map *map, const void *key,
				  const struct skep_prog *prog, u64 flags)
{
	if (map->fd >= 0 && prog->fd >= 0)
		return sys_map_update(map->fd, key, &prog->fd, flags);
	if (!map->map || map->def->type != MAP_TYPE_PROG_ARRAY || !prog->image ||
	    prog->obj != map->obj)
		return -EINVAL;
	return map_update_ref(map->map, key, prog->image, flags);
}

static bool is_alike(const struct map_def *def, const struct map *map)
{
	return def->type == map->type && def->key_size == map->key_size &&
	       def->value_size == map->value_size &&
	       def->max_entries == map->max_entries && def->flags == map->flags;
}

static int reuse_fd(struct skep_map *map, const struct skep_map *other,
		    struct skep_diag *diag)
{
	const struct map_def *a = map->def, *b = other->def;
	bool alike = other->fd >= 0 && a->type == b->type && a->key_size == b->key_size &&
		     a->value_size == b->value_size && a->max_entries == b->max_entries &&
		     a->flags == b->flags;

	if (!alike)
		return diag_in(diag, fail(diag, MAPS_DIFFER, NO_PC, b->name), "map %s",
			       a->name);
	map->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 0);
	map->reused = map->fd >= 0;
	return map->reused ? 0
			   : fail_errno(diag, -errno, KERN_MAP, NO_PC, strerror(errno));
}

SKEP_API int skep_map_reuse(struct skep_map *map, const struct skep_map *other,
			    struct skep_diag *diag)
{
	if (map->map || map->fd >= 0)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "map %s",
			       map->def->name);
	if (map->obj->in_kernel)
		return reuse_fd(map, other, diag);
	if (!other->map || !is_alike(map->def, other->map) ||
	    map->def->type == MAP_TYPE_PROG_ARRAY)
		return diag_in(diag, fail(diag, MAPS_DIFFER, NO_PC, other->def->name),
			       "map %s", map->def->name);
	map->map = map_get(other->map);
	map->reused = true;
	return 0;
}

/* ---- events ---- */

struct consumer {
	skep_event_fn fn;
	void *arg;
	int cpu;
};

static int pass_record(void *arg, const void *data, u32 size)
{
	const struct consumer *c = arg;

	return c->fn(c->arg, c->cpu, data, size);
}

static int pass_sample(void *arg, u32 cpu, const void *data, u32 size)
{
	const struct consumer *c = arg;

	return c->fn(c->arg, (int)cpu, data, size);
}

static s64 consume_perf(struct map *map, struct consumer *c)
{
	struct perf_event_handler handler = {.sample = pass_sample, .arg = c};
	s64 all = 0;

	for (u32 cpu = 0; cpu < map->n_cpus && cpu < map->max_entries; cpu++) {
		s64 n = perf_event_drain(map, cpu, &handler);

		if (n < 0)
			return n;
		all += n;
	}
	return all;
}

static int open_events(struct skep_map *map)
{
	if (map->def->type != MAP_TYPE_RINGBUF &&
	    map->def->type != MAP_TYPE_PERF_EVENT_ARRAY)
		return -EINVAL;
	return map->events ? 0 : kern_events_new(map->fd, &map->events);
}

SKEP_API int skep_map_event_fd(struct skep_map *map)
{
	int err = map->fd >= 0 ? open_events(map) : -EINVAL;

	return err ? err : kern_events_fd(map->events);
}

static s64 consume_fd(struct skep_map *map, skep_event_fn fn, void *arg)
{
	int err = open_events(map);

	return err ? err : kern_events_drain(map->events, fn, arg);
}

SKEP_API int64_t skep_map_consume(struct skep_map *map, skep_event_fn fn, void *arg)
{
	struct consumer consumer = {.fn = fn, .arg = arg, .cpu = -1};

	if (map->fd >= 0)
		return consume_fd(map, fn, arg);
	if (!map->map)
		return -EINVAL;
	if (map->map->type == MAP_TYPE_RINGBUF)
		return ringbuf_drain(map->map, pass_record, &consumer);
	if (map->map->type == MAP_TYPE_PERF_EVENT_ARRAY)
		return consume_perf(map->map, &consumer);
	return -EINVAL;
}

SKEP_API u64 skep_map_arena_start(const struct skep_map *map)
{
	bool is_here = map->map && map->map->type == MAP_TYPE_ARENA;

	return is_here ? map_arena_state(map->map)->user : 0;
}

SKEP_API void *skep_map_arena(struct skep_map *map, u64 address, size_t size)
{
	u64 start = skep_map_arena_start(map);

	return start ? map_arena_touch(map->map, address ? address : start, size) : NULL;
}

SKEP_API u64 skep_map_lost(const struct skep_map *map)
{
	u64 lost = 0;

	if (map->events)
		return kern_events_lost(map->events);
	if (!map->map || map->map->type != MAP_TYPE_PERF_EVENT_ARRAY)
		return 0;
	for (u32 cpu = 0; cpu < map->map->n_cpus && cpu < map->map->max_entries; cpu++)
		lost += perf_event_lost(map->map, cpu);
	return lost;
}
