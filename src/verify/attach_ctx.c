/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The context of a program that is attached to a function, tracepoint, hook, iterator or
 * member of a struct: 8 bytes an argument, by the prototype.
 *
 * Numbers, and structs by value, are numbers; pointers to structs are PTR_TO_BTF_ID, and
 * how far they may be relied on is said by who calls; all other pointers are numbers,
 * too. Never does: find what the program is attached to (attach.c).
 */
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"
#include "verify/calls.h"
#include "verify/record.h"

enum { TRACE_ARGS = 12, REG_ARGS = 5 };

/* Arguments of tracepoints that may be NULL, or an error instead of a pointer, though
 * their types do not say so. */
static const struct {
	const char *name;
	u16 null, error;
} tracepoint_args[] = {
#define ARG(n) (1 << (n))
	{"afs_flock_ev", ARG(1), 0},
	{"afs_make_fs_call", ARG(1), 0},
	{"afs_make_fs_call1", ARG(1), 0},
	{"afs_make_fs_call2", ARG(1), 0},
	{"afs_make_fs_calli", ARG(1), 0},
	{"afs_protocol_error", ARG(0), 0},
	{"bpf_testmod_test_read", 0, 0},
	{"break_lease_block", ARG(1), 0},
	{"break_lease_noblock", ARG(1), 0},
	{"break_lease_unblock", ARG(1), 0},
	{"cachefiles_io_error", ARG(0), 0},
	{"cachefiles_lookup", ARG(0), ARG(2)},
	{"cachefiles_mark_active", ARG(0), 0},
	{"cachefiles_mark_failed", ARG(0), 0},
	{"cachefiles_mark_inactive", ARG(0), 0},
	{"cachefiles_ondemand_close", ARG(0), 0},
	{"cachefiles_ondemand_copen", ARG(0), 0},
	{"cachefiles_ondemand_cread", ARG(0), 0},
	{"cachefiles_ondemand_fd_release", ARG(0), 0},
	{"cachefiles_ondemand_fd_write", ARG(0), 0},
	{"cachefiles_ondemand_open", ARG(0), 0},
	{"cachefiles_ondemand_read", ARG(0), 0},
	{"cachefiles_prep_read", ARG(0), 0},
	{"cachefiles_rename", ARG(0), 0},
	{"cachefiles_unlink", ARG(0), 0},
	{"cachefiles_vfs_error", ARG(0), 0},
	{"device_pm_callback_start", ARG(1), 0},
	{"ext4_mballoc_discard", ARG(1), 0},
	{"ext4_mballoc_free", ARG(1), 0},
	{"fcntl_setlk", ARG(1), 0},
	{"fib_table_lookup", ARG(2), 0},
	{"flock_lock_inode", ARG(1), 0},
	{"folio_wait_writeback", ARG(1), 0},
	{"generic_delete_lease", ARG(1), 0},
	{"host1x_cdma_push_gather", ARG(4), 0},
	{"hugetlbfs_alloc_inode", ARG(1), 0},
	{"kfree_skb", ARG(3), 0},
	{"locks_remove_posix", ARG(1), 0},
	{"mm_collapse_huge_page_isolate", ARG(0), 0},
	{"mm_khugepaged_collapse_file", ARG(1), 0},
	{"mm_khugepaged_scan_file", ARG(1), 0},
	{"mm_khugepaged_scan_pmd", ARG(1), 0},
	{"mm_page_alloc", ARG(0), 0},
	{"mm_page_alloc_zone_locked", ARG(0), 0},
	{"mm_page_pcpu_drain", ARG(0), 0},
	{"mr_integ_alloc", 0, ARG(3)},
	{"netfs_failure", ARG(1), 0},
	{"posix_lock_inode", ARG(1), 0},
	{"qdisc_dequeue", ARG(3), 0},
	{"rxrpc_recvdata", ARG(0), 0},
	{"rxrpc_resend", ARG(1), 0},
	{"sched_pi_setprio", ARG(1), 0},
	{"sched_stick_numa", ARG(2), 0},
	{"sched_swap_numa", ARG(2), 0},
	{"tcp_send_reset", ARG(0) | ARG(1), 0},
	{"tcp_sendmsg_locked", ARG(2), 0},
	{"tegra_dma_tx_status", ARG(2), 0},
	{"time_out_leases", ARG(1), 0},
	{"tmigr_update_events", ARG(0), 0},
	{"writeback_dirty_folio", ARG(1), 0},
	{"xfs_blockgc_flush_all", ARG(0), 0},
	{"xfs_blockgc_free_space", ARG(1), 0},
	{"xfs_blockgc_start", ARG(0), 0},
	{"xfs_blockgc_stop", ARG(0), 0},
	{"xfs_blockgc_worker", ARG(0), 0},
	{"xfs_btree_overlapped_query_range", ARG(2), 0},
	{"xfs_btree_updkeys", ARG(2), 0},
	{"xfs_defer_add_item", ARG(0), 0},
	{"xfs_defer_cancel_item", ARG(0), 0},
	{"xfs_defer_cancel_list", ARG(0), 0},
	{"xfs_defer_create_intent", ARG(0), 0},
	{"xfs_defer_finish_item", ARG(0), 0},
	{"xfs_defer_isolate_paused", ARG(0), 0},
	{"xfs_defer_item_pause", ARG(0), 0},
	{"xfs_defer_item_unpause", ARG(0), 0},
	{"xfs_defer_pending_abort", ARG(0), 0},
	{"xfs_defer_pending_finish", ARG(0), 0},
	{"xfs_defer_relog_intent", ARG(0), 0},
	{"xfs_fs_sync_fs", ARG(0), 0},
	{"xfs_inodegc_flush", ARG(0), 0},
	{"xfs_inodegc_push", ARG(0), 0},
	{"xfs_inodegc_queue", ARG(0), 0},
	{"xfs_inodegc_start", ARG(0), 0},
	{"xfs_inodegc_stop", ARG(0), 0},
	{"xfs_inodegc_throttle", ARG(0), 0},
	{"xfs_ioc_free_eofblocks", ARG(1), 0},
	{"xfs_map_blocks_alloc", ARG(4), 0},
	{"xfs_map_blocks_found", ARG(4), 0},
	{"xprt_get_cong", ARG(1), 0},
	{"xprt_put_cong", ARG(1), 0},
	{"xprt_release_cong", ARG(1), 0},
	{"xprt_reserve_cong", ARG(1), 0},
	{"xs_stream_read_data", ARG(0), 0},
#undef ARG
};

