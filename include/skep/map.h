/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: state that programs share with the host.
 *
 * These functions copy keys and values, as bpf(2) does, and mean what the commands of
 * bpf(2) mean, errno values included.  Values of per-CPU types hold one value a CPU, each
 * padded to a multiple of 8 bytes: skep_map_value_size() is the size of all of them.  All
 * are thread-safe and may be called while programs run.
 */
#ifndef SKEP_MAP_H
#define SKEP_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A map.  Belongs to its object. */
struct skep_map;

struct skep_prog;

/** Flags of updates: BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK. */
enum skep_update { SKEP_ANY = 0, SKEP_NOEXIST = 1, SKEP_EXIST = 2, SKEP_F_LOCK = 4 };

/** Its name in the object.  Lives as long as the object. */
const char *skep_map_name(const struct skep_map *map);

/** BPF_MAP_TYPE_*, as in <linux/bpf.h>. */
uint32_t skep_map_type(const struct skep_map *map);

/** "hash", "lpm_trie", ...; "unknown" for numbers nobody knows.  Static. */
const char *skep_map_type_name(const struct skep_map *map);

/** In bytes. */
uint32_t skep_map_key_size(const struct skep_map *map);

/** In bytes, as lookups and updates copy it (see above); for maps that were not created
 * yet, as it was declared. */
size_t skep_map_value_size(const struct skep_map *map);

/** How many elements it can hold; for ring buffers, bytes. */
uint32_t skep_map_max_entries(const struct skep_map *map);

/**
 * Copies a value out.
 * @param key skep_map_key_size() bytes
 * @param value out: skep_map_value_size() bytes
 * @param flags SKEP_ANY, or SKEP_F_LOCK
 * @return 0; -ENOENT when there is no such key; -EINVAL for flags that Linux refuses,
 *         and for maps that are not loaded; -524 (ENOTSUPP) for types without look-ups.
 */
int skep_map_lookup(const struct skep_map *map, const void *key, void *value,
		    uint64_t flags);

/**
 * Copies a value in.
 * @param value skep_map_value_size() bytes
 * @param flags enum skep_update
 * @return 0; -E2BIG when the map is full, -EEXIST, -ENOENT as the flags say, -EPERM for
 *         a frozen map, -EINVAL, -524 (ENOTSUPP)
 */
int skep_map_update(struct skep_map *map, const void *key, const void *value,
		    uint64_t flags);

/**
 * Removes an element.
 * @return 0, -ENOENT, -EINVAL, -EPERM, -524 (ENOTSUPP).
 */
int skep_map_delete(struct skep_map *map, const void *key);

/**
 * Walks the keys.
 * @param key NULL: the first key; else the one after key (the first again, when key has
 *         gone meanwhile)
 * @param next out: skep_map_key_size() bytes; may be the same memory as key
 * @return 0; -ENOENT after the last; -EINVAL, -524 (ENOTSUPP)
 */
int skep_map_next_key(const struct skep_map *map, const void *key, void *next);

/**
 * Puts a map into a slot of a map of maps.
 * @param key of an ARRAY_OF_MAPS or HASH_OF_MAPS
 * @param inner a loaded map, also of another object; the outer map keeps it alive
 * @return 0; -EINVAL when inner is not like the declared inner map, or was made for fewer
 *         CPUs; other errors as skep_map_update()
 */
int skep_map_update_map(struct skep_map *map, const void *key,
			const struct skep_map *inner, uint64_t flags);

/**
 * Puts a program into a slot of a PROG_ARRAY, for tail calls.
 * @param prog a loaded program of the same object as the map
 * @return 0; -EINVAL; -E2BIG past the end
 */
int skep_map_update_prog(struct skep_map *map, const void *key,
			 const struct skep_prog *prog, uint64_t flags);

/**
 * Uses a map of another object instead of creating one, so that two objects share state
 * or a new version of an object takes over. Before the object is loaded. Of .rodata, what
 * other holds counts, not what was set: programs are verified with it.
 * @param map of an object that is not loaded
 * @param other a loaded map with the same type, sizes, and flags, not a PROG_ARRAY; also
 *        the same special fields and template of inner maps, and its world has no fewer
 *        CPUs: loading the object fails otherwise
 * @param diag may be NULL
 * @return 0; -EINVAL when they differ; -EBUSY when map exists already
 */
int skep_map_reuse(struct skep_map *map, const struct skep_map *other,
		   struct skep_diag *diag);

/**
 * Something that a program sent.
 * @param arg as it was given to skep_map_consume()
 * @param cpu which CPU sent it (PERF_EVENT_ARRAY), or -1
 * @param data `size` bytes, valid during the call; 8-byte aligned for ring buffers
 * @return 0 to go on, negative to stop
 */
typedef int (*skep_event_fn)(void *arg, int cpu, const void *data, uint32_t size);

/**
 * Hands over what programs sent through a RINGBUF or a PERF_EVENT_ARRAY, oldest first
 * for each CPU. One thread at a time for each map.
 * @return how many events; what fn returned, when that was negative; -EINVAL for other
 *         types and for maps that are not loaded. Does not wait.
 */
int64_t skep_map_consume(struct skep_map *map, skep_event_fn fn, void *arg);

/**
 * What to wait for.
 * @param map a RINGBUF or PERF_EVENT_ARRAY of an object whose engine is "kernel"
 * @return a descriptor that poll(2) finds readable when there may be events; it belongs
 *         to the map; -EINVAL for other maps; the errno of opening the buffers
 */
int skep_map_event_fd(struct skep_map *map);

/**
 * Memory of an ARENA, which programs and their host share.
 * @param map a loaded ARENA; not of the engine "kernel", whose user maps the file
 *         descriptor
 * @param address what a pointer in the arena holds; 0: the start of the arena. It is the
 *         address in this process, too, where the system lets an arena lie at the address
 *         that its map_extra wants, and always when that is 0.
 * @param size so many bytes from there on; pages of them that are not there come into
 *         being, as they do on Linux when a process touches them
 * @return where these bytes are, until the object is closed; NULL: map is no such map,
 *         they are not in the arena, or it has BPF_F_SEGV_ON_FAULT and they are not there
 */
void *skep_map_arena(struct skep_map *map, uint64_t address, size_t size);

/** The address that pointers to the start of an ARENA hold; 0 for other maps. */
uint64_t skep_map_arena_start(const struct skep_map *map);

/** How many events were lost because nobody consumed them in time: PERF_EVENT_ARRAY, all
 * CPUs; 0 for others. */
uint64_t skep_map_lost(const struct skep_map *map);

#ifdef __cplusplus
}
#endif
#endif
