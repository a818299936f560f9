/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a reason names: the register, the place on the stack, the instruction.
 * For src/verify.
 */
#ifndef SKEP_VERIFY_BLAME_H
#define SKEP_VERIFY_BLAME_H

#include <stdarg.h>

#include "verify/verify.h"

#define BLAME_NOTHING ((struct verify_blame){.reg = -1, .insn = -1})

/* By the format of a row of reasons.def and its arguments. */
struct verify_blame blame_of(const char *fmt, va_list ap);

#endif
