/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disassembler: one instruction to the text that the kernel and LLVM use for it, and
 * that asm_insn() turns into the same bytes again.  Anybody may include this.
 */
#ifndef SKEP_ISA_DISASM_H
#define SKEP_ISA_DISASM_H

#include "isa/insn.h"

struct text;

/*
 * Names in place of numbers.  Every function may be NULL and may return NULL, which
 * leaves the number; what they return is borrowed until the next call.  pc is the slot of
 * the instruction that is printed.
 */
struct dis_names {
	const char *(*helper)(const void *ctx, s32 number);   /* call NAME */
	const char *(*label)(const void *ctx, u32 target);    /* goto NAME */
	const char *(*function)(const void *ctx, u32 target); /* call NAME, func[NAME] */
	/* The four forms of LDDW that refer to maps: map[NAME], value[NAME] + N. */
	const char *(*map)(const void *ctx, const struct insn *insn, u32 pc);
	/* kfunc[NAME] for CALL_KFUNC, ksym[NAME] for LDDW_BTF_ID. */
	const char *(*external)(const void *ctx, const struct insn *insn, u32 pc);
	const void *ctx; /* borrowed */
};

/*
 * Appends the text of insns[pc] to out, without a newline; returns the number of slots it
 * took, 1 or 2 (pc < n_insns).  What no text can stand for, valid or not, is written as
 * ".insn CODE, DST, SRC, OFF, IMM", with the second imm behind if it takes two slots.
 * names may be NULL.
 */
u32 disasm(struct text *out, const struct insn *insns, u32 n_insns, u32 pc,
	   const struct dis_names *names);

#endif
