/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of registers and numbers, in words: "packet pointer, 14 bytes behind
 * data", "0 to 64".  For explain*.c.
 */
#ifndef SKEP_VERIFY_WORDS_H
#define SKEP_VERIFY_WORDS_H

#include "verify/state.h"

struct text;

/* "5", "0 to 64", "at least -3", "any number". */
void words_range(struct text *t, const struct scalar *s);
/* The kind of pointer: "pointer to the value of map m (8 bytes)". */
void words_pointer(struct text *t, const struct reg *reg);
/* All of it. */
void words_reg(struct text *t, const struct reg *reg, u32 frame);

#endif
