/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: 16 bytes of stack that only helpers and kfuncs may read and write, or what a
 * callback gets a pointer to.
 *
 * The first of two slots (the one with the lower address) says so; both know type, id and
 * reference.  Slices of a dynptr carry its id and end with it.  Never does: know which
 * call takes which type (rows of helpers.def and BTF of kfuncs say). More:
 * Documentation/bpf/kfuncs.rst of the kernel, bpf_dynptr_* in bpf-helpers(7).
 */
#include <assert.h>
#include <string.h>

#include "verify/calls.h"
#include "verify/memory.h"

enum { DYNPTR_SLOTS = 2 };

/* What an argument may demand, in the bits of arg_flags. */
static const u32 dynptr_flags[] = {
	[DYNPTR_LOCAL] = DYNPTR_TYPE_LOCAL,       [DYNPTR_RINGBUF] = DYNPTR_TYPE_RINGBUF,
	[DYNPTR_SKB] = DYNPTR_TYPE_SKB,           [DYNPTR_XDP] = DYNPTR_TYPE_XDP,
	[DYNPTR_SKB_META] = DYNPTR_TYPE_SKB_META,
};

u32 dynptr_flag(enum dynptr_type type)
{
	return type < ARRAY_SIZE(dynptr_flags) ? dynptr_flags[type] : 0;
}

static enum dynptr_type type_of_flags(u32 flags)
{
	for (u32 i = DYNPTR_LOCAL; i < ARRAY_SIZE(dynptr_flags); i++)
		if (flags & dynptr_flags[i])
			return (enum dynptr_type)i;
	return DYNPTR_NONE;
}

/* Must it be given back? */
static bool holds_reference(u8 type)
{
	return type == DYNPTR_RINGBUF;
}

/* ---- places on the stack ---- */

enum { NOT_THERE_YET = -ERANGE }; /* not told: no such slot is in use */

/* For messages. */
static int regno_of(const struct env *env, const struct reg *reg)
{
	for (int i = 0; i < N_REGS; i++)
		if (reg == &env_regs(env)[i])
			return i;
	return 0;
}

int stack_object_slot(struct env *env, const struct reg *reg, const char *what,
		      u32 n_slots)
{
	int regno = regno_of(env, reg);
	const struct frame *frame = env->cur->frames[reg->frame];
	s64 off;
	u32 slot;

	if (!scalar_is_const(&reg->var))
		return reject(env, OBJECT_VARIABLE_OFFSET, regno, what);
	off = (s64)reg->var.bits.value + reg->off;
	if (off % 8 || off > -8 * (s64)n_slots)
		return reject(env, OBJECT_BAD_OFFSET, regno, what, (long long)off);
	if (off < -STACK_BYTES)
		return NOT_THERE_YET;
	slot = slot_of((s32)off);
	return slot < frame->n_slots ? (int)slot : NOT_THERE_YET;
}

/* The same without a word, for questions. */
static struct slot *dynptr_slot(const struct env *env, const struct reg *reg)
{
	struct frame *frame = env->cur->frames[reg->frame];
	s64 off = (s64)reg->var.bits.value + reg->off;

	if (!scalar_is_const(&reg->var) || off % 8 || off > -8 * DYNPTR_SLOTS ||
	    off < -STACK_BYTES || slot_of((s32)off) >= frame->n_slots)
		return NULL;
	return &frame->slots[slot_of((s32)off)];
}

static u64 slot_bits(u32 slot, u32 n)
{
	return ((1ull << n) - 1) << (slot + 1 - n);
}

static void end_slots(struct env *env, struct frame *frame, u32 first)
{
	for (u32 i = first + 1 - DYNPTR_SLOTS; i <= first; i++) {
		memset(frame->slots[i].type, SLOT_INVALID, sizeof(frame->slots[i].type));
		reg_set_uninit(&frame->slots[i].spilled);
	}
	env_stack_written(env, frame->no, slot_bits(first, DYNPTR_SLOTS));
}

