/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups for compiled code find what map_lookup() finds: for every type that has them,
 * keys of the sizes that have a function of their own and of others, on every CPU, there
 * and not there, and they mark what is used.  Arrays are where map_is_indexed() says.
 */
#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "maps/hash.h"
#include "maps/map.h"

enum { N_CPUS = 3, ENTRIES = 20 };

static struct map *new_map(u32 type, u32 key_size)
{
	const struct map_attr attr = {.type = type,
				      .key_size = key_size,
				      .value_size = 12,
				      .max_entries = ENTRIES,
				      .n_cpus = N_CPUS,
				      .flags = type == MAP_TYPE_LPM_TRIE ? MAP_NO_PREALLOC
									 : 0};
	struct map *map = NULL;

	CHECK(!map_new(&attr, &map, NULL));
	return map;
}

static u64 look(struct map *map, const void *key, u32 cpu)
{
	return map_direct_lookup(map)(NULL, (uintptr_t)map, (uintptr_t)key, cpu, 0, 0);
}

static void finds_the_same(u32 type, u32 key_size)
{
	struct map *map = new_map(type, key_size);
	const u8 value[12] = {1, 2, 3};
	u8 key[64] = {0};
	u32 found = 0;

	CHECK(!map_is_indexed(map));
	for (u8 i = 0; i < 2 * ENTRIES; i++) {
		key[key_size - 1] = i;
		if (i % 2)
			CHECK(!map_update(map, key, value, MAP_ANY, i % N_CPUS));
	}
	for (u8 i = 0; i < 2 * ENTRIES; i++) {
		key[key_size - 1] = i;
		for (u32 cpu = 0; cpu < N_CPUS; cpu++) {
			u64 at = look(map, key, cpu);

			CHECK(at == (uintptr_t)map_lookup(map, key, cpu));
			found += at != 0;
		}
	}
	CHECK(found == ENTRIES * N_CPUS);
	map_put(map);
}

/* Prefixes of all lengths, found by addresses, by shorter ones, and by what is too long.
 */
static void finds_the_longest(u32 data_size)
{
	struct map *map = new_map(MAP_TYPE_LPM_TRIE, 4 + data_size);
	const u8 value[12] = {1, 2, 3};
	u8 key[64] = {0};
	u32 found = 0;

	for (u8 i = 0; i < ENTRIES; i++) {
		key[0] = i % (8 * data_size + 1);
		key[4] = (u8)(i * 37);
		CHECK(!map_update(map, key, value, MAP_ANY, 0));
	}
	for (u32 i = 0; i < 256; i++) {
		key[0] = (u8)(i % 3 ? 8 * data_size - i % 2 : i % 48);
		key[4] = (u8)i;
		key[3 + data_size] ^= (u8)(i << 5);
		CHECK(look(map, key, 0) == (uintptr_t)map_lookup(map, key, 0));
		found += look(map, key, 0) != 0;
	}
	key[1] = 1;
	CHECK(!look(map, key, 0));
	CHECK(found > 100);
	map_put(map);
}

static u32 count_marked(const struct map *map)
{
	const struct hash *h = hash_of(map);
	u32 n = 0;

	for (u32 i = 0; i < h->n_elems; i++)
		n += hash_elem(h, i)->touched;
	return n;
}

static void marks_what_is_used(u32 type, u32 key_size)
{
	struct map *map = new_map(type, key_size);
	const u8 value[12] = {0};
	u8 key[16] = {7};

	CHECK(!map_update(map, key, value, MAP_ANY, 0));
	CHECK_INT(count_marked(map), 0);
	CHECK(look(map, key, 0));
	CHECK_INT(count_marked(map), 1);
	map_put(map);
}

static void elements_are_in_a_row(u32 type)
{
	struct map *map = new_map(type, 4);

	CHECK(map_is_indexed(map) && !map_direct_lookup(map));
	for (u32 i = 0; i < ENTRIES; i++)
		for (u32 cpu = 0; cpu < map->n_cpus; cpu++)
			CHECK((u8 *)map_lookup(map, &i, cpu) ==
			      map->region + map->values_off + i * (u64)map->value_stride +
				      cpu * map->cpu_stride);
	map_put(map);
}

int main(void)
{
	const u32 types[] = {MAP_TYPE_HASH, MAP_TYPE_PERCPU_HASH, MAP_TYPE_LRU_HASH,
			     MAP_TYPE_LRU_PERCPU_HASH};
	const u32 sizes[] = {1, 4, 5, 8, 12, 16, 20, 64};

	for (u32 t = 0; t < ARRAY_SIZE(types); t++)
		for (u32 s = 0; s < ARRAY_SIZE(sizes); s++)
			finds_the_same(types[t], sizes[s]);
	for (u32 s = 1; s < 6; s++) {
		marks_what_is_used(MAP_TYPE_LRU_HASH, sizes[s]);
		marks_what_is_used(MAP_TYPE_LRU_PERCPU_HASH, sizes[s]);
	}
	elements_are_in_a_row(MAP_TYPE_ARRAY);
	elements_are_in_a_row(MAP_TYPE_PERCPU_ARRAY);
	finds_the_longest(4);
	finds_the_longest(16);
	finds_the_longest(3);
	return check_report();
}
