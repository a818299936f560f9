/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of the program that helpers call: with what each is entered.
 *
 * callback.c makes the frame; here its R1 to R5 are filled, by helper.  Never does:
 * decide how often a callback is explored, but for bpf_loop(), whose count is known.
 * Words: bpf-helpers(7), "callback_fn".
 */
#include <linux/bpf.h>

#include "verify/calls.h"
#include "verify/record.h"

static void map_args(struct frame *callee, const struct map_def *map, u32 uid)
{
	struct reg *regs = callee->regs;

	reg_set_pointer(&regs[R1], CONST_PTR_TO_MAP, 0);
	reg_set_pointer(&regs[R2], PTR_TO_MAP_KEY, 0);
	reg_set_pointer(&regs[R3], PTR_TO_MAP_VALUE, 0);
	for (u32 i = R1; i <= R3; i++) {
		regs[i].map = map;
		regs[i].map_uid = uid;
	}
}

static void unset_args(struct frame *callee, u32 from)
{
	for (u32 i = from; i <= R5; i++)
		reg_set_uninit(&callee->regs[i]);
}

static void returns_within(struct frame *callee, s64 min, s64 max)
{
	callee->callback_ret_min = min;
	callee->callback_ret_max = max;
}

/* for_each_map_elem(): callback(map, key, value, ctx) */
static int element_args(struct env *env, const struct call *call,
			const struct frame *caller, struct frame *callee)
{
	const struct map_def *map = env->aux[env->pc].map;

	(void)call;
	map_args(callee, map, 0);
	callee->regs[R1] = caller->regs[R1];
	callee->regs[R4] = caller->regs[R3];
	unset_args(callee, R5);
	callee->in_callback = true;
	returns_within(callee, 0, 1);
	return 0;
}

/* loop(): callback(index, ctx) */
static int loop_args(struct env *env, const struct call *call, const struct frame *caller,
		     struct frame *callee)
{
	(void)env, (void)call;
	reg_set_unknown(&callee->regs[R1]);
	callee->regs[R2] = caller->regs[R3];
	unset_args(callee, R3);
	callee->in_callback = true;
	returns_within(callee, 0, 1);
	return 0;
}

/* timer_set_callback(): callback(map, key, value) */
static int timer_args(struct env *env, const struct call *call,
		      const struct frame *caller, struct frame *callee)
{
	(void)env, (void)call;
	map_args(callee, caller->regs[R1].map, caller->regs[R1].map_uid);
	unset_args(callee, R4);
	callee->in_async_callback = true;
	returns_within(callee, 0, 0);
	return 0;
}

/* find_vma(): callback(task, vma, ctx) */
static int vma_args(struct env *env, const struct call *call, const struct frame *caller,
		    struct frame *callee)
{
	u32 id = env->kernel ? btf_find(env->kernel, "vm_area_struct", BTF_STRUCT) : 0;
	struct reg *vma = &callee->regs[R2];

	(void)call;
	if (!id)
		return unsupported(env, "the target's types have no vm_area_struct");
	callee->regs[R1] = caller->regs[R1];
	reg_set_pointer(vma, PTR_TO_BTF_ID, 0);
	vma->btf = env->kernel;
	vma->btf_id = id;
	callee->regs[R3] = caller->regs[R4];
	unset_args(callee, R4);
	callee->in_callback = true;
	returns_within(callee, 0, 1);
	return 0;
}

/* user_ringbuf_drain(): callback(dynptr, ctx) */
static int sample_args(struct env *env, const struct call *call,
		       const struct frame *caller, struct frame *callee)
{
	struct reg *dynptr = &callee->regs[R1];

	(void)call;
	reg_set_uninit(&callee->regs[R0]);
	reg_set_pointer(dynptr, CONST_PTR_TO_DYNPTR, 0);
	dynptr->dynptr_type = DYNPTR_LOCAL;
	dynptr->first_slot = true;
	dynptr->id = env_new_id(env);
	callee->regs[R2] = caller->regs[R3];
	unset_args(callee, R3);
	callee->in_callback = true;
	returns_within(callee, 0, 1);
	return 0;
}

static bool has_elements(const struct map_def *map)
{
	switch (map->type) {
	case MAP_TYPE_HASH:
	case MAP_TYPE_ARRAY:
	case MAP_TYPE_PERCPU_HASH:
	case MAP_TYPE_PERCPU_ARRAY:
	case MAP_TYPE_LRU_HASH:
	case MAP_TYPE_LRU_PERCPU_HASH: return true;
	default: return false;
	}
}

/* R1 says how often it runs: once more, until that many were looked at. */
static int loop(struct env *env, const struct call *call, const struct callback *callback)
{
	struct frame *frame = state_frame(env->cur);
	int err = 0;

	/* The flags decide whether the JIT may inline the loop. */
	if (reg_is_null(&frame->regs[R4]))
		err = env_need_precise(env, R4);
	if (!err)
		err = env_need_precise(env, R1);
	if (err)
		return err;
	if (frame->callback_depth < frame->regs[R1].var.umax)
		return callback_enter(env, call, callback);
	frame->callback_depth = 0;
	return 0;
}

int helper_callback(struct env *env, const struct call *call)
{
	struct callback callback = {.subprog = call->subprog};

	switch (call->func) {
	case BPF_FUNC_for_each_map_elem:
		callback.set_args = element_args;
		if (!has_elements(env->aux[env->pc].map))
			return reject(env, MAP_WITHOUT_CALLBACK, call->map->name);
		break;
	case BPF_FUNC_timer_set_callback:
		callback.set_args = timer_args;
		callback.later = true;
		break;
	case BPF_FUNC_find_vma: callback.set_args = vma_args; break;
	case BPF_FUNC_user_ringbuf_drain: callback.set_args = sample_args; break;
	default: callback.set_args = loop_args; return loop(env, call, &callback);
	}
	return callback_enter(env, call, &callback);
}
