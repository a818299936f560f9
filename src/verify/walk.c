/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks through structs: what is at an offset, and is a pointer into one struct a pointer
 * to another one that starts there?
 *
 * A walk goes down member by member; each step is one struct.  Flexible arrays at the
 * end, unions and arrays are walked like the kernel does.  Never does: look at registers.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
#include "verify/record.h"

enum miss {
	MISS_NONE,
	MISS_NO_STRUCT,
	MISS_BEYOND,
	MISS_POINTER_PART,
	MISS_MEMBER_END,
	MISS_HOLE
};

/* Where in which struct, while a walk goes down. */
struct at {
	u32 id;
	u32 off;
	enum miss miss; /* out: why it cannot go on */
	bool inside;    /* an element of a flexible array: no type of its own for
			   types_match() */
	const char *member;
};

/* What a member is, arrays of any dimensions taken apart. */
struct shape {
	u32 id; /* of the type; of arrays: of an element as the array has it */
	struct btf_type type; /* of that, without modifiers */
	u32 size;             /* of all of it */
	u32 n;                /* elements */
	bool array;
};

static bool is_record(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

static bool shape_of(const struct btf *btf, u32 id, struct shape *shape)
{
	u64 size, n = 1;

	*shape = (struct shape){.id = id};
	for (u32 depth = 0; depth < BTF_MAX_DEPTH; depth++) {
		shape->type = btf_type(btf, id);
		if (shape->type.kind != BTF_ARRAY) {
			if (shape->type.kind != BTF_TYPEDEF &&
			    btf_skip_modifiers(btf, id) == id)
				break;
			id = shape->type.type;
			shape->id = shape->array ? shape->id : id;
			continue;
		}
		struct btf_array array = btf_array(&shape->type);
		shape->array = true;
		n *= array.nelems;
		if (n > ~0u)
			return false;
		id = shape->id = array.type;
	}
	if (shape->type.kind == BTF_PTR)
		size = 8;
	else if (is_record(shape->type.kind) || shape->type.kind == BTF_INT ||
		 shape->type.kind == BTF_ENUM || shape->type.kind == BTF_ENUM64 ||
		 shape->type.kind == BTF_FLOAT)
		size = shape->type.size;
	else
		return false;
	if (size * n > ~0u)
		return false;
	shape->size = (u32)(size * n);
	shape->n = (u32)n;
	return true;
}

/* off is behind the struct t: does a flexible array at its end have it?  Then the walk
 * goes on in an element. */
static enum walk_result walk_flexible(const struct walk *w, const struct btf_type *t,
				      struct at *at)
{
	at->miss = MISS_BEYOND;
	if (w->sized || !t->vlen)
		return WALK_REFUSED;
	struct btf_member m = btf_member(w->btf, t, t->vlen - 1);
	struct btf_type last = btf_type(w->btf, btf_resolve(w->btf, m.type));
	if (last.kind != BTF_ARRAY || btf_array(&last).nelems ||
	    at->off < m.bit_offset / 8)
		return WALK_REFUSED;
	u32 id = btf_resolve(w->btf, btf_array(&last).type);
	struct btf_type elem = btf_type(w->btf, id);
	if (elem.kind == BTF_INT)
		return WALK_SCALAR;
	if (!is_record(elem.kind) || !elem.size)
		return WALK_REFUSED;
	at->id = id;
	at->off = (at->off - m.bit_offset / 8) % elem.size;
	at->inside = true;
	at->miss = MISS_NONE;
	return WALK_STRUCT;
}

static u32 tag_flags(const struct btf *btf, u32 pointee)
{
	struct btf_type t = btf_type(btf, pointee);

	if (t.kind != BTF_TYPE_TAG || t.kind_flag)
		return 0;
	if (!strcmp(t.name, "user"))
		return USER;
	if (!strcmp(t.name, "percpu"))
		return PERCPU;
	return !strcmp(t.name, "rcu") ? RCU : 0;
}

/* The walk ends in this member, a pointer, at moff. */
static enum walk_result walk_pointer(struct walk *w, const struct shape *shape,
				     struct at *at, u32 moff)
{
	u32 pointee = btf_resolve(w->btf, shape->type.type);

	if (w->size != 8 || at->off != moff) {
		at->miss = MISS_POINTER_PART;
		return WALK_REFUSED;
	}
	if (!is_record(btf_kind(w->btf, pointee)))
		return WALK_MEM;
	w->flags |= tag_flags(w->btf, shape->type.type);
	w->member = at->member;
	at->id = pointee;
	return WALK_PTR;
}

/* Bit fields are read as a whole or not at all. */
static bool holds_bits(const struct walk *w, const struct at *at,
		       const struct btf_member *m)
{
	u32 end = (m->bit_offset + m->bit_size + 7) / 8;

	return at->off <= m->bit_offset / 8 && end <= at->off + w->size;
}

/* In the member at moff, which has at->off.  WALK_STRUCT with at->off != 0: go on there.
 */
static enum walk_result walk_member(struct walk *w, struct shape *shape, struct at *at,
				    u32 moff)
{
	u32 end = moff + shape->size;

	if (shape->array) {
		u32 size = shape->size / shape->n;

		moff += (at->off - moff) / size * size;
	}
	if (is_record(shape->type.kind)) {
		at->id = shape->id;
		at->off -= moff;
		return WALK_STRUCT;
	}
	if (shape->type.kind == BTF_PTR)
		return walk_pointer(w, shape, at, moff);
	if (at->off + w->size > end && !(w->flags & UNTRUSTED)) {
		at->miss = MISS_MEMBER_END;
		return WALK_REFUSED;
	}
	return WALK_SCALAR;
}

/* One struct down. */
static enum walk_result step(struct walk *w, struct at *at)
{
	u32 id = btf_resolve(w->btf, at->id);
	struct btf_type t = btf_type(w->btf, id);
	struct shape shape;

	at->inside = false;
	at->miss = is_record(t.kind) ? MISS_HOLE : MISS_NO_STRUCT;
	at->id = id;
	if (at->miss == MISS_NO_STRUCT)
		return WALK_REFUSED;
	/* Any member of a union may be the one that was not written. */
	if (t.kind == BTF_UNION && t.vlen != 1)
		w->flags |= w->of_union;
	if ((u64)at->off + w->size > t.size)
		return walk_flexible(w, &t, at);
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(w->btf, &t, i);
		u32 moff = m.bit_offset / 8;

		if (at->off + w->size <= moff)
			break;
		if (m.bit_size) {
			if (holds_bits(w, at, &m))
				return WALK_SCALAR;
			continue;
		}
		if (at->off < moff || !shape_of(w->btf, m.type, &shape))
			break;
		if (at->off >= moff + shape.size)
			continue;
		at->member = m.name;
		return walk_member(w, &shape, at, moff);
	}
	return WALK_REFUSED;
}

