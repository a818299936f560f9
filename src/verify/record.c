/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Special fields: which bytes of a map's value or of an allocated object are a lock, a
 * timer, a pointer to an object of the kernel, a list, ...
 *
 * They are found by the names and tags of types in the program's BTF (and kept by
 * records.c). Never does: judge how they are used.  Kernel documentation:
 * bpf/graph_ds_impl.rst, bpf/kfuncs.rst.
 */
#include "verify/record.h"

#include <string.h>

#include "abi/abi.h"

enum {
	MAX_FIELDS = 11,
	MAX_NESTING = 32,
	MAX_LOOKED = 1 << 22, /* members, all levels of all types together */
	PAGE = 4096,
};

/* ---- what there is ---- */

/* Special structs by name; of unique ones a type has one at most. */
static const struct special {
	const char *name;
	u32 kind;
	u8 size, align;
	bool unique;
	u32 since;
} specials[] = {
	{"bpf_spin_lock", FIELD_SPIN_LOCK, 4, 4, true, ABI_LINUX(5, 1)},
	{"bpf_res_spin_lock", FIELD_RES_SPIN_LOCK, 4, 4, true, ABI_LINUX(6, 15)},
	{"bpf_timer", FIELD_TIMER, 16, 8, true, ABI_LINUX(5, 15)},
	{"bpf_wq", FIELD_WORKQUEUE, 16, 8, true, ABI_LINUX(6, 10)},
	{"bpf_task_work", FIELD_TASK_WORK, 8, 8, true, ABI_LINUX(6, 18)},
	{"bpf_list_head", FIELD_LIST_HEAD, 16, 8, false, ABI_LINUX(6, 2)},
	{"bpf_list_node", FIELD_LIST_NODE, 24, 8, false, ABI_LINUX(6, 2)},
	{"bpf_rb_root", FIELD_RB_ROOT, 16, 8, false, ABI_LINUX(6, 3)},
	{"bpf_rb_node", FIELD_RB_NODE, 32, 8, false, ABI_LINUX(6, 3)},
	{"bpf_refcount", FIELD_REFCOUNT, 4, 4, false, ABI_LINUX(6, 4)},
};

static const struct special pointer = {"", FIELD_KPTR_REF, 8, 8, false, ABI_LINUX(5, 19)};

/* Type tags of pointers that are special, which got other names; before: 0: still so. */
static const struct {
	const char *tag;
	u32 kind, since, before;
} pointer_tags[] = {
	{"kptr_untrusted", FIELD_KPTR_UNREF, ABI_LINUX(6, 4), 0},
	{"kptr", FIELD_KPTR_UNREF, ABI_LINUX(5, 19), ABI_LINUX(6, 4)},
	{"kptr", FIELD_KPTR_REF, ABI_LINUX(6, 4), 0},
	{"kptr_ref", FIELD_KPTR_REF, ABI_LINUX(5, 19), ABI_LINUX(6, 4)},
	{"percpu_kptr", FIELD_KPTR_PERCPU, ABI_LINUX(6, 7), 0},
	{"uptr", FIELD_UPTR, ABI_LINUX(6, 13), 0},
};

enum { NEWEST = ABI_LINUX(255, 0) };

static bool tag_is_known(u32 i, u32 version)
{
	return pointer_tags[i].since <= version &&
	       (!pointer_tags[i].before || version < pointer_tags[i].before);
}

/* Objects of the kernel that a map may own, and what releases them with the map. */
static const struct {
	const char *type, *dtor;
} dtors[] = {
	{"task_struct", "bpf_task_release_dtor"},
	{"cgroup", "bpf_cgroup_release_dtor"},
	{"bpf_cpumask", "bpf_cpumask_release_dtor"},
	{"bpf_crypto_ctx", "bpf_crypto_ctx_release_dtor"},
	{"prog_test_ref_kfunc", "bpf_kfunc_call_test_release_dtor"},
	{"prog_test_member", "bpf_kfunc_call_memb_release_dtor"},
};

/* What may be in an array. */
enum { REPEATABLE = FIELD_KPTR | FIELD_UPTR | FIELD_LIST_HEAD | FIELD_RB_ROOT };

