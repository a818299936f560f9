/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rejection in words: what happened, where in the source, what the register was, how
 * the program came there, what to do.  For tools; reads the result of verify_prog(), and
 * runs it once more to see the path that led to the refusal.
 */
#ifndef SKEP_VERIFY_EXPLAIN_H
#define SKEP_VERIFY_EXPLAIN_H

#include "base/arena.h"
#include "verify/verify.h"

struct explanation {
	const struct prog *prog;        /* all borrowed */
	const struct verify_opts *opts; /* with which it was rejected */
	const struct verify_result *result;
	const struct skep_diag *diag;
};

enum { EXPLAIN_LINES = 25, EXPLAIN_COLUMNS = 99, STORY_STEPS = 7, STORY_LINES = 12 };

/* One instruction on the way. */
struct story_step {
	u32 insn;
	const char *text;  /* "if r3 > r1 goto 13, not taken" */
	const char *state; /* "R2: 14 bytes of the packet are there" */
};

/* The parts; strings belong to the arena or the program, NULL: there is nothing to say.
 */
struct story {
	struct arena arena;          /* owned */
	const char *function;        /* that was being verified */
	const char *insn, *source;   /* the refused instruction, its line */
	const char *subject, *state; /* "R2", and what is known of it */
	const char *facts[4];        /* what was or was not found on the way */
	u32 n_facts;
	struct story_step steps[STORY_STEPS];
	u32 n_steps;
	const char
		*lines[STORY_LINES]; /* where the work went, which functions use stack */
	u32 n_lines;
	const char *advice;
};

/* story_fini() afterwards. */
void story_make(const struct explanation *what, struct story *story);
void story_fini(struct story *story);
/* All but the reason itself (diag), indented by two; at most EXPLAIN_LINES - 2 lines. */
void story_print(const struct story *story, const struct explanation *what,
		 struct text *out);

/* The three in one. */
void explain(const struct explanation *what, struct text *out);

#endif
