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

enum { ELF_UNDEF = 0, ELF_ABS = 0xfff1, ELF_COMMON = 0xfff2 }; /* special sections */

struct elf_section {
	const char *name;  /* "" when it has none; borrowed from the file */
	u32 type;          /* SHT_* */
	u64 flags;         /* SHF_* */
	struct bytes data; /* borrowed; empty for SHT_NOBITS */
	u64 size;          /* bytes in memory, also of SHT_NOBITS */
	u32 link, info;    /* of SHT_REL: symbol table, section it applies to */
};

struct elf_symbol {
	const char *name; /* borrowed; "" when it has none */
	u64 value, size;
	u8 bind, type, visibility; /* STB_*, STT_*, STV_* */
	u32 section;               /* index in sections, or ELF_ABS, ELF_COMMON */
};

struct elf_reloc {
	u64 offset; /* in the section it applies to */
	u32 type;   /* R_BPF_* */
	u32 symbol; /* index in symbols */
	s64 addend; /* of SHT_RELA; SHT_REL keeps it in the place that is relocated */
};

struct elf {
	bool big_endian;
	struct elf_section *sections; /* in the arena; [0] is the null section */
	u32 n_sections;
	struct elf_symbol *symbols; /* in the arena; [0] is the null symbol */
	u32 n_symbols;
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
