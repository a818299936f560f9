/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A doubling buffer with a NUL behind it.  Once an allocation failed nothing more is
 * written, so that the text is never one with a hole in it.
 */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *t, size_t more)
{
	if (t->failed || more > SIZE_MAX / 4 || t->len > SIZE_MAX / 4) {
		t->failed = true;
		return false;
	}
	if (t->len + more + 1 <= t->cap)
		return true;
	size_t cap = t->cap ? t->cap : 64;
	while (cap < t->len + more + 1)
		cap *= 2;
	char *s = realloc(t->s, cap);
	if (!s) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->cap = cap;
	return true;
}

void text_write(struct text *t, const void *data, size_t len)
{
	if (!reserve(t, len))
		return;
	if (len)
		memcpy(t->s + t->len, data, len);
	t->len += len;
	t->s[t->len] = 0;
}

void text_puts(struct text *t, const char *s)
{
	text_write(t, s, strlen(s));
}

void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0) {
		t->failed = true;
		return;
	}
	if (!reserve(t, (size_t)len))
		return;
	vsnprintf(t->s + t->len, (size_t)len + 1, fmt, ap);
	t->len += (size_t)len;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(t, fmt, ap);
	va_end(ap);
}

void text_pad(struct text *t, size_t column)
{
	size_t start = t->len;

	while (start && t->s[start - 1] != '\n')
		start--;
	while (!t->failed && t->len - start < column)
		text_write(t, " ", 1);
}

void text_cut(struct text *t, size_t len)
{
	if (len >= t->len)
		return;
	t->len = len;
	t->s[len] = 0;
}

void text_clear(struct text *t)
{
	t->len = 0;
	t->failed = false;
	if (t->s)
		t->s[0] = 0;
}

void text_fini(struct text *t)
{
	free(t->s);
	*t = (struct text)TEXT_INIT;
}
