/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening an object: the steps from an ELF file to linked programs, in their order.  Each
 * step is a file of its own; this one keeps what they share.
 *
 * Never does: fit anything to a kernel (fit.c), create a map.
 */
#include "obj/object.h"

#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "obj/reader.h"

/* Of declared maps and their values, all together. */
enum { MAX_MEMBERS = 1 << 22 };

struct map_def *add_map(struct reader *r, const char *name, struct map_place place)
{
	struct map_def *def = arena_alloc(&r->obj->arena, sizeof(*def));
	struct map_def **slot = vec_push(&r->maps);
	struct map_place *p = vec_push(&r->places);

	if (!def || !slot || !p || r->maps.len > OBJECT_MAX_MAPS)
		return NULL;
	def->name = name;
	def->section = r->elf.sections[place.section].name;
	*slot = def;
	*p = place;
	return def;
}

/* ---- what is where ---- */

/* A map's place, to be sorted. */
struct sorted_place {
	struct map_place place;
	u32 map;
};

static int by_place(const void *a, const void *b)
{
	const struct sorted_place *x = a, *y = b;

	if (x->place.section != y->place.section)
		return x->place.section < y->place.section ? -1 : 1;
	if (x->place.offset != y->place.offset)
		return x->place.offset < y->place.offset ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

static int sort_places(struct reader *r, struct skep_diag *diag)
{
	u32 n = (u32)r->places.len;
	struct sorted_place *all = calloc(n + 1, sizeof(*all));

	r->by_place = arena_array(&r->obj->arena, n, sizeof(*r->by_place));
	for (u32 i = 0; i < n && all; i++) {
		const struct map_place *place = vec_at(&r->places, i);

		all[i] = (struct sorted_place){*place, i};
	}
	if (!all || !r->by_place) {
		free(all);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	qsort(all, n, sizeof(*all), by_place);
	for (u32 i = 0; i < n; i++)
		r->by_place[i] = all[i].map;
	free(all);
	return 0;
}

/* The last map that starts there or before; its number in by_place, or -1. */
static s64 last_before(const struct reader *r, u32 section, u64 offset)
{
	u32 lo = 0, hi = (u32)r->places.len;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct map_place *p = vec_at(&r->places, r->by_place[mid]);

		if (p->section < section ||
		    (p->section == section && p->offset <= offset))
			lo = mid + 1;
		else
			hi = mid;
	}
	return (s64)lo - 1;
}

s32 map_at(const struct reader *r, u32 section, u64 offset)
{
	s64 i = last_before(r, section, offset);

	if (i < 0)
		return -1;
	const struct map_place *p = vec_at(&r->places, r->by_place[i]);
	u64 size = p->size ? p->size : 1;

	if (p->section != section || offset - p->offset >= size)
		return -1;
	return (s32)r->by_place[i];
}

static int by_map(const void *a, const void *b)
{
	const struct object_var *x = *(const struct object_var *const *)a;
	const struct object_var *y = *(const struct object_var *const *)b;
	uintptr_t xm = (uintptr_t)x->map, ym = (uintptr_t)y->map;

	if (xm != ym)
		return xm < ym ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int sort_vars(struct reader *r, struct skep_diag *diag)
{
	u32 n = r->obj->n_vars;
	const struct object_var **vars = arena_array(&r->obj->arena, n, sizeof(*vars));

	if (!vars)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < n; i++)
		vars[i] = &r->obj->vars[i];
	qsort(vars, n, sizeof(*vars), by_map);
	r->vars_by_place = vars;
	return 0;
}

const struct object_var *var_at(const struct reader *r, const struct map_def *map,
				u64 offset)
{
	u32 lo = 0, hi = r->obj->n_vars;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct object_var *v = r->vars_by_place[mid];

		if ((uintptr_t)v->map < (uintptr_t)map ||
		    (v->map == map && v->offset <= offset))
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct object_var *v = lo ? r->vars_by_place[lo - 1] : NULL;

	return v && v->map == map && offset - v->offset < max_u64(v->size, 1) ? v : NULL;
}

static u32 hash_symbol(const char *name, u32 section)
{
	return hash_string(name) ^ section * 0x9e3779b1u;
}

static int index_symbols(struct reader *r, struct skep_diag *diag)
{
	for (u32 i = 1; i < r->elf.n_symbols; i++) {
		const struct elf_symbol *sym = &r->elf.symbols[i];

		/* Only the first of a name counts: many alike would be a long chain. */
		if (!sym->name[0] || find_symbol(r, sym->name, sym->section))
			continue;
		if (!hash_index_add(&r->symbols_by_name,
				    hash_symbol(sym->name, sym->section), i))
			return fail(diag, NO_MEMORY, NO_PC);
	}
	return 0;
}

const struct elf_symbol *find_symbol(const struct reader *r, const char *name,
				     u32 section)
{
	u32 hash = hash_symbol(name, section), i;

	for (size_t c = 0; hash_index_next(&r->symbols_by_name, hash, &c, &i);) {
		const struct elf_symbol *sym = &r->elf.symbols[i];

		if (sym->section == section && !strcmp(sym->name, name))
			return sym;
	}
	return NULL;
}

u32 find_datasec(const struct reader *r, const char *name)
{
	return r->obj->btf ? btf_find(r->obj->btf, name, BTF_DATASEC) : 0;
}

const char *symbol_name(const struct reader *r, const struct elf_symbol *sym)
{
	if (sym->name[0] || sym->section >= r->elf.n_sections)
		return sym->name;
	return r->elf.sections[sym->section].name;
}

static int read_license(struct reader *r, struct skep_diag *diag)
{
	const struct elf_section *license = elf_find_section(&r->elf, "license");
	const struct elf_section *version = elf_find_section(&r->elf, "version");

	if (license && license->data.len) {
		const char *text = (const char *)license->data.data;
		size_t len = strnlen(text, license->data.len);

		r->obj->license = arena_strndup(&r->obj->arena, text, len);
		if (!r->obj->license)
			return fail(diag, NO_MEMORY, NO_PC);
	}
	if (version && version->data.len >= 4)
		r->obj->version = load_u32_of(version->data.data, r->elf.big_endian);
	return 0;
}

/* Hands the growing arrays over to the object. */
static int keep(struct reader *r, struct skep_diag *diag)
{
	struct object *obj = r->obj;
	struct arena *a = &obj->arena;

	obj->n_maps = (u32)r->maps.len;
	obj->n_vars = (u32)r->vars.len;
	obj->n_externs = (u32)r->externs.len;
	obj->maps = arena_memdup(a, r->maps.data, r->maps.len * sizeof(*obj->maps));
	obj->vars = arena_memdup(a, r->vars.data, r->vars.len * sizeof(*obj->vars));
	obj->externs =
		arena_memdup(a, r->externs.data, r->externs.len * sizeof(*obj->externs));
	if (!obj->maps || !obj->vars || !obj->externs)
		return fail(diag, NO_MEMORY, NO_PC);
	return 0;
}

static int read_all(struct reader *r, struct bytes file, const struct object_opts *opts,
		    struct skep_diag *diag)
{
	int err = elf_read(&r->elf, file, &r->obj->arena, diag);

	if (err)
		return err;
	r->obj->big_endian = r->elf.big_endian;
	r->codes = arena_array(&r->obj->arena, r->elf.n_sections, sizeof(*r->codes));
	r->symbol_extern =
		arena_array(&r->obj->arena, r->elf.n_symbols, sizeof(*r->symbol_extern));
	if (!r->codes || !r->symbol_extern)
		return fail(diag, NO_MEMORY, NO_PC);
	err = index_symbols(r, diag);
	if (!err)
		err = read_license(r, diag);
	if (!err)
		err = read_btf(r, diag);
	if (!err)
		err = read_declared_maps(r, diag);
	if (!err)
		err = read_legacy_maps(r, diag);
	if (!err)
		err = read_data(r, diag);
	if (!err)
		err = read_externs(r, opts->kconfig, diag);
	if (!err)
		err = sort_places(r, diag);
	if (!err)
		err = read_funcs(r, diag);
	if (!err)
		err = read_ext(r, diag);
	if (!err)
		err = read_map_slots(r, diag);
	if (!err)
		err = keep(r, diag);
	if (!err)
		err = sort_vars(r, diag);
	r->gnu_addends = !err && has_gnu_addends(r);
	if (!err)
		err = link_programs(r, diag);
	return err;
}

static struct object *new_object(const char *name)
{
	struct object *obj = calloc(1, sizeof(*obj));

	if (!obj)
		return NULL;
	obj->name = arena_strdup(&obj->arena, name);
	if (obj->name)
		return obj;
	object_free(obj);
	return NULL;
}

int object_open(struct bytes file, const struct object_opts *opts, struct object **obj,
		struct skep_diag *diag)
{
	static const struct object_opts defaults;
	struct reader r = {
		.members_left = MAX_MEMBERS,
		.funcs = VEC_INIT(struct func),
		.maps = VEC_INIT(struct map_def *),
		.places = VEC_INIT(struct map_place),
		.vars = VEC_INIT(struct object_var),
		.externs = VEC_INIT(struct object_extern),
	};

	opts = opts ? opts : &defaults;
	const char *name = opts->name ? opts->name : "object";

	*obj = NULL;
	r.obj = new_object(name);
	if (!r.obj)
		return fail(diag, NO_MEMORY, NO_PC);
	/* Names and types are borrowed from the file for as long as the object lives. */
	u8 *copy = arena_memdup(&r.obj->arena, file.data, file.len);
	int err = copy ? read_all(&r, (struct bytes){copy, file.len}, opts, diag)
		       : fail(diag, NO_MEMORY, NO_PC);
	vec_fini(&r.funcs);
	vec_fini(&r.maps);
	vec_fini(&r.places);
	vec_fini(&r.vars);
	vec_fini(&r.externs);
	hash_index_fini(&r.symbols_by_name);
	if (err) {
		object_free(r.obj);
		return diag_in(diag, err, "%s", name);
	}
	*obj = r.obj;
	return 0;
}

void object_free(struct object *obj)
{
	if (!obj)
		return;
	arena_fini(&obj->arena);
	free(obj);
}

int object_find_prog(const struct object *obj, const char *name)
{
	for (u32 i = 0; i < obj->n_progs; i++) {
		if (!strcmp(obj->progs[i].prog.name, name))
			return (int)i;
	}
	return -1;
}

int object_find_map(const struct object *obj, const char *name)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		if (!strcmp(obj->maps[i]->name, name))
			return (int)i;
	}
	return -1;
}

int object_find_var(const struct object *obj, const char *name)
{
	for (u32 i = 0; i < obj->n_vars; i++) {
		if (!strcmp(obj->vars[i].name, name))
			return (int)i;
	}
	return -1;
}

int object_set_var(struct object *obj, const char *name, const void *value, size_t size,
		   struct skep_diag *diag)
{
	int i = object_find_var(obj, name);

	if (i < 0)
		return fail(diag, NO_SUCH_VAR, NO_PC, name);
	const struct object_var *var = &obj->vars[i];
	struct map_def *map = var->map;

	if (size != var->size)
		return fail(diag, VAR_SIZE, NO_PC, name, var->size, size);
	if (!map->data)
		map->data = arena_alloc(&obj->arena, map->data_size);
	if (!map->data)
		return fail(diag, NO_MEMORY, NO_PC);
	memcpy(map->data + var->offset, value, size);
	return 0;
}