/* One argument, or what was returned. */
struct arg {
	u32 index; /* of the context; n_args: the result */
	u32 n_args;
	const char *name;
	u32 type;
	bool known; /* there is a prototype */
	bool result;
};

static int refuse_arg(struct env *env, const struct ctx_use *use)
{
	return reject(env, NO_ATTACH_ARG, env->attach_name ? env->attach_name : "?",
		      use->off);
}

/* ---- which argument ---- */

static u32 arg_bytes(const struct btf *btf, u32 type)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	bool sized = t.kind == BTF_INT || t.kind == BTF_ENUM || t.kind == BTF_ENUM64 ||
		     t.kind == BTF_FLOAT || t.kind == BTF_STRUCT || t.kind == BTF_UNION;

	return sized ? (u32)round_up(t.size, 8) : 8;
}

static u32 index_at(const struct btf *btf, const struct btf_type *proto, u32 off)
{
	u64 end = 0;

	for (u32 i = 0; i < proto->vlen; i++) {
		end += arg_bytes(btf, btf_param(btf, proto, i).type);
		if (off < end)
			return i;
	}
	end += proto->type ? arg_bytes(btf, proto->type) : 0;
	return off < end ? proto->vlen : proto->vlen + 1;
}

static bool returns_something(const struct env *env)
{
	return env->attach_type == ATTACH_LSM_MAC ||
	       env->attach_type == ATTACH_LSM_CGROUP ||
	       env->attach_type == ATTACH_TRACE_FEXIT ||
	       env->attach_type == ATTACH_MODIFY_RETURN;
}

static bool is_number(const struct btf *btf, u32 type)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	return (t.kind == BTF_INT && t.size <= 8) || t.kind == BTF_ENUM ||
	       t.kind == BTF_ENUM64;
}

/* Without a prototype (static functions of programs) there are five numbers. */
static int find_unknown(struct env *env, const struct ctx_use *use, struct arg *arg)
{
	*arg = (struct arg){.index = (u32)use->off / 8, .n_args = REG_ARGS};
	arg->result = arg->index == REG_ARGS;
	if (arg->index > REG_ARGS ||
	    (arg->result &&
	     (!returns_something(env) || env->attach_type == ATTACH_MODIFY_RETURN)))
		return refuse_arg(env, use);
	return 0;
}

