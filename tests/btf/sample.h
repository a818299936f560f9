/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A BTF with at least one type of every kind, made with the writer: what the tests query,
 * print, copy and corrupt. Only tests/btf includes this.
 */
#ifndef SKEP_TESTS_BTF_SAMPLE_H
#define SKEP_TESTS_BTF_SAMPLE_H

#include "btf/writer.h"

/* Ids of the types of the sample. */
struct sample {
	u32 int_, uint, char_, bool_, u8_, int128, double_, color, wide, text, matrix,
		node, node_ptr, pair, pair_t;
	u32 bits, proto, func, var, section, opaque, const_char, anonymous, flexible;
};

static inline void put_member(struct btf_writer *w, const char *name, u32 type,
			      u32 bit_offset, u32 bit_size)
{
	btf_put_member(w, &(struct btf_member){name, type, bit_offset, bit_size});
}

static inline void add_scalars(struct btf_writer *w, struct sample *s)
{
	s->int_ = btf_add_int(w, "int", 4, BTF_SIGNED);
	s->uint = btf_add_int(w, "unsigned int", 4, 0);
	s->char_ = btf_add_int(w, "char", 1, BTF_SIGNED);
	s->bool_ = btf_add_int(w, "_Bool", 1, BTF_BOOL);
	s->u8_ = btf_add_int(w, "unsigned char", 1, 0);
	s->int128 = btf_add_int(w, "__int128", 16, BTF_SIGNED);
	s->double_ = btf_add_float(w, "double", 8);
	s->color = btf_add_enum(w, BTF_ENUM, "color", 4, true);
	btf_put_enumerator(w, "RED", 0);
	btf_put_enumerator(w, "GREEN", (u64)-5);
	s->wide = btf_add_enum(w, BTF_ENUM64, "wide", 8, false);
	btf_put_enumerator(w, "WIDE", 0x1122334455667788);
	s->text = btf_add_array(w, s->char_, s->uint, 8);
	s->matrix = btf_add_array(w, btf_add_array(w, s->int_, s->uint, 3), s->uint, 2);
}

static inline void add_composites(struct btf_writer *w, struct sample *s)
{
	/* struct node { struct node *next; int value; }: its pointer comes behind it */
	s->node = btf_add_composite(w, BTF_STRUCT, "node", 16);
	put_member(w, "next", s->node + 1, 0, 0);
	put_member(w, "value", s->int_, 64, 0);
	s->node_ptr = btf_add_ref(w, BTF_PTR, NULL, s->node);
	s->bits = btf_add_composite(w, BTF_STRUCT, "bits", 8);
	put_member(w, "low", s->uint, 0, 3);
	put_member(w, "sign", s->int_, 3, 5);
	put_member(w, "cross", s->uint, 13, 12);
	put_member(w, "flag", s->bool_, 32, 1);
	u32 bytes = btf_add_array(w, s->u8_, s->uint, 4);
	s->anonymous = btf_add_composite(w, BTF_UNION, NULL, 4);
	put_member(w, "number", s->int_, 0, 0);
	put_member(w, "bytes", bytes, 0, 0);
	s->pair = btf_add_composite(w, BTF_STRUCT, "pair", 24);
	put_member(w, "color", s->color, 0, 0);
	put_member(w, "", s->anonymous, 32, 0);
	put_member(w, "name", s->text, 64, 0);
	put_member(w, "first", s->node_ptr, 128, 0);
	s->pair_t = btf_add_ref(w, BTF_TYPEDEF, "pair_t", s->pair);
}

static inline void add_others(struct btf_writer *w, struct sample *s)
{
	u32 tagged = btf_add_ref(w, BTF_TYPE_TAG, "user", s->pair);
	u32 user = btf_add_ref(w, BTF_PTR, NULL, tagged);

	s->const_char =
		btf_add_ref(w, BTF_PTR, NULL, btf_add_ref(w, BTF_CONST, NULL, s->char_));
	s->opaque = btf_add_fwd(w, "opaque", false);
	u32 opaque = btf_add_ref(w, BTF_PTR, NULL,
				 btf_add_ref(w, BTF_VOLATILE, NULL, s->opaque));
	u32 restricted = btf_add_ref(w, BTF_RESTRICT, NULL, user);
	s->proto = btf_add_proto(w, s->int_);
	btf_put_param(w, "p", restricted);
	btf_put_param(w, "o", opaque);
	btf_put_param(w, NULL, 0);
	s->func = btf_add_func(w, "compare", s->proto, BTF_GLOBAL);
	s->var = btf_add_var(w, "counter", s->pair_t, BTF_GLOBAL);
	s->section = btf_add_section(w, ".data", 24);
	btf_put_secvar(w, s->var, 0, 24);
	btf_add_decl_tag(w, "on a member", s->pair, 2);
	btf_add_decl_tag(w, "on a function", s->func, -1);
	s->flexible = btf_add_composite(w, BTF_STRUCT, "flexible", 4);
	put_member(w, "n", s->int_, 0, 0);
	put_member(w, "items", s->flexible + 1, 32, 0);
	btf_add_array(w, s->int_, s->uint, 0);
}

/* The bytes, to be freed with text_fini(). */
static inline struct text make_sample(struct sample *s, bool big_endian)
{
	struct btf_writer w;
	struct text out = TEXT_INIT;

	btf_writer_init(&w, NULL, big_endian);
	add_scalars(&w, s);
	add_composites(&w, s);
	add_others(&w, s);
	btf_writer_finish(&w, &out, NULL);
	btf_writer_fini(&w);
	return out;
}

static inline struct bytes bytes_of(const struct text *t)
{
	return (struct bytes){(const u8 *)t->s, t->len};
}

#endif
