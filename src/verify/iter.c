/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterators and saved interrupt flags: objects on the stack that only kfuncs may touch.
 *
 * A loop over an iterator ends because its next function returns NULL at last and for
 * ever. So a call of next forks: here the iterator is drained and R0 is NULL; in a branch
 * it is active and one deeper, and what the loop body changed without anybody needing it
 * to be precise is made unknown, so that some iteration equals one before (visit.c) and
 * the loop is done.  Never does: compare states.  More: Documentation/bpf/kfuncs.rst,
 * "Open-coded iterators" in the kernel's documentation.
 */
#include <string.h>

#include "verify/calls.h"
#include "verify/explore.h"
#include "verify/memory.h"
#include "verify/transfer.h"

/* One that an argument points to. */
struct iter_arg {
	u32 regno;
	const struct reg *reg;
	const struct btf *btf;
	u32 id; /* its struct */
	u32 n_slots;
	const char *name;
	struct frame *frame;
};

static u64 slot_bits(u32 first, u32 n)
{
	u64 bits = n >= 64 ? ~0ull : (1ull << n) - 1;

	return bits << (first + 1 - n);
}

static bool is_type(const struct slot *slot, enum slot_type type)
{
	for (u32 i = 0; i < 8; i++)
		if (slot->type[i] != type)
			return false;
	return true;
}

static bool has_type(const struct slot *slot, enum slot_type type)
{
	return memchr(slot->type, type, sizeof(slot->type));
}

static void slot_end(struct slot *slot)
{
	memset(slot->type, SLOT_INVALID, sizeof(slot->type));
	reg_set_uninit(&slot->spilled);
}

/* The bytes from the pointer on are written, as if by stores: are they stack of the
 * frame? */
static int claim_stack(struct env *env, u32 regno, u32 n_slots)
{
	struct access access = {
		.reg = regno, .size = 8, .type = ACCESS_WRITE, .value = -1};
	int err = 0;

	for (u32 i = 0; i < n_slots && !err; i++) {
		access.off = (s32)(8 * i);
		err = access_check(env, &access);
	}
	return err;
}

/* ---- new ---- */

static int iter_new(struct env *env, const struct iter_arg *arg, const struct call *call)
{
	int first, id, err;

	first = stack_object_slot(env, arg->reg, arg->name, arg->n_slots);
	if (first < 0 && first != -ERANGE)
		return first;
	for (u32 i = 0; first >= 0 && i < arg->n_slots; i++)
		if (has_type(&arg->frame->slots[(u32)first - i], SLOT_ITER))
			return reject(env, ITER_NOT_FREE, (int)arg->regno);
	err = claim_stack(env, arg->regno, arg->n_slots);
	if (err)
		return err;
	first = stack_object_slot(env, arg->reg, arg->name, arg->n_slots);
	if (first < 0)
		return first;
	id = ref_acquire(env, env->pc);
	if (id < 0)
		return id;
	for (u32 i = 0; i < arg->n_slots; i++) {
		struct slot *slot = &arg->frame->slots[(u32)first - i];
		u32 flags = 0;

		if (kfunc_is_rcu_protected(call->kfunc))
			flags = in_rcu_section(env) ? RCU : UNTRUSTED;
		memset(slot->type, SLOT_ITER, sizeof(slot->type));
		reg_set_pointer(&slot->spilled, PTR_TO_STACK, flags);
		slot->spilled.ref_id = i ? 0 : (u32)id;
		slot->spilled.iter_btf = arg->btf;
		slot->spilled.iter_id = arg->id;
		slot->spilled.iter_state = ITER_ACTIVE;
		slot->spilled.iter_depth = 0;
	}
	env_stack_written(env, arg->frame->no, slot_bits((u32)first, arg->n_slots));
	return 0;
}

/* ---- next, destroy, and others that take one ---- */

/* 0, -EPROTO: its RCU read section is over, -EINVAL: there is none. */
static int iter_slots_check(const struct iter_arg *arg, u32 first)
{
	for (u32 i = 0; i < arg->n_slots; i++) {
		const struct slot *slot = &arg->frame->slots[first - i];
		const struct reg *iter = &slot->spilled;

		if (!is_type(slot, SLOT_ITER))
			return -EINVAL;
		if (iter->flags & UNTRUSTED)
			return -EPROTO;
		if (!iter->ref_id != (i != 0))
			return -EINVAL; /* only its first slot has the reference */
		if (iter->iter_btf != arg->btf || iter->iter_id != arg->id)
			return -EINVAL;
	}
	return 0;
}

static int iter_destroy(struct env *env, const struct iter_arg *arg, u32 first)
{
	int err = ref_release(env, arg->frame->slots[first].spilled.ref_id);

	for (u32 i = 0; i < arg->n_slots; i++)
		slot_end(&arg->frame->slots[first - i]);
	env_stack_written(env, arg->frame->no, slot_bits(first, arg->n_slots));
	return err;
}

static int iter_use(struct env *env, const struct iter_arg *arg, struct call *call)
{
	int slot, err;

	slot = stack_object_slot(env, arg->reg, arg->name, arg->n_slots);
	if (slot < 0 && slot != -ERANGE)
		return slot;
	err = slot < 0 ? -EINVAL : iter_slots_check(arg, (u32)slot);
	if (err == -EPROTO)
		return reject(env, ITER_NEEDS_RCU, kfunc_name(call->kfunc));
	if (err)
		return reject(env, ITER_NOT_INIT, (int)arg->regno, arg->name);
	err = env_stack_read(env, arg->frame->no, slot_bits((u32)slot, arg->n_slots));
	if (err)
		return err;
	call->iter_slot = (u32)slot;
	call->iter_frame = arg->frame->no;
	call->ref_id = arg->frame->slots[slot].spilled.ref_id;
	if (kfunc_iter_role(call->kfunc) == ITER_DESTROY)
		return iter_destroy(env, arg, (u32)slot);
	return 0;
}