static int find_arg(struct env *env, const struct ctx_use *use, struct arg *arg)
{
	const struct btf *btf = env->attach_btf;

	if (!env->attach_proto)
		return find_unknown(env, use, arg);
	struct btf_type proto = btf_type(btf, env->attach_proto);
	/* The first argument of what a tracepoint calls is not for programs. */
	u32 hidden = env->prog->type == PROG_TYPE_TRACING &&
		     env->attach_type == ATTACH_TRACE_RAW_TP;
	*arg = (struct arg){
		.index = index_at(btf, &proto, (u32)use->off),
		.n_args = proto.vlen > hidden ? proto.vlen - hidden : 0,
		.known = true,
	};
	if (arg->index > arg->n_args)
		return refuse_arg(env, use);
	arg->result = arg->index == arg->n_args;
	if (arg->result) {
		arg->type = proto.type;
		if (env->prog->type == PROG_TYPE_STRUCT_OPS || !returns_something(env) ||
		    (env->attach_type == ATTACH_MODIFY_RETURN &&
		     btf_kind(btf, btf_resolve(btf, proto.type)) != BTF_INT))
			return refuse_arg(env, use);
		return 0;
	}
	struct btf_param param = btf_param(btf, &proto, arg->index + hidden);
	arg->type = param.type;
	arg->name = param.name;
	return 0;
}

/* ---- what it is ---- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len >= n && !strcmp(name + len - n, suffix);
}

/* Is the object there for as long as the program runs? */
static bool args_are_trusted(const struct env *env)
{
	switch (env->prog->type) {
	case PROG_TYPE_TRACING:
		return env->attach_type == ATTACH_TRACE_RAW_TP ||
		       env->attach_type == ATTACH_TRACE_ITER;
	case PROG_TYPE_LSM: return lsm_args_are_trusted(env);
	case PROG_TYPE_STRUCT_OPS: return true;
	default: return false;
	}
}

static void set_number(const struct env *env, const struct arg *arg, struct reg *reg)
{
	s32 min, max;

	reg_set_unknown(reg);
	if (!arg->result || env->prog->type != PROG_TYPE_LSM ||
	    env->attach_type != ATTACH_LSM_MAC || !lsm_return_range(env, &min, &max))
		return;
	reg->var.smin = reg->var.smin32 = min;
	reg->var.smax = reg->var.smax32 = max;
	scalar_sync(&reg->var);
}

static const struct attach_arg *find_attach_arg(const struct env *env, u32 off)
{
	for (u32 i = 0; i < env->n_attach_args; i++) {
		if (env->attach_args[i].off == off)
			return &env->attach_args[i];
	}
	return NULL;
}

static int set_attach_arg(struct env *env, const struct attach_arg *attach,
			  struct ctx_use *use)
{
	if (attach->ref_id && !ref_find(env->cur, attach->ref_id))
		return reject(env, ATTACH_ARG_RELEASED, use->off);
	reg_set_pointer(&use->value, attach->kind, attach->flags);
	if (attach->kind != PTR_TO_BTF_ID)
		return 0;
	use->value.btf = attach->btf;
	use->value.btf_id = attach->btf_id;
	use->value.ref_id = attach->ref_id;
	return 0;
}

/* false: it may be an error instead of a pointer. */
static bool tracepoint_flags(const struct env *env, const struct arg *arg, u32 *flags)
{
	const char *name = env->attach_name;

	for (u32 i = 0; i < ARRAY_SIZE(tracepoint_args); i++) {
		if (strcmp(name, tracepoint_args[i].name) != 0)
			continue;
		if (tracepoint_args[i].null >> arg->index & 1)
			*flags |= MAYBE_NULL;
		return !(tracepoint_args[i].error >> arg->index & 1);
	}
	return true;
}

static u32 tag_flags(const struct btf *btf, u32 pointee)
{
	struct btf_type t = btf_type(btf, pointee);

	if (t.kind != BTF_TYPE_TAG || t.kind_flag)
		return 0;
	if (!strcmp(t.name, "user"))
		return USER;
	return !strcmp(t.name, "percpu") ? PERCPU : 0;
}

/* A pointer in a program that is traced: only its context is one, and is the kernel's. */
static int set_traced_ctx(struct env *env, u32 pointee, struct ctx_use *use, u32 flags)
{
	const char *name = btf_name(env->attach_btf, pointee);
	u32 type = env->opts->attach_prog->type;
	const char *seen = ctx_struct_name(type);

	if (!env->kernel)
		return unsupported(env,
				   "the context of a traced program needs the kernel's "
				   "types: give --btf");
	u32 id = kernel_ctx_struct(env->kernel, type);
	if (!seen || !id || strcmp(name, seen) != 0)
		return refuse_arg(env, use);
	reg_set_pointer(&use->value, PTR_TO_BTF_ID, flags);
	use->value.btf = env->kernel;
	use->value.btf_id = id;
	return 0;
}

