/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps declared in .maps: a variable whose type says what the map is.  Numbers are the
 * lengths of arrays (__uint) or enumerators (__ulong), types are what pointers point to
 * (__type), and `values` names what the slots hold (__array).
 *
 * Never looks at the bytes of the variable: only at its type, and at relocations for the
 * initial contents of slots.  See libbpf's documentation of BTF-defined maps.
 */
#include <errno.h>

#include "base/diag.h"
#include "obj/reader.h"

enum { PTR_SIZE = 8, RING_PAGE = 4096 };
enum {
	MAP_TYPE_STRUCT_OPS_NUMBER = 26,
	MAP_TYPE_RINGBUF_NUMBER = 27,
	MAP_TYPE_USER_RINGBUF_NUMBER = 31,
};

/* A declaration while its members are read. */
struct decl {
	struct reader *r;
	const struct btf *btf;
	struct map_def *def;
	bool may_nest; /* this is no template itself */
};

static int bad(struct skep_diag *diag, const char *member, const char *why)
{
	return fail(diag, BAD_MAP_DECL, NO_PC, member, why);
}

/* __uint(name, n) is int (*name)[n]; __ulong(name, n) is an enum with that one value. */
static bool read_number(const struct btf *btf, u32 type, u64 *value)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	if ((t.kind == BTF_ENUM || t.kind == BTF_ENUM64) && t.vlen) {
		*value = btf_enumerator(btf, &t, 0).value;
		return true;
	}
	if (t.kind != BTF_PTR)
		return false;
	t = btf_type(btf, btf_resolve(btf, t.type));
	if (t.kind != BTF_ARRAY)
		return false;
	*value = btf_array(&t).nelems;
	return true;
}

static int set_u32(const struct decl *d, const struct btf_member *m, u32 *field,
		   struct skep_diag *diag)
{
	u64 value;

	if (!read_number(d->btf, m->type, &value))
		return bad(diag, m->name, "is not declared with __uint()");
	if (value > UINT32_MAX)
		return bad(diag, m->name, "does not fit into 32 bits");
	*field = (u32)value;
	return 0;
}

/* __type(name, T) is T *name; the size may have been said before, then they must agree.
 */
static int set_type(const struct decl *d, const struct btf_member *m, u32 *id, u32 *size,
		    struct skep_diag *diag)
{
	struct btf_type t = btf_type(d->btf, btf_resolve(d->btf, m->type));

	if (t.kind != BTF_PTR)
		return bad(diag, m->name, "is not declared with __type()");
	s64 bytes = btf_size(d->btf, t.type);
	if (bytes < 0 || bytes > INT32_MAX)
		return bad(diag, m->name, "is of a type without a size");
	if (*size && *size != bytes)
		return bad(diag, m->name, "has another size than was said before");
	*id = t.type;
	*size = (u32)bytes;
	return 0;
}

static int set_size(const struct decl *d, const struct btf_member *m, u32 *size,
		    struct skep_diag *diag)
{
	u32 before = *size;
	int err = set_u32(d, m, size, diag);

	if (!err && before && before != *size)
		return bad(diag, m->name, "disagrees with the type");
	return err;
}

static int read_members(const struct decl *d, u32 id, struct skep_diag *diag);

/* __array(values, T) is T *values[]: T is the template of inner maps, or a function for
 * the slots of a prog-array. */
static int set_values(const struct decl *d, const struct btf_member *m,
		      struct skep_diag *diag)
{
	struct btf_type t = btf_type(d->btf, btf_resolve(d->btf, m->type));

	if (!d->may_nest)
		return bad(diag, m->name, "belongs to an inner map: those cannot nest");
	if (t.kind != BTF_ARRAY)
		return bad(diag, m->name, "is not declared with __array()");
	t = btf_type(d->btf, btf_resolve(d->btf, btf_array(&t).type));
	if (t.kind != BTF_PTR)
		return bad(diag, m->name, "is not an array of pointers");
	t = btf_type(d->btf, btf_resolve(d->btf, t.type));
	if (!d->def->value_size)
		d->def->value_size = 4;
	if (t.kind == BTF_FUNC_PROTO)
		return 0;
	if (t.kind != BTF_STRUCT)
		return bad(diag, m->name, "is neither of maps nor of functions");

