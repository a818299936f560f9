/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kfuncs that their BTF does not describe: sections they enter and leave, callbacks, and
 * results that depend on arguments.
 *
 * Each is told by its row in abi/kfuncs.def, never by name.  Never does: judge arguments.
 * Documentation/bpf/kfuncs.rst of the kernel.
 */
#include "verify/kfunc.h"
#include "verify/memory.h"

enum { MAX_PERCPU_OBJECT = 512 };

/* ---- sections ---- */

/* What RCU protected may be gone, and may not be compared with NULL to be trusted again.
 */
static void forget_rcu(struct reg *reg)
{
	if (!(reg->flags & RCU))
		return;
	reg->flags &= (u16) ~(RCU | MAYBE_NULL);
	reg->flags |= UNTRUSTED;
}

static void forget_rcu_iterators(struct frame *frame)
{
	for (u32 i = 0; i < frame->n_slots; i++)
		if (frame->slots[i].type[0] == SLOT_ITER)
			forget_rcu(&frame->slots[i].spilled);
}

static void end_rcu_section(struct state *st)
{
	struct reg *reg;

	st->active_rcu = 0;
	for_each_reg(st, reg) if (reg_is_pointer(reg)) forget_rcu(reg);
	for (u32 i = 0; i <= st->depth; i++)
		forget_rcu_iterators(st->frames[i]);
}

static int rcu_section(struct env *env, const struct kfunc *kfunc)
{
	struct state *st = env->cur;
	bool enters = kfunc_is(kfunc, KFUNC_bpf_rcu_read_lock);
	bool leaves = kfunc_is(kfunc, KFUNC_bpf_rcu_read_unlock);

	if (!enters && !leaves)
		return 0;
	if (enters && st->active_rcu && !env->rules->rcu_nests)
		return reject(env, KFUNC_NESTED_RCU);
	if (leaves && !st->active_rcu)
		return reject(env, KFUNC_UNMATCHED, kfunc->name);
	if (enters)
		st->active_rcu++;
	else if (st->active_rcu > 1)
		st->active_rcu--;
	else
		end_rcu_section(st);
	return 0;
}

static int preempt_section(struct env *env, const struct kfunc *kfunc)
{
	struct state *st = env->cur;

	if (kfunc_is(kfunc, KFUNC_bpf_preempt_disable)) {
		st->active_preempt++;
	} else if (kfunc_is(kfunc, KFUNC_bpf_preempt_enable)) {
		if (!st->active_preempt)
			return reject(env, KFUNC_UNMATCHED, kfunc->name);
		st->active_preempt--;
	}
	return 0;
}

int kfunc_sections(struct env *env, const struct kfunc *kfunc)
{
	const struct state *st = env->cur;
	bool sleeps = kfunc->flags & KF_SLEEPABLE;
	int err = rcu_section(env, kfunc);

	err = err ? err : preempt_section(env, kfunc);
	if (err)
		return err;
	if (sleeps && st->active_rcu)
		return reject(env, KFUNC_SLEEPS_IN, kfunc->name, "an RCU read section");
	if (sleeps && st->active_preempt)
		return reject(env, KFUNC_SLEEPS_IN, kfunc->name,
			      "a section that is not preempted");
	if (sleeps && st->active_irq_id)
		return reject(env, KFUNC_SLEEPS_IN, kfunc->name,
			      "a section without interrupts");
	if (kfunc_is_rcu_protected(kfunc) && env->rules->rcu_protected_enforced &&
	    !in_rcu_section(env))
		return reject(env, KFUNC_NEEDS_RCU, kfunc->name);
	return 0;
}

/* ---- callbacks ---- */

/* The callbacks get the map, a key and the value, and run when the program is done. */
static void later_args(const struct call *call, struct frame *callee)
{
	static const enum reg_kind kinds[] = {CONST_PTR_TO_MAP, PTR_TO_MAP_KEY,
					      PTR_TO_MAP_VALUE};

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct reg *reg = &callee->regs[R1 + i];

		reg_set_pointer(reg, kinds[i], 0);
		reg->map = call->map;
		reg->map_uid = call->map_uid;
	}
	reg_set_uninit(&callee->regs[R4]);
	reg_set_uninit(&callee->regs[R5]);
	callee->in_async_callback = true;
}

static int wq_args(struct env *env, const struct call *call, const struct frame *caller,
		   struct frame *callee)
{
	(void)env, (void)caller;
	later_args(call, callee);
	callee->callback_ret_min = callee->callback_ret_max = 0;
	return 0;
}

static int task_work_args(struct env *env, const struct call *call,
			  const struct frame *caller, struct frame *callee)
{
	(void)env, (void)caller;
	later_args(call, callee);
	callee->callback_ret_min = INT32_MIN;
	callee->callback_ret_max = INT32_MAX;
	return 0;
}

