/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations of users on a map of ours and on one of the live kernel's: the same
 * results, the same values, and the same keys when both are walked.  Keys are few, so
 * that they meet; flags are mostly right.  Order is compared where Linux has one (arrays,
 * LPM).  An LRU map is never filled here: whom Linux evicts depends on its CPUs
 * (threads.c and model.c say what holds then).
 */
#include "abi/abi.h"
#include "kernel_maps.h"

enum { STEPS = 3000, VALUE_MAX = 64, CPUS_MAX = 512 };

struct pair {
	struct map_attr attr;
	struct map *map;
	int fd;
	u64 random;
	u32 step;
	u32 n_keys; /* different ones that are tried */
};

static u32 n_cpus;

static void wrong(const struct pair *p, const char *what, int want, int got)
{
	fprintf(stderr, "\t%s flags %#x, step %u: %s: kernel %d, we %d\n",
		map_type_name(p->attr.type), p->attr.flags, p->step, what, want, got);
}

static void same(const struct pair *p, const char *what, int want, int got)
{
	if (!CHECK(want == got))
		wrong(p, what, want, got);
}

/* A prefix of few bits, so that prefixes nest; now and then one that is too long. */
static void random_prefix(struct pair *p, u8 *key)
{
	static const u32 words[] = {0x0a000000, 0x0a010000, 0x0a018000, 0xc0a80000, 0};
	u32 bits = (p->attr.key_size - 4) * 8;
	u32 len = next_random(&p->random) % (bits + 1);

	memset(key, 0, p->attr.key_size);
	for (u32 i = 4; i < p->attr.key_size; i++)
		key[i] = (u8)(words[next_random(&p->random) % 5] >>
			      (24 - (i - 4) % 4 * 8));
	if (next_random(&p->random) % 64 == 0)
		len = bits + 1 + next_random(&p->random) % 3;
	store_u32(key, len);
}

static void random_key(struct pair *p, u8 *key)
{
	if (!p->attr.key_size)
		return;
	if (p->attr.type == MAP_TYPE_LPM_TRIE) {
		random_prefix(p, key);
		return;
	}
	memset(key, 0, p->attr.key_size);
	/* In the last byte too, so that the tails of long keys count. */
	key[p->attr.key_size - 1] =
		p->attr.key_size == 4 ? 0 : (u8)(next_random(&p->random) % 3);
	key[0] = (u8)(next_random(&p->random) % p->n_keys);
}

static u64 random_flags(struct pair *p)
{
	static const u64 flags[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 1ull << 40};

	return flags[next_random(&p->random) % ARRAY_SIZE(flags)];
}

static void lookup(struct pair *p, const u8 *key)
{
	static u8 want[VALUE_MAX * CPUS_MAX], got[VALUE_MAX * CPUS_MAX];
	static const u64 flags[] = {0, 0, 0, 0, 0, 4, 1, 8};
	u64 f = flags[next_random(&p->random) % ARRAY_SIZE(flags)];
	int a, b;

	memset(want, 0xee, sizeof(want));
	memset(got, 0xee, sizeof(got));
	a = kernel_map_op(BPF_MAP_LOOKUP_ELEM, p->fd, key, want, f);
	b = map_user_lookup(p->map, key, got, f);
	same(p, "lookup", a, b);
	if (!a && !b && !CHECK(!memcmp(want, got, sizeof(want))))
		wrong(p, "value", want[0], got[0]);
}

static void update(struct pair *p, const u8 *key)
{
	u8 value[VALUE_MAX * CPUS_MAX];
	u64 flags = random_flags(p);

	if (p->attr.type == MAP_TYPE_PROG_ARRAY ||
	    p->attr.type == MAP_TYPE_PERF_EVENT_ARRAY)
		return; /* the kernel's take descriptors */

	for (size_t i = 0; i < map_user_value_size(p->map); i++)
		value[i] = (u8)next_random(&p->random);
	same(p, "update", kernel_map_op(BPF_MAP_UPDATE_ELEM, p->fd, key, value, flags),
	     map_user_update(p->map, key, value, flags));
}

