/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names by pattern.
 *
 * Only the last star is ever taken back: what an earlier one matched, it may keep.  So
 * the work is at most one length times the other, whatever the pattern.
 */
#include "kern/glob.h"

#include <string.h>

bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

bool glob_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *after = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			after = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++after;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
