/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is everything that may happen from a state on covered by what was explored from another
 * one at the same instruction?
 *
 * Covered: each register and stack slot that may still be read admits no more than it did
 * in the old state.  Scalars of the old state that turned out not to matter (not precise)
 * admit anything.  Ids are names: the new state's must be a renaming of the old one's.
 * Never does: look at instructions.  More: "Pruning" in Documentation/bpf/verifier.rst.
 */
#include <string.h>

#include "base/bytes.h"
#include "verify/compact.h"
#include "verify/explore.h"

/* What a load from bytes of no known value gives. */
static const struct reg any_number = {
	.kind = SCALAR,
	.var = {.bits = {0, ~0ull},
		.smin = INT64_MIN,
		.smax = INT64_MAX,
		.umax = UINT64_MAX,
		.smin32 = INT32_MIN,
		.smax32 = INT32_MAX,
		.umax32 = UINT32_MAX},
};

struct compare {
	const struct env *env;
	struct idmap *ids;
	enum exactness exact;
	bool compare_all;
};

static void idmap_reset(const struct env *env, struct idmap *ids)
{
	ids->n = 0;
	ids->fresh = env->next_id;
}

/*
 * Pairs form a one-to-one map: two registers that were the same number in the old state
 * must be the same one in the new state, and two that were not must not.
 */
static bool ids_match(struct idmap *ids, u32 old, u32 now)
{
	if (!old || !now)
		return !old && !now;
	for (u32 i = 0; i < ids->n; i++) {
		if (ids->pairs[i].old == old)
			return ids->pairs[i].now == now;
		if (ids->pairs[i].now == now)
			return false;
	}
	if (ids->n == ARRAY_SIZE(ids->pairs))
		return false;
	ids->pairs[ids->n].old = old;
	ids->pairs[ids->n++].now = now;
	return true;
}

/*
 * Scalars: where the old state knew of no relation, relations of the new one only narrow
 * it.  One without id in the new state is related to none: a fresh id stands for that.
 * What is a constant more than another also tells which number that other is.
 */
static bool scalar_ids_match(struct idmap *ids, u32 old, u32 now)
{
	if (!old)
		return true;
	now = now ? now : ++ids->fresh;
	if (!ids_match(ids, old, now))
		return false;
	return !(old & ID_ADD_CONST) ||
	       ids_match(ids, old & ~ID_ADD_CONST, now & ~ID_ADD_CONST);
}

/* All that says what the register is and points to, but for ids and numbers. */
static bool same_base(const struct reg *old, const struct reg *now)
{
	return old->off == now->off && old->raw[0] == now->raw[0] &&
	       old->raw[1] == now->raw[1];
}

static bool same_var(const struct reg *old, const struct reg *now)
{
	return !memcmp(&old->var, &now->var, sizeof(old->var));
}

static bool refs_match(struct idmap *ids, const struct reg *old, const struct reg *now)
{
	return ids_match(ids, old->ref_id, now->ref_id) &&
	       ids_match(ids, old->ends_with, now->ends_with);
}

static bool regs_exact(struct idmap *ids, const struct reg *old, const struct reg *now)
{
	return old->kind == now->kind && old->flags == now->flags &&
	       same_base(old, now) && same_var(old, now) &&
	       ids_match(ids, old->id, now->id) && refs_match(ids, old, now);
}

static bool scalar_covered(const struct compare *c, const struct reg *old,
			   const struct reg *now)
{
	u32 old_add = old->id & ID_ADD_CONST, now_add = now->id & ID_ADD_CONST;

	if (c->env->exact_scalars)
		return same_base(old, now) && same_var(old, now) &&
		       scalar_ids_match(c->ids, old->id, now->id);
	if (!old->precise && !c->compare_all && c->exact == NOT_EXACT)
		return true;
	if (old->id && old_add != now_add)
		return false;
	if (old_add && old->off != now->off)
		return false;
	return scalar_within(&old->var, &now->var) &&
	       scalar_ids_match(c->ids, old->id, now->id);
}

/* A pointer into memory of known size: its variable offset may be narrower. */
static bool span_covered(const struct compare *c, const struct reg *old,
			 const struct reg *now)
{
	return same_base(old, now) && scalar_within(&old->var, &now->var) &&
	       ids_match(c->ids, old->id, now->id) && refs_match(c->ids, old, now);
}

/* More of the packet may be known to be there.  Negative ranges stand for "at its end".
 */
static bool packet_covered(const struct compare *c, const struct reg *old,
			   const struct reg *now)
{
	s32 old_range = (s32)old->range, now_range = (s32)now->range;

	if (old_range < 0 || now_range < 0 ? old_range != now_range
					   : old_range > now_range)
		return false;
	if (now->moved && !old->moved)
		return false;
	return old->off == now->off && scalar_within(&old->var, &now->var) &&
	       ids_match(c->ids, old->id, now->id);
}

