/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of a program as text, with the names of what they call and refer to, and
 * the lines of the source they come from.  For log and explain in src/verify.
 */
#ifndef SKEP_VERIFY_LISTING_H
#define SKEP_VERIFY_LISTING_H

#include "prog/prog.h"

struct text;

/* Without a newline; pc is an instruction of the program. */
void listing_insn(struct text *out, const struct prog *prog, u32 pc);
/* The same, jumps as "goto 17". */
void listing_insn_absolute(struct text *out, const struct prog *prog, u32 pc);

/* What the call is of: "bpf_map_lookup_elem", the name of a kfunc or function; NULL: no
 * call, or nobody knows. */
const char *listing_callee(struct text *scratch, const struct prog *prog, u32 pc);

/* The function that pc is in, or NULL. */
const char *listing_function(const struct prog *prog, u32 pc);

/* The line of the source, or NULL where none is known; blanks at the start are left out.
 */
const char *listing_source(const struct prog *prog, u32 pc);
/* "xdp.c": the file without folders; NULL: not known. */
const char *listing_file(const struct prog *prog, u32 pc);

#endif
