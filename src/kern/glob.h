/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names by pattern: '*' for any characters, '?' for one, as libbpf reads them in the
 * sections of kprobe.multi and uprobe.multi.
 *
 * No sets, no escapes: names of functions need none.  For src/kern.
 */
#ifndef SKEP_KERN_GLOB_H
#define SKEP_KERN_GLOB_H

#include "base/types.h"

bool is_glob(const char *pattern);
bool glob_matches(const char *pattern, const char *name);

#endif
