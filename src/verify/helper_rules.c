/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for helpers that no row of abi/helpers.def can say: who may call them beside the
 * type of the program, and what single ones demand of their arguments.
 *
 * One function a question, one case a helper.  Never does: judge arguments that a row
 * describes (helper.c), or which map fits (map_rules.c).  Words: bpf-helpers(7).
 */
#include <ctype.h>
#include <linux/bpf.h>
#include <string.h>

#include "verify/attach.h"
#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

/* ---- who may call ---- */

/* These read the kernel's memory, or print: without CAP_PERFMON nobody is offered them.
 */
static bool needs_perfmon(u32 func)
{
	switch (func) {
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_trace_vprintk:
	case BPF_FUNC_get_current_task:
	case BPF_FUNC_get_current_task_btf:
	case BPF_FUNC_probe_read_user:
	case BPF_FUNC_probe_read_kernel:
	case BPF_FUNC_probe_read_user_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_snprintf:
	case BPF_FUNC_snprintf_btf:
	case BPF_FUNC_task_pt_regs:
	case BPF_FUNC_skc_to_tcp6_sock:
	case BPF_FUNC_skc_to_tcp_sock:
	case BPF_FUNC_skc_to_tcp_timewait_sock:
	case BPF_FUNC_skc_to_tcp_request_sock:
	case BPF_FUNC_skc_to_udp6_sock:
	case BPF_FUNC_skc_to_unix_sock:
	case BPF_FUNC_skc_to_mptcp_sock: return true;
	default: return false;
	}
}

/* Without CAP_BPF nobody is offered these. */
static bool needs_privileges(u32 func)
{
	switch (func) {
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock:
	case BPF_FUNC_jiffies64:
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr:
	case BPF_FUNC_timer_init:
	case BPF_FUNC_timer_set_callback:
	case BPF_FUNC_timer_start:
	case BPF_FUNC_timer_cancel:
	case BPF_FUNC_kptr_xchg:
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_loop:
	case BPF_FUNC_user_ringbuf_drain:
	case BPF_FUNC_ringbuf_reserve_dynptr:
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr:
	case BPF_FUNC_dynptr_from_mem:
	case BPF_FUNC_dynptr_read:
	case BPF_FUNC_dynptr_write:
	case BPF_FUNC_dynptr_data:
	case BPF_FUNC_get_current_cgroup_id:
	case BPF_FUNC_get_current_ancestor_cgroup_id:
	case BPF_FUNC_current_task_under_cgroup:
	case BPF_FUNC_get_cgroup_classid:
	case BPF_FUNC_get_current_comm:
	case BPF_FUNC_send_signal:
	case BPF_FUNC_send_signal_thread:
	case BPF_FUNC_copy_from_user:
	case BPF_FUNC_copy_from_user_task:
	case BPF_FUNC_task_storage_get:
	case BPF_FUNC_task_storage_delete:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_find_vma:
	case BPF_FUNC_get_branch_snapshot:
	case BPF_FUNC_perf_event_read:
	case BPF_FUNC_perf_event_read_value:
	case HELPER_cgrp_storage_get:
	case HELPER_cgrp_storage_delete: return true;
	default: return false;
	}
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (!strcmp(name, *names))
			return true;
	}
	return false;
}

/* The hook of an LSM program: "file_open". */
static const char *lsm_hook(const struct env *env)
{
	const char *name = env->attach_name ? env->attach_name : "";

	return strncmp(name, "bpf_lsm_", 8) ? name : name + 8;
}

/* Functions in which the path that d_path prints is safe to walk. */
static bool may_print_path(const struct env *env)
{
	static const char *const functions[] = {
		"security_file_permission",
		"security_inode_getattr",
		"security_file_open",
		"security_path_truncate",
		"vfs_truncate",
		"vfs_fallocate",
		"dentry_open",
		"vfs_getattr",
		"filp_close",
		NULL,
	};

	if (env->prog_type == PROG_TYPE_TRACING && env->attach_type == ATTACH_TRACE_ITER)
		return true;
	if (env->prog_type == PROG_TYPE_LSM)
		return lsm_is_sleepable(lsm_hook(env));
	return env->attach_name && is_one_of(env->attach_name, functions);
}

