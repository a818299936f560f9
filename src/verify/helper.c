/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The call of a helper: arguments judged by the row of abi/helpers.def, then its effects,
 * then the result.
 *
 * What no row says is in helper_rules.c and map_rules.c.  Never does: enter callbacks or
 * touch the stack itself.  Words: struct bpf_func_proto; bpf-helpers(7).
 */
#include <assert.h>
#include <linux/bpf.h>
#include <string.h>

#include "btf/core.h"
#include "verify/calls.h"
#include "verify/config.h"
#include "verify/kfunc.h"
#include "verify/memory.h"
#include "verify/record.h"
#include "verify/transfer.h"

enum { MAX_ERRNO = 4095 };

static const char *callee_name(const struct call *call)
{
	return call->helper->full_name;
}

/* ---- arguments ---- */

static enum access_type access_of(u32 arg)
{
	return arg & MEM_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

static void remember_raw(struct call *call, const struct region_use *use)
{
	if (!use->is_raw_stack)
		return;
	call->raw_reg = use->reg;
	call->access_size = use->size;
}

/* size bytes at the pointer in regno, used as arg says. */
static int memory_arg(struct env *env, struct call *call, u32 regno, u32 arg, u32 size)
{
	struct region_use use = {
		.reg = regno,
		.size = size,
		.type = access_of(arg),
		.raw = arg & MEM_UNINIT,
		/* Whether it may be NULL was asked when its kind was. */
		.for_kfunc = true,
	};
	int err = region_check(env, &use);

	remember_raw(call, &use);
	return err;
}

/* The memory in the argument before. */
static int size_arg(struct env *env, struct call *call, u32 regno, bool zero_ok)
{
	u32 arg = call->helper->args[regno - R2];
	struct region_use use = {
		.reg = regno - 1,
		.type = access_of(arg),
		.zero_size_ok = zero_ok,
		.raw = arg & MEM_UNINIT,
		.for_kfunc = true,
	};
	int err;

	call->size_max = env_regs(env)[regno].var.umax;
	err = region_check_reg(env, &use, regno);
	remember_raw(call, &use);
	return err;
}

static int map_arg(struct env *env, struct call *call, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	/* A timer knows its map; inner maps of the same template are told apart. */
	if (call->map && (call->map != reg->map || call->map_uid != reg->map_uid))
		return reject(env, MAP_NOT_OF_TIMER, regno);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}

/* Maps whose look-ups with a known key in range cannot fail. */
static bool always_has_values(const struct map_def *map)
{
	return map->type == MAP_TYPE_ARRAY || map->type == MAP_TYPE_PERCPU_ARRAY;
}

static int key_arg(struct env *env, struct call *call, u32 regno, u32 arg)
{
	int err = memory_arg(env, call, regno, arg, call->map->key_size);

	if (err || !always_has_values(call->map))
		return err;
	return const_key_read(env, &env_regs(env)[regno], call->map->key_size,
			      &call->const_key);
}

static int lock_arg(struct env *env, const struct call *call, u32 regno)
{
	assert(call->func == BPF_FUNC_spin_lock || call->func == BPF_FUNC_spin_unlock);
	/* Whoever inserts into the tree holds the lock. */
	if (in_graph_callback(env))
		return reject(env, LOCK_IN_TREE_CALLBACK);
	return lock_check(env, regno, call->func == BPF_FUNC_spin_lock ? LOCK_TAKE : 0);
}

static int fixed_mem_arg(struct env *env, struct call *call, u32 regno, u32 arg)
{
	u32 size = abi_mem_size(arg);
	int err;

	if (!(arg & MEM_FIXED_SIZE))
		return 0; /* the next argument has the size */
	err = memory_arg(env, call, regno, arg, size);
	if (err || !(arg & MEM_ALIGNED))
		return err;
	return align_check(env, &env_regs(env)[regno], 0, size, true);
}

static int alloc_size_arg(struct env *env, struct call *call, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!scalar_is_const(&reg->var))
		return reject(env, ARG_NOT_CONSTANT, regno, callee_name(call));
	call->mem_size = (s32)reg->var.bits.value;
	return env_need_precise(env, regno);
}

