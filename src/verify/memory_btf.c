/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores through pointers to structs that BTF describes: the kernel's, read by
 * members, and the program's own objects, written, too.
 *
 * What is loaded is a number or a pointer to the next struct; how far that one may be
 * relied on follows from the pointer it came from, from tags and from promises of the
 * kernel. Never does: write to structs of the kernel but to the few members listed here.
 * Kernel documentation: bpf/kfuncs.rst, section 2.
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

/* ---- stores to the kernel's structs ---- */

/* Where a store to a member may start. */
enum write_how { AT_START, ANYWHERE };

static const struct writable {
	const char *ops; /* the struct_ops whose programs may; NULL: XDP and traffic
			    control */
	const char *type;
	const char *outer,
		*member; /* member of what is at the start of the type, "q.qlen" */
	enum write_how how;
	u8 skip, len; /* bytes of the member before the first one; how many (0: all) */
	u8 cut;       /* bytes of the member's end that stay */
	u32 since;    /* ABI_LINUX(); 0: as long as we know */
} writables[] = {
	{NULL, "nf_conn", "nf_conn", "mark", AT_START},
	{NULL, "nf_conn___init", "nf_conn", "mark", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "sock", "sk_pacing_rate", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "sock", "sk_pacing_status", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "inet_connection_sock", "icsk_ca_priv",
	 ANYWHERE},
	{"tcp_congestion_ops", "tcp_sock", "inet_connection_sock", "icsk_ack.pending",
	 AT_START},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "snd_cwnd", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "snd_cwnd_cnt", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "snd_cwnd_stamp", AT_START,
	 .since = ABI_LINUX(6, 9)},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "snd_ssthresh", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "ecn_flags", AT_START},
	{"tcp_congestion_ops", "tcp_sock", "tcp_sock", "app_limited", AT_START,
	 .since = ABI_LINUX(6, 9)},
	{"sched_ext_ops", "task_struct", "task_struct", "scx.slice", ANYWHERE},
	{"sched_ext_ops", "task_struct", "task_struct", "scx.dsq_vtime", ANYWHERE},
	{"sched_ext_ops", "task_struct", "task_struct", "scx.disallow", ANYWHERE},
	{"hid_bpf_ops", "hid_bpf_ctx", "hid_bpf_ctx", "retval", ANYWHERE},
	{"hid_bpf_ops", "hid_device", "hid_device", "name", ANYWHERE, .cut = 1},
	{"hid_bpf_ops", "hid_device", "hid_device", "uniq", ANYWHERE, .cut = 1},
	{"hid_bpf_ops", "hid_device", "hid_device", "phys", ANYWHERE, .cut = 1},
	{"bpf_dummy_ops", "bpf_dummy_ops_state", "bpf_dummy_ops_state", "", ANYWHERE},
	{"Qdisc_ops", "sk_buff", "sk_buff", "tstamp", AT_START},
	{"Qdisc_ops", "sk_buff", "sk_buff", "cb", ANYWHERE, .skip = 8, .len = 20},
	{"Qdisc_ops", "Qdisc", "Qdisc", "limit", AT_START},
	{"Qdisc_ops", "Qdisc", "Qdisc", "q.qlen", AT_START},
	{"Qdisc_ops", "Qdisc", "Qdisc", "qstats", ANYWHERE},
};

/* Bytes of a struct. */
struct part {
	u32 type;
	u32 start, end;
};

/* The member called name (len bytes), also in anonymous structs and unions. */
static bool find_member(const struct btf *btf, const char *name, size_t len,
			struct part *part, u32 depth)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, part->type));

	if (depth > 8 || (t.kind != BTF_STRUCT && t.kind != BTF_UNION))
		return false;
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(btf, &t, i);
		struct part inner = {.type = m.type,
				     .start = part->start + m.bit_offset / 8};
		bool found = !strncmp(m.name, name, len) && !m.name[len];

		if (!found &&
		    (m.name[0] || !find_member(btf, name, len, &inner, depth + 1)))
			continue;
		*part = inner;
		return true;
	}
	return false;
}

static bool find_part(const struct btf *btf, const struct writable *row,
		      struct part *part)
{
	const char *name = row->member;