/* Tracing programs must not run inside of the storage that they use. */
static bool may_use_sk_storage(const struct env *env)
{
	if (env->prog_type != PROG_TYPE_TRACING && env->prog_type != PROG_TYPE_SYSCALL)
		return true;
	switch (env->attach_type) {
	case ATTACH_TRACE_ITER:
	case ATTACH_TRACE_RAW_TP: return true;
	case ATTACH_TRACE_FENTRY:
	case ATTACH_TRACE_FEXIT:
		return env->attach_name &&
		       strncmp(env->attach_name, "bpf_sk_storage", 14) != 0;
	default: return false;
	}
}

/* Of LSM hooks, those that run with the socket locked, or before anybody else knows it.
 */
static bool may_set_options(const struct env *env)
{
	static const char *const hooks[] = {
		"sock_graft",         "inet_csk_clone",    "inet_conn_established",
		"socket_post_create", "socket_socketpair", NULL,
	};

	if (env->prog_type == PROG_TYPE_STRUCT_OPS) /* the socket is going away */
		return !env->attach_name || strcmp(env->attach_name, "release") != 0;
	return env->prog_type != PROG_TYPE_LSM || is_one_of(lsm_hook(env), hooks);
}

/* Members of a struct_ops are offered what all programs are, and congestion control what
 * is about sockets. */
static bool fits_struct_ops(const struct env *env, u32 func)
{
	const char *ops = env->struct_ops ? env->struct_ops : "";

	switch (func) {
	case BPF_FUNC_tcp_send_ack:
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_sk_storage_delete:
	case BPF_FUNC_setsockopt:
	case BPF_FUNC_getsockopt:
	case BPF_FUNC_ktime_get_coarse_ns: return !strcmp(ops, "tcp_congestion_ops");
	case BPF_FUNC_tail_call: return strcmp(ops, "Qdisc_ops") != 0;
	default: return true;
	}
}

const struct abi_helper *helper_row(const struct env *env, u32 func)
{
	static const char *const iterators[] = {"bpf_iter_tcp", "bpf_iter_unix", NULL};

	/* These iterators hold the lock of the socket that they show. */
	if (env->prog_type == PROG_TYPE_TRACING &&
	    env->attach_type == ATTACH_TRACE_ITER && env->attach_name &&
	    (func == BPF_FUNC_setsockopt || func == BPF_FUNC_getsockopt))
		return is_one_of(env->attach_name, iterators)
			       ? abi_helper_for(func, PROG_TYPE_STRUCT_OPS)
			       : NULL;
	if (env->prog_type == PROG_TYPE_STRUCT_OPS && !fits_struct_ops(env, func))
		return NULL;
	return abi_helper_at(func, env->prog_type, env->attach_type);
}

int helper_allowed(struct env *env, const struct abi_helper *helper)
{
	bool here = true;

	if ((!env->privileged && needs_privileges(helper->number)) ||
	    (!env->allow_ptr_leaks && needs_perfmon(helper->number)))
		return reject(env, HELPER_UNPRIVILEGED, helper->name);
	switch (helper->number) {
	case BPF_FUNC_d_path: here = may_print_path(env); break;
	case BPF_FUNC_ima_inode_hash:
	case BPF_FUNC_ima_file_hash: here = lsm_is_sleepable(lsm_hook(env)); break;
	case BPF_FUNC_setsockopt:
	case BPF_FUNC_getsockopt: here = may_set_options(env); break;
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_sk_storage_delete: here = may_use_sk_storage(env); break;
	default: break;
	}
	return here ? 0 : reject(env, HELPER_NOT_HERE, helper->name);
}

/* ---- what helpers do beside their result ---- */

