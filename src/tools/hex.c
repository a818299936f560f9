/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes as people write them: two digits each, with blanks, line ends, ":" or "-" between
 * bytes, each run of digits maybe after "0x".
 */
#include "tools/hex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_separator(char c)
{
	return isspace((unsigned char)c) || c == ':' || c == '-' || c == ',';
}

/* Separators, and the "0x" of what follows. */
static const char *skip_between(const char *s, const char *end)
{
	while (s < end && is_separator(*s))
		s++;
	if (end - s >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	return s;
}

u8 *hex_parse(const char *text, size_t len, size_t *n_bytes, const char **bad)
{
	const char *s = text, *end = text + len;
	u8 *bytes = malloc(len / 2 + 1);
	size_t n = 0;

	*bad = NULL;
	if (!bytes)
		return NULL;
	for (s = skip_between(s, end); s < end; s = skip_between(s, end)) {
		if (digit(s[0]) < 0 || end - s < 2 || digit(s[1]) < 0) {
			*bad = digit(s[0]) < 0 ? s : s + 1;
			free(bytes);
			return NULL;
		}
		bytes[n++] = (u8)(digit(s[0]) << 4 | digit(s[1]));
		s += 2;
	}
	*n_bytes = n;
	return bytes;
}