	struct map_def *inner = arena_alloc(&d->r->obj->arena, sizeof(*inner));
	if (!inner)
		return fail(diag, NO_MEMORY, NO_PC);
	inner->name = arena_printf(&d->r->obj->arena, "%s.inner", d->def->name);
	inner->section = d->def->section;
	d->def->inner = inner;
	if (!inner->name)
		return fail(diag, NO_MEMORY, NO_PC);
	return read_members(&(struct decl){d->r, d->btf, inner, false}, t.id, diag);
}

static int set_pinning(const struct decl *d, const struct btf_member *m,
		       struct skep_diag *diag)
{
	u32 how = 0;
	int err = set_u32(d, m, &how, diag);

	if (!err && how > 1)
		return bad(diag, m->name,
			   "is neither LIBBPF_PIN_NONE nor LIBBPF_PIN_BY_NAME");
	d->def->pin_by_name = how == 1;
	return err;
}

static int set_extra(const struct decl *d, const struct btf_member *m,
		     struct skep_diag *diag)
{
	if (!read_number(d->btf, m->type, &d->def->extra))
		return bad(diag, m->name, "is not declared with __ulong()");
	return 0;
}

static int read_member(const struct decl *d, const struct btf_member *m,
		       struct skep_diag *diag)
{
	struct map_def *def = d->def;
	const struct {
		const char *name;
		u32 *field;
	} numbers[] = {
		{"type", &def->type},
		{"max_entries", &def->max_entries},
		{"map_flags", &def->flags},
		{"numa_node", &def->numa_node},
	};

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!strcmp(m->name, numbers[i].name))
			return set_u32(d, m, numbers[i].field, diag);
	}
	if (!strcmp(m->name, "key_size"))
		return set_size(d, m, &def->key_size, diag);
	if (!strcmp(m->name, "value_size"))
		return set_size(d, m, &def->value_size, diag);
	if (!strcmp(m->name, "key"))
		return set_type(d, m, &def->btf_key_id, &def->key_size, diag);
	if (!strcmp(m->name, "value"))
		return set_type(d, m, &def->btf_value_id, &def->value_size, diag);
	if (!strcmp(m->name, "values"))
		return set_values(d, m, diag);
	if (!strcmp(m->name, "pinning"))
		return set_pinning(d, m, diag);
	if (!strcmp(m->name, "map_extra"))
		return set_extra(d, m, diag);
	return bad(diag, m->name, "is nothing that maps have");
}

/* What programs declare is rounded up to what Linux accepts: a power of two, at least a
 * page.  Zero stays zero: the user has to say. */
static u32 ring_size(u32 declared)
{
	u32 size = RING_PAGE;

	while (size < declared && size <= UINT32_MAX / 2)
		size *= 2;
	return !declared || size < declared ? declared : size;
}

/* Declarations may share types: a bound on looking at them again and again. */
static int spend(const struct decl *d, const struct btf_type *t, struct skep_diag *diag)
{
	if (t->vlen > d->r->members_left)
		return bad(diag, "its declaration", "has too many members");
	d->r->members_left -= t->vlen;
	return 0;
}

static int read_members(const struct decl *d, u32 id, struct skep_diag *diag)
{
	struct btf_type t = btf_type(d->btf, id);
	int err = spend(d, &t, diag);

	if (err)
		return diag_in(diag, err, "map %s", d->def->name);
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(d->btf, &t, i);

		err = read_member(d, &m, diag);
		if (err)
			return diag_in(diag, err, "map %s", d->def->name);
	}
	if (!d->def->type)
		return diag_in(diag, bad(diag, "type", "is missing"), "map %s",
			       d->def->name);
	if (d->def->type == MAP_TYPE_RINGBUF_NUMBER ||
	    d->def->type == MAP_TYPE_USER_RINGBUF_NUMBER)
		d->def->max_entries = ring_size(d->def->max_entries);
	return 0;
}

