/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Masks of arithmetic for programs without privileges: what the kernel does to an
 * addition of two registers so that it stays in bounds when the processor speculates.  An
 * instruction has one mask, whichever path comes to it.  For alu.c and pointer.c.
 */
#ifndef SKEP_VERIFY_POINTER_H
#define SKEP_VERIFY_POINTER_H

#include "verify/env.h"

/* The instruction at env->pc adds or subtracts two numbers: it must not add to a pointer
 * on another path. */
int mask_number(struct env *env);

#endif
