/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Branches that wait, made small: what differs from the kept state that they came from.
 *
 * That one is a few instructions back, has nearly all registers and slots in common with
 * the branch, and does not change or go as long as a branch of it waits; only its marks
 * of precision may, and those the branch keeps for itself.  Never does: compare states.
 * More: keep.c, explore.c.
 */
#include <stddef.h>
#include <string.h>

#include "verify/compact.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/keep.h"

/* What a frame has beside registers and slots. */
enum {
	REST = offsetof(struct frame, callsite),
	REST_SIZE = sizeof(struct frame) - REST,
	/* of a register: all that follows kind and precise */
	VALUE = offsetof(struct reg, flags),
	VALUE_SIZE = sizeof(struct reg) - VALUE,
};

/* Followed by the registers and slots that differ, in order. */
struct packed {
	u16 regs, regs_precise; /* a bit each: differs; is precise */
	u64 slots, slots_precise;
	u8 rest[REST_SIZE];
};

_Static_assert(sizeof(struct packed) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct reg) % 8 == 0 && sizeof(struct slot) % 8 == 0, "aligned");

static bool same_reg(const struct reg *a, const struct reg *b)
{
	return a->kind == b->kind &&
	       !memcmp((const u8 *)a + VALUE, (const u8 *)b + VALUE, VALUE_SIZE);
}

static bool same_slot(const struct slot *a, const struct slot *b)
{
	return !memcmp(a->type, b->type, sizeof(a->type)) &&
	       same_reg(&a->spilled, &b->spilled);
}

/* base: the same frame of the state that it came from, or NULL. */
static void compare_frame(struct packed *p, const struct frame *frame,
			  const struct frame *base)
{
	*p = (struct packed){0};
	memcpy(p->rest, (const u8 *)frame + REST, REST_SIZE);
	for (u32 i = 0; i < N_REGS; i++) {
		if (!base || !same_reg(&frame->regs[i], &base->regs[i]))
			p->regs |= (u16)(1u << i);
		if (frame->regs[i].precise)
			p->regs_precise |= (u16)(1u << i);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		if (!base || i >= base->n_slots ||
		    !same_slot(&frame->slots[i], &base->slots[i]))
			p->slots |= 1ull << i;
		if (frame->slots[i].spilled.precise)
			p->slots_precise |= 1ull << i;
	}
}

static size_t packed_size(const struct packed *p)
{
	return sizeof(*p) + (u32)__builtin_popcount(p->regs) * sizeof(struct reg) +
	       (u32)__builtin_popcountll(p->slots) * sizeof(struct slot);
}

static u8 *put_frame(u8 *at, const struct packed *p, const struct frame *frame)
{
	memcpy(at, p, sizeof(*p));
	at += sizeof(*p);
	for (u32 i = 0; i < N_REGS; i++) {
		if (!(p->regs >> i & 1))
			continue;
		memcpy(at, &frame->regs[i], sizeof(frame->regs[i]));
		at += sizeof(frame->regs[i]);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		if (!(p->slots >> i & 1))
			continue;
		memcpy(at, &frame->slots[i], sizeof(frame->slots[i]));
		at += sizeof(frame->slots[i]);
	}
	return at;
}

/* The state that st came from, whole. */
static const struct state *base_of(struct env *env, const struct state *st)
{
	return st->parent->small ? state_open(env, st->parent, OPENED_BASE) : st->parent;
}

static const struct frame *base_frame(const struct state *base, u32 i)
{
	return i <= base->depth ? base->frames[i] : NULL;
}

struct state *state_pack(struct env *env, struct state *st)
{
	struct packed frames[FRAMES];
	size_t size = sizeof(*st) + st->n_refs * sizeof(st->refs[0]);
	const struct state *base;
	struct state *small;
	u32 block;
	u8 *at;

	if (!st->parent || st->packed)
		return st;
	base = base_of(env, st);
	for (u32 i = 0; i <= st->depth; i++) {
		compare_frame(&frames[i], st->frames[i], base_frame(base, i));
		size += packed_size(&frames[i]);
	}
	small = keep_block(env, size, &block);
	if (!small)
		return NULL;
	*small = *st;
	small->block = block;
	small->extra = NULL;
	small->history = history_get(st->history);
	at = (u8 *)(small + 1);
	small->refs = (struct ref *)at;
	if (st->n_refs)
		memcpy(at, st->refs, st->n_refs * sizeof(st->refs[0]));
	at += st->n_refs * sizeof(st->refs[0]);
	small->packed = at;
	for (u32 i = 0; i <= st->depth; i++) {
		at = put_frame(at, &frames[i], st->frames[i]);
		small->frames[i] = NULL;
	}
	state_drop(env, st);
	return small;
}

static const u8 *get_frame(const u8 *at, struct frame *frame, const struct frame *base)
{
	struct packed p;

	memcpy(&p, at, sizeof(p));
	at += sizeof(p);
	memcpy((u8 *)frame + REST, p.rest, REST_SIZE);
	for (u32 i = 0; i < N_REGS; i++) {
		bool own = p.regs >> i & 1;
		const void *from = own ? (const void *)at : &base->regs[i];

		memcpy(&frame->regs[i], from, sizeof(frame->regs[i]));
		frame->regs[i].precise = p.regs_precise >> i & 1;
		at += own ? sizeof(frame->regs[i]) : 0;
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		bool own = p.slots >> i & 1;
		const void *from = own ? (const void *)at : &base->slots[i];

		memcpy(&frame->slots[i], from, sizeof(frame->slots[i]));
		frame->slots[i].spilled.precise = p.slots_precise >> i & 1;
		at += own ? sizeof(frame->slots[i]) : 0;
	}
	return at;
}

void state_unpack(struct env *env, const struct state *st, struct frame *frames[FRAMES])
{
	const struct state *base = base_of(env, st);
	const u8 *at = st->packed;

	for (u32 i = 0; i <= st->depth; i++)
		at = get_frame(at, frames[i], base_frame(base, i));
}
