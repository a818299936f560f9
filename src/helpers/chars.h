/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings at addresses that nobody has checked, and Linux's idea of what a character is.
 * For src/helpers only.
 */
#ifndef SKEP_HELPERS_CHARS_H
#define SKEP_HELPERS_CHARS_H

#include "base/types.h"

struct world;

/* Copies a string and its NUL, cut to size: the bytes copied, or -EFAULT with dst zeroed.
 */
s64 read_string(struct world *world, char *dst, u32 size, u64 addr);

/* Latin-1, whatever the locale of the host. */
static inline bool is_space(u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static inline bool is_alnum(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

static inline bool is_control(u8 c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0);
}

static inline bool is_punctuation(u8 c)
{
	return !is_space(c) && !is_alnum(c) && !is_control(c);
}

#endif
