/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object file that no compiler would make, put together section by section.  Section 1
 * holds the symbols, section 2 their names; those that a test adds follow.  Only what the
 * reader looks at is written.  For tests/obj; see the gABI.
 */
#ifndef SKEP_TESTS_OBJ_FILE_H
#define SKEP_TESTS_OBJ_FILE_H

#include "base/text.h"
#include "isa/insn.h"
#include "obj/elf.h"

enum { MAX_SECTIONS = 40000 };

struct part {
	const char *name;
	u32 type, flags, link, info;
	struct text data;
	u64 size; /* of ELF_NOBITS */
};

struct file {
	struct part *parts; /* owned, until file_finish() */
	u32 n;
};

struct symbol {
	u32 name, section;
	u8 type;
	u64 value, size;
	bool local;
};

static const struct insn insn_set_0 = {.code = 0xb7};
static const struct insn insn_exit = {.code = 0x95};

/* A little-endian number of so many bytes, zeroes behind the eighth. */
void put(struct text *t, u64 value, u32 size);

void file_begin(struct file *f);
struct part *add_part(struct file *f, const char *name, u32 type, u32 flags);
u32 add_name(struct file *f, const char *name);
void add_symbol(struct file *f, const struct symbol *s);
void add_insn(struct part *p, const struct insn *insn);

/* A section of code: r0 = 0 again and again, then exit. */
struct part *add_code(struct file *f, const char *name, u32 n_insns);

/* The section of relocations for section number `section`. */
struct part *add_relocs(struct file *f, const char *name, u32 section);
void add_reloc(struct part *p, u64 offset, u32 symbol, u32 type);

/* The bytes of the file; the caller's to free. */
struct text file_finish(struct file *f);

#endif
