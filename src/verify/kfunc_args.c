/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of a call to a kfunc, one after the other: does the register hold what
 * the parameter is?
 *
 * What the parameter is was read from BTF once (kfunc_proto.c); only for pointers that
 * may be to structs of the kernel, functions or memory the register decides.  What
 * arguments say of the result is noted in struct kfunc_use.  Never does: change R0 or
 * release anything. Documentation/bpf/kfuncs.rst of the kernel.
 */
#include <string.h>

#include "verify/kfunc.h"
#include "verify/memory.h"

/* One argument under way. */
struct argument {
	struct kfunc_use *use;
	const struct kfunc_param *param;
	struct reg *reg;
	u32 regno;
	bool sized; /* the next argument is its size */
};

enum { TRUSTWORTHY = ALLOCATED | TRUSTED | NON_OWN_REF };

static const char *callee(const struct argument *arg)
{
	return arg->use->kfunc->name;
}

static int wants(struct env *env, const struct argument *arg, const char *what)
{
	return reject(env, KARG_WANTS, callee(arg), (int)arg->regno,
		      reg_kind_phrase(arg->reg->kind), what);
}

/* ---- numbers ---- */

static int constant_arg(struct env *env, const struct argument *arg)
{
	struct call *call = &arg->use->call;

	if (call->constant.known)
		return reject(env, KARG_TWO_CONSTANTS, callee(arg));
	if (!reg_is_const(arg->reg))
		return reject(env, KARG_NOT_CONSTANT, callee(arg), (int)arg->regno);
	call->constant.known = true;
	call->constant.value = arg->reg->var.bits.value;
	return env_need_precise(env, arg->regno);
}

static int result_size_arg(struct env *env, const struct argument *arg)
{
	struct kfunc_use *use = arg->use;

	if (use->ret_size)
		return reject(env, KARG_TWO_SIZES, callee(arg));
	if (!reg_is_const(arg->reg))
		return reject(env, KARG_NOT_CONSTANT, callee(arg), (int)arg->regno);
	if (arg->reg->var.bits.value > UINT32_MAX)
		return reject(env, KARG_SIZE_RANGE, callee(arg), (int)arg->regno);
	use->ret_size = (u32)arg->reg->var.bits.value;
	use->ret_rdonly = arg->param->rdonly_size;
	return env_need_precise(env, arg->regno);
}

static int number_arg(struct env *env, const struct argument *arg)
{
	if (arg->reg->kind != SCALAR)
		return reject(env, KARG_NOT_NUMBER, callee(arg), (int)arg->regno);
	if (arg->param->constant)
		return constant_arg(env, arg);
	if (arg->param->rdonly_size || arg->param->rdwr_size)
		return result_size_arg(env, arg);
	return 0;
}

/* ---- trust ---- */

/* Kinds that stand for structs of the kernel, and which. */
static const char *const kind_struct[REG_KINDS] = {
	[PTR_TO_SOCKET] = "sock",
	[PTR_TO_SOCK_COMMON] = "sock_common",
	[PTR_TO_TCP_SOCK] = "tcp_sock",
	[CONST_PTR_TO_MAP] = "bpf_map",
};

bool reg_is_trusted(const struct reg *reg)
{
	if (reg->ref_id)
		return true;
	if (kind_struct[reg->kind] && !(reg->flags & ~TRUSTWORTHY))
		return true;
	return reg->flags & TRUSTWORTHY && !(reg->flags & ~TRUSTWORTHY);
}

static bool wants_trust(const struct kfunc *kfunc)
{
	return kfunc->flags & (KF_TRUSTED_ARGS | KF_RELEASE);
}

static int trust_check(struct env *env, const struct argument *arg)
{
	const struct kfunc *kfunc = arg->use->kfunc;

	if (!wants_trust(kfunc) && !(kfunc->flags & KF_RCU))
		return 0;
	if (reg_is_trusted(arg->reg))
		return 0;
	if (!(kfunc->flags & KF_RCU))
		return reject(env, KARG_NOT_TRUSTED, callee(arg), (int)arg->regno);
	if (!(arg->reg->flags & RCU))
		return reject(env, KARG_NOT_RCU, callee(arg), (int)arg->regno);
	return 0;
}

