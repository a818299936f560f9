/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operators and names of the text syntax, by row of the .def files: the assembler
 * reads what the disassembler writes.  Only these two include this.
 */
#ifndef SKEP_ISA_SYNTAX_H
#define SKEP_ISA_SYNTAX_H

#include "isa/insn.h"

extern const char *const alu_text[ALUS];
extern const char *const jmp_text[JMPS];
extern const char *const atomic_text[ATOMICS];
extern const bool atomic_fetch[ATOMICS]; /* gives back the old value */

#endif
