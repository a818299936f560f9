/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of executables and libraries by name, by name and version, by pattern.
 *
 * .dynsym first, as a stripped file has nothing else; then .symtab.  One name may mean
 * several functions: the default version goes before the others, global before weak
 * before static; what is left must be one place.  Never guesses.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "kern/binary.h"
#include "kern/glob.h"

enum { CHUNK = 1024 }; /* symbols read at once */

/* A symbol table as it is walked. */
struct symbols {
	const struct binary *bin; /* borrowed */
	const Elf64_Shdr *table;  /* borrowed from bin */
	char *strings;            /* owned */
	u64 strings_len;
	u16 *versions; /* owned; of each symbol; NULL: the table has none */
	u64 n_versions;
	u8 *verdef; /* owned; NULL: none */
	u64 verdef_len;
	char *verdef_strings; /* owned */
	u64 verdef_strings_len;
	u64 next, n;
	Elf64_Sym chunk[CHUNK];
};

static int read_strings(const struct binary *bin, const Elf64_Shdr *of, char **strings,
			u64 *len, struct skep_diag *diag)
{
	if (of->sh_link >= bin->n_sections)
		return fail(diag, BAD_BINARY, NO_PC, "a table has no strings");
	*len = bin->sections[of->sh_link].sh_size;
	return binary_read(bin, &bin->sections[of->sh_link], (u8 **)strings, diag);
}

/* Versions are an addition: where they are broken, symbols have names only. */
static void read_versions(struct symbols *s)
{
	const Elf64_Shdr *versym = binary_section(s->bin, SHT_GNU_versym, NULL);
	const Elf64_Shdr *verdef = binary_section(s->bin, SHT_GNU_verdef, NULL);

	if (!versym || !verdef ||
	    binary_read(s->bin, versym, (u8 **)&s->versions, NULL) ||
	    binary_read(s->bin, verdef, &s->verdef, NULL) ||
	    read_strings(s->bin, verdef, &s->verdef_strings, &s->verdef_strings_len,
			 NULL))
		return;
	s->n_versions = versym->sh_size / sizeof(u16);
	s->verdef_len = verdef->sh_size;
}

static void symbols_fini(struct symbols *s)
{
	free(s->strings);
	free(s->versions);
	free(s->verdef);
	free(s->verdef_strings);
}

static int symbols_init(struct symbols *s, const struct binary *bin, u32 type,
			struct skep_diag *diag)
{
	int err;

	memset(s, 0, offsetof(struct symbols, chunk));
	s->bin = bin;
	s->table = binary_section(bin, type, NULL);
	if (!s->table)
		return 0;
	if (s->table->sh_entsize != sizeof(Elf64_Sym))
		return fail(diag, BAD_BINARY, NO_PC, "its symbols have a strange size");
	s->n = s->table->sh_size / sizeof(Elf64_Sym);
	err = read_strings(bin, s->table, &s->strings, &s->strings_len, diag);
	if (!err && type == SHT_DYNSYM)
		read_versions(s);
	return err;
}

/* The next symbol and its index; false at the end, or where the file was cut off. */
static bool symbols_next(struct symbols *s, const Elf64_Sym **sym, u64 *index)
{
	u64 at = s->next % CHUNK, left = s->n - s->next;

	if (!left)
		return false;
	if (!at &&
	    binary_read_at(s->bin, s->table->sh_offset + s->next * sizeof(Elf64_Sym),
			   s->chunk, min_u64(left, CHUNK) * sizeof(Elf64_Sym)))
		return false;
	*sym = &s->chunk[at];
	*index = s->next++;
	return true;
}

/* "" rather than NULL; the copy ends with NUL. */
static const char *symbol_name(const struct symbols *s, const Elf64_Sym *sym)
{
	return sym->st_name < s->strings_len ? s->strings + sym->st_name : "";
}

/* The number that a name of a version stands for; 0: none.  The definitions are a list of
 * records, each with its names behind it. */
