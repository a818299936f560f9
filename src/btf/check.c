/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this BTF what it claims to be?
 *
 * First each type by itself, so that its fields can be used; then how types are nested:
 * nothing may contain itself, neither in memory (a struct in itself) nor in writing (a
 * pointer to itself without a name between).  Layout is not judged: kernels carry structs
 * whose members overlap or stick out, and printing values checks bounds by itself.  Nor
 * is the size of arrays, which is below 4 GiB in Linux: __uint(name, n) is a pointer to n
 * integers, n may be any number, and where Linux does not take the types loaders go on
 * without.  Kernel documentation: bpf/btf.rst, section 2.2.
 */
#include "base/diag.h"
#include "btf/read.h"

/* What is wrong with a name, or NULL. */
static const char *check_name(const struct btf *btf, u32 off)
{
	if (off >= btf->end_string)
		return "its name, or that of one of its parts, lies outside the strings";
	if (btf->long_strings &&
	    strnlen(btf_string(btf, off), BTF_NAME_MAX) == BTF_NAME_MAX)
		return "its name, or that of one of its parts, is too long";
	return NULL;
}

static u32 word(const struct btf_type *t, u32 i)
{
	return load_u32_of(t->data + 4 * (size_t)i, t->big_endian);
}

/* Something that a variable can have as its type, or void. */
static bool is_c_type(const struct btf *btf, u32 id)
{
	if (id >= btf->count)
		return false;
	enum btf_kind kind = btf_kind_of(btf, id);
	return kind != BTF_FUNC && kind != BTF_VAR && kind != BTF_DATASEC &&
	       kind != BTF_DECL_TAG;
}

static const char *check_int(const struct btf_type *t)
{
	struct btf_int i = btf_int(t);

	if (!t->size || t->size > 16)
		return "an integer has 1 to 16 bytes";
	if (!i.bits || (u32)i.bits + i.bit_offset > 8 * t->size)
		return "the integer's bits lie outside its bytes";
	return NULL;
}