/* ---- structs of the kernel ---- */

/* "struct x" and "struct x___init" are the same in memory, but must not be mixed. */
static bool is_init_alias(const char *a, const char *b)
{
	static const char suffix[] = "___init";
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a == len_b)
		return false;
	if (len_a < len_b)
		return !strncmp(a, b, len_a) && !strcmp(b + len_a, suffix);
	return !strncmp(a, b, len_b) && !strcmp(a + len_b, suffix);
}

/* A kfunc that takes what programs see can be given what the kernel has. */
static bool is_projection(const char *user, const char *kern)
{
	return (!strcmp(user, "__sk_buff") && !strcmp(kern, "sk_buff")) ||
	       (!strcmp(user, "xdp_md") && !strcmp(kern, "xdp_buff"));
}

static int struct_arg(struct env *env, const struct argument *arg,
		      const struct btf *need_btf, u32 need)
{
	const struct kfunc *kfunc = arg->use->kfunc;
	const struct reg *reg = arg->reg;
	const char *of_kind = kind_struct[reg->kind];
	const struct btf *btf = of_kind ? env->kernel : reg->btf;
	u32 id = of_kind ? btf_find(btf, of_kind, BTF_STRUCT) : reg->btf_id;
	const char *name, *need_name = btf_name(need_btf, need);
	bool strict;

	if (!of_kind && (reg->kind != PTR_TO_BTF_ID ||
			 (reg->flags & ~TRUSTWORTHY && !(reg->flags & RCU))))
		return wants(env, arg, need_name);
	id = btf_resolve(btf, id);
	name = btf_name(btf, id);
	strict = (kfunc_releases(kfunc) && reg->ref_id) || is_init_alias(name, need_name);
	if (is_projection(need_name, name) ||
	    types_match(env, btf, id, reg->off, need_btf, need, strict))
		return 0;
	return reject(env, KARG_STRUCT, callee(arg), (int)arg->regno, name, need_name);
}

/* Timers, work queues and task work are kept per map: the map given must be theirs. */
static int map_arg_note(struct env *env, const struct argument *arg)
{
	struct call *call = &arg->use->call;
	const struct reg *reg = arg->reg;
	const struct record *rec;

	if (reg->kind == PTR_TO_BTF_ID && !call->map)
		return 0;
	if (reg->kind != CONST_PTR_TO_MAP && reg->kind != PTR_TO_MAP_VALUE &&
	    reg->kind != PTR_TO_MAP_KEY)
		return wants(env, arg, "map");
	rec = map_record(env, reg->map);
	if (call->map && rec && rec->kinds & (FIELD_WORKQUEUE | FIELD_TASK_WORK) &&
	    (call->map != reg->map || call->map_uid != reg->map_uid))
		return reject(env, KARG_MAP_MISMATCH, callee(arg), (int)arg->regno,
			      rec->task_work_off >= 0 ? "bpf_task_work" : "bpf_wq");
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}

static int map_arg(struct env *env, const struct argument *arg)
{
	u32 map = btf_find(env->kernel, "bpf_map", BTF_STRUCT);

	return struct_arg(env, arg, env->kernel, map);
}

/* ---- the context ---- */

static int ctx_arg(struct env *env, const struct argument *arg)
{
	struct kfunc_use *use = arg->use;

	if (arg->reg->kind != PTR_TO_CTX || arg->reg->flags)
		return wants(env, arg, "the context");
	if (!kfunc_is(use->kfunc, KFUNC_bpf_cast_to_kern_ctx))
		return 0;
	use->kern_ctx = kern_ctx_type(env);
	return use->kern_ctx ? 0 : reject(env, CAST_NO_CTX);
}

/* ---- objects of the program ---- */

static bool is_object(const struct reg *reg)
{
	return reg->kind == PTR_TO_BTF_ID && reg->flags == ALLOCATED;
}

