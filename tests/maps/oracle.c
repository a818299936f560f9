/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps nobody thought of: random attributes, then random operations of users on a map of
 * ours and on one of the live kernel's.  Results, errno, every byte that is written and
 * the keys of a walk must be the same.  A seed is one map of each type and its history,
 * which a failure prints with the command that repeats it.
 *
 *	oracle [SEED [SEEDS [SECONDS]]]: many for a long run
 *
 * An LRU map is never filled: whom Linux evicts depends on its CPUs.  Chosen attributes
 * and operations: attrs_kernel.c, ops_kernel.c.
 */
#include <sched.h>
#include <time.h>

#include "kernel_maps.h"

enum {
	STEPS = 400,
	KEY_MAX = 64,
	VALUE_MAX = 80,
	CPUS_MAX = 256,
	POOL = 24,  /* keys that are tried, so that they meet */
	INNERS = 3, /* maps or programs that slots may hold */
	COPY_MAX = VALUE_MAX * CPUS_MAX,
};

enum map_op { LOOKUP, UPDATE, DELETE, TAKE, NEXT, FREEZE, WALK };

static const char *const op_names[] = {
	"lookup", "update", "delete", "lookup and delete", "next key", "freeze", "walk"};

/* What was done, for the report. */
struct event {
	enum map_op op;
	u8 key[KEY_MAX];
	bool no_key;
	u64 flags;
	u32 inner;
	int want, got;
};

struct inner {
	int fd;
	u32 id;
	struct map *map; /* NULL: a program */
};

struct round {
	u64 seed, random;
	struct map_attr attr;
	struct map *map;
	int fd;
	u32 n_pool, n_events;
	u8 pool[POOL][KEY_MAX];
	struct event events[STEPS];
};

static u32 n_cpus;
static u64 n_ops;
/* Of maps, and of programs: all rounds share them, as the kernel frees them slowly. */
static struct inner inner_maps[INNERS], programs[INNERS];
static u8 want_copy[COPY_MAX], got_copy[COPY_MAX];

static u32 below(struct round *r, u32 n)
{
	return next_random(&r->random) % n;
}

static bool one_in(struct round *r, u32 n)
{
	return !below(r, n);
}

static bool is_array(u32 type)
{
	return type == MAP_TYPE_ARRAY || type == MAP_TYPE_PERCPU_ARRAY ||
	       type == MAP_TYPE_PROG_ARRAY || type == MAP_TYPE_ARRAY_OF_MAPS ||
	       type == MAP_TYPE_PERF_EVENT_ARRAY;
}

static bool holds_maps(u32 type)
{
	return type == MAP_TYPE_ARRAY_OF_MAPS || type == MAP_TYPE_HASH_OF_MAPS;
}

/* Slots hold what users name by descriptors. */
static bool holds_refs(u32 type)
{
	return holds_maps(type) || type == MAP_TYPE_PROG_ARRAY;
}

/* Keys come in an order that is Linux' too. */
static bool is_ordered(u32 type)
{
	return is_array(type) || type == MAP_TYPE_LPM_TRIE;
}

/* ---- reports ---- */

static void print_event(const struct round *r, const struct event *e)
{
	fprintf(stderr, "\t%s", op_names[e->op]);
	if (e->no_key)
		fprintf(stderr, " NULL");
	for (u32 i = 0; !e->no_key && i < r->attr.key_size; i++)
		fprintf(stderr, "%s%02x", i ? "" : " ", e->key[i]);
	fprintf(stderr, " flags %#llx inner %u: kernel %d, we %d\n",
		(unsigned long long)e->flags, e->inner, e->want, e->got);
}

static bool differ(const struct round *r, const char *what)
{
	const struct map_attr *a = &r->attr;

	fprintf(stderr,
		"%s is not the kernel's: %s key_size %u value_size %u max_entries %u "
		"flags %#x%s; repeat with: oracle %llu 1\n",
		what, map_type_name(a->type), a->key_size, a->value_size, a->max_entries,
		a->flags, a->n_fields ? " with a spin lock" : "",
		(unsigned long long)r->seed);
	for (u32 i = 0; i < r->n_events; i++)
		print_event(r, &r->events[i]);
	return false;
}

