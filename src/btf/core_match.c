/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When is a type of the target the one that the program means?
 *
 * Three relations, from loose to strict: fields are compatible (what a member may have
 * become and still be read the same way), types are compatible (what "the type exists"
 * means), types match (what "the type matches" means: all that the program knows of it is
 * still so).  Names are compared without their flavours.  Never decides between
 * candidates.  Every comparison costs a step, and the steps are limited.
 * Kernel documentation: bpf/llvm_reloc.rst, "CO-RE Relocations".
 */
#include <errno.h>

#include "btf/core_spec.h"

static bool spend(struct core_match *m)
{
	if (!m->steps_left)
		return false;
	m->steps_left--;
	return true;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = btf_essential_len(a);

	return len == btf_essential_len(b) && !memcmp(a, b, len);
}

static bool is_composite(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

static bool is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

static bool same_kind(enum btf_kind a, enum btf_kind b)
{
	return a == b || (is_enum(a) && is_enum(b));
}

/* Integers that are bit fields by themselves, an encoding that compilers gave up. */
static bool no_bit_offset(const struct btf_type *a, const struct btf_type *b)
{
	return !btf_int(a).bit_offset && !btf_int(b).bit_offset;
}

static bool anonymous_or_same(const char *a, const char *b)
{
	return !*a || !*b || same_name(a, b);
}

/* Both sides without modifiers and typedefs. */
static void resolve_both(const struct core_match *m, u32 ids[2], struct btf_type t[2])
{
	t[0] = btf_type(m->local, btf_resolve(m->local, ids[0]));
	t[1] = btf_type(m->target, btf_resolve(m->target, ids[1]));
}

static bool fields_compatible(const struct core_match *m, u32 local_id, u32 target_id)
{
	u32 ids[2] = {local_id, target_id};
	struct btf_type t[2];

	for (;;) {
		resolve_both(m, ids, t);
		if (is_composite(t[0].kind) && is_composite(t[1].kind))
			return true;
		if (!same_kind(t[0].kind, t[1].kind))
			return false;
		if (t[0].kind == BTF_PTR || t[0].kind == BTF_FLOAT)
			return true;
		if (t[0].kind == BTF_FWD || is_enum(t[0].kind))
			return anonymous_or_same(t[0].name, t[1].name);
		if (t[0].kind == BTF_INT)
			return no_bit_offset(&t[0], &t[1]);
		if (t[0].kind != BTF_ARRAY)
			return false;
		ids[0] = btf_array(&t[0]).type;
		ids[1] = btf_array(&t[1]).type;
	}
}

/* ---- types are compatible ---- */

static int types_compatible(struct core_match *m, u32 local_id, u32 target_id, int level);

static int protos_compatible(struct core_match *m, const struct btf_type t[2], int level)
{
	if (t[0].vlen != t[1].vlen)
		return 0;
	for (u32 i = 0; i < t[0].vlen; i++) {
		int yes = types_compatible(m, btf_param(m->local, &t[0], i).type,
					   btf_param(m->target, &t[1], i).type, level);
		if (yes <= 0)
			return yes;
	}
	return types_compatible(m, t[0].type, t[1].type, level);
}

static int types_compatible(struct core_match *m, u32 local_id, u32 target_id, int level)
{
	u32 ids[2] = {local_id, target_id};
	struct btf_type t[2];

	resolve_both(m, ids, t);
	if (!spend(m) || !level)
		return -E2BIG;
	if (!same_kind(t[0].kind, t[1].kind))
		return 0;
	switch (t[0].kind) {
	case BTF_VOID:
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD: return 1;
	case BTF_INT: return no_bit_offset(&t[0], &t[1]);
	case BTF_PTR: return types_compatible(m, t[0].type, t[1].type, level - 1);
	case BTF_ARRAY:
		return types_compatible(m, btf_array(&t[0]).type, btf_array(&t[1]).type,
					level - 1);
	case BTF_FUNC_PROTO: return protos_compatible(m, t, level - 1);
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_VAR:
	case BTF_DATASEC:
	case BTF_FLOAT:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG:
	case BTF_KINDS: break;
	}
	return 0;
}

/* ---- types match ---- */

/* Where in a match we are. */
struct place {
	bool behind_pointer; /* there, composites match by name and kind alone */
	int level;
};

static int types_match(struct core_match *m, u32 local_id, u32 target_id, struct place p);

/* Every enumerator that the program knows is there; its value may be another. */
static int enums_match(struct core_match *m, const struct btf_type t[2])
{
	if (!is_enum(t[1].kind) || t[0].size != t[1].size || t[0].vlen > t[1].vlen)
		return 0;
	for (u32 i = 0; i < t[0].vlen; i++) {
		const char *name = btf_enumerator(m->local, &t[0], i).name;
		bool found = false;

		for (u32 k = 0; !found && k < t[1].vlen; k++) {
			if (!spend(m))
				return -E2BIG;
			found = same_name(name, btf_enumerator(m->target, &t[1], k).name);
		}
		if (!found)
			return 0;
	}
	return 1;
}

/* Has the target's type a member like this one? */
static int member_matches(struct core_match *m, const struct btf_member *local,
			  const struct btf_type *target, struct place p)
{
	for (u32 i = 0; i < target->vlen; i++) {
		struct btf_member other = btf_member(m->target, target, i);

		if (!spend(m))
			return -E2BIG;
		if (!same_name(local->name, other.name))
			continue;
		int yes = types_match(m, local->type, other.type, p);
		if (yes)
			return yes;
	}
	return 0;
}

static int composites_match(struct core_match *m, const struct btf_type t[2],
			    struct place p)
{
	if (t[0].vlen > t[1].vlen)
		return 0;
	for (u32 i = 0; i < t[0].vlen; i++) {
		struct btf_member member = btf_member(m->local, &t[0], i);
		int yes = member_matches(m, &member, &t[1], p);

		if (yes <= 0)
			return yes;
	}
	return 1;
}

/* A struct, a union or a forward declaration of one, of which nothing but the kind is
 * known: is it a union? */
static bool is_union(const struct btf_type *t)
{
	return t->kind == BTF_UNION || (t->kind == BTF_FWD && t->kind_flag);
}

static int declarations_match(struct core_match *m, const struct btf_type t[2],
			      struct place p)
{
	if (p.behind_pointer)
		return (is_composite(t[1].kind) || t[1].kind == BTF_FWD) &&
		       is_union(&t[0]) == is_union(&t[1]);
	if (t[0].kind != t[1].kind)
		return 0;
	if (t[0].kind == BTF_FWD)
		return t[0].kind_flag == t[1].kind_flag;
	p.level--;
	return composites_match(m, t, p);
}

static int protos_match(struct core_match *m, const struct btf_type t[2], struct place p)
{
	if (t[1].kind != BTF_FUNC_PROTO || t[0].vlen != t[1].vlen)
		return 0;
	p.level--;
	for (u32 i = 0; i < t[0].vlen; i++) {
		int yes = types_match(m, btf_param(m->local, &t[0], i).type,
				      btf_param(m->target, &t[1], i).type, p);
		if (yes <= 0)
			return yes;
	}
	return types_match(m, t[0].type, t[1].type, p);
}

static int arrays_match(struct core_match *m, const struct btf_type t[2], struct place p)
{
	if (t[1].kind != BTF_ARRAY || btf_array(&t[0]).nelems != btf_array(&t[1]).nelems)
		return 0;
	p.level--;
	return types_match(m, btf_array(&t[0]).type, btf_array(&t[1]).type, p);
}

static int pointers_match(struct core_match *m, const struct btf_type t[2],
			  struct place p)
{
	if (t[1].kind != BTF_PTR)
		return 0;
	p.level--;
	p.behind_pointer = true;
	return types_match(m, t[0].type, t[1].type, p);
}

static bool ints_match(const struct btf_type t[2])
{
	return t[1].kind == BTF_INT && t[0].size == t[1].size &&
	       (btf_int(&t[0]).encoding & BTF_SIGNED) ==
		       (btf_int(&t[1]).encoding & BTF_SIGNED);
}

static int types_match(struct core_match *m, u32 local_id, u32 target_id, struct place p)
{
	u32 ids[2] = {local_id, target_id};
	struct btf_type t[2];

	resolve_both(m, ids, t);
	if (!spend(m) || !p.level)
		return -E2BIG;
	if (!same_name(t[0].name, t[1].name))
		return 0;
	switch (t[0].kind) {
	case BTF_VOID: return t[1].kind == BTF_VOID;
	case BTF_ENUM:
	case BTF_ENUM64: return enums_match(m, t);
	case BTF_FWD:
	case BTF_STRUCT:
	case BTF_UNION: return declarations_match(m, t, p);
	case BTF_INT: return ints_match(t);
	case BTF_PTR: return pointers_match(m, t, p);
	case BTF_ARRAY: return arrays_match(m, t, p);
	case BTF_FUNC_PROTO: return protos_match(m, t, p);
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_VAR:
	case BTF_DATASEC:
	case BTF_FLOAT:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG:
	case BTF_KINDS: break;
	}
	return 0;
}

/* ---- a spec in the target ---- */

/* The member that the program means has that name here: can it be read the same way? */
static int take_member(const struct core_match *m, const struct core_access *local,
		       struct core_spec *out, const struct core_access *found)
{
	struct btf_type here = btf_type(m->target, found->type);
	struct btf_type there = btf_type(m->local, local->type);
	u32 type = btf_member(m->target, &here, found->index).type;

	if (!fields_compatible(m, btf_member(m->local, &there, local->index).type, type))
		return 0;
	out->access[out->n++] = *found;
	return 1;
}

/*
 * The member of that name, also inside of anonymous members.  *id is the type looked
 * into, then that of the member; without success *out is as it was.
 */
static int match_member(struct core_match *m, const struct core_access *local,
			struct core_spec *out, u32 *id)
{
	struct btf_type t = btf_type(m->target, btf_resolve(m->target, *id));
	u64 start = out->bit_offset;

	if (!is_composite(t.kind))
		return 0;
	if (out->depth == CORE_MAX_ACCESS)
		return -E2BIG;
	out->depth++;
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member member = btf_member(m->target, &t, i);
		struct core_access found = {t.id, i, member.name};
		u32 next = member.type;
		int yes = 0;

		if (!spend(m))
			return -E2BIG;
		out->bit_offset = start + member.bit_offset;
		if (!*member.name)
			yes = match_member(m, local, out, &next);
		else if (!strcmp(member.name, local->name))
			yes = take_member(m, local, out, &found);
		if (yes) {
			*id = next;
			return yes;
		}
	}
	out->bit_offset = start;
	out->depth--;
	return 0;
}

