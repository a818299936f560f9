/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reason names, taken from the format of its row: "R%d", "stack offset %d",
 * "instruction %u".
 *
 * So a row says in one place what a person reads and what an explanation starts from, and
 * nothing more is asked of those who refuse.  Only formats are read, never names of the
 * program, which could look alike.  More: base/reasons.def.
 */
#include "verify/blame.h"

#include <string.h>

/* Does what comes before the conversion end with that? */
static bool follows(const char *fmt, const char *at, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(at - fmt) >= len && !memcmp(at - len, word, len);
}

static void note(struct verify_blame *blame, const char *fmt, const char *at, s64 value)
{
	if (follows(fmt, at, "R") && blame->reg < 0 && value >= 0 && value <= 10)
		blame->reg = (s32)value;
	else if (follows(fmt, at, "stack offset ") ||
		 follows(fmt, at, "the stack at offset "))
		blame->stack_off = (s32)value;
	else if (follows(fmt, at, "instruction "))
		blame->insn = (s32)value;
}

/* Rows use d i u x c s p, with ll; what else there may be ends the search. */
struct verify_blame blame_of(const char *fmt, va_list ap)
{
	struct verify_blame blame = BLAME_NOTHING;

	for (const char *p = strchr(fmt, '%'); p; p = strchr(p, '%')) {
		const char *at = p++;
		bool wide;

		p += strspn(p, "#-+ .0123456789");
		wide = p[0] == 'l' && p[1] == 'l';
		p += wide ? 2 : 0;
		if (*p && strchr("diuxc", *p))
			note(&blame, fmt, at,
			     wide ? va_arg(ap, long long) : va_arg(ap, int));
		else if (*p == 's' || *p == 'p')
			(void)va_arg(ap, void *);
		else if (*p != '%')
			break;
		p++;
	}
	return blame;
}
