/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CO-RE relocation is about, spelled out: a type, one of its fields, or one value
 * of an enum, in one BTF. The same value describes the local side (parsed from the access
 * string) and the side of the target (matched). Only the core*.c files include this.
 */
#ifndef SKEP_BTF_CORE_SPEC_H
#define SKEP_BTF_CORE_SPEC_H

#include "btf/core.h"

enum { CORE_MAX_ACCESS = 64, CORE_MAX_LEVEL = 32 };

enum core_about { ABOUT_FIELD, ABOUT_TYPE, ABOUT_ENUMVAL };

/* One step into a type: a named member, or an element of an array (or of the pointer that
 * we started from). */
struct core_access {
	u32 type;  /* of a member: the struct or union; of an element: the element */
	u32 index; /* of the member or the element */
	const char *name; /* borrowed from the BTF; NULL: an element */
};

struct core_spec {
	const struct btf *btf; /* borrowed */
	u32 root;
	enum core_kind kind;
	u32 n;
	struct core_access access[CORE_MAX_ACCESS]; /* without anonymous members */
	u32 depth;                                  /* with them */
	u64 bit_offset;
};

/* The two sides of a match, and how much work it may still be: hostile types can be made
 * to match very slowly. */
struct core_match {
	const struct btf *local, *target; /* borrowed */
	u64 steps_left;
};

enum core_about core_about(enum core_kind kind);
int core_spec_parse(struct core_spec *spec, const struct btf *btf,
		    const struct btf_core_relo *relo, struct skep_diag *diag);

/* The type "id" of the target as the local spec sees it.  1: *out is it; 0: it is not
 * what is looked for; errno. */
int core_spec_match(struct core_match *m, const struct core_spec *local, u32 id,
		    struct core_spec *out);

/* Is the array, which acc led to, the last member of its struct and without a length of
 * its own? */
bool core_is_flexible(const struct btf *btf, const struct core_access *acc,
		      const struct btf_array *array);

/* Moves the spec by so many elements of the type; false: that is beyond 4 GiB, or the
 * type has no size. */
bool core_spec_index(struct core_spec *spec, u32 type, u32 index);

/* "struct task_struct::thread.sp[1]" */
void core_spec_print(struct text *t, const struct core_spec *spec);

#endif
