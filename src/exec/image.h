/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engines have in common: a program with its instructions laid out for direct
 * threading.  Each engine has its own array of struct code, made from the same slots with
 * its own labels; code[i] is instruction slot i, so that a place in one is a place in the
 * other.  Only src/exec includes this.
 */
#ifndef SKEP_EXEC_IMAGE_H
#define SKEP_EXEC_IMAGE_H

#include "abi/abi.h"
#include "exec/exec.h"

struct jit_code; /* exec/jit/jit.h */

struct code {
	/* Where the engine goes for this instruction; the second slot of a wide
	 * instruction is never gone to and holds its value. */
	union {
		const void *go;
		u64 value;
	};
	union {
		struct {
			u8 dst, src;
			s16 off;
			s32 imm; /* JA, MAY_GOTO: slots to jump */
		};
		helper_fn helper;          /* CODE_CALL_HELPER */
		const struct code *target; /* CODE_CALL_LOCAL */
	};
};
_Static_assert(sizeof(struct code) == 16, "four instructions a cache line");

/* Operand forms of a row: M(row's arguments, form, width, operand) for each. */
#define FORMS_ALL(M, name)                                                               \
	M(name, 64_K, 64, IMM)                                                           \
	M(name, 64_X, 64, SRC) M(name, 32_K, 32, IMM) M(name, 32_X, 32, SRC)
#define FORMS_K(M, name)   M(name, 64_K, 64, IMM) M(name, 32_K, 32, IMM)
#define FORMS_X(M, name)   M(name, 64_X, 64, SRC) M(name, 32_X, 32, SRC)
#define FORMS_X64(M, name) M(name, 64_X, 64, SRC)

/* Labels beside those of enum op: what a call turns out to be. */
enum {
	CODE_CALL_LOCAL = OPS,
	CODE_CALL_HELPER,
	CODE_TAIL_CALL,
	CODE_BAD_FRAME_USE, /* checked: R10 written, or used beyond its frame */
	CODE_ARENA,         /* of a program with an arena: what arena_step() does */
	CODE_UNSEEN,        /* the verifier never looked at it */
/* interp: an instruction and the move before it, which has the same destination */
#define A(name, code, off, sign, forms, ...)        FORMS_##forms(CODE_AFTER_MOVE, name)
#define CODE_AFTER_MOVE(name, form, width, operand) CODE_MOVE_##name##form,
#include "isa/alu.def"
#undef CODE_AFTER_MOVE
#undef A
	CODES,
};

struct image {
	const struct prog *prog; /* borrowed from the spec */
	struct map **maps;       /* owned array of borrowed maps */
	helper_fn (*helper)(u32 number);
	const struct claims *claims;       /* borrowed from the spec; NULL: none */
	struct map *arena;                 /* borrowed; NULL: the program uses none */
	const u8 *marks;                   /* borrowed: spec->arena */
	struct code *interp;               /* owned; n_insns; NULL: not for this engine */
	struct code *checked;              /* owned; the same */
	struct jit_code *jit;              /* owned; the same */
	const struct abi_helper **helpers; /* owned array by number: the rows of what is
					      called; static rows */
	u8 *entries; /* owned; a bit an instruction: functions start here */
	bool throws; /* may call bpf_throw() */
	/* For tail calls from compiled code: */
	const void *entry; /* native; NULL: there is none */
	u32 type;          /* of the program */
};

/* Moves overwrite their destination unread. */
static inline bool alu_reads_dst(enum alu row)
{
	return row != ALU_MOV && row != ALU_MOVS8 && row != ALU_MOVS16 &&
	       row != ALU_MOVS32;
}

/* The labels of each engine, CODES of them. */
const void *const *interp_labels(void);
const void *const *checked_labels(void);

/* Is the value a function of the program, as LDDW_FUNC gives it?  Its code or NULL. */
const struct code *image_function(const struct image *image, const struct code *code,
				  u64 value);

/* The row of a helper or kfunc for this program; NULL: not one of Linux's. */
const struct abi_helper *image_helper(const struct image *image, u32 number);

/* The body of the helper that a register's value names, as callx has it, or NULL.  Kfuncs
 * have no such numbers in Linux. */
static inline helper_fn image_callx_helper(const struct image *image, u64 value)
{
	return value < KFUNC_NUMBERS ? image->helper((u32)value) : NULL;
}

/* Programs tail-call their like: the context is the same. */
static inline bool image_may_follow(const struct image *image, const struct image *next)
{
	return image->prog->type == next->prog->type;
}

const char *image_type_name(const struct image *image);

/* (arena.c) What differs in programs with an arena: is it this instruction?  Does it. */
bool arena_differs(const struct image *image, u32 pc);
void arena_step(const struct image *image, u32 pc, u64 r[N_REGS]);

/* Makes one instruction of common pairs in the interpreter's code. */
void interp_fuse(const struct prog *prog, struct code *code);

/* Makes the checked engine stop where R10 is written or misused, or a kfunc is called
 * that is for other programs. */
void checked_guard(const struct prog *prog, struct code *code);

#endif
