/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global variables: every section of data, constants or zeroes is an array map of one
 * element, and the variables are places in it.  Those of the section .addr_space.1 are
 * places in the object's arena.
 */
#include "base/diag.h"
#include "obj/reader.h"

enum { MAP_TYPE_ARRAY = 2, MAP_TYPE_ARENA = 33 };
enum { F_RDONLY_PROG = 1 << 7, F_MMAPABLE = 1 << 10 };

/* ".data" itself or ".data.anything". */
static bool is_section_of(const char *name, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(name, kind, len) && (!name[len] || name[len] == '.');
}

static bool is_data(const struct elf_section *sec, enum map_origin *origin)
{
	if (!(sec->flags & ELF_ALLOC) || !sec->size)
		return false;
	*origin = is_section_of(sec->name, ".rodata") ? MAP_RODATA : MAP_DATA;
	if (sec->type == ELF_NOBITS)
		return is_section_of(sec->name, ".bss");
	return sec->type == ELF_PROGBITS &&
	       (*origin == MAP_RODATA || is_section_of(sec->name, ".data"));
}

static int set_data(struct reader *r, struct map_def *def, const struct elf_section *sec,
		    struct skep_diag *diag)
{
	def->data_size = (u32)sec->size;
	if (sec->type == ELF_NOBITS)
		return 0;
	def->data = arena_memdup(&r->obj->arena, sec->data.data, sec->data.len);
	return def->data ? 0 : fail(diag, NO_MEMORY, NO_PC);
}

static int add_data_map(struct reader *r, u32 section, enum map_origin origin,
			struct skep_diag *diag)
{
	const struct elf_section *sec = &r->elf.sections[section];

	if (sec->size > INT32_MAX)
		return fail(diag, BAD_ELF, NO_PC, "the section is too large for a map");
	struct map_def *def =
		add_map(r, sec->name, (struct map_place){section, 0, sec->size});
	if (!def)
		return fail(diag, TOO_MANY_MAPS, NO_PC, OBJECT_MAX_MAPS);
	def->origin = origin;
	def->type = MAP_TYPE_ARRAY;
	def->key_size = 4;
	def->value_size = (u32)sec->size;
	def->max_entries = 1;
	def->btf_value_id = find_datasec(r, sec->name);
	def->flags = origin == MAP_RODATA ? F_RDONLY_PROG : 0;
	return set_data(r, def, sec, diag);
}

/* The map that the variables of .addr_space.1 live in, or NULL. */
static struct map_def *find_arena(struct reader *r)
{
	for (u32 i = 0; i < r->maps.len; i++) {
		if (reader_map(r, i)->type != MAP_TYPE_ARENA)
			continue;
		r->arena_map = i;
		return reader_map(r, i);
	}
	return NULL;
}

static int read_arena(struct reader *r, struct map_def **of_section,
		      struct skep_diag *diag)
{
	const struct elf_section *sec = elf_find_section(&r->elf, ".addr_space.1");
	struct map_def *def = sec ? find_arena(r) : NULL;

	if (!def || def->data_size)
		return 0;
	if (sec->size > INT32_MAX)
		return fail(diag, BAD_ELF, NO_PC, "the section is too large for a map");
	r->arena_section = (u32)(sec - r->elf.sections);
	of_section[r->arena_section] = def;
	return set_data(r, def, sec, diag);
}

/* Linux' own loader maps values that have variables which others may see. */
static bool is_public(const struct elf_symbol *sym)
{
	return sym->bind != ELF_LOCAL && sym->visibility != ELF_HIDDEN &&
	       sym->visibility != ELF_INTERNAL;
}

/* Types of variables come by name: a DATASEC lists each variable once. */
static int add_variable(struct reader *r, const struct elf_symbol *sym,
			struct map_def *def, struct skep_diag *diag)
{
	struct object_var *var = vec_push(&r->vars);
	u32 id = r->obj->btf ? btf_find(r->obj->btf, sym->name, BTF_VAR) : 0;

	if (!var)
		return fail(diag, NO_MEMORY, NO_PC);
	*var = (struct object_var){
		.name = sym->name,
		.map = def,
		.offset = (u32)sym->value,
		.size = (u32)sym->size,
		.btf_id = id ? btf_type(r->obj->btf, id).type : 0,
		.is_static = sym->bind == ELF_LOCAL,
	};
	return 0;
}

int read_data(struct reader *r, struct skep_diag *diag)
{
	struct map_def **of_section =
		arena_array(&r->obj->arena, r->elf.n_sections, sizeof(struct map_def *));
	enum map_origin origin;
	int err = of_section ? 0 : fail(diag, NO_MEMORY, NO_PC);

	for (u32 i = 1; i < r->elf.n_sections && !err; i++) {
		if (!is_data(&r->elf.sections[i], &origin))
			continue;
		err = add_data_map(r, i, origin, diag);
		if (err)
			return diag_in(diag, err, "section %s", r->elf.sections[i].name);
		of_section[i] = reader_map(r, (u32)r->maps.len - 1);
	}
	if (!err)
		err = read_arena(r, of_section, diag);
	for (u32 i = 1; i < r->elf.n_symbols && !err; i++) {
		const struct elf_symbol *sym = &r->elf.symbols[i];
		struct map_def *def = sym->section < r->elf.n_sections
					      ? of_section[sym->section]
					      : NULL;

		if (!def || sym->type != ELF_OBJECT || !sym->name[0])
			continue;
		if (sym->value > def->data_size ||
		    sym->size > def->data_size - sym->value)
			return diag_in(diag,
				       fail(diag, BAD_ELF, NO_PC, "it lies outside"),
				       "variable %s", sym->name);
		if (def->btf_value_id && def->type == MAP_TYPE_ARRAY && is_public(sym))
			def->flags |= F_MMAPABLE;
		err = add_variable(r, sym, def, diag);
	}
	return err;
}
