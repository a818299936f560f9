/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: which pages are there, what is refused, where the user finds them.  What
 * programs see of it: tests/cases/exec/arenas.bpf.c.
 */
#include <pthread.h>

#include "base/diag.h"
#include "check.h"
#include "maps/map.h"
#include "maps/memory.h"

enum { PAGES = 16 };

static struct map_attr attr_of(u32 pages)
{
	return (struct map_attr){
		.type = MAP_TYPE_ARENA, .max_entries = pages, .flags = MAP_MMAPABLE};
}

static struct map *new_arena(const struct map_attr *attr)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	CHECK_INT(map_new(attr, &map, &diag), 0);
	CHECK_STR(diag.text, "");
	return map;
}

static u64 page(const struct map *map, u32 n)
{
	return map_arena_state(map)->user + (u64)n * ARENA_PAGE;
}

/* The best fit among free pages, then the first. */
static void pages_come_and_go(void)
{
	struct map_attr attr = attr_of(PAGES);
	struct map *map = new_arena(&attr);

	if (!map)
		return;
	CHECK_INT(map_arena_alloc(map, 0, 3), page(map, 0));
	CHECK_INT(map_arena_alloc(map, 0, 1), page(map, 3));
	CHECK_INT(map_arena_alloc(map, 0, 2), page(map, 4));
	map_arena_free(map, page(map, 0), 3);
	map_arena_free(map, page(map, 4), 1);
	CHECK_INT(map_arena_alloc(map, 0, 1), page(map, 4));
	CHECK_INT(map_arena_alloc(map, 0, 4), page(map, 6));
	CHECK_INT(map_arena_alloc(map, page(map, 1), 1), page(map, 1));
	CHECK_INT(map_arena_alloc(map, page(map, 0), 2), 0);
	CHECK_INT(map_arena_alloc(map, page(map, 0), 1), page(map, 0));
	CHECK_INT(map_arena_alloc(map, 0, 7), 0);
	CHECK_INT(map_arena_alloc(map, 0, 6), page(map, 10));
	CHECK_INT(map_arena_alloc(map, 0, 1), page(map, 2));
	CHECK_INT(map_arena_alloc(map, 0, 1), 0);
	/* what lies outside is left alone */
	map_arena_free(map, page(map, PAGES), 1);
	map_arena_free(map, page(map, 0) - ARENA_PAGE, 2);
	map_arena_free(map, page(map, 15), 4000000000u);
	CHECK_INT(map_arena_alloc(map, 0, 1), page(map, 15));
	CHECK_INT(map_arena_alloc(map, 0, UINT32_MAX), 0);
	CHECK_INT(map_arena_reserve(map, page(map, 2), 1), -EBUSY);
	CHECK_INT(map_arena_reserve(map, page(map, 15), 2), -EINVAL);
	map_put(map);
}

static void users_make_pages(void)
{
	struct map_attr attr = attr_of(PAGES);
	struct map *map = new_arena(&attr);
	u8 *mine;

	if (!map)
		return;
	mine = map_arena_touch(map, page(map, 2) + 4095, 2);
	if (CHECK(mine))
		mine[0] = mine[1] = 7;
	CHECK((u64)(uintptr_t)mine == page(map, 2) + 4095);
	CHECK_INT(map_arena_alloc(map, page(map, 3), 1), 0);
	CHECK_INT(map_arena_alloc(map, 0, 2), page(map, 0));
	map_arena_free(map, page(map, 2), 1);
	CHECK(mine[0] == 0 && mine[1] == 7);
	CHECK(!map_arena_touch(map, page(map, PAGES), 1));
	CHECK(!map_arena_touch(map, page(map, PAGES - 1), ARENA_PAGE + 1));
	CHECK(!map_arena_touch(map, page(map, 0) - 1, 2));
	CHECK(!map_arena_touch(map, page(map, 1), UINT64_MAX));
	map_put(map);

	attr.flags |= MAP_SEGV_ON_FAULT;
	map = new_arena(&attr);
	CHECK(map && !map_arena_touch(map, page(map, 0), 1));
	CHECK(map && map_arena_alloc(map, 0, 1) && map_arena_touch(map, page(map, 0), 1));
	map_put(map);
}