/* Congestion control always has TCP's sockets. */
static u32 promoted(const struct env *env, u32 id, u32 flags)
{
	if (env->prog->type != PROG_TYPE_STRUCT_OPS || flags & ~(u32)TRUSTED ||
	    strcmp(env->struct_ops, "tcp_congestion_ops") != 0 ||
	    strcmp(btf_name(env->attach_btf, id), "sock") != 0)
		return id;
	u32 tcp = btf_find(env->attach_btf, "tcp_sock", BTF_STRUCT);
	return tcp ? tcp : id;
}

static int set_struct(struct env *env, const struct arg *arg, u32 pointee,
		      struct ctx_use *use)
{
	const struct btf *btf = env->attach_btf;
	u32 flags = args_are_trusted(env) ? TRUSTED : 0;
	u32 id = btf_resolve(btf, pointee);
	bool pointer = true;

	if (arg->name && ends_with(arg->name, "__nullable"))
		flags |= MAYBE_NULL;
	if (env->attach_type == ATTACH_TRACE_RAW_TP &&
	    env->prog->type == PROG_TYPE_TRACING)
		pointer = tracepoint_flags(env, arg, &flags);
	if (env->opts->attach_prog)
		return set_traced_ctx(env, id, use, flags);
	flags |= tag_flags(btf, pointee);
	if (btf_kind(btf, id) != BTF_STRUCT && btf_kind(btf, id) != BTF_UNION)
		return reject(env, ATTACH_ARG_NO_STRUCT, env->attach_name,
			      arg->index + 1);
	if (!pointer) {
		reg_set_unknown(&use->value);
		return 0;
	}
	reg_set_pointer(&use->value, PTR_TO_BTF_ID, flags);
	use->value.btf = btf;
	use->value.btf_id = promoted(env, id, flags);
	return 0;
}

/* Pointers to nothing in particular, and to integers, are numbers. */
static bool points_to_number(const struct env *env, u32 pointee)
{
	u32 id = btf_resolve(env->attach_btf, pointee);

	if (!pointee || btf_kind(env->attach_btf, id) == BTF_INT)
		return true;
	return env->rules->const_void_args && !id;
}

static int set_pointer(struct env *env, const struct arg *arg, u32 pointee,
		       struct ctx_use *use)
{
	const struct attach_arg *attach = find_attach_arg(env, (u32)use->off);

	if (use->size != 8)
		return reject(env, ATTACH_ARG_POINTER_PART, env->attach_name,
			      arg->index + 1);
	if (attach && attach->kind == PTR_TO_BUF && attach->flags & MAYBE_NULL)
		return set_attach_arg(env, attach, use);
	if (points_to_number(env, pointee)) {
		reg_set_unknown(&use->value);
		return 0;
	}
	return attach ? set_attach_arg(env, attach, use)
		      : set_struct(env, arg, pointee, use);
}

/* All but LSM's contexts can only be read, in their first twelve words. */
static bool is_inside(const struct env *env, const struct ctx_use *use)
{
	if (use->off < 0 || use->off % 8)
		return false;
	if (env->prog->type == PROG_TYPE_LSM)
		return true;
	return use->how == CTX_READ && use->off < 8 * TRACE_ARGS;
}

int attach_ctx_access(struct env *env, struct ctx_use *use)
{
	const struct btf *btf = env->attach_btf;
	struct arg arg;
	int err;

	if (!is_inside(env, use))
		return refuse_arg(env, use);
	err = find_arg(env, use, &arg);
	if (err)
		return err;
	if (!arg.known || is_number(btf, arg.type)) {
		set_number(env, &arg, &use->value);
		return 0;
	}
	struct btf_type t = btf_type(btf, btf_resolve(btf, arg.type));
	if (t.kind == BTF_STRUCT || (t.kind == BTF_UNION && env->rules->union_args)) {
		reg_set_unknown(&use->value);
		return 0;
	}
	if (t.kind != BTF_PTR)
		return reject(env, ATTACH_ARG_KIND, env->attach_name, arg.index + 1);
	return set_pointer(env, &arg, t.type, use);
}

int attach_ctx_refs(struct env *env)
{
	for (u32 i = 0; i < env->n_attach_args; i++) {
		int id;

		if (!env->attach_args[i].counted)
			continue;
		id = ref_acquire(env, 0);
		if (id < 0)
			return id;
		env->attach_args[i].ref_id = (u32)id;
	}
	return 0;
}
