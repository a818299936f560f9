/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several programs as one: they run one after another on the same context until one of
 * them returns something else than "go on".
 *
 * Each becomes a function of a small program that calls them, so that whoever judges and
 * runs it needs to know nothing of chains.  Anybody above src/prog may include this.
 */
#ifndef SKEP_PROG_CHAIN_H
#define SKEP_PROG_CHAIN_H

#include "prog/prog.h"

struct arena;
struct skep_diag;

struct chain {
	const struct prog *const *progs; /* fitted, of one object and one type */
	u32 n;                           /* at least 1 */
	s32 go_on; /* what a program returns for the next one to run: XDP_PASS */
};

/* *out: in the arena, which must not outlive the programs.  Errors: EINVAL for programs
 * that do not go together, E2BIG, ENOMEM. */
int prog_chain(const struct chain *chain, struct arena *a, const struct prog **out,
	       struct skep_diag *diag);

#endif