static int refuse_walk(struct env *env, const struct walk *w, const struct at *at)
{
	const char *name = btf_name(w->btf, at->id);

	switch (at->miss) {
	case MISS_NONE:
	case MISS_NO_STRUCT: break;
	case MISS_BEYOND: return reject(env, STRUCT_BEYOND, w->size, at->off, name);
	case MISS_POINTER_PART:
		return reject(env, STRUCT_POINTER_PART, at->member, name, w->size,
			      at->off);
	case MISS_MEMBER_END:
		return reject(env, STRUCT_MEMBER_END, w->size, at->off, at->member, name);
	case MISS_HOLE: return reject(env, STRUCT_HOLE, name, at->off);
	}
	return reject(env, STRUCT_IS_NONE, name);
}

enum walk_result walk_struct(struct env *env, struct walk *w)
{
	struct at at = {.id = w->btf_id, .off = (u32)w->off};
	enum walk_result result;

	assert(w->off >= 0);
	w->member = NULL;
	w->flags = 0;
	w->of_union = env->rules->unions_untrusted ? UNTRUSTED : 0;
	/* Ends: types do not contain themselves, and elements of flexible arrays are
	 * smaller than what they are in, or other types. */
	for (u32 depth = 0; depth < 2 * BTF_MAX_DEPTH; depth++) {
		result = step(w, &at);
		if (result == WALK_STRUCT)
			continue;
		if (result == WALK_REFUSED)
			refuse_walk(env, w, &at);
		w->btf_id = at.id;
		return result;
	}
	refuse_walk(env, w, &at);
	return WALK_REFUSED;
}

/* ---- comparing types ---- */

static bool same_type(const struct btf *btf, u32 id, const struct btf *other_btf,
		      u32 other)
{
	/* Types of vmlinux are in the BTF of modules, too: the same bytes. */
	return id == other && (btf == other_btf ||
			       btf_type(btf, id).data == btf_type(other_btf, other).data);
}

bool types_match(struct env *env, const struct btf *btf, u32 id, s32 off,
		 const struct btf *need_btf, u32 need_id, bool strict)
{
	struct walk w = {.btf = btf, .size = 1};
	struct at at = {.id = id, .off = (u32)off};

	(void)env;
	if (!off && same_type(btf, id, need_btf, need_id))
		return true;
	if (strict || off < 0)
		return false;
	for (u32 depth = 0; depth < 2 * BTF_MAX_DEPTH; depth++) {
		if (step(&w, &at) != WALK_STRUCT)
			return false;
		if (!at.off && !at.inside && same_type(btf, at.id, need_btf, need_id))
			return true;
	}
	return false;
}

/* ---- what the kernel promises ---- */

/* The kernel says it by structs that have the promised members only:
 * "file__safe_trusted". */
bool member_has_trust(const struct btf *btf, u32 id, const struct walk *member,
		      enum member_trust trust)
{
	static const char *const suffixes[] = {
		[MEMBER_RCU] = "__safe_rcu",
		[MEMBER_RCU_OR_NULL] = "__safe_rcu_or_null",
		[MEMBER_TRUSTED] = "__safe_trusted",
		[MEMBER_TRUSTED_OR_NULL] = "__safe_trusted_or_null",
	};
	struct btf_type t = btf_type(btf, id);
	char name[64];

	if (!member->member || snprintf(name, sizeof(name), "%s%s", t.name,
					suffixes[trust]) >= (int)sizeof(name))
		return false;
	u32 safe = btf_find(btf, name, t.kind);
	if (!safe)
		return false;
	t = btf_type(btf, safe);
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(btf, &t, i);
		struct btf_type pointer = btf_type(btf, m.type);

		if (pointer.kind == BTF_PTR && !strcmp(m.name, member->member) &&
		    btf_resolve(btf, pointer.type) == member->btf_id)
			return true;
	}
	return false;
}

/* ---- contexts ---- */

const char *ctx_struct_name(u32 prog_type)
{
	switch (prog_type) {
	case PROG_TYPE_KPROBE: return "bpf_user_pt_regs_t";
	case PROG_TYPE_PERF_EVENT: return "bpf_perf_event_data";
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE: return "bpf_raw_tracepoint_args";
	default: break;
	}
	const struct abi_ctx *ctx = abi_ctx(prog_type);
	return ctx ? ctx->name : NULL;
}
