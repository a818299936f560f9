/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembled text as an object file.
 *
 * One pass: sections are filled and symbols are numbered (locals first, as ELF wants it),
 * then relocations, then the types of maps and globals, then the file is laid out.  Never
 * does: check what the program means.
 * See the System V ABI (gABI) chapter 4, LLVM's docs on BPF relocations, and libbpf's on
 * map definitions.
 */
#include "obj/write.h"

#include <elf.h>
#include <errno.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "base/vec.h"
#include "btf/writer.h"
#include "isa/asm.h"

enum { BPF_MACHINE = 247, RELOC_64_64 = 1, RELOC_64_ABS64 = 2, RELOC_64_32 = 10 };

struct section {
	const char *name; /* borrowed */
	u32 type;
	u64 flags;
	struct text data;  /* owned */
	u64 size;          /* of SHT_NOBITS */
	struct vec relocs; /* struct reloc */
	u32 number;        /* in the file */
	u32 link, info;
	u64 entry_size, align;
};

struct reloc {
	u64 offset;
	u32 type, symbol;
};

struct symbol {
	const char *name; /* borrowed */
	u64 value, size;
	u8 bind, type, visibility;
	s32 section; /* index in sections; -1: undefined */
};

struct object_writer {
	const struct asm_unit *unit;
	struct arena *arena;
	struct vec sections; /* struct section */
	struct hash_index sections_by_name;
	struct vec symbols; /* struct symbol */
	/* symbols of the unit's things, in the arena; by their index */
	u32 *funcs, *maps, *globals, *externs;
	u32 *func_start;   /* bytes in its section */
	bool *is_taken;    /* by function: code has its address */
	u32 *func_section; /* index in sections */
	struct btf_writer btf;
	u32 n_local;
	bool failed; /* memory is out */
	struct skep_diag *diag;
};

/* Little-endian; beyond 8 bytes, zeroes. */
static void put(struct text *t, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++) {
		u8 byte = i < 8 ? (u8)(value >> 8 * i) : 0;

		text_write(t, &byte, 1);
	}
}

static void pad(struct text *t, u64 align)
{
	while (t->len % align)
		put(t, 0, 1);
}

/* ---- sections ---- */

static struct section *section_at(const struct object_writer *w, u32 i)
{
	return vec_at(&w->sections, i);
}

/* The index of the section with that name, made if there is none. */
static u32 section_named(struct object_writer *w, const char *name, u32 type, u64 flags)
{
	u32 hash = hash_string(name), i;

	for (size_t c = 0; hash_index_next(&w->sections_by_name, hash, &c, &i);) {
		if (!strcmp(section_at(w, i)->name, name))
			return i;
	}
	struct section *section = vec_push(&w->sections);
	if (!section ||
	    !hash_index_add(&w->sections_by_name, hash, (u32)w->sections.len - 1)) {
		w->failed = true;
		return 0;
	}
	*section = (struct section){.name = name,
				    .type = type,
				    .flags = flags,
				    .relocs = VEC_INIT(struct reloc),
				    .align = 8};
	return (u32)w->sections.len - 1;
}

static void add_reloc(struct object_writer *w, u32 section, struct reloc reloc)
{
	struct reloc *r = vec_push(&section_at(w, section)->relocs);

	if (r)
		*r = reloc;
	else
		w->failed = true;
}

static u32 add_symbol(struct object_writer *w, struct symbol symbol)
{
	struct symbol *s = vec_push(&w->symbols);

	if (!s) {
		w->failed = true;
		return 0;
	}
	*s = symbol;
	return (u32)w->symbols.len; /* 0 is the null symbol */
}

/* ---- functions ---- */

static const char *section_of(struct object_writer *w, const struct asm_func *f)
{
	if (f->section)
		return f->section;
	if (!f->program)
		return ".text";
	if (f->type && abi_find_section(f->type, &(const char *){NULL}))
		return f->type;
	fail(w->diag, NO_SECTION, NO_PC, f->name);
	return NULL;
}