/* ---- random attributes ---- */

static u32 program_id(const void *ref)
{
	return ((const struct inner *)ref)->id;
}

static const struct map_ref_ops program_ops = {.id = program_id};

static u32 random_access(struct round *r)
{
	static const u32 access[] = {MAP_RDONLY, MAP_WRONLY, MAP_RDONLY_PROG,
				     MAP_WRONLY_PROG};

	return one_in(r, 4) ? access[below(r, ARRAY_SIZE(access))] : 0;
}

static u32 random_flags(struct round *r, u32 type)
{
	u32 flags = 0;

	if (type == MAP_TYPE_RINGBUF)
		return 0;
	if (type == MAP_TYPE_HASH || type == MAP_TYPE_PERCPU_HASH ||
	    type == MAP_TYPE_HASH_OF_MAPS)
		flags = below(r, 2) * MAP_NO_PREALLOC + below(r, 2) * MAP_ZERO_SEED;
	if (type == MAP_TYPE_LPM_TRIE)
		flags = MAP_NO_PREALLOC;
	if (type == MAP_TYPE_ARRAY)
		flags = below(r, 2) * MAP_MMAPABLE + one_in(r, 4) * MAP_INNER_MAP;
	if (type == MAP_TYPE_LRU_HASH || type == MAP_TYPE_LRU_PERCPU_HASH)
		flags = below(r, 2) * MAP_NO_COMMON_LRU + below(r, 2) * MAP_ZERO_SEED;
	if (type == MAP_TYPE_PERF_EVENT_ARRAY)
		flags = below(r, 2) * MAP_PRESERVE_ELEMS;
	if (one_in(r, 8)) /* node 0, which every machine has */
		flags |= MAP_NUMA_NODE;
	flags |= random_access(r);
	if (is_array(type) && type != MAP_TYPE_ARRAY && type != MAP_TYPE_PERCPU_ARRAY)
		flags &= ~(u32)(MAP_RDONLY_PROG | MAP_WRONLY_PROG);
	return flags;
}

