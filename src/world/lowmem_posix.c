/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory below 4 GiB on POSIX systems.
 *
 * The guards are part of the mapping and stay without access, so a stray pointer of ours
 * faults instead of finding a neighbour.  Never touches a mapping that is there already.
 */
#include "world/lowmem.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"

static void *map_at(void *hint, size_t size, int flags)
{
	void *mem =
		mmap(hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	if ((u64)(uintptr_t)mem + size <= 1ull << 32)
		return mem;
	munmap(mem, size); /* a kernel that takes the address as a mere wish */
	return NULL;
}

#ifdef MAP_32BIT
static void *map_low(size_t size)
{
	return map_at(NULL, size, MAP_32BIT);
}
#else
/* No flag for it: ask for one place after another. */
static void *map_low(size_t size)
{
	enum { STEP = 8 << 20 };

	for (uintptr_t at = 0x10000000; at + size < 0xf0000000; at += STEP) {
		void *mem = map_at((void *)at, size, MAP_FIXED_NOREPLACE);

		if (mem)
			return mem;
	}
	return NULL;
}
#endif

void *lowmem_map(u32 *size, struct skep_diag *diag)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = round_up(*size, page);
	u8 *mem = inner < 1u << 31 ? map_low(inner + 2 * page) : NULL;

	if (!mem) {
		fail(diag, LOW_MEMORY_REFUSED, NO_PC, *size);
		return NULL;
	}
	if (mprotect(mem + page, inner, PROT_READ | PROT_WRITE)) {
		munmap(mem, inner + 2 * page);
		fail(diag, LOW_MEMORY_REFUSED, NO_PC, *size);
		return NULL;
	}
	*size = (u32)inner;
	return mem + page;
}

void lowmem_unmap(void *mem, u32 size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (mem)
		munmap((u8 *)mem - page, size + 2 * page);
}
