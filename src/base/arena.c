/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of doubling size, newest first; an allocation that does not fit starts a new
 * block. Never moves or frees a single allocation: that is what it is fast and simple
 * for.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_BLOCK = 4096,
	MAX_BLOCK = 1 << 20,
	FRESH_BLOCK = 1 << 17, /* from here on calloc() has zeroed pages of the system */
};

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes of data */
	bool zeroed; /* what nobody took yet */
	_Alignas(max_align_t) unsigned char data[];
};

static struct arena_block *add_block(struct arena *a, size_t need)
{
	size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;

	if (size > MAX_BLOCK)
		size = MAX_BLOCK;
	if (size < need)
		size = need;
	bool zeroed = size >= FRESH_BLOCK;
	struct arena_block *b =
		zeroed ? calloc(1, sizeof(*b) + size) : malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = a->blocks;
	b->size = size;
	b->zeroed = zeroed;
	a->blocks = b;
	a->used = 0;
	a->total += size;
	return b;
}

/* *size: as much as was taken. */
static void *take(struct arena *a, size_t *wanted)
{
	size_t size = *wanted;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = size ? round_up(size, _Alignof(max_align_t)) : _Alignof(max_align_t);
	if (!a->blocks || a->blocks->size - a->used < size) {
		if (!add_block(a, size))
			return NULL;
	}
	void *p = a->blocks->data + a->used;
	a->used += size;
	*wanted = size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p = take(a, &size);

	if (p && !a->blocks->zeroed)
		memset(p, 0, size);
	return p;
}

void *arena_raw(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return take(a, &bytes);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

void *arena_memdup(struct arena *a, const void *src, size_t size)
{
	void *p = arena_raw(a, 1, size);

	if (p && size)
		memcpy(p, src, size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (p)
		memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool arena_expect(struct arena *a, size_t size)
{
	if (a->blocks && a->blocks->size - a->used >= size)
		return true;
	return add_block(a, size) != NULL;
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->blocks;

	if (!keep)
		return;
	a->blocks = keep->next;
	arena_fini(a);
	keep->next = NULL;
	keep->zeroed = false;
	a->blocks = keep;
	a->total = keep->size;
}

void arena_fini(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	*a = (struct arena)ARENA_INIT;
}
