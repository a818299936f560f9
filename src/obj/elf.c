/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ELF64 relocatable objects of machine BPF, of either byte order.  Everything is
 * read by its offset in the file and checked once, here; later stages index freely.
 * Work and memory are linear in the file's size.
 */
#include "obj/elf.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"

enum { ET_REL_NUMBER = 1, CLASS_64 = 2, DATA_LITTLE = 1, DATA_BIG = 2, XINDEX = 0xffff };
enum { FIRST_RESERVED_SECTION = 0xff00, MAX_NAME = 4096 };

/* The fields of the file header that matter. */
struct header {
	u64 sections_off;
	u32 n_sections, names; /* names: index of the section with the names */
};

static int read_header(struct elf *elf, struct bytes file, struct header *h,
		       struct skep_diag *diag)
{
	const u8 *p = file.data;

	if (!file.len)
		return fail(diag, NOT_ELF, NO_PC, "the file is empty");
	if (file.len < ELF_HEADER_SIZE || memcmp(p, "\177ELF", 4) != 0)
		return fail(diag, NOT_ELF, NO_PC, "it has no ELF header");
	if (p[4] != CLASS_64)
		return fail(diag, NOT_ELF, NO_PC, "it is not an ELF file of 64 bits");
	if (p[5] != DATA_LITTLE && p[5] != DATA_BIG)
		return fail(diag, BAD_ELF, NO_PC, "the byte order is unknown");
	elf->big_endian = p[5] == DATA_BIG;

	u16 type = load_u16_of(p + 16, elf->big_endian);
	u16 machine = load_u16_of(p + 18, elf->big_endian);

	/* LLVM before 3.9 left the machine empty. */
	if (machine != ELF_MACHINE_BPF && machine != 0)
		return fail(diag, NOT_ELF, NO_PC, "it was compiled for another machine");
	if (type != ET_REL_NUMBER)
		return fail(diag, NOT_ELF, NO_PC, "it is linked already, not an object");
	if (load_u16_of(p + 58, elf->big_endian) != ELF_SECTION_SIZE)
		return fail(diag, BAD_ELF, NO_PC, "section headers of unknown size");
	h->sections_off = load_u64_of(p + 40, elf->big_endian);
	h->n_sections = load_u16_of(p + 60, elf->big_endian);
	h->names = load_u16_of(p + 62, elf->big_endian);
	if (!h->n_sections || h->n_sections >= FIRST_RESERVED_SECTION)
		return fail(diag, BAD_ELF, NO_PC, "no sections, or too many of them");
	if (h->names >= h->n_sections)
		return fail(diag, BAD_ELF, NO_PC, "the section with names is missing");
	return 0;
}

static int read_section(const struct elf *elf, struct bytes file, const u8 *p,
			struct elf_section *sec)
{
	bool be = elf->big_endian;
	u64 off = load_u64_of(p + 24, be);

	sec->type = load_u32_of(p + 4, be);
	sec->flags = load_u64_of(p + 8, be);
	sec->size = load_u64_of(p + 32, be);
	sec->link = load_u32_of(p + 40, be);
	sec->info = load_u32_of(p + 44, be);
	if (sec->type == ELF_NOBITS || sec->type == 0)
		return 0;
	sec->data = bytes_slice(file, off, sec->size);
	return sec->data.data ? 0 : -1;
}

/* Hangs every section of relocations on the section it applies to, in file order. */
static void chain_relocs(struct elf *elf)
{
	for (u32 i = elf->n_sections; i-- > 1;) {
		struct elf_section *sec = &elf->sections[i];

		if ((sec->type != ELF_REL && sec->type != ELF_RELA) ||
		    sec->info >= elf->n_sections)
			continue;
		sec->next_relocs = elf->sections[sec->info].relocs;
		elf->sections[sec->info].relocs = i;
	}
}

