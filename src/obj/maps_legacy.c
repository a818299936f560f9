/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of the old sections "maps" and "maps/NAME": structs of numbers, one for every
 * symbol.  There were several such structs over the years; they share their first five
 * words, and their size tells them apart:
 *
 *	16, 20	type, key_size, value_size, max_entries, map_flags
 *	28	and the index of the inner map, numa_node (the kernel's samples)
 *	36	and id, pinning, inner_id, inner_idx (iproute2)
 *
 * What follows the first five words in structs of other sizes must be zero, or belongs to
 * loaders that nobody can know; it is not looked at.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "obj/reader.h"

enum { SAMPLES_SIZE = 28, IPROUTE2_SIZE = 36, MIN_SIZE = 16, PIN_GLOBAL = 2 };
enum { MAP_TYPE_ARRAY_OF_MAPS = 12, MAP_TYPE_HASH_OF_MAPS = 13 };

static bool is_legacy_section(const char *name)
{
	return !strcmp(name, "maps") || !strncmp(name, "maps/", 5);
}

static bool is_map_symbol(const struct elf_symbol *sym, u32 section)
{
	return sym->section == section && sym->name[0] &&
	       (sym->type == ELF_OBJECT || sym->type == ELF_NOTYPE);
}

/* One definition, its words in the host's byte order; absent words are zero. */
struct words {
	u32 w[IPROUTE2_SIZE / 4];
	u64 size;
};

static struct words read_words(const struct reader *r, u32 section, u64 start, u64 size)
{
	struct words words = {.size = size};
	const u8 *p = r->elf.sections[section].data.data + start;

	for (u32 i = 0; i < ARRAY_SIZE(words.w) && 4 * (u64)i + 4 <= size; i++)
		words.w[i] = load_u32_of(p + 4 * i, r->elf.big_endian);
	return words;
}

static void fill(struct map_def *def, const struct words *words)
{
	const u32 *w = words->w;

	def->type = w[0];
	def->key_size = w[1];
	def->value_size = w[2];
	def->max_entries = w[3];
	def->flags = words->size >= 20 ? w[4] : 0;
	if (words->size == SAMPLES_SIZE)
		def->numa_node = w[6];
	if (words->size == IPROUTE2_SIZE)
		def->pin_by_name = w[6] == PIN_GLOBAL;
}

/* The template of a map-in-map: by index in the samples, by id in iproute2's struct. */
static s32 find_inner(const struct reader *r, const struct vec *all, u32 first,
		      const struct words *outer)
{
	if (outer->size == SAMPLES_SIZE)
		return outer->w[5] < all->len ? (s32)(first + outer->w[5]) : -1;
	if (outer->size != IPROUTE2_SIZE || !outer->w[7])
		return -1;
	for (u32 i = 0; i < all->len; i++) {
		const struct words *words = vec_at(all, i);

		if (words->size == IPROUTE2_SIZE && words->w[5] == outer->w[7] &&
		    first + i < r->maps.len)
			return (s32)(first + i);
	}
	return -1;
}

static void set_inner_maps(struct reader *r, const struct vec *all, u32 first)
{
	for (u32 i = 0; i < all->len; i++) {
		struct map_def *def = reader_map(r, first + i);
		s32 inner = find_inner(r, all, first, vec_at(all, i));

		if ((def->type == MAP_TYPE_ARRAY_OF_MAPS ||
		     def->type == MAP_TYPE_HASH_OF_MAPS) &&
		    inner >= 0 && (u32)inner != first + i)
			def->inner = reader_map(r, (u32)inner);
	}
}

/* A definition reaches up to the next one in its section. */
static int add_definition(struct reader *r, const struct elf_symbol *sym, u64 end,
			  struct vec *all, struct skep_diag *diag)
{
	u64 size = sym->value < end ? end - sym->value : 0;

	if (size < MIN_SIZE)
		return diag_in(
			diag,
			fail(diag, BAD_MAP_DECL, NO_PC, "its definition", "is too short"),
			"map %s", sym->name);
	struct map_def *def =
		add_map(r, sym->name, (struct map_place){sym->section, sym->value, size});
	struct words *words = vec_push(all);

	if (!def || !words)
		return fail(diag, NO_MEMORY, NO_PC);
	*words = read_words(r, sym->section, sym->value, size);
	def->origin = MAP_DECLARED;
	fill(def, words);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct elf_symbol *x = *(const struct elf_symbol *const *)a;
	const struct elf_symbol *y = *(const struct elf_symbol *const *)b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* The symbols of all definitions, by section and place. */
static int find_definitions(const struct reader *r, struct vec *symbols,
			    struct skep_diag *diag)
{
	for (u32 i = 1; i < r->elf.n_symbols; i++) {
		const struct elf_symbol *sym = &r->elf.symbols[i];

		if (sym->section >= r->elf.n_sections ||
		    !is_map_symbol(sym, sym->section) ||
		    !is_legacy_section(r->elf.sections[sym->section].name))
			continue;
		const struct elf_symbol **slot = vec_push(symbols);
		if (!slot)
			return fail(diag, NO_MEMORY, NO_PC);
		*slot = sym;
	}
	if (symbols->len)
		qsort(symbols->data, symbols->len, symbols->elem_size, by_place);
	return 0;
}

int read_legacy_maps(struct reader *r, struct skep_diag *diag)
{
	struct vec symbols = VEC_INIT(const struct elf_symbol *);
	struct vec all =
		VEC_INIT(struct words); /* parallel to the maps from `first` on */
	u32 first = (u32)r->maps.len;
	int err = find_definitions(r, &symbols, diag);

	for (u32 i = 0; i < symbols.len && !err; i++) {
		const struct elf_symbol *const *sym = vec_at(&symbols, i);
		bool last = i + 1 == symbols.len || sym[1]->section != sym[0]->section;
		u64 end =
			last ? r->elf.sections[sym[0]->section].data.len : sym[1]->value;

		err = add_definition(r, *sym, end, &all, diag);
	}
	if (!err)
		set_inner_maps(r, &all, first);
	vec_fini(&symbols);
	vec_fini(&all);
	return err;
}
