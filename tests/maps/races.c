/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads do to one map has to add up.  Each has keys of its own, of which it knows
 * everything, between the keys of the others, which move elements and links under its
 * feet; or all fight for the same few keys, and each success is counted.  Afterwards the
 * map is emptied and filled to the brim: no element has been lost on the way.
 *
 *	races [STEPS]: of each thread; many for a long run, also under ThreadSanitizer
 *
 * Never asserts what Linux leaves open: a program may see the value of another key in an
 * element that was deleted while it looked.  Simpler things at once: threads.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "maps/map.h"

enum { THREADS = 4, OWN_KEYS = 24, ALL_KEYS = THREADS * OWN_KEYS, KEY_MAX = 16 };

static u32 steps = 20000;

struct crew {
	struct map *map;
	void (*work)(struct crew *crew, u32 self, u64 *random);
	_Atomic u64 made, taken; /* what adds up */
	_Atomic u32 wrong;
};

struct worker {
	struct crew *crew;
	u32 self;
};

static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

static void *start(void *arg)
{
	struct worker *w = arg;
	u64 random = w->self + 1;

	w->crew->work(w->crew, w->self, &random);
	return NULL;
}

/* CHECK() is for one thread: others count. */
static void expect(struct crew *crew, bool good, const char *what)
{
	if (!good && !atomic_fetch_add(&crew->wrong, 1))
		fprintf(stderr, "not true: %s\n", what);
}

static void work(struct crew *crew, void (*fn)(struct crew *, u32 self, u64 *random))
{
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	crew->work = fn;
	for (u32 i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){crew, i};
		if (!CHECK(!pthread_create(&threads[i], NULL, start, &workers[i])))
			exit(check_report());
	}
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (!CHECK_INT(atomic_load(&crew->wrong), 0))
		fprintf(stderr, "\tof %s\n", map_type_name(crew->map->type));
}

static struct map *new_map(struct map_attr attr)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	attr.n_cpus = THREADS;
	if (!CHECK(!map_new(&attr, &map, &diag))) {
		fprintf(stderr, "\t%s\n", diag.text);
		exit(check_report());
	}
	return map;
}

/* ---- afterwards ---- */

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_MAX);
}

/* Walks the quiet map: every key once. */
static u32 count_keys(struct map *map)
{
	u32 n = 0, max = map->max_entries + 1;
	u8(*keys)[KEY_MAX] = calloc(max, KEY_MAX);
	const u8 *key = NULL;

	while (keys && n < max && !map_user_next_key(map, key, keys[n]))
		key = keys[n++];
	CHECK(n < max);
	qsort(keys, n, KEY_MAX, compare_keys);
	for (u32 i = 1; i < n; i++)
		CHECK(memcmp(keys[i - 1], keys[i], KEY_MAX));
	free(keys);
	return n;
}

static void empty(struct map *map)
{
	u8 key[KEY_MAX];

	while (!map_user_next_key(map, NULL, key))
		if (!CHECK_INT(map_user_delete(map, key), 0))
			return;
}

/* Another key for each i; in tries the longest prefixes. */
static int add_nth(struct map *map, u32 i)
{
	static const u64 values[2 * THREADS];
	u8 key[KEY_MAX] = {0};
	u32 at = map->type == MAP_TYPE_LPM_TRIE ? 4 : 0;

	if (at)
		store_u32(key, 32);
	store_u32(key + at, i * 2654435761u);
	return map_user_update(map, key, values, MAP_NOEXIST);
}

/* As many as promised, and not one more. */
static void refill(struct map *map, int when_full)
{
	int err = 0;

	empty(map);
	CHECK_INT(count_keys(map), 0);
	for (u32 i = 0; i < map->max_entries && !err; i++)
		err = add_nth(map, i);
	CHECK_INT(err, 0);
	if (!CHECK_INT(count_keys(map), map->max_entries))
		fprintf(stderr, "\tof %s\n", map_type_name(map->type));
	CHECK_INT(add_nth(map, map->max_entries), when_full);
	CHECK_INT(count_keys(map), map->max_entries);
}

static int when_full(const struct map *map)
{
	if (map->type == MAP_TYPE_LPM_TRIE)
		return -ENOSPC;
	return map->type == MAP_TYPE_HASH || map->type == MAP_TYPE_PERCPU_HASH ? -E2BIG
									       : 0;
}

/* ---- keys of one's own ---- */

/* What a thread knows. */
struct own {
	struct crew *crew;
	struct map *map;
	u32 self;
	bool there[OWN_KEYS];
	u64 value[OWN_KEYS];
};

