/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads from and stores to the stack: spills, fills, and bytes.
 *
 * A register that is stored at the start of a slot is kept there (spilled), and what is
 * loaded from there is the register again (filled); everything else is bytes that are
 * known to be zero, or not.  Never does: judge arguments of calls (memory_region.c,
 * stack_region.c).
 * More: state.h; Documentation/bpf/verifier.rst of the kernel, "Stack".
 */
#include "verify/memory_stack.h"

#include <assert.h>

#include "verify/calls.h"
#include "verify/fastcall.h"

/* ---- slots ---- */

u8 *stack_byte(struct frame *frame, s32 off)
{
	u32 slot = slot_of(off);

	return &frame->slots[slot].type[off + 8 * ((s32)slot + 1)];
}

static bool holds_scalar(const struct slot *slot)
{
	return slot_is_spill(slot) && slot->spilled.kind == SCALAR;
}

/* Bytes never written stay so: to read them is what unprivileged programs must not. */
static void scrub(struct slot *slot)
{
	for (u32 i = 0; i < 8; i++) {
		if (slot->type[i] != SLOT_INVALID)
			slot->type[i] = SLOT_MISC;
	}
}

void stack_scrub_special(struct slot *slot)
{
	u8 type = slot->type[0];

	slot->spilled.kind = UNINIT;
	if (type == SLOT_SPILL || type == SLOT_DYNPTR || type == SLOT_ITER ||
	    type == SLOT_IRQ_FLAG)
		scrub(slot);
}

/* ---- bounds ---- */

static int refuse_range(struct env *env, const struct stack_range *range, bool above)
{
	if (above)
		return reject(env, STACK_ABOVE, (int)range->reg, (long long)range->min,
			      range->size);
	/* a frame is as large as what was written, for those who must not read more */
	if (range->min >= -STACK_BYTES && range->min + range->size <= 0)
		return reject(env, STACK_UNINIT, (int)range->reg, range->size,
			      (int)range->min, (int)range->min);
	return reject(env, STACK_RANGE, (int)range->reg, (long long)range->min,
		      range->size);
}

/* The frame has the slots down to off from now on. */
static void reach(struct env *env, struct frame *frame, s32 off)
{
	u32 n_slots = ((u32)-off + 7) / 8;
	struct sub_info *sub = &env->subs[frame->subprog];

	if (n_slots <= frame->n_slots)
		return;
	frame_grow(frame, n_slots);
	if (sub->stack_depth < n_slots * 8)
		sub->stack_depth = n_slots * 8;
}

int stack_range_check(struct env *env, struct stack_range *range)
{
	const struct reg *reg = &env_regs(env)[range->reg];
	struct frame *frame = env->cur->frames[reg->frame];
	s64 fixed = (s64)reg->off + range->off, lowest, min, max;

	range->frame = frame;
	range->fixed = scalar_is_const(&reg->var);
	if (!range->fixed &&
	    (reg->var.smax >= MAX_VAR_OFF || reg->var.smin <= -MAX_VAR_OFF))
		return reject(env, STACK_UNBOUNDED, (int)range->reg);
	min = fixed;
	max = fixed;
	if (__builtin_add_overflow(min, reg->var.smin, &min) ||
	    __builtin_add_overflow(max, reg->var.smax, &max))
		return reject(env, STACK_UNBOUNDED, (int)range->reg);
	range->min = min;
	lowest = range->type == ACCESS_WRITE || env->allow_uninit_stack
			 ? -STACK_BYTES
			 : -(s64)frame->n_slots * 8;
	if (min < lowest || min > -1)
		return refuse_range(env, range, false);
	if (range->size > STACK_BYTES || max + range->size > 0)
		return refuse_range(env, range, true);
	range->max = max;
	reach(env, frame, (s32)min);
	return 0;
}

/* ---- stores ---- */

/* Registers that hold the same number know of each other by an id. */
static void give_id(struct env *env, struct reg *reg)
{
	if (reg->kind != SCALAR)
		return;
	if (reg->id & ID_ADD_CONST) {
		reg->id = 0;
		reg->off = 0;
	}
	if (!reg->id && !scalar_is_const(&reg->var))
		reg->id = env_new_id(env);
}

static bool fits(const struct reg *reg, u32 size)
{
	return size >= 8 || !(reg->var.umax >> (size * 8));
}