static int alloc_obj_arg(struct env *env, const struct argument *arg)
{
	const struct kfunc *kfunc = arg->use->kfunc;
	const struct reg *reg = arg->reg;
	bool percpu = kfunc_is(kfunc, KFUNC_bpf_percpu_obj_drop_impl);

	if (reg->kind != PTR_TO_BTF_ID ||
	    (reg->flags != ALLOCATED && reg->flags != (ALLOCATED | PERCPU)))
		return wants(env, arg, "an object of bpf_obj_new()");
	if (!percpu && !kfunc_is(kfunc, KFUNC_bpf_obj_drop_impl))
		return wants(env, arg, "another pointer");
	if (percpu != (reg->flags == (ALLOCATED | PERCPU)))
		return reject(env, KARG_WRONG_DROP, callee(arg), (int)arg->regno);
	if (!reg->ref_id)
		return reject(env, KARG_NOT_REFERENCED, callee(arg), (int)arg->regno);
	arg->use->call.btf = reg->btf;
	arg->use->call.btf_id = reg->btf_id;
	return 0;
}

static int refcounted_arg(struct env *env, const struct argument *arg)
{
	const struct reg *reg = arg->reg;
	const struct record *rec;

	if (reg->kind != PTR_TO_BTF_ID || !(reg->flags & ALLOCATED))
		return wants(env, arg, "an object of bpf_obj_new()");
	if (!(reg->flags & NON_OWN_REF))
		arg->use->owning_ref = true;
	rec = reg_record(env, reg);
	if (!rec || rec->refcount_off < 0)
		return reject(env, KARG_NO_REFCOUNT, callee(arg), (int)arg->regno);
	arg->use->call.btf = reg->btf;
	arg->use->call.btf_id = reg->btf_id;
	return 0;
}

static int graph_root_arg(struct env *env, const struct argument *arg, u32 kind)
{
	const struct reg *reg = arg->reg;

	if ((reg->kind != PTR_TO_MAP_VALUE || reg->flags) && !is_object(reg))
		return wants(env, arg, "a map value or an object of bpf_obj_new()");
	if (is_object(reg) && !reg->ref_id)
		return reject(env, KARG_NOT_REFERENCED, callee(arg), (int)arg->regno);
	return kfunc_graph_root_check(env, arg->regno, arg->use, kind);
}

static int owned_node_arg(struct env *env, const struct argument *arg, u32 kind)
{
	if (!is_object(arg->reg))
		return wants(env, arg, "an object of bpf_obj_new()");
	if (!arg->reg->ref_id)
		return reject(env, KARG_NOT_REFERENCED, callee(arg), (int)arg->regno);
	return kfunc_graph_node_check(env, arg->regno, arg->use, kind);
}

static int rb_node_arg(struct env *env, const struct argument *arg)
{
	const struct reg *reg = arg->reg;

	if (kfunc_is(arg->use->kfunc, KFUNC_bpf_rbtree_add_impl))
		return owned_node_arg(env, arg, FIELD_RB_NODE);
	if (!(reg->kind == PTR_TO_BTF_ID && reg->flags & ALLOCATED &&
	      reg->flags & NON_OWN_REF) &&
	    !reg->ref_id)
		return reject(env, GRAPH_NODE_OWNED, callee(arg), (int)arg->regno);
	if (in_graph_callback(env))
		return reject(env, GRAPH_IN_CALLBACK, callee(arg));
	return kfunc_graph_node_check(env, arg->regno, arg->use, FIELD_RB_NODE);
}

/* ---- what lives on the stack ---- */

static u32 dynptr_made_by(const struct kfunc *kfunc)
{
	if (kfunc_is(kfunc, KFUNC_bpf_dynptr_from_skb))
		return dynptr_flag(DYNPTR_SKB);
	if (kfunc_is(kfunc, KFUNC_bpf_dynptr_from_xdp))
		return dynptr_flag(DYNPTR_XDP);
	if (kfunc_is(kfunc, KFUNC_bpf_dynptr_from_skb_meta))
		return dynptr_flag(DYNPTR_SKB_META);
	return 0;
}