int kfunc_callbacks(struct env *env, struct kfunc_use *use)
{
	struct callback callback = {
		.subprog = use->call.subprog,
		.later = true,
		.sleepable = true,
	};

	if (!kfunc_calls_back(use->kfunc) && !kfunc_calls_back_later(use->kfunc))
		return 0;
	if (!use->call.func_arg)
		return kfunc_odd_prototype(env);
	if (kfunc_calls_back(use->kfunc))
		return kfunc_rbtree_add(env, use);
	if (!use->call.map)
		return kfunc_odd_prototype(env);
	callback.set_args = kfunc_is(use->kfunc, KFUNC_bpf_wq_set_callback_impl)
				    ? wq_args
				    : task_work_args;
	return callback_enter(env, &use->call, &callback);
}

/* ---- results ---- */

static int object_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	const struct btf *btf = env->prog->btf;
	bool percpu = kfunc_is(use->kfunc, KFUNC_bpf_percpu_obj_new_impl);
	const char *name = use->kfunc->name;
	u64 id = use->call.constant.value;

	if (id > UINT32_MAX)
		return reject(env, OBJ_NEW_ID, name, (unsigned long long)id);
	if (!btf)
		return reject(env, OBJ_NEW_NO_BTF, name);
	if (id >= btf_count(btf) || btf_kind(btf, (u32)id) != BTF_STRUCT)
		return reject(env, OBJ_NEW_STRUCT, name, (u32)id);
	if (percpu && btf_type(btf, (u32)id).size > MAX_PERCPU_OBJECT)
		return reject(env, OBJ_NEW_PERCPU_SIZE, name, MAX_PERCPU_OBJECT);
	if (percpu &&
	    (!type_is_scalars(btf, (u32)id) || struct_record(env, btf, (u32)id)))
		return reject(env, OBJ_NEW_PERCPU_FIELDS, name);
	reg_set_pointer(r0, PTR_TO_BTF_ID, ALLOCATED | (percpu ? PERCPU : 0));
	r0->btf = btf;
	r0->btf_id = (u32)id;
	return 1;
}

static int refcount_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	if (!use->call.btf)
		return kfunc_odd_prototype(env);
	reg_set_pointer(r0, PTR_TO_BTF_ID, ALLOCATED);
	r0->btf = use->call.btf;
	r0->btf_id = use->call.btf_id;
	return 1;
}

static int kern_ctx_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	if (!use->kern_ctx)
		return kfunc_odd_prototype(env);
	reg_set_pointer(r0, PTR_TO_BTF_ID, TRUSTED);
	r0->btf = env->kernel;
	r0->btf_id = use->kern_ctx;
	return 1;
}

static int cast_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	u64 value = use->call.constant.value;
	u32 id = (u32)value;
	enum btf_kind kind =
		id < btf_count(env->kernel) ? btf_kind(env->kernel, id) : BTF_KINDS;

	if (kind == BTF_STRUCT || kind == BTF_UNION) {
		reg_set_pointer(r0, PTR_TO_BTF_ID, UNTRUSTED);
		r0->btf = env->kernel;
		r0->btf_id = id;
		return 1;
	}
	if (kind != BTF_VOID || !env->rules->cast_to_void)
		return reject(env, CAST_TYPE, (unsigned long long)value);
	reg_set_pointer(r0, PTR_TO_MEM, RDONLY | UNTRUSTED);
	r0->mem_size = 0;
	return 1;
}

static bool slice_of_packet(u32 dynptr_type)
{
	return dynptr_type == DYNPTR_SKB || dynptr_type == DYNPTR_XDP ||
	       dynptr_type == DYNPTR_SKB_META;
}

static int slice_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	bool writable = kfunc_is(use->kfunc, KFUNC_bpf_dynptr_slice_rdwr);
	u32 flags = slice_of_packet(use->call.initialized_dynptr_type) ? PACKET_SLICE
								       : OTHER_SLICE;

	if (writable && !may_access_packet_directly(env, false, true))
		return reject(env, SLICE_NOT_WRITABLE);
	reg_set_pointer(r0, PTR_TO_MEM, flags | (writable ? 0 : RDONLY));
	r0->mem_size = (u32)use->call.constant.value;
	r0->dynptr_id = use->call.dynptr_id;
	return 1;
}

int kfunc_special_result(struct env *env, struct kfunc_use *use, struct reg *r0)
{
	const struct kfunc *kfunc = use->kfunc;

	if (kfunc_is(kfunc, KFUNC_bpf_obj_new_impl) ||
	    kfunc_is(kfunc, KFUNC_bpf_percpu_obj_new_impl))
		return object_result(env, use, r0);
	if (kfunc_is(kfunc, KFUNC_bpf_refcount_acquire_impl))
		return refcount_result(env, use, r0);
	if (kfunc_is(kfunc, KFUNC_bpf_cast_to_kern_ctx))
		return kern_ctx_result(env, use, r0);
	if (kfunc_is(kfunc, KFUNC_bpf_rdonly_cast))
		return cast_result(env, use, r0);
	if (kfunc_is(kfunc, KFUNC_bpf_dynptr_slice) ||
	    kfunc_is(kfunc, KFUNC_bpf_dynptr_slice_rdwr))
		return slice_result(env, use, r0);
	if (!kfunc->ret_graph_node || !kfunc->special || !use->root)
		return 0;
	graph_node_set(r0, use->root);
	return 1;
}
