/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text while it is being assembled: what was read so far, by kind, and the names that
 * still wait for their meaning.  Only the assembler's own files include this.
 */
#ifndef SKEP_ISA_ASM_FILE_H
#define SKEP_ISA_ASM_FILE_H

#include "base/hash.h"
#include "base/vec.h"
#include "isa/asm_insn.h"

enum { MAX_SYMBOLS = 1 << 16, MAX_REFS = 1 << 18, MAX_DATA = 16 << 20, MAX_DATAS = 256 };

enum symbol_kind { SYMBOL_FUNC, SYMBOL_MAP, SYMBOL_GLOBAL, SYMBOL_NUMBER };

struct symbol {
	const char *name;
	enum symbol_kind kind;
	u32 index; /* in the vector of its kind */
	s64 value; /* SYMBOL_NUMBER */
};

/* Names of one function stay where they are in the text: there may be very many. */
struct label {
	const char *at;
	u32 pc;
	u8 len;
};

/* A name in an instruction. */
struct pending {
	const char *at;
	u32 func, insn;
	s32 addend;
	u8 len;
	u8 want; /* enum want */
};

/* A map's names, which may be defined after it. */
struct map_names {
	const char *inner; /* or NULL */
	u32 line;
};

/* One .slot. */
struct slot_line {
	u32 map;
	struct asm_slot slot;
};

struct data_build {
	const char *name;
	struct vec bytes; /* of char; stays empty while zero is all there is */
	u32 size;
};

struct asm_file {
	const struct asm_input *in; /* borrowed, as are the next two */
	struct arena *arena;        /* strings, and whatever ends up in the unit */
	struct skep_diag *diag;
	struct asm_names names;      /* the caller's and those of .equ */
	struct vec symbols;          /* struct symbol */
	struct hash_index by_name;   /* of symbols */
	struct hash_index by_extern; /* of externs */
	u32 seed; /* of these hashes: whoever wrote the text chose the names */
	struct vec funcs, maps, globals, externs; /* struct asm_func, ... */
	struct vec map_names, slots, builds;      /* one a map; slot_line; data_build */
	struct vec datas;                         /* struct asm_data, at the end */
	struct vec refs;                          /* struct asm_ref, of all functions */
	/* What waits for the end of the text, then (from n_waiting on) what was read of
	 * this function. */
	struct vec pending;
	size_t n_waiting;
	struct vec insns, lines, labels; /* of the function being read */
	u32 total_data;
	bool no_memory;                /* while the unit was made */
	const char *section, *license; /* or NULL */
	u32 version;
};

u32 file_hash(const struct asm_file *f, const char *name);
struct symbol *file_find(const struct asm_file *f, const char *name); /* or NULL */
int file_define(struct asm_file *f, struct scan *s, const struct symbol *new);
int file_extern(struct asm_file *f, const char *name, bool kfunc, u32 *index);

int file_begin_function(struct asm_file *f, struct scan *s, const struct asm_func *new);
int file_end_function(struct asm_file *f);

/* A statement that begins with a dot. */
int file_directive(struct asm_file *f, struct scan *s);

/* What directives left open until every name is known. */
int file_end_maps(struct asm_file *f);
int file_end_datas(struct asm_file *f);

#endif
