/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rejection in words: what happened, where in the source, what the register was, how
 * the program came there, what to do.  For tools; reads the result of verify_prog(), and
 * runs it once more along the path that led to the refusal.
 */
#ifndef SKEP_VERIFY_EXPLAIN_H
#define SKEP_VERIFY_EXPLAIN_H

#include "verify/verify.h"

struct explanation {
	const struct prog *prog;        /* all borrowed */
	const struct verify_opts *opts; /* with which it was rejected */
	const struct verify_result *result;
	const struct skep_diag *diag;
};

enum { EXPLAIN_LINES = 25 };

/* At most EXPLAIN_LINES lines, indented by two. */
void explain(const struct explanation *what, struct text *out);

#endif
