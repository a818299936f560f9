/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of a shared object that lies in memory as its file does are found by name and
 * version, whatever hash table it has; and the kernel's own clock is among what is found.
 *
 * Arguments: objects made of vdso_like.c, and last one without versions.
 */
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "world/vdso.h"

typedef int (*number_fn)(void);

static const void *map_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = {0};
	void *at;

	CHECK(fd >= 0 && !fstat(fd, &st));
	*len = (size_t)st.st_size;
	at = mmap(NULL, *len, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

static void functions_are_found_by_name_and_version(const char *path)
{
	size_t len;
	const void *at = map_file(path, &len);
	const void *first, *second;

	if (!CHECK(at))
		return;
	first = vdso_function(at, "first", "LIKE_1");
	second = vdso_function(at, "second", "LIKE_2");
	CHECK(first && ((number_fn)(uintptr_t)first)() == 1);
	CHECK(second && ((number_fn)(uintptr_t)second)() == 2);
	CHECK(!vdso_function(at, "first", "LIKE_2"));
	CHECK(!vdso_function(at, "first", "LIKE_3"));
	CHECK(!vdso_function(at, "third", "LIKE_1"));
	CHECK(!vdso_function(at, "answer", "LIKE_1")); /* no function */
	munmap((void *)(uintptr_t)at, len);
}

static void without_versions_there_are_no_functions(const char *path)
{
	size_t len;
	const void *at = map_file(path, &len);

	if (!CHECK(at))
		return;
	CHECK(!vdso_function(at, "first", "LIKE_1"));
	CHECK(!vdso_function(at, "first", ""));
	munmap((void *)(uintptr_t)at, len);
}

static void the_kernels_clock_is_found(void)
{
	clock_fn clock = vdso_clock();
	struct timespec t = {0};

#if defined(__x86_64__) || defined(__aarch64__)
	CHECK(!getauxval(AT_SYSINFO_EHDR) == !clock);
#endif
	if (!clock)
		return;
	CHECK_INT(clock(CLOCK_MONOTONIC, &t), 0);
	CHECK(t.tv_sec || t.tv_nsec);
	CHECK(clock(12345, &t) < 0);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++)
		functions_are_found_by_name_and_version(argv[i]);
	if (argc > 1)
		without_versions_there_are_no_functions(argv[argc - 1]);
	the_kernels_clock_is_found();
	return check_report();
}