static void random_attr(struct round *r, u32 type)
{
	static const struct map_attr inner = {
		.type = MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	static const u32 sizes[] = {1, 2, 3, 4, 4, 4, 5, 7, 8, 8, 12, 16, 17, 24, 40, 64};
	struct map_attr *a = &r->attr;

	*a = (struct map_attr){
		.type = type,
		.key_size = is_array(type) ? 4 : sizes[below(r, ARRAY_SIZE(sizes))],
		.value_size = holds_refs(type) || type == MAP_TYPE_PERF_EVENT_ARRAY
				      ? 4
				      : 1 + below(r, VALUE_MAX),
		.max_entries = 1 + below(r, one_in(r, 2) ? 4 : 2 * POOL),
		.flags = random_flags(r, type),
		.n_cpus = n_cpus,
		.inner = &inner,
		.refs = &program_ops,
	};
	if (type == MAP_TYPE_LPM_TRIE)
		a->key_size += 4 - a->key_size / 61 * 4;
	if (type == MAP_TYPE_LRU_HASH || type == MAP_TYPE_LRU_PERCPU_HASH)
		a->max_entries = 4000;
	if (type == MAP_TYPE_RINGBUF) {
		a->key_size = a->value_size = 0;
		a->max_entries = 4096;
	}
	if ((type == MAP_TYPE_ARRAY || type == MAP_TYPE_HASH) && one_in(r, 3)) {
		a->key_size = 4; /* of lock_btf() */
		a->value_size = sizeof(struct lock_value);
		a->fields = lock_field;
		a->n_fields = 1;
		a->flags &= ~(u32)(MAP_RDONLY_PROG | MAP_WRONLY_PROG);
	}
}

/* ---- random keys ---- */

/* Few bits differ, so that prefixes nest; some are longer than a key can be. */
static void random_prefix(struct round *r, u8 *key)
{
	u32 bits = (r->attr.key_size - 4) * 8, len = below(r, bits + 1);

	if (one_in(r, 8))
		len = one_in(r, 2) ? 0 : bits;
	if (one_in(r, 32))
		len = one_in(r, 2) ? bits + 1 : ~0u;
	for (u32 i = 4; i < r->attr.key_size; i++)
		key[i] =
			one_in(r, 3) ? (u8)(1u << below(r, 8)) : (u8)(below(r, 2) * 0xff);
	if (!one_in(r, 4)) /* the bits behind the prefix, which do not count */
		for (u32 i = len; i < bits; i++)
			key[4 + i / 8] &= (u8) ~(0x80u >> i % 8);
	store_u32(key, len);
}

static void random_key(struct round *r, u8 *key)
{
	static const u32 edges[] = {0x7fffffff, 0x80000000, 0xffffffff};
	const struct map_attr *a = &r->attr;

	if (a->type == MAP_TYPE_LPM_TRIE)
		random_prefix(r, key);
	else if (is_array(a->type))
		store_u32(key, one_in(r, 12) ? edges[below(r, 3)]
					     : below(r, a->max_entries + 2));
	else
		for (u32 i = 0; i < a->key_size; i++)
			key[i] = one_in(r, 4) ? (u8)next_random(&r->random)
					      : (u8)(below(r, 2) * 0xff);
}

/* ---- operations ---- */

static u64 random_update_flags(struct round *r)
{
	static const u64 odd[] = {3, 4, 5, 6, 7, 8, 1ull << 32, ~0ull};

	return one_in(r, 6) ? odd[below(r, ARRAY_SIZE(odd))] : below(r, 3);
}

static u64 random_lookup_flags(struct round *r)
{
	static const u64 odd[] = {1, 2, 4, 8, 1ull << 32};

	return one_in(r, 4) ? odd[below(r, ARRAY_SIZE(odd))] : 0;
}

static const void *key_of(const struct round *r, const struct event *e)
{
	return r->attr.key_size && !e->no_key ? e->key : NULL;
}

static void clear_copies(void)
{
	/* What nobody writes has to stay, so both start the same. */
	memset(want_copy, 0xee, sizeof(want_copy));
	memset(got_copy, 0xee, sizeof(got_copy));
}

static void look_up(struct round *r, struct event *e)
{
	e->flags = random_lookup_flags(r);
	e->want = kernel_map_op(BPF_MAP_LOOKUP_ELEM, r->fd, key_of(r, e), want_copy,
				e->flags);
	e->got = map_user_lookup(r->map, key_of(r, e), got_copy, e->flags);
}

static void take(struct round *r, struct event *e)
{
	e->flags = random_lookup_flags(r);
	e->want = kernel_map_op(BPF_MAP_LOOKUP_AND_DELETE_ELEM, r->fd, key_of(r, e),
				want_copy, e->flags);
	e->got = map_user_lookup_and_delete(r->map, key_of(r, e), got_copy, e->flags);
}

static void put_ref(struct round *r, struct event *e)
{
	const struct inner *inner =
		(holds_maps(r->attr.type) ? inner_maps : programs) + below(r, INNERS);

	e->inner = inner->id;
	e->want = kernel_map_op(BPF_MAP_UPDATE_ELEM, r->fd, key_of(r, e), &inner->fd,
				e->flags);
	e->got =
		map_update_ref(r->map, key_of(r, e),
			       inner->map ? (void *)inner->map : (void *)inner, e->flags);
}

static void update(struct round *r, struct event *e)
{
	static u8 value[COPY_MAX];
	u64 size = map_user_value_size(r->map);

	e->flags = random_update_flags(r);
	if (holds_refs(r->attr.type)) {
		put_ref(r, e);
		return;
	}
	for (u64 i = 0; i < size; i++)
		value[i] = (u8)next_random(&r->random);
	do /* without preallocation, Linux may be short of memory for a moment */
		e->want = kernel_map_op(BPF_MAP_UPDATE_ELEM, r->fd, key_of(r, e), value,
					e->flags);
	while (e->want == -ENOMEM && !sched_yield());
	e->got = map_user_update(r->map, key_of(r, e), value, e->flags);
}

/* The key after one that is there is compared where there is an order. */
static void next_key(struct round *r, struct event *e)
{
	bool there;

	e->no_key = one_in(r, 8);
	there = !e->no_key && !map_user_lookup(r->map, key_of(r, e), got_copy, 0);
	clear_copies();
	e->want = kernel_map_op(BPF_MAP_GET_NEXT_KEY, r->fd, key_of(r, e), want_copy, 0);
	e->got = map_user_next_key(r->map, key_of(r, e), got_copy);
	if (is_ordered(r->attr.type))
		return;
	if (there)
		e->got = e->want;
	clear_copies();
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_MAX);
}