static bool is_any_number(const struct scalar *s)
{
	struct scalar any = scalar_unknown();

	return scalar_same(s, &any);
}

static void spill(struct slot *slot, const struct reg *reg, u32 size)
{
	slot->spilled = *reg;
	for (u32 i = 0; i < size; i++)
		slot->type[i] = SLOT_SPILL;
	for (u32 i = size; i < 8; i++) {
		if (slot->type[i] != SLOT_ZERO && slot->type[i] != SLOT_INVALID)
			slot->type[i] = SLOT_MISC;
	}
}

static bool may_be_spilled(enum reg_kind kind)
{
	return kind > SCALAR && kind != PTR_TO_TP_BUFFER && kind != CONST_PTR_TO_DYNPTR;
}

/* One store to a constant offset. */
struct store {
	const struct access *access;
	struct frame *frame;
	s32 off;
	u32 slot;
	struct reg *reg; /* NULL: an immediate, or something that is not known */
};

static void spill_number(struct env *env, const struct store *store)
{
	struct slot *slot = &store->frame->slots[store->slot];
	u32 size = store->access->size;
	bool whole = fits(store->reg, size);

	if (whole && env->rules->spills_linked)
		give_id(env, store->reg);
	spill(slot, store->reg, size);
	if (!whole) {
		slot->spilled.id = 0;
		slot->spilled.off = 0;
	}
}

static void spill_constant(const struct store *store)
{
	struct reg reg;

	reg_set_const(&reg, (u64)store->access->imm);
	spill(&store->frame->slots[store->slot], &reg, store->access->size);
}

static int spill_pointer(struct env *env, const struct store *store)
{
	const struct access *access = store->access;

	if (access->size != 8)
		return reject(env, SPILL_SIZE, access->value, access->size);
	if (store->frame != state_frame(env->cur) && store->reg->kind == PTR_TO_STACK)
		return reject(env, SPILL_INTO_CALLER, access->value);
	spill(&store->frame->slots[store->slot], store->reg, 8);
	return 0;
}

static bool stores_zero(const struct access *access, const struct reg *reg)
{
	return reg ? reg_is_null(reg) : access->has_imm && !access->imm;
}

static int store_bytes(struct env *env, const struct store *store)
{
	const struct access *access = store->access;
	bool zero = stores_zero(access, store->reg);
	u8 *types = stack_byte(store->frame, store->off);

	stack_scrub_special(&store->frame->slots[store->slot]);
	/* Nobody could follow a zero byte back to the register that it was stored from.
	 */
	if (zero && access->value >= 0) {
		int err = env_need_precise(env, (u32)access->value);

		if (err)
			return err;
	}
	for (u32 i = 0; i < access->size; i++)
		types[i] = zero ? SLOT_ZERO : SLOT_MISC;
	return 0;
}

/* A speculative load may see what was there before a store that is bypassed. */
static void stop_bypass(struct env *env, const struct slot *slot, const struct reg *reg,
			u32 size)
{
	bool stop = reg && may_be_spilled(reg->kind);

	if (env->bypass_spec_v4)
		return;
	for (u32 i = 0; i < size; i++) {
		u8 type = slot->type[7 - i];

		stop |= type != SLOT_MISC && type != SLOT_ZERO;
	}
	if (stop)
		env->aux[env->pc].nospec_result = true;
}

/* Before anything changes: may it be overwritten? */
static int overwrite(struct env *env, const struct store *store)
{
	const struct slot *slot = &store->frame->slots[store->slot];
	u32 size = store->access->size;
	int err;

	if (!env->allow_ptr_leaks && slot_is_spill(slot) && !holds_scalar(slot) &&
	    size != 8)
		return reject(env, SPILL_CORRUPTED, store->off);
	stop_bypass(env, slot, store->reg, size);
	err = dynptr_destroy_if_overwritten(env, store->frame, store->slot);
	if (err)
		return err;
	if (size == 8)
		env_stack_written(env, store->frame->no, 1ull << store->slot);
	fastcall_stack_access(env, store->frame, store->off);
	return 0;
}

/* Before every number could be followed through the stack, of some only bytes were kept.
 */
