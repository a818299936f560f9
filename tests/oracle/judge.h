/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated programs before skep's own verifier: its verdict, and what it claims.
 * For tests/oracle.
 */
#ifndef SKEP_TESTS_JUDGE_H
#define SKEP_TESTS_JUDGE_H

#include "base/arena.h"
#include "oracle/generate.h"
#include "prog/prog.h"
#include "target/target.h"

struct claims;

/* What all programs have in common. */
struct judge {
	struct arena arena;
	struct target target;
	const struct btf *btf; /* in the arena: types of functions */
	struct map_def defs[GEN_MAPS];
	const struct map_def *list[GEN_MAPS];
	struct subprog subprogs[GEN_PROGS][GEN_FUNCS];
};

enum judged { ACCEPTED, REJECTED, NOT_JUDGED };

bool judge_init(struct judge *j);
void judge_fini(struct judge *j);

/* The programs of a case, as values that skep takes; they borrow from both. */
void judge_progs(struct judge *j, const struct gen_case *c, struct prog progs[GEN_PROGS]);

/* Of all programs; words: of the first that is not accepted. */
enum judged judge_verdict(const struct judge *j, const struct prog *progs, u32 n,
			  char *words, size_t size);

/* Which ways jumps go (verify_result.ways), to be freed; NULL: it is not accepted. */
u8 *judge_ways(const struct judge *j, const struct prog *prog);
/* Of an accepted program; *claims NULL: too much is claimed to be told.  False: it is
 * rejected when everything counts, so that what was left out when states were compared
 * did matter. */
bool judge_claims(const struct judge *j, const struct prog *prog, struct claims **claims,
		  struct skep_diag *diag);

#endif
