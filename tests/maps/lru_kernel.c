/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LRU maps that are full: whom they evict is Linux' choice and ours, but what must hold
 * then is the same.  The same random operations go to both maps, and each is judged by
 * these rules:
 *
 *	what was just put in is found, with its value; what is found has the value it was
 *	given last; what was deleted is gone; no more keys than max_entries; a walk gives
 *	each key once, and only keys that may be there; errno says whether the key was
 *	there, but for the element that makes room for its own update.
 *
 *	lru_kernel [SEED [SEEDS]]
 */
#include "kernel_maps.h"

enum { STEPS = 1500, KEYS_MAX = 512, CPUS_MAX = 256 };

struct side {
	const char *name;
	int fd;             /* of the kernel's, or -1 */
	struct map *map;    /* ours, or NULL */
	u64 last[KEYS_MAX]; /* value given last */
	bool may_have[KEYS_MAX];
	u32 evictions;
};

struct round {
	u64 seed, random;
	struct map_attr attr;
	u32 n_keys, step;
	struct side sides[2];
};

static u32 n_cpus;
static u64 copy[CPUS_MAX];

static u32 below(struct round *r, u32 n)
{
	return next_random(&r->random) % n;
}

static int op(const struct side *s, int cmd, const u32 *key, void *value, u64 flags)
{
	if (!s->map)
		return kernel_map_op(cmd, s->fd, key, value, flags);
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM: return map_user_lookup(s->map, key, value, flags);
	case BPF_MAP_UPDATE_ELEM: return map_user_update(s->map, key, value, flags);
	case BPF_MAP_DELETE_ELEM: return map_user_delete(s->map, key);
	case BPF_MAP_GET_NEXT_KEY: return map_user_next_key(s->map, key, value);
	}
	return -EINVAL;
}

static void must(const struct round *r, const struct side *s, bool holds,
		 const char *what, int got)
{
	if (CHECK(holds))
		return;
	fprintf(stderr,
		"\t%s, %s: %s (%d): flags %#x, %u entries, step %u; repeat with: "
		"lru_kernel %llu 1\n",
		s->name, map_type_name(r->attr.type), what, got, r->attr.flags,
		r->attr.max_entries, r->step, (unsigned long long)r->seed);
}

/* Is the key there?  If so, its value is the last one. */
static bool present(struct round *r, struct side *s, u32 key)
{
	int err = op(s, BPF_MAP_LOOKUP_ELEM, &key, copy, 0);
	u32 copies = r->attr.type == MAP_TYPE_LRU_PERCPU_HASH ? n_cpus : 1;

	must(r, s, err == 0 || err == -ENOENT, "look-up", err);
	must(r, s, err || s->may_have[key], "a key that was not put in", 0);
	for (u32 i = 0; !err && i < copies; i++)
		must(r, s, copy[i] == s->last[key] + i, "the value", (int)i);
	if (err && s->may_have[key]) {
		s->evictions++;
		s->may_have[key] = false;
	}
	return !err;
}

static void update(struct round *r, struct side *s, u32 key, u64 value, u64 flags)
{
	bool was = present(r, s, key);
	int err;

	for (u32 i = 0; i < n_cpus; i++)
		copy[i] = value + i;
	err = op(s, BPF_MAP_UPDATE_ELEM, &key, copy, flags);
	if (flags == MAP_NOEXIST)
		must(r, s, err == 0 || (err == -EEXIST && was), "update NOEXIST", err);
	else if (flags == MAP_EXIST)
		must(r, s, was ? !err || err == -ENOENT : err == -ENOENT, "update EXIST",
		     err);
	else
		must(r, s, !err, "update", err);
	if (err)
		return;
	s->last[key] = value;
	s->may_have[key] = true;
	must(r, s, present(r, s, key), "what was put in is not there", 0);
}

static void delete (struct round *r, struct side *s, u32 key)
{
	int want = present(r, s, key) ? 0 : -ENOENT;

	must(r, s, op(s, BPF_MAP_DELETE_ELEM, &key, NULL, 0) == want, "delete", want);
	s->may_have[key] = false;
	must(r, s, !present(r, s, key), "what was deleted is there", 0);
}

/* With a list for each CPU, all have the same number of entries. */
static u32 room(const struct round *r)
{
	u32 n = r->attr.max_entries;

	return r->attr.flags & MAP_NO_COMMON_LRU ? (n + n_cpus - 1) / n_cpus * n_cpus : n;
}

static void walk(struct round *r, struct side *s)
{
	bool seen[KEYS_MAX] = {0};
	u32 key = 0, *last = NULL, n = 0;

	while (n <= KEYS_MAX && !op(s, BPF_MAP_GET_NEXT_KEY, last, &key, 0)) {
		must(r, s, key < r->n_keys && !seen[key], "a key of the walk", (int)key);
		seen[key % KEYS_MAX] = true;
		must(r, s, present(r, s, key % KEYS_MAX), "a key that is not there",
		     (int)key);
		last = &key;
		n++;
	}
	must(r, s, n <= room(r), "more keys than entries", (int)n);
}

static void step(struct round *r)
{
	u32 what = below(r, 20), key = below(r, r->n_keys);
	u64 value = next_random(&r->random), flags = below(r, 6) ? 0 : 1 + below(r, 2);

	for (u32 i = 0; i < 2; i++) {
		struct side *s = &r->sides[i];

		if (what < 12)
			update(r, s, key, value, flags);
		else if (what < 16)
			present(r, s, key);
		else if (what < 19)
			delete (r, s, key);
		else if (r->step % 8 == 0)
			walk(r, s);
	}
}

static void one_round(u64 seed)
{
	static const u32 entries[] = {1, 2, 3, 8, 20, 100};
	static struct round r;
	struct skep_diag diag = SKEP_DIAG_INIT;

	memset(&r, 0, sizeof(r));
	r.seed = seed;
	r.random = seed * 0x9e3779b97f4a7c15ull;
	r.attr = (struct map_attr){.type = below(&r, 2) ? MAP_TYPE_LRU_HASH
							: MAP_TYPE_LRU_PERCPU_HASH,
				   .key_size = 4,
				   .value_size = 8,
				   .max_entries = entries[below(&r, ARRAY_SIZE(entries))],
				   .flags = below(&r, 2) ? MAP_NO_COMMON_LRU : 0,
				   .n_cpus = n_cpus};
	r.n_keys = r.attr.max_entries * 4;
	r.sides[0] = (struct side){.name = "kernel", .fd = kernel_map_new(&r.attr, 0)};
	r.sides[1] = (struct side){.name = "we", .fd = -1};
	if (!CHECK(!map_new(&r.attr, &r.sides[1].map, &diag)) ||
	    !CHECK(r.sides[0].fd >= 0))
		return;
	for (; r.step < STEPS; r.step++)
		step(&r);
	/* a map that is never full would test nothing */
	for (u32 i = 0; i < 2; i++)
		must(&r, &r.sides[i], r.sides[i].evictions, "nothing was evicted", 0);
	close(r.sides[0].fd);
	map_put(r.sides[1].map);
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u64 end = seed + (argc > 2 ? strtoull(argv[2], NULL, 0) : 60);
	const char *why = kernel_refuses();

	n_cpus = kernel_cpus();
	if (why || n_cpus > CPUS_MAX) {
		printf("skipped: %s\n", why ? why : "too many CPUs");
		return KERNEL_SKIP;
	}
	for (; seed < end && check_failed < 10; seed++)
		one_round(seed);
	return check_report();
}
