/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks for unit tests in C.  A failed check prints what was wanted and goes on; main
 * ends with return check_report(), which prints one line and gives the exit status. Tests
 * include this, nothing else does.
 */
#ifndef SKEP_TESTS_CHECK_H
#define SKEP_TESTS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int check_failed, check_passed; /* threads check, too */

/* Sanitizers make everything slow: limits of time do not hold under them, and what
 * repeats itself, with other numbers, is repeated less.  All of it is done by the other
 * builds. */
#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_IS_SANITIZED 1
#endif
#ifndef CHECK_IS_SANITIZED
#define CHECK_IS_SANITIZED 0
#endif

static inline int check_that(int ok, const char *what, const char *file, int line)
{
	if (ok) {
		check_passed++;
		return 1;
	}
	check_failed++;
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	return 0;
}

static inline int check_same(long long got, long long want, const char *what,
			     const char *at, int line)
{
	if (check_that(got == want, what, at, line))
		return 1;
	fprintf(stderr, "\twanted %lld (%#llx), got %lld (%#llx)\n", want, want, got,
		got);
	return 0;
}

static inline int check_text(const char *got, const char *want, const char *at, int line)
{
	if (check_that(got && !strcmp(got, want), "texts are the same", at, line))
		return 1;
	fprintf(stderr, "\twanted: %s\n\tgot:    %s\n", want, got ? got : "(null)");
	return 0;
}

static inline int check_report(void)
{
	printf("%d passed, %d failed\n", check_passed, check_failed);
	return check_failed != 0;
}

/* Does an emulator run the test?  It is some ten times slower, and pays with real memory
 * for address space.  Meson says so. */
static inline int check_is_emulated(void)
{
	return getenv("MESON_EXE_WRAPPER") != NULL;
}

#define CHECK(x) check_that(!!(x), #x, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                             \
	check_same((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_text(got, want, __FILE__, __LINE__)

#endif
