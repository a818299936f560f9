/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members of struct_ops, and arguments of which the kernel says more than their types:
 * those of iterators, and of struct_ops by the names of the kernel's stubs.
 *
 * Never does: look at the object's own struct; that it fits is the loader's business.
 * Kernel documentation: bpf/bpf_iterators.rst.
 */
#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"

static const char value_prefix[] = "bpf_struct_ops_";

/* ---- iterators ---- */

/* Iterator, argument, what it is. */
static const struct {
	const char *iter, *arg;
	u8 kind;
	u16 flags;
} iter_args[] = {
	{"bpf_link", "link", PTR_TO_BTF_ID, MAYBE_NULL},
	{"bpf_map", "map", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"bpf_map_elem", "key", PTR_TO_BUF, MAYBE_NULL | RDONLY},
	{"bpf_map_elem", "value", PTR_TO_BUF, MAYBE_NULL},
	{"bpf_prog", "prog", PTR_TO_BTF_ID, MAYBE_NULL},
	{"bpf_sk_storage_map", "sk", PTR_TO_BTF_ID, MAYBE_NULL},
	{"bpf_sk_storage_map", "value", PTR_TO_BUF, MAYBE_NULL},
	{"cgroup", "cgroup", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"dmabuf", "dmabuf", PTR_TO_BTF_ID, MAYBE_NULL},
	{"ipv6_route", "rt", PTR_TO_BTF_ID, MAYBE_NULL},
	{"kmem_cache", "s", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"ksym", "ksym", PTR_TO_BTF_ID, MAYBE_NULL},
	{"netlink", "sk", PTR_TO_BTF_ID, MAYBE_NULL},
	{"sockmap", "key", PTR_TO_BUF, MAYBE_NULL | RDONLY},
	{"sockmap", "sk", PTR_TO_BTF_ID, MAYBE_NULL},
	{"task", "task", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"task_file", "file", PTR_TO_BTF_ID, MAYBE_NULL},
	{"task_file", "task", PTR_TO_BTF_ID, MAYBE_NULL},
	{"task_vma", "task", PTR_TO_BTF_ID, MAYBE_NULL},
	{"task_vma", "vma", PTR_TO_BTF_ID, MAYBE_NULL},
	{"tcp", "sk_common", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"udp", "udp_sk", PTR_TO_BTF_ID, MAYBE_NULL | TRUSTED},
	{"unix", "unix_sk", PTR_TO_BTF_ID, MAYBE_NULL},
};

static int add_arg(struct env *env, const struct attach_arg *arg)
{
	if (!env->attach_args)
		env->attach_args = arena_array(&env->arena, MAX_ATTACH_ARGS,
					       sizeof(*env->attach_args));
	if (!env->attach_args)
		return env_no_memory(env);
	if (env->n_attach_args < MAX_ATTACH_ARGS)
		env->attach_args[env->n_attach_args++] = *arg;
	return 0;
}

/* The struct that an argument points to, or 0. */
static u32 pointee_of(const struct btf *btf, u32 type)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	return t.kind == BTF_PTR ? btf_resolve(btf, t.type) : 0;
}

static int add_iter_arg(struct env *env, u32 row)
{
	const struct btf *btf = env->attach_btf;
	struct btf_type proto = btf_type(btf, env->attach_proto);

	for (u32 i = 0; i < proto.vlen; i++) {
		struct btf_param param = btf_param(btf, &proto, i);
		struct attach_arg arg = {
			.off = 8 * i,
			.kind = iter_args[row].kind,
			.flags = iter_args[row].flags,
			.btf = btf,
			.btf_id = pointee_of(btf, param.type),
		};

		if (!strcmp(param.name, iter_args[row].arg))
			return add_arg(env, &arg);
	}
	return 0;
}

int attach_iter_args(struct env *env)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(iter_args) && !err; i++) {
		if (!strcmp(iter_args[i].iter, env->prog->attach_target))
			err = add_iter_arg(env, i);
	}
	return err;
}

/* ---- struct_ops: which member ---- */