	*part = (struct part){.type = btf_find(btf, row->outer, BTF_STRUCT)};
	while (part->type && *name) {
		size_t len = strcspn(name, ".");

		if (!find_member(btf, name, len, part, 0))
			return false;
		name += len + (name[len] == '.');
	}
	s64 size = part->type ? btf_size(btf, part->type) : -1;
	if (size < 0 || size > INT32_MAX)
		return false;
	part->start += row->skip;
	part->end = part->start + (row->len ? row->len : (u32)size) - row->cut;
	return true;
}

static bool row_is_for(const struct env *env, const struct writable *row)
{
	if (row->since > env->rules->version)
		return false;
	if (env->prog_type == PROG_TYPE_STRUCT_OPS)
		return row->ops && env->struct_ops && !strcmp(row->ops, env->struct_ops);
	return !row->ops;
}

static bool may_write_members(const struct env *env)
{
	return env->prog_type == PROG_TYPE_STRUCT_OPS ||
	       env->prog_type == PROG_TYPE_XDP || env->prog_type == PROG_TYPE_SCHED_CLS ||
	       env->prog_type == PROG_TYPE_SCHED_ACT;
}

static bool is_writable(const struct env *env, const struct reg *reg, u32 off, u32 size)
{
	const char *name = btf_name(reg->btf, reg->btf_id);

	for (u32 i = 0; i < ARRAY_SIZE(writables); i++) {
		const struct writable *row = &writables[i];
		struct part part;

		if (!row_is_for(env, row) || strcmp(name, row->type) != 0 ||
		    !find_part(reg->btf, row, &part))
			continue;
		if (off < part.start || (row->how == AT_START && off != part.start))
			continue;
		if (off < part.end && (u64)off + size <= part.end)
			return true;
	}
	return false;
}

static int write_check(struct env *env, const struct reg *reg, u32 off, u32 size)
{
	const char *name = btf_name(reg->btf, reg->btf_id);

	if (!may_write_members(env) || reg->flags & UNTRUSTED ||
	    !is_writable(env, reg, off, size))
		return reject(env, STRUCT_READ_ONLY, name, size, off);
	return 0;
}

/* ---- what a member yields ---- */

enum { TRUST = ALLOCATED | TRUSTED | NON_OWN_REF | RCU };

/* In an RCU section a member is as good as the kernel says. */
static u32 flags_in_rcu(const struct reg *reg, const struct walk *w)
{
	bool or_null = member_has_trust(reg->btf, reg->btf_id, w, MEMBER_RCU_OR_NULL);

	if (member_has_trust(reg->btf, reg->btf_id, w, MEMBER_RCU))
		return w->flags | RCU;
	if (or_null)
		return (w->flags | RCU | MAYBE_NULL) & ~(u32)UNTRUSTED;
	if (w->flags & RCU)
		return w->flags | MAYBE_NULL;
	return w->flags & (PERCPU | USER) ? w->flags : w->flags & ~(u32)TRUST;
}

static u32 flags_of_member(const struct env *env, const struct reg *reg,
			   const struct walk *w)
{
	if (reg->flags & UNTRUSTED)
		return UNTRUSTED;
	if (!env->rules->trust_told) /* all were taken for good */
		return w->flags & ~(u32)TRUST;
	if (!reg_is_trusted(reg) && !(reg->flags & RCU))
		return w->flags & ~(u32)TRUST;
	if (member_has_trust(reg->btf, reg->btf_id, w, MEMBER_TRUSTED))
		return w->flags | TRUSTED;
	if (member_has_trust(reg->btf, reg->btf_id, w, MEMBER_TRUSTED_OR_NULL))
		return w->flags | TRUSTED | MAYBE_NULL;
	if (in_rcu_section(env) && !(reg->flags & MAYBE_NULL))
		return flags_in_rcu(reg, w);
	/* Without more, helpers would take it for the sake of old programs. */
	return UNTRUSTED;
}

static void set_loaded(struct env *env, const struct access *access,
		       enum walk_result result, const struct walk *w)
{
	struct reg *reg;

