/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types are patched in a copy of the bytes: nothing moves.  First what no kernel accepts;
 * if this kernel refuses the result, it is asked kind by kind what it knows, and the
 * others are replaced as well.  Kernel documentation: bpf/btf.rst; what each version
 * refuses was asked of the kernels.
 */
#include "kern/kernel_btf.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/text.h"
#include "kern/sys.h"
#include "obj/object.h"

enum { HEADER_SIZE = 24, TYPE_SIZE = 12, MAGIC = 0xeb9f, LOG_SIZE = 1 << 16 };

/* The copy that is patched. */
struct patch {
	const struct object *obj;
	const struct btf *btf;
	struct text bytes; /* header, types, strings */
	u32 int_id;        /* a type of 4 bytes that stands for what the kernel has */
};

static u8 *type_bytes(const struct patch *p, const struct btf_type *t)
{
	size_t off = (size_t)(t->data - btf_raw_types(p->btf).data) - TYPE_SIZE;

	return (u8 *)p->bytes.s + HEADER_SIZE + off;
}

static u8 *string_bytes(const struct patch *p, const char *s)
{
	return (u8 *)p->bytes.s + HEADER_SIZE + btf_raw_types(p->btf).len +
	       ((const u8 *)s - btf_raw_strings(p->btf).data);
}

static void set_kind(u8 *type, enum btf_kind kind, u32 vlen)
{
	store_u32(type + 4, (u32)kind << 24 | vlen);
}

static void set_vlen(u8 *type, u32 vlen)
{
	store_u32(type + 4, (load_u32(type + 4) & 0xffff0000) | vlen);
}

/* ---- what no kernel accepts ---- */

/* Members take as many bytes as variables of a section: all of them are at the start. */
static void section_to_struct(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);

	store_u32(at, 0);
	set_kind(at, BTF_STRUCT, t->vlen);
	store_u32(at + 8, 4);
	for (u32 i = 0; i < t->vlen; i++) {
		u8 *member = at + TYPE_SIZE + 12 * (size_t)i;

		store_u32(member, 0);
		store_u32(member + 4, p->int_id);
		store_u32(member + 8, 0);
	}
}

static int by_offset(const void *a, const void *b)
{
	u32 x = load_u32((const u8 *)a + 4), y = load_u32((const u8 *)b + 4);

	return x < y ? -1 : x > y;
}

/* Externs of .kconfig are variables of a map that the loader made. */
static void place_settings(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);
	u32 end = 0;

	for (u32 i = 0; i < t->vlen; i++) {
		u8 *entry = at + TYPE_SIZE + 12 * (size_t)i;
		int var = object_find_var(p->obj, btf_name(p->btf, load_u32(entry)));

		if (var < 0)
			continue;
		const struct object_var *v = &p->obj->vars[var];
		store_u32(entry + 4, v->offset);
		store_u32(entry + 8, v->size);
		end = v->map->value_size;
	}
	qsort(at + TYPE_SIZE, t->vlen, 12, by_offset);
	store_u32(at + 8, end);
}

static void fix_section(const struct patch *p, const struct btf_type *t)
{
	if (t->name[0] == '?')
		*string_bytes(p, t->name) = '_';
	if (!strcmp(t->name, ".kconfig"))
		place_settings(p, t);
	else if (!strcmp(t->name, ".ksyms") || !t->size)
		section_to_struct(p, t);
}

static void fix_extern(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);

	if (btf_linkage(t) != BTF_EXTERN)
		return;
	if (t->kind == BTF_FUNC) {
		set_kind(at, BTF_TYPEDEF, 0);
		return;
	}
	store_u32(at + TYPE_SIZE, BTF_GLOBAL);
	if (btf_size(p->btf, t->type) < 0)
		store_u32(at + 8, p->int_id);
}

/* Hidden functions, and programs that are called by a chain, are nobody else's: Linux
 * judges them with their callers. */
static void fix_linkage(const struct patch *p)
{
	for (u32 i = 0; i < p->obj->n_progs; i++) {
		const struct prog *prog = &p->obj->progs[i].prog;

		for (u32 k = 0; k < prog->n_subprogs; k++) {
			const struct subprog *sub = &prog->subprogs[k];
			struct btf_type t = btf_type(p->btf, sub->btf_id);

			if (!sub->global && t.kind == BTF_FUNC)
				set_vlen(type_bytes(p, &t), BTF_STATIC);
		}
	}
}

