/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prototype of a kfunc: what types, names of parameters and the table say, read once.
 *
 * Parameters are told apart by what they point to and by the suffixes of their names, so
 * that judging a call compares numbers only.  Never does: look at a register.
 * Documentation/bpf/kfuncs.rst of the kernel.
 */
#include "verify/kfunc.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_KFUNCS = 256 };

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len > end && !strcmp(name + len - end, suffix);
}

static bool is_number(enum btf_kind kind)
{
	return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
}

static bool is_struct(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

enum { MAX_MEMBERS = 4096 };

/* members: how many may still be looked at; structs may have many of size 0. */
static bool is_scalars(const struct btf *btf, u32 type, u32 depth, u32 *members)
{
	struct btf_type t = btf_type(btf, btf_resolve(btf, type));

	if (!is_struct(t.kind) || depth > 3)
		return false;
	for (u32 i = 0; i < t.vlen; i++) {
		u32 member = btf_resolve(btf, btf_member(btf, &t, i).type);
		enum btf_kind kind = btf_kind(btf, member);

		if (!(*members)--)
			return false;
		if (is_struct(kind)) {
			if (!is_scalars(btf, member, depth + 1, members))
				return false;
			continue;
		}
		if (kind == BTF_ARRAY) {
			struct btf_type array_type = btf_type(btf, member);
			struct btf_array array = btf_array(&array_type);

			if (!array.nelems)
				return false;
			kind = btf_kind(btf, btf_resolve(btf, array.type));
		}
		if (!is_number(kind))
			return false;
	}
	return true;
}

bool type_is_scalars(const struct btf *btf, u32 type)
{
	u32 members = MAX_MEMBERS;

	return is_scalars(btf, type, 0, &members);
}

/* ---- contexts ---- */

/* What programs call their context, and what the kernel's struct is. */
static const struct {
	const char *user, *kern;
} contexts[PROG_TYPES] = {
	[PROG_TYPE_SOCKET_FILTER] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_SCHED_CLS] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_SCHED_ACT] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_CGROUP_SKB] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_LWT_IN] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_LWT_OUT] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_LWT_XMIT] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_LWT_SEG6LOCAL] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_SK_SKB] = {"__sk_buff", "sk_buff"},
	[PROG_TYPE_FLOW_DISSECTOR] = {"__sk_buff", "bpf_flow_dissector"},
	[PROG_TYPE_XDP] = {"xdp_md", "xdp_buff"},
	[PROG_TYPE_CGROUP_SOCK] = {"bpf_sock", "sock"},
	[PROG_TYPE_CGROUP_SOCK_ADDR] = {"bpf_sock_addr", "bpf_sock_addr_kern"},
	[PROG_TYPE_SOCK_OPS] = {"bpf_sock_ops", "bpf_sock_ops_kern"},
	[PROG_TYPE_SK_MSG] = {"sk_msg_md", "sk_msg"},
	[PROG_TYPE_KPROBE] = {"bpf_user_pt_regs_t", "pt_regs"},
	[PROG_TYPE_PERF_EVENT] = {"bpf_perf_event_data", "bpf_perf_event_data_kern"},
	[PROG_TYPE_RAW_TRACEPOINT] = {"bpf_raw_tracepoint_args", NULL},
	[PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = {"bpf_raw_tracepoint_args", NULL},
	[PROG_TYPE_CGROUP_DEVICE] = {"bpf_cgroup_dev_ctx", "bpf_cgroup_dev_ctx"},
	[PROG_TYPE_CGROUP_SYSCTL] = {"bpf_sysctl", "bpf_sysctl_kern"},
	[PROG_TYPE_CGROUP_SOCKOPT] = {"bpf_sockopt", "bpf_sockopt_kern"},
	[PROG_TYPE_SK_REUSEPORT] = {"sk_reuseport_md", "sk_reuseport_kern"},
	[PROG_TYPE_SK_LOOKUP] = {"bpf_sk_lookup", "bpf_sk_lookup_kern"},
	[PROG_TYPE_NETFILTER] = {"bpf_nf_ctx", "bpf_nf_ctx"},
};

u32 kern_ctx_type(const struct env *env)
{
	if (env->prog_type >= PROG_TYPES || !contexts[env->prog_type].kern)
		return 0;
	return btf_find(env->kernel, contexts[env->prog_type].kern, BTF_STRUCT);
}