static bool reg_covered(const struct compare *c, const struct reg *old,
			const struct reg *now)
{
	if (c->exact == EXACT)
		return regs_exact(c->ids, old, now);
	if (old->kind == UNINIT && (c->exact == NOT_EXACT || now->kind == UNINIT))
		return true;
	if (old->kind != now->kind || old->flags != now->flags)
		return false;

	switch ((enum reg_kind)old->kind) {
	case SCALAR: return scalar_covered(c, old, now);
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_TP_BUFFER: return span_covered(c, old, now);
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET: return packet_covered(c, old, now);
	case PTR_TO_STACK:
		return old->frame == now->frame && regs_exact(c->ids, old, now);
	case PTR_TO_ARENA: return true;
	case UNINIT:
	case PTR_TO_CTX:
	case CONST_PTR_TO_MAP:
	case PTR_TO_PACKET_END:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_BTF_ID:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR:
	case REG_KINDS: break;
	}
	return regs_exact(c->ids, old, now);
}

/* ---- stack ---- */

static bool all_misc(const struct env *env, const struct slot *slot)
{
	for (u32 i = 0; i < 8; i++) {
		if (slot->type[i] == SLOT_MISC)
			continue;
		if (slot->type[i] != SLOT_INVALID || !env->allow_uninit_stack)
			return false;
	}
	return true;
}

/* What an 8-byte load from the slot gives when that is a scalar, or NULL. */
static const struct reg *slot_scalar(const struct env *env, const struct slot *slot)
{
	if (slot->type[7] == SLOT_SPILL)
		return slot->spilled.kind == SCALAR ? &slot->spilled : NULL;
	return all_misc(env, slot) ? &any_number : NULL;
}

/* What bytes of a slot stand for beyond their types, which are the same in both. */
static bool object_covered(const struct compare *c, const struct slot *old,
			   const struct slot *now)
{
	const struct reg *a = &old->spilled, *b = &now->spilled;

	switch ((enum slot_type)old->type[0]) {
	case SLOT_SPILL: return reg_covered(c, a, b);
	case SLOT_DYNPTR:
		return a->dynptr_type == b->dynptr_type &&
		       a->first_slot == b->first_slot &&
		       ids_match(c->ids, a->ref_id, b->ref_id);
	case SLOT_ITER: /* whatever the depth, or loops would not converge */
		return a->kind == b->kind && a->flags == b->flags &&
		       a->iter_btf == b->iter_btf && a->iter_id == b->iter_id &&
		       a->iter_state == b->iter_state &&
		       ids_match(c->ids, a->ref_id, b->ref_id);
	case SLOT_IRQ_FLAG:
		return a->irq_class == b->irq_class &&
		       ids_match(c->ids, a->ref_id, b->ref_id);
	case SLOT_MISC:
	case SLOT_ZERO:
	case SLOT_INVALID: return true;
	}
	return false;
}

static bool unused(const struct env *env, u8 type)
{
	return type == SLOT_INVALID || (type == SLOT_MISC && env->allow_uninit_stack);
}

static bool bytes_covered(const struct env *env, const struct slot *old,
			  const struct slot *now)
{
	for (u32 i = 0; i < 8; i++) {
		if (old->type[i] == now->type[i] || unused(env, old->type[i]))
			continue;
		if (old->type[i] != SLOT_MISC || now->type[i] != SLOT_ZERO)
			return false;
	}
	return true;
}

static bool slot_covered(const struct compare *c, const struct slot *old,
			 const struct slot *now)
{
	const struct reg *a = slot_scalar(c->env, old);
	const struct reg *b = a ? slot_scalar(c->env, now) : NULL;

	if (a && b)
		return reg_covered(c, a, b);
	if (!bytes_covered(c->env, old, now))
		return false;
	return old->type[0] != now->type[0] || unused(c->env, old->type[0]) ||
	       object_covered(c, old, now);
}

static bool all_unused(const struct env *env, const struct slot *slot)
{
	if (!load_u64(slot->type))
		return true;
	for (u32 i = 0; i < 8; i++)
		if (!unused(env, slot->type[i]))
			return false;
	return true;
}

/* Slots that only the new state has were not there in the old one, which did without. */
static bool stack_covered(const struct compare *c, const struct frame *old,
			  const struct frame *now)
{
	for (u32 i = 0; i < old->n_slots; i++) {
		const struct slot *a = &old->slots[i], *b = &now->slots[i];
		bool there = i < now->n_slots;

		if (c->exact != NOT_EXACT &&
		    (!there || load_u64(a->type) != load_u64(b->type)))
			return false;
		if (all_unused(c->env, a))
			continue;
		if (!there || !slot_covered(c, a, b))
			return false;
	}
	return true;
}

/* ---- frames, references ---- */

