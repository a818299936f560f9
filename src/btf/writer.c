/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing BTF, and copying types into it.
 *
 * The bytes are appended as they will stand in the section, in the byte order asked for.
 * A copy gives all types that it will need their ids first and writes them in that order,
 * so that types may refer to each other in circles. Never merges equal types.  Kernel
 * documentation: bpf/btf.rst, section 2.
 */
#include "btf/writer.h"

#include <stdlib.h>

#include "base/diag.h"

enum { HEADER_SIZE = 24, MAX_VLEN = 0xffff, MAX_STRINGS = 1 << 24 };

void btf_writer_init(struct btf_writer *w, const struct btf *base, bool big_endian)
{
	*w = (struct btf_writer){.base = base, .big_endian = big_endian};
	w->next_id = base ? btf_count(base) : 1;
	if (!base)
		text_write(&w->strings, "", 1);
}

void btf_writer_fini(struct btf_writer *w)
{
	text_fini(&w->types);
	text_fini(&w->strings);
	hash_index_fini(&w->string_index);
}

static void put_u16(struct text *t, u16 v, bool big_endian)
{
	v = big_endian == host_is_big_endian() ? v : __builtin_bswap16(v);
	text_write(t, &v, sizeof(v));
}

static void put_u32(struct text *t, u32 v, bool big_endian)
{
	v = big_endian == host_is_big_endian() ? v : __builtin_bswap32(v);
	text_write(t, &v, sizeof(v));
}

static void put_word(struct btf_writer *w, u32 v)
{
	put_u32(&w->types, v, w->big_endian);
}

/* Where the strings of this BTF start; those of the base are not used. */
static u32 first_string(const struct btf_writer *w)
{
	return w->base ? btf_strings_len(w->base) : 0;
}

u32 btf_add_string(struct btf_writer *w, const char *s)
{
	if (!s || !*s)
		return 0;
	u32 hash = hash_bytes(s, strlen(s), (u32)((uintptr_t)w >> 4)), off;
	size_t cursor = 0;

	while (hash_index_next(&w->string_index, hash, &cursor, &off)) {
		if (!strcmp(w->strings.s + off, s))
			return first_string(w) + off;
	}
	off = (u32)w->strings.len;
	text_write(&w->strings, s, strlen(s) + 1);
	if (text_failed(&w->strings) || w->strings.len > MAX_STRINGS ||
	    !hash_index_add(&w->string_index, hash, off)) {
		w->failed = true;
		return 0;
	}
	return first_string(w) + off;
}

/* The three words that every type starts with. */
struct head {
	enum btf_kind kind;
	const char *name;
	bool kind_flag;
	u32 vlen;
	u32 third; /* size or type */
};

static u32 add_type(struct btf_writer *w, struct head h)
{
	u32 name = btf_add_string(w, h.name);

	if (w->next_id >= BTF_MAX_IDS || w->failed) {
		w->failed = true;
		return 0;
	}
	put_word(w, name);
	w->vlen_at = w->types.len;
	put_word(w, (u32)h.kind_flag << 31 | (u32)h.kind << 24 | h.vlen);
	put_word(w, h.third);
	return w->next_id++;
}

/* One more part of the last type. */
static bool add_part(struct btf_writer *w)
{
	if (w->failed || text_failed(&w->types) || !w->types.len) {
		w->failed = true;
		return false;
	}
	char *p = w->types.s + w->vlen_at;
	u32 info = load_u32_of(p, w->big_endian);
	if ((info & MAX_VLEN) == MAX_VLEN) {
		w->failed = true;
		return false;
	}
	info++;
	store_u32(p,
		  w->big_endian == host_is_big_endian() ? info : __builtin_bswap32(info));
	return true;
}

u32 btf_add_int(struct btf_writer *w, const char *name, u32 size, u8 encoding)
{
	u32 id = add_type(w, (struct head){BTF_INT, name, .third = size});

	put_word(w, (u32)encoding << 24 | 8 * size);
	return id;
}

u32 btf_add_float(struct btf_writer *w, const char *name, u32 size)
{
	return add_type(w, (struct head){BTF_FLOAT, name, .third = size});
}

u32 btf_add_array(struct btf_writer *w, u32 type, u32 index_type, u32 nelems)
{
	u32 id = add_type(w, (struct head){.kind = BTF_ARRAY});

	put_word(w, type);
	put_word(w, index_type);
	put_word(w, nelems);
	return id;
}

u32 btf_add_fwd(struct btf_writer *w, const char *name, bool is_union)
{
	return add_type(w, (struct head){BTF_FWD, name, .kind_flag = is_union});
}

