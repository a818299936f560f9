/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading BTF, and every query of it.
 *
 * The types stay in the caller's bytes; beside them stand an offset per type and a hash
 * of the names.  Never copies a type or a string, never changes after btf_read().  Kernel
 * documentation: bpf/btf.rst; the format is at the top of its section 2.
 */
#include "btf/btf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/hash.h"
#include "btf/read.h"

enum { MAGIC = 0xeb9f, HEADER_SIZE = 24, MAX_STRINGS = 1 << 24 };

static const struct kind_info kinds[BTF_KINDS] = {
	[BTF_VOID] = {"void", 0, 0, THIRD_NONE, false},
#define K(name, number, text, fixed, each, third, flag)                                  \
	[BTF_##name] = {text, fixed, each, THIRD_##third, flag},
#include "btf/kinds.def"
#undef K
};

const struct kind_info *btf_kind_info(enum btf_kind kind)
{
	return &kinds[kind];
}

const char *btf_kind_name(enum btf_kind kind)
{
	return kind < BTF_KINDS ? kinds[kind].text : "unknown";
}

/* ---- queries ---- */

struct bytes btf_raw_types(const struct btf *btf)
{
	return btf->types;
}

struct bytes btf_raw_strings(const struct btf *btf)
{
	return btf->strings;
}

u32 btf_strings_len(const struct btf *btf)
{
	return btf->end_string;
}

u32 btf_count(const struct btf *btf)
{
	return btf->count;
}

u32 btf_first(const struct btf *btf)
{
	return btf->first;
}

bool btf_is_big_endian(const struct btf *btf)
{
	return btf->big_endian;
}

u32 btf_pointer_size(const struct btf *btf)
{
	return btf->pointer_size;
}

const char *btf_string(const struct btf *btf, u32 off)
{
	while (off < btf->first_string)
		btf = btf->base;
	if (off >= btf->end_string)
		return NULL;
	return (const char *)btf->strings.data + (off - btf->first_string);
}

struct btf_type btf_type(const struct btf *btf, u32 id)
{
	if (!id || id >= btf->count)
		return (struct btf_type){.name = ""};
	struct btf_type t;
	btf_decode(btf, id, &t);
	t.name = btf_string(btf, load_u32_of(t.data - TYPE_SIZE, t.big_endian));
	return t;
}

enum btf_kind btf_kind(const struct btf *btf, u32 id)
{
	return btf_kind_of(btf, id);
}

const char *btf_name(const struct btf *btf, u32 id)
{
	return btf_type(btf, id).name;
}

static bool is_modifier(enum btf_kind kind)
{
	return kind == BTF_CONST || kind == BTF_VOLATILE || kind == BTF_RESTRICT ||
	       kind == BTF_TYPE_TAG;
}

u32 btf_skip_modifiers(const struct btf *btf, u32 id)
{
	while (is_modifier(btf_kind_of(btf, id)))
		id = btf_bare_type(btf, id).type;
	return id < btf->count ? id : 0;
}

u32 btf_resolve(const struct btf *btf, u32 id)
{
	enum btf_kind kind = btf_kind_of(btf, id);

	while (is_modifier(kind) || kind == BTF_TYPEDEF) {
		id = btf_bare_type(btf, id).type;
		kind = btf_kind_of(btf, id);
	}
	return id < btf->count ? id : 0;
}

s64 btf_size(const struct btf *btf, u32 id)
{
	u64 n = 1;

	for (;;) {
		struct btf_type t = btf_type(btf, btf_resolve(btf, id));

		switch (t.kind) {
		case BTF_ARRAY:
			n *= btf_array(&t).nelems;
			if (n > UINT32_MAX)
				return -E2BIG;
			id = btf_array(&t).type;
			continue;
		case BTF_INT:
		case BTF_STRUCT:
		case BTF_UNION:
		case BTF_ENUM:
		case BTF_ENUM64:
		case BTF_FLOAT:
		case BTF_DATASEC: n *= t.size; return n > UINT32_MAX ? -E2BIG : (s64)n;
		case BTF_PTR:
			n *= btf->pointer_size;
			return n > UINT32_MAX ? -E2BIG : (s64)n;
		case BTF_VAR: id = t.type; continue;
		case BTF_VOID:
		case BTF_FWD:
		case BTF_TYPEDEF:
		case BTF_VOLATILE:
		case BTF_CONST:
		case BTF_RESTRICT:
		case BTF_FUNC:
		case BTF_FUNC_PROTO:
		case BTF_DECL_TAG:
		case BTF_TYPE_TAG:
		case BTF_KINDS: return -EINVAL;
		}
	}
}

u32 btf_align(const struct btf *btf, u32 id)
{
	return btf_align_of(btf, id);
}

static u32 word(const struct btf_type *t, u32 i)
{
	return load_u32_of(t->data + 4 * (size_t)i, t->big_endian);
}

struct btf_member btf_member(const struct btf *btf, const struct btf_type *t, u32 i)
{
	u32 place = word(t, 3 * i + 2);

	return (struct btf_member){
		.name = btf_string(btf, word(t, 3 * i)),
		.type = word(t, 3 * i + 1),
		.bit_offset = t->kind_flag ? place & 0xffffff : place,
		.bit_size = t->kind_flag ? place >> 24 : 0,
	};
}

struct btf_enumerator btf_enumerator(const struct btf *btf, const struct btf_type *t,
				     u32 i)
{
	u32 words = t->kind == BTF_ENUM64 ? 3 : 2;
	u32 low = word(t, words * i + 1);
	struct btf_enumerator e = {.name = btf_string(btf, word(t, words * i))};

	if (t->kind == BTF_ENUM64)
		e.value = low | (u64)word(t, words * i + 2) << 32;
	else
		e.value = t->kind_flag ? (u64)(s32)low : low;
	return e;
}

struct btf_param btf_param(const struct btf *btf, const struct btf_type *t, u32 i)
{
	return (struct btf_param){btf_string(btf, word(t, 2 * i)), word(t, 2 * i + 1)};
}

struct btf_secvar btf_secvar(const struct btf_type *t, u32 i)
{
	return (struct btf_secvar){word(t, 3 * i), word(t, 3 * i + 1),
				   word(t, 3 * i + 2)};
}

struct btf_array btf_array(const struct btf_type *t)
{
	return (struct btf_array){word(t, 0), word(t, 1), word(t, 2)};
}

struct btf_int btf_int(const struct btf_type *t)
{
	u32 w = word(t, 0);

	return (struct btf_int){w >> 24 & 0xf, w >> 16 & 0xff, w & 0xff};
}

enum btf_linkage btf_linkage(const struct btf_type *t)
{
	return t->kind == BTF_FUNC ? t->vlen : word(t, 0);
}

s32 btf_component(const struct btf_type *t)
{
	return (s32)word(t, 0);
}

int btf_find_member(const struct btf *btf, const struct btf_type *t, const char *name)
{
	for (u32 i = 0; i < t->vlen; i++) {
		if (!strcmp(btf_member(btf, t, i).name, name))
			return (int)i;
	}
	return -1;
}

/* ---- names ---- */

size_t btf_essential_len(const char *name)
{
	size_t len = strlen(name);

	if (!strstr(name, "___"))
		return len;
	/* The last "___" with something other than '_' on both of its sides. */
	for (size_t i = len; i >= 5; i--) {
		const char *s = name + i - 5;

		if (s[0] != '_' && s[1] == '_' && s[2] == '_' && s[3] == '_' &&
		    s[4] != '_')
			return i - 4;
	}
	return len;
}

/* Functions, variables and sections have no flavours. */
static bool has_flavours(enum btf_kind kind)
{
	return kind != BTF_FUNC && kind != BTF_VAR && kind != BTF_DATASEC;
}

/* What the hash is made of: all flavours of a name share a bucket, but functions,
 * variables and sections of a name are found however many others have it. */
struct key {
	const char *name;
	size_t len;
	u32 kind; /* 0: one that has flavours */
};

static struct key key_of(const char *name, enum btf_kind kind)
{
	if (has_flavours(kind))
		return (struct key){name, btf_essential_len(name), 0};
	return (struct key){name, strlen(name), kind};
}

static u32 *bucket_of(const struct btf *btf, const struct key *key)
{
	u32 hash = hash_bytes(key->name, key->len, btf->seed + key->kind);

	return &btf->buckets[hash & btf->bucket_mask];
}

/* The next id after "after" in the bucket of a key, first that of the base; 0: end. */
static u32 next_in_bucket(const struct btf *btf, const struct key *key, u32 after)
{
	u32 id = 0;

	if (after >= btf->first)
		return btf->chain[after - btf->first];
	if (btf->base)
		id = next_in_bucket(btf->base, key, after);
	return id ? id : *bucket_of(btf, key);
}

u32 btf_find_flavour(const struct btf *btf, const char *name, size_t len, u32 after)
{
	struct key key = {name, len, 0};
	u32 id = after;

	while (id < btf->count && (id = next_in_bucket(btf, &key, id))) {
		const char *other = btf_name(btf, id);

		if (has_flavours(btf_kind_of(btf, id)) && !strncmp(other, name, len) &&
		    btf_essential_len(other) == len)
			return id;
	}
	return 0;
}

u32 btf_find_next(const struct btf *btf, const char *name, enum btf_kind kind, u32 after)
{
	struct key key = key_of(name, kind);
	u32 id = after;

	while (id < btf->count && (id = next_in_bucket(btf, &key, id))) {
		if (btf_kind_of(btf, id) == kind && !strcmp(btf_name(btf, id), name))
			return id;
	}
	return 0;
}

u32 btf_find(const struct btf *btf, const char *name, enum btf_kind kind)
{
	return btf_find_next(btf, name, kind, 0);
}

/* ---- tags ---- */

static int compare_tags(const void *a, const void *b)
{
	const struct btf_tag *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

/* Index of the first tag on type or on a higher id. */
static u32 first_tag(const struct btf *btf, u32 type)
{
	u32 low = 0, high = btf->n_tags;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (btf->tags[middle].type < type)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

u32 btf_next_tag(const struct btf *btf, u32 type, u32 *cursor)
{
	u32 skip = *cursor;

	for (; btf; btf = btf->base) {
		u32 from = first_tag(btf, type), n = first_tag(btf, type + 1) - from;

		if (skip < n) {
			++*cursor;
			return btf->tags[from + skip].tag;
		}
		skip -= n;
	}
	return 0;
}

bool btf_has_tag(const struct btf *btf, u32 type, s32 component, const char *tag)
{
	u32 cursor = 0, id;

	while ((id = btf_next_tag(btf, type, &cursor))) {
		struct btf_type t = btf_type(btf, id);

		if (btf_component(&t) == component && !strcmp(t.name, tag))
			return true;
	}
	return false;
}

/* ---- reading ---- */

static int read_header(struct btf *btf, struct bytes data, struct skep_diag *diag)
{
	if (data.len < HEADER_SIZE)
		return fail(diag, BTF_HEADER, NO_PC, "it is shorter than a header");
	u16 magic = load_u16_of(data.data, false);
	if (magic != MAGIC && magic != __builtin_bswap16(MAGIC))
		return fail(diag, BTF_HEADER, NO_PC, "the magic number is wrong");
	btf->big_endian = magic != MAGIC;

	bool big = btf->big_endian;
	u32 header = load_u32_of(data.data + 4, big);
	u32 type_off = load_u32_of(data.data + 8, big);
	u32 type_len = load_u32_of(data.data + 12, big);
	u32 str_off = load_u32_of(data.data + 16, big);
	u32 str_len = load_u32_of(data.data + 20, big);
	if (data.data[2] != 1)
		return fail(diag, BTF_HEADER, NO_PC, "it is not version 1");
	if (data.data[3])
		return fail(diag, BTF_HEADER, NO_PC, "it has flags that nobody knows");
	if (header < HEADER_SIZE || header > data.len)
		return fail(diag, BTF_HEADER, NO_PC, "the header's length is wrong");
	for (u32 i = HEADER_SIZE; i < header; i++) {
		if (data.data[i])
			return fail(diag, BTF_HEADER, NO_PC,
				    "it has fields that nobody knows");
	}
	struct bytes body = {data.data + header, data.len - header};
	btf->types = bytes_slice(body, type_off, type_len);
	btf->strings = bytes_slice(body, str_off, str_len);
	if (!btf->types.data || type_off % 4)
		return fail(diag, BTF_HEADER, NO_PC, "the types lie outside");
	if (!btf->strings.data)
		return fail(diag, BTF_HEADER, NO_PC, "the strings lie outside");
	return 0;
}

/* May one of the strings be too long for a name?  Not if none covers a whole window of
 * half that size. */
static bool has_long(struct bytes s)
{
	for (u64 at = 0; at + BTF_NAME_MAX / 2 <= s.len; at += BTF_NAME_MAX / 2) {
		if (!memchr(s.data + at, 0, BTF_NAME_MAX / 2))
			return true;
	}
	return false;
}

static int read_strings(struct btf *btf, struct skep_diag *diag)
{
	struct bytes s = btf->strings;

	btf->first_string = btf->base ? btf->base->end_string : 0;
	if (s.len > MAX_STRINGS)
		return fail(diag, BTF_STRINGS, NO_PC, "there are more than 16 MB");
	if (!s.len && !btf->base)
		return fail(diag, BTF_STRINGS, NO_PC, "there are none");
	if (s.len && s.data[s.len - 1])
		return fail(diag, BTF_STRINGS, NO_PC, "the last one does not end");
	if (s.len && !btf->base && s.data[0])
		return fail(diag, BTF_STRINGS, NO_PC, "the first one is not empty");
	btf->end_string = btf->first_string + (u32)s.len;
	btf->long_strings = (btf->base && btf->base->long_strings) || has_long(s);
	return 0;
}

/* The length of the type at off with what follows it, or 0: it is not wholly there. */
static u64 record_len(const struct btf *btf, u64 off, u32 id, struct skep_diag *diag)
{
	struct bytes head = bytes_slice(btf->types, off, TYPE_SIZE);

	if (!head.data) {
		fail(diag, BTF_TYPE, NO_PC, id, "it is cut off");
		return 0;
	}
	u32 info = load_u32_of(head.data + 4, btf->big_endian);
	u32 kind = info >> 24 & 0x1f;
	if (kind == BTF_VOID || kind >= BTF_KINDS) {
		fail(diag, BTF_KIND, NO_PC, id, kind);
		return 0;
	}
	u64 len = TYPE_SIZE + kinds[kind].fixed + (u64)kinds[kind].each * (info & 0xffff);
	if (!bytes_slice(btf->types, off, len).data) {
		fail(diag, BTF_TYPE, NO_PC, id, "what follows it is cut off");
		return 0;
	}
	return len;
}

/* Tables for as many types as fit into the bytes: pages of them that are not used are
 * never touched. */
static int make_tables(struct btf *btf, struct arena *a, struct skep_diag *diag)
{
	u64 n = min_u64(btf->types.len / TYPE_SIZE, BTF_MAX_IDS);

	btf->kinds = arena_alloc(a, n);
	btf->offsets = arena_array(a, n, sizeof(*btf->offsets));
	btf->chain = arena_array(a, n, sizeof(*btf->chain));
	btf->depth = arena_alloc(a, n);
	btf->spelling = arena_alloc(a, n);
	btf->align = arena_alloc(a, n);
	if (!btf->kinds || !btf->offsets || !btf->chain || !btf->depth ||
	    !btf->spelling || !btf->align)
		return fail(diag, NO_MEMORY, NO_PC);
	return 0;
}

static int find_types(struct btf *btf, struct skep_diag *diag)
{
	u32 id = btf->first;

	for (u64 off = 0; off < btf->types.len; id++) {
		u64 len = record_len(btf, off, id, diag);

		if (!len)
			return -EINVAL;
		if (id >= BTF_MAX_IDS)
			return fail(diag, BTF_TOO_LARGE, NO_PC, BTF_MAX_IDS);
		btf->offsets[id - btf->first] = (u32)off;
		btf->kinds[id - btf->first] =
			load_u32_of(btf->types.data + off + 4, btf->big_endian) >> 24 &
			0x1f;
		off += len;
	}
	btf->count = id;
	return 0;
}

/* Backwards, so that each bucket's ids ascend. */
static int index_names(struct btf *btf, struct arena *a, struct skep_diag *diag)
{
	u32 n_buckets = 1;

	while (n_buckets < btf->count - btf->first)
		n_buckets *= 2;
	btf->buckets = arena_array(a, n_buckets, sizeof(*btf->buckets));
	if (!btf->buckets)
		return fail(diag, NO_MEMORY, NO_PC);
	btf->bucket_mask = n_buckets - 1;
	for (u32 id = btf->count; id-- > btf->first;) {
		u32 off = btf_name_offset(btf, id);
		const char *name = off ? btf_string(btf, off) : "";

		if (!*name)
			continue;
		struct key key = key_of(name, btf->kinds[id - btf->first]);
		u32 *bucket = bucket_of(btf, &key);
		btf->chain[id - btf->first] = *bucket;
		*bucket = id;
	}
	return 0;
}

static int index_tags(struct btf *btf, struct arena *a, struct skep_diag *diag)
{
	u32 n = 0;

	for (u32 id = btf->first; id < btf->count; id++)
		n += btf_kind(btf, id) == BTF_DECL_TAG;
	if (!n)
		return 0;
	btf->tags = arena_array(a, n, sizeof(*btf->tags));
	if (!btf->tags)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 id = btf->first; id < btf->count; id++) {
		if (btf_kind(btf, id) == BTF_DECL_TAG)
			btf->tags[btf->n_tags++] =
				(struct btf_tag){btf_type(btf, id).type, id};
	}
	qsort(btf->tags, n, sizeof(*btf->tags), compare_tags);
	return 0;
}

/* Of the machine that the types are laid out for: what its "long" is. */
static u8 find_pointer_size(const struct btf *btf)
{
	static const char *const names[] = {"long", "unsigned long", "long int",
					    "long unsigned int"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		u32 id = btf_find(btf, names[i], BTF_INT);

		if (id && btf_type(btf, id).size == 4)
			return 4;
	}
	return 8;
}

int btf_read(struct arena *a, struct bytes data, const struct btf *base,
	     const struct btf **out, struct skep_diag *diag)
{
	struct btf *btf = arena_alloc(a, sizeof(*btf));

	if (!btf)
		return fail(diag, NO_MEMORY, NO_PC);
	btf->base = base;
	btf->seed = (u32)((uintptr_t)btf >> 4);
	int err = read_header(btf, data, diag);
	if (!err && base && base->big_endian != btf->big_endian)
		err = fail(diag, BTF_HEADER, NO_PC, "its base has the other byte order");
	if (!err)
		err = read_strings(btf, diag);
	if (!err)
		err = make_tables(btf, a, diag);
	btf->first = btf->count = base ? base->count : 1;
	if (!err)
		err = find_types(btf, diag);
	for (u32 id = btf->first; !err && id < btf->count; id++)
		err = btf_check_type(btf, id, diag);
	if (!err)
		err = index_names(btf, a, diag);
	if (err)
		return err;
	btf->pointer_size = base ? base->pointer_size : find_pointer_size(btf);
	err = btf_check_nesting(btf, diag);
	if (!err)
		err = index_tags(btf, a, diag);
	if (!err)
		*out = btf;
	return err;
}
