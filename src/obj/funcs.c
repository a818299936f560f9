/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of an object: code of executable sections, cut by the symbols of type
 * FUNC.  Those of .text are subprograms, all others are programs; an object that has only
 * .text has programs there.
 *
 * Objects of old compilers have no FUNC symbols: then global symbols without a type cut
 * the section, and without any of those it is one program.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "obj/reader.h"

static bool is_code(const struct elf_section *sec)
{
	return sec->type == ELF_PROGBITS && sec->flags & ELF_EXECINSTR && sec->data.len;
}

static int read_code(struct reader *r, u32 section, struct skep_diag *diag)
{
	const struct elf_section *sec = &r->elf.sections[section];
	struct code *code = &r->codes[section];

	if (sec->data.len % INSN_SIZE || sec->data.len / INSN_SIZE > MAX_INSNS)
		return fail(diag, BAD_CODE, NO_PC,
			    "its size is no whole number of instructions, or too large");
	code->n_insns = (u32)(sec->data.len / INSN_SIZE);
	code->slots = sec->data.data;
	return elf_read_relocs(&r->elf, section, &r->obj->arena, &code->relocs,
			       &code->n_relocs, diag);
}

static int add_func(struct reader *r, const struct elf_symbol *sym,
		    struct skep_diag *diag)
{
	u32 n_insns = r->codes[sym->section].n_insns;
	u64 start = sym->value / INSN_SIZE, n = sym->size / INSN_SIZE;
	struct func *f = vec_push(&r->funcs);

	if (!f)
		return fail(diag, NO_MEMORY, NO_PC);
	if (sym->value % INSN_SIZE || sym->size % INSN_SIZE || start >= n_insns ||
	    n > n_insns - start)
		return diag_in(
			diag,
			fail(diag, BAD_CODE, NO_PC, "it lies outside of its section"),
			"function %s", sym->name);
	*f = (struct func){
		.name = sym->name,
		.section = sym->section,
		.start = (u32)start,
		.n_insns = (u32)n,
		.global = sym->bind != ELF_LOCAL && sym->visibility != ELF_HIDDEN &&
			  sym->visibility != ELF_INTERNAL,
		.weak = sym->bind == ELF_WEAK,
		.btf_id = r->obj->btf ? btf_find(r->obj->btf, sym->name, BTF_FUNC) : 0,
	};
	return 0;
}

/* One for the whole section, named after it. */
static int add_section_func(struct reader *r, u32 section, struct skep_diag *diag)
{
	struct elf_symbol whole = {
		.name = r->elf.sections[section].name,
		.section = section,
		.size = (u64)r->codes[section].n_insns * INSN_SIZE,
		.bind = ELF_GLOBAL,
	};

	return add_func(r, &whole, diag);
}

/* Adds the functions whose symbols have that type; marks their sections in has_funcs. */
static int add_symbols(struct reader *r, u8 type, const bool *skip, bool *has_funcs,
		       struct skep_diag *diag)
{
	for (u32 i = 1; i < r->elf.n_symbols; i++) {
		const struct elf_symbol *sym = &r->elf.symbols[i];

		if (sym->type != type || sym->section >= r->elf.n_sections ||
		    !r->codes[sym->section].slots || skip[sym->section] || !sym->name[0])
			continue;
		if (type == ELF_NOTYPE && sym->bind == ELF_LOCAL)
			continue;
		has_funcs[sym->section] = true;
		int err = add_func(r, sym, diag);
		if (err)
			return err;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Functions without a size reach up to the next one. */
static void close_gaps(struct reader *r)
{
	for (u32 i = 0; i < r->funcs.len; i++) {
		struct func *f = vec_at(&r->funcs, i), *next = f + 1;
		bool last = i + 1 == r->funcs.len || next->section != f->section;

		if (!f->n_insns)
			f->n_insns = (last ? r->codes[f->section].n_insns : next->start) -
				     f->start;
	}
}

static void choose_entries(struct reader *r)
{
	bool any = false;

	for (u32 i = 0; i < r->funcs.len; i++) {
		struct func *f = vec_at(&r->funcs, i);

		f->entry = strcmp(r->elf.sections[f->section].name, ".text") != 0;
		any |= f->entry;
	}
	for (u32 i = 0; i < r->funcs.len && !any; i++) {
		struct func *f = vec_at(&r->funcs, i);

		f->entry = f->global;
	}
}

int read_funcs(struct reader *r, struct skep_diag *diag)
{
	u32 n = r->elf.n_sections;
	bool *none = arena_array(&r->obj->arena, n, sizeof(bool));
	bool *typed = arena_array(&r->obj->arena, n, sizeof(bool));
	bool *named = arena_array(&r->obj->arena, n, sizeof(bool));
	int err = none && typed && named ? 0 : fail(diag, NO_MEMORY, NO_PC);

	for (u32 i = 1; i < n && !err; i++) {
		if (is_code(&r->elf.sections[i]))
			err = diag_in(diag, read_code(r, i, diag), "section %s",
				      r->elf.sections[i].name);
	}
	if (!err)
		err = add_symbols(r, ELF_FUNC, none, typed, diag);
	if (!err)
		err = add_symbols(r, ELF_NOTYPE, typed, named, diag);
	for (u32 i = 1; i < n && !err; i++) {
		if (r->codes[i].slots && !typed[i] && !named[i])
			err = add_section_func(r, i, diag);
	}
	if (err || !r->funcs.len)
		return err;
	qsort(r->funcs.data, r->funcs.len, r->funcs.elem_size, by_place);
	close_gaps(r);
	choose_entries(r);
	return 0;
}

s32 func_at(const struct reader *r, u32 section, u64 slot)
{
	u32 lo = 0, hi = (u32)r->funcs.len;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct func *f = vec_at(&r->funcs, mid);

		if (f->section < section || (f->section == section && f->start < slot))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == r->funcs.len)
		return -1;
	const struct func *f = vec_at(&r->funcs, lo);

	return f->section == section && f->start == slot ? (s32)lo : -1;
}