u32 btf_add_ref(struct btf_writer *w, enum btf_kind kind, const char *name, u32 type)
{
	return add_type(w, (struct head){kind, name, .third = type});
}

u32 btf_add_func(struct btf_writer *w, const char *name, u32 proto,
		 enum btf_linkage linkage)
{
	return add_type(w,
			(struct head){BTF_FUNC, name, .vlen = linkage, .third = proto});
}

u32 btf_add_var(struct btf_writer *w, const char *name, u32 type,
		enum btf_linkage linkage)
{
	u32 id = add_type(w, (struct head){BTF_VAR, name, .third = type});

	put_word(w, linkage);
	return id;
}

u32 btf_add_decl_tag(struct btf_writer *w, const char *tag, u32 type, s32 component)
{
	u32 id = add_type(w, (struct head){BTF_DECL_TAG, tag, .third = type});

	put_word(w, (u32)component);
	return id;
}

u32 btf_add_composite(struct btf_writer *w, enum btf_kind kind, const char *name,
		      u32 size)
{
	return add_type(w, (struct head){kind, name, .third = size});
}

u32 btf_add_enum(struct btf_writer *w, enum btf_kind kind, const char *name, u32 size,
		 bool is_signed)
{
	return add_type(w, (struct head){kind, name, is_signed, .third = size});
}

u32 btf_add_proto(struct btf_writer *w, u32 returns)
{
	return add_type(w, (struct head){BTF_FUNC_PROTO, .third = returns});
}

u32 btf_add_section(struct btf_writer *w, const char *name, u32 size)
{
	return add_type(w, (struct head){BTF_DATASEC, name, .third = size});
}

/* The first bit field changes how all members of its struct say their offset. */
static void use_bit_fields(struct btf_writer *w)
{
	char *info = w->types.s + w->vlen_at;
	u8 *byte = (u8 *)info + (w->big_endian ? 0 : 3);

	*byte |= 0x80;
}

void btf_put_member(struct btf_writer *w, const struct btf_member *m)
{
	u32 name = btf_add_string(w, m->name);

	if (!add_part(w))
		return;
	if (m->bit_size)
		use_bit_fields(w);
	if (m->bit_size && m->bit_offset > 0xffffff)
		w->failed = true;
	put_word(w, name);
	put_word(w, m->type);
	put_word(w, m->bit_size << 24 | m->bit_offset);
}

void btf_put_enumerator(struct btf_writer *w, const char *name, u64 value)
{
	u32 off = btf_add_string(w, name);

	if (!add_part(w))
		return;
	u32 info = load_u32_of(w->types.s + w->vlen_at, w->big_endian);
	put_word(w, off);
	put_word(w, (u32)value);
	if ((info >> 24 & 0x1f) == BTF_ENUM64)
		put_word(w, (u32)(value >> 32));
}

void btf_put_param(struct btf_writer *w, const char *name, u32 type)
{
	u32 off = btf_add_string(w, name);

	if (!add_part(w))
		return;
	put_word(w, off);
	put_word(w, type);
}

void btf_put_secvar(struct btf_writer *w, u32 type, u32 offset, u32 size)
{
	if (!add_part(w))
		return;
	put_word(w, type);
	put_word(w, offset);
	put_word(w, size);
}

int btf_writer_finish(const struct btf_writer *w, struct text *out,
		      struct skep_diag *diag)
{
	if (text_failed(&w->types) || text_failed(&w->strings))
		return fail(diag, NO_MEMORY, NO_PC);
	if (w->failed)
		return fail(diag, BTF_TOO_LARGE, NO_PC, BTF_MAX_IDS);
	put_u16(out, 0xeb9f, w->big_endian);
	text_write(out, "\1\0", 2); /* version, flags */
	put_u32(out, HEADER_SIZE, w->big_endian);
	put_u32(out, 0, w->big_endian);
	put_u32(out, (u32)w->types.len, w->big_endian);
	put_u32(out, (u32)w->types.len, w->big_endian);
	put_u32(out, (u32)w->strings.len, w->big_endian);
	text_write(out, text_str(&w->types), w->types.len);
	text_write(out, text_str(&w->strings), w->strings.len);
	return text_failed(out) ? fail(diag, NO_MEMORY, NO_PC) : 0;
}

/* ---- copies ---- */

bool btf_copier_init(struct btf_copier *c, struct btf_writer *to, const struct btf *from)
{
	*c = (struct btf_copier){to, from, calloc(btf_count(from), sizeof(u32))};
	return c->ids;
}

void btf_copier_fini(struct btf_copier *c)
{
	free(c->ids);
	c->ids = NULL;
}

/* The types of one copy, in the order in which they get their ids. */
struct plan {
	struct btf_copier *c;
	struct vec ids; /* u32: of the source */
};

