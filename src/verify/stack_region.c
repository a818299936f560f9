/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What calls do to stack memory that they are given.
 *
 * Read: every byte must have been written.  Filled (raw): nothing need be, and no dynptr
 * may be hit.  Never does: load or store for instructions (memory_stack.c).
 * More: memory_stack.h.
 */
#include <assert.h>

#include "verify/calls.h"
#include "verify/fastcall.h"
#include "verify/memory_stack.h"

/* What is spilled in the slot may be read as bytes. */
static bool spill_is_readable(const struct env *env, const struct slot *slot)
{
	return slot_is_spill(slot) &&
	       (slot->spilled.kind == SCALAR || env->allow_ptr_leaks);
}

static int byte_read(struct env *env, const struct stack_range *range, s32 off,
		     bool clobber)
{
	struct slot *slot = &range->frame->slots[slot_of(off)];
	u8 *type = stack_byte(range->frame, off);

	if (*type == SLOT_MISC)
		return 0;
	if (*type == SLOT_ZERO || (*type == SLOT_INVALID && env->allow_uninit_stack)) {
		if (clobber)
			*type = SLOT_MISC;
		return 0;
	}
	if (!spill_is_readable(env, slot))
		return reject(env, STACK_UNINIT, (int)range->reg, range->size,
			      (int)range->min, (int)(off - range->min));
	if (clobber)
		stack_scrub_special(slot);
	return 0;
}

int stack_bytes_read(struct env *env, const struct stack_range *range, bool clobber)
{
	s32 end = (s32)(range->max + range->size);
	u64 slots = 0;
	int err = 0;

	/* Masking pointers against speculation knows constant offsets only. */
	if (!range->fixed && !env->bypass_spec_v1)
		return reject(env, STACK_VAR_UNPRIVILEGED, (int)range->reg);
	for (s32 off = (s32)range->min; off < end && !err; off++) {
		slots |= 1ull << slot_of(off);
		err = byte_read(env, range, off, clobber);
	}
	if (err || !slots)
		return err;
	/* Nobody knows whether it is really written: that ends no liveness. */
	return env_stack_read(env, range->frame->no, slots);
}

/* A helper that fills memory and takes a dynptr might write through the one into the
 * other. */
static int raw_check(struct env *env, const struct stack_range *range)
{
	s32 end = (s32)(range->max + range->size);

	for (s32 off = (s32)range->min; off < end; off++) {
		if (*stack_byte(range->frame, off) == SLOT_DYNPTR)
			return reject(env, STACK_RAW_DYNPTR, off);
	}
	return 0;
}

int stack_region_check(struct env *env, struct region_use *use)
{
	bool writes = use->type == ACCESS_WRITE || !env->rules->helper_reads_known;
	struct stack_range range = {
		.reg = use->reg,
		.size = use->size,
		.type = writes ? ACCESS_WRITE : ACCESS_READ,
	};
	int err;

	if (!use->size && !use->zero_size_ok)
		return reject(env, REGION_ZERO, (int)use->reg);
	err = stack_range_check(env, &range);
	if (err)
		return err;
	if (!use->raw || !range.fixed)
		return stack_bytes_read(env, &range, writes);
	err = raw_check(env, &range);
	use->is_raw_stack = !err;
	return err;
}

static int scratch_slot(struct env *env, struct frame *frame, u32 slot)
{
	const struct slot *now = &frame->slots[slot];
	int err;

	if (!env->allow_ptr_leaks && slot_is_spill(now) && now->spilled.kind != SCALAR)
		return reject(env, SPILL_CORRUPTED, -8 * ((s32)slot + 1));
	if (!env->bypass_spec_v4 && now->type[7] != SLOT_MISC &&
	    now->type[7] != SLOT_ZERO)
		env->aux[env->pc].nospec_result = true;
	err = dynptr_destroy_if_overwritten(env, frame, slot);
	if (!err)
		stack_scrub_special(&frame->slots[slot]);
	return err;
}

int stack_scratch(struct env *env, u32 frame_no, s32 off, u32 size)
{
	struct frame *frame = env->cur->frames[frame_no];
	s32 end = off + (s32)size;
	int err = 0;

	if (!size)
		return 0;
	assert(off < 0 && end <= 0 && slot_of(off) < frame->n_slots);
	fastcall_stack_access(env, frame, off);
	for (s32 slot = (s32)slot_of(off); slot >= (s32)slot_of(end - 1) && !err; slot--)
		err = scratch_slot(env, frame, (u32)slot);
	for (s32 at = off; at < end && !err; at++)
		*stack_byte(frame, at) = SLOT_MISC;
	return err;
}