/* As the assembler left it -> as an object has it: names are relocations' business. */
static struct insn plain_insn(const struct asm_ref *ref, struct insn insn)
{
	insn.imm = ref->addend;
	switch (ref->kind) {
	case ASM_REF_MAP:
	case ASM_REF_VALUE:
	case ASM_REF_GLOBAL:
	case ASM_REF_KSYM:
	case ASM_REF_FUNC: insn.src_reg = LDDW_IMM; break;
	case ASM_REF_CALL:
	case ASM_REF_KFUNC:
		insn.src_reg = CALL_LOCAL;
		insn.imm = -1;
		break;
	}
	return insn;
}

static int add_func(struct object_writer *w, u32 i)
{
	const struct asm_func *f = &w->unit->funcs[i];
	const char *name = section_of(w, f);
	struct text *data;

	if (!name)
		return -EINVAL;
	w->func_section[i] =
		section_named(w, name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR);
	if (w->failed)
		return 0;
	data = &section_at(w, w->func_section[i])->data;
	w->func_start[i] = (u32)data->len;
	for (u32 pc = 0, next = 0; pc < f->n_insns; pc++) {
		struct insn insn = f->insns[pc];
		u8 slot[INSN_SIZE];

		if (next < f->n_refs && f->refs[next].insn == pc) {
			if (f->refs[next].kind == ASM_REF_FUNC)
				w->is_taken[f->refs[next].index] = true;
			insn = plain_insn(&f->refs[next], insn);
			next++;
		} else if (next && f->refs[next - 1].insn + 1 == pc && !insn.code) {
			insn.imm = 0; /* the second slot of what was rewritten */
		}
		insn_write(slot, &insn, false);
		text_write(data, slot, sizeof(slot));
	}
	return 0;
}

/* libbpf takes the address of a named function only if it is global; hidden says that it
 * is nobody else's all the same. */
static struct symbol func_symbol(const struct object_writer *w, u32 i)
{
	const struct asm_func *f = &w->unit->funcs[i];
	bool global = f->program || f->global;

	return (struct symbol){.name = f->name,
			       .value = w->func_start[i],
			       .size = (u64)f->n_insns * INSN_SIZE,
			       .bind = global || w->is_taken[i] ? STB_GLOBAL : STB_LOCAL,
			       .type = STT_FUNC,
			       .visibility = global || !w->is_taken[i] ? STV_DEFAULT
								       : STV_HIDDEN,
			       .section = (s32)w->func_section[i]};
}

static int add_funcs(struct object_writer *w)
{
	int err = 0;

	for (u32 i = 0; i < w->unit->n_funcs && !err; i++)
		err = add_func(w, i);
	return err;
}

/* ---- types ---- */

enum { PTR_SIZE = 8, MAX_SLOTS = 1 << 20 };

/* int (*name)[n]: how a map definition says a number. */
static u32 number_type(struct btf_writer *btf, u32 int_id, u32 n)
{
	return btf_add_ref(btf, BTF_PTR, NULL, btf_add_array(btf, int_id, int_id, n));
}

struct map_number {
	const char *name;
	u32 value;
};

/* What a map is declared with, in the order that it is written. */
static u32 map_numbers(const struct asm_map *map, struct map_number numbers[9])
{
	const struct map_number all[] = {
		{"type", map->type},
		{"key_size", map->key_size},
		{"value_size", map->value_size},
		{"max_entries", map->max_entries},
		{"map_flags", map->flags},
		{"numa_node", map->numa_node},
		{"map_extra", (u32)map->extra},
		{"pinning", map->pin_by_name},
	};
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].value)
			numbers[n++] = all[i];
	}
	return n;
}

static u32 slots_of(const struct asm_map *map)
{
	u32 n = 0;

	for (u32 i = 0; i < map->n_slots; i++)
		n = (u32)max_u64(n, (u64)map->slots[i].index + 1);
	return n;
}

static u32 map_struct_size(const struct asm_map *map)
{
	struct map_number numbers[9];

	return map_numbers(map, numbers) * PTR_SIZE;
}

static bool holds_programs(const struct asm_map *map)
{
	return map->inner < 0;
}

