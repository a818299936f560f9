/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In what the verifiers of different versions of Linux differ, one field each.
 *
 * Which instructions, helpers, kfuncs and types exist is in src/abi; here is what the
 * verifier itself learned.  A field says what newer ones can do; rules.c has the version.
 * For src/verify.
 */
#ifndef SKEP_VERIFY_RULES_H
#define SKEP_VERIFY_RULES_H

#include "base/types.h"

struct rules {
	u32 version; /* ABI_LINUX() */
#define RULE(name, major, minor, what) bool name; /* what */
#include "verify/rules.def"
#undef RULE
};

/* The rules of a version of Linux. */
void rules_of(u32 version, struct rules *rules);

#endif
