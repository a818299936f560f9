/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARENA: up to 4 GiB of memory that programs and their user share by address.  Pages come
 * and go one by one; what reads where none is gets zeroes, what writes there has no
 * effect.
 *
 * The region has all addresses that a program can form, 4 GiB and a guard on both sides:
 * untouched memory of the system reads as zeroes and costs nothing, so that loads need no
 * check and nobody needs a signal handler.  Stores ask a table that has a byte a page.
 * Where the system allows it, a byte lies where its user's pointers say: then both sides
 * use the same pointers as they are.  See kernel/bpf/arena.c of Linux for what it does.
 */
#include "maps/family.h"
#include "maps/memory.h"

enum {
	HEAD_AND_TABLE = 0x110000,
	WINDOW = HEAD_AND_TABLE + ARENA_GUARD, /* a multiple of all systems' page sizes */
	TAKEN = 2, /* in the table: nobody else gets the page; maybe it is not there */
};
static const u64 WINDOW_SIZE = 1ull << 32;

_Static_assert(ARENA_TABLE + (1 << 20) + ARENA_GUARD / ARENA_PAGE <= HEAD_AND_TABLE,
	       "the table fits");
_Static_assert((u64)REGION_HEADER == (u64)ARENA_STATE, "the state follows the header");

/* ---- life ---- */

static int check(const struct map_attr *attr, struct skep_diag *diag)
{
	u64 size = (u64)attr->max_entries * ARENA_PAGE;

	if (attr->key_size)
		return map_refuse(attr, diag, "key_size", attr->key_size);
	if (attr->value_size)
		return map_refuse(attr, diag, "value_size", attr->value_size);
	if (!attr->max_entries)
		return map_refuse(attr, diag, "max_entries", 0);
	if (!(attr->flags & MAP_MMAPABLE))
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "arenas need BPF_F_MMAPABLE");
	if (attr->extra % ARENA_PAGE)
		return map_refuse(attr, diag, "map_extra", (u32)attr->extra);
	/* pointers share their upper half */
	if (size <= WINDOW_SIZE && attr->extra >> 32 != (attr->extra + size - 1) >> 32)
		return fail_errno(diag, -ERANGE, MAP_ATTR, NO_PC,
				  map_type_name(attr->type), "map_extra",
				  (u32)attr->extra);
	return 0;
}

static int layout(struct map *map, const struct map_attr *attr)
{
	if ((u64)attr->max_entries * ARENA_PAGE > WINDOW_SIZE)
		return -E2BIG;
	map->n_cpus = 1;
	map->values_off = WINDOW;
	map->region_size = WINDOW + WINDOW_SIZE + ARENA_GUARD;
	return 0;
}

static void *alloc(const struct map *map)
{
	return map_memory_aligned(&(struct map_memory_wish){
		.size = map->region_size,
		.align = WINDOW_SIZE,
		.aligned = WINDOW,
		.at = map->extra & ~(WINDOW_SIZE - 1),
	});
}

/* A pointer whose lower half is 0 is taken for NULL: as in Linux, only a byte of an arena
 * that needs all there is has one. */
static u64 first_offset(const struct map *map)
{
	u64 some = 1 << 16;

	return (u64)map->max_entries * ARENA_PAGE <= WINDOW_SIZE - some ? some : 0;
}

static int init(struct map *map, const struct map_attr *attr)
{
	struct arena_state *st = map_arena_state(map);

	st->user = attr->extra
			   ? attr->extra
			   : (u64)(uintptr_t)map_arena_window(map) + first_offset(map);
	st->upper = st->user & ~(WINDOW_SIZE - 1);
	return 0;
}

/* ---- pages, by their number in the map ---- */

static _Atomic u8 *page_of(struct map *map, u32 page)
{
	u8 *table = map_arena_table(map) + (u32)map_arena_state(map)->user / ARENA_PAGE;

	return (_Atomic u8 *)(table + page);
}

static u8 *memory_of(struct map *map, u32 page)
{
	return map_arena_window(map) + (u32)map_arena_state(map)->user +
	       (u64)page * ARENA_PAGE;
}

static u8 state_of(struct map *map, u32 page)
{
	return atomic_load_explicit(page_of(map, page), memory_order_relaxed);
}

static void set_pages(struct map *map, u32 page, u32 n, u8 to)
{
	for (u32 i = 0; i < n; i++)
		atomic_store_explicit(page_of(map, page + i), to, memory_order_release);
}

static bool any_taken(struct map *map, u32 page, u32 n)
{
	bool any = false;

	for (u32 i = 0; i < n; i++)
		any |= state_of(map, page + i) & TAKEN;
	return any;
}