	if (access->value < 0 || access->type != ACCESS_READ)
		return;
	if (result == WALK_MEM && !env->rules->untrusted_mem)
		result = WALK_SCALAR;
	reg = &env_regs(env)[access->value];
	if (result == WALK_PTR) {
		reg_set_pointer(reg, PTR_TO_BTF_ID, w->flags);
		reg->btf = w->btf;
		reg->btf_id = w->btf_id;
		reg->id = w->flags & MAYBE_NULL ? env_new_id(env) : 0;
	} else if (result == WALK_MEM) {
		reg_set_pointer(reg, PTR_TO_MEM, RDONLY | UNTRUSTED);
	} else {
		load_unknown(env, access);
	}
}

/* ---- PTR_TO_BTF_ID ---- */

static int check_pointer(struct env *env, const struct reg *reg, u32 regno, s64 off)
{
	const char *name = btf_name(reg->btf, reg->btf_id);

	if (!env->allow_ptr_leaks)
		return reject(env, STRUCT_PRIVILEGE, name);
	if (env->rules->structs_gpl && !env->prog->gpl_compatible &&
	    reg->btf != env->prog->btf)
		return reject(env, STRUCT_GPL, name);
	if (off < 0 || off > INT32_MAX)
		return reject(env, STRUCT_NEGATIVE, (int)regno, name, (long long)off);
	if (!scalar_is_const(&reg->var) || reg->var.bits.value)
		return reject(env, STRUCT_VARIABLE, (int)regno, name);
	if (reg->flags & USER)
		return reject(env, STRUCT_USER, (int)regno, name);
	if (reg->flags & PERCPU)
		return reject(env, STRUCT_PERCPU, (int)regno, name);
	return 0;
}

/* Special fields of objects are for helpers and kfuncs only. */
static int check_fields(struct env *env, const struct reg *reg, u32 off, u32 size)
{
	const struct record *rec = struct_record(env, reg->btf, reg->btf_id);

	for (u32 i = 0; rec && i < rec->n_fields; i++) {
		const struct record_field *field = &rec->fields[i];

		if (off < field->offset + field->size && field->offset < (u64)off + size)
			return reject(env, OBJECT_FIELD, btf_name(reg->btf, reg->btf_id),
				      field->offset);
	}
	return 0;
}

static int check_object(struct env *env, const struct reg *reg, u32 off, u32 size)
{
	if (!(reg->flags & (NON_OWN_REF | RCU)) && !reg->ref_id)
		return reject(env, OBJECT_GONE, btf_name(reg->btf, reg->btf_id));
	return check_fields(env, reg, off, size);
}

static int read_member(struct env *env, const struct access *access, u32 off)
{
	struct reg reg = env_regs(env)[access->reg]; /* a copy: it may be loaded itself */
	struct walk w = {
		.btf = reg.btf,
		.btf_id = reg.btf_id,
		.off = (s32)off,
		.size = access->size,
		.sized = reg.flags & ALLOCATED,
	};
	enum walk_result result = walk_struct(env, &w);

	if (result == WALK_REFUSED)
		return -EACCES;
	/* Pointers in the program's own objects are just numbers. */
	if (result == WALK_PTR && reg.flags & ALLOCATED)
		result = WALK_SCALAR;
	if (result == WALK_PTR)
		w.flags = flags_of_member(env, &reg, &w);
	set_loaded(env, access, result, &w);
	return 0;
}

int btf_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	s64 off = (s64)reg->off + access->off;
	int err = check_pointer(env, reg, access->reg, off);

	if (err)
		return err;
	if (access->type == ACCESS_WRITE && !(reg->flags & ALLOCATED))
		return write_check(env, reg, (u32)off, access->size);
	if (access->type == ACCESS_WRITE && reg->flags & UNTRUSTED)
		return reject(env, STRUCT_READ_ONLY, btf_name(reg->btf, reg->btf_id),
			      access->size, (u32)off);
	if (reg->flags & ALLOCATED)
		err = check_object(env, reg, (u32)off, access->size);
	return err ? err : read_member(env, access, (u32)off);
}

/* ---- CONST_PTR_TO_MAP ---- */

