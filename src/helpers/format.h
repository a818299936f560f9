/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printf as programs have it: Linux's specifiers, Linux's refusals.  For src/helpers
 * only.
 */
#ifndef SKEP_HELPERS_FORMAT_H
#define SKEP_HELPERS_FORMAT_H

#include "base/bytes.h"

struct world;

enum { FORMAT_MAX_ARGS = 12 };

struct format {
	struct world *world; /* where strings and addresses are read */
	struct bytes text;   /* the format; a NUL must be inside */
	const u64 *args;     /* any alignment */
	u32 n_args;
};

/*
 * Writes at most size bytes into dst, the last one a NUL; size 0 writes nothing.  Returns
 * the length that the whole text has, without its NUL, or -EINVAL for what programs may
 * not ask for and -ENOSPC when the arguments take more than 512 bytes; dst is not touched
 * then.
 */
s64 format_text(const struct format *f, char *dst, u32 size);

#endif