static void take(struct pair *p, const u8 *key)
{
	u8 want[VALUE_MAX * CPUS_MAX] = {0}, got[VALUE_MAX * CPUS_MAX] = {0};
	u64 flags = next_random(&p->random) % 4 ? 0 : random_flags(p);

	same(p, "lookup and delete",
	     kernel_map_op(BPF_MAP_LOOKUP_AND_DELETE_ELEM, p->fd, key, want, flags),
	     map_user_lookup_and_delete(p->map, key, got, flags));
	if (!CHECK(!memcmp(want, got, sizeof(want))))
		wrong(p, "value taken", want[0], got[0]);
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, 64);
}

enum { KEY_ROOM = 64, KEYS_MAX = 2048 };

static u32 walk(struct pair *p, bool kernel, u8 keys[KEYS_MAX][KEY_ROOM], int *end)
{
	u32 n = 0;
	u8 next[KEY_ROOM] = {0}, *key = NULL;

	while (n < KEYS_MAX) {
		*end = kernel ? kernel_map_op(BPF_MAP_GET_NEXT_KEY, p->fd, key, next, 0)
			      : map_user_next_key(p->map, key, next);
		if (*end)
			break;
		memcpy(keys[n], next, KEY_ROOM);
		key = keys[n++];
	}
	return n;
}

static void walk_both(struct pair *p)
{
	static u8 want[KEYS_MAX][KEY_ROOM], got[KEYS_MAX][KEY_ROOM];
	int a_end = 0, b_end = 0;
	u32 a = walk(p, true, want, &a_end), b = walk(p, false, got, &b_end);

	same(p, "end of keys", a_end, b_end);
	same(p, "number of keys", (int)a, (int)b);
	if (a != b)
		return;
	if (p->attr.type != MAP_TYPE_LPM_TRIE) {
		qsort(want, a, KEY_ROOM, compare_keys);
		qsort(got, a, KEY_ROOM, compare_keys);
	}
	if (!CHECK(!memcmp(want, got, a * KEY_ROOM)))
		wrong(p, "keys", 0, 0);
}

static bool is_hash(const struct pair *p)
{
	return p->attr.type == MAP_TYPE_HASH || p->attr.type == MAP_TYPE_PERCPU_HASH ||
	       p->attr.type == MAP_TYPE_LRU_HASH ||
	       p->attr.type == MAP_TYPE_LRU_PERCPU_HASH;
}

/* A key that is not there starts from the front, except in arrays.  Without an order of
 * keys, the last one of a hash differs. */
static void next_of(struct pair *p, const u8 *key)
{
	u8 want[KEY_ROOM] = {0}, got[KEY_ROOM] = {0};
	int a, b;

	a = kernel_map_op(BPF_MAP_GET_NEXT_KEY, p->fd, key, want, 0);
	b = map_user_next_key(p->map, key, got);
	if (map_user_lookup(p->map, key, (u8[VALUE_MAX * CPUS_MAX]){0}, 0) == 0 &&
	    is_hash(p))
		return;
	same(p, "next key", a, b);
	if (p->attr.type != MAP_TYPE_ARRAY && p->attr.type != MAP_TYPE_LPM_TRIE)
		return;
	if (!CHECK(!memcmp(want, got, sizeof(want))))
		wrong(p, "the key after", want[0], got[0]);
}

static void one(struct pair *p)
{
	u8 room[KEY_ROOM] = {0}, *key = p->attr.key_size ? room : NULL;

	random_key(p, key);
	switch (next_random(&p->random) % 12) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4: update(p, key); break;
	case 5:
	case 6:
	case 7: lookup(p, key); break;
	case 8:
	case 9:
		same(p, "delete", kernel_map_op(BPF_MAP_DELETE_ELEM, p->fd, key, NULL, 0),
		     map_user_delete(p->map, key));
		break;
	case 10: take(p, key); break;
	case 11: next_of(p, key); break;
	}
	if (p->step % 100 == 0 && p->attr.key_size)
		walk_both(p);
}

static void freeze(struct pair *p)
{
	/* 6.1 freezes maps that nobody may write, too, and says EBUSY the second time */
	if (kernel_version() < ABI_LINUX(6, 12))
		return;
	for (int i = 0; i < 2; i++)
		same(p, "freeze", kernel_map_freeze(p->fd), map_freeze(p->map));
	for (p->step = 0; p->step < 50; p->step++)
		one(p);
}

