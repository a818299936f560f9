/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction of assembly text, with the name it still waits for.  Only the assembler
 * includes this.
 */
#ifndef SKEP_ISA_ASM_INSN_H
#define SKEP_ISA_ASM_INSN_H

#include "isa/scan.h"

enum want {
	WANT_NOTHING,
	WANT_LABEL, /* goto and its family */
	WANT_CALL,  /* a label, a function or a helper */
	WANT_MAP,
	WANT_VALUE,   /* of a map or of a global */
	WANT_FUNC,    /* a function or a label */
	WANT_KFUNC,   /* anything */
	WANT_KSYM,    /* anything */
	WANT_ADDRESS, /* NAME ll: of whatever the name means */
};

struct statement {
	struct insn insns[2];
	u32 slots;
	enum want want;
	char name[MAX_WORD];
	const char *at; /* where the name stands in the text */
	s32 addend;
};

/* Reads a whole statement.  What it wants is left for the caller to fill in. */
int asm_statement(struct scan *s, struct statement *st);

#endif
