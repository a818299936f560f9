/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the command says: messages on standard error, aligned tables on standard output,
 * colours where a person looks.
 *
 * Text that comes from files is printed through here, so that no control character of a
 * hostile name reaches a terminal.  Never does: JSON (json.h).  For src/tools.
 */
#ifndef SKEP_TOOLS_OUT_H
#define SKEP_TOOLS_OUT_H

#include <stdio.h>

#include "base/text.h"
#include "base/vec.h"

struct skep_diag;

/* Exit statuses of every command. */
enum {
	EXIT_OK = 0,
	EXIT_NO = 1,     /* the answer is no: a program broke the rules, no match */
	EXIT_USAGE = 2,  /* wrong usage */
	EXIT_INPUT = 3,  /* input that cannot be read or is not what it claims to be */
	EXIT_SYSTEM = 4, /* the system refused, or this build has no such engine */
};

/* ---- standard error: "skep: WHERE: WHAT (ADVICE)" ---- */

void say(const char *where, const char *advice, const char *fmt, ...) PRINTF_LIKE(3, 4);
void say_warning(const char *where, const char *fmt, ...) PRINTF_LIKE(2, 3);
void say_diag(const struct skep_diag *diag);

/* The same for one that is kept in an object, which does not name the object. */
void say_diag_of(const char *name, const struct skep_diag *diag);

/* Says it and tells the exit status: EXIT_SYSTEM when memory or rights are missing,
 * EXIT_USAGE when a word of the command line is wrong, else `status`. */
int refuse(const struct skep_diag *diag, int status);

/* ---- colours ---- */

enum style { STYLE_PLAIN, STYLE_HEAD, STYLE_NAME, STYLE_DIM, STYLE_BAD, STYLE_STYLES };

/* The escape sequence, or "" where f is no terminal or NO_COLOR is set. */
const char *style_on(FILE *f, enum style style);
const char *style_off(FILE *f);

/* Is a person looking at f? */
bool is_terminal(FILE *f);

/* Prints text with control characters made visible (\x1b); line ends too unless `lines`.
 */
void put_clean(FILE *f, const char *s, bool lines);

/* "1,234,567": into one of a few buffers that the caller owns. */
struct number {
	char s[32];
};
const char *grouped(struct number *n, u64 value);

/* ---- tables ---- */

enum { TABLE_COLUMNS = 12 };

struct table {
	const char *heads[TABLE_COLUMNS]; /* borrowed; starts with '>': align right */
	u32 n_columns;
	u32 indent;
	struct vec cells; /* of char *, owned; NULL when memory was out */
};

/* heads: "PROGRAM", ">INSNS", NULL-terminated; the first one "": no heads are printed. */
void table_init(struct table *t, const char *const *heads, u32 indent);
void table_cell(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_print(struct table *t); /* to standard output; frees */
void table_fini(struct table *t);  /* frees what is not printed */

#endif
