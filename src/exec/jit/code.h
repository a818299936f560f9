/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that native code runs in.  It is written, sealed, run: never writable and
 * executable at once.  Pages that nobody may touch lie before and behind it, so that what
 * runs over an end stops there.  Only jit.c includes this.
 */
#ifndef SKEP_EXEC_JIT_CODE_H
#define SKEP_EXEC_JIT_CODE_H

#include "base/types.h"

struct code_memory {
	u8 *code;    /* where it will run */
	size_t size; /* whole pages */
	void *base;  /* owned: guard, code, guard */
	size_t mapped;
};

/* Writable, zeroed memory for len bytes of code.  -ENOMEM.
 */
int code_new(size_t len, struct code_memory *out);

/* From here on executable and read-only.  Errors: that of the system, which may forbid
 * such memory (-EACCES, -EPERM). */
int code_seal(struct code_memory *memory);

void code_free(struct code_memory *memory);

#endif
