/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF object file of machine BPF, read once and checked as it is read: sections,
 * symbols and relocations whose every offset, name and index is inside the file.  What
 * they mean to eBPF is object.c's business.
 *
 * Sections and symbols keep their numbers; names and data are borrowed from the file's
 * bytes, arrays belong to the arena.  For src/obj only.
 * See the System V ABI (gABI), chapters 4 and 5, and LLVM's docs on BPF relocations.
 */
#ifndef SKEP_OBJ_ELF_H
#define SKEP_OBJ_ELF_H

#include "base/bytes.h"

struct arena;
struct skep_diag;

/* Numbers of the gABI under names of our own: not every host has <elf.h>. */
enum { ELF_UNDEF = 0, ELF_ABS = 0xfff1, ELF_COMMON = 0xfff2 }; /* special sections */
enum elf_section_type {
	ELF_PROGBITS = 1,
	ELF_SYMTAB = 2,
	ELF_STRTAB = 3,
	ELF_RELA = 4,
	ELF_NOBITS = 8,
	ELF_REL = 9,
};
enum { ELF_WRITE = 1, ELF_ALLOC = 2, ELF_EXECINSTR = 4 }; /* section flags */
enum { ELF_LOCAL = 0, ELF_GLOBAL = 1, ELF_WEAK = 2 };     /* symbol binding */
enum { ELF_NOTYPE = 0, ELF_OBJECT = 1, ELF_FUNC = 2, ELF_SECTION = 3 }; /* symbol type */
enum { ELF_HIDDEN = 2, ELF_INTERNAL = 1 }; /* symbol visibility */

/* Relocations, as LLVM's documentation has them.  64_64: of a 64-bit immediate load, and
 * of data before LLVM 13; 64_ABS64: of data; 64_32: of a call. */
enum bpf_reloc {
	ELF_BPF_NONE = 0,
	ELF_BPF_64_64 = 1,
	ELF_BPF_64_ABS64 = 2,
	ELF_BPF_64_32 = 10,
};

enum {
	ELF_HEADER_SIZE = 64,
	ELF_SECTION_SIZE = 64,
	ELF_SYMBOL_SIZE = 24,
	ELF_REL_SIZE = 16,
	ELF_RELA_SIZE = 24,
	ELF_MACHINE_BPF = 247,
};

struct elf_section {
	const char *name;  /* "" when it has none; borrowed from the file */
	u32 type;          /* enum elf_section_type, and others */
	u64 flags;         /* ELF_WRITE, ... */
	struct bytes data; /* borrowed; empty for ELF_NOBITS */
	u64 size;          /* bytes in memory, also of SHT_NOBITS */
	u32 link, info;    /* of SHT_REL: symbol table, section it applies to */
	u32 relocs; /* the first section of relocations that apply to this one, or 0 */
	u32 next_relocs; /* of a section of relocations: the next for the same, or 0 */
};

struct elf_symbol {
	const char *name; /* borrowed; "" when it has none */
	u64 value, size;
	u8 bind, type, visibility; /* ELF_GLOBAL, ELF_FUNC, ELF_HIDDEN, ... */
	u32 section;               /* index in sections, or ELF_ABS, ELF_COMMON */
};

struct elf_reloc {
	u64 offset;    /* in the section it applies to */
	u32 type : 31; /* enum bpf_reloc, and others */
	bool has_addend : 1;
	u32 symbol; /* index in symbols */
	s64 addend; /* of ELF_RELA; ELF_REL keeps it in the place that is relocated */
};

struct elf {
	bool big_endian;
	struct elf_section *sections; /* in the arena; [0] is the null section */
	u32 n_sections;
	struct elf_symbol *symbols; /* in the arena; [0] is the null symbol */
	u32 n_symbols;              /* 0: the file is stripped */
};

/* Errors: ENOEXEC for what is no relocatable ELF64 object for BPF, EINVAL for a broken
 * one, ENOMEM. */
int elf_read(struct elf *elf, struct bytes file, struct arena *arena,
	     struct skep_diag *diag);

/* The section of that name, or NULL; the first one if there are several. */
const struct elf_section *elf_find_section(const struct elf *elf, const char *name);

/*
 * All relocations that apply to section `index`, sorted by offset, in the arena.  Their
 * symbols exist and their offsets lie inside the section.
 */
int elf_read_relocs(const struct elf *elf, u32 index, struct arena *arena,
		    struct elf_reloc **relocs, u32 *n_relocs, struct skep_diag *diag);

#endif
