/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which version of Linux first had which instruction.
 *
 * RFC 9669 has them all; a kernel has those that were there when it was made.  Anybody
 * may include this.
 */
#ifndef SKEP_ABI_INSNS_H
#define SKEP_ABI_INSNS_H

#include "isa/insn.h"

/* ABI_LINUX(); 0xffffffff: no Linux up to 6.18 has it. */
u32 abi_insn_since(enum op op);

#endif