static int dynptr_arg(struct env *env, const struct argument *arg)
{
	struct kfunc_use *use = arg->use;
	struct call *call = &use->call;
	u32 flags = 0, clone_ref = 0;
	int err;

	if (arg->reg->kind == CONST_PTR_TO_DYNPTR)
		flags |= MEM_RDONLY;
	if (arg->param->uninit)
		flags |= MEM_UNINIT | dynptr_made_by(use->kfunc);
	if (kfunc_is(use->kfunc, KFUNC_bpf_dynptr_clone) && arg->param->uninit) {
		flags |= dynptr_flag((enum dynptr_type)call->initialized_dynptr_type);
		clone_ref = use->dynptr_ref;
	}
	err = dynptr_arg_check(env, arg->regno, env->pc, flags, clone_ref);
	if (err || arg->param->uninit)
		return err;
	call->dynptr_id = dynptr_id_of(env, arg->reg);
	call->initialized_dynptr_type = dynptr_type_of(env, arg->reg);
	use->dynptr_ref = dynptr_ref_of(env, arg->reg);
	return 0;
}

/* The kernel holds a lock while it walks the tasks: safe in few places. */
static bool css_task_allowed(const struct env *env)
{
	if (env->prog_type == PROG_TYPE_LSM)
		return true;
	if (env->prog_type == PROG_TYPE_TRACING && env->attach_type == ATTACH_TRACE_ITER)
		return true;
	return in_sleepable(env);
}

static int iterator_arg(struct env *env, const struct argument *arg)
{
	if (kfunc_is(arg->use->kfunc, KFUNC_bpf_iter_css_task_new) &&
	    !css_task_allowed(env))
		return reject(env, KARG_CSS_TASK);
	return iter_arg_check(env, arg->regno, &arg->use->call);
}

static int irq_flag_arg(struct env *env, const struct argument *arg)
{
	if (arg->reg->kind != PTR_TO_STACK)
		return wants(env, arg, "a place on the stack");
	return irq_flag_arg_check(env, arg->regno, &arg->use->call);
}

/* ---- what lives in maps ---- */

static int map_field_arg(struct env *env, const struct argument *arg, u32 kind)
{
	if (arg->reg->kind != PTR_TO_MAP_VALUE || arg->reg->flags)
		return wants(env, arg, "a map value");
	return map_field_check(env, arg->regno, kind, &arg->use->call);
}

static int const_str_arg(struct env *env, const struct argument *arg)
{
	struct const_str str;

	if (arg->reg->kind != PTR_TO_MAP_VALUE || arg->reg->flags)
		return wants(env, arg, "a constant string");
	return const_str_check(env, arg->regno, &str);
}

static int res_lock_arg(struct env *env, const struct argument *arg)
{
	const struct kfunc *kfunc = arg->use->kfunc;
	const struct reg *reg = arg->reg;
	u32 how = LOCK_RES;

	if ((reg->kind != PTR_TO_MAP_VALUE || reg->flags) && !is_object(reg))
		return wants(env, arg, "a map value or an object of bpf_obj_new()");
	if (kfunc_is(kfunc, KFUNC_bpf_res_spin_lock) ||
	    kfunc_is(kfunc, KFUNC_bpf_res_spin_lock_irqsave))
		how |= LOCK_TAKE;
	if (kfunc_is(kfunc, KFUNC_bpf_res_spin_lock_irqsave) ||
	    kfunc_is(kfunc, KFUNC_bpf_res_spin_unlock_irqrestore))
		how |= LOCK_IRQ;
	return lock_check(env, arg->regno, how);
}

/* ---- structs, functions or memory ---- */

/* Nobody says what the kfunc does to it: it must be readable and writable. */
static int memory_arg(struct env *env, const struct argument *arg)
{
	struct region_use region = {
		.reg = arg->regno,
		.size = arg->param->size,
		.type = ACCESS_READ | ACCESS_WRITE,
		.zero_size_ok = true,
		.for_kfunc = true,
	};

	return reg_is_null(arg->reg) ? 0 : region_check(env, &region);
}