/* void (*values[])(void), or struct inner *values[]. */
static u32 values_type(struct object_writer *w, const struct asm_map *map, u32 int_id,
		       const u32 *structs)
{
	u32 to = holds_programs(map) ? btf_add_proto(&w->btf, 0) : structs[map->inner];
	u32 ptr = btf_add_ref(&w->btf, BTF_PTR, NULL, to);

	return btf_add_array(&w->btf, ptr, int_id, 0);
}

static u32 map_type(struct object_writer *w, const struct asm_map *map, u32 int_id,
		    const u32 *structs)
{
	bool has_values = map->n_slots || map->inner >= 0;
	u32 values = has_values ? values_type(w, map, int_id, structs) : 0;
	struct map_number numbers[9];
	u32 n = map_numbers(map, numbers), types[9], id;

	for (u32 i = 0; i < n; i++)
		types[i] = number_type(&w->btf, int_id, numbers[i].value);
	id = btf_add_composite(&w->btf, BTF_STRUCT, NULL, n * PTR_SIZE);
	for (u32 i = 0; i < n; i++)
		btf_put_member(&w->btf,
			       &(struct btf_member){.name = numbers[i].name,
						    .type = types[i],
						    .bit_offset = i * PTR_SIZE * 8});
	if (has_values)
		btf_put_member(&w->btf,
			       &(struct btf_member){.name = "values",
						    .type = values,
						    .bit_offset = n * PTR_SIZE * 8});
	return id;
}

/* Templates come before the maps that name them. */
static void add_map_types(struct object_writer *w, u32 int_id, u32 *structs)
{
	for (u32 pass = 0; pass < 2; pass++) {
		for (u32 i = 0; i < w->unit->n_maps; i++) {
			const struct asm_map *map = &w->unit->maps[i];

			if ((map->inner >= 0) == (pass == 1))
				structs[i] = map_type(w, map, int_id, structs);
		}
	}
}

static int add_map_section(struct object_writer *w, u32 int_id, u32 section)
{
	u32 n = w->unit->n_maps, *structs = arena_array(w->arena, n, sizeof(*structs));
	u32 *vars = arena_array(w->arena, n, sizeof(*vars));

	if (!structs || !vars)
		return fail(w->diag, NO_MEMORY, NO_PC);
	add_map_types(w, int_id, structs);
	for (u32 i = 0; i < n; i++)
		vars[i] = btf_add_var(&w->btf, w->unit->maps[i].name, structs[i],
				      BTF_GLOBAL);
	btf_add_section(&w->btf, ".maps", (u32)section_at(w, section)->data.len);
	for (u32 i = 0; i < n; i++) {
		struct symbol *s = vec_at(&w->symbols, w->maps[i] - 1);

		btf_put_secvar(&w->btf, vars[i], (u32)s->value, (u32)s->size);
	}
	return 0;
}

static u32 uint_type(struct object_writer *w, u32 size)
{
	static const char *const names[] = {[1] = "unsigned char",
					    [2] = "unsigned short",
					    [4] = "unsigned int",
					    [8] = "unsigned long long"};

	return btf_add_int(&w->btf, names[size], size, 0);
}

/* A number for what has the size of one, else bytes. */
static u32 global_type(struct object_writer *w, const struct asm_global *g, u32 int_id)
{
	if (g->size == 1 || g->size == 2 || g->size == 4 || g->size == 8)
		return uint_type(w, g->size);
	return btf_add_array(&w->btf, uint_type(w, 1), int_id, g->size);
}

static int add_data_types(struct object_writer *w, u32 int_id)
{
	const struct asm_unit *unit = w->unit;
	u32 *vars = arena_array(w->arena, unit->n_globals, sizeof(*vars));

	if (!vars && unit->n_globals)
		return fail(w->diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < unit->n_globals; i++)
		vars[i] = btf_add_var(&w->btf, unit->globals[i].name,
				      global_type(w, &unit->globals[i], int_id),
				      BTF_GLOBAL);
	for (u32 d = 0; d < unit->n_datas; d++) {
		btf_add_section(&w->btf, unit->datas[d].name, unit->datas[d].size);
		for (u32 i = 0; i < unit->n_globals; i++) {
			const struct asm_global *g = &unit->globals[i];

			if (g->data == d)
				btf_put_secvar(&w->btf, vars[i], g->offset, g->size);
		}
	}
	return 0;
}

