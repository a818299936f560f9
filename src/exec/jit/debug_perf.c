/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native code for perf: the map that "perf report" reads (tools/perf/Documentation/
 * jit-interface.txt in Linux), and the records that "perf inject --jit" makes object
 * files of (jitdump-specification.txt).  Files are opened anew for each program and only
 * appended to, so that nothing has to be kept.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "exec/jit/debug.h"

enum { DUMP_MAGIC = 0x4a695444, DUMP_VERSION = 1, DUMP_HEADER = 40 };
enum { DUMP_LOAD = 0, DUMP_LINES = 2 };

/* Only a file of our own: the name is known to everybody. */
static int open_own(const char *path, int *fd)
{
	struct stat st;

	*fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -errno;
	if (!fstat(*fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		return 0;
	close(*fd);
	return -EPERM;
}

static int append(int fd, const struct text *what)
{
	size_t done = 0;

	while (done < what->len) {
		ssize_t n = write(fd, what->s + done, what->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* ---- the map ---- */

int debug_perf_map(const struct debug_code *code)
{
	struct text map = TEXT_INIT;
	char path[64];
	int fd, err;

	for (u32 i = 0; i <= code->native->n_functions; i++) {
		u32 function = i ? i - 1 : DEBUG_STUB;
		struct native_function f = debug_function(code, function);

		text_printf(&map, "%llx %x %s\n",
			    (unsigned long long)debug_address(code, f.start), f.size,
			    debug_name(code, function));
	}
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	err = text_failed(&map) ? -ENOMEM : open_own(path, &fd);
	if (!err) {
		err = append(fd, &map);
		close(fd);
	}
	text_fini(&map);
	return err;
}

/* ---- the dump ---- */

/* perf's clock: record with -k mono. */
static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void put_header(const struct native *native, struct text *out)
{
	debug_put(out, DUMP_MAGIC, 4);
	debug_put(out, DUMP_VERSION, 4);
	debug_put(out, DUMP_HEADER, 4);
	debug_put(out, strcmp(native->machine->name, "aarch64") ? EM_X86_64 : EM_AARCH64,
		  4);
	debug_put(out, 0, 4);
	debug_put(out, (u64)getpid(), 4);
	debug_put(out, now(), 8);
	debug_put(out, 0, 8);
}

static size_t start_record(struct text *out, u32 id)
{
	size_t start = out->len;

	debug_put(out, id, 4);
	debug_put(out, 0, 4); /* end_record() */
	debug_put(out, now(), 8);
	return start;
}

static void end_record(struct text *out, size_t start)
{
	u32 size = (u32)(out->len - start);

	if (!text_failed(out))
		memcpy(out->s + start + 4, &size, sizeof(size));
}

/* Goes before the function's own record; not at all for a function without lines. */
static void put_lines(const struct debug_code *code, u32 function, struct text *out)
{
	struct debug_rows rows = debug_rows(code, function);
	struct native_function f = debug_function(code, function);
	size_t start = start_record(out, DUMP_LINES), count;
	u64 n = 0;

	debug_put(out, debug_address(code, f.start), 8);
	count = out->len;
	debug_put(out, 0, 8);
	for (; debug_next_row(&rows); n++) {
		debug_put(out, rows.row.address, 8);
		debug_put(out, rows.row.line->line, 4);
		debug_put(out, 0, 4);
		debug_put_string(out, rows.row.line->file);
	}
	end_record(out, start);
	if (!n)
		text_cut(out, start);
	else if (!text_failed(out))
		memcpy(out->s + count, &n, sizeof(n));
}

static void put_load(const struct debug_code *code, u32 function, struct text *out)
{
	struct native_function f = debug_function(code, function);
	u64 address = debug_address(code, f.start);
	size_t start = start_record(out, DUMP_LOAD);

	debug_put(out, (u64)getpid(), 4);
	debug_put(out, (u64)syscall(SYS_gettid), 4);
	debug_put(out, address, 8);
	debug_put(out, address, 8);
	debug_put(out, f.size, 8);
	debug_put(out, address, 8); /* a number that no other function has */
	debug_put_string(out, debug_name(code, function));
	text_write(out, code->code + f.start, f.size);
	end_record(out, start);
}

/* perf learns of the file from a mapping that could be executed. */
static int mark(int fd)
{
	long page = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, (size_t)page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, (size_t)page);
	return 0;
}

static int append_dump(int fd, const struct native *native, const struct text *records)
{
	struct text header = TEXT_INIT;
	struct stat st;
	int err;

	flock(fd, LOCK_EX);
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size == 0)
		put_header(native, &header);
	err = text_failed(&header) ? -ENOMEM : append(fd, &header);
	text_fini(&header);
	if (!err)
		err = append(fd, records);
	return err ? err : mark(fd);
}

int debug_jitdump(const struct debug_code *code)
{
	struct text records = TEXT_INIT;
	char path[64];
	int fd, err;

	for (u32 i = 0; i <= code->native->n_functions; i++) {
		u32 function = i ? i - 1 : DEBUG_STUB;

		put_lines(code, function, &records);
		put_load(code, function, &records);
	}
	snprintf(path, sizeof(path), "jit-%d.dump", (int)getpid());
	err = text_failed(&records) ? -ENOMEM : open_own(path, &fd);
	if (!err) {
		err = append_dump(fd, code->native, &records);
		close(fd);
	}
	text_fini(&records);
	return err;
}