/* The kernel's struct behind a map. */
static const char *const map_structs[] = {
	[MAP_TYPE_HASH] = "bpf_htab",
	[MAP_TYPE_ARRAY] = "bpf_array",
	[MAP_TYPE_PROG_ARRAY] = "bpf_array",
	[MAP_TYPE_PERF_EVENT_ARRAY] = "bpf_array",
	[MAP_TYPE_PERCPU_HASH] = "bpf_htab",
	[MAP_TYPE_PERCPU_ARRAY] = "bpf_array",
	[MAP_TYPE_STACK_TRACE] = "bpf_stack_map",
	[MAP_TYPE_CGROUP_ARRAY] = "bpf_array",
	[MAP_TYPE_LRU_HASH] = "bpf_htab",
	[MAP_TYPE_LRU_PERCPU_HASH] = "bpf_htab",
	[MAP_TYPE_LPM_TRIE] = "lpm_trie",
	[MAP_TYPE_ARRAY_OF_MAPS] = "bpf_array",
	[MAP_TYPE_HASH_OF_MAPS] = "bpf_htab",
	[MAP_TYPE_DEVMAP] = "bpf_dtab",
	[MAP_TYPE_SOCKMAP] = "bpf_stab",
	[MAP_TYPE_CPUMAP] = "bpf_cpu_map",
	[MAP_TYPE_XSKMAP] = "xsk_map",
	[MAP_TYPE_SOCKHASH] = "bpf_shtab",
	[MAP_TYPE_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[MAP_TYPE_REUSEPORT_SOCKARRAY] = "reuseport_array",
	[MAP_TYPE_PERCPU_CGROUP_STORAGE] = "bpf_cgroup_storage_map",
	[MAP_TYPE_QUEUE] = "bpf_queue_stack",
	[MAP_TYPE_STACK] = "bpf_queue_stack",
	[MAP_TYPE_SK_STORAGE] = "bpf_local_storage_map",
	[MAP_TYPE_DEVMAP_HASH] = "bpf_dtab",
	[MAP_TYPE_STRUCT_OPS] = "bpf_struct_ops_map",
	[MAP_TYPE_RINGBUF] = "bpf_ringbuf_map",
	[MAP_TYPE_INODE_STORAGE] = "bpf_local_storage_map",
	[MAP_TYPE_TASK_STORAGE] = "bpf_local_storage_map",
	[MAP_TYPE_BLOOM_FILTER] = "bpf_bloom_filter",
	[MAP_TYPE_USER_RINGBUF] = "bpf_ringbuf_map",
	[MAP_TYPE_CGRP_STORAGE] = "bpf_local_storage_map",
	[MAP_TYPE_ARENA] = "bpf_arena",
};

static int check_map_pointer(struct env *env, const struct access *access, s64 off,
			     const char *name)
{
	if (!env->allow_ptr_leaks)
		return reject(env, STRUCT_PRIVILEGE, name);
	if (off < 0 || off > INT32_MAX)
		return reject(env, STRUCT_NEGATIVE, (int)access->reg, name,
			      (long long)off);
	if (access->type != ACCESS_READ)
		return reject(env, STRUCT_READ_ONLY, name, access->size, (u32)off);
	return 0;
}

int map_pointer_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	u32 type = reg->map->type;
	const char *name = type < ARRAY_SIZE(map_structs) ? map_structs[type] : NULL;
	s64 off = (s64)reg->off + access->off;

	if (!env->kernel)
		return unsupported(env, "a load from a map's struct needs the kernel's "
					"types: give --btf");
	u32 id = name ? btf_find(env->kernel, name, BTF_STRUCT) : 0;
	if (!id)
		return reject(env, MAP_NO_STRUCT, reg->map->name);
	int err = check_map_pointer(env, access, off, name);
	if (err)
		return err;
	struct walk w = {
		.btf = env->kernel,
		.btf_id = id,
		.off = (s32)off,
		.size = access->size,
	};
	enum walk_result result = walk_struct(env, &w);
	if (result == WALK_REFUSED)
		return -EACCES;
	set_loaded(env, access, result, &w);
	return 0;
}