static bool is_kept_number(const struct env *env, const struct store *store)
{
	if (store->reg)
		return store->reg->kind == SCALAR &&
		       (env->rules->spills_linked ||
			(!reg_is_null(store->reg) && !is_any_number(&store->reg->var)));
	return store->access->has_imm &&
	       (env->rules->spills_linked || store->access->imm);
}

static int store_fixed(struct env *env, const struct store *store)
{
	struct reg *reg = store->reg;
	bool kept = !(store->off & 7) && env->privileged && is_kept_number(env, store);
	int err = overwrite(env, store);

	if (err)
		return err;
	if (kept && reg)
		spill_number(env, store);
	else if (kept)
		spill_constant(store);
	else if (reg && may_be_spilled(reg->kind))
		err = spill_pointer(env, store);
	else
		return store_bytes(env, store);
	return err ? err : env_note_stack_access(env, store->frame->no, store->slot);
}

/* One byte that a store at a variable offset may or may not hit.  kept_zero: what was
 * zero is zero still. */
static void smear(struct frame *frame, s32 off, bool *kept_zero, bool zero)
{
	struct slot *slot = &frame->slots[slot_of(off)];
	u8 *type = stack_byte(frame, off);

	if (zero && *type == SLOT_SPILL && holds_scalar(slot) &&
	    reg_is_null(&slot->spilled)) {
		*kept_zero = true;
		return;
	}
	stack_scrub_special(slot); /* else the rest would look spilled, of nothing */
	if (zero && *type == SLOT_ZERO)
		*kept_zero = true;
	else
		*type = SLOT_MISC;
}

/* Only who may overwrite pointers, and read what nobody wrote, moves pointers into the
 * stack by numbers that are not known (pointer.c). */
static int store_variable(struct env *env, const struct access *access,
			  const struct stack_range *range)
{
	const struct reg *reg = access->value >= 0 ? &env_regs(env)[access->value] : NULL;
	bool zero = stores_zero(access, reg), kept_zero = false;
	s32 end = (s32)range->max + (s32)range->size;
	int err = 0;

	for (s32 slot = (s32)slot_of((s32)range->min);
	     slot >= (s32)slot_of(end - 1) && !err; slot--)
		err = dynptr_destroy_if_overwritten(env, range->frame, (u32)slot);
	if (err)
		return err;
	fastcall_stack_access(env, range->frame, (s32)range->min);
	assert(env->allow_ptr_leaks && env->allow_uninit_stack);
	for (s32 off = (s32)range->min; off < end; off++)
		smear(range->frame, off, &kept_zero, zero);
	return kept_zero && access->value >= 0 ? env_need_precise(env, (u32)access->value)
					       : 0;
}

int stack_write(struct env *env, const struct access *access)
{
	struct stack_range range = {
		.reg = access->reg,
		.off = access->off,
		.size = access->size,
		.type = ACCESS_WRITE,
	};
	struct store store = {.access = access};
	int err = stack_range_check(env, &range);

	if (err)
		return err;
	if (!range.fixed)
		return store_variable(env, access, &range);
	store.frame = range.frame;
	store.off = (s32)range.min;
	store.slot = slot_of(store.off);
	if (access->value >= 0)
		store.reg = &env_regs(env)[access->value];
	return store_fixed(env, &store);
}

/* ---- loads ---- */

/* Where every byte is a zero, so is the whole; else it is any number. */
static void load_bytes(struct env *env, const struct access *access,
		       const struct stack_range *range)
{
	bool zero = true;

	for (s32 off = (s32)range->min; off < range->max + range->size && zero; off++)
		zero = *stack_byte(range->frame, off) == SLOT_ZERO;
	load_unknown(env, access);
	if (zero && access->value >= 0)
		env_regs(env)[access->value].var = scalar_const(0);
}

static bool may_be_read(const struct env *env, u8 type)
{
	return type == SLOT_MISC || type == SLOT_ZERO ||
	       (type == SLOT_INVALID && env->allow_uninit_stack);
}

/* allowed: beside bytes, a kind of slot that may be read here. */
static int bytes_check(struct env *env, const struct stack_range *range,
		       enum slot_type allowed)
{
	const u8 *types = stack_byte(range->frame, (s32)range->min);

