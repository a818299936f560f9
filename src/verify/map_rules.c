/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which maps go with which helpers and with which programs.
 *
 * Two tables, for both sides of a call: what a type of map is for, and what a helper
 * works on; then the rules for a program and the maps that its instructions name.  Never
 * does: judge how a map was made (map_attr.c).  Words: bpf-helpers(7),
 * Documentation/bpf/maps.rst.
 */
#include <linux/bpf.h>

#include "verify/calls.h"
#include "verify/record.h"

enum { USED_MAPS = 64 };

/* ---- maps and helpers ---- */

/* Of maps that only these helpers know; 0 ends a row.  Types without a row: any. */
static const u8 helpers_of[MAP_TYPE_ARENA + 1][9] = {
	[MAP_TYPE_PROG_ARRAY] = {BPF_FUNC_tail_call},
	[MAP_TYPE_PERF_EVENT_ARRAY] = {BPF_FUNC_perf_event_read,
				       BPF_FUNC_perf_event_output, BPF_FUNC_skb_output,
				       BPF_FUNC_perf_event_read_value,
				       BPF_FUNC_xdp_output},
	[MAP_TYPE_RINGBUF] = {BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_reserve,
			      BPF_FUNC_ringbuf_query, BPF_FUNC_ringbuf_reserve_dynptr,
			      BPF_FUNC_ringbuf_submit_dynptr,
			      BPF_FUNC_ringbuf_discard_dynptr},
	[MAP_TYPE_USER_RINGBUF] = {BPF_FUNC_user_ringbuf_drain},
	[MAP_TYPE_STACK_TRACE] = {BPF_FUNC_get_stackid},
	[MAP_TYPE_CGROUP_ARRAY] = {BPF_FUNC_skb_under_cgroup,
				   BPF_FUNC_current_task_under_cgroup},
	[MAP_TYPE_CGROUP_STORAGE] = {BPF_FUNC_get_local_storage},
	[MAP_TYPE_PERCPU_CGROUP_STORAGE] = {BPF_FUNC_get_local_storage},
	[MAP_TYPE_DEVMAP] = {BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_DEVMAP_HASH] = {BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_CPUMAP] = {BPF_FUNC_redirect_map},
	[MAP_TYPE_XSKMAP] = {BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_ARRAY_OF_MAPS] = {BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_HASH_OF_MAPS] = {BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_SOCKMAP] = {BPF_FUNC_sk_redirect_map, BPF_FUNC_sock_map_update,
			      BPF_FUNC_msg_redirect_map, BPF_FUNC_sk_select_reuseport,
			      BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_SOCKHASH] = {BPF_FUNC_sk_redirect_hash, BPF_FUNC_sock_hash_update,
			       BPF_FUNC_msg_redirect_hash, BPF_FUNC_sk_select_reuseport,
			       BPF_FUNC_map_lookup_elem},
	[MAP_TYPE_REUSEPORT_SOCKARRAY] = {BPF_FUNC_sk_select_reuseport},
	[MAP_TYPE_QUEUE] = {BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem,
			    BPF_FUNC_map_push_elem},
	[MAP_TYPE_STACK] = {BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem,
			    BPF_FUNC_map_push_elem},
	[MAP_TYPE_SK_STORAGE] = {BPF_FUNC_sk_storage_get, BPF_FUNC_sk_storage_delete,
				 BPF_FUNC_kptr_xchg},
	[MAP_TYPE_INODE_STORAGE] = {BPF_FUNC_inode_storage_get,
				    BPF_FUNC_inode_storage_delete, BPF_FUNC_kptr_xchg},
	[MAP_TYPE_TASK_STORAGE] = {BPF_FUNC_task_storage_get,
				   BPF_FUNC_task_storage_delete, BPF_FUNC_kptr_xchg},
	[MAP_TYPE_CGRP_STORAGE] = {HELPER_cgrp_storage_get, HELPER_cgrp_storage_delete,
				   BPF_FUNC_kptr_xchg},
	[MAP_TYPE_BLOOM_FILTER] = {BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem},
};