static void fix_all(const struct patch *p)
{
	for (u32 id = 1; id < btf_count(p->btf); id++) {
		enum btf_kind kind = btf_kind(p->btf, id);

		if (kind != BTF_DATASEC && kind != BTF_VAR && kind != BTF_FUNC)
			continue;
		struct btf_type t = btf_type(p->btf, id);
		if (kind == BTF_DATASEC)
			fix_section(p, &t);
		else
			fix_extern(p, &t);
	}
	fix_linkage(p);
}

/* ---- what this kernel is too old for ---- */

/* A type 1 "int" and a type 2 that is asked about. */
static bool knows(const u32 *words, u32 n)
{
	enum { INT = 1u << 24, SIGNED_32 = BTF_SIGNED << 24 | 32 };
	const u32 head[] = {MAGIC | 1 << 16, HEADER_SIZE, 0, 16 + 4 * n, 16 + 4 * n, 5};
	const u32 first[] = {1, INT, 4, SIGNED_32};
	struct text t = TEXT_INIT;

	text_write(&t, head, sizeof(head));
	text_write(&t, first, sizeof(first));
	text_write(&t, words, 4 * (size_t)n);
	text_write(&t, "\0a\0b", 5);
	int fd = text_failed(&t) ? -ENOMEM : kernel_btf_load_bytes(&t, NULL);
	text_fini(&t);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#define HEAD(kind, vlen) ((u32)(kind) << 24 | (u32)(vlen))
#define KNOWS(...)                                                                       \
	knows((const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__}) / 4)

struct known {
	bool func, global_func, datasec, floats, decl_tag, type_tag, enum64;
};

static struct known ask_kernel(void)
{
	return (struct known){
		.func = KNOWS(0, HEAD(BTF_FUNC_PROTO, 0), 0, 3, HEAD(BTF_FUNC, 0), 2),
		.global_func = KNOWS(0, HEAD(BTF_FUNC_PROTO, 0), 0, 3,
				     HEAD(BTF_FUNC, BTF_GLOBAL), 2),
		.datasec = KNOWS(1, HEAD(BTF_VAR, 0), 1, BTF_STATIC, 3,
				 HEAD(BTF_DATASEC, 1), 4, 2, 0, 4),
		.floats = KNOWS(1, HEAD(BTF_FLOAT, 0), 4),
		.decl_tag = KNOWS(3, HEAD(BTF_TYPEDEF, 0), 1, 1, HEAD(BTF_DECL_TAG, 0), 2,
				  ~0u),
		.type_tag = KNOWS(1, HEAD(BTF_TYPE_TAG, 0), 1, 0, HEAD(BTF_PTR, 0), 2),
		.enum64 = KNOWS(1, HEAD(BTF_ENUM64, 1), 8, 3, 0, 0),
	};
}

/* Values become members: as many bytes. */
static void enum64_to_union(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);

	set_kind(at, BTF_UNION, t->vlen);
	for (u32 i = 0; i < t->vlen; i++) {
		u8 *member = at + TYPE_SIZE + 12 * (size_t)i;

		store_u32(member + 4, p->int_id);
		store_u32(member + 8, 0);
	}
}

/* Parameters become enumerators: as many bytes. */
static void proto_to_enum(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);

	set_kind(at, BTF_ENUM, t->vlen);
	store_u32(at + 8, 4);
	for (u32 i = 0; i < t->vlen; i++)
		store_u32(at + TYPE_SIZE + 8 * (size_t)i + 4, 0);
}

/* An int that nobody refers to. */
static void to_int(const struct patch *p, const struct btf_type *t)
{
	u8 *at = type_bytes(p, t);

	set_kind(at, BTF_INT, 0);
	store_u32(at + 8, 1);
	store_u32(at + TYPE_SIZE, 8);
}

