/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups for compiled code (map_direct_lookup): one function for each size of keys that
 * most maps have and one for the others, by what is done with the element that is found.
 * Of map_lookup() nothing is left out but the way here.
 */
#include "maps/hash_find.h"

enum { SIZES = 5, ANY = 0 }; /* 4, 8, 16, 2, any other */

static u32 size_class(u32 key_size)
{
	switch (key_size) {
	case 4: return 0;
	case 8: return 1;
	case 16: return 2;
	case 2: return 3;
	}
	return 4;
}

static ALWAYS_INLINE struct found look_up(u64 map, u64 key, u32 size)
{
	const struct hash *h = hash_of((const struct map *)(uintptr_t)map);

	return look(h, (const void *)(uintptr_t)key, size ? size : h->map.key_size);
}

static ALWAYS_INLINE u64 direct(u64 map, u64 key, u32 size, bool lru)
{
	struct found at = look_up(map, key, size);

	if (is_end(at.link))
		return 0;
	if (lru)
		touch(at.elem);
	return (uintptr_t)value_of(hash_of((const struct map *)(uintptr_t)map), at.elem);
}

static ALWAYS_INLINE u64 direct_percpu(u64 map, u64 key, u64 cpu, u32 size)
{
	const struct hash *h = hash_of((const struct map *)(uintptr_t)map);
	struct found at = look_up(map, key, size);

	if (is_end(at.link))
		return 0;
	if (h->lru)
		touch(at.elem);
	return (uintptr_t)map_value(&h->map, at.link - 1, (u32)cpu);
}

#define DIRECT(name, size, value)                                                        \
	static u64 name##_##size(struct run *run, u64 map, u64 key, u64 cpu, u64 r4,     \
				 u64 r5)                                                 \
	{                                                                                \
		(void)run, (void)cpu, (void)r4, (void)r5;                                \
		return value;                                                            \
	}
#define DIRECTS(size)                                                                    \
	DIRECT(plain, size, direct(map, key, size, false))                               \
	DIRECT(lru, size, direct(map, key, size, true))                                  \
	DIRECT(percpu, size, direct_percpu(map, key, cpu, size))
DIRECTS(4)
DIRECTS(8)
DIRECTS(16)
DIRECTS(2)
DIRECTS(ANY)
#undef DIRECTS
#undef DIRECT

map_direct_fn hash_direct(const struct map *map)
{
	static const map_direct_fn by_size[SIZES] = {plain_4, plain_8, plain_16, plain_2,
						     plain_ANY};

	return by_size[size_class(map->key_size)];
}

map_direct_fn hash_direct_lru(const struct map *map)
{
	static const map_direct_fn by_size[SIZES] = {lru_4, lru_8, lru_16, lru_2,
						     lru_ANY};

	return by_size[size_class(map->key_size)];
}

map_direct_fn hash_direct_percpu(const struct map *map)
{
	static const map_direct_fn by_size[SIZES] = {percpu_4, percpu_8, percpu_16,
						     percpu_2, percpu_ANY};

	return by_size[size_class(map->key_size)];
}
