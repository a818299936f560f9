/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of diag.def as a table, and filling a caller's diag from them.  Allocates
 * nothing.
 */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct diag_row {
	const char *name, *advice;
	int err;
};

static const struct diag_row rows[DIAG_IDS] = {
	[DIAG_NONE] = {"NONE", NULL, 0},
#define D(id, err, text, advice) [DIAG_##id] = {#id, advice, err},
#include "base/diag.def"
#undef D
};

/* By number: reasons[i] is DIAG_REASONS + 1 + i. */
static const struct diag_row reasons[] = {
#define V(id, err, text, advice) {#id, advice, err},
#include "base/reasons.def"
#undef V
};

enum { N_REASONS = sizeof(reasons) / sizeof(reasons[0]) };

static const struct diag_row *row_of(int id)
{
	if (id > 0 && id < DIAG_IDS)
		return &rows[id];
	if (id > DIAG_REASONS && id <= DIAG_REASONS + N_REASONS)
		return &reasons[id - DIAG_REASONS - 1];
	return &rows[DIAG_NONE];
}

SKEP_API const char *skep_diag_name(int id)
{
	return row_of(id)->name;
}

static int fill(struct skep_diag *diag, int id, int pc, const char *fmt, va_list ap)
{
	const struct diag_row *row = row_of(id);

	if (!diag || diag->id)
		return -row->err;
	diag->id = id;
	diag->err = -row->err;
	diag->insn = pc;
	diag->advice = row->advice;
	vsnprintf(diag->text, sizeof(diag->text), fmt, ap);
	return -row->err;
}

int diag_reject(struct skep_diag *diag, int reason, int pc, const char *fmt, va_list ap)
{
	return fill(diag, reason, pc, fmt, ap);
}

int diag_fail(struct skep_diag *diag, enum diag_id id, int pc, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = fill(diag, id, pc, fmt, ap);
	va_end(ap);
	return err;
}

/* Cuts what does not fit. */
static void append(char *s, size_t size, const char *more)
{
	size_t len = strlen(s), room = size - len - 1, n = strlen(more);

	if (n > room)
		n = room;
	memcpy(s + len, more, n);
	s[len + n] = 0;
}

int diag_in(struct skep_diag *diag, int err, const char *fmt, ...)
{
	char inner[sizeof(diag->where)];
	va_list ap;

	if (!diag || !err)
		return err;
	memcpy(inner, diag->where, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(diag->where, sizeof(diag->where), fmt, ap);
	va_end(ap);
	if (inner[0]) {
		append(diag->where, sizeof(diag->where), ": ");
		append(diag->where, sizeof(diag->where), inner);
	}
	return err;
}

void diag_at_line(struct skep_diag *diag, const char *file, int line)
{
	if (!diag || diag->line)
		return;
	snprintf(diag->file, sizeof(diag->file), "%s", file);
	diag->line = line;
}

void diag_clear(struct skep_diag *diag)
{
	if (diag)
		*diag = (struct skep_diag)SKEP_DIAG_INIT;
}
