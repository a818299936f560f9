/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that grows as it is written: what the disassembler, the C printer of BTF and the
 * tools write into. Running out of memory is remembered, not reported at each step: check
 * text_failed() once at the end. Anybody may include this.
 */
#ifndef SKEP_BASE_TEXT_H
#define SKEP_BASE_TEXT_H

#include <stdarg.h>

#include "base/types.h"

struct text {
	char *s;    /* owned; NUL-terminated; NULL while nothing was written */
	size_t len; /* without the NUL */
	size_t cap;
	bool failed;
};

#define TEXT_INIT                                                                        \
	{                                                                                \
		0                                                                        \
	}

void text_printf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_vprintf(struct text *t, const char *fmt, va_list ap);
void text_puts(struct text *t, const char *s);
void text_write(struct text *t, const void *data, size_t len);
void text_pad(struct text *t,
	      size_t column);    /* spaces until the last line has that many characters */
void text_clear(struct text *t); /* empty, memory kept */
void text_cut(struct text *t, size_t len); /* what is behind that is forgotten */
void text_fini(struct text *t);  /* frees; empty and usable again */

static inline bool text_failed(const struct text *t)
{
	return t->failed;
}

/* What was written so far; "" rather than NULL. */
static inline const char *text_str(const struct text *t)
{
	return t->s ? t->s : "";
}

#endif