	for (u32 i = 0; i < range->size; i++) {
		if (types[i] != allowed && !may_be_read(env, types[i]))
			return reject(env, STACK_UNINIT, (int)range->reg, range->size,
				      (int)range->min, (int)i);
	}
	return 0;
}

static u32 spilled_bytes(const struct slot *slot)
{
	u32 n = 0;

	while (n < 8 && slot->type[n] == SLOT_SPILL)
		n++;
	return n;
}

static int filled(struct env *env, const struct stack_range *range)
{
	return env_note_stack_access(env, range->frame->no, slot_of((s32)range->min));
}

/* Is what is loaded another number than what was spilled: cut, or its sign extended? */
static bool changes_number(const struct access *access, const struct reg *reg)
{
	bool negative = access->sign_extend && reg->var.umax >> (access->size * 8 - 1);

	return !fits(reg, access->size) || negative;
}

/* The register that was spilled, or the low part of it. */
static int fill(struct env *env, const struct access *access,
		const struct stack_range *range)
{
	struct slot *slot = &range->frame->slots[slot_of((s32)range->min)];
	struct reg *spilled = &slot->spilled, *reg = &env_regs(env)[access->value];
	u32 n = spilled_bytes(slot);
	bool whole = access->size == n && (n == 8 || (n == 4 && fits(spilled, 4)));

	if (whole && env->privileged && env->rules->spills_linked)
		give_id(env, spilled);
	*reg = *spilled;
	if (reg->kind == SCALAR && changes_number(access, reg)) {
		reg->id = 0;
		reg->off = 0;
	}
	return filled(env, range);
}

/* Some bytes of a slot where a number is spilled. */
static int load_part(struct env *env, const struct access *access,
		     const struct stack_range *range)
{
	const struct slot *slot = &range->frame->slots[slot_of((s32)range->min)];
	const u8 *types = stack_byte(range->frame, (s32)range->min);
	bool all_spilled = true;
	int err;

	if (access->size <= spilled_bytes(slot) && !(range->min & 7) &&
	    (env->rules->spills_linked || access->size == spilled_bytes(slot)))
		return fill(env, access, range);
	err = bytes_check(env, range, SLOT_SPILL);
	if (err)
		return err;
	for (u32 i = 0; i < access->size; i++)
		all_spilled &= types[i] == SLOT_SPILL;
	load_bytes(env, access, range);
	if (!all_spilled || !reg_is_null(&slot->spilled) || !env->rules->spills_linked)
		return 0;
	env_regs(env)[access->value].var = scalar_const(0);
	return filled(env, range);
}

static int load_spilled(struct env *env, const struct access *access,
			const struct stack_range *range)
{
	const struct slot *slot = &range->frame->slots[slot_of((s32)range->min)];

	if (access->size == 8 && spilled_bytes(slot) == 8) {
		if (access->value >= 0)
			return fill(env, access, range);
		if (leaks_pointer(env, &slot->spilled))
			return reject(env, FILL_LEAK, (int)range->min);
		return 0;
	}
	if (slot->spilled.kind != SCALAR)
		return reject(env, FILL_SIZE, (int)range->min, access->size);
	return access->value < 0 ? 0 : load_part(env, access, range);
}

static int load_fixed(struct env *env, const struct access *access,
		      const struct stack_range *range)
{
	u32 slot = slot_of((s32)range->min);
	int err;

	fastcall_stack_access(env, range->frame, (s32)range->min);
	err = env_stack_read(env, range->frame->no, 1ull << slot);
	if (err)
		return err;
	if (slot_is_spill(&range->frame->slots[slot]))
		return load_spilled(env, access, range);
	err = bytes_check(env, range, SLOT_MISC);
	if (!err)
		load_bytes(env, access, range);
	return err;
}

int stack_read(struct env *env, const struct access *access)
{
	struct stack_range range = {
		.reg = access->reg,
		.off = access->off,
		.size = access->size,
		.type = ACCESS_READ,
	};
	int err = stack_range_check(env, &range);

	if (err)
		return err;
	if (range.fixed)
		return load_fixed(env, access, &range);
	if (access->value < 0)
		return reject(env, STACK_VAR_HELPER, (int)access->reg);
	err = stack_bytes_read(env, &range, false);
	if (err)
		return err;
	fastcall_stack_access(env, range.frame, (s32)range.min);
	load_bytes(env, access, &range);
	return 0;
}
