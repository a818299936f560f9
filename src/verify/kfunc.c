/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of kfuncs: may this program call it here, are the arguments right, what does it
 * give?
 *
 * The order is the kernel's, so that the first reason is the same one: who may call,
 * sleep, arguments, callbacks, sections, references that end, the result, what the call
 * changes. Documentation/bpf/kfuncs.rst of the kernel.
 */
#include <string.h>

#include "verify/kfunc.h"
#include "verify/memory.h"
#include "verify/transfer.h"

enum { MAX_ERRNO = 4095 };

/* ---- questions that need no state ---- */

bool kfunc_is_iter_next(const struct kfunc *kfunc)
{
	return kfunc && kfunc->flags & KF_ITER_NEXT;
}

bool kfunc_is_throw(const struct kfunc *kfunc)
{
	return kfunc && kfunc_is(kfunc, KFUNC_bpf_throw);
}

bool kfunc_calls_back(const struct kfunc *kfunc)
{
	return kfunc && kfunc_is(kfunc, KFUNC_bpf_rbtree_add_impl);
}

bool kfunc_calls_back_later(const struct kfunc *kfunc)
{
	return kfunc && (kfunc_is(kfunc, KFUNC_bpf_wq_set_callback_impl) ||
			 kfunc_is(kfunc, KFUNC_bpf_task_work_schedule_signal_impl) ||
			 kfunc_is(kfunc, KFUNC_bpf_task_work_schedule_resume_impl));
}

bool kfunc_changes_packet(const struct kfunc *kfunc)
{
	return kfunc && kfunc_is(kfunc, KFUNC_bpf_xdp_pull_data);
}

bool kfunc_might_sleep(const struct kfunc *kfunc)
{
	return kfunc && kfunc->flags & KF_SLEEPABLE;
}

bool kfunc_is_fastcall(const struct kfunc *kfunc)
{
	return kfunc && kfunc->flags & KF_FASTCALL;
}

bool kfunc_is_rcu_protected(const struct kfunc *kfunc)
{
	return kfunc && kfunc->flags & KF_RCU_PROTECTED;
}

u32 kfunc_n_args(const struct kfunc *kfunc)
{
	return kfunc ? (u32)min_u64(kfunc->n_params, ARRAY_SIZE(kfunc->params)) : 5;
}

bool kfunc_returns_void(const struct kfunc *kfunc)
{
	return kfunc && kfunc->ret == KRET_VOID;
}

const char *kfunc_name(const struct kfunc *kfunc)
{
	return kfunc ? kfunc->name : "a function that the kernel does not have";
}

enum iter_role kfunc_iter_role(const struct kfunc *kfunc)
{
	if (kfunc->flags & KF_ITER_NEW)
		return ITER_NEW;
	if (kfunc->flags & KF_ITER_NEXT)
		return ITER_NEXT;
	return kfunc->flags & KF_ITER_DESTROY ? ITER_DESTROY : ITER_OTHER;
}

u32 kfunc_iter_struct(const struct kfunc *kfunc, u32 arg, const struct btf **btf)
{
	static const char prefix[] = "bpf_iter_";
	const struct kfunc_param *param = &kfunc->params[arg];

	if (arg >= kfunc_n_args(kfunc) || param->kind != KARG_ITER || !param->to_struct ||
	    btf_kind(kfunc->btf, param->type) != BTF_STRUCT)
		return 0;
	if (strncmp(param->type_name, prefix, sizeof(prefix) - 1) != 0 || !param->size ||
	    param->size % 8)
		return 0;
	*btf = kfunc->btf;
	return param->type;
}

bool kfunc_allowed_in_lock(const struct kfunc *kfunc)
{
	switch ((u32)kfunc->special) {
	case KFUNC_bpf_list_push_front_impl:
	case KFUNC_bpf_list_push_back_impl:
	case KFUNC_bpf_list_pop_front:
	case KFUNC_bpf_list_pop_back:
	case KFUNC_bpf_list_front:
	case KFUNC_bpf_list_back:
	case KFUNC_bpf_rbtree_add_impl:
	case KFUNC_bpf_rbtree_remove:
	case KFUNC_bpf_rbtree_first:
	case KFUNC_bpf_rbtree_root:
	case KFUNC_bpf_rbtree_left:
	case KFUNC_bpf_rbtree_right:
	case KFUNC_bpf_refcount_acquire_impl:
	case KFUNC_bpf_iter_num_new:
	case KFUNC_bpf_iter_num_next:
	case KFUNC_bpf_iter_num_destroy:
	case KFUNC_bpf_res_spin_lock:
	case KFUNC_bpf_res_spin_unlock:
	case KFUNC_bpf_res_spin_lock_irqsave:
	case KFUNC_bpf_res_spin_unlock_irqrestore: return true;
	}
	return false;
}

/* ---- who may call it ---- */

