/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF: what the types of a program or of a kernel are.
 *
 * btf_read() checks everything once; the bytes stay where they are and are decoded by
 * each query, whatever their byte order.  After that no query can fail or leave the
 * bytes: an id that does not exist is answered as void. Types that contain themselves by
 * value, or that are written with themselves, are refused, so walking types ends; what
 * may still blow up (printing) has a budget.  A struct btf never changes: threads may
 * share it. Kernel documentation: bpf/btf.rst.  Anything above src/btf in the tree may
 * include this.
 */
#ifndef SKEP_BTF_BTF_H
#define SKEP_BTF_BTF_H

#include "base/bytes.h"

struct arena;
struct skep_diag;
struct text;

enum btf_kind {
	BTF_VOID, /* id 0 */
#define K(name, number, ...) BTF_##name = number,
#include "btf/kinds.def"
#undef K
	BTF_KINDS
};

enum { BTF_MAX_IDS = 0x100000, BTF_MAX_DEPTH = 128 };

struct btf; /* owned by the arena it was read into */

/*
 * The BTF in data, a .BTF section or /sys/kernel/btf/vmlinux.  data is borrowed and must
 * outlive the result, as must base (NULL: this is not split BTF).  Errors: EINVAL, E2BIG,
 * ENOMEM, with the type that is wrong.
 */
int btf_read(struct arena *a, struct bytes data, const struct btf *base,
	     const struct btf **out, struct skep_diag *diag);

/* ---- types ---- */

/* One type, decoded.  Every pointer is borrowed from the bytes of the BTF. */
struct btf_type {
	u32 id;
	enum btf_kind kind;
	bool kind_flag; /* ENUM, ENUM64: values are signed.  FWD: of a union.  STRUCT,
			   UNION: bit fields */
	bool big_endian;
	u32 vlen; /* members, enumerators, parameters, variables; of FUNC: its enum
		     btf_linkage */
	union {
		u32 size; /* INT, STRUCT, UNION, ENUM, ENUM64, DATASEC, FLOAT */
		u32 type; /* PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO
			     (what it returns), VAR, tags */
	};
	const char *name; /* "" where there is none */
	const u8 *data;   /* what follows the type */
};

u32 btf_count(
	const struct btf *btf); /* ids are 0 .. count - 1, those of the base first */
u32 btf_first(const struct btf
		      *btf); /* the first id that is not of the base; 1 without a base */
bool btf_is_big_endian(const struct btf *btf);
u32 btf_pointer_size(const struct btf *btf); /* 8 unless its "long" says otherwise */
struct btf_type btf_type(const struct btf *btf, u32 id);
enum btf_kind btf_kind(const struct btf *btf, u32 id);
const char *btf_name(const struct btf *btf, u32 id);
const char *btf_kind_name(enum btf_kind kind); /* "struct" */
const char *btf_string(const struct btf *btf,
		       u32 off); /* NULL when there is no such string */

u32 btf_strings_len(const struct btf *btf); /* with those of the base: where a split BTF's
					       strings start */

/* The bytes of the types and of the strings, without what the base has; as in the file. */
struct bytes btf_raw_types(const struct btf *btf);
struct bytes btf_raw_strings(const struct btf *btf);

/* Follows const, volatile, restrict and type tags; btf_resolve() typedefs too. */
u32 btf_skip_modifiers(const struct btf *btf, u32 id);
u32 btf_resolve(const struct btf *btf, u32 id);

/* In bytes; -EINVAL for what has no size (void, functions, forward declarations), -E2BIG
 * beyond 4 GiB. */
s64 btf_size(const struct btf *btf, u32 id);
u32 btf_align(const struct btf *btf,
	      u32 id); /* natural, as C lays out; packed structs: 1.  At least 1 */

/* The first type with that name and kind, or 0; and the next one after it. */
u32 btf_find(const struct btf *btf, const char *name, enum btf_kind kind);
u32 btf_find_next(const struct btf *btf, const char *name, enum btf_kind kind, u32 after);

/* Like these, for any kind, of all types whose name up to a "___suffix" is name (len
 * bytes); starts with after 0. */
u32 btf_find_flavour(const struct btf *btf, const char *name, size_t len, u32 after);
size_t btf_essential_len(const char *name); /* of the name without its "___suffix" */

/* ---- what follows a type; i < vlen ---- */

