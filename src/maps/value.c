/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of values that others may be using: word by word, each word whole, so that a
 * reader sees a mixture of old and new words at worst, as in Linux; BPF_F_LOCK takes the
 * value's own lock and sees no mixture.  Special fields are never copied.  Never used
 * for keys or links.  See map_field in map.h.
 */
#include <time.h>

#include "maps/family.h"
#include "maps/memory.h"

static void store_words(u8 *dst, const u8 *src, u32 len)
{
	while (len >= 8 && !((uintptr_t)dst & 7)) {
		atomic_store_explicit((_Atomic u64 *)dst, load_u64(src),
				      memory_order_relaxed);
		dst += 8, src += 8, len -= 8;
	}
	while (len >= 4 && !((uintptr_t)dst & 3)) {
		atomic_store_explicit((_Atomic u32 *)dst, load_u32(src),
				      memory_order_relaxed);
		dst += 4, src += 4, len -= 4;
		if (len >= 8 && !((uintptr_t)dst & 7)) {
			store_words(dst, src, len);
			return;
		}
	}
	for (; len; dst++, src++, len--)
		atomic_store_explicit((_Atomic u8 *)dst, *src, memory_order_relaxed);
}

static void load_words(u8 *dst, const u8 *src, u32 len)
{
	while (len >= 8 && !((uintptr_t)src & 7)) {
		store_u64(dst,
			  atomic_load_explicit((_Atomic u64 *)src, memory_order_relaxed));
		dst += 8, src += 8, len -= 8;
	}
	while (len >= 4 && !((uintptr_t)src & 3)) {
		store_u32(dst,
			  atomic_load_explicit((_Atomic u32 *)src, memory_order_relaxed));
		dst += 4, src += 4, len -= 4;
		if (len >= 8 && !((uintptr_t)src & 7)) {
			load_words(dst, src, len);
			return;
		}
	}
	for (; len; dst++, src++, len--)
		*dst = atomic_load_explicit((_Atomic u8 *)src, memory_order_relaxed);
}

void value_write(const struct map *map, void *value, const void *src, u32 size)
{
	u32 from = 0;

	for (u32 i = 0; i < map->n_fields; i++) {
		const struct map_field *f = &map->fields[i];

		store_words((u8 *)value + from, (const u8 *)src + from, f->off - from);
		from = f->off + f->size;
	}
	store_words((u8 *)value + from, (const u8 *)src + from, size - from);
}

void value_read(const struct map *map, void *dst, const void *value, u32 size)
{
	u32 from = 0;

	for (u32 i = 0; i < map->n_fields; i++) {
		const struct map_field *f = &map->fields[i];

		load_words((u8 *)dst + from, (const u8 *)value + from, f->off - from);
		memset((u8 *)dst + f->off, 0, f->size);
		from = f->off + f->size;
	}
	load_words((u8 *)dst + from, (const u8 *)value + from, size - from);
}

static void zero_bytes(u8 *at, u32 len)
{
	static const u8 zeroes[64];

	for (u32 n; len; at += n, len -= n) {
		n = (u32)min_u64(len, sizeof(zeroes));
		store_words(at, zeroes, n);
	}
}

void value_zero(const struct map *map, void *value)
{
	zero_bytes(value, (u32)round_up(map->value_size, 8));
}

void value_reset(const struct map *map, void *value)
{
	/* A lock that a program holds is the program's to free, whatever becomes of the
	 * element meanwhile. */
	for (u32 i = 0; i < map->n_fields; i++)
		if (!map_field_is_lock(&map->fields[i]))
			zero_bytes((u8 *)value + map->fields[i].off, map->fields[i].size);
}

static const struct map_field *find_spin_lock(const struct map *map)
{
	for (u32 i = 0; i < map->n_fields; i++)
		if (map->fields[i].is_spin_lock)
			return &map->fields[i];
	return NULL;
}

bool map_has_spin_lock(const struct map *map)
{
	return find_spin_lock(map);
}

void map_spin_lock(_Atomic u32 *lock)
{
	u64 turns = 0;
	u32 free;

	/* No time limit: the owner is a program on another CPU, and programs end. */
	for (free = 0; !atomic_compare_exchange_weak_explicit(
		     lock, &free, 1, memory_order_acquire, memory_order_relaxed);
	     free = 0)
		map_wait(&turns);
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

bool map_spin_lock_within(_Atomic u32 *lock, u64 ns)
{
	u64 turns = 0, end = 0, now = 0;

	while (now <= end) {
		u32 free = 0;

		if (atomic_compare_exchange_strong_explicit(
			    lock, &free, 1, memory_order_acquire, memory_order_relaxed))
			return true;
		map_wait(&turns);
		now = now_ns();
		end = end ? end : now + ns;
	}
	return false;
}

void map_spin_unlock(_Atomic u32 *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

void value_write_locked(const struct map *map, void *value, const void *src)
{
	_Atomic u32 *lock = (_Atomic u32 *)((u8 *)value + find_spin_lock(map)->off);

	map_spin_lock(lock);
	value_write(map, value, src, map->value_size);
	map_spin_unlock(lock);
}

void value_read_locked(const struct map *map, void *dst, const void *value)
{
	_Atomic u32 *lock = (_Atomic u32 *)((u8 *)value + find_spin_lock(map)->off);

	map_spin_lock(lock);
	value_read(map, dst, value, map->value_size);
	map_spin_unlock(lock);
}