/* struct pt_regs has another name among programs: a typedef. */
static bool is_user_pt_regs(const struct btf *btf, u32 pointee)
{
	u32 id = btf_skip_modifiers(btf, pointee);

	return btf_kind(btf, id) == BTF_TYPEDEF &&
	       !strcmp(btf_name(btf, id), "bpf_user_pt_regs_t");
}

/* Kfuncs may name the kernel's struct where programs have its user-visible twin. */
static bool is_context(const struct env *env, const struct btf *btf, u32 pointee)
{
	const char *user =
		env->prog_type < PROG_TYPES ? contexts[env->prog_type].user : NULL;
	u32 id = btf_resolve(btf, pointee);
	const char *name = btf_name(btf, id);

	if (env->prog_type == PROG_TYPE_KPROBE && is_user_pt_regs(btf, pointee))
		return true;
	if (!user || !is_struct(btf_kind(btf, id)))
		return false;
	if (env->prog_type == PROG_TYPE_KPROBE)
		return !strcmp(name, "pt_regs");
	if (!strcmp(user, name))
		return true;
	return (!strcmp(user, "__sk_buff") && !strcmp(name, "sk_buff")) ||
	       (!strcmp(user, "xdp_md") && !strcmp(name, "xdp_buff"));
}

/* ---- parameters ---- */

/* Structs that make an argument something of its own. */
static const struct {
	const char *name;
	enum kfunc_arg kind;
} by_struct[] = {
	{"bpf_dynptr", KARG_DYNPTR},       {"bpf_list_head", KARG_LIST_HEAD},
	{"bpf_list_node", KARG_LIST_NODE}, {"bpf_rb_root", KARG_RB_ROOT},
	{"bpf_rb_node", KARG_RB_NODE},     {"bpf_dynptr_kern", KARG_DYNPTR},
};

/* These come after the suffixes. */
static const struct {
	const char *name;
	enum kfunc_arg kind;
} by_late_struct[] = {
	{"bpf_wq", KARG_WORKQUEUE},
	{"bpf_task_work", KARG_TASK_WORK},
};

static enum kfunc_arg kind_by_struct(const struct kfunc_param *param)
{
	if (!param->to_struct)
		return KARG_POINTER;
	for (size_t i = 0; i < ARRAY_SIZE(by_struct); i++)
		if (!strcmp(by_struct[i].name, param->type_name))
			return by_struct[i].kind;
	return KARG_POINTER;
}

static enum kfunc_arg kind_by_late_struct(const struct kfunc_param *param)
{
	if (!param->to_struct)
		return KARG_POINTER;
	for (size_t i = 0; i < ARRAY_SIZE(by_late_struct); i++)
		if (!strcmp(by_late_struct[i].name, param->type_name))
			return by_late_struct[i].kind;
	return KARG_POINTER;
}

static bool is_iterator_arg(const struct kfunc *kfunc, u32 i, const char *name)
{
	if (kfunc->flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY))
		return i == 0;
	return ends_with(name, "__iter");
}

/* In the order in which one says more than the next. */
static enum kfunc_arg pointer_kind(const struct env *env, const struct kfunc *kfunc,
				   u32 i, const char *name)
{
	const struct kfunc_param *param = &kfunc->params[i];
	enum kfunc_arg kind;

	if (kfunc_is(kfunc, KFUNC_bpf_cast_to_kern_ctx) ||
	    is_context(env, kfunc->btf, param->type))
		return KARG_CTX;
	if (ends_with(name, "__alloc"))
		return KARG_ALLOC_OBJ;
	if (ends_with(name, "__refcounted_kptr"))
		return KARG_REFCOUNTED;
	kind = kind_by_struct(param);
	if (kind == KARG_DYNPTR)
		return kind;
	if (is_iterator_arg(kfunc, i, name))
		return KARG_ITER;
	if (kind != KARG_POINTER)
		return kind;
	if (ends_with(name, "__str"))
		return KARG_CONST_STR;
	if (ends_with(name, "__map"))
		return KARG_MAP;
	kind = kind_by_late_struct(param);
	if (kind != KARG_POINTER)
		return kind;
	if (ends_with(name, "__irq_flag"))
		return KARG_IRQ_FLAG;
	if (param->to_struct && !strcmp(param->type_name, "bpf_res_spin_lock"))
		return KARG_RES_SPIN_LOCK;
	return KARG_POINTER;
}