/* ---- finding: from types to a list, in the order of the type ---- */

struct found {
	u32 kind, size, offset;
	u32 type;         /* pointers: of what; graph roots: struct of the nodes */
	const char *node; /* graph roots: the member that is the node */
};

struct finder {
	const struct btf *btf;
	u32 version;
	bool flat; /* only members of the type itself, and no arrays */
	u32 kinds, seen;
	u32 *looked; /* members so far: structs may hold each other twice at each level */
	u32 n;
	struct found list[MAX_FIELDS];
};

/* A member or variable. */
struct place {
	u32 owner;     /* struct or VAR that has the tags */
	s32 component; /* of it */
	u32 type;
	u32 offset;
	u32 size; /* of a variable in its section; 0: a member */
	u32 level;
};

static bool is_struct(const struct btf *btf, u32 type)
{
	return btf_kind(btf, type) == BTF_STRUCT;
}

static int add_found(struct finder *f, const struct found *found)
{
	if (f->n == MAX_FIELDS)
		return -E2BIG;
	f->list[f->n++] = *found;
	return 1;
}

/* Fields from first on are those of one of n elements: the others have them, too. */
static int repeat(struct finder *f, u32 first, u32 n, u32 elem_size)
{
	u32 count = f->n - first;

	for (u32 i = first; i < f->n; i++) {
		if (!(f->list[i].kind & REPEATABLE))
			return -EINVAL;
	}
	if ((u64)count * n > MAX_FIELDS - first)
		return -E2BIG;
	for (u32 k = 1; k < n; k++) {
		for (u32 i = 0; i < count; i++) {
			f->list[f->n] = f->list[first + i];
			f->list[f->n++].offset += k * elem_size;
		}
	}
	return 0;
}

static int which_special(struct finder *f, u32 type, const struct special **special)
{
	const char *name = btf_name(f->btf, type);

	*special = NULL;
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++) {
		const struct special *s = &specials[i];

		if (!(f->kinds & s->kind) || s->since > f->version ||
		    strcmp(name, s->name) != 0)
			continue;
		if (s->unique && f->seen & s->kind)
			return -E2BIG;
		f->seen |= s->kind;
		*special = s;
		return 0;
	}
	if (f->kinds & (FIELD_KPTR | FIELD_UPTR) && !is_struct(f->btf, type))
		*special = &pointer;
	return 0;
}

/* 1: it is a special pointer; 0: not. */
static int which_pointer(const struct finder *f, u32 type, struct found *found)
{
	const struct btf *btf = f->btf;
	struct btf_type t = btf_type(btf, type);

	if (t.kind == BTF_VOLATILE)
		t = btf_type(btf, t.type);
	if (t.kind != BTF_PTR)
		return 0;
	t = btf_type(btf, t.type);
	if (t.kind != BTF_TYPE_TAG || t.kind_flag)
		return 0;
	if (btf_kind(btf, t.type) == BTF_TYPE_TAG)
		return -EINVAL;
	for (u32 i = 0; i < ARRAY_SIZE(pointer_tags); i++) {
		if (!tag_is_known(i, f->version) ||
		    strcmp(t.name, pointer_tags[i].tag) != 0)
			continue;
		found->kind = pointer_tags[i].kind;
		if (!(found->kind & f->kinds))
			return 0;
		found->type = btf_resolve(btf, t.type);
		return is_struct(btf, found->type) ? 1 : -EINVAL;
	}
	return -EINVAL;
}