/* A name: inside, and of a length that allows a file full of them. */
static const char *name_at(struct bytes names, u32 off)
{
	if (off < names.len && names.len - off > MAX_NAME)
		names.len = (u64)off + MAX_NAME;
	return bytes_string(names, off);
}

static int read_sections(struct elf *elf, struct bytes file, const struct header *h,
			 struct arena *arena, struct skep_diag *diag)
{
	struct bytes table =
		bytes_slice(file, h->sections_off, (u64)h->n_sections * ELF_SECTION_SIZE);

	if (!table.data)
		return fail(diag, BAD_ELF, NO_PC, "the section headers lie outside");
	u64 total = 0;

	elf->n_sections = h->n_sections;
	elf->sections = arena_array(arena, h->n_sections, sizeof(*elf->sections));
	if (!elf->sections)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < h->n_sections; i++) {
		const u8 *p = table.data + (u64)i * ELF_SECTION_SIZE;

		if (read_section(elf, file, p, &elf->sections[i]))
			return diag_in(diag,
				       fail(diag, BAD_ELF, NO_PC, "it lies outside"),
				       "section %u", i);
		total += elf->sections[i].data.len;
	}
	/* What is read costs as much as the file is long, however often it says so. */
	if (total > file.len)
		return fail(diag, BAD_ELF, NO_PC, "sections overlap");
	for (u32 i = 0; i < h->n_sections; i++) {
		const u8 *p = table.data + (u64)i * ELF_SECTION_SIZE;
		u32 name = load_u32_of(p, elf->big_endian);

		elf->sections[i].name = name_at(elf->sections[h->names].data, name);
		if (!elf->sections[i].name && name)
			return diag_in(
				diag, fail(diag, BAD_ELF, NO_PC, "its name does not end"),
				"section %u", i);
		if (!elf->sections[i].name)
			elf->sections[i].name = "";
	}
	chain_relocs(elf);
	return 0;
}

static int read_symbol(const struct elf *elf, const u8 *p, struct bytes names,
		       struct elf_symbol *sym, struct skep_diag *diag)
{
	bool be = elf->big_endian;
	u32 name = load_u32_of(p, be);

	sym->name = name ? name_at(names, name) : "";
	sym->bind = p[4] >> 4;
	sym->type = p[4] & 15;
	sym->visibility = p[5] & 3;
	sym->section = load_u16_of(p + 6, be);
	sym->value = load_u64_of(p + 8, be);
	sym->size = load_u64_of(p + 16, be);
	if (!sym->name)
		return fail(diag, BAD_ELF, NO_PC, "its name does not end");
	if (sym->section >= elf->n_sections && sym->section < FIRST_RESERVED_SECTION)
		return fail(diag, BAD_ELF, NO_PC, "its section does not exist");
	if (sym->section == XINDEX)
		return fail(diag, BAD_ELF, NO_PC, "it has an extended section index");
	return 0;
}

static int read_symbols(struct elf *elf, struct arena *arena, struct skep_diag *diag)
{
	const struct elf_section *table = NULL;

	for (u32 i = 1; i < elf->n_sections && !table; i++) {
		if (elf->sections[i].type == ELF_SYMTAB)
			table = &elf->sections[i];
	}
	if (!table)
		return 0; /* stripped: sections are all there is */
	if (table->link >= elf->n_sections)
		return fail(diag, BAD_ELF, NO_PC, "the symbols' names are missing");

	u64 n = table->data.len / ELF_SYMBOL_SIZE;

	if (n * ELF_SYMBOL_SIZE != table->data.len || n > UINT32_MAX)
		return fail(diag, BAD_ELF, NO_PC, "the symbol table has an odd size");
	elf->symbols = arena_array(arena, n, sizeof(*elf->symbols));
	if (!elf->symbols)
		return fail(diag, NO_MEMORY, NO_PC);
	elf->n_symbols = (u32)n;
	for (u32 i = 0; i < n; i++) {
		int err = read_symbol(elf, table->data.data + (u64)i * ELF_SYMBOL_SIZE,
				      elf->sections[table->link].data, &elf->symbols[i],
				      diag);
		if (err)
			return diag_in(diag, err, "symbol %u", i);
	}
	return 0;
}