static int sized_memory_arg(struct env *env, const struct argument *arg)
{
	struct call *call = &arg->use->call;
	u32 size_reg = arg->regno + 1;
	const struct reg *size = &env_regs(env)[size_reg];
	int err;

	if (!reg_is_null(arg->reg) || !(arg->param->optional || arg->param->nullable)) {
		err = region_check_sized(env, arg->regno, size_reg,
					 ACCESS_READ | ACCESS_WRITE, true, false, true);
		if (err)
			return err;
	}
	if (!arg->param->const_sized)
		return 0;
	if (call->constant.known)
		return reject(env, KARG_TWO_CONSTANTS, callee(arg));
	if (!reg_is_const(size))
		return reject(env, KARG_NOT_CONSTANT, callee(arg), (int)size_reg);
	call->constant.known = true;
	call->constant.value = size->var.bits.value;
	/* The result has that size: paths with other sizes are not alike. */
	return env_need_precise(env, size_reg);
}

static int callback_arg(struct env *env, const struct argument *arg)
{
	if (arg->reg->kind != PTR_TO_FUNC)
		return wants(env, arg, "a function");
	arg->use->call.subprog = arg->reg->subprog;
	arg->use->call.func_arg = arg->regno;
	return 0;
}

static bool points_to_struct(const struct argument *arg)
{
	return arg->reg->kind == PTR_TO_BTF_ID || kind_struct[arg->reg->kind];
}

static int pointer_arg(struct env *env, const struct argument *arg)
{
	const struct kfunc *kfunc = arg->use->kfunc;

	if (points_to_struct(arg))
		return struct_arg(env, arg, kfunc->btf, arg->param->type);
	if (arg->param->callback)
		return callback_arg(env, arg);
	return arg->sized ? sized_memory_arg(env, arg) : memory_arg(env, arg);
}

/* Is it something that such a pointer can be given to at all?  Asked before its offset.
 */
static int pointer_allowed(struct env *env, const struct argument *arg)
{
	const struct kfunc_param *param = arg->param;
	bool memory = param->to_scalars || (arg->sized && param->to_void);

	if (points_to_struct(arg)) {
		if (!param->to_struct)
			return reject(env, KARG_POINTEE, callee(arg), (int)arg->regno,
				      btf_kind_name(btf_kind(arg->use->kfunc->btf,
							     param->type)));
		return trust_check(env, arg);
	}
	if (param->callback || memory)
		return 0;
	return reject(env, KARG_POINTEE, callee(arg), (int)arg->regno,
		      *param->type_name ? param->type_name : "something");
}

static int before_offset(struct env *env, const struct argument *arg)
{
	int err = 0;

	if (arg->param->kind == KARG_POINTER)
		return pointer_allowed(env, arg);
	if (arg->param->kind == KARG_MAP)
		err = map_arg_note(env, arg);
	if (!err && (arg->param->kind == KARG_MAP || arg->param->kind == KARG_ALLOC_OBJ))
		err = trust_check(env, arg);
	return err;
}

