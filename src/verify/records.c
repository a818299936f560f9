/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a program: of every map, and of every struct that bpf_obj_new() may
 * make.
 *
 * Made once, before the program is looked at; then found by address and by id.  Never
 * does: find fields (record.c).
 */
#include "verify/record.h"

struct struct_entry {
	u32 id;
	const struct record *rec;
};

struct map_entry {
	const struct map_def *map; /* NULL: a free place */
	const struct record *rec;
};

struct records {
	struct struct_entry *structs; /* by id */
	u32 n_structs;
	struct map_entry *maps; /* open addressing */
	u32 map_mask;
};

enum {
	OBJECT_KINDS = FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK | FIELD_GRAPH_ROOT |
		       FIELD_GRAPH_NODE | FIELD_REFCOUNT | FIELD_KPTR,
	VALUE_KINDS = FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK | FIELD_TIMER | FIELD_KPTR |
		      FIELD_GRAPH_ROOT | FIELD_REFCOUNT | FIELD_WORKQUEUE | FIELD_UPTR |
		      FIELD_TASK_WORK,
};

static struct struct_entry *find_entry(const struct env *env, u32 id)
{
	const struct records *records = env->records;
	u32 low = 0, high = records ? records->n_structs : 0;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (records->structs[middle].id == id)
			return &records->structs[middle];
		if (records->structs[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct record *struct_record(const struct env *env, const struct btf *btf, u32 id)
{
	const struct struct_entry *entry =
		btf == env->prog->btf ? find_entry(env, id) : NULL;

	return entry ? entry->rec : NULL;
}

static const bool *special_members(struct env *env, const struct btf *btf)
{
	bool *special = arena_alloc(&env->arena, btf_count(btf));

	for (u32 id = 1; special && id < btf_count(btf); id++)
		special[id] = record_member_is_special(btf, id);
	return special;
}

/* Has it members that make a struct special? */
static bool is_special(const struct btf *btf, u32 id, const bool *special)
{
	if (btf_kind(btf, id) != BTF_STRUCT)
		return false;
	struct btf_type t = btf_type(btf, id);
	for (u32 i = 0; i < t.vlen; i++) {
		if (special[btf_member(btf, &t, i).type])
			return true;
	}
	return false;
}

static int too_many_members(struct env *env)
{
	return unsupported(env,
			   "the types of values have more members than skep looks at");
}

static int refuse_struct(struct env *env, u32 id, int err)
{
	const char *name = btf_name(env->prog->btf, id);

	if (err == -ENOTSUP)
		return unsupported(env, "pointers to objects of the kernel in the values "
					"of maps need its types: give --btf");
	if (err == -ENOMEM)
		return env_no_memory(env);
	if (err == -ENOSPC)
		return too_many_members(env);
	if (err == -ELOOP)
		return reject_at(env, NO_PC, STRUCT_OWNS_ITSELF, name);
	return reject_at(env, NO_PC, BAD_SPECIAL_FIELDS, name);
}

/* Objects that are owned by others must own only such as own nothing: so there are no
 * cycles. */
static bool owns_owners(const struct record *rec)
{
	for (u32 i = 0; rec->kinds & FIELD_GRAPH_NODE && i < rec->n_fields; i++) {
		const struct record *owned = rec->fields[i].value_record;

		if (owned && owned->kinds & FIELD_GRAPH_ROOT)
			return true;
	}
	return false;
}

static int add_structs(struct env *env, const bool *special)
{
	const struct btf *btf = env->prog->btf;
	struct records *records = env->records;
	u32 n = 0;

	for (u32 id = btf_first(btf); id < btf_count(btf); id++)
		n += is_special(btf, id, special);
	records->structs = arena_array(&env->arena, n, sizeof(*records->structs));
	if (n && !records->structs)
		return env_no_memory(env);
	for (u32 id = btf_first(btf); id < btf_count(btf); id++) {
		int err;

		if (!is_special(btf, id, special))
			continue;
		const struct record *rec = record_of(env, btf, id, btf_type(btf, id).size,
						     OBJECT_KINDS, &err);
		if (!rec)
			return refuse_struct(env, id, err);
		records->structs[records->n_structs++] =
			(struct struct_entry){.id = id, .rec = rec};
	}
	return 0;
}

static int make_structs(struct env *env)
{
	struct records *records = env->records;
	const bool *special;
	int err;

	if (!record_may_have_special(env->prog->btf))
		return 0; /* most objects: no need to look at each of their types */
	special = special_members(env, env->prog->btf);
	err = special ? add_structs(env, special) : env_no_memory(env);
	for (u32 i = 0; i < records->n_structs && !err; i++)
		record_link(env, records->structs[i].rec);
	for (u32 i = 0; i < records->n_structs && !err; i++) {
		if (owns_owners(records->structs[i].rec))
			err = refuse_struct(env, records->structs[i].id, -ELOOP);
	}
	return err;
}

/* ---- of maps ---- */

static u32 map_hash(const struct map_def *map)
{
	return (u32)((uintptr_t)map >> 4) * 0x9e3779b1u;
}

static struct map_entry *map_place(const struct records *records,
				   const struct map_def *map)
{
	u32 i = map_hash(map) & records->map_mask;

	while (records->maps[i].map && records->maps[i].map != map)
		i = (i + 1) & records->map_mask;
	return &records->maps[i];
}

/* What Linux cannot make sense of counts as no special fields at all. */
static int add_map(struct env *env, const struct map_def *map)
{
	struct map_entry *entry = map_place(env->records, map);
	int err = 0;

	entry->map = map;
	if (env->prog->btf && map->btf_value_id)
		entry->rec = record_of(env, env->prog->btf,
				       btf_resolve(env->prog->btf, map->btf_value_id),
				       map->value_size, VALUE_KINDS, &err);
	if (err == -ENOTSUP)
		return unsupported(env, "pointers to objects of the kernel in the values "
					"of maps need its types: give --btf");
	if (err == -ENOSPC)
		return too_many_members(env);
	return err == -ENOMEM ? env_no_memory(env) : 0;
}

static int make_maps(struct env *env)
{
	const struct prog *prog = env->prog;
	u32 places = 8;
	int err = 0;

	while (places < 4 * prog->n_maps)
		places *= 2;
	env->records->maps = arena_array(&env->arena, places, sizeof(struct map_entry));
	if (!env->records->maps)
		return env_no_memory(env);
	env->records->map_mask = places - 1;
	for (u32 i = 0; i < prog->n_maps && !err; i++) {
		err = add_map(env, prog->maps[i]);
		if (!err && prog->maps[i]->inner)
			err = add_map(env, prog->maps[i]->inner);
	}
	return err;
}

int records_make(struct env *env)
{
	int err = 0;

	env->records = arena_alloc(&env->arena, sizeof(*env->records));
	if (!env->records)
		return env_no_memory(env);
	if (env->prog->btf && env->rules->own_objects)
		err = make_structs(env);
	return err ? err : make_maps(env);
}

int records_of_maps(struct env *env)
{
	env->records = arena_alloc(&env->arena, sizeof(*env->records));
	return env->records ? make_maps(env) : env_no_memory(env);
}

const struct record *map_record(const struct env *env, const struct map_def *map)
{
	return env->records ? map_place(env->records, map)->rec : NULL;
}

void map_forget_record(struct env *env, const struct map_def *map)
{
	if (env->records)
		map_place(env->records, map)->rec = NULL;
}

const struct record *reg_record(const struct env *env, const struct reg *reg)
{
	if (reg->kind == PTR_TO_MAP_VALUE)
		return map_record(env, reg->map);
	if (reg->kind == PTR_TO_BTF_ID && reg->flags & ALLOCATED)
		return struct_record(env, reg->btf, reg->btf_id);
	return NULL;
}