static u16 version_number(const struct symbols *s, const char *name)
{
	struct bytes defs = {s->verdef, s->verdef_len};
	struct bytes strings = {(u8 *)s->verdef_strings, s->verdef_strings_len};
	u64 at = 0;

	for (u64 i = 0; i < s->verdef_len / sizeof(Elf64_Verdef); i++) {
		struct bytes b = bytes_slice(defs, at, sizeof(Elf64_Verdef));
		const char *is;
		Elf64_Verdef def;
		Elf64_Verdaux aux;

		if (!b.data)
			return 0;
		memcpy(&def, b.data, sizeof(def));
		b = bytes_slice(defs, at + def.vd_aux, sizeof(aux));
		if (!b.data)
			return 0;
		memcpy(&aux, b.data, sizeof(aux));
		is = bytes_string(strings, aux.vda_name);
		if (is && !strcmp(is, name))
			return def.vd_ndx;
		if (!def.vd_next)
			return 0;
		at += def.vd_next;
	}
	return 0;
}

/* ---- one function by name ---- */

struct wanted {
	const char *name;
	size_t len;          /* of the name without its version */
	const char *version; /* NULL: none is asked for */
	u16 number;          /* of the version, in this table; 0: none */
};

/* How much a symbol is what the name means. */
enum rank { OTHER, OLD_VERSION, STATIC, WEAK, GLOBAL };

enum { HIDDEN_VERSION = 0x8000, VERSION_NUMBER = 0x7fff };

static struct wanted wanted_of(const char *name)
{
	size_t len = strcspn(name, "@");
	const char *version = name[len] ? name + len + 1 + (name[len + 1] == '@') : NULL;

	return (struct wanted){name, len, version, 0};
}

static enum rank rank_of(const struct symbols *s, const Elf64_Sym *sym, u64 index,
			 const struct wanted *want)
{
	const char *name = symbol_name(s, sym);

	if (strncmp(name, want->name, want->len) != 0)
		return OTHER;
	/* static linkers leave "name@VERSION" in .symtab */
	if (name[want->len] == '@') {
		bool is_default = name[want->len + 1] == '@';

		if (!want->version)
			return is_default ? GLOBAL : OLD_VERSION;
		return strcmp(name + want->len + 1 + is_default, want->version) ? OTHER
										: GLOBAL;
	}
	if (name[want->len])
		return OTHER;
	if (want->version)
		return want->number && index < s->n_versions &&
				       (s->versions[index] & VERSION_NUMBER) ==
					       want->number
			       ? GLOBAL
			       : OTHER;
	if (index < s->n_versions && (s->versions[index] & HIDDEN_VERSION))
		return OLD_VERSION;
	if (ELF64_ST_BIND(sym->st_info) == STB_WEAK)
		return WEAK;
	return ELF64_ST_BIND(sym->st_info) == STB_LOCAL ? STATIC : GLOBAL;
}

/* The best that was seen. */
struct found {
	enum rank rank;
	u64 address;
	u64 other; /* of another function that is as good */
	bool ambiguous;
	enum rank indirect; /* of what is no function yet, but chooses one */
};

static void consider(struct found *found, const Elf64_Sym *sym, enum rank rank)
{
	if (rank == OTHER || sym->st_shndx == SHN_UNDEF)
		return;
	if (ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC && rank > found->indirect)
		found->indirect = rank;
	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || rank < found->rank)
		return;
	if (rank == found->rank) {
		if (found->address == sym->st_value)
			return;
		found->ambiguous = true;
		found->other = sym->st_value;
		return;
	}
	found->rank = rank;
	found->address = sym->st_value;
	found->ambiguous = false;
}

static int find_in_table(const struct binary *bin, u32 type, struct wanted *want,
			 struct found *found, struct skep_diag *diag)
{
	struct symbols *s = malloc(sizeof(*s));
	const Elf64_Sym *sym;
	u64 index;
	int err;

	if (!s)
		return fail(diag, NO_MEMORY, NO_PC);
	err = symbols_init(s, bin, type, diag);
	want->number = want->version ? version_number(s, want->version) : 0;
	while (!err && symbols_next(s, &sym, &index))
		consider(found, sym, rank_of(s, sym, index, want));
	symbols_fini(s);
	free(s);
	return err;
}

