/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What map operations cost, in ns: skep-bench-maps [--json].  One thread, keys in random
 * order, twice: on a table that fits the first caches and on one that does not.  The
 * program's side, as helpers call it.  "memory" is one dependent load of random places in
 * as much memory: the floor for anything that finds something there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "maps/map.h"

enum { KEY_MAX = 64, N_KEYS = 1 << 20, ROUNDS = 5 };

struct bench {
	const char *name;
	struct map_attr attr;
};

#define HASH(n)                                                                          \
	{                                                                                \
		"hash, key " #n,                                                         \
		{                                                                        \
			.type = MAP_TYPE_HASH, .key_size = n                             \
		}                                                                        \
	}

static const struct bench benches[] = {
	{"array", {.type = MAP_TYPE_ARRAY, .key_size = 4}},
	HASH(4),
	HASH(8),
	HASH(16),
	HASH(40),
	{"percpu hash, key 8", {.type = MAP_TYPE_PERCPU_HASH, .key_size = 8}},
	{"lru hash, key 8", {.type = MAP_TYPE_LRU_HASH, .key_size = 8}},
	{"lpm trie, IPv4",
	 {.type = MAP_TYPE_LPM_TRIE, .key_size = 8, .flags = MAP_NO_PREALLOC}},
	{"lpm trie, IPv6",
	 {.type = MAP_TYPE_LPM_TRIE, .key_size = 20, .flags = MAP_NO_PREALLOC}},
};

static bool json;
static u8 *keys;   /* one after the other */
static u32 *order; /* in which keys are asked for */
static volatile u64 sink;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static u32 next_random(void)
{
	static u64 state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state >> 33);
}

static void make_keys(const struct map_attr *attr, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u8 *key = keys + (size_t)i * attr->key_size;

		memset(key, 0, attr->key_size);
		store_u32(key, attr->type == MAP_TYPE_ARRAY ? i : i * 2654435761u);
		if (attr->type != MAP_TYPE_LPM_TRIE)
			continue;
		store_u32(key, (attr->key_size - 4) * 8);
		store_u32(key + 4, i * 2654435761u);
	}
	for (u32 i = 0; i < N_KEYS; i++)
		order[i] = next_random() % n;
}

static void report(const char *name, u32 n, const char *what, double ns)
{
	if (json)
		printf("{\"map\":\"%s\",\"entries\":%u,\"operation\":\"%s\",\"ns\":%.2f}"
		       "\n",
		       name, n, what, ns);
	else
		printf("%-20s %8u %-8s %8.1f\n", name, n, what, ns);
}

static const u8 *key_at(const struct map *map, u32 i)
{
	return keys + (size_t)order[i] * map->key_size;
}

static void lookups(struct map *map)
{
	u64 sum = 0;

	for (u32 i = 0; i < N_KEYS; i++)
		sum += *(u64 *)map_lookup(map, key_at(map, i), 0);
	sink = sum;
}

static void updates(struct map *map)
{
	for (u32 i = 0; i < N_KEYS; i++)
		map_update(map, key_at(map, i), &(u64){i}, MAP_ANY, 0);
}

/* Deletes and inserts again. */
static void renewals(struct map *map)
{
	for (u32 i = 0; i < N_KEYS; i++) {
		map_delete(map, key_at(map, i), 0);
		map_update(map, key_at(map, i), &(u64){i}, MAP_ANY, 0);
	}
}

/* ns an operation: the fastest round counts, as others use the machine too. */
static double time_of(void (*body)(struct map *), struct map *map)
{
	double best = 0;

	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now(), ns;

		body(map);
		ns = (now() - start) / N_KEYS;
		if (!r || ns < best)
			best = ns;
	}
	return best;
}

static int run(const struct bench *b, u32 n)
{
	struct map_attr attr = b->attr;
	struct map *map;

	attr.value_size = 8;
	attr.max_entries = n;
	make_keys(&attr, n);
	if (map_new(&attr, &map, NULL))
		return -1;
	for (u32 i = 0; i < n; i++)
		map_update(map, keys + (size_t)i * map->key_size, &(u64){i}, MAP_ANY, 0);
	report(b->name, n, "lookup", time_of(lookups, map));
	report(b->name, n, "update", time_of(updates, map));
	if (attr.type != MAP_TYPE_ARRAY)
		report(b->name, n, "renew", time_of(renewals, map));
	map_put(map);
	return 0;
}

/* The floor: n cells of 64 bytes, visited in random order, each load after the last. */
static int memory(u32 n)
{
	u64 *cells = calloc(n, 64), at = 0;
	double best = 0;

	if (!cells)
		return -1;
	for (u32 i = 0; i < n; i++)
		cells[(size_t)i * 8] = next_random() % n;
	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now(), ns;

		for (u32 i = 0; i < N_KEYS; i++)
			at = (cells[at * 8] + i) & (n - 1);
		ns = (now() - start) / N_KEYS;
		best = !r || ns < best ? ns : best;
	}
	sink = at;
	report("memory", n, "load", best);
	free(cells);
	return 0;
}

int main(int argc, char **argv)
{
	static const u32 sizes[] = {1 << 10, 1 << 20};
	int err = 0;

	json = argc > 1 && !strcmp(argv[1], "--json");
	keys = malloc((size_t)N_KEYS * KEY_MAX);
	order = malloc(N_KEYS * sizeof(*order));
	if (!keys || !order)
		return 1;
	for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
		err |= memory(sizes[s]);
		for (u32 i = 0; i < ARRAY_SIZE(benches); i++)
			err |= run(&benches[i], sizes[s]);
	}
	free(keys);
	free(order);
	return err != 0;
}
