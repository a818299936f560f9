/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What choose.c and walk.c have in common: steps that are taken or not.
 */
#ifndef SKEP_OPT_CHOOSE_H
#define SKEP_OPT_CHOOSE_H

#include "opt/passes.h"

/* to = SELECT of next and from, next = from + distance, from the last step's `to`. */
struct step {
	u32 from, next, distance, to;
};

enum { MAX_STEPS = 16 };

struct chooser {
	struct pass *p;
	bool *needed;   /* by value */
	u32 start, end; /* of the block */
	u32 last;       /* what was chosen last, */
	u64 bits;       /* and which of its bits can be other than zero */
	struct step steps[MAX_STEPS];
	u32 n_steps;
};

/* One use of it less; of what it needs, too, if that was the last. */
void choose_drop(struct chooser *c, u32 value);

/* walk.c: there are no more steps behind these. */
void choose_walk(struct chooser *c);

#endif