static int function_offset(const struct binary *bin, const struct found *found,
			   const char *name, u64 *offset, struct skep_diag *diag)
{
	if (found->indirect > found->rank)
		return fail(diag, INDIRECT_FUNCTION, NO_PC, name);
	if (found->rank == OTHER)
		return fail(diag, NO_BINARY_FUNCTION, NO_PC, name);
	if (found->ambiguous)
		return fail(diag, MANY_FUNCTIONS, NO_PC, name,
			    (unsigned long long)found->address,
			    (unsigned long long)found->other);
	if (!binary_offset(bin, found->address, PF_X, offset))
		return fail(diag, BAD_BINARY, NO_PC,
			    "the function lies in no executable segment");
	return 0;
}

int binary_function(const struct binary *bin, const char *name, u64 *offset,
		    struct skep_diag *diag)
{
	static const u32 tables[] = {SHT_DYNSYM, SHT_SYMTAB};
	struct wanted want = wanted_of(name);
	struct found found = {0};

	for (size_t i = 0; i < ARRAY_SIZE(tables) && found.rank == OTHER; i++) {
		int err = find_in_table(bin, tables[i], &want, &found, diag);

		if (err)
			return err;
	}
	return function_offset(bin, &found, name, offset, diag);
}

/* ---- many by pattern ---- */

/* What all names together may cost, as many times their section: honest files share a few
 * ends of names, hostile ones all of them. */
enum { NAMES_SHARED = 16 };

static int match_symbol(const struct symbols *s, const Elf64_Sym *sym,
			const char *pattern, struct vec *offsets)
{
	u64 offset, *slot;

	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF ||
	    !glob_matches(pattern, symbol_name(s, sym)) ||
	    !binary_offset(s->bin, sym->st_value, PF_X, &offset))
		return 0;
	slot = vec_push(offsets);
	if (!slot)
		return -ENOMEM;
	*slot = offset;
	return 0;
}

static int match_symbols(struct symbols *s, const char *pattern, struct vec *offsets,
			 struct skep_diag *diag)
{
	u64 budget = (s->strings_len + s->n) * NAMES_SHARED, index;
	const Elf64_Sym *sym;

	while (symbols_next(s, &sym, &index)) {
		u64 len = strlen(symbol_name(s, sym));

		if (len > budget)
			return fail(diag, BAD_BINARY, NO_PC,
				    "its symbols share their names");
		budget -= len;
		if (match_symbol(s, sym, pattern, offsets))
			return fail(diag, NO_MEMORY, NO_PC);
	}
	return 0;
}

static int match_table(const struct binary *bin, u32 type, const char *pattern,
		       struct vec *offsets, struct skep_diag *diag)
{
	struct symbols *s = malloc(sizeof(*s));
	int err;

	if (!s)
		return fail(diag, NO_MEMORY, NO_PC);
	err = symbols_init(s, bin, type, diag);
	if (!err)
		err = match_symbols(s, pattern, offsets, diag);
	symbols_fini(s);
	free(s);
	return err;
}

static int compare_offsets(const void *a, const void *b)
{
	u64 x = load_u64(a), y = load_u64(b);

	return x < y ? -1 : x > y;
}

static void sort_unique(struct vec *offsets)
{
	u64 *o = offsets->data;
	size_t n = 0;

	qsort(o, offsets->len, sizeof(*o), compare_offsets);
	for (size_t i = 0; i < offsets->len; i++)
		if (!n || o[n - 1] != o[i])
			o[n++] = o[i];
	offsets->len = n;
}

int binary_functions(const struct binary *bin, const char *pattern, struct vec *offsets,
		     struct skep_diag *diag)
{
	int err = match_table(bin, SHT_DYNSYM, pattern, offsets, diag);

	if (!err)
		err = match_table(bin, SHT_SYMTAB, pattern, offsets, diag);
	if (!err && !offsets->len)
		err = fail(diag, NO_BINARY_FUNCTION, NO_PC, pattern);
	if (!err)
		sort_unique(offsets);
	return err;
}