/* Externs are variables and functions of .ksyms. */
static int add_extern_types(struct object_writer *w)
{
	const struct asm_unit *unit = w->unit;
	u32 *ids = arena_array(w->arena, unit->n_externs, sizeof(*ids)), proto;

	if (!unit->n_externs)
		return 0;
	if (!ids)
		return fail(w->diag, NO_MEMORY, NO_PC);
	proto = btf_add_proto(&w->btf, 0);
	for (u32 i = 0; i < unit->n_externs; i++) {
		const struct asm_extern *e = &unit->externs[i];

		ids[i] = e->kfunc ? btf_add_func(&w->btf, e->name, proto, BTF_EXTERN)
				  : btf_add_var(&w->btf, e->name, 0, BTF_EXTERN);
	}
	btf_add_section(&w->btf, ".ksyms", 0);
	for (u32 i = 0; i < unit->n_externs; i++)
		btf_put_secvar(&w->btf, ids[i], 0, unit->externs[i].kfunc ? 0 : 8);
	return 0;
}

/* ---- maps, globals, externs: contents and symbols ---- */

static void add_maps(struct object_writer *w)
{
	u32 section;

	if (!w->unit->n_maps)
		return;
	section = section_named(w, ".maps", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE);
	for (u32 i = 0; i < w->unit->n_maps && !w->failed; i++) {
		const struct asm_map *map = &w->unit->maps[i];
		struct text *data = &section_at(w, section)->data;
		u32 size = map_struct_size(map) + slots_of(map) * PTR_SIZE;

		w->maps[i] = add_symbol(w, (struct symbol){.name = map->name,
							   .value = data->len,
							   .size = size,
							   .bind = STB_GLOBAL,
							   .type = STT_OBJECT,
							   .section = (s32)section});
		put(data, 0, size);
	}
}

static void add_data(struct object_writer *w)
{
	for (u32 i = 0; i < w->unit->n_datas; i++) {
		const struct asm_data *d = &w->unit->datas[i];
		bool constant = !strncmp(d->name, ".rodata", 7);
		u32 section =
			section_named(w, d->name, d->bytes ? SHT_PROGBITS : SHT_NOBITS,
				      SHF_ALLOC | (constant ? 0 : SHF_WRITE));

		if (w->failed)
			return;
		section_at(w, section)->size = d->size;
		if (d->bytes)
			text_write(&section_at(w, section)->data, d->bytes, d->size);
	}
	for (u32 i = 0; i < w->unit->n_globals; i++) {
		const struct asm_global *g = &w->unit->globals[i];
		const char *name = w->unit->datas[g->data].name;

		w->globals[i] = add_symbol(
			w, (struct symbol){.name = g->name,
					   .value = g->offset,
					   .size = g->size,
					   .bind = STB_GLOBAL,
					   .type = STT_OBJECT,
					   .section = (s32)section_named(w, name, 0, 0)});
	}
}

static void add_text_section(struct object_writer *w, const char *name, const void *bytes,
			     size_t len)
{
	u32 section = section_named(w, name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE);

	if (!w->failed)
		text_write(&section_at(w, section)->data, bytes, len);
}

static void add_func_symbols(struct object_writer *w, u8 bind)
{
	for (u32 i = 0; i < w->unit->n_funcs; i++) {
		struct symbol s = func_symbol(w, i);

		if (s.bind == bind)
			w->funcs[i] = add_symbol(w, s);
	}
}

static void add_symbols(struct object_writer *w)
{
	add_func_symbols(w, STB_LOCAL);
	w->n_local = (u32)w->symbols.len;
	add_func_symbols(w, STB_GLOBAL);
	add_maps(w);
	add_data(w);
	for (u32 i = 0; i < w->unit->n_externs; i++) {
		const struct asm_extern *e = &w->unit->externs[i];

		w->externs[i] = add_symbol(
			w, (struct symbol){.name = e->name,
					   .bind = e->weak ? STB_WEAK : STB_GLOBAL,
					   .section = -1});
	}
}

/* ---- relocations ---- */

