/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What map_new() refuses, and with which errno, is what the live kernel refuses: each
 * type with sizes around every limit, every flag, and pairs of them.  Sizes that the
 * kernel would have to allocate are left out.  Where the kernel is out of memory, or
 * skep lacks the type, nothing is compared.
 */
#include "abi/abi.h"
#include "kernel_maps.h"

#define T(name, number, major, minor, ops) [number] = #ops,
static const char *const families[] = {
#include "abi/map_types.def"
};
#undef T

static u32 n_cpus, compared;

static struct map_attr usual(u32 type)
{
	struct map_attr a = {.type = type,
			     .key_size = 4,
			     .value_size = 4,
			     .max_entries = 2,
			     .n_cpus = n_cpus};

	if (type == MAP_TYPE_LPM_TRIE)
		a.key_size = 8, a.flags = MAP_NO_PREALLOC;
	if (type == MAP_TYPE_RINGBUF)
		a.key_size = a.value_size = 0, a.max_entries = 4096;
	if (type == MAP_TYPE_ARENA)
		a.key_size = a.value_size = 0, a.flags = MAP_MMAPABLE;
	return a;
}

static bool skip(const struct map_attr *a)
{
	return a->type < ARRAY_SIZE(families) && families[a->type] &&
	       !strcmp(families[a->type], "none");
}

static void compare(const struct map_attr *a)
{
	struct map_attr inner = {
		.type = MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct map_attr ours = *a;
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;
	int want, got, inner_fd = 0;

	if (skip(a))
		return;
	if (a->type == MAP_TYPE_ARRAY_OF_MAPS || a->type == MAP_TYPE_HASH_OF_MAPS) {
		if (a->inner)
			inner = *a->inner;
		inner_fd = kernel_map_new(&inner, 0);
		ours.inner = &inner;
	}
	want = kernel_map_new(a, inner_fd);
	if (want == -MAP_ENOTSUPP && a->n_fields && kernel_version() < ABI_LINUX(6, 2))
		want = -EOPNOTSUPP; /* where a lock cannot be */
	got = map_new(&ours, &map, &diag);
	if (want == -ENOMEM)
		goto out;
	compared++;
	if (!CHECK((want < 0 ? want : 0) == got))
		fprintf(stderr,
			"\t%s key %u value %u entries %u flags %#x extra %llu name %s: "
			"kernel %d, we %d: %s\n",
			map_type_name(a->type) ? map_type_name(a->type) : "?",
			a->key_size, a->value_size, a->max_entries, a->flags,
			(unsigned long long)a->extra, a->name ? a->name : "-", want, got,
			diag.text);
	CHECK(!got || (diag.id && diag.text[0]));
out:
	map_put(map);
	if (want >= 0)
		close(want);
	if (inner_fd > 0)
		close(inner_fd);
}

static void sizes(u32 type)
{
	static const u32 keys[] = {0,   1,   3,   4,       5,        8,  16,
				   260, 261, 512, 4 << 20, 1u << 31, ~0u};
	static const u32 values[] = {0,       1,        3,       5,     8,
				     32760,   32761,    32768,   32769, (4 << 20) - 300,
				     4 << 20, 1u << 31, ~0u - 8, ~0u};
	static const u32 entries[] = {0, 1, 3, 4095, 4096, 8192, 12288};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct map_attr a = usual(type);

		a.key_size = keys[i];
		compare(&a);
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			a.value_size = values[j];
			compare(&a);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		struct map_attr a = usual(type);

		a.max_entries = entries[i];
		compare(&a);
	}
}

/* The last byte that fits: the kernel's own words beside an element are known. */
static void limits(u32 type)
{
	struct map_attr a = usual(type);

	for (u32 below = 0; below < 400; below += 1) {
		a.value_size = (4u << 20) - below;
		a.max_entries = 1;
		compare(&a);
	}
}

static void huge_tables(void)
{
	static const u32 entries[] = {(1u << 31) + 1, 1u << 31,       (1u << 28) - 1,
				      (1u << 28),     (1u << 27) + 1, ~0u};
	static const u32 types[] = {MAP_TYPE_HASH, MAP_TYPE_PERCPU_HASH,
				    MAP_TYPE_HASH_OF_MAPS};

	for (size_t t = 0; t < ARRAY_SIZE(types); t++)
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			struct map_attr a = usual(types[t]);

			a.max_entries = entries[i];
			a.flags = MAP_NO_PREALLOC;
			compare(&a);
		}
}

static void all_flags(u32 type)
{
	struct map_attr a = usual(type);

	a.flags = 0;
	compare(&a);
	for (u32 i = 0; i < 24; i++)
		for (u32 j = i; j < 24; j++) {
			u32 pair = 1u << i | 1u << j;

			if (pair & (MAP_TOKEN_FD | MAP_VTYPE_BTF_OBJ_FD))
				continue; /* of bpf(2), with fields that maps do not have
					   */
			a.flags = pair;
			compare(&a);
			a.flags = pair | MAP_NO_PREALLOC;
			compare(&a);
		}
}

static void names_and_extra(u32 type)
{
	static const char *const names[] = {"", "a.b_C9", "a-b", "a b",
					    "fifteen_letters"};
	struct map_attr a = usual(type);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		a.name = names[i];
		compare(&a);
	}
	a.name = NULL;
	a.extra = 1;
	compare(&a);
}

static void inner_maps(u32 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		struct map_attr inner = usual(i), a = usual(type);

		if (skip(&inner) || !i || i == MAP_TYPE_ARRAY_OF_MAPS ||
		    i == MAP_TYPE_HASH_OF_MAPS)
			continue; /* nested ones: below, the kernel's need a map of their
				     own */
		a.inner = &inner;
		compare(&a);
	}
}

static void spin_locks(u32 type)
{
	struct map_attr a = usual(type);

	a.value_size = sizeof(struct lock_value);
	a.fields = lock_field;
	a.n_fields = 1;
	compare(&a);
	a.flags |= MAP_RDONLY_PROG;
	compare(&a);
}

int main(void)
{
	const char *why = kernel_refuses();

	if (why) {
		printf("skipped: %s\n", why);
		return KERNEL_SKIP;
	}
	n_cpus = kernel_cpus();
	for (u32 type = 0; type < 40; type++) {
		sizes(type);
		all_flags(type);
		names_and_extra(type);
	}
	limits(MAP_TYPE_HASH);
	limits(MAP_TYPE_LRU_HASH);
	/* before, an element could be some bytes smaller */
	if (kernel_version() >= ABI_LINUX(6, 18))
		limits(MAP_TYPE_LPM_TRIE);
	huge_tables();
	inner_maps(MAP_TYPE_ARRAY_OF_MAPS);
	inner_maps(MAP_TYPE_HASH_OF_MAPS);
	for (u32 type = 0; type < MAP_TYPE_RINGBUF; type++)
		if (type != MAP_TYPE_LPM_TRIE && type != MAP_TYPE_PROG_ARRAY &&
		    type != MAP_TYPE_ARRAY_OF_MAPS && type != MAP_TYPE_HASH_OF_MAPS &&
		    type != MAP_TYPE_PERF_EVENT_ARRAY)
			spin_locks(type);
	printf("%u attributes compared\n", compared);
	return check_report();
}