/* Members that are no programs, though they are functions.  NULL: all but ... */
static const struct {
	const char *ops, *member;
} unsupported_members[] = {
	{"tcp_congestion_ops", "get_info"},
	{"Qdisc_ops", "peek"},
	{"Qdisc_ops", "change"},
	{"Qdisc_ops", "attach"},
	{"Qdisc_ops", "change_tx_queue_len"},
	{"Qdisc_ops", "change_real_num_tx"},
	{"Qdisc_ops", "dump"},
	{"Qdisc_ops", "dump_stats"},
	{"Qdisc_ops", "ingress_block_set"},
	{"Qdisc_ops", "egress_block_set"},
	{"Qdisc_ops", "ingress_block_get"},
	{"Qdisc_ops", "egress_block_get"},
};

/* Where members may sleep; of structs that are not here all may. */
static const struct {
	const char *ops, *member;
} sleeping_members[] = {
	{"bpf_dummy_ops", "test_sleepable"},
	{"hid_bpf_ops", "hid_hw_output_report"},
	{"hid_bpf_ops", "hid_hw_request"},
	{"hid_bpf_ops", "hid_rdesc_fixup"},
	{"sched_ext_ops", "cgroup_exit"},
	{"sched_ext_ops", "cgroup_init"},
	{"sched_ext_ops", "cgroup_prep_move"},
	{"sched_ext_ops", "cpu_offline"},
	{"sched_ext_ops", "cpu_online"},
	{"sched_ext_ops", "exit"},
	{"sched_ext_ops", "init"},
	{"sched_ext_ops", "init_task"},
};

static bool member_sleeps(const char *ops, const char *member)
{
	bool listed = false;

	for (u32 i = 0; i < ARRAY_SIZE(sleeping_members); i++) {
		if (strcmp(ops, sleeping_members[i].ops) != 0)
			continue;
		listed = true;
		if (!strcmp(member, sleeping_members[i].member))
			return true;
	}
	return !listed;
}

static bool member_is_supported(const char *ops, const char *member)
{
	for (u32 i = 0; i < ARRAY_SIZE(unsupported_members); i++) {
		if (!strcmp(ops, unsupported_members[i].ops) &&
		    !strcmp(member, unsupported_members[i].member))
			return false;
	}
	return true;
}

/* The prototype of a member that is a pointer to a function, or 0. */
static u32 member_proto(const struct btf *btf, u32 ops, const char *member)
{
	struct btf_type t = btf_type(btf, ops);
	int i = btf_find_member(btf, &t, member);

	if (i < 0)
		return 0;
	u32 proto = pointee_of(btf, btf_member(btf, &t, (u32)i).type);
	return btf_kind(btf, proto) == BTF_FUNC_PROTO ? proto : 0;
}

/* What the object says: the member of its map that is this program. */
struct wanted {
	char ops[128];
	char member[128];
};

static void copy_essential(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%.*s", (int)btf_essential_len(name), name);
}

static bool wanted_by_map(const struct env *env, struct wanted *w)
{
	const struct map_def *map = env->opts->struct_ops;
	const struct btf *btf = env->prog->btf;

	if (!map || !btf)
		return false;
	struct btf_type t = btf_type(btf, btf_resolve(btf, map->btf_value_id));
	for (u32 i = 0; i < map->n_slots && t.kind == BTF_STRUCT; i++) {
		if (strcmp(map->slots[i].name, env->prog->name) != 0)
			continue;
		for (u32 k = 0; k < t.vlen; k++) {
			struct btf_member m = btf_member(btf, &t, k);

			if (m.bit_offset != map->slots[i].index * 64)
				continue;
			copy_essential(w->ops, sizeof(w->ops), t.name);
			copy_essential(w->member, sizeof(w->member), m.name);
			return true;
		}
	}
	return false;
}

/* Without the map: the section names the member, and one struct alone has such a member.
 */
