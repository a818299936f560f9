/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs, written as text: what the passes make of one, and every engine, must
 * compute what it computes without them, from the same memory.
 */
#ifndef SKEP_TESTS_WRITTEN_H
#define SKEP_TESTS_WRITTEN_H

#include "base/text.h"
#include "opt/compiled.h"

struct generator {
	_Atomic u64 state;
	struct text text;
	u32 labels;
};

u32 below(struct generator *g, u32 n);
bool one_in(struct generator *g, u32 n);

/* On WRITTEN_MEMORY bytes at R1. */
enum { WRITTEN_MEMORY = 256 };

enum { WRITTEN_KINDS = 3 };

struct written {
	void (*write)(struct generator *g); /* a program */
	/* What it is about: a bit for each kind that is there. */
	u32 (*find)(const struct compiled *c);
	u32 programs, inputs;
	/* By kind: at least one of so many programs must have it; 0: no kind. */
	u32 one_in[WRITTEN_KINDS];
};

/* main() of such a test: SEED [PROGRAMS]. */
int written_main(const struct written *test, int argc, char **argv);

#endif