static int percpu_arg(struct env *env, struct call *call, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!reg->btf_id)
		return reject(env, ARG_KIND, regno, reg_kind_phrase(reg->kind), "",
			      callee_name(call), "a per-CPU variable");
	call->ret_btf = reg->btf;
	call->ret_btf_id = reg->btf_id;
	return 0;
}

/* A release needs something to release; NULL is nothing, and fine. */
static int release_arg(struct env *env, struct call *call, u32 regno, u32 arg)
{
	const struct reg *reg = &env_regs(env)[regno];

	if ((arg & ABI_BASE) == ARG_PTR_TO_DYNPTR) {
		if (reg->kind != PTR_TO_STACK)
			return reject(env, RELEASE_CONST_DYNPTR, regno);
		if (!dynptr_ref_of(env, reg))
			return reject(env, RELEASE_UNREFERENCED, regno,
				      callee_name(call));
	} else if (!reg->ref_id && !reg_is_null(reg)) {
		return reject(env, RELEASE_UNREFERENCED, regno, callee_name(call));
	}
	call->release_reg = regno;
	return 0;
}

/* By the base of the argument: what is behind the pointer. */
static int arg_content_check(struct env *env, struct call *call, u32 regno, u32 arg)
{
	struct const_str str;

	switch ((enum abi_arg)(arg & ABI_BASE)) {
	case ARG_CONST_MAP_PTR: return map_arg(env, call, regno);
	case ARG_PTR_TO_MAP_KEY: return key_arg(env, call, regno, arg);
	case ARG_PTR_TO_MAP_VALUE:
		if (reg_is_null(&env_regs(env)[regno]) && arg & PTR_MAYBE_NULL)
			return 0;
		return memory_arg(env, call, regno, arg, call->map->value_size);
	case ARG_PTR_TO_MEM: return fixed_mem_arg(env, call, regno, arg);
	case ARG_CONST_SIZE: return size_arg(env, call, regno, false);
	case ARG_CONST_SIZE_OR_ZERO: return size_arg(env, call, regno, true);
	case ARG_CONST_ALLOC_SIZE_OR_ZERO: return alloc_size_arg(env, call, regno);
	case ARG_PTR_TO_SPIN_LOCK: return lock_arg(env, call, regno);
	case ARG_PTR_TO_TIMER: return map_field_check(env, regno, FIELD_TIMER, call);
	case ARG_PTR_TO_PERCPU_BTF_ID: return percpu_arg(env, call, regno);
	case ARG_PTR_TO_CONST_STR: return const_str_check(env, regno, &str);
	case ARG_KPTR_XCHG_DEST: return kptr_dest_check(env, regno, call);
	case ARG_PTR_TO_DYNPTR: return dynptr_arg_check(env, regno, env->pc, arg, 0);
	case ARG_PTR_TO_FUNC:
		call->subprog = env_regs(env)[regno].subprog;
		call->func_arg = regno;
		return 0;
	case ARG_DONTCARE:
	case ARG_PTR_TO_ARENA:
	case ARG_PTR_TO_CTX:
	case ARG_ANYTHING:
	case ARG_PTR_TO_SOCK_COMMON:
	case ARG_PTR_TO_SOCKET:
	case ARG_PTR_TO_BTF_ID:
	case ARG_PTR_TO_RINGBUF_MEM:
	case ARG_PTR_TO_BTF_ID_SOCK_COMMON:
	case ARG_PTR_TO_STACK: return 0;
	}
	return 0;
}

/* The values of some maps are not bytes. */
static int value_arg_of_map(struct env *env, const struct call *call, u32 *arg)
{
	if (call->map->type == MAP_TYPE_SOCKMAP || call->map->type == MAP_TYPE_SOCKHASH) {
		if (*arg != ARG_PTR_TO_MAP_VALUE)
			return reject(env, MAP_FOR_HELPER, callee_name(call),
				      call->map->name);
		*arg = ARG_PTR_TO_BTF_ID_SOCK_COMMON;
	}
	/* A look into a Bloom filter reads the value that is looked for. */
	if (call->map->type == MAP_TYPE_BLOOM_FILTER &&
	    call->func == BPF_FUNC_map_peek_elem)
		*arg = ARG_PTR_TO_MAP_VALUE;
	return 0;
}

