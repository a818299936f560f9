/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one statement of assembly text from left to right: words, registers, numbers,
 * and the error that says where something else was expected.  Only the assembler includes
 * this.
 */
#ifndef SKEP_ISA_SCAN_H
#define SKEP_ISA_SCAN_H

#include "isa/asm.h"

enum { MAX_WORD = 128 };

struct scan {
	const char *p, *end;    /* the rest of the statement; borrowed from the text */
	const char *line_start; /* columns count from here */
	const char *file;       /* or NULL */
	u32 line;
	const struct asm_names *names; /* or NULL */
	u32 depth;                     /* of parentheses in a number */
	struct skep_diag *diag;
};

/* These skip blanks first.  accept: take it if it is there. */
bool scan_end(struct scan *s); /* is nothing left? */
bool scan_accept(struct scan *s, const char *punctuation);
bool scan_accept_word(struct scan *s, const char *word);
bool scan_word(struct scan *s, char word[MAX_WORD]); /* a name, dots and all */
bool scan_next_is_word(struct scan *s);

struct scan_reg {
	u8 number;
	bool half; /* w0: 32 bits of it */
};
bool scan_reg(struct scan *s, struct scan_reg *reg);
bool scan_next_is_reg(const struct scan *s, struct scan_reg *reg);

/* These fail. */
int scan_expect(struct scan *s, const char *punctuation);
int scan_number(struct scan *s, s64 *value); /* an expression of constants */
int scan_number_in(struct scan *s, s64 min, s64 max, s64 *value);
int scan_string(struct scan *s, char *out, size_t size, size_t *len); /* "..." */
int scan_expect_end(struct scan *s);

/* "line:column: expected WHAT, found ..." at the place where the scan stands. */
int scan_expected(struct scan *s, const char *what);

/* Gives the diag, which some other failure filled, the place where the scan stands. */
int scan_at(struct scan *s, int err);

#endif
