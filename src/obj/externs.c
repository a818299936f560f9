/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an object leaves to its loader: settings of the kernel's configuration (.kconfig),
 * which become the variables of one more map, and symbols and functions of the kernel
 * (.ksyms), which are looked up when the object is fitted to a target.
 *
 * The configuration is text that the caller gives: "CONFIG_NAME=value" lines.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "obj/reader.h"

enum { MAP_TYPE_ARRAY = 2, F_RDONLY_PROG = 1 << 7, F_MMAPABLE = 1 << 10 };
enum { MAX_SETTINGS = 1024, MAX_SETTING_SIZE = 4096 };
enum { TRISTATE_NO, TRISTATE_YES, TRISTATE_MODULE };

/* One setting: an extern variable, and where its value goes. */
struct setting {
	const struct btf *btf;
	struct btf_type type; /* resolved */
	u8 *out;
	u32 size;
};

/* The value behind "NAME=" at the start of a line, up to the line's end. */
static struct bytes find_config(const char *config, const char *name)
{
	size_t len = strlen(name);

	while (config && *config) {
		if (!strncmp(config, name, len) && config[len] == '=')
			return (struct bytes){(const u8 *)config + len + 1,
					      strcspn(config + len + 1, "\n")};
		config = strchr(config, '\n');
		config += config ? 1 : 0;
	}
	return (struct bytes){0};
}

static void put_number(const struct setting *s, u64 value)
{
	u8 bytes[8];

	store_u64(bytes, host_is_big_endian() ? __builtin_bswap64(value) : value);
	for (u32 i = 0; i < s->size && i < 8; i++)
		s->out[btf_is_big_endian(s->btf) ? s->size - 1 - i : i] = bytes[i];
}

static const char *put_string(const struct setting *s, struct bytes value)
{
	if (s->type.kind != BTF_ARRAY || !s->size)
		return "the setting is a string, its variable is not";
	if (value.len < 2 || value.data[value.len - 1] != '"')
		return "the string of the configuration has no end";
	memcpy(s->out, value.data + 1, min_u64(value.len - 2, s->size - 1));
	return NULL;
}

static const char *put_letter(const struct setting *s, u8 letter)
{
	bool is_bool = s->type.kind == BTF_INT && btf_int(&s->type).encoding & BTF_BOOL;
	bool is_char = s->type.kind == BTF_INT && s->size == 1;

	if (s->type.kind == BTF_ENUM && !strcmp(s->type.name, "libbpf_tristate")) {
		put_number(s, letter == 'y'   ? TRISTATE_YES
			      : letter == 'm' ? TRISTATE_MODULE
					      : TRISTATE_NO);
		return NULL;
	}
	if (is_bool && letter == 'm')
		return "the setting is m, which bool cannot hold";
	if (!is_bool && !is_char)
		return "the setting is y, m or n, its variable is neither bool, char nor "
		       "enum libbpf_tristate";
	put_number(s, is_bool ? letter == 'y' : letter);
	return NULL;
}

static const char *put_digits(const struct setting *s, struct bytes text)
{
	char digits[32] = "", *end;

	if (s->type.kind != BTF_INT || text.len >= sizeof(digits))
		return "the setting is a number, its variable is not";
	memcpy(digits, text.data, text.len);
	errno = 0;
	u64 value = strtoull(digits, &end, 0);
	if (errno || end == digits || *end)
		return "the setting is nothing that can be understood";
	u32 bits = 8 * s->size;
	bool is_signed = btf_int(&s->type).encoding & BTF_SIGNED;
	bool fits = bits >= 64 || (is_signed ? (s64)value >= -(1ll << (bits - 1)) &&
						       (s64)value < 1ll << (bits - 1)
					     : value < 1ull << bits);
	if (!fits)
		return "the number is too large for its variable";
	put_number(s, value);
	return NULL;
}

/* NULL, or why the variable has no value. */
static const char *set_value(const struct setting *s, struct bytes value)
{
	if (value.data[0] == '"')
		return put_string(s, value);
	if (value.len == 1 && memchr("ymn", value.data[0], 3))
		return put_letter(s, value.data[0]);
	return put_digits(s, value);
}

/* Settings that are no settings: facts about the kernel. */
static bool is_virtual(const char *name)
{
	return !strcmp(name, "LINUX_KERNEL_VERSION") ||
	       !strcmp(name, "LINUX_HAS_BPF_COOKIE") ||
	       !strcmp(name, "LINUX_HAS_SYSCALL_WRAPPER");
}

static struct object_extern *add_extern(struct reader *r, u32 symbol)
{
	const struct elf_symbol *sym = &r->elf.symbols[symbol];
	struct object_extern *e = vec_push(&r->externs);

	if (!e)
		return NULL;
	r->symbol_extern[symbol] = (s32)r->externs.len - 1;
	e->name = sym->name;
	e->weak = sym->bind == ELF_WEAK;
	e->kind = EXTERN_UNKNOWN;
	return e;
}

/* The extern of that name, or NULL. */
static struct object_extern *find_extern(const struct reader *r, const char *name)
{
	const struct elf_symbol *sym = find_symbol(r, name, ELF_UNDEF);
	s32 i = sym ? r->symbol_extern[sym - r->elf.symbols] : -1;

	return i < 0 ? NULL : vec_at(&r->externs, (u32)i);
}