static bool packet_allowed(struct env *env, const struct call *call)
{
	return may_access_packet_directly(env, true, false) &&
	       (call->helper->pkt || env->prog_type == PROG_TYPE_CGROUP_SOCKOPT);
}

static int arg_pointer_check(struct env *env, const struct call *call, u32 regno, u32 arg)
{
	int err = arg_kind_check(env, regno, arg, 0, call);

	return err ? err : arg_offset_check(env, regno, arg);
}

static int arg_ref(struct env *env, struct call *call, u32 regno, u32 arg)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->ends_with)
		call->ends_with = reg->ends_with;
	if (!reg->ref_id || (arg & ABI_BASE) == ARG_KPTR_XCHG_DEST)
		return 0;
	if (call->ref_id)
		return reject(env, TWO_REFERENCES, regno, callee_name(call));
	call->ref_id = reg->ref_id;
	return 0;
}

static int arg_check(struct env *env, struct call *call, u32 regno)
{
	u32 arg = call->helper->args[regno - R1];
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	if (reg->kind == UNINIT)
		return reject(env, READ_UNINIT, regno);
	if (arg == ARG_ANYTHING) {
		if (!env->allow_ptr_leaks && reg_is_pointer(reg))
			return reject(env, ARG_LEAKS_POINTER, regno, callee_name(call));
		return 0;
	}
	if (reg_is_packet(reg) && !packet_allowed(env, call))
		return reject(env, ARG_IN_PACKET, regno, callee_name(call));
	if ((arg & ABI_BASE) == ARG_PTR_TO_MAP_VALUE) {
		err = value_arg_of_map(env, call, &arg);
		if (err)
			return err;
	}
	if (!reg_is_null(reg) || !(arg & PTR_MAYBE_NULL)) {
		err = arg_pointer_check(env, call, regno, arg);
		if (err)
			return err;
	}
	if (arg & OBJ_RELEASE) {
		err = release_arg(env, call, regno, arg);
		if (err)
			return err;
	}
	err = arg_ref(env, call, regno, arg);
	return err ? err : arg_content_check(env, call, regno, arg);
}

static int args_check(struct env *env, struct call *call)
{
	for (u32 i = 0; i < 5 && call->helper->args[i] != ARG_DONTCARE; i++) {
		int err = arg_check(env, call, R1 + i);

		if (err)
			return err;
	}
	return 0;
}

/* ---- what the call does ---- */

/* Memory that the helper fills is initialised from now on. */
static int fill_raw(struct env *env, const struct call *call)
{
	const struct reg *reg = &env_regs(env)[call->raw_reg];

	if (!call->raw_reg || !call->access_size)
		return 0;
	return stack_scratch(env, reg->frame, reg->off + (s32)reg->var.bits.value,
			     call->access_size);
}

/* kptr_xchg gave the object away: a per-CPU one may be used until the RCU section ends.
 */
static int give_away(struct env *env, u32 ref_id)
{
	bool rcu = in_rcu_section(env);
	struct reg *reg;

	if (!ref_drop(env->cur, ref_id))
		return -EINVAL;
	for_each_reg(env->cur, reg)
	{
		if (!rcu || reg->ref_id != ref_id || !(reg->flags & ALLOCATED) ||
		    !(reg->flags & PERCPU))
			continue;
		reg->ref_id = 0;
		reg->flags = (u16)((reg->flags & ~ALLOCATED) | RCU);
	}
	regs_forget_ref(env, ref_id);
	return 0;
}

