/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of writing types as C, shared by the printer of one type (print.c) and that
 * of a whole BTF (dump.c). Only these two include this.
 */
#ifndef SKEP_BTF_PRINT_H
#define SKEP_BTF_PRINT_H

#include "btf/btf.h"

/* Hostile types can be written endlessly: anonymous structs that point to themselves, or
 * that double at each level. */
enum { PRINT_MAX_DEPTH = 64, PRINT_MAX_TYPE = 4 << 20, PRINT_MAX_ALL = 32 << 20 };

/* Tells apart what has one name in BTF and must have two in C; NULL: names as they are.
 */
struct name_version {
	u32 (*of_type)(void *names, u32 id); /* 0, 1: the name itself; n: name___n */
	u32 (*of_enumerator)(void *names, const char *name);
	void *names;
};

struct printer {
	struct text *t;
	const struct btf *btf;
	const struct name_version *version;
	u32 indent, depth;
	size_t max_len;
	bool brief; /* "struct {...}" for anonymous ones */
	bool cut;   /* there was more to write */
};

struct printer printer_of(struct text *t, const struct btf *btf, size_t max_len);
void print_declaration(struct printer *p, u32 id, const char *name);
void print_definition(struct printer *p, u32 id);
bool is_compilers_own(const struct btf_type *t);
bool is_c_integer(const char *name); /* "long unsigned int", not "u32" */

#endif
