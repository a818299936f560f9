/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a case with a difference small, and writes it in the form of tests/cases.
 */
#ifndef SKEP_TESTS_SHRINK_H
#define SKEP_TESTS_SHRINK_H

#include <stdio.h>

#include "oracle/compare.h"

/* Takes out what can go while the difference stays; writes folder/oracle-SEED.case. */
void shrink(struct sides *s, struct gen_case *c, u32 n_inputs, const char *folder);

/* want: what the kernel gave; NULL: the case says nothing about results. */
void write_case(FILE *f, const struct gen_case *c, u32 input, const struct outcome *want,
		const char *comment);

#endif