static void read_pointee(const struct btf *btf, u32 pointee, struct kfunc_param *param)
{
	u32 id = btf_resolve(btf, pointee);
	enum btf_kind kind = btf_kind(btf, id);
	s64 size = btf_size(btf, id);

	param->type = id;
	param->type_name = btf_name(btf, id);
	param->to_void = kind == BTF_VOID;
	param->to_struct = is_struct(kind);
	param->to_scalars = is_number(kind) || type_is_scalars(btf, id);
	param->callback = kind == BTF_FUNC_PROTO;
	param->size = size > 0 && size <= INT32_MAX ? (u32)size : 0;
}

static void read_number(const char *name, struct kfunc_param *param)
{
	param->kind = KARG_SCALAR;
	param->constant = ends_with(name, "__k");
	if (param->constant)
		return;
	param->rdonly_size = !strcmp(name, "rdonly_buf_size");
	param->rdwr_size = !strcmp(name, "rdwr_buf_size");
}

static void read_param(const struct env *env, struct kfunc *kfunc,
		       const struct btf_type *proto, u32 i)
{
	const struct btf *btf = kfunc->btf;
	struct btf_param arg = btf_param(btf, proto, i);
	struct btf_type type = btf_type(btf, btf_resolve(btf, arg.type));
	struct kfunc_param *param = &kfunc->params[i];

	param->type_name = "";
	if (ends_with(arg.name, "__ign") || ends_with(arg.name, "__prog")) {
		param->kind = KARG_IGNORED;
		return;
	}
	if (is_number(type.kind)) {
		read_number(arg.name, param);
		return;
	}
	if (type.kind != BTF_PTR) {
		param->kind = KARG_UNKNOWN;
		param->type_name = btf_kind_name(type.kind);
		return;
	}
	read_pointee(btf, type.type, param);
	param->nullable = ends_with(arg.name, "__nullable");
	param->optional = ends_with(arg.name, "__opt");
	param->uninit = ends_with(arg.name, "__uninit");
	/* a typedef tells contexts: not resolved here */
	param->kind = is_context(env, btf, type.type)
			      ? KARG_CTX
			      : pointer_kind(env, kfunc, i, arg.name);
	if (i + 1 < proto->vlen) {
		struct btf_param next = btf_param(btf, proto, i + 1);
		bool number = is_number(btf_kind(btf, btf_resolve(btf, next.type)));

		param->sized = number && ends_with(next.name, "__sz");
		param->const_sized = number && ends_with(next.name, "__szk");
	}
}

static void read_result(struct kfunc *kfunc, const struct btf_type *proto)
{
	const struct btf *btf = kfunc->btf;
	struct btf_type type = btf_type(btf, btf_resolve(btf, proto->type));
	enum btf_kind kind;
	s64 size;

	if (type.kind != BTF_PTR) {
		kfunc->ret = is_number(type.kind)    ? KRET_SCALAR
			     : type.kind == BTF_VOID ? KRET_VOID
						     : KRET_OTHER;
		kfunc->ret_size = kfunc->ret == KRET_SCALAR ? type.size : 0;
		return;
	}
	kfunc->ret = KRET_POINTER;
	kfunc->ret_type = btf_resolve(btf, type.type);
	kind = btf_kind(btf, kfunc->ret_type);
	size = btf_size(btf, kfunc->ret_type);
	kfunc->ret_to_void = kind == BTF_VOID;
	kfunc->ret_to_struct = kind == BTF_STRUCT;
	kfunc->ret_size = size > 0 && size <= INT32_MAX ? (u32)size : 0;
	kfunc->ret_graph_node =
		kind == BTF_STRUCT &&
		(!strcmp(btf_name(btf, kfunc->ret_type), "bpf_list_node") ||
		 !strcmp(btf_name(btf, kfunc->ret_type), "bpf_rb_node"));
}

/* ---- the kfunc ---- */