/* A byte or two a register tell most states apart. */
static bool kinds_covered(const struct compare *c, const struct frame *old,
			  const struct frame *now, u32 live)
{
	for (u32 i = 0; i < N_REGS; i++) {
		const struct reg *a = &old->regs[i], *b = &now->regs[i];

		if (a->kind == b->kind && a->flags == b->flags)
			continue;
		if ((live & 1u << i) && (a->kind != UNINIT || c->exact != NOT_EXACT)) {
			c->env->explorer->differs = (u8)i;
			return false;
		}
	}
	return true;
}

static bool frame_covered(const struct compare *c, const struct frame *old,
			  const struct frame *now, u32 pc)
{
	u32 live = c->env->aux[pc].live_regs;

	if (old->callback_depth > now->callback_depth)
		return false;
	if (!kinds_covered(c, old, now, live))
		return false;
	for (u32 i = 0; i < N_REGS; i++) {
		if ((live & 1u << i) && !reg_covered(c, &old->regs[i], &now->regs[i])) {
			c->env->explorer->differs = (u8)i;
			return false;
		}
	}
	return stack_covered(c, old, now);
}

static bool refs_covered(struct idmap *ids, const struct state *old,
			 const struct state *now)
{
	const u32 locks = REF_LOCK | REF_RES_LOCK | REF_RES_LOCK_IRQ;

	if (old->n_refs != now->n_refs || old->active_locks != now->active_locks ||
	    old->active_preempt != now->active_preempt ||
	    old->active_rcu != now->active_rcu ||
	    old->active_lock_ptr != now->active_lock_ptr)
		return false;
	if (!ids_match(ids, old->active_irq_id, now->active_irq_id) ||
	    !ids_match(ids, old->active_lock_id, now->active_lock_id))
		return false;
	for (u32 i = 0; i < old->n_refs; i++) {
		const struct ref *a = &old->refs[i], *b = &now->refs[i];

		if (a->kind != b->kind || !ids_match(ids, a->id, b->id))
			return false;
		if ((a->kind & locks) && a->ptr != b->ptr)
			return false;
	}
	return true;
}

static u32 callsite_of(const struct state *st, u32 frame)
{
	return st->small ? small_callsite(st, frame) : st->frames[frame]->callsite;
}

bool same_callsites(const struct state *a, const struct state *b)
{
	if (a->depth != b->depth)
		return false;
	for (u32 i = a->depth + 1; i-- > 0;)
		if (callsite_of(a, i) != callsite_of(b, i))
			return false;
	return true;
}

/* A register that alone is not covered is not, whatever the others are. */
bool state_differs(struct env *env, const struct state *old, const struct state *now,
		   enum exactness exact)
{
	struct explorer *ex = env->explorer;
	struct compare c = {env, &ex->idmap, exact, ex->compare_all};
	u32 i = old->differs;

	idmap_reset(env, c.ids);
	return (env->aux[old->pc].live_regs & 1u << i) &&
	       !reg_covered(&c, &state_regs(old)[i], &state_regs(now)[i]);
}

bool state_covered(struct env *env, const struct state *old, const struct state *now,
		   enum exactness exact)
{
	struct explorer *ex = env->explorer;
	struct compare c = {env, &ex->idmap, exact, ex->compare_all};

	/* What speculation cannot do, execution may. */
	if (old->speculative && !now->speculative)
		return false;
	if (old->in_sleepable != now->in_sleepable || !same_callsites(old, now))
		return false;
	idmap_reset(env, c.ids);
	if (!refs_covered(c.ids, old, now))
		return false;
	/* The current function's first: that is where states differ. */
	for (u32 i = old->depth + 1; i-- > 0;)
		if (!frame_covered(&c, old->frames[i], now->frames[i], frame_pc(old, i)))
			return false;
	return true;
}

/* ---- widening ---- */

static void widen(struct idmap *ids, const struct reg *old, struct reg *now)
{
	if (old->kind != SCALAR || now->kind != SCALAR)
		return;
	if (old->precise || now->precise || regs_exact(ids, old, now))
		return;
	reg_set_unknown(now);
}

void state_widen(struct env *env, const struct state *old, struct state *now)
{
	struct idmap *ids = &env->explorer->idmap;

	if (!env->privileged || env->opts->never_widens || old->depth > now->depth)
		return;
	idmap_reset(env, ids);
	for (u32 f = old->depth + 1; f-- > 0;) {
		const struct frame *a = old->frames[f];
		struct frame *b = now->frames[f];

		for (u32 i = 0; i < N_REGS; i++)
			widen(ids, &a->regs[i], &b->regs[i]);
		for (u32 i = 0; i < a->n_slots && i < b->n_slots; i++)
			if (slot_is_spill(&a->slots[i]) && slot_is_spill(&b->slots[i]))
				widen(ids, &a->slots[i].spilled, &b->slots[i].spilled);
	}
}