static void own_key(const struct own *own, u32 i, u8 *key)
{
	memset(key, 0, KEY_MAX);
	store_u32(key, own->self * OWN_KEYS + i);
}

static void put_own(struct own *own, u32 i, u64 flags, u64 value)
{
	int err, want = 0;
	u8 key[KEY_MAX];

	if (flags == MAP_NOEXIST && own->there[i])
		want = -EEXIST;
	if (flags == MAP_EXIST && !own->there[i])
		want = -ENOENT;
	own_key(own, i, key);
	err = map_update(own->map, key, &value, flags, own->self);
	expect(own->crew, err == want, "an update of an own key gives its errno");
	if (err)
		return;
	own->there[i] = true;
	own->value[i] = value;
}

static void get_own(struct own *own, u32 i)
{
	u8 key[KEY_MAX];
	u64 *value;

	own_key(own, i, key);
	value = map_lookup(own->map, key, own->self);
	expect(own->crew, !!value == own->there[i], "an own key is there, or not");
	if (value && own->there[i])
		expect(own->crew,
		       __atomic_load_n(value, __ATOMIC_RELAXED) == own->value[i],
		       "the value is the last one");
}

static void delete_own(struct own *own, u32 i)
{
	int want = own->there[i] ? 0 : -ENOENT;
	u8 key[KEY_MAX];

	own_key(own, i, key);
	expect(own->crew, map_delete(own->map, key, own->self) == want,
	       "a deletion of an own key gives its errno");
	own->there[i] = false;
}

/* Somebody walks meanwhile: what he sees is a key of somebody. */
static void walk(struct crew *crew, u32 n_keys)
{
	u8 key[KEY_MAX] = {0}, next[KEY_MAX] = {0};
	const u8 *at = NULL;

	for (u32 i = 0; i < n_keys && !map_user_next_key(crew->map, at, next); i++) {
		expect(crew, load_u32(next) < n_keys, "keys are keys of somebody");
		memcpy(key, next, KEY_MAX);
		at = key;
	}
}

static void use_own_keys(struct crew *crew, u32 self, u64 *random)
{
	struct own own = {.crew = crew, .map = crew->map, .self = self};

	for (u32 i = 0; i < steps; i++) {
		u32 what = next_random(random) % 16, k = next_random(random) % OWN_KEYS;

		if (what < 6)
			get_own(&own, k);
		else if (what < 12)
			put_own(&own, k, next_random(random) % 3, next_random(random));
		else if (what < 15)
			delete_own(&own, k);
		else if (i % 16 == 0)
			walk(crew, ALL_KEYS);
	}
	for (u32 k = 0; k < OWN_KEYS; k++) {
		get_own(&own, k);
		atomic_fetch_add(&crew->made, own.there[k]);
	}
}

static void own_keys_are_never_lost(struct map_attr attr)
{
	struct crew crew = {0};

	attr.value_size = 8;
	attr.max_entries = ALL_KEYS;
	crew.map = new_map(attr);
	work(&crew, use_own_keys);
	CHECK_INT(count_keys(crew.map), crew.made);
	refill(crew.map, when_full(crew.map));
	map_put(crew.map);
}

/* ---- keys of all ---- */

enum { SHARED_KEYS = 8 };

/* Whoever adds a key, adds it alone; whoever takes it, has it alone. */
static void add_or_take(struct crew *crew, u32 self, u64 *random)
{
	u64 value;

	(void)self;
	for (u32 i = 0; i < steps; i++) {
		u32 key = next_random(random) % SHARED_KEYS;

		if (next_random(random) % 2) {
			value = 1 + next_random(random);
			if (!map_user_update(crew->map, &key, &value, MAP_NOEXIST))
				atomic_fetch_add(&crew->made, value);
		} else if (!map_user_lookup_and_delete(crew->map, &key, &value, 0)) {
			atomic_fetch_add(&crew->taken, value);
		}
	}
}

static void what_is_added_is_taken_once(void)
{
	struct crew crew = {0};
	u64 value;
	u32 key;

	crew.map = new_map((struct map_attr){.type = MAP_TYPE_HASH,
					     .key_size = 4,
					     .value_size = 8,
					     .max_entries = SHARED_KEYS});
	work(&crew, add_or_take);
	while (!map_user_next_key(crew.map, NULL, &key)) {
		CHECK_INT(map_user_lookup_and_delete(crew.map, &key, &value, 0), 0);
		crew.taken += value;
	}
	CHECK_INT(crew.taken, crew.made);
	refill(crew.map, -E2BIG);
	map_put(crew.map);
}

/* ---- under the value's lock ---- */

