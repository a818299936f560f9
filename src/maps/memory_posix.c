/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and waiting for maps on POSIX systems (memory.h).  Regions are private anonymous
 * mappings, rings are a memfd mapped twice.  Nothing here knows what a map is, and
 * nothing of it is reached by a look-up.  See mmap(2), memfd_create(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "maps/memory.h"

u64 map_page_size(void)
{
	return (u64)sysconf(_SC_PAGESIZE);
}

void *map_memory_new(u64 size)
{
	void *mem;

	if (size > SIZE_MAX / 2)
		return NULL;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return mem == MAP_FAILED ? NULL : mem;
}

void map_memory_free(void *mem, u64 size)
{
	if (mem)
		munmap(mem, size);
}

/* Maps the file over the reserved space, and its tail once more behind it. */
static bool map_twice(u8 *mem, int fd, u64 head, u64 ring)
{
	const int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;

	return mmap(mem, head + ring, prot, flags, fd, 0) != MAP_FAILED &&
	       mmap(mem + head + ring, ring, prot, flags, fd, (off_t)head) != MAP_FAILED;
}

void *map_memory_ring(u64 head, u64 ring)
{
	u64 size = head + 2 * ring;
	u8 *mem = NULL;
	int fd;

	fd = memfd_create("skep-ringbuf", MFD_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)(head + ring)))
		goto close_fd;
	mem = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		   0);
	if (mem == MAP_FAILED) {
		mem = NULL;
		goto close_fd;
	}
	if (!map_twice(mem, fd, head, ring)) {
		munmap(mem, size);
		mem = NULL;
	}
close_fd:
	close(fd);
	return mem;
}

static void *map_space(void *at, u64 size, int flags)
{
	void *mem = mmap(at, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* Of more than enough, what is not wanted is given back. */
static void *map_anywhere(const struct map_memory_wish *wish)
{
	u8 *all = map_space(NULL, wish->size + wish->align, 0), *mem;
	u64 start;

	if (!all)
		return NULL;
	start = round_up((u64)(uintptr_t)all + wish->aligned, wish->align);
	mem = all + (start - wish->aligned - (u64)(uintptr_t)all);
	if (mem > all)
		munmap(all, (size_t)(mem - all));
	munmap(mem + wish->size, wish->align - (u64)(mem - all));
	return mem;
}

void *map_memory_aligned(const struct map_memory_wish *wish)
{
	u8 *wanted = (u8 *)(uintptr_t)(wish->at - wish->aligned), *mem = NULL;

	if (wish->at > wish->aligned)
		mem = map_space(wanted, wish->size, MAP_FIXED_NOREPLACE);
	if (mem && mem != wanted) { /* before Linux 4.17 it was a hint */
		munmap(mem, wish->size);
		mem = NULL;
	}
	if (!mem)
		mem = map_anywhere(wish);
	if (mem) /* it is mostly nothing */
		madvise(mem, wish->size, MADV_DONTDUMP);
	return mem;
}

/* The system rounds up to its pages, in which others' bytes may lie: it is only given
 * those in the middle that are all ours. */
void map_memory_clear(void *mem, u64 size)
{
	u64 page = map_page_size(), start = (u64)(uintptr_t)mem, end = start + size;
	u64 from = round_up(start, page), to = end - end % page;

	if (from >= to || madvise((void *)(uintptr_t)from, to - from, MADV_DONTNEED)) {
		memset(mem, 0, size);
		return;
	}
	memset(mem, 0, from - start);
	memset((void *)(uintptr_t)to, 0, end - to);
}

u32 map_process_self(void)
{
	return (u32)getpid();
}

bool map_process_is_alive(u32 process)
{
	return !kill((pid_t)process, 0) || errno != ESRCH;
}

u64 map_random(void)
{
	struct timespec now;
	u64 r;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) == sizeof(r))
		return r;
	/* Only before the system has any randomness at all. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_nsec * 0x9e3779b97f4a7c15ull ^ (u64)now.tv_sec;
}

bool map_wait(u64 *turns)
{
	enum { SPINS = 64 };
	struct timespec now;
	u64 ms;

	if (*turns < SPINS) {
		++*turns;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return true;
	}
	sched_yield();
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000 + SPINS;
	if (*turns == SPINS)
		*turns = ms + 1; /* from here on: the moment at which yielding began */
	return ms + 1 - *turns < 250;
}