int iter_arg_check(struct env *env, u32 regno, struct call *call)
{
	struct iter_arg arg = {.regno = regno, .reg = &env_regs(env)[regno]};
	s64 size;

	if (arg.reg->kind != PTR_TO_STACK)
		return reject(env, ITER_NOT_STACK, (int)regno);
	arg.id = kfunc_iter_struct(call->kfunc, regno - 1, &arg.btf);
	size = arg.id ? btf_size(arg.btf, arg.id) : 0;
	if (size < 8 || size > STACK_BYTES)
		return reject(env, ITER_BAD_TYPE, regno, kfunc_name(call->kfunc));
	arg.n_slots = (u32)size / 8;
	arg.name = btf_name(arg.btf, arg.id);
	arg.frame = env->cur->frames[arg.reg->frame];
	if (kfunc_iter_role(call->kfunc) == ITER_NEW)
		return iter_new(env, &arg, call);
	return iter_use(env, &arg, call);
}

static struct reg *iter_of(const struct state *st, const struct call *call)
{
	return &st->frames[call->iter_frame]->slots[call->iter_slot].spilled;
}

/* R0 is what next returned, or NULL: kfunc_call() has set it so. */
int iter_next_call(struct env *env, const struct insn *insn, struct call *call)
{
	struct reg *iter = iter_of(env->cur, call);
	const struct state *prev = NULL;
	struct state *on;

	(void)insn;
	if (iter->iter_state == ITER_ACTIVE) {
		/* The state just kept here is the parent; the iteration before is before
		 * it. */
		if (env->cur->parent)
			prev = visit_find_entry(env, env->cur->parent, env->pc);
		on = env_branch(env, env->pc + 1, false);
		if (!on)
			return env_told(env);
		iter_of(on, call)->iter_depth++;
		if (prev)
			state_widen(env, prev, on);
		reg_not_null(env, &state_regs(on)[R0]);
	}
	iter->iter_state = ITER_DRAINED;
	reg_set_const(&env_regs(env)[R0], 0);
	return 0;
}

/* ---- saved interrupt flags ---- */

enum irq_class { IRQ_NATIVE, IRQ_LOCK };

static const struct irq_kfunc {
	const char *name;
	bool save;
	enum irq_class class;
} irq_kfuncs[] = {
	{"bpf_local_irq_save", true, IRQ_NATIVE},
	{"bpf_local_irq_restore", false, IRQ_NATIVE},
	{"bpf_res_spin_lock_irqsave", true, IRQ_LOCK},
	{"bpf_res_spin_unlock_irqrestore", false, IRQ_LOCK},
};

static int irq_save(struct env *env, u32 regno, enum irq_class class)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct frame *frame = env->cur->frames[reg->frame];
	struct slot *slot;
	int at, id, err;

	at = stack_object_slot(env, reg, "saved interrupt flags", 1);
	if (at < 0 && at != -ERANGE)
		return at;
	if (at >= 0 && has_type(&frame->slots[at], SLOT_IRQ_FLAG))
		return reject(env, IRQ_FLAG_NOT_FREE, (int)regno);
	err = claim_stack(env, regno, 1);
	if (err)
		return err;
	at = stack_object_slot(env, reg, "saved interrupt flags", 1);
	if (at < 0)
		return at;
	id = ref_acquire_irq(env, env->pc);
	if (id < 0)
		return id;
	slot = &frame->slots[at];
	memset(slot->type, SLOT_IRQ_FLAG, sizeof(slot->type));
	reg_set_pointer(&slot->spilled, PTR_TO_STACK, 0);
	slot->spilled.ref_id = (u32)id;
	slot->spilled.irq_class = (u8) class;
	env_stack_written(env, frame->no, 1ull << at);
	return 0;
}

static int irq_restore(struct env *env, u32 regno, const struct irq_kfunc *kfunc)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct frame *frame = env->cur->frames[reg->frame];
	struct slot *slot;
	int at, err;

	at = stack_object_slot(env, reg, "saved interrupt flags", 1);
	if (at < 0 && at != -ERANGE)
		return at;
	slot = at < 0 ? NULL : &frame->slots[at];
	if (!slot || !is_type(slot, SLOT_IRQ_FLAG) || !slot->spilled.ref_id)
		return reject(env, IRQ_FLAG_NOT_INIT, (int)regno);
	err = env_stack_read(env, frame->no, 1ull << at);
	if (err)
		return err;
	if (slot->spilled.irq_class != kfunc->class)
		return reject(env, IRQ_FLAG_CLASS,
			      kfunc->class == IRQ_LOCK ? "bpf_local_irq_save"
						       : "bpf_res_spin_lock_irqsave",
			      kfunc->name);
	err = ref_release_irq(env, slot->spilled.ref_id);
	if (err)
		return err;
	slot_end(slot);
	env_stack_written(env, frame->no, 1ull << at);
	return 0;
}

int irq_flag_arg_check(struct env *env, u32 regno, struct call *call)
{
	const char *name = kfunc_name(call->kfunc);

	if (env_regs(env)[regno].kind != PTR_TO_STACK)
		return reject(env, IRQ_FLAG_NOT_INIT, (int)regno);
	for (u32 i = 0; i < ARRAY_SIZE(irq_kfuncs); i++) {
		const struct irq_kfunc *kfunc = &irq_kfuncs[i];

		if (strcmp(kfunc->name, name))
			continue;
		return kfunc->save ? irq_save(env, regno, kfunc->class)
				   : irq_restore(env, regno, kfunc);
	}
	return unsupported(env, "a kfunc that takes interrupt flags in a new way");
}