static bool wanted_by_section(const struct env *env, struct wanted *w)
{
	const struct btf *btf = env->kernel;
	const char *member = env->prog->attach_target;
	u32 n = 0;

	for (u32 id = 1; member && id < btf_count(btf); id++) {
		if (btf_kind(btf, id) != BTF_STRUCT)
			continue;
		const char *name = btf_name(btf, id);
		if (strncmp(name, value_prefix, sizeof(value_prefix) - 1) != 0)
			continue;
		name += sizeof(value_prefix) - 1;
		u32 ops = btf_find(btf, name, BTF_STRUCT);
		if (!ops || !member_proto(btf, ops, member))
			continue;
		copy_essential(w->ops, sizeof(w->ops), name);
		copy_essential(w->member, sizeof(w->member), member);
		n++;
	}
	return n == 1;
}

/* ---- struct_ops: arguments, as the kernel's stub names them ---- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len >= n && !strcmp(name + len - n, suffix);
}

static u32 arg_offset(const struct btf *btf, const struct btf_type *proto, u32 n)
{
	u32 off = 0;

	for (u32 i = 0; i < n; i++) {
		s64 size = btf_size(btf, btf_param(btf, proto, i).type);

		off += size > 0 && size <= 64 ? (u32)round_up((u64)size, 8) : 8;
	}
	return off;
}

static int add_member_args(struct env *env, const struct wanted *w)
{
	const struct btf *btf = env->kernel;
	char stub[300];
	int err = 0;

	snprintf(stub, sizeof(stub), "%s__%s", w->ops, w->member);
	u32 func = btf_find(btf, stub, BTF_FUNC);
	struct btf_type named = btf_type(btf, btf_type(btf, func).type);
	struct btf_type proto = btf_type(btf, env->attach_proto);
	if (!func || named.kind != BTF_FUNC_PROTO)
		return 0;
	for (u32 i = 0; i < proto.vlen && i < named.vlen && !err; i++) {
		const char *name = btf_param(btf, &named, i).name;
		bool nullable = ends_with(name, "__nullable");
		bool counted = ends_with(name, "__ref");
		struct attach_arg arg = {
			.off = arg_offset(btf, &proto, i),
			.kind = PTR_TO_BTF_ID,
			.flags = TRUSTED | (nullable ? MAYBE_NULL : 0),
			.btf = btf,
			.btf_id = pointee_of(btf, btf_param(btf, &proto, i).type),
			.counted = counted,
		};

		if (nullable || counted)
			err = add_arg(env, &arg);
	}
	return err;
}

int attach_find_member(struct env *env)
{
	const struct btf *btf = env->kernel;
	struct wanted w;
	char value[160];

	if (!env->prog->gpl_compatible)
		return reject_at(env, NO_PC, ATTACH_GPL, "struct_ops");
	if (!btf)
		return unsupported(env, "struct_ops need the kernel's types: give --btf");
	if (!wanted_by_map(env, &w) && !wanted_by_section(env, &w))
		return unsupported(env,
				   "which member of which struct_ops the program is, "
				   "is not known");
	snprintf(value, sizeof(value), "%s%s", value_prefix, w.ops);
	u32 ops = btf_find(btf, w.ops, BTF_STRUCT);
	if (!ops || !btf_find(btf, value, BTF_STRUCT))
		return reject_at(env, NO_PC, ATTACH_NOT_FOUND, w.ops);
	env->attach_proto = member_proto(btf, ops, w.member);
	if (!env->attach_proto)
		return reject_at(env, NO_PC, STRUCT_OPS_NO_MEMBER, w.ops, w.member);
	if (!member_is_supported(w.ops, w.member))
		return reject_at(env, NO_PC, STRUCT_OPS_UNSUPPORTED, w.ops, w.member);
	if (env->prog->sleepable && !member_sleeps(w.ops, w.member))
		return reject_at(env, NO_PC, STRUCT_OPS_SLEEPS, w.ops, w.member);
	struct btf_type t = btf_type(btf, ops);
	int i = btf_find_member(btf, &t, w.member);
	env->attach_btf = btf;
	env->attach_func = ops;
	env->struct_ops = t.name;
	env->attach_name = btf_member(btf, &t, (u32)i).name;
	return add_member_args(env, &w);
}