static void want(struct plan *plan, u32 id)
{
	struct btf_copier *c = plan->c;

	if (!id || c->ids[id])
		return;
	u32 *slot = vec_push(&plan->ids);
	if (!slot) {
		c->to->failed = true;
		return;
	}
	*slot = id;
	c->ids[id] = c->to->next_id + (u32)plan->ids.len - 1;
}

static void want_parts(struct plan *plan, const struct btf_type *t)
{
	const struct btf *from = plan->c->from;

	for (u32 i = 0; i < t->vlen; i++) {
		if (t->kind == BTF_STRUCT || t->kind == BTF_UNION)
			want(plan, btf_member(from, t, i).type);
		else if (t->kind == BTF_FUNC_PROTO)
			want(plan, btf_param(from, t, i).type);
		else if (t->kind == BTF_DATASEC)
			want(plan, btf_secvar(t, i).type);
	}
}

static void want_references(struct plan *plan, const struct btf_type *t)
{
	switch (t->kind) {
	case BTF_PTR:
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_VAR:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG: want(plan, t->type); break;
	case BTF_FUNC_PROTO:
		want(plan, t->type);
		want_parts(plan, t);
		break;
	case BTF_ARRAY:
		want(plan, btf_array(t).type);
		want(plan, btf_array(t).index_type);
		break;
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_DATASEC: want_parts(plan, t); break;
	case BTF_VOID:
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD:
	case BTF_FLOAT:
	case BTF_KINDS: break;
	}
}

static void copy_parts(struct btf_copier *c, const struct btf_type *t)
{
	for (u32 i = 0; i < t->vlen; i++) {
		if (t->kind == BTF_STRUCT || t->kind == BTF_UNION) {
			struct btf_member m = btf_member(c->from, t, i);

			m.type = c->ids[m.type];
			btf_put_member(c->to, &m);
		} else if (t->kind == BTF_FUNC_PROTO) {
			struct btf_param p = btf_param(c->from, t, i);

			btf_put_param(c->to, p.name, c->ids[p.type]);
		} else if (t->kind == BTF_DATASEC) {
			struct btf_secvar v = btf_secvar(t, i);

			btf_put_secvar(c->to, c->ids[v.type], v.offset, v.size);
		} else if (t->kind == BTF_ENUM || t->kind == BTF_ENUM64) {
			struct btf_enumerator e = btf_enumerator(c->from, t, i);

			btf_put_enumerator(c->to, e.name, e.value);
		}
	}
}

/* Types whose third word is a type, and what follows those. */
static void copy_reference(struct btf_copier *c, const struct btf_type *t)
{
	bool has_word = t->kind == BTF_VAR || t->kind == BTF_DECL_TAG;

	add_type(c->to, (struct head){.kind = t->kind,
				      .name = t->name,
				      .kind_flag = t->kind_flag,
				      .vlen = t->kind == BTF_FUNC ? t->vlen : 0,
				      .third = c->ids[t->type]});
	if (has_word)
		put_word(c->to, load_u32_of(t->data, t->big_endian));
}

static void copy_type(struct btf_copier *c, const struct btf_type *t)
{
	struct btf_array a;

	switch (t->kind) {
	case BTF_PTR:
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_FUNC_PROTO:
	case BTF_VAR:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG: copy_reference(c, t); break;
	case BTF_ARRAY:
		a = btf_array(t);
		btf_add_array(c->to, c->ids[a.type], c->ids[a.index_type], a.nelems);
		break;
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD:
	case BTF_FLOAT:
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_DATASEC:
		add_type(c->to,
			 (struct head){t->kind, t->name, t->kind_flag, 0, t->size});
		if (t->kind == BTF_INT)
			put_word(c->to, load_u32_of(t->data, t->big_endian));
		break;
	case BTF_VOID:
	case BTF_KINDS: break;
	}
	if (t->kind != BTF_FUNC)
		copy_parts(c, t);
}

u32 btf_copy(struct btf_copier *c, u32 id)
{
	struct plan plan = {c, VEC_INIT(u32)};

	if (!id || id >= btf_count(c->from))
		return 0;
	want(&plan, id);
	for (size_t i = 0; i < plan.ids.len; i++) {
		struct btf_type t = btf_type(c->from, *(u32 *)vec_at(&plan.ids, i));

		want_references(&plan, &t);
	}
	for (size_t i = 0; i < plan.ids.len; i++) {
		struct btf_type t = btf_type(c->from, *(u32 *)vec_at(&plan.ids, i));

		copy_type(c, &t);
	}
	vec_fini(&plan.ids);
	return c->to->failed ? 0 : c->ids[id];
}