/* Pages of the system may be larger than those of arenas. */
static void what_lies_beside_is_not_cleared(void)
{
	u64 system = map_page_size(), size = 4 * system;
	const u64 ranges[][2] = {{system / 4, system / 4},
				 {system, system / 2},
				 {system / 2, system},
				 {system - 8, 2 * system + 16},
				 {0, 2 * system}};
	u8 *mem = map_memory_new(size);

	if (!CHECK(mem != NULL))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		u64 from = ranges[i][0], wrong = 0;

		memset(mem, 7, size);
		map_memory_clear(mem + from, ranges[i][1]);
		for (u64 at = 0; at < size; at++)
			wrong += mem[at] != (at - from < ranges[i][1] ? 0 : 7);
		CHECK_INT(wrong, 0);
	}
	map_memory_free(mem, size);
}

/* Two arenas cannot have it: the second works all the same.  Nothing else lies there, and
 * the thread sanitizer lets programs have it. */
static void the_address_is_what_was_asked_for(void)
{
	const u64 place = 0x7e9ull << 36;
	struct map_attr attr = attr_of(PAGES);
	struct map *one, *two;

	attr.extra = place + 0xfffe0000;
	one = new_arena(&attr);
	two = new_arena(&attr);
	if (one && two) {
		u8 *mine = map_arena_touch(two, attr.extra + 5, 1);

		CHECK_INT(map_arena_alloc(one, 0, 1), attr.extra);
		CHECK_INT(map_arena_cast(one, 1 << 16, 0xfffe0001), place + 0xfffe0001);
		CHECK_INT(map_arena_cast(one, 1 << 16, 1ull << 32), 0);
		CHECK_INT(map_arena_cast(one, 1, attr.extra), 0xfffe0000);
		CHECK(mine == map_arena_window(two) + 0xfffe0005);
	}
	map_put(one);
	map_put(two);
}

static void is_refused(struct map_attr attr, int err)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	CHECK_INT(map_new(&attr, &map, &diag), err);
	CHECK(diag.id && !map);
}

static void what_linux_refuses(void)
{
	struct map_attr attr = attr_of(PAGES);

	attr.flags = 0;
	is_refused(attr, -EINVAL);
	attr = attr_of(0);
	is_refused(attr, -EINVAL);
	attr = attr_of((1 << 20) + 1);
	is_refused(attr, -E2BIG);
	attr = attr_of(PAGES);
	attr.key_size = 4;
	is_refused(attr, -EINVAL);
	attr.key_size = 0;
	attr.extra = 1 << 10;
	is_refused(attr, -EINVAL);
	attr.extra = (1ull << 45) - ARENA_PAGE;
	is_refused(attr, -ERANGE);
}

/* All of it, from many threads: nobody gets a page that another one has. */
enum { THREADS = 4, EACH = 300 };

static void *take_pages(void *arg)
{
	struct map *map = arg;

	for (u32 i = 0; i < EACH; i++) {
		u64 at = map_arena_alloc(map, 0, 1 + i % 3);
		u8 *mine = at ? map_arena_touch(map, at, 1) : NULL;

		if (!CHECK(mine && !*mine))
			return NULL;
		*mine = 1;
		if (i % 2)
			map_arena_free(map, at, 1 + i % 3);
	}
	return NULL;
}

static void threads_share_it(void)
{
	struct map_attr attr = attr_of(1 << 20);
	struct map *map = new_arena(&attr);
	pthread_t threads[THREADS];

	if (!map)
		return;
	for (u32 i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, take_pages, map));
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(map_arena_state(map)->used < 2 * 3 * THREADS * EACH);
	map_put(map);
}

int main(void)
{
	pages_come_and_go();
	users_make_pages();
	what_lies_beside_is_not_cleared();
	the_address_is_what_was_asked_for();
	what_linux_refuses();
	threads_share_it();
	return check_report();
}
