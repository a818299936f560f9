/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in one thread: what programs see of each type, who survives in an LRU, values and
 * their addresses, references, rings, what a dead process leaves, and every refusal.
 * Random hash and LPM operations are compared with a list that is searched from end to
 * end; results that bpf(2) can see are compared with Linux in ops_kernel.c.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "maps/hash.h"
#include "maps/map.h"

static u64 seed = 1;

static u32 next_random(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33);
}

static struct map *new_map(struct map_attr attr)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	if (!CHECK(!map_new(&attr, &map, &diag)))
		fprintf(stderr, "\t%s\n", diag.text);
	return map;
}

#define NEW(t, key, value, entries, ...)                                                 \
	new_map((struct map_attr){.type = MAP_TYPE_##t,                                  \
				  .key_size = key,                                       \
				  .value_size = value,                                   \
				  .max_entries = entries,                                \
				  __VA_ARGS__})

/* ---- against a list ---- */

enum { MODEL_MAX = 64 };

struct model {
	u8 key[MODEL_MAX][8];
	u64 value[MODEL_MAX];
	u32 n;
};

static bool covers(const u8 *prefix, const u8 *key)
{
	u32 len = load_u32(prefix);

	for (u32 i = 0; i < len; i++)
		if (((prefix[4 + i / 8] ^ key[4 + i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return len <= load_u32(key);
}

static u32 model_find(const struct model *m, const u8 *key)
{
	u32 i;

	for (i = 0; i < m->n && memcmp(m->key[i], key, 8); i++)
		;
	return i;
}

/* The longest prefix that covers key, or m->n. */
static u32 model_longest(const struct model *m, const u8 *key)
{
	u32 best = m->n;

	for (u32 i = 0; i < m->n; i++)
		if (covers(m->key[i], key) &&
		    (best == m->n || load_u32(m->key[i]) > load_u32(m->key[best])))
			best = i;
	return best;
}

static int model_update(struct model *m, const u8 *key, u64 value, u64 flags, u32 max)
{
	u32 i = model_find(m, key);

	if (i < m->n && flags == MAP_NOEXIST)
		return -EEXIST;
	if (i == m->n && flags == MAP_EXIST)
		return -ENOENT;
	if (i == m->n && m->n == max)
		return -E2BIG;
	memcpy(m->key[i], key, 8);
	m->value[i] = value;
	m->n += i == m->n;
	return 0;
}

static int model_delete(struct model *m, const u8 *key)
{
	u32 i = model_find(m, key);

	if (i == m->n)
		return -ENOENT;
	m->n--;
	memmove(m->key[i], m->key[m->n], 8);
	m->value[i] = m->value[m->n];
	return 0;
}

static void make_key(bool lpm, u8 *key)
{
	u32 len = next_random() % 33;

	store_u32(key, lpm ? len : next_random() % 40);
	store_u32(key + 4, lpm ? next_random() & 0x030103f0 : 7);
	/* Bits beyond the prefix are kept, but do not make another key. */
	for (u32 i = len; lpm && i < 32; i++)
		key[4 + i / 8] &= (u8) ~(0x80 >> i % 8);
}

static void random_ops(struct map *map, bool lpm)
{
	struct model m = {.n = 0};
	const int full = lpm ? -ENOSPC : -E2BIG;

	for (u32 step = 0; step < 20000; step++) {
		u64 value = next_random(), flags = next_random() % 3, *got;
		u8 key[8];
		u32 i;
		int want;

		make_key(lpm, key);
		switch (next_random() % 4) {
		case 0:
			want = model_update(&m, key, value, flags, map->max_entries);
			CHECK_INT(map_update(map, key, &value, flags, step % 3),
				  want == -E2BIG ? full : want);
			break;
		case 1:
			CHECK_INT(map_delete(map, key, step % 3), model_delete(&m, key));
			break;
		default:
			i = lpm ? model_longest(&m, key) : model_find(&m, key);
			got = map_lookup(map, key, 0);
			CHECK((got != NULL) == (i < m.n));
			CHECK(!got || i == m.n || *got == m.value[i]);
		}
	}
}

static void a_hash_is_a_list(void)
{
	struct map *map = NEW(HASH, 8, 8, 20, .n_cpus = 3);

	random_ops(map, false);
	map_put(map);
}

static void a_trie_is_a_list(void)
{
	struct map *map = NEW(LPM_TRIE, 8, 8, 20, .flags = MAP_NO_PREALLOC, .n_cpus = 3);

	random_ops(map, true);
	map_put(map);
}

/* ---- LRU ---- */

static u32 count_keys(struct map *map)
{
	u8 key[64], *at = NULL;
	u32 n = 0;

	for (; !map_user_next_key(map, at, key); at = key)
		n++;
	return n;
}

static void what_is_used_survives(void)
{
	struct map *map = NEW(LRU_HASH, 4, 8, 100, .n_cpus = 2);
	u64 value = 1;

	for (u32 i = 0; i < 10; i++)
		CHECK_INT(map_update(map, &i, &value, MAP_ANY, 0), 0);
	for (u32 i = 1000; i < 5000; i++) {
		CHECK_INT(map_update(map, &i, &value, MAP_NOEXIST, i % 2), 0);
		for (u32 hot = 0; hot < 10; hot++)
			CHECK(map_lookup(map, &hot, 0));
	}
	CHECK_INT(count_keys(map), 100);
	map_put(map);
}

static void looks_by_users_do_not_count(void)
{
	struct map *map = NEW(LRU_HASH, 4, 8, 10, .n_cpus = 1);
	u64 value = 1;
	u32 first = 0;

	for (u32 i = 0; i < 10; i++)
		map_update(map, &i, &value, MAP_ANY, 0);
	CHECK_INT(map_user_lookup(map, &first, &value, 0), 0);
	for (u32 i = 10; i < 25; i++)
		map_update(map, &i, &value, MAP_ANY, 0);
	CHECK_INT(map_user_lookup(map, &first, &value, 0), -ENOENT);
	CHECK_INT(count_keys(map), 10);
	map_put(map);
}

static void updates_of_a_full_lru_evict_nobody(void)
{
	struct map *map = NEW(LRU_PERCPU_HASH, 4, 8, 8, .n_cpus = 2);
	u64 values[2] = {1, 2};

	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < 8; i++)
			CHECK_INT(map_user_update(map, &i, values, MAP_ANY), 0);
	CHECK_INT(count_keys(map), 8);
	map_put(map);
}

/* ---- values ---- */

static void percpu_values_are_apart(struct map *map)
{
	u32 key = 1;
	u64 value, all[3] = {0};

	for (u32 cpu = 0; cpu < 3; cpu++) {
		value = 10 + cpu;
		CHECK_INT(map_update(map, &key, &value, MAP_ANY, cpu), 0);
	}
	for (u32 cpu = 0; cpu < 3; cpu++) {
		CHECK_INT(*(u64 *)map_lookup(map, &key, cpu), 10 + cpu);
		CHECK(map_lookup(map, &key, cpu) == map_lookup_cpu(map, &key, cpu));
	}
	CHECK(!map_lookup_cpu(map, &key, 3));
	CHECK_INT(map_user_value_size(map), 24);
	CHECK_INT(map_user_lookup(map, &key, all, 0), 0);
	CHECK(all[0] == 10 && all[1] == 11 && all[2] == 12);
	map_put(map);
}

/* A new element is zero on other CPUs, whoever used its memory before. */
static void new_percpu_elements_are_clean(void)
{
	struct map *map = NEW(PERCPU_HASH, 4, 8, 1, .n_cpus = 2);
	u64 values[2] = {5, 6}, value = 9;
	u32 key = 1;

	CHECK_INT(map_user_update(map, &key, values, MAP_ANY), 0);
	CHECK_INT(map_delete(map, &key, 0), 0);
	key = 2;
	CHECK_INT(map_update(map, &key, &value, MAP_ANY, 0), 0);
	CHECK_INT(*(u64 *)map_lookup(map, &key, 1), 0);
	map_put(map);
}

/* Every address of the region and around it. */
static void addresses_find_their_value(struct map *map, u32 n_cpus)
{
	struct map_value_range r;
	u32 keys[] = {0, 1, 2}, found = 0;
	u8 value[64] = {0};

	for (u32 i = 0; i < 3; i++)
		CHECK_INT(map_update(map, (u64[]){keys[i]}, value, MAP_ANY, 0), 0);
	for (u64 off = 0; off < map->region_size; off++) {
		const u8 *at = map->region + off;

		if (!map_find_value(map, at, &r))
			continue;
		found++;
		CHECK_INT(r.len, map->value_size);
		CHECK((u8 *)r.start + r.offset == at && r.offset < r.len);
	}
	CHECK(found >= 3 * map->value_size * n_cpus);
	for (u32 i = 0; i < 3; i++)
		for (u32 cpu = 0; cpu < n_cpus; cpu++) {
			u8 *at = map_lookup(map, (u64[]){keys[i]}, cpu);

			CHECK(map_find_value(map, at, &r) && r.start == at && !r.offset);
			CHECK(map_find_value(map, at + r.len - 1, &r) && r.start == at);
			CHECK(!map_find_value(map, at + r.len, &r) || r.start != at);
		}
	CHECK(!map_find_value(map, map->region - 1, &r));
	CHECK(!map_find_value(map, map->region + map->region_size, &r));
	CHECK(!map_find_value(map, NULL, &r));
	map_put(map);
}

static void direct_addresses(void)
{
	struct map *one = NEW(ARRAY, 4, 10, 1), *two = NEW(ARRAY, 4, 10, 2);
	struct map *page = NEW(ARRAY, 4, 10, 1, .flags = MAP_MMAPABLE);
	void *at;

	CHECK_INT(map_value_addr(one, 9, &at), 0);
	CHECK(at == (u8 *)map_lookup(one, (u32[]){0}, 0) + 9);
	CHECK_INT(map_value_addr(one, 10, &at), -EINVAL);
	CHECK_INT(map_value_addr(two, 0, &at), -MAP_ENOTSUPP);
	CHECK_INT(map_value_addr(page, 0, &at), 0);
	CHECK_INT((uintptr_t)at % 4096, 0);
	map_put(one);
	map_put(two);
	map_put(page);
}

/* A replaced value is another element: who looked the old one up keeps it. */
static void a_value_looked_up_stays(void)
{
	struct map *map = NEW(HASH, 4, 8, 1);
	u64 value = 1, *old;
	u32 key = 3;

	map_update(map, &key, &value, MAP_ANY, 0);
	old = map_lookup(map, &key, 0);
	value = 2;
	CHECK_INT(map_update(map, &key, &value, MAP_EXIST, 0), 0);
	CHECK(*old == 1 && map_lookup(map, &key, 0) != old);
	CHECK_INT(*(u64 *)map_lookup(map, &key, 0), 2);
	map_put(map);
}

/* Special fields: neither set nor seen by users, zero in new elements. */
static void special_fields_are_left_alone(void)
{
	static const struct map_field fields[] = {
		{.off = 4, .size = 4, .is_spin_lock = true}, {.off = 8, .size = 16}};
	struct map *map = NEW(HASH, 4, 28, 2, .fields = fields, .n_fields = 2);
	u8 value[28], got[28], *at;
	u32 key = 1;

	memset(value, 0x55, sizeof(value));
	CHECK_INT(map_user_update(map, &key, value, MAP_ANY), 0);
	at = map_lookup(map, &key, 0);
	CHECK(at[3] == 0x55 && at[4] == 0 && at[23] == 0 && at[24] == 0x55);
	at[8] = 1;
	CHECK_INT(map_user_update(map, &key, value, MAP_F_LOCK), 0);
	CHECK(map_lookup(map, &key, 0) == at && at[8] == 1);
	CHECK_INT(map_user_lookup(map, &key, got, MAP_F_LOCK), 0);
	CHECK(got[3] == 0x55 && got[8] == 0 && got[27] == 0x55);
	CHECK_INT(map_freeze(map), -MAP_ENOTSUPP);
	map_put(map);
}

static u64 stop_at_two(struct map *map, const void *key, void *value, void *arg)
{
	struct map_value_range r;

	CHECK(map_find_value(map, value, &r) && r.start == value);
	CHECK(map_lookup(map, key, 0) == value);
	return ++*(u32 *)arg == 2;
}

static void visits(void)
{
	struct map *array = NEW(ARRAY, 4, 4, 5), *hash = NEW(HASH, 8, 4, 5);
	struct map *trie = NEW(LPM_TRIE, 8, 4, 5, .flags = MAP_NO_PREALLOC);
	u32 n = 0, value = 1;

	CHECK_INT(map_for_each(array, 0, stop_at_two, &n), 2);
	CHECK_INT(map_for_each(array, 0, stop_at_two, &n), 5);
	for (u64 key = 0; key < 3; key++)
		map_update(hash, &key, &value, MAP_ANY, 0);
	n = 0;
	CHECK_INT(map_for_each(hash, 0, stop_at_two, &n), 2);
	n = 2;
	CHECK_INT(map_for_each(hash, 0, stop_at_two, &n), 3);
	CHECK_INT(map_for_each(trie, 0, stop_at_two, &n), -EINVAL);
	CHECK(!map_has_for_each(trie) && map_has_for_each(hash));
	map_put(array);
	map_put(hash);
	map_put(trie);
}

/* ---- references ---- */

static void maps_inside_of_maps(struct map *outer)
{
	struct map *a = NEW(HASH, 4, 4, 2, .id = 71), *b = NEW(HASH, 4, 4, 9, .id = 72);
	struct map *other = NEW(HASH, 8, 4, 2);
	u32 key = 1, id = 0, far = 100;

	CHECK(!map_lookup(outer, &key, 0));
	CHECK_INT(map_user_lookup(outer, &key, &id, 0), -ENOENT);
	CHECK_INT(map_update_ref(outer, &key, a, MAP_ANY), 0);
	CHECK_INT(a->count, 2);
	CHECK(map_lookup(outer, &key, 0) == a);
	CHECK_INT(map_user_lookup(outer, &key, &id, 0), 0);
	CHECK_INT(id, 71);
	CHECK_INT(map_update_ref(outer, &key, other, MAP_ANY), -EINVAL);
	CHECK_INT(map_update_ref(outer, &key, b, MAP_ANY), 0);
	CHECK(map_lookup(outer, &key, 0) == b);
	/* A program may still use a: it goes when nobody can. */
	CHECK_INT(a->count, 2);
	map_reclaim(outer);
	CHECK_INT(a->count, 1);
	CHECK_INT(map_user_update(outer, &key, &id, MAP_ANY), -MAP_ENOTSUPP);
	CHECK_INT(map_user_delete(outer, &key), 0);
	CHECK_INT(map_user_delete(outer, &key), -ENOENT);
	CHECK(!map_lookup(outer, &key, 0));
	if (outer->type == MAP_TYPE_ARRAY_OF_MAPS) {
		CHECK_INT(map_update_ref(outer, &far, a, MAP_ANY), -E2BIG);
		CHECK_INT(map_update_ref(outer, &key, a, MAP_NOEXIST), -EINVAL);
	} else {
		CHECK_INT(map_update_ref(outer, &key, a, MAP_EXIST), -ENOENT);
		CHECK_INT(map_update_ref(outer, &key, a, MAP_NOEXIST), 0);
		CHECK_INT(map_update_ref(outer, &key, a, MAP_NOEXIST), -EEXIST);
	}
	map_update_ref(outer, &key, a, MAP_ANY);
	map_put(a);
	map_put(b);
	map_put(other);
	CHECK(map_lookup(outer, &key, 0) == a); /* the slot keeps it */
	map_put(outer);
}

static void inner_arrays_have_the_template_s_size(void)
{
	const struct map_attr inner = {
		.type = MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2};
	struct map *outer = NEW(ARRAY_OF_MAPS, 4, 4, 2, .inner = &inner);
	struct map *two = NEW(ARRAY, 4, 4, 2), *three = NEW(ARRAY, 4, 4, 3);
	u32 key = 0;

	CHECK_INT(map_update_ref(outer, &key, two, MAP_ANY), 0);
	CHECK_INT(map_update_ref(outer, &key, three, MAP_ANY), -EINVAL);
	map_put(two);
	map_put(three);
	map_put(outer);
}

static int programs_held;

static void hold(void *ref)
{
	(void)ref;
	programs_held++;
}

static void let_go(void *ref)
{
	(void)ref;
	programs_held--;
}

static void programs_in_slots(void)
{
	static const struct map_ref_ops ops = {.retain = hold, .release = let_go};
	struct map *map = NEW(PROG_ARRAY, 4, 4, 3, .refs = &ops);
	u32 key = 2;
	int program;

	CHECK(!map_prog(map, 2));
	CHECK_INT(map_update_ref(map, &key, &program, MAP_ANY), 0);
	CHECK(map_prog(map, 2) == &program && !map_prog(map, 3) && !map_prog(map, ~0u));
	CHECK_INT(map_update_ref(map, &key, &program, MAP_ANY), 0);
	CHECK_INT(programs_held, 2);
	CHECK_INT(map_user_delete(map, &key), 0);
	CHECK(!map_prog(map, 2) && !map_lookup(map, &key, 0));
	CHECK_INT(map_update_ref(map, &key, &program, MAP_ANY), 0);
	map_put(map);
	CHECK_INT(programs_held, 0);
}

/* ---- rings ---- */

struct seen {
	u32 n, bytes, next;
	u32 stop_at;
};

static int see(void *arg, const void *data, u32 size)
{
	struct seen *seen = arg;

	for (u32 i = 0; i < size; i++)
		if (((const u8 *)data)[i] != (u8)(seen->next + i))
			CHECK(!"the record has the bytes that were written");
	seen->next++;
	seen->n++;
	seen->bytes += size;
	return seen->n == seen->stop_at ? -7 : 0;
}

/* Every size round the ring many times: records stay whole where the ring wraps. */
static void records_wrap_whole(void)
{
	struct map *map = NEW(RINGBUF, 0, 0, 4096);
	struct seen seen = {0};
	u64 in = 0;

	for (u32 i = 0; i < 5000; i++) {
		u32 size = i * 7 % 700;
		u8 *rec = ringbuf_reserve(map, size, 0);

		if (!CHECK(rec))
			break;
		for (u32 j = 0; j < size; j++)
			rec[j] = (u8)(i + j);
		ringbuf_submit(map, rec, 0);
		in += size;
		if (i % 3 == 2)
			CHECK(ringbuf_drain(map, see, &seen) > 0);
	}
	ringbuf_drain(map, see, &seen);
	CHECK_INT(seen.n, 5000);
	CHECK_INT(seen.bytes, in);
	CHECK_INT(ringbuf_query(map, RINGBUF_AVAIL_DATA), 0);
	CHECK_INT(ringbuf_query(map, RINGBUF_CONS_POS),
		  ringbuf_query(map, RINGBUF_PROD_POS));
	CHECK_INT(ringbuf_query(map, RINGBUF_SIZE), 4096);
	CHECK_INT(ringbuf_query(map, 9), 0);
	map_put(map);
}

static void rings_fill_and_wait(void)
{
	struct map *map = NEW(RINGBUF, 0, 0, 4096);
	struct seen seen = {.stop_at = 2};
	u8 *a, *b, *c, data[8] = {0, 1, 2, 3, 4, 5, 6, 7};

	CHECK(!ringbuf_reserve(map, 4089, 0) && !ringbuf_reserve(map, ~0ull, 0));
	CHECK(!ringbuf_reserve(map, 8, 1));
	CHECK(!ringbuf_reserve(map, 4088, 0)); /* one byte less than the ring at most */
	a = ringbuf_reserve(map, 8, 0);
	b = ringbuf_reserve(map, 2000, 0);
	c = ringbuf_reserve(map, 8, 0);
	CHECK(a && b && c && !ringbuf_reserve(map, 2048, 0));
	CHECK_INT(ringbuf_output(map, data, 2048, 0), -EAGAIN);
	CHECK_INT(ringbuf_output(map, data, 8, 4), -EINVAL);
	memcpy(c, data, 8);
	ringbuf_submit(map, c, 0);
	CHECK_INT(ringbuf_drain(map, see, &seen), 0); /* a is busy */
	memcpy(a, data, 8);
	ringbuf_submit(map, a, 0);
	CHECK_INT(ringbuf_drain(map, see, &seen), 1);
	ringbuf_discard(map, b, 0);
	c[0] = 1;
	for (u32 i = 0; i < 8; i++)
		c[i] = (u8)(1 + i);
	CHECK_INT(ringbuf_drain(map, see, &seen), -7);
	CHECK_INT(ringbuf_query(map, RINGBUF_AVAIL_DATA), 0);
	map_put(map);
}

static void rings_wake_when_the_consumer_waits(void)
{
	struct map *map = NEW(RINGBUF, 0, 0, 4096);
	struct seen seen = {0};
	_Atomic u32 *wakeups = ringbuf_wakeups(map);
	u8 data[1] = {0};

	ringbuf_output(map, data, 1, 0);
	CHECK_INT(*wakeups, 1);
	data[0] = 1;
	ringbuf_output(map, data, 1, 0); /* the consumer has not seen the first */
	CHECK_INT(*wakeups, 1);
	data[0] = 2;
	ringbuf_output(map, data, 1, RINGBUF_FORCE_WAKEUP);
	CHECK_INT(*wakeups, 2);
	CHECK_INT(ringbuf_drain(map, see, &seen), 3);
	data[0] = 3;
	ringbuf_output(map, data, 1, RINGBUF_NO_WAKEUP);
	CHECK_INT(*wakeups, 2);
	map_put(map);
}

struct samples {
	u32 n, next, sizes;
	u64 lost;
};

static int take_sample(void *arg, u32 cpu, const void *data, u32 size)
{
	struct samples *s = arg;

	CHECK_INT(cpu, 1);
	CHECK(load_u32(data) >= s->next); /* in order; some may be lost */
	s->next = load_u32(data) + 1;
	s->n++;
	s->sizes += size;
	return s->next == 1000000 ? -9 : 0;
}

static void count_lost(void *arg, u32 cpu, u64 count)
{
	CHECK_INT(cpu, 1);
	((struct samples *)arg)->lost += count;
}

static void perf_samples(void)
{
	struct map *map =
		NEW(PERF_EVENT_ARRAY, 4, 4, 4, .n_cpus = 2, .perf_ring_size = 4096);
	struct samples s = {0};
	const struct perf_event_handler h = {take_sample, count_lost, &s};
	u8 rest[301] = {0};
	u32 number = 0, sent = 0;
	const struct bytes parts[] = {{(u8 *)&number, 4}, {rest, 301 - 4}};

	CHECK_INT(perf_event_output(map, PERF_F_CURRENT_CPU, 1, parts, 2), -ENOENT);
	CHECK_INT(perf_event_open_slot(map, 1), 0);
	CHECK_INT(perf_event_open_slot(map, 4), -E2BIG);
	CHECK_INT(perf_event_open_slot(map, 2), -ENODEV);
	CHECK_INT(perf_event_output(map, 1ull << 40, 1, parts, 2), -EINVAL);
	CHECK_INT(perf_event_output(map, 4, 1, parts, 2), -E2BIG);
	CHECK_INT(perf_event_output(map, 1, 0, parts, 2), -EOPNOTSUPP);
	for (number = 0; number < 1000; number++) {
		sent += !perf_event_output(map, number % 2 ? 1 : PERF_F_CURRENT_CPU, 1,
					   parts, 2);
		if (number % 30 == 29)
			CHECK(perf_event_drain(map, 1, &h) > 0);
	}
	perf_event_drain(map, 1, &h);
	CHECK(sent < 1000 && perf_event_lost(map, 1) == 1000 - sent);
	CHECK_INT(s.n, sent);
	CHECK_INT(s.sizes, sent * 308); /* padded as perf does */
	number = 999999;
	CHECK_INT(perf_event_output(map, 1, 1, parts, 2), 0);
	CHECK_INT(perf_event_drain(map, 1, &h), -9);
	CHECK_INT(s.lost, 1000 - sent);
	CHECK_INT(map_user_delete(map, (u32[]){1}), 0);
	CHECK_INT(map_user_delete(map, (u32[]){1}), -ENOENT);
	CHECK_INT(map_user_delete(map, (u32[]){4}), -E2BIG);
	map_put(map);
}

/* ---- what the dead leave ---- */

static u32 dead_process(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return (u32)pid;
}

/* Died between linking the new element of a key and unlinking the old one. */
static void a_dead_writer_s_bucket_is_mended(void)
{
	struct map *map = NEW(HASH, 4, 8, 3, .n_cpus = 1);
	struct hash *h = hash_of(map);
	u64 value = 1;
	u32 key = 5, old, new;
	struct hash_elem *elem;
	struct bucket *bucket;

	map_update(map, &key, &value, MAP_ANY, 0);
	for (bucket = h->buckets; !bucket->head; bucket++)
		;
	old = bucket->head;
	new = old + 1; /* never used so far */
	h->state->fresh++;
	elem = hash_elem(h, new - 1);
	memcpy(elem, hash_elem(h, old - 1), h->elem_size);
	elem->next = old;
	bucket->head = new;
	bucket->lock = dead_process();
	value = 7;
	CHECK_INT(map_update(map, &key, &value, MAP_EXIST, 0), 0);
	CHECK_INT(*(u64 *)map_lookup(map, &key, 0), 7);
	CHECK_INT(map_delete(map, &key, 0), 0);
	CHECK(!map_lookup(map, &key, 0)); /* not the old one */
	CHECK_INT(count_keys(map), 0);
	for (u32 i = 10; i < 13; i++) /* nothing is lost */
		CHECK_INT(map_update(map, &i, &value, MAP_ANY, 0), 0);
	bucket->lock = map->owner; /* alive: another thread of ours that hangs */
	CHECK_INT(map_delete(map, &key, 0), -ETIMEDOUT);
	map_put(map);
}

/* ---- refusals ---- */

static void refused(struct map_attr attr, const char *name, int err)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	CHECK_INT(map_new(&attr, &map, &diag), err);
	CHECK_STR(skep_diag_name(diag.id), name);
	CHECK(diag.text[0] && !map);
	map_put(map);
}

#define REFUSED(name, err, t, key, value, entries, ...)                                  \
	refused((struct map_attr){.type = t,                                             \
				  .key_size = key,                                       \
				  .value_size = value,                                   \
				  .max_entries = entries,                                \
				  __VA_ARGS__},                                          \
		#name, err)

static void every_refusal(void)
{
	static const struct map_field field = {.off = 2, .size = 4};
	static const struct map_attr nested = {.type = MAP_TYPE_ARRAY_OF_MAPS},
				     progs = {.type = MAP_TYPE_PROG_ARRAY,
					      .key_size = 4,
					      .value_size = 4,
					      .max_entries = 1};

	REFUSED(MAP_TYPE_UNKNOWN, -EINVAL, 34, 4, 4, 1);
	REFUSED(MAP_TYPE_UNKNOWN, -EINVAL, 0, 4, 4, 1);
	REFUSED(MAP_TYPE_UNSUPPORTED, -EOPNOTSUPP, MAP_TYPE_STACK_TRACE, 4, 8, 1);
	REFUSED(MAP_ATTR, -EINVAL, MAP_TYPE_ARRAY, 8, 4, 1);
	REFUSED(MAP_FLAGS, -EINVAL, MAP_TYPE_ARRAY, 4, 4, 1, .flags = 1);
	REFUSED(MAP_NAME, -EINVAL, MAP_TYPE_ARRAY, 4, 4, 1, .name = "sixteen_letters_");
	REFUSED(MAP_VALUE_TOO_LARGE, -E2BIG, MAP_TYPE_HASH, 4, 5 << 20, 1);
	REFUSED(MAP_TOO_LARGE, -E2BIG, MAP_TYPE_HASH, 4, 4, ~0u);
	REFUSED(MAP_LRU_PREALLOC, -524, MAP_TYPE_LRU_HASH, 4, 4, 1, .flags = 1);
	REFUSED(MAP_RING_SIZE, -EINVAL, MAP_TYPE_RINGBUF, 0, 0, 5000);
	REFUSED(MAP_RING_SIZE, -EINVAL, MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 1,
		.perf_ring_size = 5000);
	REFUSED(MAP_NO_INNER, -EBADF, MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 1);
	REFUSED(MAP_NESTED, -EINVAL, MAP_TYPE_HASH_OF_MAPS, 4, 4, 1, .inner = &nested);
	REFUSED(MAP_INNER_TYPE, -524, MAP_TYPE_HASH_OF_MAPS, 4, 4, 1, .inner = &progs);
	REFUSED(MAP_FIELD, -EOPNOTSUPP, MAP_TYPE_LPM_TRIE, 8, 8, 1,
		.flags = MAP_NO_PREALLOC, .fields = &field, .n_fields = 1);
	REFUSED(MAP_FIELD_ACCESS, -EACCES, MAP_TYPE_ARRAY, 4, 8, 1,
		.flags = MAP_RDONLY_PROG, .fields = &field, .n_fields = 1);
	REFUSED(MAP_ATTR, -EINVAL, MAP_TYPE_ARRAY, 4, 5, 1, .fields = &field,
		.n_fields = 1);
	REFUSED(NO_MEMORY, -ENOMEM, MAP_TYPE_ARRAY, 4, 0x7ffffff8, ~0u);
}

/* Maps that take a lot of address space and no memory, unless somebody emulates it. */
static bool is_too_much(const struct map_attr *attr)
{
	u64 size;

	return check_is_emulated() && !map_layout(attr, &size, NULL) && size > 1 << 30;
}

/* Whatever the numbers, a map or a refusal; and each map can be used. */
static void hostile_attributes(void)
{
	static const u32 sizes[] = {0, 1, 4, 5, 8, 4096, 8192, 1 << 20, 1u << 31, ~0u};
	enum { N = ARRAY_SIZE(sizes) };
	static u8 key[1 << 22], value[1 << 22];

	for (u32 i = 0; i < 30000; i++) {
		const struct map_field field = {.off = sizes[next_random() % N],
						.size = sizes[next_random() % N],
						.is_spin_lock = next_random() % 2};
		const struct map_attr inner = {.type = next_random() % 36,
					       .key_size = 4,
					       .value_size = 4,
					       .max_entries = sizes[next_random() % N]};
		struct map_attr attr = {
			.type = next_random() % 36,
			.key_size = next_random() % 2 ? 4 : sizes[next_random() % N],
			.value_size = next_random() % 2 ? 4 : sizes[next_random() % N],
			.max_entries = sizes[next_random() % N],
			.flags = next_random() % 2 ? 0 : 1u << next_random() % 20,
			.n_cpus = next_random() % 4,
			.inner = &inner,
			.fields = &field,
			.n_fields = next_random() % 8 == 0,
		};
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct map *map = NULL;

		if (is_too_much(&attr))
			continue;
		if (map_new(&attr, &map, &diag)) {
			CHECK(diag.id && !map);
			continue;
		}
		map_lookup(map, key, 0);
		if (map_user_value_size(map) <= sizeof(value))
			map_user_update(map, key, value, MAP_ANY);
		map_lookup(map, key, 0);
		map_user_delete(map, key);
		map_put(map);
	}
}

int main(void)
{
	const struct map_attr inner = {
		.type = MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 2};

	a_hash_is_a_list();
	a_trie_is_a_list();
	what_is_used_survives();
	looks_by_users_do_not_count();
	updates_of_a_full_lru_evict_nobody();
	percpu_values_are_apart(NEW(PERCPU_ARRAY, 4, 8, 2, .n_cpus = 3));
	percpu_values_are_apart(NEW(PERCPU_HASH, 4, 8, 2, .n_cpus = 3));
	percpu_values_are_apart(NEW(LRU_PERCPU_HASH, 4, 8, 2, .n_cpus = 3));
	new_percpu_elements_are_clean();
	addresses_find_their_value(NEW(ARRAY, 4, 13, 5), 1);
	addresses_find_their_value(NEW(PERCPU_ARRAY, 4, 13, 5, .n_cpus = 3), 3);
	addresses_find_their_value(NEW(HASH, 5, 13, 5), 1);
	addresses_find_their_value(NEW(LRU_PERCPU_HASH, 8, 13, 5, .n_cpus = 2), 2);
	direct_addresses();
	a_value_looked_up_stays();
	special_fields_are_left_alone();
	visits();
	maps_inside_of_maps(NEW(ARRAY_OF_MAPS, 4, 4, 2, .inner = &inner));
	maps_inside_of_maps(NEW(HASH_OF_MAPS, 4, 4, 2, .inner = &inner));
	inner_arrays_have_the_template_s_size();
	programs_in_slots();
	records_wrap_whole();
	rings_fill_and_wait();
	rings_wake_when_the_consumer_waits();
	perf_samples();
	a_dead_writer_s_bucket_is_mended();
	every_refusal();
	hostile_attributes();
	return check_report();
}