static int release(struct env *env, const struct call *call)
{
	struct reg *reg = &env_regs(env)[call->release_reg];
	int err = 0;

	if (!call->release_reg)
		return 0;
	if ((call->helper->args[call->release_reg - R1] & ABI_BASE) == ARG_PTR_TO_DYNPTR)
		return dynptr_unmark(env, reg);
	if (!call->ref_id)
		return reg_is_null(reg) ? 0
					: reject(env, RELEASE_UNREFERENCED,
						 call->release_reg, callee_name(call));
	if (call->func == BPF_FUNC_kptr_xchg)
		err = give_away(env, call->ref_id);
	else
		err = ref_release(env, call->ref_id);
	if (err)
		return reject(env, RELEASE_UNREFERENCED, call->release_reg,
			      callee_name(call));
	return 0;
}

static void clobber(struct env *env)
{
	struct reg *regs = env_regs(env);

	for (u32 i = R0; i <= R5; i++)
		reg_set_uninit(&regs[i]);
}

/* ---- the result ---- */

static u32 result_flags(u32 ret)
{
	return (ret & PTR_MAYBE_NULL ? MAYBE_NULL : 0) | (ret & MEM_RDONLY ? RDONLY : 0) |
	       (ret & MEM_RINGBUF ? RINGBUF : 0) | (ret & PTR_TRUSTED ? TRUSTED : 0);
}

static void result_map_value(struct env *env, const struct call *call, u32 flags)
{
	const struct record *rec = map_record(env, call->map);
	struct reg *r0 = &env_regs(env)[R0];

	if (call->func == BPF_FUNC_map_lookup_elem && call->const_key >= 0 &&
	    call->const_key < call->map->max_entries &&
	    !(call->map->flags & MAP_INNER_MAP) && /* another one may be shorter */
	    env->rules->array_lookup_never_null)
		flags &= ~(u32)MAYBE_NULL;
	reg_set_pointer(r0, PTR_TO_MAP_VALUE, flags);
	r0->map = call->map;
	r0->map_uid = call->map_uid;
	if (!(flags & MAYBE_NULL) && rec &&
	    rec->kinds & (FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK))
		r0->id = env_new_id(env);
}

/* A per-CPU variable: memory, or a struct whose members are known. */
static int result_variable(struct env *env, const struct call *call, u32 flags)
{
	struct reg *r0 = &env_regs(env)[R0];
	u32 type = btf_resolve(call->ret_btf, call->ret_btf_id);
	enum btf_kind kind = btf_kind(call->ret_btf, type);
	s64 size;

	if (kind == BTF_STRUCT || kind == BTF_UNION) {
		/* Structs of the kernel are never written by stores. */
		reg_set_pointer(r0, PTR_TO_BTF_ID,
				call->percpu_object ? ALLOCATED | RCU
						    : flags & ~(u32)RDONLY);
		r0->btf = call->ret_btf;
		r0->btf_id = call->ret_btf_id;
		return 0;
	}
	size = btf_size(call->ret_btf, type);
	if (size < 0 || size > UINT32_MAX)
		return reject(env, VARIABLE_SIZE, btf_name(call->ret_btf, type));
	reg_set_pointer(r0, PTR_TO_MEM, flags);
	r0->mem_size = (u32)size;
	return 0;
}

static int result_struct(struct env *env, const struct call *call, u32 flags)
{
	const struct record_field *field = call->field;
	struct reg *r0 = &env_regs(env)[R0];
	u32 which = call->helper->ret >> 24;

	reg_set_pointer(r0, PTR_TO_BTF_ID, flags);
	if (call->func == BPF_FUNC_kptr_xchg) {
		r0->btf = field->btf;
		r0->btf_id = field->btf_id;
		if (field->btf == env->prog->btf)
			r0->flags |= field->kind == FIELD_KPTR_PERCPU ? ALLOCATED | PERCPU
								      : ALLOCATED;
		return 0;
	}
	r0->btf = env->kernel;
	r0->btf_id = kernel_struct(env, which);
	return r0->btf_id ? 0 : -ENOTSUP;
}

static void clamp(struct reg *reg, s64 min, s64 max)
{
	reg->var.smin = min;
	reg->var.smax = max;
	reg->var.smin32 = (s32)min;
	reg->var.smax32 = (s32)max;
	if (min >= 0) {
		reg->var.umin = (u64)min;
		reg->var.umax = (u64)max;
		reg->var.umin32 = (u32)min;
		reg->var.umax32 = (u32)max;
	}
	scalar_sync(&reg->var);
}

