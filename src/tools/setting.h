/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people type them, turned into the bytes that a type wants: numbers, names of
 * enumerators, "text", {a, b}, addresses (10.0.0.1, 2001:db8::1, 52:54:00:12:34:56),
 * prefixes for LPM tries (10.0.0.0/8), and 0x:0a0b0c for bytes as they are.  For
 * src/tools.
 */
#ifndef SKEP_TOOLS_SETTING_H
#define SKEP_TOOLS_SETTING_H

#include "base/types.h"

struct btf;
struct skep_diag;
struct skep_map;
struct skep_object;

/* Where the bytes go, and what they are. */
struct place {
	const struct btf *btf;
	u32 type; /* 0: nobody knows */
	u8 *out;
	u64 len;
};

int set_bytes(const char *text, const struct place *place, struct skep_diag *diag);

/* Also "10.0.0.0/8": the key of an LPM trie. */
int set_prefix(const char *text, const struct place *place, struct skep_diag *diag);

/* "NAME=VALUE": a global variable, before the object is loaded. */
int set_variable(struct skep_object *obj, const char *setting, struct skep_diag *diag);

/* An element of a loaded map; of a per-CPU map the value goes to every CPU. */
int set_element(struct skep_object *obj, const char *const setting[3],
		struct skep_diag *diag);

#endif