/* What a section of externs says about those in it. */
static void classify(const struct reader *r, const char *section, bool kconfig)
{
	const struct btf *btf = r->obj->btf;
	u32 id = find_datasec(r, section);

	if (!id)
		return;
	struct btf_type sec = btf_type(btf, id);

	for (u32 i = 0; i < sec.vlen; i++) {
		struct btf_type var = btf_type(btf, btf_secvar(&sec, i).type);
		struct object_extern *e = find_extern(r, var.name);

		if (!e)
			continue;
		e->btf_id = var.id;
		e->typed = btf_kind(btf, btf_resolve(btf, var.type)) != BTF_VOID;
		e->kind = kconfig                ? EXTERN_KCONFIG
			  : var.kind == BTF_FUNC ? EXTERN_KFUNC
						 : EXTERN_KSYM;
	}
}

/* Functions that no section lists are kfuncs all the same. */
static void classify_rest(const struct reader *r)
{
	for (u32 i = 0; i < r->externs.len && r->obj->btf; i++) {
		struct object_extern *e = vec_at(&r->externs, i);

		if (e->kind != EXTERN_UNKNOWN)
			continue;
		e->btf_id = btf_find(r->obj->btf, e->name, BTF_FUNC);
		e->typed = e->btf_id;
		if (e->btf_id)
			e->kind = EXTERN_KFUNC;
	}
}

static u32 count_settings(const struct reader *r)
{
	u32 n = 0;

	for (u32 i = 0; i < r->externs.len; i++)
		n += ((struct object_extern *)vec_at(&r->externs, i))->kind ==
		     EXTERN_KCONFIG;
	return n;
}

/* What decides where a setting is in the map. */
struct layout {
	struct object_extern *e;
	u32 type, size, align;
};

/* As Linux' own loader lays them out. */
static int by_alignment(const void *a, const void *b)
{
	const struct layout *x = a, *y = b;

	if (x->align != y->align)
		return x->align > y->align ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->e->name, y->e->name);
}

/* The externs of .kconfig, largest alignment first; NULL: no memory, or no sizes. */
static struct layout *sort_settings(struct reader *r, u32 n)
{
	const struct btf *btf = r->obj->btf;
	struct layout *all = arena_array(&r->obj->arena, n, sizeof(*all));

	for (u32 i = 0, k = 0; i < r->externs.len && all; i++) {
		struct object_extern *e = vec_at(&r->externs, i);

		if (e->kind != EXTERN_KCONFIG)
			continue;
		u32 type = btf_type(btf, e->btf_id).type;
		s64 size = btf_size(btf, type);

		if (size <= 0 || size > MAX_SETTING_SIZE)
			return NULL;
		all[k++] = (struct layout){e, type, (u32)size, btf_align(btf, type)};
	}
	if (all)
		qsort(all, n, sizeof(*all), by_alignment);
	return all;
}

/* Gives every extern of .kconfig its place in the map; the size of the map, or 0. */
static u32 lay_out(struct reader *r, struct map_def *def, u32 n)
{
	const struct layout *all = sort_settings(r, n);
	u32 end = 0;

	for (u32 i = 0; i < n && all; i++) {
		struct object_var *var = vec_push(&r->vars);

		if (!var)
			return 0;
		end = (u32)round_up(end, all[i].align);
		*var = (struct object_var){all[i].e->name, def,         end,
					   all[i].size,    all[i].type, false};
		all[i].e->var = (u32)r->vars.len - 1;
		end += all[i].size;
	}
	return end;
}

static void fill_in(struct reader *r, const struct map_def *def, const char *config)
{
	for (u32 i = 0; i < r->externs.len; i++) {
		struct object_extern *e = vec_at(&r->externs, i);

		if (e->kind != EXTERN_KCONFIG)
			continue;
		const struct object_var *var = vec_at(&r->vars, e->var);
		struct setting s = {
			r->obj->btf,
			btf_type(r->obj->btf, btf_resolve(r->obj->btf, var->btf_id)),
			def->data + var->offset, var->size};
		struct bytes value = find_config(config, e->name);

		if (is_virtual(e->name))
			e->error = NULL; /* the target says */
		else if (value.len)
			e->error = set_value(&s, value);
		else if (!e->weak)
			e->error = "the kernel's configuration does not have it";
		e->resolved = !e->error;
	}
}

static int add_kconfig(struct reader *r, const char *config, u32 n,
		       struct skep_diag *diag)
{
	struct map_def *def = add_map(r, ".kconfig", (struct map_place){0, 0, 0});

	if (!def)
		return fail(diag, NO_MEMORY, NO_PC);
	r->kconfig_map = (u32)r->maps.len - 1;
	def->section = ".kconfig";
	def->origin = MAP_KCONFIG;
	def->type = MAP_TYPE_ARRAY;
	def->key_size = 4;
	def->value_size = lay_out(r, def, n);
	def->max_entries = 1;
	def->flags = F_MMAPABLE | F_RDONLY_PROG;
	if (!def->value_size)
		return fail(diag, BAD_MAP_DECL, NO_PC, ".kconfig",
			    "has externs without a size");
	def->data = arena_alloc(&r->obj->arena, def->value_size);
	if (!def->data)
		return fail(diag, NO_MEMORY, NO_PC);
	def->data_size = def->value_size;
	fill_in(r, def, config);
	return 0;
}

int read_externs(struct reader *r, const char *kconfig, struct skep_diag *diag)
{
	for (u32 i = 0; i < r->elf.n_symbols; i++) {
		const struct elf_symbol *sym = &r->elf.symbols[i];

		r->symbol_extern[i] = -1;
		if (sym->section == ELF_UNDEF && sym->name[0] && !add_extern(r, i))
			return fail(diag, NO_MEMORY, NO_PC);
	}
	classify(r, ".kconfig", true);
	classify(r, ".ksyms", false);
	classify_rest(r);
	u32 n = count_settings(r);
	if (n > MAX_SETTINGS)
		return fail(diag, BAD_MAP_DECL, NO_PC, ".kconfig",
			    "has too many externs");
	return n ? add_kconfig(r, kconfig, n, diag) : 0;
}