struct counters {
	u64 a;
	u32 lock, pad;
	u64 b;
};

static const struct map_field lock_field[] = {
	{.off = offsetof(struct counters, lock), .size = 4, .is_spin_lock = true}};

/* As a program does: twice one more. */
static void increment(struct crew *crew, u32 self, u64 *random)
{
	for (u32 i = 0; i < steps; i++) {
		u32 key = next_random(random) % 2;
		struct counters *v = map_lookup(crew->map, &key, self), copy;

		if (next_random(random) % 4 == 0) {
			map_user_lookup(crew->map, &key, &copy, MAP_F_LOCK);
			expect(crew, copy.a == copy.b, "a user sees both or none");
			continue;
		}
		map_spin_lock((_Atomic u32 *)&v->lock);
		v->a++;
		v->b++;
		map_spin_unlock((_Atomic u32 *)&v->lock);
		atomic_fetch_add(&crew->made, 1);
	}
}

static void programs_and_users_share_a_lock(u32 type)
{
	struct counters v[2] = {{0}};
	struct crew crew = {0};

	crew.map = new_map((struct map_attr){.type = type,
					     .key_size = 4,
					     .value_size = sizeof(v[0]),
					     .max_entries = 2,
					     .fields = lock_field,
					     .n_fields = 1});
	for (u32 i = 0; i < 2; i++)
		CHECK_INT(map_user_update(crew.map, &i, &v[i], 0), 0);
	work(&crew, increment);
	for (u32 i = 0; i < 2; i++)
		CHECK_INT(map_user_lookup(crew.map, &i, &v[i], MAP_F_LOCK), 0);
	CHECK_INT(v[0].a + v[1].a, crew.made);
	CHECK_INT(v[0].b + v[1].b, crew.made);
	map_put(crew.map);
}

/* An element that was deleted while a program held its lock is locked still, whatever
 * key it has now: the program will unlock it. */
static void a_lock_outlives_its_key(void)
{
	struct counters zero = {0}, *v;
	struct map *map = new_map((struct map_attr){.type = MAP_TYPE_HASH,
						    .key_size = 4,
						    .value_size = sizeof(zero),
						    .max_entries = 1,
						    .fields = lock_field,
						    .n_fields = 1});
	u32 a = 1, b = 2;

	CHECK_INT(map_update(map, &a, &zero, MAP_ANY, 0), 0);
	v = map_lookup(map, &a, 0);
	map_spin_lock((_Atomic u32 *)&v->lock);
	CHECK_INT(map_delete(map, &a, 0), 0);
	CHECK_INT(map_update(map, &b, &zero, MAP_ANY, 0), 0);
	CHECK(map_lookup(map, &b, 0) == v);
	CHECK_INT(v->lock, 1);
	map_spin_unlock((_Atomic u32 *)&v->lock);
	map_put(map);
}

/* ---- LRU ---- */

enum { LRU_ENTRIES = 64 };

static void use_many_keys(struct crew *crew, u32 self, u64 *random)
{
	for (u32 i = 0; i < steps; i++) {
		u32 key = next_random(random) % (4 * LRU_ENTRIES);
		u64 value = key;

		switch (next_random(random) % 8) {
		case 0: map_delete(crew->map, &key, self); break;
		case 1:
		case 2: map_lookup(crew->map, &key, self); break;
		case 3:
			if (i % 16 == 0)
				walk(crew, 4 * LRU_ENTRIES);
			break;
		default:
			expect(crew, !map_update(crew->map, &key, &value, MAP_ANY, self),
			       "an LRU map always has room");
		}
	}
}

static void an_lru_map_always_has_room(u32 type, u32 flags)
{
	struct crew crew = {0};

	crew.map = new_map((struct map_attr){.type = type,
					     .key_size = 4,
					     .value_size = 8,
					     .max_entries = LRU_ENTRIES,
					     .flags = flags});
	work(&crew, use_many_keys);
	CHECK(count_keys(crew.map) <= LRU_ENTRIES);
	refill(crew.map, 0);
	map_put(crew.map);
}

/* ---- LPM ---- */

struct lpm_key {
	u32 len;
	u8 data[4];
};

struct lpm_value {
	struct lpm_key of;
	u32 again; /* of.len once more */
};

enum { LENGTHS = 16 };

/* One prefix of each length below 10.self.0.0/16. */
struct own_prefixes {
	struct crew *crew;
	u32 self;
	bool there[LENGTHS];
	struct lpm_key key[LENGTHS];
};

static struct lpm_key own_prefix(u32 self, u32 len, u64 *random)
{
	u32 bits = next_random(random) & 0xffff;

