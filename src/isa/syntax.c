/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text columns of the .def files as arrays.
 */
#include "isa/syntax.h"

const char *const alu_text[ALUS] = {
#define A(name, code, off, sign, forms, text, result) [ALU_##name] = text,
#include "isa/alu.def"
#undef A
};

const char *const jmp_text[JMPS] = {
#define J(name, code, sign, text, taken) [JMP_##name] = text,
#include "isa/jmp.def"
#undef J
};

const char *const atomic_text[ATOMICS] = {
#define T(name, imm, fetch, text, stored) [ATOMIC_##name] = text,
#include "isa/atomic.def"
#undef T
};

const bool atomic_fetch[ATOMICS] = {
#define T(name, imm, fetch, text, stored) [ATOMIC_##name] = fetch,
#include "isa/atomic.def"
#undef T
};
