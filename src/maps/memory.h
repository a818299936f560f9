/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What maps ask of the operating system: zeroed memory that costs nothing until it is
 * touched, a ring whose end is followed by its beginning, waiting, and whether another
 * process still lives.  Platform code: one file per system (memory_posix.c).  Only
 * src/maps includes this.
 */
#ifndef SKEP_MAPS_MEMORY_H
#define SKEP_MAPS_MEMORY_H

#include "base/types.h"

u64 map_page_size(void);

/* Zeroed pages, or NULL. */
void *map_memory_new(u64 size);
void map_memory_free(void *mem, u64 size);

/* head bytes followed by ring bytes followed by the same ring again; both are multiples
 * of the page size.  Free it with size head + 2 * ring. */
void *map_memory_ring(u64 head, u64 ring);

/* A piece of zeroed address space whose byte `aligned` has an address that is a multiple
 * of align (a power of two); that address is `at` if it is not 0 and nobody is there. */
struct map_memory_wish {
	u64 size, align, aligned, at;
};
void *map_memory_aligned(const struct map_memory_wish *wish);

/* Zeroes again, and given back to the system where it takes it. */
void map_memory_clear(void *mem, u64 size);

/* Never 0, never two living processes' at once. */
u32 map_process_self(void);
bool map_process_is_alive(u32 process);

u64 map_random(void);

/* One turn of waiting for a lock: first a pause, later the processor is given away.
 * Returns false when the wait that *turns counts (start with 0) lasted about a quarter of
 * a second. */
bool map_wait(u64 *turns);

#endif