static int read_declaration(struct reader *r, u32 section, u32 var_id,
			    struct skep_diag *diag)
{
	const struct btf *btf = r->obj->btf;
	struct btf_type var = btf_type(btf, var_id);
	const struct elf_symbol *sym = find_symbol(r, var.name, section);
	u32 id = btf_resolve(btf, var.type);

	if (var.kind == BTF_VAR && btf_linkage(&var) == BTF_EXTERN)
		return 0; /* another object has it; who refers to it is told so */
	if (var.kind != BTF_VAR || btf_kind(btf, id) != BTF_STRUCT || !sym)
		return diag_in(diag,
			       bad(diag, "its declaration", "is not a struct variable"),
			       "map %s", var.name);
	struct map_place place = {section, sym->value, sym->size};
	struct map_def *def = add_map(r, var.name, place);

	if (!def)
		return fail(diag, TOO_MANY_MAPS, NO_PC, OBJECT_MAX_MAPS);
	def->origin = MAP_DECLARED;
	return read_members(&(struct decl){r, btf, def, true}, id, diag);
}

/* Variables of .struct_ops*: implementations of a kernel's struct, one map each. */
static int read_struct_ops(struct reader *r, const char *section, struct skep_diag *diag)
{
	const struct elf_section *sec = elf_find_section(&r->elf, section);
	u32 id = sec ? find_datasec(r, section) : 0;
	const struct btf *btf = r->obj->btf;

	if (!id)
		return 0;
	struct btf_type datasec = btf_type(btf, id);

	for (u32 i = 0; i < datasec.vlen; i++) {
		struct btf_type var = btf_type(btf, btf_secvar(&datasec, i).type);
		const struct elf_symbol *sym =
			find_symbol(r, var.name, (u32)(sec - r->elf.sections));
		s64 size = btf_size(btf, var.type);

		if (!sym || size <= 0)
			continue;
		struct map_place place = {sym->section, sym->value, sym->size};
		struct map_def *def = add_map(r, var.name, place);
		if (!def)
			return fail(diag, TOO_MANY_MAPS, NO_PC, OBJECT_MAX_MAPS);
		def->origin = MAP_STRUCT_OPS;
		def->type = MAP_TYPE_STRUCT_OPS_NUMBER;
		def->key_size = 4;
		def->value_size = (u32)size;
		def->max_entries = 1;
		def->btf_value_id = var.type;
		struct bytes data = bytes_slice(sec->data, sym->value, (u64)size);
		if (!data.data)
			continue;
		def->data = arena_memdup(&r->obj->arena, data.data, data.len);
		if (!def->data)
			return fail(diag, NO_MEMORY, NO_PC);
	}
	return 0;
}

static const char *const struct_ops_sections[] = {
	".struct_ops",
	".struct_ops.link",
	"?.struct_ops",
	"?.struct_ops.link",
};

static int read_all_struct_ops(struct reader *r, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(struct_ops_sections) && !err; i++)
		err = read_struct_ops(r, struct_ops_sections[i], diag);
	return err;
}

int read_declared_maps(struct reader *r, struct skep_diag *diag)
{
	const struct elf_section *sec = elf_find_section(&r->elf, ".maps");
	u32 id = find_datasec(r, ".maps");

	if (!sec)
		return read_all_struct_ops(r, diag);
	if (!id)
		return fail(diag, NO_MAP_TYPES, NO_PC);
	struct btf_type datasec = btf_type(r->obj->btf, id);

	for (u32 i = 0; i < datasec.vlen; i++) {
		int err = read_declaration(r, (u32)(sec - r->elf.sections),
					   btf_secvar(&datasec, i).type, diag);
		if (err)
			return err;
	}
	return read_all_struct_ops(r, diag);
}

/* ---- the initial contents of slots ---- */

