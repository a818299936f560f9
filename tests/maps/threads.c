/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps under many threads at once: what nobody deletes is always found, whatever happens
 * around it; nothing is lost and nothing appears twice; an LRU keeps its size; records
 * of a ring arrive whole and in the order of each producer.  Run it under
 * ThreadSanitizer too: values are read and written by atomic words, as their bytes are
 * the programs' business.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "maps/map.h"

enum { THREADS = 4, STEADY = 16, CHURN = 64, TURNS = CHECK_IS_SANITIZED ? 8000 : 20000 };

struct job {
	struct map *map;
	u32 cpu;
	u64 random;
	u32 failed; /* threads count for themselves, main checks */
	u32 done;
};

static u32 next_random(struct job *j)
{
	j->random = j->random * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(j->random >> 33);
}

static struct map *new_map(struct map_attr attr)
{
	struct map *map = NULL;

	attr.n_cpus = THREADS;
	CHECK_INT(map_new(&attr, &map, NULL), 0);
	return map;
}

static void run(struct map *map, void *(*body)(void *), struct job jobs[THREADS])
{
	pthread_t threads[THREADS];

	for (u32 i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.map = map, .cpu = i, .random = i + 1};
		CHECK_INT(pthread_create(&threads[i], NULL, body, &jobs[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_INT(jobs[i].failed, 0);
	}
}

/* Keys as both hashes and tries take them: prefixes of full length. */
static void make_key(u32 n, u8 *key)
{
	store_u32(key, 32);
	store_be32(key + 4, n);
}

static u32 count_keys(struct map *map, u8 *is_there)
{
	u8 key[8], *at = NULL;
	u32 n = 0;

	for (; !map_user_next_key(map, at, key); at = key, n++)
		if (is_there)
			is_there[load_be32(key + 4)]++;
	return n;
}

/* ---- steady keys among churning ones ---- */

static void *churn(void *arg)
{
	struct job *j = arg;
	u8 key[8];

	for (u32 i = 0; i < TURNS; i++) {
		u32 n = next_random(j) % CHURN;
		u64 value[THREADS] = {n, n, n, n};
		int err;

		make_key(STEADY + n, key);
		switch (next_random(j) % 5) {
		case 0: err = map_user_update(j->map, key, value, MAP_ANY); break;
		case 1: err = map_update(j->map, key, value, MAP_NOEXIST, j->cpu); break;
		case 2: err = map_delete(j->map, key, j->cpu); break;
		default:
			make_key(n % STEADY, key);
			if (next_random(j) % 8 == 0)
				j->failed += map_update(j->map, key, value, MAP_EXIST,
							j->cpu) != 0;
			j->failed += !map_lookup(j->map, key, j->cpu);
			err = 0;
		}
		j->failed += err && err != -EEXIST && err != -ENOENT;
	}
	return NULL;
}

static void steady_keys_are_always_found(struct map_attr attr)
{
	u8 is_there[STEADY + CHURN] = {0}, key[8];
	u64 value[THREADS] = {0};
	struct job jobs[THREADS];
	struct map *map;
	u32 n;

	attr.max_entries = STEADY + CHURN;
	map = new_map(attr);
	for (n = 0; n < STEADY; n++) {
		make_key(n, key);
		CHECK_INT(map_user_update(map, key, value, MAP_NOEXIST), 0);
	}
	run(map, churn, jobs);
	count_keys(map, is_there);
	for (n = 0; n < STEADY + CHURN; n++)
		CHECK(is_there[n] == 1 || (n >= STEADY && !is_there[n]));
	/* Nothing was lost: it can be emptied, and filled to the last element. */
	for (n = 0; n < STEADY + CHURN; n++) {
		make_key(n, key);
		CHECK_INT(map_user_delete(map, key), is_there[n] ? 0 : -ENOENT);
	}
	CHECK_INT(count_keys(map, NULL), 0);
	for (n = 0; n <= STEADY + CHURN; n++) {
		int err;

		make_key(n, key);
		err = map_user_update(map, key, value, MAP_NOEXIST);
		CHECK(n < STEADY + CHURN ? !err : err == -E2BIG || err == -ENOSPC);
	}
	map_put(map);
}

/* ---- as many keys as places ---- */

/* Who has taken its own key out finds a place for it, wherever the places are by then. */
static void *come_and_go(void *arg)
{
	struct job *j = arg;
	u64 value = 0;
	u8 key[8];

	make_key(j->cpu, key);
	for (u32 i = 0; i < TURNS; i++) {
		u32 cpu = next_random(j) % THREADS;

		j->failed += map_update(j->map, key, &value, MAP_NOEXIST, cpu) != 0;
		j->failed += map_delete(j->map, key, next_random(j) % THREADS) != 0;
	}
	return NULL;
}

static void a_place_is_found_while_there_is_one(u32 type)
{
	struct map *map = new_map((struct map_attr){.type = type,
						    .key_size = 8,
						    .value_size = 8,
						    .max_entries = THREADS});
	struct job jobs[THREADS];

	run(map, come_and_go, jobs);
	CHECK_INT(count_keys(map, NULL), 0);
	map_put(map);
}

/* ---- LRU ---- */

enum { LRU_SIZE = 64, HOT = 8 };

static void *press(void *arg)
{
	struct job *j = arg;
	u8 key[8];

	for (u32 i = 0; i < TURNS; i++) {
		u64 value = i;

		make_key(1000 + next_random(j) % 5000, key);
		j->failed += map_update(j->map, key, &value, MAP_ANY, j->cpu) != 0;
		for (u32 n = 0; n < HOT; n++) {
			make_key(n, key);
			if (map_lookup(j->map, key, j->cpu))
				j->done++;
			else /* asleep for a whole round of the hand */
				map_update(j->map, key, &value, MAP_ANY, j->cpu);
		}
	}
	return NULL;
}

static void an_lru_keeps_its_size_and_what_is_hot(void)
{
	struct map *map = new_map((struct map_attr){.type = MAP_TYPE_LRU_HASH,
						    .key_size = 8,
						    .value_size = 8,
						    .max_entries = LRU_SIZE});
	struct job jobs[THREADS];
	u64 value = 0, found = 0;
	u8 key[8];

	for (u32 n = 0; n < HOT; n++) {
		make_key(n, key);
		map_update(map, key, &value, MAP_ANY, 0);
	}
	run(map, press, jobs);
	CHECK_INT(count_keys(map, NULL), LRU_SIZE);
	for (u32 i = 0; i < THREADS; i++)
		found += jobs[i].done;
	CHECK(found > THREADS * TURNS * HOT / 10 * 9);
	map_put(map);
}

/* ---- values ---- */

struct locked {
	u32 lock;
	u32 a;
	u64 b[6];
};

static void *write_locked(void *arg)
{
	struct job *j = arg;
	struct locked v = {0};
	u32 key = 1;

	for (u32 i = 0; i < TURNS; i++) {
		if (j->cpu % 2) {
			v.a = i;
			for (u32 k = 0; k < 6; k++)
				v.b[k] = i;
			j->failed += map_user_update(j->map, &key, &v, MAP_F_LOCK) != 0;
			continue;
		}
		j->failed += map_user_lookup(j->map, &key, &v, MAP_F_LOCK) != 0;
		j->failed += v.lock != 0;
		for (u32 k = 0; k < 6; k++)
			j->failed += v.b[k] != v.a;
	}
	return NULL;
}

static void locked_values_are_whole(u32 type)
{
	static const struct map_field lock = {.off = 0, .size = 4, .is_spin_lock = true};
	struct map *map = new_map((struct map_attr){.type = type,
						    .key_size = 4,
						    .value_size = sizeof(struct locked),
						    .max_entries = 4,
						    .fields = &lock,
						    .n_fields = 1});
	struct job jobs[THREADS];
	struct locked zero = {0};
	u32 key = 1;

	CHECK_INT(map_user_update(map, &key, &zero, MAP_ANY), 0);
	run(map, write_locked, jobs);
	map_put(map);
}

/* ---- inner maps ---- */

static struct map *inner_maps[2];

static void *swap_inner(void *arg)
{
	struct job *j = arg;
	u32 key = 1;

	for (u32 i = 0; i < TURNS; i++) {
		struct map *inner = map_lookup(j->map, &key, j->cpu);

		/* The key is always there, and always leads to one of the two. */
		j->failed += inner != inner_maps[0] && inner != inner_maps[1];
		if (next_random(j) % 4 == 0)
			j->failed += map_update_ref(j->map, &key, inner_maps[i % 2],
						    MAP_ANY) != 0;
	}
	return NULL;
}

static void slots_always_hold_a_map(u32 type)
{
	const struct map_attr inner = {
		.type = MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct map *map = new_map((struct map_attr){.type = type,
						    .key_size = 4,
						    .value_size = 4,
						    .max_entries = 2,
						    .inner = &inner});
	struct job jobs[THREADS];
	u32 key = 1;

	inner_maps[0] = new_map(inner);
	inner_maps[1] = new_map(inner);
	CHECK_INT(map_update_ref(map, &key, inner_maps[0], MAP_ANY), 0);
	run(map, swap_inner, jobs);
	map_put(map);
	for (u32 i = 0; i < 2; i++) {
		CHECK_INT(inner_maps[i]->count, 1);
		map_put(inner_maps[i]);
	}
}

/* ---- the ring ---- */

enum { RECORDS = CHECK_IS_SANITIZED ? 8000 : 20000 };

struct consumer {
	u32 next[THREADS - 1];
	u32 wrong, n;
};

/* A record: who, its number, and that number again as often as its size says. */
static int consume(void *arg, const void *data, u32 size)
{
	struct consumer *c = arg;
	u32 who = load_u32(data), number = load_u32((const u8 *)data + 4);

	c->wrong += who >= THREADS - 1 || number != c->next[who % (THREADS - 1)]++;
	for (u32 i = 8; i < size; i += 4)
		c->wrong += load_u32((const u8 *)data + i) != number;
	c->n++;
	return 0;
}

static void *produce(void *arg)
{
	struct job *j = arg;
	struct consumer c = {0};

	if (j->cpu == THREADS - 1) {
		while (c.n < RECORDS * (THREADS - 1))
			ringbuf_drain(j->map, consume, &c);
		j->failed = c.wrong;
		return NULL;
	}
	for (u32 i = 0; i < RECORDS;) {
		u32 size = 8 + next_random(j) % 40 * 4;
		u8 *rec = ringbuf_reserve(j->map, size, 0);

		if (!rec)
			continue;
		store_u32(rec, j->cpu);
		for (u32 at = 4; at < size; at += 4)
			store_u32(rec + at, i);
		if (next_random(j) % 8 == 0) {
			ringbuf_discard(j->map, rec, 0);
			continue;
		}
		ringbuf_submit(j->map, rec, 0);
		i++;
	}
	return NULL;
}

static void records_arrive_whole_and_in_order(void)
{
	struct map *map =
		new_map((struct map_attr){.type = MAP_TYPE_RINGBUF, .max_entries = 8192});
	struct job jobs[THREADS];

	run(map, produce, jobs);
	map_put(map);
}

int main(void)
{
	static const struct map_attr types[] = {
		{.type = MAP_TYPE_HASH},
		{.type = MAP_TYPE_HASH, .flags = MAP_NO_PREALLOC},
		{.type = MAP_TYPE_PERCPU_HASH},
		{.type = MAP_TYPE_LPM_TRIE, .flags = MAP_NO_PREALLOC},
	};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map_attr attr = types[i];

		attr.key_size = attr.value_size = 8;
		steady_keys_are_always_found(attr);
	}
	a_place_is_found_while_there_is_one(MAP_TYPE_HASH);
	a_place_is_found_while_there_is_one(MAP_TYPE_PERCPU_HASH);
	an_lru_keeps_its_size_and_what_is_hot();
	locked_values_are_whole(MAP_TYPE_ARRAY);
	locked_values_are_whole(MAP_TYPE_HASH);
	slots_always_hold_a_map(MAP_TYPE_ARRAY_OF_MAPS);
	slots_always_hold_a_map(MAP_TYPE_HASH_OF_MAPS);
	records_arrive_whole_and_in_order();
	return check_report();
}
