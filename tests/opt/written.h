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

struct written {
	void (*write)(struct generator *g);         /* a program */
	bool (*is_found)(const struct compiled *c); /* is there what it is about? */
	u32 programs, inputs;
	u32 found_in; /* at least one of so many must have it */
};

/* main() of such a test: SEED [PROGRAMS]. */
int written_main(const struct written *test, int argc, char **argv);

#endif