static int by_kind(struct env *env, const struct argument *arg)
{
	switch ((enum kfunc_arg)arg->param->kind) {
	case KARG_IGNORED:
	case KARG_SCALAR:
	case KARG_UNKNOWN: return 0;
	case KARG_CTX: return ctx_arg(env, arg);
	case KARG_ALLOC_OBJ: return alloc_obj_arg(env, arg);
	case KARG_REFCOUNTED: return refcounted_arg(env, arg);
	case KARG_DYNPTR: return dynptr_arg(env, arg);
	case KARG_ITER: return iterator_arg(env, arg);
	case KARG_LIST_HEAD: return graph_root_arg(env, arg, FIELD_LIST_HEAD);
	case KARG_LIST_NODE: return owned_node_arg(env, arg, FIELD_LIST_NODE);
	case KARG_RB_ROOT: return graph_root_arg(env, arg, FIELD_RB_ROOT);
	case KARG_RB_NODE: return rb_node_arg(env, arg);
	case KARG_CONST_STR: return const_str_arg(env, arg);
	case KARG_MAP: return map_arg(env, arg);
	case KARG_WORKQUEUE: return map_field_arg(env, arg, FIELD_WORKQUEUE);
	case KARG_TASK_WORK: return map_field_arg(env, arg, FIELD_TASK_WORK);
	case KARG_IRQ_FLAG: return irq_flag_arg(env, arg);
	case KARG_RES_SPIN_LOCK: return res_lock_arg(env, arg);
	case KARG_POINTER: return pointer_arg(env, arg);
	}
	return 0;
}

static int note_reference(struct env *env, const struct argument *arg)
{
	struct call *call = &arg->use->call;
	bool releases = kfunc_releases(arg->use->kfunc);

	if (arg->reg->ends_with)
		call->ends_with = arg->reg->ends_with;
	if (!arg->reg->ref_id)
		return 0;
	if (releases && call->ref_id)
		return reject(env, KARG_TWO_REFS, callee(arg), (int)arg->regno);
	call->ref_id = arg->reg->ref_id;
	if (releases)
		call->release_reg = arg->regno;
	return 0;
}

static int pointer_param(struct env *env, const struct argument *arg)
{
	const struct kfunc *kfunc = arg->use->kfunc;
	const struct reg *reg = arg->reg;
	bool maybe_null = reg_is_null(reg) || reg->flags & MAYBE_NULL;
	u32 how = kfunc_releases(kfunc) && reg->ref_id ? OBJ_RELEASE : ARG_DONTCARE;
	int err;

	if ((wants_trust(kfunc) || kfunc->flags & KF_RCU) && maybe_null &&
	    !arg->param->nullable)
		return reject(env, KARG_MAYBE_NULL, callee(arg), (int)arg->regno);
	err = note_reference(env, arg);
	if (err)
		return err;
	if (arg->param->kind != KARG_CTX && arg->param->nullable && reg_is_null(reg))
		return 0;
	err = before_offset(env, arg);
	err = err ? err : arg_offset_check(env, arg->regno, how);
	return err ? err : by_kind(env, arg);
}

static int one_arg(struct env *env, const struct argument *arg)
{
	if (arg->param->kind == KARG_IGNORED)
		return 0;
	if (arg->param->kind == KARG_SCALAR)
		return number_arg(env, arg);
	if (arg->param->kind == KARG_UNKNOWN)
		return reject(env, KARG_TYPE, callee(arg), (int)arg->regno,
			      arg->param->type_name);
	return pointer_param(env, arg);
}

/* Was its size judged with it? */
static bool size_judged(const struct argument *arg)
{
	return arg->sized && arg->param->kind == KARG_POINTER && !arg->param->callback &&
	       !points_to_struct(arg) && !(arg->param->nullable && reg_is_null(arg->reg));
}

int kfunc_args_check(struct env *env, struct kfunc_use *use)
{
	const struct kfunc *kfunc = use->kfunc;
	struct reg *regs = env_regs(env);

	if (kfunc->n_params > ARRAY_SIZE(kfunc->params))
		return reject(env, KFUNC_ARGS, kfunc->name, kfunc->n_params);
	for (u32 i = 0; i < kfunc->n_params; i++) {
		const struct kfunc_param *param = &kfunc->params[i];
		struct argument arg = {
			.use = use,
			.param = param,
			.reg = &regs[i + 1],
			.regno = i + 1,
			.sized = (param->sized || param->const_sized) &&
				 regs[i + 2].kind == SCALAR,
		};
		int err = one_arg(env, &arg);

		if (err)
			return err;
		i += size_judged(&arg);
	}
	if (kfunc_releases(kfunc) && !use->call.release_reg)
		return reject(env, KARG_NOTHING_RELEASED, kfunc->name);
	return 0;
}