/* The smallest range of free pages that has room, as Linux chooses it.  What lies behind
 * `used` was never taken, what lies before `low` is. */
static bool find_pages(struct map *map, u32 n, u32 *page)
{
	const struct arena_state *st = map_arena_state(map);
	u32 end = map->max_entries, best = UINT32_MAX;

	for (u32 i = st->low, start; i < end; i++) {
		if (i < st->used && state_of(map, i) & TAKEN)
			continue;
		for (start = i; i < st->used && !(state_of(map, i) & TAKEN);)
			i++;
		if (i >= st->used)
			i = end;
		if (i - start >= n && i - start < best) {
			best = i - start;
			*page = start;
		}
	}
	return best != UINT32_MAX;
}

static void take(struct map *map, u32 page, u32 n, u8 state)
{
	struct arena_state *st = map_arena_state(map);

	/* a store that raced with who freed the page may have come later */
	if (state & ARENA_HERE && page < st->used)
		map_memory_clear(memory_of(map, page), (u64)n * ARENA_PAGE);
	set_pages(map, page, n, state);
	if (page + n > st->used)
		st->used = page + n;
	if (page == st->low)
		st->low = page + n;
}

/* The page that an address, of which the lower half counts, lies in. */
static u32 page_at(const struct map *map, u64 address)
{
	return (u32)(address - map_arena_state(map)->user) / ARENA_PAGE;
}

static bool has_pages(const struct map *map, u32 page, u32 n)
{
	return n <= map->max_entries && page <= map->max_entries - n;
}

static bool lock(struct map *map)
{
	return region_lock(map, &map_arena_state(map)->lock) != -ETIMEDOUT;
}

static void unlock(struct map *map)
{
	region_unlock(&map_arena_state(map)->lock);
}

/* ---- what programs ask for ---- */

u64 map_arena_alloc(struct map *map, u64 address, u32 n)
{
	const struct arena_state *st = map_arena_state(map);
	u32 page = page_at(map, address);
	bool found;

	if (!n || n > map->max_entries || address % ARENA_PAGE ||
	    (address && !has_pages(map, page, n)) || !lock(map))
		return 0;
	found = address ? !any_taken(map, page, n) : find_pages(map, n, &page);
	if (found)
		take(map, page, n, ARENA_HERE | TAKEN);
	unlock(map);
	return found ? st->upper + (u32)(st->user + (u64)page * ARENA_PAGE) : 0;
}

void map_arena_free(struct map *map, u64 address, u32 n)
{
	struct arena_state *st = map_arena_state(map);
	u32 page = page_at(map, address);

	if (!address || page >= map->max_entries || !lock(map))
		return;
	n = (u32)min_u64(n, map->max_entries - page);
	set_pages(map, page, n, 0);
	map_memory_clear(memory_of(map, page), (u64)n * ARENA_PAGE);
	if (page < st->low)
		st->low = page;
	unlock(map);
}

int map_arena_reserve(struct map *map, u64 address, u32 n)
{
	u32 page = page_at(map, address);
	int err;

	if (!n)
		return 0;
	if (address % ARENA_PAGE || !has_pages(map, page, n))
		return -EINVAL;
	if (!lock(map))
		return -EBUSY;
	err = any_taken(map, page, n) ? -EBUSY : 0;
	if (!err)
		take(map, page, n, TAKEN);
	unlock(map);
	return err;
}

/* ---- the user's side ---- */

void *map_arena_touch(struct map *map, u64 address, u64 size)
{
	u64 off = address - map_arena_state(map)->user, end = off + size;
	u64 all = (u64)map->max_entries * ARENA_PAGE;
	bool there = true;

	if (off >= all || size > all - off || !lock(map))
		return NULL;
	for (u32 page = (u32)(off / ARENA_PAGE); (u64)page * ARENA_PAGE < end; page++) {
		if (state_of(map, page) & ARENA_HERE)
			continue;
		there &= !(map->flags & MAP_SEGV_ON_FAULT);
		if (there)
			take(map, page, 1, ARENA_HERE | TAKEN);
	}
	unlock(map);
	return there ? memory_of(map, 0) + off : NULL;
}

const struct map_ops map_ops_arena = {
	.traits = TRAIT_EXTRA | TRAIT_INNER,
	.create_flags = MAP_MMAPABLE | MAP_SEGV_ON_FAULT | MAP_NO_USER_CONV,
	.size = sizeof(struct map),
	.check = check,
	.layout = layout,
	.alloc = alloc,
	.init = init,
};