static int match_element(struct core_match *m, const struct core_access *local,
			 struct core_spec *out, u32 *id)
{
	struct btf_type t = btf_type(m->target, btf_resolve(m->target, *id));

	if (t.kind != BTF_ARRAY)
		return 0;
	struct btf_array a = btf_array(&t);
	if (local->index >= a.nelems &&
	    !core_is_flexible(m->target, &out->access[out->n - 1], &a))
		return 0;
	if (out->depth == CORE_MAX_ACCESS)
		return -E2BIG;
	*id = btf_resolve(m->target, a.type);
	return core_spec_index(out, *id, local->index);
}

static int match_field(struct core_match *m, const struct core_spec *local,
		       struct core_spec *out)
{
	u32 id = out->root;

	if (!core_spec_index(out, id, local->access[0].index))
		return 0;
	for (u32 i = 1; i < local->n; i++) {
		const struct core_access *a = &local->access[i];
		int yes = a->name ? match_member(m, a, out, &id)
				  : match_element(m, a, out, &id);

		if (yes <= 0)
			return yes;
	}
	return 1;
}

static int match_enumval(struct core_match *m, const struct core_spec *local,
			 struct core_spec *out)
{
	struct btf_type t = btf_type(m->target, btf_resolve(m->target, out->root));

	if (!is_enum(t.kind))
		return 0;
	for (u32 i = 0; i < t.vlen; i++) {
		const char *name = btf_enumerator(m->target, &t, i).name;

		if (!spend(m))
			return -E2BIG;
		if (!same_name(name, local->access[0].name))
			continue;
		out->access[0] = (struct core_access){t.id, i, name};
		out->n = 1;
		return 1;
	}
	return 0;
}

static int match_type(struct core_match *m, const struct core_spec *local,
		      const struct core_spec *out)
{
	struct place here = {false, CORE_MAX_LEVEL};

	if (local->kind == CORE_TYPE_MATCHES)
		return types_match(m, local->root, out->root, here);
	return types_compatible(m, local->root, out->root, CORE_MAX_LEVEL);
}

int core_spec_match(struct core_match *m, const struct core_spec *local, u32 id,
		    struct core_spec *out)
{
	out->btf = m->target;
	out->root = id;
	out->kind = local->kind;
	out->n = out->depth = 0;
	out->bit_offset = 0;
	switch (core_about(local->kind)) {
	case ABOUT_FIELD: return match_field(m, local, out);
	case ABOUT_TYPE: return match_type(m, local, out);
	case ABOUT_ENUMVAL: return match_enumval(m, local, out);
	}
	return 0;
}