/* Numbers that some helpers never exceed. */
static void refine_number(struct env *env, const struct call *call)
{
	struct reg *r0 = &env_regs(env)[R0];

	switch (call->func) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		clamp(r0, -MAX_ERRNO, (s64)call->size_max);
		break;
	case BPF_FUNC_get_smp_processor_id: clamp(r0, 0, config_cpus(env) - 1); break;
	default: break;
	}
}

/* The result holds a new reference. */
static bool acquires(const struct call *call)
{
	switch (call->func) {
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_kptr_xchg: return true;
	case BPF_FUNC_map_lookup_elem:
		return call->map->type == MAP_TYPE_SOCKMAP ||
		       call->map->type == MAP_TYPE_SOCKHASH;
	default: return false;
	}
}

/* The result is the same object as the argument, seen as another type. */
static bool casts(u32 func)
{
	switch (func) {
	case BPF_FUNC_tcp_sock:
	case BPF_FUNC_sk_fullsock:
	case BPF_FUNC_skc_to_tcp_sock:
	case BPF_FUNC_skc_to_tcp6_sock:
	case BPF_FUNC_skc_to_udp6_sock:
	case BPF_FUNC_skc_to_mptcp_sock:
	case BPF_FUNC_skc_to_tcp_timewait_sock:
	case BPF_FUNC_skc_to_tcp_request_sock: return true;
	default: return false;
	}
}

static int result_ref(struct env *env, const struct call *call)
{
	struct reg *r0 = &env_regs(env)[R0];
	int id;

	if (r0->kind > SCALAR && r0->flags & MAYBE_NULL)
		r0->id = env_new_id(env);
	if (call->func == BPF_FUNC_dynptr_data)
		r0->dynptr_id = call->dynptr_id;
	if (call->func == BPF_FUNC_dynptr_data || casts(call->func)) {
		r0->ref_id = call->ref_id;
		r0->ends_with = call->ends_with;
	} else if (acquires(call)) {
		id = ref_acquire(env, env->pc);
		if (id < 0)
			return id;
		r0->id = r0->ref_id = (u32)id;
	}
	return 0;
}

static int set_result(struct env *env, const struct call *call)
{
	u32 ret = call->helper->ret, flags = result_flags(ret);
	struct reg *r0 = &env_regs(env)[R0];
	int err = 0;

	switch ((enum abi_ret)(ret & ABI_BASE)) {
	case RET_INTEGER:
		reg_set_unknown(r0);
		refine_number(env, call);
		break;
	case RET_VOID: break;
	case RET_PTR_TO_MAP_VALUE: result_map_value(env, call, flags); break;
	case RET_PTR_TO_SOCKET: reg_set_pointer(r0, PTR_TO_SOCKET, flags); break;
	case RET_PTR_TO_TCP_SOCK: reg_set_pointer(r0, PTR_TO_TCP_SOCK, flags); break;
	case RET_PTR_TO_SOCK_COMMON:
		reg_set_pointer(r0, PTR_TO_SOCK_COMMON, flags);
		break;
	case RET_PTR_TO_MEM:
		reg_set_pointer(r0, PTR_TO_MEM, flags);
		r0->mem_size = (u32)call->mem_size;
		break;
	case RET_PTR_TO_MEM_OR_BTF_ID: err = result_variable(env, call, flags); break;
	case RET_PTR_TO_BTF_ID: err = result_struct(env, call, flags); break;
	}
	return err ? err : result_ref(env, call);
}

/* ---- the call ---- */