static void forget_slices(struct env *env, u32 id)
{
	struct reg *reg;

	for_each_reg(env->cur, reg) if (reg->kind == PTR_TO_MEM && reg->dynptr_id == id)
		reg_forget(env, reg);
}

int dynptr_destroy_if_overwritten(struct env *env, struct frame *frame, u32 slot)
{
	u32 first = slot;

	if (frame->slots[slot].type[0] != SLOT_DYNPTR || !env->rules->dynptr_overwrites)
		return 0;
	if (!frame->slots[slot].spilled.first_slot)
		first++;
	if (holds_reference(frame->slots[first].spilled.dynptr_type))
		return reject(env, DYNPTR_OVERWRITTEN);
	forget_slices(env, frame->slots[first].spilled.id);
	end_slots(env, frame, first);
	return 0;
}

/* ---- making and ending ---- */

static void mark_slot(struct slot *slot, const struct reg *dynptr, bool first)
{
	memset(slot->type, SLOT_DYNPTR, sizeof(slot->type));
	slot->spilled = *dynptr;
	slot->spilled.first_slot = first;
}

static int dynptr_make(struct env *env, const struct reg *reg, enum dynptr_type type,
		       u32 clone_ref_id)
{
	struct frame *frame = env->cur->frames[reg->frame];
	int slot = stack_object_slot(env, reg, "a dynptr", DYNPTR_SLOTS);
	struct reg dynptr;
	int err;

	if (slot < 0)
		return slot;
	/* Two others may have one slot each. */
	err = dynptr_destroy_if_overwritten(env, frame, (u32)slot);
	err = err ? err : dynptr_destroy_if_overwritten(env, frame, (u32)slot - 1);
	if (err)
		return err;
	reg_set_pointer(&dynptr, CONST_PTR_TO_DYNPTR, 0);
	dynptr.id = env_new_id(env);
	dynptr.dynptr_type = (u8)type;
	if (holds_reference((u8)type)) {
		int id = clone_ref_id ? (int)clone_ref_id : ref_acquire(env, env->pc);

		if (id < 0)
			return id;
		dynptr.ref_id = (u32)id;
	}
	mark_slot(&frame->slots[slot], &dynptr, true);
	mark_slot(&frame->slots[slot - 1], &dynptr, false);
	env_stack_written(env, frame->no, slot_bits((u32)slot, DYNPTR_SLOTS));
	return 0;
}

static void end_clones(struct env *env, struct frame *frame, u32 ref_id)
{
	for (u32 i = 1; i < frame->n_slots; i++) {
		const struct slot *slot = &frame->slots[i];

		if (slot->type[0] == SLOT_DYNPTR && slot->spilled.ref_id == ref_id &&
		    slot->spilled.first_slot)
			end_slots(env, frame, i);
	}
}

/* Its memory goes back, and clones of it end with it.  Linux 6.18 forgets those that are
 * in another function's frame. */
static int dynptr_release(struct env *env, u32 ref_id)
{
	int err = ref_release(env, ref_id);

	for (u32 i = 0; i <= env->cur->depth && !err; i++)
		end_clones(env, env->cur->frames[i], ref_id);
	return err;
}

int dynptr_unmark(struct env *env, struct reg *reg)
{
	struct frame *frame = env->cur->frames[reg->frame];
	const struct reg *dynptr;
	int slot;

	assert(reg->kind == PTR_TO_STACK); /* RELEASE_CONST_DYNPTR */
	slot = stack_object_slot(env, reg, "a dynptr", DYNPTR_SLOTS);
	if (slot < 0)
		return slot == NOT_THERE_YET
			       ? reject(env, DYNPTR_NOT_INIT, regno_of(env, reg))
			       : slot;
	dynptr = &frame->slots[slot].spilled;
	if (holds_reference(dynptr->dynptr_type))
		return dynptr_release(env, dynptr->ref_id);
	end_slots(env, frame, (u32)slot);
	return 0;
}

/* ---- questions ---- */

