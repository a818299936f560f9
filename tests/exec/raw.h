/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that nobody verified, on raw memory and one map, and what comes out of
 * them: for tests that hold engines against each other.
 */
#ifndef SKEP_TESTS_EXEC_RAW_H
#define SKEP_TESTS_EXEC_RAW_H

#include <skep/diag.h>

#include "exec/exec.h"

struct map;

enum { RAW_MEMORY = 64, RAW_ROOM = 80 /* instructions */ };

/* The state of the generator; the same state gives the same program. */
extern u64 raw_state;

/* Returns its length: half of them do a bit of everything, the others much arithmetic. */
u32 raw_program(struct insn insns[RAW_ROOM]);

struct raw_outcome {
	int err;
	u64 r0;
	u8 memory[RAW_MEMORY], value[RAW_MEMORY];
	struct skep_diag diag;
};

/* What runs: as an engine. */
typedef int (*raw_runner)(const void *what, struct run *run, u64 *ret);

/* On memory and a map that are always the same at the start. */
void raw_run(raw_runner runner, const void *what, struct map *map,
	     struct raw_outcome *out);
bool raw_same(const struct raw_outcome *a, const struct raw_outcome *b);

/* An ARRAY of one value of RAW_MEMORY bytes. */
struct map *raw_map(void);

#endif
