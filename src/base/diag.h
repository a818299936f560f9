/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failing: fill the caller's struct skep_diag from a row of diag.def and return the
 * negative errno of that row.
 *
 *	return fail(diag, UNINIT_REG, pc, reg);		the row's format checks them
 *	return diag_in(diag, err, "section %s", name);	on the way out: add the place
 *
 * The first error wins: fail() on a diag that is already filled changes nothing but still
 * returns its errno.  Anybody may include this.
 */
#ifndef SKEP_BASE_DIAG_H
#define SKEP_BASE_DIAG_H

#include <errno.h>
#include <stdarg.h>
#include <skep/diag.h>

#include "base/types.h"

enum diag_id {
	DIAG_NONE,
#define D(id, err, text, advice) DIAG_##id,
#include "base/diag.def"
#undef D
	DIAG_IDS,
	DIAG_REASONS = 1000 /* the verifier's (reasons.def) are numbered from here */
};

/* One format string a row, so that the compiler can check the arguments of fail(). */
#define D(id, err, text, advice) static const char diag_text_##id[] = text;
#include "base/diag.def"
#undef D

/* And its errno as a constant: who reads the caller sees that fail() is not 0. */
#define D(id, err, text, advice) enum { diag_err_##id = -(err) };
#include "base/diag.def"
#undef D

enum { NO_PC = -1 };

/* Returns the row's negative errno.  pc: instruction index, or NO_PC. */
#define fail(diag, id, pc, ...)                                                          \
	diag_failed(diag_fail(diag, DIAG_##id, pc, diag_text_##id, ##__VA_ARGS__),       \
		    diag_err_##id)

/* The same with the negative errno that Linux gave instead of the row's. */
#define fail_errno(diag, error, id, pc, ...)                                             \
	diag_errno(diag, DIAG_##id,                                                      \
		   diag_fail(diag, DIAG_##id, pc, diag_text_##id, ##__VA_ARGS__), error)

static inline int diag_errno(struct skep_diag *diag, enum diag_id id, int own, int error)
{
	if (diag && diag->id == (int)id && diag->err == own)
		diag->err = error;
	return error;
}

int diag_fail(struct skep_diag *diag, enum diag_id id, int pc, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static inline int diag_failed(int err, int same)
{
	(void)err;
	return same;
}

/* The same for a reason of reasons.def, whatever its row. */
int diag_reject(struct skep_diag *diag, int reason, int pc, const char *fmt, va_list ap);

/* Puts an outer place before what "where" says already; returns err unchanged, so that it
 * can be returned. */
int diag_in(struct skep_diag *diag, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The source line of the failing instruction, once somebody knows it; kept if there is
 * one already. */
void diag_at_line(struct skep_diag *diag, const char *file, int line);

/* Forget what happened; for callers that try one thing after another. */
void diag_clear(struct skep_diag *diag);

#endif