static const struct reg *dynptr_of(const struct env *env, const struct reg *reg)
{
	const struct slot *slot;

	if (reg->kind == CONST_PTR_TO_DYNPTR)
		return reg;
	if (reg->kind != PTR_TO_STACK)
		return NULL;
	slot = dynptr_slot(env, reg);
	if (!slot || slot->type[0] != SLOT_DYNPTR || slot[-1].type[0] != SLOT_DYNPTR ||
	    !slot->spilled.first_slot)
		return NULL;
	return &slot->spilled;
}

bool dynptr_is_valid(const struct env *env, const struct reg *reg)
{
	return dynptr_of(env, reg);
}

enum dynptr_type dynptr_type_of(const struct env *env, const struct reg *reg)
{
	const struct reg *dynptr = dynptr_of(env, reg);

	return dynptr ? (enum dynptr_type)dynptr->dynptr_type : DYNPTR_NONE;
}

u32 dynptr_id_of(const struct env *env, const struct reg *reg)
{
	const struct reg *dynptr = dynptr_of(env, reg);

	return dynptr ? dynptr->id : 0;
}

u32 dynptr_ref_of(const struct env *env, const struct reg *reg)
{
	const struct reg *dynptr = dynptr_of(env, reg);

	return dynptr ? dynptr->ref_id : 0;
}

/* ---- arguments ---- */

/* Before one could be made over another. */
static bool is_taken(const struct env *env, const struct reg *reg)
{
	const struct slot *slot =
		env->rules->dynptr_overwrites ? NULL : dynptr_slot(env, reg);

	return slot && slot->type[0] == SLOT_DYNPTR;
}

static int uninit_arg(struct env *env, u32 regno, u32 arg_flags, u32 clone_ref_id)
{
	struct reg *reg = &env_regs(env)[regno];
	struct access access = {
		.reg = regno, .size = 8, .type = ACCESS_WRITE, .value = -1};
	int err;

	if (reg->kind == CONST_PTR_TO_DYNPTR || is_taken(env, reg))
		return reject(env, DYNPTR_NOT_FREE, (int)regno);
	err = stack_object_slot(env, reg, "a dynptr", DYNPTR_SLOTS);
	if (err < 0 && err != NOT_THERE_YET)
		return err;
	for (access.off = 0; access.off < 8 * DYNPTR_SLOTS; access.off += 8) {
		err = access_check(env, &access);
		if (err)
			return err;
	}
	return dynptr_make(env, reg, type_of_flags(arg_flags), clone_ref_id);
}

static int read_arg(struct env *env, const struct reg *reg)
{
	const struct frame *frame = env->cur->frames[reg->frame];
	s64 off = (s64)reg->var.bits.value + reg->off;

	if (reg->kind == CONST_PTR_TO_DYNPTR)
		return 0;
	return env_stack_read(env, frame->no, slot_bits(slot_of((s32)off), DYNPTR_SLOTS));
}

int dynptr_arg_check(struct env *env, u32 regno, u32 insn_pc, u32 arg_flags,
		     u32 clone_ref_id)
{
	const struct reg *reg = &env_regs(env)[regno];
	enum dynptr_type wanted = type_of_flags(arg_flags);

	(void)insn_pc; /* it is env->pc */
	if (reg->kind != PTR_TO_STACK && reg->kind != CONST_PTR_TO_DYNPTR)
		return reject(env, DYNPTR_NOT_STACK, (int)regno);
	if (arg_flags & MEM_UNINIT)
		return uninit_arg(env, regno, arg_flags, clone_ref_id);
	/* No call changes one but by releasing it, and what is released is on the stack,
	 * holds a reference, and so is of the only type that does. */
	assert(reg->kind == PTR_TO_STACK || arg_flags & MEM_RDONLY);
	if (!dynptr_is_valid(env, reg))
		return reject(env, DYNPTR_NOT_INIT, (int)regno);
	assert(!wanted || dynptr_type_of(env, reg) == wanted);
	return read_arg(env, reg);
}