/* Of helpers that work on these types of maps only. */
#define ON(name) (1ull << MAP_TYPE_##name)
static const u64 maps_of[ABI_HELPERS] = {
	[BPF_FUNC_tail_call] = ON(PROG_ARRAY),
	[BPF_FUNC_perf_event_read] = ON(PERF_EVENT_ARRAY),
	[BPF_FUNC_perf_event_output] = ON(PERF_EVENT_ARRAY),
	[BPF_FUNC_perf_event_read_value] = ON(PERF_EVENT_ARRAY),
	[BPF_FUNC_skb_output] = ON(PERF_EVENT_ARRAY),
	[BPF_FUNC_xdp_output] = ON(PERF_EVENT_ARRAY),
	[BPF_FUNC_ringbuf_output] = ON(RINGBUF),
	[BPF_FUNC_ringbuf_reserve] = ON(RINGBUF),
	[BPF_FUNC_ringbuf_query] = ON(RINGBUF),
	[BPF_FUNC_ringbuf_reserve_dynptr] = ON(RINGBUF),
	[BPF_FUNC_ringbuf_submit_dynptr] = ON(RINGBUF),
	[BPF_FUNC_ringbuf_discard_dynptr] = ON(RINGBUF),
	[BPF_FUNC_user_ringbuf_drain] = ON(USER_RINGBUF),
	[BPF_FUNC_get_stackid] = ON(STACK_TRACE),
	[BPF_FUNC_current_task_under_cgroup] = ON(CGROUP_ARRAY),
	[BPF_FUNC_skb_under_cgroup] = ON(CGROUP_ARRAY),
	[BPF_FUNC_redirect_map] = ON(DEVMAP) | ON(DEVMAP_HASH) | ON(CPUMAP) | ON(XSKMAP),
	[BPF_FUNC_sk_redirect_map] = ON(SOCKMAP),
	[BPF_FUNC_msg_redirect_map] = ON(SOCKMAP),
	[BPF_FUNC_sock_map_update] = ON(SOCKMAP),
	[BPF_FUNC_sk_redirect_hash] = ON(SOCKHASH),
	[BPF_FUNC_msg_redirect_hash] = ON(SOCKHASH),
	[BPF_FUNC_sock_hash_update] = ON(SOCKHASH),
	[BPF_FUNC_get_local_storage] = ON(CGROUP_STORAGE) | ON(PERCPU_CGROUP_STORAGE),
	[BPF_FUNC_sk_select_reuseport] =
		ON(REUSEPORT_SOCKARRAY) | ON(SOCKMAP) | ON(SOCKHASH),
	[BPF_FUNC_map_pop_elem] = ON(QUEUE) | ON(STACK),
	[BPF_FUNC_map_peek_elem] = ON(QUEUE) | ON(STACK) | ON(BLOOM_FILTER),
	[BPF_FUNC_map_push_elem] = ON(QUEUE) | ON(STACK) | ON(BLOOM_FILTER),
	[BPF_FUNC_map_lookup_percpu_elem] =
		ON(PERCPU_ARRAY) | ON(PERCPU_HASH) | ON(LRU_PERCPU_HASH),
	[BPF_FUNC_sk_storage_get] = ON(SK_STORAGE),
	[BPF_FUNC_sk_storage_delete] = ON(SK_STORAGE),
	[BPF_FUNC_inode_storage_get] = ON(INODE_STORAGE),
	[BPF_FUNC_inode_storage_delete] = ON(INODE_STORAGE),
	[BPF_FUNC_task_storage_get] = ON(TASK_STORAGE),
	[BPF_FUNC_task_storage_delete] = ON(TASK_STORAGE),
	[HELPER_cgrp_storage_get] = ON(CGRP_STORAGE),
	[HELPER_cgrp_storage_delete] = ON(CGRP_STORAGE),
};

/* Sockets in maps may be changed where no socket can be locked at the same time. */
static bool may_update_sockets(const struct env *env, u32 func)
{
	if (func != BPF_FUNC_map_update_elem && func != BPF_FUNC_map_delete_elem)
		return false;
	switch (env->prog_type) {
	case PROG_TYPE_TRACING: return env->attach_type == ATTACH_TRACE_ITER;
	case PROG_TYPE_SOCK_OPS: return func == BPF_FUNC_map_delete_elem;
	case PROG_TYPE_SOCKET_FILTER:
	case PROG_TYPE_SCHED_CLS:
	case PROG_TYPE_SCHED_ACT:
	case PROG_TYPE_XDP:
	case PROG_TYPE_SK_REUSEPORT:
	case PROG_TYPE_FLOW_DISSECTOR:
	case PROG_TYPE_SK_LOOKUP: return true;
	default: return false;
	}
}

static bool map_offers(const struct env *env, u32 type, u32 func)
{
	const u8 *helpers = helpers_of[type];

	if (!*helpers)
		return true;
	for (; *helpers; helpers++) {
		if (*helpers == func)
			return true;
	}
	return (type == MAP_TYPE_SOCKMAP || type == MAP_TYPE_SOCKHASH) &&
	       may_update_sockets(env, func);
}

int map_call_check(struct env *env, const struct map_def *map, u32 func)
{
	const struct abi_helper *helper = abi_helper(func);

	if (map->type < ARRAY_SIZE(helpers_of) && func < ABI_HELPERS &&
	    map_offers(env, map->type, func) &&
	    (!maps_of[func] || maps_of[func] >> map->type & 1))
		return 0;
	return reject(env, MAP_FOR_HELPER, helper ? helper->full_name : "?", map->name);
}