int elf_read(struct elf *elf, struct bytes file, struct arena *arena,
	     struct skep_diag *diag)
{
	struct header h;

	*elf = (struct elf){0};
	int err = read_header(elf, file, &h, diag);
	if (!err)
		err = read_sections(elf, file, &h, arena, diag);
	if (!err)
		err = read_symbols(elf, arena, diag);
	return err;
}

const struct elf_section *elf_find_section(const struct elf *elf, const char *name)
{
	for (u32 i = 1; i < elf->n_sections; i++) {
		if (!strcmp(elf->sections[i].name, name))
			return &elf->sections[i];
	}
	return NULL;
}

static u32 entry_size(const struct elf_section *sec)
{
	return sec->type == ELF_REL ? ELF_REL_SIZE : ELF_RELA_SIZE;
}

static int by_offset(const void *a, const void *b)
{
	u64 x = ((const struct elf_reloc *)a)->offset,
	    y = ((const struct elf_reloc *)b)->offset;

	return x < y ? -1 : x > y;
}

/* As compilers leave them: sorting would take memory of its own. */
static bool is_sorted(const struct elf_reloc *relocs, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		if (relocs[i].offset < relocs[i - 1].offset)
			return false;
	}
	return true;
}

/* Appends the relocations of one section of them. */
static int read_entries(const struct elf *elf, const struct elf_section *sec,
			struct elf_reloc *relocs, u32 *n, struct skep_diag *diag)
{
	u32 size = entry_size(sec);
	bool be = elf->big_endian;
	u64 end = elf->sections[sec->info].size;

	for (u64 off = 0; off < sec->data.len; off += size) {
		const u8 *p = sec->data.data + off;
		u64 info = load_u64_of(p + 8, be);
		struct elf_reloc *r = &relocs[(*n)++];

		r->offset = load_u64_of(p, be);
		r->type = (u32)min_u64((u32)info, INT32_MAX);
		r->has_addend = sec->type == ELF_RELA;
		r->symbol = (u32)(info >> 32);
		r->addend = r->has_addend ? (s64)load_u64_of(p + 16, be) : 0;
		if (r->symbol >= elf->n_symbols)
			return fail(diag, BAD_ELF, NO_PC,
				    "a relocation's symbol is missing");
		if (r->offset >= end)
			return fail(diag, BAD_ELF, NO_PC, "a relocation lies outside");
	}
	return 0;
}

int elf_read_relocs(const struct elf *elf, u32 index, struct arena *arena,
		    struct elf_reloc **relocs, u32 *n_relocs, struct skep_diag *diag)
{
	u64 n = 0;

	*relocs = NULL;
	*n_relocs = 0;
	for (u32 i = elf->sections[index].relocs; i; i = elf->sections[i].next_relocs) {
		const struct elf_section *sec = &elf->sections[i];

		if (sec->data.len % entry_size(sec))
			return diag_in(diag,
				       fail(diag, BAD_ELF, NO_PC, "it has an odd size"),
				       "section %s", sec->name);
		n += sec->data.len / entry_size(sec);
	}
	if (!n)
		return 0;
	*relocs = arena_array(arena, n, sizeof(**relocs));
	if (!*relocs)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = elf->sections[index].relocs; i; i = elf->sections[i].next_relocs) {
		const struct elf_section *sec = &elf->sections[i];
		int err = read_entries(elf, sec, *relocs, n_relocs, diag);

		if (err)
			return diag_in(diag, err, "section %s", sec->name);
	}
	if (!is_sorted(*relocs, *n_relocs))
		qsort(*relocs, *n_relocs, sizeof(**relocs), by_offset);
	return 0;
}