static const char *contains_tag(const struct btf *btf, const struct place *place)
{
	static const char prefix[] = "contains:";
	const char *value = NULL;
	u32 cursor = 0, tag;

	while ((tag = btf_next_tag(btf, place->owner, &cursor))) {
		struct btf_type t = btf_type(btf, tag);

		if (t.kind_flag || btf_component(&t) != place->component ||
		    strncmp(t.name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (value)
			return NULL;
		value = t.name + sizeof(prefix) - 1;
	}
	return value;
}

static u32 find_struct(const struct btf *btf, const char *name, size_t len)
{
	for (u32 id = 0;
	     (id = btf_find_flavour(btf, name, btf_essential_len(name), id));) {
		const char *other = btf_name(btf, id);

		if (is_struct(btf, id) && strlen(other) == len &&
		    !strncmp(other, name, len))
			return id;
	}
	return 0;
}

/* The tag on a list or tree: "contains:struct:member". */
static int find_nodes(const struct btf *btf, const struct place *place,
		      struct found *found)
{
	const char *value = contains_tag(btf, place);
	const char *colon = value ? strchr(value, ':') : NULL;
	char name[256];

	if (!colon || (size_t)(colon - value) >= sizeof(name))
		return -EINVAL;
	memcpy(name, value, (size_t)(colon - value));
	name[colon - value] = 0;
	found->type = find_struct(btf, name, (size_t)(colon - value));
	if (!found->type)
		return -ENOENT;
	found->node = colon + 1;
	return found->node[0] ? 1 : -EINVAL;
}

static int find_special(struct finder *f, const struct place *place,
			const struct special *special)
{
	struct found found = {special->kind, special->size, place->offset, 0, NULL};
	struct btf_type t = btf_type(f->btf, place->type);
	int found_one = 1;

	if (special == &pointer)
		found_one = which_pointer(f, place->type, &found);
	else if (t.kind != BTF_STRUCT || t.size != special->size)
		return 0;
	else if (special->kind & FIELD_GRAPH_ROOT)
		found_one = find_nodes(f->btf, place, &found);
	return found_one > 0 ? add_found(f, &found) : found_one;
}

static int find_in_struct(struct finder *f, u32 type, u32 level);

static int find_nested(struct finder *f, const struct place *place, u32 n, u32 size)
{
	u32 first = f->n;
	int err = place->level + 1 >= MAX_NESTING
			  ? -E2BIG
			  : find_in_struct(f, place->type, place->level + 1);

	if (err < 0)
		return err;
	for (u32 i = first; i < f->n; i++)
		f->list[i].offset += place->offset;
	return n > 1 && f->n > first ? repeat(f, first, n, size) : 0;
}

static int find_at(struct finder *f, struct place *place)
{
	const struct special *special;
	u32 n = 1, depth = 0, first = f->n;
	int err;

	for (; depth < MAX_NESTING && btf_kind(f->btf, place->type) == BTF_ARRAY;
	     depth++) {
		struct btf_type t = btf_type(f->btf, place->type);
		struct btf_array array = btf_array(&t);

		if (array.nelems && n > UINT32_MAX / array.nelems)
			return -EINVAL; /* Linux does not even take such types */
		n *= array.nelems;
		place->type = array.type;
	}
	if (depth == MAX_NESTING)
		return -E2BIG;
	if (!n)
		return 0;
	err = which_special(f, place->type, &special);
	if (err)
		return err;
	if (!special && !is_struct(f->btf, place->type))
		return 0;
	if (f->flat && (depth || !special))
		return 0;
	u32 size = special ? special->size : btf_type(f->btf, place->type).size;
	if (place->size && place->size != size * n)
		return 0;
	if (!special)
		return find_nested(f, place, n, size);
	if (place->offset % special->align)
		return 0;
	err = find_special(f, place, special);
	return err > 0 && n > 1 ? repeat(f, first, n, size) : err;
}

static int find_in_struct(struct finder *f, u32 type, u32 level)
{
	struct btf_type t = btf_type(f->btf, type);
	int err = 0;

	for (u32 i = 0; i < t.vlen && err >= 0; i++) {
		struct btf_member m = btf_member(f->btf, &t, i);
		struct place place = {.owner = type,
				      .component = (s32)i,
				      .type = m.type,
				      .offset = m.bit_offset / 8,
				      .level = level};

		if (++*f->looked > MAX_LOOKED)
			return -ENOSPC;
		err = m.bit_offset % 8 ? -EINVAL : find_at(f, &place);
	}
	return err;
}

static int find_in_section(struct finder *f, u32 type)
{
	struct btf_type t = btf_type(f->btf, type);
	int err = 0;

	for (u32 i = 0; i < t.vlen && err >= 0; i++) {
		struct btf_secvar var = btf_secvar(&t, i);
		struct place place = {.owner = var.type,
				      .component = -1,
				      .type = btf_type(f->btf, var.type).type,
				      .offset = var.offset,
				      .size = var.size};

		err = find_at(f, &place);
	}
	return err;
}

/* ---- from the list to a record ---- */

static const char *dtor_of(const struct env *env, u32 btf_id)
{
	const char *name = btf_name(env->kernel, btf_id);

	for (u32 i = 0; i < ARRAY_SIZE(dtors); i++) {
		if (!strcmp(name, dtors[i].type) &&
		    btf_find(env->kernel, dtors[i].dtor, BTF_FUNC))
			return dtors[i].dtor;
	}
	return NULL;
}

/* A type that the kernel has, too, is the kernel's; others are the program's own. */
static int resolve_pointer(const struct env *env, const struct found *found,
			   struct record_field *field)
{
	const struct btf *btf = field->btf;

	field->btf_id = found->type;
	if (!env->kernel)
		return env->places_only ? 0 : -ENOTSUP;
	u32 id = btf_find(env->kernel, btf_name(btf, found->type), BTF_STRUCT);
	if (id) {
		field->btf = env->kernel;
		field->btf_id = id;
	} else if (!env->rules->own_kptrs) {
		return -ENOENT;
	}
	if (id && found->kind == FIELD_KPTR_REF) {
		field->dtor = dtor_of(env, id);
		if (!field->dtor)
			return -ENOENT;
	}
	if (found->kind != FIELD_UPTR)
		return 0;
	/* The page of the user's that it points into is pinned. */
	u32 size = btf_type(field->btf, field->btf_id).size;
	return id || !size ? -EINVAL : size > PAGE ? -E2BIG : 0;
}

static int resolve_root(const struct found *found, struct record_field *field)
{
	const char *node =
		found->kind == FIELD_LIST_HEAD ? "bpf_list_node" : "bpf_rb_node";
	struct btf_type t = btf_type(field->btf, found->type);
	bool seen = false;

	field->btf_id = found->type;
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(field->btf, &t, i);

		if (strcmp(m.name, found->node) != 0)
			continue;
		if (seen || !is_struct(field->btf, m.type) ||
		    strcmp(btf_name(field->btf, m.type), node) != 0 || m.bit_offset % 64)
			return -EINVAL;
		field->node_offset = m.bit_offset / 8;
		seen = true;
	}
	return seen ? 0 : -ENOENT;
}

static void note_offset(struct record *rec, const struct record_field *field)
{
	s32 off = (s32)field->offset;

	rec->kinds |= field->kind;
	if (field->kind == FIELD_SPIN_LOCK)
		rec->spin_lock_off = off;
	else if (field->kind == FIELD_RES_SPIN_LOCK)
		rec->res_spin_lock_off = off;
	else if (field->kind == FIELD_TIMER)
		rec->timer_off = off;
	else if (field->kind == FIELD_WORKQUEUE)
		rec->wq_off = off;
	else if (field->kind == FIELD_REFCOUNT)
		rec->refcount_off = off;
	else if (field->kind == FIELD_TASK_WORK)
		rec->task_work_off = off;
}

/* Lists and trees need a lock; objects in both a list and a tree need a count. */
static int check_company(const struct record *rec)
{
	bool locked = rec->spin_lock_off >= 0 || rec->res_spin_lock_off >= 0;

	if (rec->spin_lock_off >= 0 && rec->res_spin_lock_off >= 0)
		return -EINVAL;
	if (rec->kinds & FIELD_GRAPH_ROOT && !locked)
		return -EINVAL;
	if (rec->refcount_off < 0 && rec->kinds & FIELD_LIST_NODE &&
	    rec->kinds & FIELD_RB_NODE)
		return -EINVAL;
	return 0;
}

static int fill_fields(struct env *env, const struct finder *f, u32 size,
		       struct record *rec)
{
	struct record_field *fields = arena_array(&env->arena, f->n, sizeof(*fields));
	u32 end = 0;
	int err = 0;

	if (!fields)
		return -ENOMEM;
	for (u32 i = 0; i < f->n && !err; i++) {
		const struct found *found = &f->list[i];
		struct record_field *field = &fields[i];

		if ((u64)found->offset + found->size > size)
			return -EFAULT;
		if (found->offset < end)
			return -EEXIST;
		end = found->offset + found->size;
		*field = (struct record_field){.offset = found->offset,
					       .size = found->size,
					       .kind = found->kind,
					       .btf = f->btf};
		note_offset(rec, field);
		if (found->kind & (FIELD_KPTR | FIELD_UPTR))
			err = resolve_pointer(env, found, field);
		else if (found->kind & FIELD_GRAPH_ROOT)
			err = resolve_root(found, field);
	}
	rec->fields = fields;
	rec->n_fields = f->n;
	return err ? err : check_company(rec);
}

void record_link(const struct env *env, const struct record *rec)
{
	struct record_field *fields = (struct record_field *)rec->fields;

	for (u32 i = 0; i < rec->n_fields; i++) {
		if (fields[i].kind & FIELD_GRAPH_ROOT)
			fields[i].value_record =
				struct_record(env, fields[i].btf, fields[i].btf_id);
	}
}

const struct record *record_of(struct env *env, const struct btf *btf, u32 type, u32 size,
			       u32 kinds, int *err)
{
	struct finder f = {.btf = btf,
			   .version = env->rules->version,
			   .flat = !env->rules->nested_fields,
			   .kinds = kinds,
			   .looked = &env->members_looked};
	struct record *rec;

	*err = 0;
	if (btf_kind(btf, type) == BTF_STRUCT)
		*err = find_in_struct(&f, type, 0);
	else if (btf_kind(btf, type) == BTF_DATASEC)
		*err = find_in_section(&f, type);
	else
		*err = -EINVAL;
	if (*err < 0)
		return NULL;
	*err = 0;
	if (!f.n)
		return NULL;
	rec = arena_alloc(&env->arena, sizeof(*rec));
	if (!rec) {
		*err = -ENOMEM;
		return NULL;
	}
	rec->spin_lock_off = rec->res_spin_lock_off = rec->timer_off = -1;
	rec->wq_off = rec->refcount_off = rec->task_work_off = -1;
	*err = fill_fields(env, &f, size, rec);
	if (*err)
		return NULL;
	record_link(env, rec);
	return rec;
}

/* ---- questions ---- */

enum {
	MEMBER_KINDS =
		FIELD_SPIN_LOCK | FIELD_GRAPH_ROOT | FIELD_GRAPH_NODE | FIELD_REFCOUNT
};

bool record_member_is_special(const struct btf *btf, u32 type)
{
	const char *name = btf_name(btf, type);
	struct finder f = {.btf = btf, .version = NEWEST, .kinds = FIELD_KPTR};
	struct found found;

	for (u32 i = 0; is_struct(btf, type) && i < ARRAY_SIZE(specials); i++) {
		if (specials[i].kind & MEMBER_KINDS && !strcmp(name, specials[i].name))
			return btf_find(btf, name, BTF_STRUCT) == type;
	}
	return which_pointer(&f, type, &found) > 0;
}

bool record_may_have_special(const struct btf *btf)
{
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++) {
		if (specials[i].kind & MEMBER_KINDS &&
		    btf_find(btf, specials[i].name, BTF_STRUCT))
			return true;
	}
	for (u32 i = 0; i < ARRAY_SIZE(pointer_tags); i++) {
		if (pointer_tags[i].kind & FIELD_KPTR &&
		    btf_find(btf, pointer_tags[i].tag, BTF_TYPE_TAG))
			return true;
	}
	return false;
}

const struct record_field *record_find(const struct record *rec, u32 offset, u32 kinds)
{
	if (!rec || !(rec->kinds & kinds))
		return NULL;
	for (u32 i = 0; i < rec->n_fields; i++) {
		if (rec->fields[i].offset == offset && rec->fields[i].kind & kinds)
			return &rec->fields[i];
	}
	return NULL;
}
