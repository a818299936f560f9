/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values and keys of maps: bounds, fields that are not plain bytes, kptrs, and constants.
 *
 * Where a map cannot change any more, what is loaded from it is known.  Never does: find
 * the special fields of a type (record.c), call helpers about maps (map_rules.c).
 * More: record.h; Documentation/bpf/maps.rst and kptr in kfuncs.rst of the kernel.
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

/* ---- what a map allows ---- */

bool map_prog_reads(const struct map_def *map)
{
	return !(map->flags & MAP_WRONLY_PROG);
}

bool map_prog_writes(const struct map_def *map)
{
	return !(map->flags & MAP_RDONLY_PROG);
}

/* Loaders freeze these two, and no other, before the programs are verified. */
bool map_is_constant(const struct map_def *map)
{
	return (map->origin == MAP_RODATA || map->origin == MAP_KCONFIG) &&
	       map->flags & MAP_RDONLY_PROG && !map->not_frozen;
}

/* ---- special fields ---- */

static bool is_pointer_field(const struct record_field *field)
{
	return field->kind & (FIELD_KPTR | FIELD_UPTR);
}

static const char *field_name(u32 kind)
{
	switch ((enum field_kind)kind) {
	case FIELD_SPIN_LOCK: return "bpf_spin_lock";
	case FIELD_TIMER: return "bpf_timer";
	case FIELD_KPTR_UNREF:
	case FIELD_KPTR_REF:
	case FIELD_KPTR_PERCPU:
	case FIELD_KPTR: return "kptr";
	case FIELD_LIST_HEAD: return "bpf_list_head";
	case FIELD_LIST_NODE: return "bpf_list_node";
	case FIELD_RB_ROOT: return "bpf_rb_root";
	case FIELD_RB_NODE: return "bpf_rb_node";
	case FIELD_REFCOUNT: return "bpf_refcount";
	case FIELD_WORKQUEUE: return "bpf_wq";
	case FIELD_UPTR: return "uptr";
	case FIELD_RES_SPIN_LOCK: return "bpf_res_spin_lock";
	case FIELD_TASK_WORK: return "bpf_task_work";
	case FIELD_GRAPH_ROOT: return "graph root";
	case FIELD_GRAPH_NODE: return "graph node";
	}
	return "special field";
}

/* Bytes of a value that may be touched. */
struct touch {
	u32 regno;
	s64 off; /* the fixed part */
	u32 size;
	bool by_helper;
};

static int field_check(struct env *env, const struct touch *touch,
		       const struct record_field *field)
{
	const struct reg *reg = &env_regs(env)[touch->regno];
	const char *map = reg->map->name;
	s64 first = reg->var.smin + touch->off;
	s64 end = (s64)reg->var.umax + touch->off + touch->size;

	if (first >= (s64)field->offset + field->size || end <= (s64)field->offset)
		return 0;
	if (!is_pointer_field(field))
		return reject(env, MAP_FIELD_DIRECT, (long long)first, (long long)end - 1,
			      map, field_name(field->kind));
	if (touch->by_helper)
		return reject(env, KPTR_BY_HELPER, field->offset, map);
	if (!scalar_is_const(&reg->var))
		return reject(env, KPTR_VARIABLE, field->offset, map);
	if (first != field->offset || touch->size != 8)
		return reject(env, KPTR_MISALIGNED, field->offset, map, (long long)first,
			      touch->size);
	return 0;
}

int map_region_check(struct env *env, u32 regno, s32 off, u32 size, bool zero_size_ok,
		     bool by_helper)
{
	const struct map_def *map = env_regs(env)[regno].map;
	struct span span = {regno, off, size, map->value_size, zero_size_ok};
	struct touch touch = {regno, off, size, by_helper};
	const struct record *rec;
	int err = span_check(env, &span);

	if (err)
		return err;
	rec = map_record(env, map);
	for (u32 i = 0; rec && i < rec->n_fields && !err; i++)
		err = field_check(env, &touch, &rec->fields[i]);
	return err;
}

/* ---- kptrs ---- */