static int ref_symbol(struct object_writer *w, const struct asm_func *f,
		      const struct asm_ref *ref, u32 *symbol)
{
	switch (ref->kind) {
	case ASM_REF_MAP: *symbol = w->maps[ref->index]; return 0;
	case ASM_REF_GLOBAL: *symbol = w->globals[ref->index]; return 0;
	case ASM_REF_FUNC:
	case ASM_REF_CALL: *symbol = w->funcs[ref->index]; return 0;
	case ASM_REF_KFUNC:
	case ASM_REF_KSYM: *symbol = w->externs[ref->index]; return 0;
	case ASM_REF_VALUE: break;
	}
	fail(w->diag, NO_VALUE_RELOC, (int)ref->insn, w->unit->maps[ref->index].name);
	return diag_in(w->diag, -EINVAL, "%s", f->name);
}

static int add_code_relocs(struct object_writer *w)
{
	for (u32 i = 0; i < w->unit->n_funcs; i++) {
		const struct asm_func *f = &w->unit->funcs[i];

		for (u32 k = 0; k < f->n_refs; k++) {
			const struct asm_ref *ref = &f->refs[k];
			bool call =
				ref->kind == ASM_REF_CALL || ref->kind == ASM_REF_KFUNC;
			struct reloc r = {.offset = w->func_start[i] +
						    (u64)ref->insn * INSN_SIZE,
					  .type = call ? RELOC_64_32 : RELOC_64_64};
			int err = ref_symbol(w, f, ref, &r.symbol);

			if (err)
				return err;
			add_reloc(w, w->func_section[i], r);
		}
	}
	return 0;
}

/* The symbol of a program or map by name; the assembler saw to it that there is one. */
static u32 slot_symbol(const struct object_writer *w, const struct asm_map *map,
		       const char *name)
{
	for (u32 i = 0; i < w->unit->n_funcs && holds_programs(map); i++) {
		if (!strcmp(w->unit->funcs[i].name, name))
			return w->funcs[i];
	}
	for (u32 i = 0; i < w->unit->n_maps; i++) {
		if (!strcmp(w->unit->maps[i].name, name))
			return w->maps[i];
	}
	return 0;
}

static void add_slot_relocs(struct object_writer *w)
{
	for (u32 i = 0; i < w->unit->n_maps; i++) {
		const struct asm_map *map = &w->unit->maps[i];
		const struct symbol *s = vec_at(&w->symbols, w->maps[i] - 1);

		for (u32 k = 0; k < map->n_slots; k++) {
			struct reloc r = {
				.offset = s->value + map_struct_size(map) +
					  (u64)map->slots[k].index * PTR_SIZE,
				.type = RELOC_64_ABS64,
				.symbol = slot_symbol(w, map, map->slots[k].name)};

			add_reloc(w, (u32)s->section, r);
		}
	}
}

/* ---- the file ---- */

static u32 add_name(struct text *names, const char *name)
{
	u32 at = (u32)names->len;

	text_write(names, name, strlen(name) + 1);
	return at;
}

static void put_relocs(struct text *t, const struct vec *relocs)
{
	for (u32 i = 0; i < relocs->len; i++) {
		const struct reloc *r = vec_at(relocs, i);

		put(t, r->offset, 8);
		put(t, (u64)r->symbol << 32 | r->type, 8);
	}
}

/* Sections are numbered in the order they were made; 0 is the null section. */
static void put_symbols(const struct object_writer *w, struct text *t, struct text *names)
{
	put(t, 0, sizeof(Elf64_Sym));
	for (u32 i = 0; i < w->symbols.len; i++) {
		const struct symbol *s = vec_at(&w->symbols, i);

		put(t, add_name(names, s->name), 4);
		put(t, ELF64_ST_INFO(s->bind, s->type), 1);
		put(t, s->visibility, 1);
		put(t, s->section < 0 ? SHN_UNDEF : (u32)s->section + 1, 2);
		put(t, s->value, 8);
		put(t, s->size, 8);
	}
}