static bool filtered(const struct env *env, const struct kfunc *kfunc)
{
	if (kfunc->flags & KF_ONLY_ITER)
		return env->attach_type != ATTACH_TRACE_ITER;
	if (kfunc->flags & KF_ONLY_SESSION)
		return env->attach_type != ATTACH_TRACE_KPROBE_SESSION &&
		       env->attach_type != ATTACH_TRACE_UPROBE_SESSION;
	return false;
}

static int may_call(struct env *env, const struct kfunc *kfunc)
{
	if (!kfunc->row && !abi_find_kfunc(kfunc->name) &&
	    btf_has_tag(kfunc->btf, kfunc->id, -1, "bpf_kfunc"))
		return unsupported(env,
				   "it calls kernel functions that skep does not know");
	if (!kfunc->row || filtered(env, kfunc))
		return reject(env, KFUNC_FORBIDDEN, kfunc->name);
	if (kfunc_is(kfunc, KFUNC___bpf_trap))
		return reject(env, KFUNC_TRAP);
	return 0;
}

/* ---- a lock that may fail ---- */

static bool may_fail_to_lock(const struct kfunc *kfunc)
{
	return kfunc_is(kfunc, KFUNC_bpf_res_spin_lock) ||
	       kfunc_is(kfunc, KFUNC_bpf_res_spin_lock_irqsave);
}

/* The other path: nothing is held, and R0 has an error. */
static int branch_failed_lock(struct env *env)
{
	struct state *other = env_branch(env, env->pc + 1, false);
	struct reg *regs;

	if (!other)
		return env_told(env);
	regs = state_regs(other);
	for (u32 i = R0; i <= R5; i++)
		reg_set_uninit(&regs[i]);
	reg_set_unknown(&regs[R0]);
	regs[R0].var.smin32 = -MAX_ERRNO;
	regs[R0].var.smax32 = -1;
	regs[R0].var.smin = -MAX_ERRNO;
	regs[R0].var.smax = -1;
	scalar_sync(&regs[R0].var);
	return 0;
}

/* ---- references that end ---- */

static bool inserts(const struct kfunc *kfunc)
{
	return kfunc_is(kfunc, KFUNC_bpf_list_push_front_impl) ||
	       kfunc_is(kfunc, KFUNC_bpf_list_push_back_impl) ||
	       kfunc_is(kfunc, KFUNC_bpf_rbtree_add_impl);
}

static int end_references(struct env *env, struct kfunc_use *use)
{
	u32 reg = use->call.release_reg;

	if (reg) {
		u32 ref_id = env_regs(env)[reg].ref_id;

		if (!ref_find(env->cur, ref_id))
			return reject(env, REF_NOT_HELD);
		int err = ref_release(env, ref_id);
		if (err)
			return err;
	}
	return inserts(use->kfunc) ? kfunc_graph_insert(env) : 0;
}

/* ---- the result ---- */

static bool may_return_null(const struct kfunc_use *use)
{
	/* Who owns an object can take another reference, always. */
	if (kfunc_is(use->kfunc, KFUNC_bpf_refcount_acquire_impl) && use->owning_ref)
		return false;
	return use->kfunc->flags & KF_RET_NULL;
}

static bool acquires_object(const struct kfunc *kfunc)
{
	return kfunc_is(kfunc, KFUNC_bpf_obj_new_impl) ||
	       kfunc_is(kfunc, KFUNC_bpf_percpu_obj_new_impl) ||
	       kfunc_is(kfunc, KFUNC_bpf_refcount_acquire_impl);
}

static int memory_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	const struct kfunc *kfunc = use->kfunc;
	u32 size = use->ret_size ? use->ret_size : kfunc->ret_size;
	bool rdonly = use->ret_size ? use->ret_rdonly : true;

	if (kfunc_is(kfunc, KFUNC_bpf_session_cookie))
		rdonly = false;
	if (!size)
		return reject(env, KFUNC_RET_TYPE, kfunc->name);
	reg_set_pointer(r0, PTR_TO_MEM, rdonly ? RDONLY : 0);
	r0->mem_size = size;
	r0->dynptr_id = 0;
	/* it goes with what it is part of */
	r0->ref_id = use->call.ref_id;
	r0->ends_with = use->call.ends_with;
	return 0;
}

/* An iterator that was made in an RCU section gives what that section protects. */
static bool gives_rcu(const struct env *env, const struct kfunc_use *use)
{
	const struct call *call = &use->call;
	const struct frame *frame;

	if (kfunc_is_rcu_protected(use->kfunc))
		return true;
	if (!kfunc_is_iter_next(use->kfunc))
		return false;
	frame = env->cur->frames[call->iter_frame];
	return frame->slots[call->iter_slot].spilled.flags & RCU;
}

