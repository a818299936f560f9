/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making BTF: types and strings are added one by one, ids are given out in order, and the
 * bytes are taken at the end.
 *
 * Running out of memory or of ids is remembered: the id is then 0, and
 * btf_writer_finish() says it once.  What is written is not checked: read it back with
 * btf_read() if it comes from elsewhere.  The assembler, the kernel loader and tests
 * include this.
 */
#ifndef SKEP_BTF_WRITER_H
#define SKEP_BTF_WRITER_H

#include "base/hash.h"
#include "base/text.h"
#include "base/vec.h"
#include "btf/btf.h"

struct btf_writer {
	const struct btf *base; /* borrowed; NULL: not split */
	bool big_endian;
	u32 next_id;
	struct text types; /* the bytes so far */
	struct text strings;
	struct hash_index string_index;
	size_t vlen_at; /* where the info of the last type with parts is */
	bool failed;
};

void btf_writer_init(struct btf_writer *w, const struct btf *base, bool big_endian);
void btf_writer_fini(struct btf_writer *w);

/* The offset of a string; the same string gives the same offset. */
u32 btf_add_string(struct btf_writer *w, const char *s);

/* All of these give the new type's id.  name "" or NULL: none. */
u32 btf_add_int(struct btf_writer *w, const char *name, u32 size, u8 encoding);
u32 btf_add_float(struct btf_writer *w, const char *name, u32 size);
u32 btf_add_array(struct btf_writer *w, u32 type, u32 index_type, u32 nelems);
u32 btf_add_fwd(struct btf_writer *w, const char *name, bool is_union);

/* PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG. */
u32 btf_add_ref(struct btf_writer *w, enum btf_kind kind, const char *name, u32 type);
u32 btf_add_func(struct btf_writer *w, const char *name, u32 proto,
		 enum btf_linkage linkage);
u32 btf_add_var(struct btf_writer *w, const char *name, u32 type,
		enum btf_linkage linkage);
u32 btf_add_decl_tag(struct btf_writer *w, const char *tag, u32 type, s32 component);

/* These get their parts by the functions below, called before anything else is added. */
u32 btf_add_composite(struct btf_writer *w, enum btf_kind kind, const char *name,
		      u32 size);
u32 btf_add_enum(struct btf_writer *w, enum btf_kind kind, const char *name, u32 size,
		 bool is_signed);
u32 btf_add_proto(struct btf_writer *w, u32 returns);
u32 btf_add_section(struct btf_writer *w, const char *name, u32 size);

void btf_put_member(struct btf_writer *w, const struct btf_member *m);
void btf_put_enumerator(struct btf_writer *w, const char *name, u64 value);
void btf_put_param(struct btf_writer *w, const char *name, u32 type);
void btf_put_secvar(struct btf_writer *w, u32 type, u32 offset, u32 size);

/* Appends the BTF to out. */
int btf_writer_finish(const struct btf_writer *w, struct text *out,
		      struct skep_diag *diag);

/* ---- from one BTF to another ---- */

/* What has been copied already; one for each source. */
struct btf_copier {
	struct btf_writer *to;  /* borrowed */
	const struct btf *from; /* borrowed */
	u32 *ids; /* owned; by id of from: its id in "to", 0: not copied yet */
};

bool btf_copier_init(struct btf_copier *c, struct btf_writer *to, const struct btf *from);
void btf_copier_fini(struct btf_copier *c);

/* The id in the new BTF of a type, which is copied with all that it refers to unless it
 * has been already. */
u32 btf_copy(struct btf_copier *c, u32 id);

#endif