/* Symbol table, names, and one section of relocations for each that has any. */
static int add_tables(struct object_writer *w)
{
	u32 n = (u32)w->sections.len, symtab, strtab;
	struct section *s;

	symtab = section_named(w, ".symtab", SHT_SYMTAB, 0);
	strtab = section_named(w, ".strtab", SHT_STRTAB, 0);
	if (w->failed)
		return 0;
	put(&section_at(w, strtab)->data, 0, 1);
	put_symbols(w, &section_at(w, symtab)->data, &section_at(w, strtab)->data);
	s = section_at(w, symtab);
	s->link = strtab + 1;
	s->info = w->n_local + 1;
	s->entry_size = sizeof(Elf64_Sym);
	for (u32 i = 0; i < n; i++) {
		const char *name;
		u32 rel;

		if (!section_at(w, i)->relocs.len)
			continue;
		name = arena_printf(w->arena, ".rel%s", section_at(w, i)->name);
		if (!name)
			return fail(w->diag, NO_MEMORY, NO_PC);
		rel = section_named(w, name, SHT_REL, SHF_INFO_LINK);
		if (w->failed)
			return 0;
		s = section_at(w, rel);
		put_relocs(&s->data, &section_at(w, i)->relocs);
		s->link = symtab + 1;
		s->info = i + 1;
		s->entry_size = sizeof(Elf64_Rel);
	}
	return 0;
}

static void put_file_header(const struct object_writer *w, struct text *t, u64 headers)
{
	static const u8 ident[EI_NIDENT] = {0x7f,       'E',         'L',       'F',
					    ELFCLASS64, ELFDATA2LSB, EV_CURRENT};

	text_write(t, ident, sizeof(ident));
	put(t, ET_REL, 2);
	put(t, BPF_MACHINE, 2);
	put(t, EV_CURRENT, 4);
	put(t, 0, 16); /* entry point, program headers */
	put(t, headers, 8);
	put(t, 0, 4);
	put(t, sizeof(Elf64_Ehdr), 2);
	put(t, 0, 4);
	put(t, sizeof(Elf64_Shdr), 2);
	put(t, w->sections.len + 1, 2);
	put(t, w->sections.len,
	    2); /* the section with the names of sections is the last */
}

static void put_section_header(struct text *t, const struct section *s, u32 name, u64 at)
{
	put(t, name, 4);
	put(t, s->type, 4);
	put(t, s->flags, 8);
	put(t, 0, 8);
	put(t, at, 8);
	put(t, s->type == SHT_NOBITS ? s->size : s->data.len, 8);
	put(t, s->link, 4);
	put(t, s->info, 4);
	put(t, s->type == SHT_STRTAB ? 1 : s->align, 8);
	put(t, s->entry_size, 8);
}

/* Offsets of sections: data follows the header, the section headers follow the data. */
static void lay_out(struct object_writer *w, struct text *t)
{
	struct text names = TEXT_INIT;
	struct text headers = TEXT_INIT;
	u64 at = sizeof(Elf64_Ehdr);
	struct section *last;

	put(&names, 0, 1);
	put(&headers, 0, sizeof(Elf64_Shdr));
	last = section_at(w, (u32)w->sections.len - 1);
	for (u32 i = 0; i < w->sections.len; i++)
		section_at(w, i)->number = add_name(&names, section_at(w, i)->name);
	text_write(&last->data, names.s, names.len);
	for (u32 i = 0; i < w->sections.len; i++) {
		const struct section *s = section_at(w, i);

		put_section_header(&headers, s, s->number, at);
		at = round_up(at + s->data.len, 8);
	}
	put_file_header(w, t, at);
	for (u32 i = 0; i < w->sections.len; i++) {
		text_write(t, section_at(w, i)->data.s, section_at(w, i)->data.len);
		pad(t, 8);
	}
	text_write(t, headers.s, headers.len);
	w->failed |= text_failed(&names) || text_failed(&headers);
	text_fini(&names);
	text_fini(&headers);
}

/* ---- all of it ---- */

/* ---- functions: their types, and where they are ---- */

/*
 * Programs are int (void *ctx).  Nobody knows what other functions take: they are static,
 * so that Linux follows each call of them instead of asking.
 */
