/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of pass_select() have in common.  select.c: small branches become
 * SELECT; select_load.c: those around a load.
 */
#ifndef SKEP_OPT_SELECT_H
#define SKEP_OPT_SELECT_H

#include "opt/passes.h"

/* A branch: from a block over one or two sides to where they meet. */
struct branch {
	u32 from, meet;
	u32 sides[2]; /* where it is true, and where not; PASS_NONE: none */
};

/* The PHIs where the sides meet. */
struct ends {
	u32 at[2];  /* among the predecessors of meet: the true side's and the false */
	u32 n_phis; /* that differ */
	u32 n_free; /* NOPs behind what the sides compute */
};

/* A side that is a load, behind a branch by a bit, is made such that it may run in any
 * case, and its PHI the same from either way.  false: it is none, all is as it was. */
bool pass_select_load(struct pass *p, const struct branch *branch,
		      const struct ends *ends);

#endif
