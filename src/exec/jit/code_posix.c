/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code memory on POSIX systems: one private mapping whose middle is first writable, then
 * executable.  See mmap(2), mprotect(2).
 */
#include "exec/jit/code.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int code_new(size_t len, struct code_memory *out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = round_up(len, page);
	void *base = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (base == MAP_FAILED)
		return -ENOMEM;
	*out = (struct code_memory){.code = (u8 *)base + page,
				    .size = size,
				    .base = base,
				    .mapped = size + 2 * page};
	if (!mprotect(out->code, size, PROT_READ | PROT_WRITE))
		return 0;
	code_free(out);
	return -ENOMEM;
}

int code_seal(struct code_memory *memory)
{
	char *start = (char *)memory->code;

	if (mprotect(start, memory->size, PROT_READ | PROT_EXEC))
		return -errno;
	__builtin___clear_cache(start, start + memory->size);
	return 0;
}

void code_free(struct code_memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->mapped);
	*memory = (struct code_memory){0};
}