static u32 *add_func_types(struct object_writer *w, u32 int_id)
{
	u32 *ids = arena_array(w->arena, w->unit->n_funcs + 1ull, sizeof(*ids));
	u32 pointer = btf_add_ref(&w->btf, BTF_PTR, NULL, 0);
	u32 plain = btf_add_proto(&w->btf, int_id);
	u32 program = btf_add_proto(&w->btf, int_id);

	btf_put_param(&w->btf, "ctx", pointer);
	for (u32 i = 0; i < w->unit->n_funcs && ids; i++) {
		const struct asm_func *f = &w->unit->funcs[i];

		ids[i] = btf_add_func(&w->btf, f->name, f->program ? program : plain,
				      f->program ? BTF_GLOBAL : BTF_STATIC);
	}
	return ids;
}

enum { FUNC_INFO_SIZE = 8, EXT_HEADER_SIZE = 24 };

/* Functions by section: the first of each, and the next of the same; NO_FUNC ends. */
struct func_lists {
	u32 *first, *next;
	const u32 *ids; /* of their types */
};
enum { NO_FUNC = UINT32_MAX };

static bool list_funcs(struct object_writer *w, struct func_lists *lists)
{
	u32 n = (u32)w->sections.len;

	lists->first = arena_array(w->arena, n, sizeof(u32));
	lists->next = arena_array(w->arena, w->unit->n_funcs + 1ull, sizeof(u32));
	if (!lists->first || !lists->next)
		return false;
	memset(lists->first, 0xff, n * sizeof(u32));
	for (u32 i = w->unit->n_funcs; i-- > 0;) {
		lists->next[i] = lists->first[w->func_section[i]];
		lists->first[w->func_section[i]] = i;
	}
	return true;
}

/* The records of one section: "this function starts at that byte". */
static void put_func_infos(struct object_writer *w, struct text *t,
			   const struct func_lists *lists, u32 section)
{
	u32 n = 0;

	for (u32 i = lists->first[section]; i != NO_FUNC; i = lists->next[i])
		n++;
	if (!n)
		return;
	put(t, btf_add_string(&w->btf, section_at(w, section)->name), 4);
	put(t, n, 4);
	for (u32 i = lists->first[section]; i != NO_FUNC; i = lists->next[i]) {
		put(t, w->func_start[i], 4);
		put(t, lists->ids[i], 4);
	}
}

static void add_ext(struct object_writer *w, const u32 *ids)
{
	u32 section = section_named(w, ".BTF.ext", SHT_PROGBITS, 0);
	struct text infos = TEXT_INIT, *t;
	struct func_lists lists = {.ids = ids};

	if (w->failed || !list_funcs(w, &lists)) {
		w->failed = true;
		return;
	}
	put(&infos, FUNC_INFO_SIZE, 4);
	for (u32 i = 0; i < w->sections.len; i++)
		put_func_infos(w, &infos, &lists, i);
	w->failed |= text_failed(&infos);
	t = &section_at(w, section)->data;
	put(t, 0xeb9f, 2);
	put(t, 1, 1);
	put(t, 0, 1);
	put(t, EXT_HEADER_SIZE, 4);
	put(t, 0, 4);
	put(t, infos.len, 4);
	put(t, infos.len, 4); /* no lines */
	put(t, 0, 4);
	text_write(t, text_str(&infos), infos.len);
	text_fini(&infos);
}

static int add_types(struct object_writer *w)
{
	u32 int_id = btf_add_int(&w->btf, "int", 4, BTF_SIGNED);
	u32 section = section_named(w, ".BTF", SHT_PROGBITS, 0);
	u32 *funcs = add_func_types(w, int_id);
	int err = funcs ? 0 : fail(w->diag, NO_MEMORY, NO_PC);

	if (w->failed || err)
		return err;
	if (w->unit->n_maps)
		err = add_map_section(w, int_id, section_named(w, ".maps", 0, 0));
	if (!err)
		err = add_data_types(w, int_id);
	if (!err)
		err = add_extern_types(w);
	if (err)
		return err;
	add_ext(w, funcs);
	return w->failed ? 0
			 : btf_writer_finish(&w->btf, &section_at(w, section)->data,
					     w->diag);
}