static void struct_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	const struct kfunc *kfunc = use->kfunc;
	u32 flags = TRUSTED;

	if (kfunc_is(kfunc, KFUNC_bpf_get_kmem_cache))
		flags = UNTRUSTED;
	else if (gives_rcu(env, use))
		flags = RCU;
	reg_set_pointer(r0, PTR_TO_BTF_ID, flags);
	r0->btf = kfunc->btf;
	r0->btf_id = kfunc->ret_type;
}

static int pointer_value(struct env *env, struct kfunc_use *use, struct reg *r0)
{
	const struct kfunc *kfunc = use->kfunc;
	int special = kfunc_special_result(env, use, r0);

	if (special)
		return special < 0 ? special : 0;
	if (kfunc->ret_to_void)
		reg_set_unknown(r0);
	else if (!kfunc->ret_to_struct)
		return memory_result(env, use, r0);
	else
		struct_result(env, use, r0);
	return 0;
}

static int acquire_result(struct env *env, const struct kfunc_use *use, struct reg *r0)
{
	int id = ref_acquire(env, env->pc);

	if (id < 0)
		return id;
	if (may_return_null(use))
		r0->id = (u32)id;
	r0->ref_id = (u32)id;
	return 0;
}

static int pointer_result(struct env *env, struct kfunc_use *use, struct reg *r0)
{
	const struct kfunc *kfunc = use->kfunc;
	const struct record *rec;
	int err = pointer_value(env, use, r0);

	if (err || r0->kind == SCALAR)
		return err;
	if (may_return_null(use)) {
		r0->flags |= MAYBE_NULL;
		r0->id = env_new_id(env);
	}
	if (kfunc->flags & KF_ACQUIRE)
		err = acquire_result(env, use, r0);
	else if (kfunc->ret_graph_node)
		reg_set_non_owning(env, r0);
	rec = reg_record(env, r0);
	if (rec && rec->kinds & (FIELD_SPIN_LOCK | FIELD_RES_SPIN_LOCK) && !r0->id)
		r0->id = env_new_id(env);
	return err;
}

static int result(struct env *env, struct kfunc_use *use)
{
	const struct kfunc *kfunc = use->kfunc;
	struct reg *regs = env_regs(env), *r0 = &regs[R0];
	bool to_struct = kfunc->ret == KRET_POINTER &&
			 (kfunc->ret_to_struct ||
			  btf_kind(kfunc->btf, kfunc->ret_type) == BTF_UNION);

	for (u32 i = R0; i <= R5; i++)
		reg_set_uninit(&regs[i]);
	if (kfunc->flags & KF_ACQUIRE && !to_struct && !acquires_object(kfunc))
		return reject(env, KFUNC_ACQUIRE_TYPE, kfunc->name);
	switch ((enum kfunc_ret)kfunc->ret) {
	case KRET_SCALAR:
		reg_set_unknown(r0);
		if (may_fail_to_lock(kfunc))
			reg_set_const(r0, 0);
		return 0;
	case KRET_POINTER: return pointer_result(env, use, r0);
	case KRET_VOID:
	case KRET_OTHER: break;
	}
	return 0;
}

/* ---- the call ---- */

/* What the arguments decide, before anything changes but by them. */
static int judge(struct env *env, struct kfunc_use *use)
{
	const struct kfunc *kfunc = use->kfunc;
	int err = may_call(env, kfunc);

	if (!err && may_fail_to_lock(kfunc))
		err = branch_failed_lock(env);
	if (err)
		return err;
	if (kfunc->flags & KF_SLEEPABLE && !in_sleepable(env))
		return reject(env, KFUNC_SLEEPS, kfunc->name);
	err = kfunc_args_check(env, use);
	err = err ? err : kfunc_callbacks(env, use);
	err = err ? err : kfunc_sections(env, kfunc);
	return err ? err : end_references(env, use);
}

/* An exception leaves all frames: nothing may be held in any of them. */
static int throw_result(struct env *env, enum step *step)
{
	int err = 0;

	if (!env->exception_sub)
		err = return_check(env, R1);
	err = err ? err : refs_none(env, "bpf_throw", true, true);
	*step = STEP_DONE;
	return err;
}

int kfunc_call(struct env *env, const struct insn *insn, enum step *step)
{
	const struct kfunc *kfunc = env->aux[env->pc].kfunc;
	struct kfunc_use use = {.kfunc = kfunc, .insn = insn};
	int err;

	if (!kfunc)
		return reject(env, KFUNC_MISSING, env->prog->externs[insn->imm].name);
	use.call.kfunc = kfunc;
	use.call.const_key = -1;
	err = judge(env, &use);
	if (err)
		return err;
	if (kfunc_is_throw(kfunc))
		return throw_result(env, step);
	err = result(env, &use);
	if (err)
		return err;
	if (kfunc_changes_packet(kfunc))
		forget_packet(env);
	*step = STEP_NEXT;
	return kfunc_is_iter_next(kfunc) ? iter_next_call(env, insn, &use.call) : 0;
}
