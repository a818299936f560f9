/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arena: everything made from one input dies with it in one call.  Memory comes zeroed
 * (arena_raw() apart) and aligned for any type.  An arena is used by one thread at a
 * time. Anybody may include this.
 */
#ifndef SKEP_BASE_ARENA_H
#define SKEP_BASE_ARENA_H

#include "base/types.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned, newest first */
	size_t used;                /* bytes taken of the newest block */
	size_t total;               /* bytes of all blocks */
};

#define ARENA_INIT                                                                       \
	{                                                                                \
		0                                                                        \
	}

/* All of these return NULL when memory is out; the arena stays usable. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t count,
		  size_t size); /* NULL also when count * size overflows */
/* count * size bytes that are not zeroed: for what is written before it is read. */
void *arena_raw(struct arena *a, size_t count, size_t size);
void *arena_memdup(struct arena *a, const void *src, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* So many bytes will be asked for: a block for all of them.  false: memory is out. */
bool arena_expect(struct arena *a, size_t size);
/* Frees everything, but keeps the newest block for what comes. */
void arena_reset(struct arena *a);
void arena_fini(
	struct arena *a); /* frees everything; the arena is empty and usable again */

#endif