struct btf_member {
	const char *name; /* "" for anonymous ones */
	u32 type;
	u32 bit_offset;
	u32 bit_size; /* 0: not a bit field */
};
struct btf_enumerator {
	const char *name;
	u64 value; /* sign-extended where the enum is signed */
};
struct btf_param {
	const char *name; /* "" where there is none */
	u32 type;         /* 0 for the last one: variadic */
};
struct btf_secvar {
	u32 type; /* a VAR; in struct_ops-like sections also a FUNC */
	u32 offset, size;
};
struct btf_array {
	u32 type, index_type, nelems;
};
enum { BTF_SIGNED = 1, BTF_CHAR = 2, BTF_BOOL = 4 };
struct btf_int {
	u8 encoding; /* BTF_SIGNED | BTF_CHAR | BTF_BOOL */
	u8 bit_offset, bits;
};
enum btf_linkage { BTF_STATIC, BTF_GLOBAL, BTF_EXTERN };

struct btf_member btf_member(const struct btf *btf, const struct btf_type *t, u32 i);
struct btf_enumerator btf_enumerator(const struct btf *btf, const struct btf_type *t,
				     u32 i);
struct btf_param btf_param(const struct btf *btf, const struct btf_type *t, u32 i);
struct btf_secvar btf_secvar(const struct btf_type *t, u32 i);
struct btf_array btf_array(const struct btf_type *t);
struct btf_int btf_int(const struct btf_type *t);
enum btf_linkage btf_linkage(const struct btf_type *t); /* of FUNC and VAR */
s32 btf_component(
	const struct btf_type *t); /* of DECL_TAG: a member or parameter, or -1 */

/* The index of the member with that name, or -1; does not look into anonymous members. */
int btf_find_member(const struct btf *btf, const struct btf_type *t, const char *name);

/* The DECL_TAGs of a type, one a call: start with *cursor = 0; 0 when there are no more.
 */
u32 btf_next_tag(const struct btf *btf, u32 type, u32 *cursor);

/* Is there the tag of that text on the type (component -1) or on one of its members or
 * parameters? */
bool btf_has_tag(const struct btf *btf, u32 type, s32 component, const char *tag);

/* ---- .BTF.ext ---- */

struct btf_func_info {
	u32 insn_off; /* bytes from the start of the section */
	u32 type;     /* a FUNC */
};
struct btf_line_info {
	u32 insn_off;
	u32 line, column;
	const char *file, *text; /* borrowed from the BTF */
};
struct btf_core_relo {
	u32 insn_off;
	u32 type;
	u32 kind; /* enum core_kind (btf/core.h), not checked yet: CORE_KINDS or more is
		     unknown */
	const char *access;
};

/* The records of one ELF section, in the order of the file: ext->lines[first .. first + n
 * - 1]. */
struct btf_ext_section {
	const char *name;
	u32 first, n;
};

/* Owned by the arena; strings borrowed from the BTF. */
struct btf_ext {
	const struct btf_func_info *funcs;
	const struct btf_line_info *lines;
	const struct btf_core_relo *relos;
	const struct btf_ext_section *func_sections, *line_sections, *relo_sections;
	u32 n_funcs, n_lines, n_relos, n_func_sections, n_line_sections, n_relo_sections;
};

/* data: a .BTF.ext section of either byte order; only read, not kept. */
int btf_ext_read(struct arena *a, struct bytes data, const struct btf *btf,
		 struct btf_ext *out, struct skep_diag *diag);

/* ---- as C; btf/print.c ---- */

/* "struct foo *", "const char[16]", "int (*)(void *)". */
void btf_print_type_name(struct text *t, const struct btf *btf, u32 id);

/* The same with a name in its place: "const char name[16]". */
void btf_print_declarator(struct text *t, const struct btf *btf, u32 id,
			  const char *name);

/* The definition, as C writes it, with a semicolon and a line end: "struct foo {\n\tint
 * a;\n};\n". */
void btf_print_c(struct text *t, const struct btf *btf, u32 id);

/* All types but those of the base, in an order that compiles. */
int btf_dump_c(struct text *t, const struct btf *btf, struct skep_diag *diag);

/* ---- values; btf/value.c ---- */

enum btf_value_format { BTF_VALUE_C, BTF_VALUE_JSON };
struct btf_value_style {
	enum btf_value_format format;
	bool skip_zeroes; /* leave out members and trailing elements that are all zero */
	bool multi_line;  /* one member a line, indented by tabs */
	u32 indent;       /* tabs before the inner lines */
};

/* data shorter than the type prints what is there.  style NULL: C on one line, with
 * zeroes. */
void btf_print_value(struct text *t, const struct btf *btf, u32 id, struct bytes data,
		     const struct btf_value_style *style);

/* The inverse: text to the len bytes at out, which are the value wholly or EINVAL says
 * what is wrong. */
int btf_parse_value(const struct btf *btf, u32 id, const char *text, u8 *out, u64 len,
		    struct skep_diag *diag);

#endif