/* Offset of the member `values` in the type of a declared map, or -1; the functions of
 * struct_ops are anywhere in the value. */
static s64 values_offset(const struct reader *r, const struct map_def *def)
{
	const struct btf *btf = r->obj->btf;

	if (def->origin == MAP_STRUCT_OPS)
		return 0;
	u32 var = btf_find(btf, def->name, BTF_VAR);
	struct btf_type t = btf_type(btf, btf_resolve(btf, btf_type(btf, var).type));

	if (t.kind != BTF_STRUCT)
		return -1;
	int i = btf_find_member(btf, &t, "values");

	return i < 0 ? -1 : (s64)(btf_member(btf, &t, (u32)i).bit_offset / 8);
}

static int add_slot(struct reader *r, struct vec *slots, const struct elf_reloc *rel,
		    struct skep_diag *diag)
{
	const struct elf_symbol *sym = &r->elf.symbols[rel->symbol];
	s32 map_index = map_at(r, sym->section, sym->value);
	bool is_func = func_at(r, sym->section, sym->value / INSN_SIZE) >= 0;
	struct map_slot *slot = vec_push(slots);

	if (!slot)
		return fail(diag, NO_MEMORY, NO_PC);
	if (map_index < 0 && !is_func)
		return bad(diag, symbol_name(r, sym), "is no map and no program");
	slot->name = map_index >= 0 ? reader_map(r, (u32)map_index)->name : sym->name;
	return 0;
}

/* The relocations from *k on that lie in one map; moves *k behind them. */
static int read_slots_of(struct reader *r, u32 map, const struct elf_reloc *rels, u32 n,
			 u32 *k, struct skep_diag *diag)
{
	struct map_def *def = reader_map(r, map);
	const struct map_place *place = vec_at(&r->places, map);
	struct vec slots = VEC_INIT(struct map_slot);
	s64 values = values_offset(r, def);
	int err = 0;

	for (; *k < n && !err; ++*k) {
		u64 off = rels[*k].offset - place->offset;
		u64 at = off - (u64)values;

		if (map_at(r, place->section, rels[*k].offset) != (s32)map)
			break;
		if (values < 0 || off < (u64)values || at % PTR_SIZE)
			err = bad(diag, "its declaration",
				  "has contents that are no slots");
		else
			err = add_slot(r, &slots, &rels[*k], diag);
		if (!err)
			((struct map_slot *)vec_at(&slots, slots.len - 1))->index =
				(u32)(at / PTR_SIZE);
	}
	def->n_slots = (u32)slots.len;
	def->slots =
		arena_memdup(&r->obj->arena, slots.data, slots.len * sizeof(*def->slots));
	vec_fini(&slots);
	if (!err && !def->slots)
		err = fail(diag, NO_MEMORY, NO_PC);
	return diag_in(diag, err, "map %s", def->name);
}

static int read_section_slots(struct reader *r, const char *name, struct skep_diag *diag)
{
	const struct elf_section *sec = elf_find_section(&r->elf, name);
	u32 section = sec ? (u32)(sec - r->elf.sections) : 0, n;
	struct elf_reloc *rels;

	if (!sec)
		return 0;
	int err = elf_read_relocs(&r->elf, section, &r->obj->arena, &rels, &n, diag);
	for (u32 k = 0; k < n && !err;) {
		s32 map = map_at(r, section, rels[k].offset);

		if (map < 0)
			return diag_in(
				diag,
				fail(diag, BAD_RELOC, NO_PC,
				     symbol_name(r, &r->elf.symbols[rels[k].symbol]),
				     "is in no map"),
				"section %s", name);
		err = read_slots_of(r, (u32)map, rels, n, &k, diag);
	}
	return err;
}

int read_map_slots(struct reader *r, struct skep_diag *diag)
{
	int err = read_section_slots(r, ".maps", diag);

	for (u32 i = 0; i < ARRAY_SIZE(struct_ops_sections) && !err; i++)
		err = read_section_slots(r, struct_ops_sections[i], diag);
	return err;
}