static void run(struct map_attr attr, u32 n_keys)
{
	struct pair p = {
		.attr = attr, .n_keys = n_keys, .random = attr.type * 1000 + n_keys};
	struct skep_diag diag = SKEP_DIAG_INIT;

	p.attr.n_cpus = n_cpus;
	p.fd = kernel_map_new(&p.attr, 0);
	if (!CHECK(!map_new(&p.attr, &p.map, &diag)) || !CHECK(p.fd >= 0)) {
		wrong(&p, diag.text, p.fd, 0);
		return;
	}
	for (p.step = 0; p.step < STEPS; p.step++)
		one(&p);
	freeze(&p);
	close(p.fd);
	map_put(p.map);
}

#define ATTR(t, key, value, entries, ...)                                                \
	(struct map_attr)                                                                \
	{                                                                                \
		.type = MAP_TYPE_##t, .key_size = key, .value_size = value,              \
		.max_entries = entries, __VA_ARGS__                                      \
	}

static void arrays(void)
{
	run(ATTR(ARRAY, 4, 1, 7), 9);
	run(ATTR(ARRAY, 4, 13, 7, .flags = MAP_MMAPABLE), 9);
	run(ATTR(ARRAY, 4, 16, 1), 2);
	run(ATTR(PERCPU_ARRAY, 4, 5, 3), 4);
	run(ATTR(PERCPU_ARRAY, 4, 8, 3), 4);
	run(ATTR(ARRAY, 4, 4, 3, .flags = MAP_RDONLY), 4);
	run(ATTR(ARRAY, 4, 4, 3, .flags = MAP_WRONLY), 4);
	run(ATTR(ARRAY, 4, 4, 3, .flags = MAP_RDONLY_PROG), 4);
	run(ATTR(PROG_ARRAY, 4, 4, 3), 5);
	run(ATTR(PERF_EVENT_ARRAY, 4, 4, 3), 5);
}

static void hashes(void)
{
	static const u32 sizes[] = {1, 3, 4, 5, 8, 12, 16, 17, 40};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		run(ATTR(HASH, sizes[i], 8, 13), 16);
		run(ATTR(HASH, sizes[i], 3, 5, .flags = MAP_NO_PREALLOC), 5);
		run(ATTR(PERCPU_HASH, sizes[i], 12, 13), 16);
		run(ATTR(LRU_HASH, sizes[i], 20, 4000), 40);
		run(ATTR(LRU_PERCPU_HASH, sizes[i], 4, 4000), 40);
	}
	run(ATTR(HASH, 4, 8, 1), 2);
	run(ATTR(PERCPU_HASH, 8, 64, 6, .flags = MAP_NO_PREALLOC), 6);
	run(ATTR(HASH, 4, 4, 3, .flags = MAP_RDONLY), 4);
	run(ATTR(HASH, 4, 4, 3, .flags = MAP_WRONLY | MAP_ZERO_SEED), 4);
}

static void tries(void)
{
	static const u32 sizes[] = {5, 6, 8, 12, 20, 41};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		run(ATTR(LPM_TRIE, sizes[i], 4, 1000, .flags = MAP_NO_PREALLOC), 1);
		run(ATTR(LPM_TRIE, sizes[i], 11, 4, .flags = MAP_NO_PREALLOC), 2);
	}
}

static void locked_values(void)
{
	run(ATTR(ARRAY, 4, 16, 3, .fields = lock_field, .n_fields = 1), 4);
	run(ATTR(HASH, 4, 16, 5, .fields = lock_field, .n_fields = 1), 7);
	run(ATTR(HASH, 4, 16, 5, .fields = lock_field, .n_fields = 1,
		 .flags = MAP_NO_PREALLOC),
	    7);
}

static void others(void)
{
	run(ATTR(RINGBUF, 0, 0, 4096), 1);
}

int main(void)
{
	const char *why = kernel_refuses();

	if (why) {
		printf("skipped: %s\n", why);
		return KERNEL_SKIP;
	}
	n_cpus = kernel_cpus();
	if (n_cpus > CPUS_MAX) {
		printf("skipped: %u CPUs are more than %d\n", n_cpus, CPUS_MAX);
		return KERNEL_SKIP;
	}
	arrays();
	hashes();
	tries();
	locked_values();
	others();
	return check_report();
}
