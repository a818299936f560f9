/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All types of a BTF as one C header.
 *
 * A type is written after those that it contains; those that it only points to are
 * declared before it.  What shares a name is told apart by "___2", "___3", which CO-RE
 * takes for flavours of the same name.  Functions and variables are left out.  Never
 * writes a type twice.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/vec.h"
#include "btf/print.h"

enum { MAX_NESTING = 512 };
enum { DECLARED = 1, BUSY = 2, WRITTEN = 4 };

/* How often a name was given out. */
struct used_name {
	const char *name; /* borrowed from the BTF */
	u32 times;
};

/* C has one space of names for struct, union and enum tags, and one for typedefs and
 * enumerators. */
struct name_space {
	struct hash_index index;
	struct vec names; /* struct used_name */
};

struct dump {
	struct printer p;
	struct name_version version;
	struct name_space tags, ordinary;
	u32 *versions; /* owned; by id */
	u8 *state; /* owned; by id: DECLARED | BUSY | WRITTEN (what has no name: what it
		      needs was) */
	u32 seed;
	u32 nesting;
	bool failed, too_deep;
};

/* The how manieth of that name this one is, from 1 on. */
static u32 use_name(struct dump *d, struct name_space *space, const char *name)
{
	u32 hash = hash_bytes(name, strlen(name), d->seed), i;
	size_t cursor = 0;

	while (hash_index_next(&space->index, hash, &cursor, &i)) {
		struct used_name *u = vec_at(&space->names, i);

		if (!strcmp(u->name, name))
			return ++u->times;
	}
	struct used_name *u = vec_push(&space->names);
	if (!u || !hash_index_add(&space->index, hash, (u32)space->names.len - 1)) {
		d->failed = true;
		return 1;
	}
	*u = (struct used_name){name, 1};
	return 1;
}

static u32 version_of_type(void *names, u32 id)
{
	struct dump *d = names;

	return d->versions[id];
}

static u32 version_of_enumerator(void *names, const char *name)
{
	struct dump *d = names;

	return use_name(d, &d->ordinary, name);
}

/* A forward declaration goes by the name of what it declares, where that is there. */
static u32 declared_type(const struct btf *btf, const struct btf_type *t)
{
	return btf_find(btf, t->name, t->kind_flag ? BTF_UNION : BTF_STRUCT);
}

static void name_types(struct dump *d)
{
	const struct btf *btf = d->p.btf;

	for (u32 id = 1; id < btf_count(btf); id++) {
		struct btf_type t = btf_type(btf, id);
		bool tag = t.kind == BTF_STRUCT || t.kind == BTF_UNION ||
			   t.kind == BTF_ENUM || t.kind == BTF_ENUM64 ||
			   (t.kind == BTF_FWD && !declared_type(btf, &t));
		bool integer = (t.kind == BTF_INT || t.kind == BTF_FLOAT) &&
			       !is_c_integer(t.name);

		if (*t.name && tag)
			d->versions[id] = use_name(d, &d->tags, t.name);
		else if (*t.name && (t.kind == BTF_TYPEDEF || integer))
			d->versions[id] = use_name(d, &d->ordinary, t.name);
	}
	for (u32 id = 1; id < btf_count(btf); id++) {
		struct btf_type t = btf_type(btf, id);

		if (t.kind == BTF_FWD && declared_type(btf, &t))
			d->versions[id] = d->versions[declared_type(btf, &t)];
	}
}

/* ---- order ---- */

static void need(struct dump *d, u32 id, bool complete);

static void need_members(struct dump *d, const struct btf_type *t)
{
	for (u32 i = 0; i < t->vlen; i++)
		need(d, btf_member(d->p.btf, t, i).type, true);
}

static void need_parameters(struct dump *d, const struct btf_type *t)
{
	if (d->state[t->id] & WRITTEN)
		return;
	d->state[t->id] |= WRITTEN;
	need(d, t->type, false);
	for (u32 i = 0; i < t->vlen; i++)
		need(d, btf_param(d->p.btf, t, i).type, false);
}

static void write_type(struct dump *d, u32 id)
{
	d->state[id] |= WRITTEN;
	/* What the base has is written where the base is. */
	if (id >= btf_first(d->p.btf))
		print_definition(&d->p, id);
}