enum { WALK_MAX = STEPS + 1 };

static int next(struct round *r, bool kernel, const u8 *key, u8 *out)
{
	if (kernel)
		return kernel_map_op(BPF_MAP_GET_NEXT_KEY, r->fd, key, out, 0);
	return map_user_next_key(r->map, key, out);
}

/* The keys in order; *err: how the walk ended. */
static u32 walk(struct round *r, bool kernel, u8 keys[][KEY_MAX], int *err)
{
	const u8 *key = NULL;
	u32 n = 0;

	memset(keys, 0, WALK_MAX * KEY_MAX);
	while (n < WALK_MAX && !(*err = next(r, kernel, key, keys[n])))
		key = keys[n++];
	if (!is_ordered(r->attr.type))
		qsort(keys, n, KEY_MAX, compare_keys);
	return n;
}

static bool walk_both(struct round *r, struct event *e)
{
	static u8 want[WALK_MAX][KEY_MAX], got[WALK_MAX][KEY_MAX];
	u32 n_want = walk(r, true, want, &e->want), n_got = walk(r, false, got, &e->got);

	return n_want == n_got && !memcmp(want, got, (size_t)n_want * KEY_MAX);
}

static bool do_op(struct round *r, struct event *e)
{
	switch (e->op) {
	case LOOKUP: look_up(r, e); break;
	case UPDATE: update(r, e); break;
	case DELETE:
		e->want =
			kernel_map_op(BPF_MAP_DELETE_ELEM, r->fd, key_of(r, e), NULL, 0);
		e->got = map_user_delete(r->map, key_of(r, e));
		break;
	case TAKE: take(r, e); break;
	case NEXT: next_key(r, e); break;
	case FREEZE:
		e->want = kernel_map_freeze(r->fd);
		e->got = map_freeze(r->map);
		break;
	case WALK: return walk_both(r, e);
	}
	return true;
}

static enum map_op random_op(struct round *r)
{
	static const enum map_op ops[] = {LOOKUP, LOOKUP, LOOKUP, UPDATE, UPDATE,
					  UPDATE, UPDATE, UPDATE, UPDATE, DELETE,
					  DELETE, TAKE,   NEXT,   NEXT};

	if (one_in(r, 1500))
		return FREEZE;
	if (one_in(r, 40) && r->attr.key_size)
		return WALK;
	return ops[below(r, ARRAY_SIZE(ops))];
}

/* One operation on both. */
static bool step(struct round *r)
{
	struct event *e = &r->events[r->n_events++];
	bool same;

	*e = (struct event){.op = random_op(r)};
	/* Descriptors of events are not made here. */
	if (e->op == UPDATE && r->attr.type == MAP_TYPE_PERF_EVENT_ARRAY)
		e->op = DELETE;
	memcpy(e->key, r->pool[below(r, r->n_pool)], KEY_MAX);
	clear_copies();
	same = do_op(r, e);
	n_ops++;
	if (!CHECK(e->want == e->got))
		return differ(r, op_names[e->op]);
	if (!CHECK(same && !memcmp(want_copy, got_copy, sizeof(want_copy))))
		return differ(r, e->op == WALK ? "the walk" : "the copy");
	return true;
}

static u32 steps_of(u32 type)
{
	/* After a change of inner maps Linux waits until no program uses the old one. */
	return holds_maps(type) ? STEPS / 16 : STEPS;
}

