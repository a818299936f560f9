/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What struct btf holds, for the files that read and check it.  Tables are indexed by id
 * - first: the base has its own.  Only btf.c and check.c include this; everybody else
 * asks through btf.h.
 */
#ifndef SKEP_BTF_READ_H
#define SKEP_BTF_READ_H

#include "btf/btf.h"

/* A DECL_TAG under the type it is put on. */
struct btf_tag {
	u32 type, tag;
};

struct btf {
	const struct btf *base;       /* borrowed; NULL: none */
	struct bytes types, strings;  /* borrowed from the caller of btf_read() */
	u32 first, count;             /* ids of this BTF: first .. count - 1 */
	u32 first_string, end_string; /* string offsets of this BTF */
	bool long_strings;            /* some may be too long for names */
	bool big_endian;
	u8 pointer_size;
	u32 seed; /* of the hash of names */
	/* Owned by the arena: */
	u8 *kinds;    /* enum btf_kind, so that asking for it does not touch the bytes */
	u32 *offsets; /* of the types in types */
	u8 *depth;    /* how deep a type is nested by value */
	u8 *spelling; /* how deep its name is, written in C */
	u8 *align;    /* natural alignment */
	u32 *buckets, bucket_mask; /* hash of the essential name -> first id, 0: none */
	u32 *chain;                /* next id of the bucket, ascending; 0: end */
	struct btf_tag *tags;      /* sorted */
	u32 n_tags;
};

/* Longer names are refused: many types may share the end of one, and each hashes it. */
enum { BTF_NAME_MAX = 1024 };

enum { TYPE_SIZE = 12 }; /* bytes of a type without what follows it */

enum third_word { THIRD_NONE, THIRD_SIZE, THIRD_TYPE };

struct kind_info {
	const char *text;
	u8 fixed, each; /* bytes that follow: always, and for each of vlen */
	u8 third;       /* enum third_word */
	bool flag;      /* may have kind_flag */
};

/* The level of the base chain that has the type; id is neither void nor too large. */
static inline const struct btf *btf_level(const struct btf *btf, u32 id)
{
	while (id < btf->first)
		btf = btf->base;
	return btf;
}

static inline enum btf_kind btf_kind_of(const struct btf *btf, u32 id)
{
	if (!id || id >= btf->count)
		return BTF_VOID;
	btf = btf_level(btf, id);
	return btf->kinds[id - btf->first];
}

static inline u8 btf_align_of(const struct btf *btf, u32 id)
{
	if (!id || id >= btf->count)
		return 1;
	btf = btf_level(btf, id);
	return btf->align[id - btf->first];
}

/* Where the name of a type of this level is in the strings. */
static inline u32 btf_name_offset(const struct btf *btf, u32 id)
{
	return load_u32_of(btf->types.data + btf->offsets[id - btf->first],
			   btf->big_endian);
}

/* A type without its name: what walking many types needs.  Written in place, field by
 * field. */
static inline void btf_decode(const struct btf *btf, u32 id, struct btf_type *t)
{
	btf = btf_level(btf, id);
	const u8 *p = btf->types.data + btf->offsets[id - btf->first];
	u32 info = load_u32_of(p + 4, btf->big_endian);

	t->id = id;
	t->kind = btf->kinds[id - btf->first];
	t->kind_flag = info >> 31;
	t->big_endian = btf->big_endian;
	t->vlen = info & 0xffff;
	t->size = load_u32_of(p + 8, btf->big_endian);
	t->name = "";
	t->data = p + TYPE_SIZE;
}

static inline struct btf_type btf_bare_type(const struct btf *btf, u32 id)
{
	struct btf_type t;

	btf_decode(btf, id, &t);
	return t;
}

const struct kind_info *btf_kind_info(enum btf_kind kind);

/* One type by itself: fields, names, ids, but not what they lead to. */
int btf_check_type(const struct btf *btf, u32 id, struct skep_diag *diag);

/* No type contains itself; fills depth, spelling and align.  All types must have passed
 * btf_check_type(). */
int btf_check_nesting(struct btf *btf, struct skep_diag *diag);

#endif