/* A struct or a union: as a whole, or, where it is only pointed to, its name. */
static void need_composite(struct dump *d, const struct btf_type *t, bool complete)
{
	u8 *state = &d->state[t->id];

	if (!*t->name) {
		if (!(*state & (BUSY | WRITTEN))) {
			*state |= BUSY;
			need_members(d, t);
			*state = WRITTEN;
		}
		return;
	}
	if (complete && !(*state & (WRITTEN | BUSY))) {
		*state |= BUSY | DECLARED;
		need_members(d, t);
		write_type(d, t->id);
		*state &= ~BUSY;
	} else if (!(*state & DECLARED)) {
		*state |= DECLARED;
		if (t->id >= btf_first(d->p.btf)) {
			print_declaration(&d->p, t->id, "");
			text_puts(d->p.t, ";\n");
		}
	}
}

static void need_typedef(struct dump *d, const struct btf_type *t, bool complete)
{
	u8 *state = &d->state[t->id];

	if (!(*state & (WRITTEN | BUSY))) {
		*state |= BUSY;
		need(d, t->type, false);
		if (is_compilers_own(t))
			*state |= WRITTEN;
		else
			write_type(d, t->id);
		*state &= ~BUSY;
	}
	if (complete)
		need(d, t->type, true);
}

static void need_once(struct dump *d, const struct btf_type *t)
{
	if (*t->name && !(d->state[t->id] & WRITTEN))
		write_type(d, t->id);
}

/* Writes what must stand before a type is used; complete: its size must be known. */
static void need(struct dump *d, u32 id, bool complete)
{
	struct btf_type t = btf_type(d->p.btf, id);

	if (d->nesting == MAX_NESTING || d->p.cut || d->failed) {
		d->too_deep |= d->nesting == MAX_NESTING;
		return;
	}
	d->nesting++;
	switch (t.kind) {
	case BTF_INT:
	case BTF_FLOAT:
	case BTF_ENUM:
	case BTF_ENUM64: need_once(d, &t); break;
	case BTF_FWD:
	case BTF_STRUCT:
	case BTF_UNION: need_composite(d, &t, complete && t.kind != BTF_FWD); break;
	case BTF_TYPEDEF: need_typedef(d, &t, complete); break;
	case BTF_PTR: need(d, t.type, false); break;
	case BTF_ARRAY: need(d, btf_array(&t).type, true); break;
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG: need(d, t.type, complete); break;
	case BTF_FUNC_PROTO: need_parameters(d, &t); break;
	case BTF_VOID:
	case BTF_FUNC:
	case BTF_VAR:
	case BTF_DATASEC:
	case BTF_DECL_TAG:
	case BTF_KINDS: break;
	}
	d->nesting--;
}

static bool is_defined_alone(const struct btf_type *t)
{
	bool is_enum = t->kind == BTF_ENUM || t->kind == BTF_ENUM64;

	return *t->name || (is_enum && t->vlen);
}

static void dump_types(struct dump *d)
{
	const struct btf *btf = d->p.btf;

	for (u32 id = btf_first(btf); id < btf_count(btf) && !d->p.cut; id++) {
		struct btf_type t = btf_type(btf, id);

		if (is_defined_alone(&t))
			need(d, id, true);
	}
}

int btf_dump_c(struct text *t, const struct btf *btf, struct skep_diag *diag)
{
	struct dump d = {.p = printer_of(t, btf, PRINT_MAX_ALL),
			 .seed = (u32)((uintptr_t)&d >> 4)};

	d.tags.names = (struct vec)VEC_INIT(struct used_name);
	d.ordinary.names = (struct vec)VEC_INIT(struct used_name);
	d.version = (struct name_version){version_of_type, version_of_enumerator, &d};
	d.p.version = &d.version;
	d.versions = calloc(btf_count(btf), sizeof(*d.versions));
	d.state = calloc(btf_count(btf), 1);
	d.failed = !d.versions || !d.state;
	if (!d.failed) {
		name_types(&d);
		dump_types(&d);
	}
	free(d.versions);
	free(d.state);
	hash_index_fini(&d.tags.index);
	hash_index_fini(&d.ordinary.index);
	vec_fini(&d.tags.names);
	vec_fini(&d.ordinary.names);
	if (d.failed || text_failed(t))
		return fail(diag, NO_MEMORY, NO_PC);
	if (d.p.cut || d.too_deep)
		return fail(diag, BTF_TOO_LARGE_FOR_C, NO_PC, PRINT_MAX_ALL >> 20);
	return 0;
}