static void replace(const struct patch *p, const struct btf_type *t,
		    const struct known *known)
{
	u8 *at = type_bytes(p, t);

	if (t->kind == BTF_FUNC && !known->func)
		set_kind(at, BTF_TYPEDEF, 0);
	else if (t->kind == BTF_FUNC && !known->global_func)
		set_vlen(at, 0);
	else if (t->kind == BTF_FUNC_PROTO && !known->func)
		proto_to_enum(p, t);
	else if (t->kind == BTF_DATASEC && !known->datasec)
		section_to_struct(p, t);
	else if (t->kind == BTF_VAR && !known->datasec)
		to_int(p, t);
	else if (t->kind == BTF_FLOAT && !known->floats)
		set_kind(at, BTF_STRUCT, 0);
	else if (t->kind == BTF_DECL_TAG && !known->decl_tag)
		to_int(p, t);
	else if (t->kind == BTF_TYPE_TAG && !known->type_tag) {
		store_u32(at, 0);
		set_kind(at, BTF_CONST, 0);
	} else if (t->kind == BTF_ENUM64 && !known->enum64)
		enum64_to_union(p, t);
	else if (t->kind == BTF_ENUM && t->kind_flag && !known->enum64)
		set_kind(at, BTF_ENUM, t->vlen);
}

static void replace_unknown(const struct patch *p)
{
	struct known known = ask_kernel();

	for (u32 id = 1; id < btf_count(p->btf); id++) {
		struct btf_type t = btf_type(p->btf, id);

		replace(p, &t, &known);
	}
}

/* ---- loading ---- */

int kernel_btf_load_bytes(const struct text *bytes, struct text *log)
{
	union bpf_attr attr = {0};
	char *buffer = log ? calloc(1, LOG_SIZE) : NULL;
	int fd;

	attr.btf = (u64)(uintptr_t)bytes->s;
	attr.btf_size = (u32)bytes->len;
	if (buffer) {
		attr.btf_log_buf = (u64)(uintptr_t)buffer;
		attr.btf_log_size = LOG_SIZE;
		attr.btf_log_level = 1;
	}
	fd = sys_bpf(BPF_BTF_LOAD, &attr,
		     offsetof(union bpf_attr, btf_log_level) +
			     sizeof(attr.btf_log_level));
	if (fd < 0 && buffer)
		text_puts(log, buffer);
	free(buffer);
	return fd;
}

static u32 find_int(const struct btf *btf)
{
	for (u32 id = 1; id < btf_count(btf); id++) {
		if (btf_kind(btf, id) == BTF_INT && btf_type(btf, id).size == 4)
			return id;
	}
	return 0;
}

static void copy(struct patch *p)
{
	struct bytes types = btf_raw_types(p->btf), strings = btf_raw_strings(p->btf);
	const u32 head[] = {
		MAGIC | 1 << 16, HEADER_SIZE,    0,
		(u32)types.len,  (u32)types.len, (u32)strings.len,
	};

	text_write(&p->bytes, head, sizeof(head));
	text_write(&p->bytes, types.data, types.len);
	text_write(&p->bytes, strings.data, strings.len);
}

/* The last line that says something; the kernel ends with numbers. */
static const char *last_words(struct text *log)
{
	char *s = log->s, *end;

	for (size_t n = log->len; s && n && s[n - 1] == '\n'; n--)
		s[n - 1] = 0;
	end = s ? strrchr(s, '\n') : NULL;
	return end ? end + 1 : s && *s ? s : "it does not say why";
}

int kernel_btf_load(const struct object *obj, struct skep_diag *diag)
{
	struct patch p = {.obj = obj, .btf = obj->btf, .bytes = TEXT_INIT};
	struct text log = TEXT_INIT;
	int fd;

	if (!obj->btf || obj->big_endian != host_is_big_endian())
		return -ENOENT;
	p.int_id = find_int(p.btf);
	copy(&p);
	if (text_failed(&p.bytes)) {
		text_fini(&p.bytes);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	fix_all(&p);
	fd = kernel_btf_load_bytes(&p.bytes, NULL);
	if (fd < 0 && fd != -EPERM) {
		replace_unknown(&p);
		fd = kernel_btf_load_bytes(&p.bytes, &log);
	}
	if (fd < 0)
		fail_errno(diag, fd, KERN_BTF, NO_PC, strerror(-fd), last_words(&log));
	text_fini(&log);
	text_fini(&p.bytes);
	return fd;
}