bool helper_changes_packet(u32 func)
{
	switch (func) {
	case BPF_FUNC_clone_redirect:
	case BPF_FUNC_l3_csum_replace:
	case BPF_FUNC_l4_csum_replace:
	case BPF_FUNC_lwt_push_encap:
	case BPF_FUNC_lwt_seg6_action:
	case BPF_FUNC_lwt_seg6_adjust_srh:
	case BPF_FUNC_lwt_seg6_store_bytes:
	case BPF_FUNC_msg_pop_data:
	case BPF_FUNC_msg_pull_data:
	case BPF_FUNC_msg_push_data:
	case BPF_FUNC_skb_adjust_room:
	case BPF_FUNC_skb_change_head:
	case BPF_FUNC_skb_change_proto:
	case BPF_FUNC_skb_change_tail:
	case BPF_FUNC_skb_pull_data:
	case BPF_FUNC_skb_store_bytes:
	case BPF_FUNC_skb_vlan_pop:
	case BPF_FUNC_skb_vlan_push:
	case BPF_FUNC_store_hdr_opt:
	case BPF_FUNC_xdp_adjust_head:
	case BPF_FUNC_xdp_adjust_meta:
	case BPF_FUNC_xdp_adjust_tail:
	case BPF_FUNC_tail_call: /* the other program may do any of these */ return true;
	default: return false;
	}
}

bool helper_calls_back(u32 func)
{
	return func == BPF_FUNC_for_each_map_elem || func == BPF_FUNC_find_vma ||
	       func == BPF_FUNC_loop || func == BPF_FUNC_user_ringbuf_drain;
}

bool helper_calls_back_later(u32 func)
{
	return func == BPF_FUNC_timer_set_callback;
}

/* ---- tail calls ---- */

int tail_call_key(struct env *env, const struct call *call)
{
	enum { SEVERAL = -1 };
	struct insn_aux *aux = &env->aux[env->pc];
	const struct reg *index = &env_regs(env)[R3];
	u64 key;
	int err;

	if (call->map->type != MAP_TYPE_PROG_ARRAY)
		return reject(env, MAP_FOR_HELPER, "bpf_tail_call", call->map->name);
	key = index->var.bits.value;
	if (!reg_is_const(index) || key >= call->map->max_entries) {
		aux->map_key = (u64)SEVERAL;
		return 0;
	}
	err = env_need_precise(env, R3);
	if (err)
		return err;
	if (!aux->map_key)
		aux->map_key = key + 1;
	else if (aux->map_key != key + 1)
		aux->map_key = (u64)SEVERAL;
	return 0;
}

/* ---- formats ---- */