/* Types whose objects are freed by RCU only: a list of the kernel's, by name. */
static bool rcu_frees(const struct env *env, const struct record_field *field)
{
	static const char *const names[] = {"prog_test_ref_kfunc", "cgroup",
					    "bpf_cpumask", "task_struct",
					    "bpf_crypto_ctx"};
	const char *name;

	if (field->btf == env->prog->btf)
		return true;
	name = btf_name(field->btf, field->btf_id);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/* May be used without a reference, as long as the RCU section lasts. */
static bool rcu_protects(const struct env *env, const struct record_field *field)
{
	bool safe = field->kind == FIELD_KPTR_PERCPU ||
		    (field->kind == FIELD_KPTR_REF && rcu_frees(env, field));

	return safe && in_rcu_section(env);
}

static void load_kptr(struct env *env, u32 regno, const struct record_field *field)
{
	struct reg *reg = &env_regs(env)[regno];
	const struct record *rec;

	reg_set_pointer(reg, PTR_TO_BTF_ID, MAYBE_NULL);
	reg->btf = field->btf;
	reg->btf_id = field->btf_id;
	reg->id = env_new_id(env);
	if (!rcu_protects(env, field)) {
		reg->flags |= UNTRUSTED;
		return;
	}
	reg->flags |= RCU;
	if (field->btf != env->prog->btf) {
		reg->flags |= field->kind == FIELD_KPTR_PERCPU ? PERCPU : 0;
		return;
	}
	reg->flags |= ALLOCATED;
	rec = reg_record(env, reg);
	if (rec && rec->kinds & FIELD_GRAPH_NODE)
		reg->flags |= NON_OWN_REF;
	if (field->kind == FIELD_KPTR_PERCPU)
		reg->flags = (u16)((reg->flags & ~ALLOCATED) | PERCPU);
}

/* Memory of user space that is pinned while the map's element is there. */
static void load_uptr(struct env *env, u32 regno, const struct record_field *field)
{
	struct reg *reg = &env_regs(env)[regno];
	s64 size = btf_size(field->btf, field->btf_id);

	reg_set_pointer(reg, PTR_TO_MEM, MAYBE_NULL);
	reg->mem_size = size > 0 && size <= UINT32_MAX ? (u32)size : 0;
	reg->id = env_new_id(env);
}

static int store_kptr(struct env *env, const struct access *access,
		      const struct record_field *field)
{
	if (field->kind == FIELD_UPTR)
		return reject(env, UPTR_STORE);
	if (field->kind != FIELD_KPTR_UNREF)
		return reject(env, KPTR_STORE_REF);
	if (access->has_imm)
		return access->imm ? reject(env, KPTR_STORE_IMM, field->offset) : 0;
	if (access->value < 0)
		return reject(env, KPTR_INSN);
	if (reg_is_null(&env_regs(env)[access->value]))
		return 0;
	return kptr_match(env, field, (u32)access->value);
}

static int kptr_access(struct env *env, const struct access *access,
		       const struct record_field *field)
{
	if (access->atomic)
		return reject(env, KPTR_INSN);
	if (access->type == ACCESS_WRITE)
		return store_kptr(env, access, field);
	if (access->value < 0)
		return 0;
	if (field->kind == FIELD_UPTR)
		load_uptr(env, (u32)access->value, field);
	else
		load_kptr(env, (u32)access->value, field);
	return 0;
}

/* ---- accesses ---- */

/* Bytes of the initial value, in the byte order of the program; beyond data there are
 * zeroes. */
static u64 constant_at(const struct map_def *map, u32 off, u32 size)
{
	u8 bytes[8] = {0};
	u32 have = map->data && off < map->data_size ? map->data_size - off : 0;

	if (have)
		memcpy(bytes, map->data + off, have < size ? have : size);
	switch (size) {
	case 1: return load_u8(bytes);
	case 2: return load_u16(bytes);
	case 4: return load_u32(bytes);
	}
	return load_u64(bytes);
}

static void load_value(struct env *env, const struct access *access, s64 off, bool fixed)
{
	const struct map_def *map = env_regs(env)[access->reg].map;

	if (access->type != ACCESS_READ || access->value < 0)
		return;
	if (fixed && map_is_constant(map) && map->type == MAP_TYPE_ARRAY)
		reg_set_const(&env_regs(env)[access->value],
			      constant_at(map, (u32)off, access->size));
	else
		load_unknown(env, access);
}

static int key_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	struct span span = {access->reg, reg->off + access->off, access->size,
			    reg->map->key_size, false};
	int err;

	if (access->type == ACCESS_WRITE)
		return reject(env, MAP_KEY_WRITE, (int)access->reg);
	err = span_check(env, &span);
	if (!err)
		load_unknown(env, access);
	return err;
}

static int direction_check(struct env *env, const struct access *access,
			   const struct map_def *map)
{
	if (access->type == ACCESS_WRITE && !map_prog_writes(map))
		return reject(env, MAP_WRITE_FORBIDDEN, map->name);
	if (access->type == ACCESS_READ && !map_prog_reads(map))
		return reject(env, MAP_READ_FORBIDDEN, map->name);
	return 0;
}

int map_value_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	s32 off = reg->off + access->off;
	bool fixed = scalar_is_const(&reg->var);
	s64 at = off + (s64)reg->var.bits.value;
	const struct record_field *field = NULL;
	const struct record *rec;
	int err;

	if (reg->kind == PTR_TO_MAP_KEY)
		return key_access(env, access);
	err = leak_check(env, access, "a map");
	if (!err)
		err = direction_check(env, access, reg->map);
	if (!err)
		err = map_region_check(env, access->reg, off, access->size, false, false);
	if (err)
		return err;
	rec = map_record(env, reg->map);
	if (rec && fixed)
		field = record_find(rec, (u32)at, FIELD_KPTR | FIELD_UPTR);
	if (field)
		return kptr_access(env, access, field);
	load_value(env, access, at, fixed);
	return 0;
}