static int find_btf(struct env *env, const struct extern_ref *ref, struct kfunc *kfunc)
{
	struct target_modules *modules = env->target->modules;

	if (!env->kernel)
		return unsupported(env,
				   "it calls kernel functions, and the kernel's types "
				   "are not known: give --btf");
	kfunc->btf = env->kernel;
	if (ref->module)
		kfunc->btf = modules && modules->btf ? modules->btf(modules, ref->module)
						     : NULL;
	if (!kfunc->btf)
		return unsupported(env, "it calls functions of a module whose types are "
					"not known");
	return 0;
}

static void find_row(struct env *env, struct kfunc *kfunc)
{
	const struct abi_kfunc *known = abi_find_kfunc(kfunc->name);

	if (!known)
		return;
	kfunc->row = abi_kfunc_for(known, env->rules->version, env->prog_type);
	if (kfunc->btf == env->kernel)
		kfunc->special = known->id;
	if (kfunc->row)
		kfunc->flags = kfunc->row->flags;
}

int kfunc_odd_prototype(struct env *env)
{
	return unsupported(env, "the kernel's types describe a kernel function otherwise "
				"than Linux does");
}

int kfunc_read(struct env *env, const struct extern_ref *ref, struct kfunc *kfunc)
{
	struct btf_type func, proto;
	int err = find_btf(env, ref, kfunc);

	if (err)
		return err;
	func = btf_type(kfunc->btf, ref->btf_id);
	if (func.kind != BTF_FUNC)
		return reject(env, KFUNC_NO_FUNC, ref->name);
	proto = btf_type(kfunc->btf, func.type);
	if (proto.kind != BTF_FUNC_PROTO)
		return reject(env, KFUNC_NO_FUNC, ref->name);
	kfunc->name = func.name;
	kfunc->id = ref->btf_id;
	kfunc->proto = func.type;
	kfunc->n_params = proto.vlen;
	find_row(env, kfunc);
	if (kfunc->row && kfunc->flags & KF_DEV_BOUND)
		return reject(env, KFUNC_DEV_BOUND, kfunc->name);
	for (u32 i = 0; i < proto.vlen && i < ARRAY_SIZE(kfunc->params); i++)
		read_param(env, kfunc, &proto, i);
	read_result(kfunc, &proto);
	if (kfunc->flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY) &&
	    kfunc->params[0].kind != KARG_ITER)
		return kfunc_odd_prototype(env);
	return 0;
}

static int add_kfunc(struct env *env, const struct kfunc **known, u32 pc, u32 *n)
{
	const struct extern_ref *ref = &env->prog->externs[env->insns[pc].imm];
	struct kfunc *kfunc;
	int err;

	if (!env->prog->gpl_compatible)
		return reject_at(env, (int)pc, KFUNC_GPL, ref->name);
	/* refused only where it is reached */
	if (!ref->btf_id && env->kernel)
		return 0;
	if (++*n > MAX_KFUNCS)
		return reject_at(env, (int)pc, KFUNC_TOO_MANY, MAX_KFUNCS);
	kfunc = arena_alloc(&env->arena, sizeof(*kfunc));
	if (!kfunc)
		return env_no_memory(env);
	env->pc = pc;
	err = kfunc_read(env, ref, kfunc);
	known[env->insns[pc].imm] = kfunc;
	return err;
}

static bool is_kfunc_call(const struct insn *insn)
{
	return decode(insn) == OP_CALL && insn->src_reg == CALL_KFUNC;
}

int kfunc_prepare(struct env *env)
{
	const struct kfunc **known = NULL;
	u32 n = 0;
	int err = 0;

	for (u32 pc = 0; pc < env->n_insns && !err; pc++) {
		const struct insn *insn = &env->insns[pc];

		if (!is_kfunc_call(insn))
			continue;
		if (insn->imm < 0 || (u32)insn->imm >= env->prog->n_externs)
			return reject_at(env, (int)pc, KFUNC_NO_FUNC, "it");
		if (!known)
			known = arena_array(&env->arena, env->prog->n_externs,
					    sizeof(*known));
		if (!known)
			return env_no_memory(env);
		if (!known[insn->imm])
			err = add_kfunc(env, known, pc, &n);
		env->aux[pc].kfunc = known[insn->imm];
	}
	env->pc = 0;
	return err;
}