static bool ends_here(char c)
{
	return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

/* After '%' and the width: how long is the rest of the conversion?  0: unknown. */
static u32 pointer_conversion(const char *s)
{
	if (ends_here(s[1]))
		return 1;
	if ((s[1] == 'k' || s[1] == 'u') && s[2] == 's')
		return ends_here(s[3]) ? 3 : 0;
	if (strchr("KxsSB", s[1]))
		return 2;
	if ((s[1] == 'i' || s[1] == 'I') && (s[2] == '4' || s[2] == '6'))
		return 3;
	return 0;
}

static u32 conversion(const char *s)
{
	u32 longs = 0;

	if (*s == 'p')
		return pointer_conversion(s);
	if (*s == 's')
		return ends_here(s[1]) ? 1 : 0;
	if (*s == 'c')
		return 1;
	while (longs < 2 && s[longs] == 'l')
		longs++;
	return s[longs] && strchr("iduxX", s[longs]) ? longs + 1 : 0;
}

static const char *skip_width(const char *s)
{
	while (*s && strchr("0+- ", *s))
		s++;
	if (*s >= '1' && *s <= '9')
		while (isdigit((unsigned char)*s))
			s++;
	return s;
}

static bool is_plain(char c)
{
	/* Bytes from 0x80 on are UTF-8. */
	return (c & 0x80) || isprint((unsigned char)c) || isspace((unsigned char)c);
}

static bool format_is_valid(const char *format, u32 n_values)
{
	u32 n = 0, len;

	for (const char *s = format; *s; s++) {
		if (!is_plain(*s))
			return false;
		if (*s != '%')
			continue;
		if (*++s == '%')
			continue;
		if (n++ >= n_values)
			return false;
		s = skip_width(s);
		len = conversion(s);
		if (!len)
			return false;
		s += len - 1;
	}
	return true;
}

int format_check(struct env *env, const char *format, u32 n_values)
{
	if (format_is_valid(format, n_values))
		return 0;
	return reject(env, FORMAT_INVALID, format, n_values);
}

static int snprintf_check(struct env *env)
{
	u64 bytes = env_regs(env)[R5].var.bits.value;
	struct const_str format;
	int err;

	if (bytes % 8)
		return reject(env, FORMAT_VALUES, (unsigned long long)bytes);
	err = const_str_check(env, R3, &format);
	return err ? err : format_check(env, format.text, (u32)(bytes / 8));
}

/* ---- single helpers ---- */

static int func_ip_check(struct env *env)
{
	switch (env->prog_type) {
	case PROG_TYPE_TRACING:
		if (env->attach_type == ATTACH_TRACE_FENTRY ||
		    env->attach_type == ATTACH_TRACE_FEXIT ||
		    env->attach_type == ATTACH_MODIFY_RETURN)
			return 0;
		break;
	case PROG_TYPE_KPROBE: return 0;
	default: break;
	}
	return reject(env, HELPER_NOT_SUPPORTED, "get_func_ip");
}

static int set_retval_check(struct env *env)
{
	bool returns =
		env->attach_btf && btf_type(env->attach_btf, env->attach_proto).type;

	if (env->prog_type == PROG_TYPE_LSM && env->attach_type == ATTACH_LSM_CGROUP &&
	    !returns)
		return reject(env, VOID_HOOK_RETVAL);
	return 0;
}

static int dynptr_data_check(struct env *env, struct call *call)
{
	const struct reg *dynptr = &env_regs(env)[R1];

	call->dynptr_id = dynptr_id_of(env, dynptr);
	call->ref_id = dynptr_ref_of(env, dynptr);
	return 0;
}

/* Writing to a packet through its dynptr may move it: slices of it end. */
static int dynptr_write_check(struct env *env, struct call *call)
{
	enum dynptr_type type = dynptr_type_of(env, &env_regs(env)[R1]);

	if (type == DYNPTR_SKB || type == DYNPTR_SKB_META)
		call->changes_packet = true;
	return 0;
}

static int percpu_check(struct env *env, struct call *call)
{
	const struct reg *reg = &env_regs(env)[R1];
	enum btf_kind kind;

	if (!(reg->flags & RCU))
		return 0;
	kind = btf_kind(reg->btf, reg->btf_id);
	if (kind != BTF_STRUCT && kind != BTF_UNION)
		return reject(env, VARIABLE_SIZE, btf_name(reg->btf, reg->btf_id));
	call->percpu_object = true;
	return 0;
}

int helper_special(struct env *env, struct call *call)
{
	const struct reg *regs = env_regs(env);

	switch (call->func) {
	case BPF_FUNC_tail_call: return refs_none(env, "tail_call", false, true);
	case BPF_FUNC_get_local_storage:
		/* It cannot fail, so it cannot refuse flags at run time. */
		return reg_is_null(&regs[R2]) ? 0 : reject(env, LOCAL_STORAGE_FLAGS);
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_timer_set_callback:
	case BPF_FUNC_find_vma:
	case BPF_FUNC_loop:
	case BPF_FUNC_user_ringbuf_drain: return helper_callback(env, call);
	case BPF_FUNC_snprintf: return snprintf_check(env);
	case BPF_FUNC_dynptr_from_mem:
		if (regs[R1].kind == PTR_TO_MAP_VALUE && !regs[R1].flags)
			return 0;
		return reject(env, DYNPTR_FROM_OTHER, reg_kind_phrase(regs[R1].kind));
	case BPF_FUNC_set_retval: return set_retval_check(env);
	case BPF_FUNC_dynptr_data: return dynptr_data_check(env, call);
	case BPF_FUNC_dynptr_write: return dynptr_write_check(env, call);
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr: return percpu_check(env, call);
	case BPF_FUNC_get_func_ip: return func_ip_check(env);
	default: return 0;
	}
}