	/* Mostly zeroes, so that prefixes nest. */
	if (next_random(random) % 4)
		bits &= 0x0101;
	bits &= ~(0xffffu >> (len - 16));
	return (struct lpm_key){len, {10, (u8)self, (u8)(bits >> 8), (u8)bits}};
}

static bool covers(const struct lpm_key *prefix, const u8 *addr)
{
	return !((load_be32(prefix->data) ^ load_be32(addr)) >> (32 - prefix->len));
}

static void look_up_own(struct own_prefixes *own, u64 *random)
{
	struct lpm_key key = own_prefix(own->self, 32, random);
	struct lpm_value *value = map_lookup(own->crew->map, &key, own->self);
	u32 want = 0;

	for (u32 i = 0; i < LENGTHS; i++)
		if (own->there[i] && covers(&own->key[i], key.data))
			want = own->key[i].len;
	expect(own->crew, value, "the shortest prefix, which is always there, matches");
	if (value && want) /* nobody else uses that element anew */
		expect(own->crew,
		       __atomic_load_n(&value->again, __ATOMIC_RELAXED) == want,
		       "the longest of the own prefixes matches");
}

static void toggle(struct own_prefixes *own, u32 i, u64 *random)
{
	struct map *map = own->crew->map;
	struct lpm_value value;

	own->there[i] = !own->there[i];
	if (!own->there[i]) {
		expect(own->crew, !map_delete(map, &own->key[i], own->self),
		       "an own prefix can be deleted");
		return;
	}
	own->key[i] = own_prefix(own->self, 17 + i, random);
	value = (struct lpm_value){own->key[i], 17 + i};
	expect(own->crew, !map_update(map, &own->key[i], &value, MAP_NOEXIST, own->self),
	       "an own prefix can be added");
}

/* As a user, who gets a copy: it belongs to the address. */
static void copy_others(struct crew *crew, u64 *random)
{
	struct lpm_key key = own_prefix(next_random(random) % THREADS, 32, random);
	struct lpm_value value = {{0}, 1};

	expect(crew, !map_user_lookup(crew->map, &key, &value, 0), "a prefix matches");
	expect(crew, value.of.len == value.again, "a copy is of one value");
	if (value.of.len > 16 && value.of.len <= 32)
		expect(crew, covers(&value.of, key.data),
		       "it is of a prefix that matches");
}

static void use_prefixes(struct crew *crew, u32 self, u64 *random)
{
	struct own_prefixes own = {.crew = crew, .self = self};

	for (u32 i = 0; i < steps; i++) {
		switch (next_random(random) % 4) {
		case 0: look_up_own(&own, random); break;
		case 1: copy_others(crew, random); break;
		default: toggle(&own, next_random(random) % LENGTHS, random);
		}
	}
	for (u32 i = 0; i < LENGTHS; i++)
		atomic_fetch_add(&crew->made, own.there[i]);
}

static void own_prefixes_are_never_lost(void)
{
	struct lpm_value none = {{0}};
	struct crew crew = {0};

	crew.map = new_map((struct map_attr){.type = MAP_TYPE_LPM_TRIE,
					     .key_size = sizeof(struct lpm_key),
					     .value_size = sizeof(struct lpm_value),
					     .max_entries = LENGTHS * THREADS + 1,
					     .flags = MAP_NO_PREALLOC});
	CHECK_INT(map_user_update(crew.map, &none.of, &none, 0), 0);
	work(&crew, use_prefixes);
	CHECK_INT(count_keys(crew.map), crew.made + 1);
	refill(crew.map, when_full(crew.map));
	map_put(crew.map);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		steps = (u32)strtoul(argv[1], NULL, 0);
	own_keys_are_never_lost((struct map_attr){.type = MAP_TYPE_HASH, .key_size = 4});
	own_keys_are_never_lost((struct map_attr){.type = MAP_TYPE_HASH, .key_size = 13});
	own_keys_are_never_lost(
		(struct map_attr){.type = MAP_TYPE_PERCPU_HASH, .key_size = 8});
	what_is_added_is_taken_once();
	programs_and_users_share_a_lock(MAP_TYPE_ARRAY);
	programs_and_users_share_a_lock(MAP_TYPE_HASH);
	a_lock_outlives_its_key();
	an_lru_map_always_has_room(MAP_TYPE_LRU_HASH, 0);
	an_lru_map_always_has_room(MAP_TYPE_LRU_HASH, MAP_NO_COMMON_LRU);
	an_lru_map_always_has_room(MAP_TYPE_LRU_PERCPU_HASH, 0);
	own_prefixes_are_never_lost();
	return check_report();
}