/* ---- maps and programs ---- */

/* What was seen while the program's instructions were walked. */
struct used {
	bool *maps; /* by index of prog->maps */
	u32 n;
	bool arena, cgroup_storage, percpu_cgroup_storage;
};

static bool is_tracing(u32 prog_type)
{
	switch (prog_type) {
	case PROG_TYPE_KPROBE:
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_PERF_EVENT:
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE: return true;
	default: return false;
	}
}

/* Tracing programs may interrupt whoever holds the lock. */
static int fields_check(struct env *env, const struct map_def *map)
{
	static const struct {
		u32 kinds;
		const char *text;
	} not_traced[] = {
		{FIELD_LIST_HEAD | FIELD_RB_ROOT, "bpf_list_head and bpf_rb_root"},
		{FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK, "bpf_spin_lock"},
		{FIELD_TIMER, "bpf_timer"},
		{FIELD_WORKQUEUE, "bpf_wq"},
	};
	const struct record *rec = map_record(env, map);

	if (!rec)
		return 0;
	if (env->prog_type == PROG_TYPE_SOCKET_FILTER &&
	    rec->kinds & (FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK))
		return reject(env, MAP_FIELD_FILTER, map->name);
	for (u32 i = 0; i < ARRAY_SIZE(not_traced) && is_tracing(env->prog_type); i++) {
		if (rec->kinds & not_traced[i].kinds)
			return reject(env, MAP_FIELD_TRACING, not_traced[i].text,
				      map->name);
	}
	return 0;
}

/* Maps that free what they hold after all readers that may sleep are through. */
static bool may_be_used_asleep(u32 type)
{
	const u64 types = ON(HASH) | ON(LRU_HASH) | ON(ARRAY) | ON(PERCPU_HASH) |
			  ON(PERCPU_ARRAY) | ON(LRU_PERCPU_HASH) | ON(ARRAY_OF_MAPS) |
			  ON(HASH_OF_MAPS) | ON(RINGBUF) | ON(USER_RINGBUF) |
			  ON(INODE_STORAGE) | ON(SK_STORAGE) | ON(TASK_STORAGE) |
			  ON(CGRP_STORAGE) | ON(QUEUE) | ON(STACK) | ON(ARENA);

	return type < 64 && types >> type & 1;
}

static int map_fits(struct env *env, const struct map_def *map)
{
	const struct abi_name *type = abi_map_type(map->type);
	int err = fields_check(env, map);

	if (err)
		return err;
	if (map->type == MAP_TYPE_STRUCT_OPS)
		return reject(env, MAP_IS_STRUCT_OPS, map->name);
	if (env->prog->sleepable && !may_be_used_asleep(map->type))
		return reject(env, MAP_NOT_SLEEPABLE, map->name, type ? type->name : "?");
	return 0;
}

/* Of which a program has one at most. */
static int only_one(struct env *env, const struct map_def *map, struct used *used)
{
	bool *seen = NULL;

	if (map->type == MAP_TYPE_CGROUP_STORAGE)
		seen = &used->cgroup_storage;
	if (map->type == MAP_TYPE_PERCPU_CGROUP_STORAGE)
		seen = &used->percpu_cgroup_storage;
	if (seen) {
		if (*seen)
			return reject(env, TWO_CGROUP_STORAGES, map->name);
		*seen = true;
	}
	if (map->type != MAP_TYPE_ARENA)
		return 0;
	if (used->arena)
		return reject(env, TWO_ARENAS, map->name);
	used->arena = true;
	if (!env->allow_ptr_leaks || !env->privileged)
		return reject(env, ARENA_PRIVILEGES);
	return 0;
}

static int use_check(struct env *env, const struct insn *insn, struct used *used)
{
	u32 index = (u32)insn->imm;
	const struct map_def *map;
	bool again;
	int err;

	map = env->prog->maps[index];
	again = used->maps[index];
	if (!again && used->n++ == USED_MAPS)
		return reject(env, TOO_MANY_MAPS, USED_MAPS);
	used->maps[index] = true;
	err = map_fits(env, map);
	if (err || again)
		return err;
	return only_one(env, map, used);
}

int maps_check(struct env *env)
{
	const struct op_info *wide = op_info(OP_LDDW);
	struct used used = {
		.maps = arena_array(&env->arena, env->prog->n_maps + 1, sizeof(bool)),
	};
	int err = 0;

	if (!used.maps)
		return env_no_memory(env);
	for (u32 pc = 0; pc + 1 < env->n_insns && !err; pc++) {
		const struct insn *insn = &env->insns[pc];

		if (insn->code != wide->code)
			continue;
		env->pc = pc++;
		if (insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE)
			err = use_check(env, insn, &used);
	}
	if (!err)
		env->pc = 0;
	return err;
}