static int helper_find(struct env *env, struct call *call)
{
	const struct abi_helper *any = abi_helper(call->func);
	const struct abi_name *type = abi_prog_type(env->prog_type);
	const struct abi_helper *helper;
	const char *option;
	u32 since;

	option = config_missing_for(env, call->func);
	if (!any)
		return call->func == CORE_POISON_HELPER
			       ? reject(env, CORE_UNRESOLVED)
			       : reject(env, HELPER_UNKNOWN, (int)call->func);
	helper = helper_row(env, call->func);
	if (!helper)
		return reject(env, HELPER_NOT_FOR_TYPE, type ? type->name : "?",
			      any->name);
	since = abi_helper_since(helper, env->prog_type, env->attach_type);
	if (since > env->rules->version)
		return reject(env, HELPER_TOO_NEW, any->name, since >> 16,
			      since >> 8 & 0xff);
	if (option)
		return reject(env, HELPER_NOT_BUILT, any->name, option);
	if (helper->gpl && !env->prog->gpl_compatible)
		return reject(env, HELPER_NEEDS_GPL, any->name);
	call->helper = helper;
	return helper_allowed(env, helper);
}

static int sleep_check(struct env *env, const struct call *call)
{
	const struct state *st = env->cur;

	if (!call->helper->sleeps)
		return 0;
	if (!in_sleepable(env))
		return reject(env, HELPER_MAY_SLEEP, call->helper->name);
	if (st->active_rcu || st->active_preempt || st->active_irq_id)
		return reject(env, HELPER_SLEEPS_IN, call->helper->name,
			      st->active_rcu       ? "an RCU read section"
			      : st->active_preempt ? "a section without preemption"
						   : "a section without interrupts");
	return 0;
}

/* What callers of src/opt and warnings want to know: which map this call is about. */
static int remember_map(struct env *env, const struct call *call)
{
	struct insn_aux *aux = &env->aux[env->pc];

	switch (call->func) {
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_map_push_elem:
	case BPF_FUNC_map_pop_elem:
		if (!map_prog_writes(call->map))
			return reject(env, MAP_WRITE_FORBIDDEN, call->map->name);
		break;
	case BPF_FUNC_tail_call:
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_peek_elem:
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_redirect_map:
	case BPF_FUNC_map_lookup_percpu_elem: break;
	default: return 0;
	}
	if (!aux->map)
		aux->map = call->map;
	else if (aux->map != call->map)
		aux->map_poisoned = true;
	if (aux->map_poisoned && call->func == BPF_FUNC_for_each_map_elem &&
	    !env->rules->walks_several)
		return reject(env, WALKS_SEVERAL, aux->map->name, call->map->name);
	return 0;
}

/* In a function, the other program's end is the function's: what it did to the packet and
 * what it returns is not known.  Where the call fails the function goes on, as branch. */
static int tail_call_return(struct env *env, struct call *call)
{
	if (!env->rules->tail_calls_return)
		return 0;
	call->changes_packet = false;
	if (!env->cur->depth)
		return 0;
	if (!env_branch(env, env->pc + 1, false))
		return env_told(env);
	forget_packet(env);
	reg_set_unknown(&env_regs(env)[R0]);
	return frame_return(env);
}

int helper_call(struct env *env, const struct insn *insn, enum step *step)
{
	struct call call = {.func = (u32)insn->imm, .const_key = -1};
	int err = helper_find(env, &call);

	*step = STEP_NEXT;
	if (!err)
		err = sleep_check(env, &call);
	if (!err)
		err = args_check(env, &call);
	if (!err)
		err = remember_map(env, &call);
	if (!err && call.func == BPF_FUNC_tail_call)
		err = tail_call_key(env, &call);
	if (!err)
		err = fill_raw(env, &call);
	if (!err)
		err = release(env, &call);
	call.changes_packet =
		helper_changes_packet(call.func) &&
		(call.func != BPF_FUNC_tail_call || env->rules->packet_effects);
	if (!err)
		err = helper_special(env, &call);
	if (err)
		return err;
	clobber(env);
	err = set_result(env, &call);
	if (!err && call.map)
		err = map_call_check(env, call.map, call.func);
	if (!err && call.func == BPF_FUNC_tail_call)
		err = tail_call_return(env, &call);
	if (!err && call.changes_packet)
		forget_packet(env);
	return err;
}

bool helper_might_sleep(const struct env *env, u32 func)
{
	const struct abi_helper *helper = helper_row(env, func);

	return helper && helper->sleeps;
}