/* Slots are places in the file: a number must not make it huge. */
static int check_slots(const struct object_writer *w)
{
	u64 all = 0;

	for (u32 i = 0; i < w->unit->n_maps; i++) {
		const struct asm_map *map = &w->unit->maps[i];

		for (u32 k = 0; k < map->n_slots; k++) {
			if (map->slots[k].index >= MAX_SLOTS)
				all = MAX_SLOTS;
		}
		all += slots_of(map);
		if (all > MAX_SLOTS)
			return diag_in(
				w->diag,
				fail(w->diag, ASM_TOO_BIG, NO_PC, "slots", MAX_SLOTS),
				"map %s", map->name);
	}
	return 0;
}

static int build(struct object_writer *w, struct text *file)
{
	u8 version[4];
	int err = check_slots(w);

	if (!err)
		err = add_funcs(w);

	if (err)
		return err;
	add_symbols(w);
	if (w->failed)
		return fail(w->diag, NO_MEMORY, NO_PC);
	err = add_code_relocs(w);
	if (err)
		return err;
	add_slot_relocs(w);
	if (w->unit->license)
		add_text_section(w, "license", w->unit->license,
				 strlen(w->unit->license) + 1);
	for (u32 i = 0; i < 4; i++)
		version[i] = (u8)(w->unit->version >> 8 * i);
	if (w->unit->version)
		add_text_section(w, "version", version, sizeof(version));
	err = add_types(w);
	if (!err)
		err = add_tables(w);
	if (err)
		return err;
	section_named(w, ".shstrtab", SHT_STRTAB, 0);
	if (w->failed)
		return fail(w->diag, NO_MEMORY, NO_PC);
	if (w->sections.len >= SHN_LORESERVE - 1)
		return fail(w->diag, ASM_TOO_BIG, NO_PC, "sections", SHN_LORESERVE - 2);
	lay_out(w, file);
	return 0;
}

static int make_tables(struct object_writer *w)
{
	const struct asm_unit *unit = w->unit;

	w->funcs = arena_array(w->arena, unit->n_funcs + 1ull, sizeof(u32));
	w->func_start = arena_array(w->arena, unit->n_funcs + 1ull, sizeof(u32));
	w->func_section = arena_array(w->arena, unit->n_funcs + 1ull, sizeof(u32));
	w->is_taken = arena_array(w->arena, unit->n_funcs + 1ull, sizeof(bool));
	w->maps = arena_array(w->arena, unit->n_maps + 1ull, sizeof(u32));
	w->globals = arena_array(w->arena, unit->n_globals + 1ull, sizeof(u32));
	w->externs = arena_array(w->arena, unit->n_externs + 1ull, sizeof(u32));
	if (!w->funcs || !w->func_start || !w->func_section || !w->is_taken || !w->maps ||
	    !w->globals || !w->externs)
		return fail(w->diag, NO_MEMORY, NO_PC);
	return 0;
}

static bool any_failed(const struct object_writer *w)
{
	bool failed = w->failed;

	for (u32 i = 0; i < w->sections.len; i++)
		failed |= text_failed(&section_at(w, i)->data);
	return failed;
}

static void free_writer(struct object_writer *w)
{
	for (u32 i = 0; i < w->sections.len; i++) {
		text_fini(&section_at(w, i)->data);
		vec_fini(&section_at(w, i)->relocs);
	}
	hash_index_fini(&w->sections_by_name);
	vec_fini(&w->sections);
	vec_fini(&w->symbols);
	btf_writer_fini(&w->btf);
}

int object_write(const struct asm_unit *unit, struct arena *arena, struct bytes *file,
		 struct skep_diag *diag)
{
	struct object_writer w = {.unit = unit,
				  .arena = arena,
				  .sections = VEC_INIT(struct section),
				  .symbols = VEC_INIT(struct symbol),
				  .diag = diag};
	struct text out = TEXT_INIT;
	int err = make_tables(&w);

	btf_writer_init(&w.btf, NULL, false);
	if (!err)
		err = build(&w, &out);
	if (!err && (any_failed(&w) || text_failed(&out)))
		err = fail(diag, NO_MEMORY, NO_PC);
	if (!err) {
		file->data = arena_memdup(arena, out.s, out.len);
		file->len = out.len;
		err = file->data ? 0 : fail(diag, NO_MEMORY, NO_PC);
	}
	free_writer(&w);
	text_fini(&out);
	return err;
}