static const char *check_enum(const struct btf *btf, const struct btf_type *t)
{
	u32 words = t->kind == BTF_ENUM64 ? 3 : 2;

	if (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8)
		return "an enum has 1, 2, 4 or 8 bytes";
	for (u32 i = 0; i < t->vlen; i++) {
		const char *wrong = check_name(btf, word(t, words * i));

		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *check_members(const struct btf *btf, const struct btf_type *t)
{
	for (u32 i = 0; i < t->vlen; i++) {
		const char *wrong = check_name(btf, word(t, 3 * i));

		if (wrong)
			return wrong;
		if (!is_c_type(btf, word(t, 3 * i + 1)))
			return "a member's type is none";
	}
	return NULL;
}

static const char *check_params(const struct btf *btf, const struct btf_type *t)
{
	if (!is_c_type(btf, t->type))
		return "what it returns is no type";
	for (u32 i = 0; i < t->vlen; i++) {
		const char *wrong = check_name(btf, word(t, 2 * i));

		if (wrong)
			return wrong;
		if (!is_c_type(btf, word(t, 2 * i + 1)))
			return "a parameter's type is none";
	}
	return NULL;
}

static const char *check_vars(const struct btf *btf, const struct btf_type *t)
{
	for (u32 i = 0; i < t->vlen; i++) {
		enum btf_kind kind = btf_kind_of(btf, btf_secvar(t, i).type);

		if (kind != BTF_VAR && kind != BTF_FUNC)
			return "something in the section is neither variable nor "
			       "function";
	}
	return NULL;
}

/* How many members or parameters the type has that a tag can be about. */
static u32 components(const struct btf *btf, const struct btf_type *t)
{
	if (t->kind == BTF_STRUCT || t->kind == BTF_UNION)
		return t->vlen;
	if (t->kind != BTF_FUNC)
		return 0;
	struct btf_type proto = btf_bare_type(btf, t->type);
	return proto.kind == BTF_FUNC_PROTO ? proto.vlen : 0;
}

static const char *check_tag(const struct btf *btf, const struct btf_type *t)
{
	struct btf_type on = btf_type(btf, t->type);
	s32 component = btf_component(t);

	if (on.kind != BTF_STRUCT && on.kind != BTF_UNION && on.kind != BTF_FUNC &&
	    on.kind != BTF_VAR && on.kind != BTF_TYPEDEF)
		return "the tag is on nothing that can have one";
	if (component < -1 || (component >= 0 && (u32)component >= components(btf, &on)))
		return "the tag is on a member or parameter that does not exist";
	return NULL;
}

static const char *check_array(const struct btf *btf, const struct btf_type *t)
{
	struct btf_array a = btf_array(t);

	if (!is_c_type(btf, a.type) || !is_c_type(btf, a.index_type))
		return "the array's element or index type is none";
	return NULL;
}

static const char *check_kind(const struct btf *btf, const struct btf_type *t)
{
	switch (t->kind) {
	case BTF_INT: return check_int(t);
	case BTF_ARRAY: return check_array(btf, t);
	case BTF_STRUCT:
	case BTF_UNION: return check_members(btf, t);
	case BTF_ENUM:
	case BTF_ENUM64: return check_enum(btf, t);
	case BTF_FUNC_PROTO: return check_params(btf, t);
	case BTF_DATASEC: return check_vars(btf, t);
	case BTF_DECL_TAG: return check_tag(btf, t);
	case BTF_PTR:
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
		return is_c_type(btf, t->type) ? NULL : "what it refers to is no type";
	case BTF_FUNC:
		if (btf_kind_of(btf, t->type) != BTF_FUNC_PROTO)
			return "the function has no prototype";
		return t->vlen > BTF_EXTERN ? "the function's linkage is unknown" : NULL;
	case BTF_VAR:
		if (!is_c_type(btf, t->type))
			return "the variable's type is none";
		return word(t, 0) > BTF_EXTERN ? "the variable's linkage is unknown"
					       : NULL;
	case BTF_FLOAT:
		return t->size && t->size <= 16 ? NULL : "a float has 1 to 16 bytes";
	case BTF_FWD:
	case BTF_VOID:
	case BTF_KINDS: break;
	}
	return NULL;
}

static bool needs_name(enum btf_kind kind)
{
	return kind == BTF_TYPEDEF || kind == BTF_VAR || kind == BTF_DATASEC ||
	       kind == BTF_FUNC || kind == BTF_DECL_TAG || kind == BTF_TYPE_TAG;
}

int btf_check_type(const struct btf *btf, u32 id, struct skep_diag *diag)
{
	u32 name = btf_name_offset(btf, id);
	struct btf_type t;

	btf_decode(btf, id, &t);
	const struct kind_info *info = btf_kind_info(t.kind);
	const char *wrong = check_name(btf, name);

	if (wrong)
		return fail(diag, BTF_TYPE, NO_PC, id, wrong);
	if (t.kind_flag && !info->flag)
		wrong = "it has a kind_flag that nobody knows";
	else if (t.vlen && !info->each && t.kind != BTF_FUNC)
		wrong = "it has a vlen that nobody knows";
	else if (info->third == THIRD_NONE && t.size)
		wrong = "it has a size that nobody knows";
	else if (needs_name(t.kind) && !*btf_string(btf, name))
		wrong = "it has no name";
	else
		wrong = check_kind(btf, &t);
	return wrong ? fail(diag, BTF_TYPE, NO_PC, id, wrong) : 0;
}

/* ---- nesting ---- */

/* What a type contains by value, or what its spelling goes through. */
enum walk { BY_VALUE, BY_SPELLING };
enum { ON_STACK = 0xff, NO_EDGE = UINT32_MAX };

struct frame {
	struct btf_type t;
	u32 edge;
	u32 deepest; /* of the edges done */
	u32 align;
	bool packed;
};

/* Has it edges in this walk?  Most types have not, and need no frame. */
static bool leads_on(enum btf_kind kind, enum walk walk)
{
	switch (kind) {
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
	case BTF_ARRAY: return true;
	case BTF_STRUCT:
	case BTF_UNION: return walk == BY_VALUE;
	case BTF_PTR:
	case BTF_FUNC_PROTO: return walk == BY_SPELLING;
	case BTF_VOID:
	case BTF_INT:
	case BTF_ENUM:
	case BTF_FWD:
	case BTF_FUNC:
	case BTF_VAR:
	case BTF_DATASEC:
	case BTF_FLOAT:
	case BTF_DECL_TAG:
	case BTF_ENUM64:
	case BTF_KINDS: break;
	}
	return false;
}

/* The i'th type that t leads to, or NO_EDGE after the last; t leads on. */
static u32 edge(const struct btf_type *t, u32 i)
{
	if (t->kind == BTF_STRUCT || t->kind == BTF_UNION)
		return i < t->vlen ? word(t, 3 * i + 1) : NO_EDGE;
	if (t->kind == BTF_FUNC_PROTO && i)
		return i <= t->vlen ? word(t, 2 * (i - 1) + 1) : NO_EDGE;
	if (i)
		return NO_EDGE;
	return t->kind == BTF_ARRAY ? btf_array(t).type : t->type;
}

static u8 largest_power(u32 n, u32 most)
{
	u8 p = 1;

	while (p < most && 2 * p <= n)
		p *= 2;
	return p;
}

/* Of a type that contains no other. */
static u8 scalar_align(const struct btf *btf, u32 id)
{
	enum btf_kind kind = btf_kind_of(btf, id);

	if (kind == BTF_PTR)
		return btf->pointer_size;
	if (kind != BTF_INT && kind != BTF_ENUM && kind != BTF_ENUM64 &&
	    kind != BTF_FLOAT)
		return 1;
	return largest_power(btf_bare_type(btf, id).size, 2 * btf->pointer_size);
}

/* One more contained type: a member that is not aligned makes its struct a packed one. */
static void contain(const struct btf *btf, struct frame *f, u32 id)
{
	u32 align = btf_align_of(btf, id);

	if (align > f->align)
		f->align = align;
	if (f->t.kind != BTF_STRUCT && f->t.kind != BTF_UNION)
		return;
	u32 place = word(&f->t, 3 * f->edge + 2);
	if (f->t.kind_flag ? !(place >> 24) && (place & 0xffffff) % (8 * align)
			   : place % (8 * align))
		f->packed = true;
}

static u8 finished_align(const struct frame *f)
{
	bool composite = f->t.kind == BTF_STRUCT || f->t.kind == BTF_UNION;

	if (composite && (f->packed || f->t.size % f->align))
		return 1;
	return (u8)f->align;
}

struct walker {
	struct btf *btf;
	enum walk walk;
	u8 *state; /* by id - first: 0 not seen, ON_STACK, or its depth */
	struct frame stack[BTF_MAX_DEPTH];
	u32 n;
};

static u32 depth_of(const struct walker *w, u32 id)
{
	const struct btf *btf = w->btf;

	if (!id)
		return 0;
	while (id < btf->first)
		btf = btf->base;
	return (w->walk == BY_VALUE ? btf->depth : btf->spelling)[id - btf->first];
}

/* What leads nowhere is done at once: most types. */
static void finish_leaves(struct walker *w)
{
	struct btf *btf = w->btf;

	for (u32 i = 0; i < btf->count - btf->first; i++) {
		if (leads_on(btf->kinds[i], w->walk))
			continue;
		w->state[i] = 1;
		if (w->walk == BY_VALUE)
			btf->align[i] = scalar_align(btf, btf->first + i);
	}
}

static void enter(struct walker *w, u32 id)
{
	struct frame *f = &w->stack[w->n++];

	btf_decode(w->btf, id, &f->t);
	f->edge = f->deepest = 0;
	f->align = 1;
	f->packed = false;
	w->state[id - w->btf->first] = ON_STACK;
}

static int pop(struct walker *w, struct skep_diag *diag)
{
	struct frame *f = &w->stack[--w->n];
	u32 i = f->t.id - w->btf->first;

	if (f->deepest >= BTF_MAX_DEPTH)
		return fail(diag, BTF_DEPTH, NO_PC, f->t.id, BTF_MAX_DEPTH);
	w->state[i] = (u8)(f->deepest + 1);
	if (w->walk == BY_VALUE)
		w->btf->align[i] = finished_align(f);
	return 0;
}

/* Follows the edges of the type on top of the stack to one that is not done yet, or
 * finishes it. */
static int step(struct walker *w, struct skep_diag *diag)
{
	struct frame *f = &w->stack[w->n - 1];
	u32 to;

	for (; (to = edge(&f->t, f->edge)) != NO_EDGE; f->edge++) {
		u32 depth = depth_of(w, to);

		if (depth == ON_STACK)
			return fail(diag, BTF_CYCLE, NO_PC, to);
		if (to && !depth) {
			if (w->n == BTF_MAX_DEPTH)
				return fail(diag, BTF_DEPTH, NO_PC, to, BTF_MAX_DEPTH);
			enter(w, to);
			return 0;
		}
		if (depth > f->deepest)
			f->deepest = depth;
		if (w->walk == BY_VALUE)
			contain(w->btf, f, to);
	}
	return pop(w, diag);
}

static int walk_all(struct btf *btf, enum walk walk, struct skep_diag *diag)
{
	struct walker w = {.btf = btf, .walk = walk};

	w.state = walk == BY_VALUE ? btf->depth : btf->spelling;
	finish_leaves(&w);
	for (u32 id = btf->first; id < btf->count; id++) {
		if (!w.state[id - btf->first])
			enter(&w, id);
		while (w.n) {
			int err = step(&w, diag);

			if (err)
				return err;
		}
	}
	return 0;
}

int btf_check_nesting(struct btf *btf, struct skep_diag *diag)
{
	int err = walk_all(btf, BY_VALUE, diag);

	return err ? err : walk_all(btf, BY_SPELLING, diag);
}