static bool make_maps(struct round *r, u32 type)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	int err;

	random_attr(r, type);
	r->fd = kernel_map_new(&r->attr, inner_maps[0].fd);
	err = map_new(&r->attr, &r->map, &diag);
	if (CHECK((r->fd < 0 ? r->fd : 0) == err))
		return !err;
	fprintf(stderr, "kernel %d, we %d %s: ", r->fd, err, diag.text);
	return differ(r, "creation");
}

static bool one_round(u64 seed, u32 type)
{
	static struct round r;
	bool good = true;

	memset(&r, 0, sizeof(r));
	r.seed = seed;
	r.random = (seed * 64 + type) * 0x9e3779b97f4a7c15ull;
	if (make_maps(&r, type)) {
		r.n_pool = 1 + below(&r, POOL);
		for (u32 i = 0; i < r.n_pool; i++)
			random_key(&r, r.pool[i]);
		while (good && r.n_events < steps_of(type))
			good = step(&r);
	}
	if (r.fd >= 0)
		close(r.fd);
	map_put(r.map);
	return good;
}

/* ---- what slots hold ---- */

static u32 kernel_id(int fd, bool map)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
	} info = {0};
	union bpf_attr attr = {
		.info = {.bpf_fd = (u32)fd,
			 .info_len = map ? sizeof(info.map) : sizeof(info.prog),
			 .info = (u64)(uintptr_t)&info}};

	CHECK(!kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr));
	return map ? info.map.id : info.prog.id;
}

/* Ours have the kernel's ids, as ids are what users read. */
static void make_inner(u32 i)
{
	const struct insn insns[] = {{.code = 0xb7}, {.code = 0x95}};
	struct map_attr attr = {.type = MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1,
				.n_cpus = n_cpus};

	inner_maps[i].fd = kernel_map_new(&attr, 0);
	attr.id = inner_maps[i].id = kernel_id(inner_maps[i].fd, true);
	CHECK_INT(map_new(&attr, &inner_maps[i].map, NULL), 0);
	programs[i].fd = kernel_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, 2, NULL, 0);
	programs[i].id = kernel_id(programs[i].fd, false);
}

static void drop_inner(u32 i)
{
	close(inner_maps[i].fd);
	close(programs[i].fd);
	map_put(inner_maps[i].map);
}

static double passed(void)
{
	static struct timespec start;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!start.tv_sec)
		start = now;
	return (double)(now.tv_sec - start.tv_sec) +
	       (double)(now.tv_nsec - start.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	static const u32 types[] = {
		MAP_TYPE_ARRAY,
		MAP_TYPE_PERCPU_ARRAY,
		MAP_TYPE_HASH,
		MAP_TYPE_PERCPU_HASH,
		MAP_TYPE_LRU_HASH,
		MAP_TYPE_LRU_PERCPU_HASH,
		MAP_TYPE_LPM_TRIE,
		MAP_TYPE_PROG_ARRAY,
		MAP_TYPE_ARRAY_OF_MAPS,
		MAP_TYPE_HASH_OF_MAPS,
		MAP_TYPE_PERF_EVENT_ARRAY,
		MAP_TYPE_RINGBUF,
	};
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u64 end = seed + (argc > 2 ? strtoull(argv[2], NULL, 0) : 25);
	u64 first = seed;
	double seconds = argc > 3 ? strtod(argv[3], NULL) : 1e9;
	const char *why = kernel_refuses();
	u32 bad = 0;

	n_cpus = kernel_cpus();
	if (why || n_cpus > CPUS_MAX) {
		printf("skipped: %s\n", why ? why : "too many CPUs");
		return KERNEL_SKIP;
	}
	for (u32 i = 0; i < INNERS; i++)
		make_inner(i);
	for (; seed < end && bad < 10 && passed() < seconds; seed++)
		for (u32 i = 0; i < ARRAY_SIZE(types); i++)
			bad += !one_round(seed, types[i]);
	for (u32 i = 0; i < INNERS; i++)
		drop_inner(i);
	printf("seeds %llu to %llu: %llu operations in %.1f s\n",
	       (unsigned long long)first, (unsigned long long)seed - 1,
	       (unsigned long long)n_ops, passed());
	return check_report();
}
