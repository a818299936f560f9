/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept states made small: what is not there, not known, a constant or bytes of one kind
 * takes next to nothing, and of the rest only words that are not 0 are written down.
 *
 * Only where many states are kept: comparing with one means to make it whole again.  What
 * is asked of every state on a path (where its functions were called, marks of precision)
 * is told without that.  Unlike branches that wait (pack.c) a state depends on no other.
 * Never does: compare states.  More: keep.c, visit.c.
 */
#include "verify/compact.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/keep.h"

/* What a register is, as it is written down. */
enum reg_form {
	FORM_NONE,    /* uninitialised */
	FORM_UNKNOWN, /* a number: any */
	FORM_CONST,   /* a number, known; nothing else is known of it */
	FORM_WORDS,   /* a bit for each word of 32 bits that is not 0, and these */
};

/* The bytes of a slot, in the upper half of its form. */
enum bytes_form {
	BYTES_INVALID = SLOT_INVALID << 4,
	BYTES_SPILL = SLOT_SPILL << 4,
	BYTES_MISC = SLOT_MISC << 4,
	BYTES_ZERO = SLOT_ZERO << 4,
	BYTES_MIXED = 15 << 4,
};

enum {
	/* of a frame: what it has beside registers and slots */
	REST = offsetof(struct frame, callsite),
	REST_SIZE = offsetof(struct frame, slots) - REST,
	REG_WORDS = sizeof(struct reg) / 4,
	MAX_REG = 4 + sizeof(struct reg),
	MAX_FORMS = N_REGS + STACK_SLOTS,
};

/* Followed by the forms, one byte a register, then a slot, and by what they need. */
struct small_frame {
	struct small_marks marks;
	u32 size; /* of all of it */
	u32 n_slots;
	u8 rest[REST_SIZE];
};

struct small {
	u32 callsites[FRAMES];
	u32 at[FRAMES]; /* offsets of frames, from here */
};

_Static_assert(sizeof(struct small) % 8 == 0, "frames are aligned");
_Static_assert(sizeof(struct reg) % 4 == 0 && REG_WORDS <= 32, "a bit each");

/* ---- writing ---- */

static bool is_number(const struct reg *reg)
{
	return reg->kind == SCALAR && !reg->flags && !reg->off && !reg->raw[0] &&
	       !reg->raw[1] && !reg->id && !reg->ref_id && !reg->ends_with && !reg->frame;
}

static enum reg_form form_of(const struct reg *reg)
{
	static const struct reg none;
	struct scalar var;

	if (reg->kind == UNINIT &&
	    !memcmp((const u8 *)reg + 2, (const u8 *)&none + 2, sizeof(none) - 2))
		return FORM_NONE;
	if (!is_number(reg))
		return FORM_WORDS;
	var = scalar_const(reg->var.bits.value);
	if (scalar_same(&reg->var, &var))
		return FORM_CONST;
	var = scalar_unknown();
	return scalar_same(&reg->var, &var) ? FORM_UNKNOWN : FORM_WORDS;
}

/* 1 << i: in a table the compiler tests four words at once. */
static const u32 word_bits[32] = {
#define B4(i) 1u << (i), 2u << (i), 4u << (i), 8u << (i)
	B4(0), B4(4), B4(8), B4(12), B4(16), B4(20), B4(24), B4(28),
#undef B4
};

/* Pointers have no variable part, most ranges are small: half of the words are 0. */
static u8 *put_words(u8 *to, const struct reg *reg)
{
	u32 words[REG_WORDS], mask = 0;
	u8 *at = to + 4;

	memcpy(words, reg, sizeof(words));
	for (u32 i = 0; i < REG_WORDS; i++)
		mask |= words[i] ? word_bits[i] : 0;
	memcpy(to, &mask, 4);
	for (; mask; mask &= mask - 1, at += 4)
		memcpy(at, &words[__builtin_ctz(mask)], 4);
	return at;
}

static u8 *put_reg(u8 *at, enum reg_form form, const struct reg *reg)
{
	switch (form) {
	case FORM_NONE:
	case FORM_UNKNOWN: return at;
	case FORM_CONST: memcpy(at, &reg->var.bits.value, 8); return at + 8;
	case FORM_WORDS: break;
	}
	return put_words(at, reg);
}

/* Are all bytes of that type? */
static bool all_are(const struct slot *slot, u8 type)
{
	return load_u64(slot->type) == type * 0x0101010101010101ull;
}

static bool holds_reg(const struct slot *slot)
{
	if (all_are(slot, slot->type[0]))
		return slot->type[0] == SLOT_SPILL || slot->type[0] > SLOT_ZERO;
	for (u32 i = 0; i < 8; i++)
		if (slot->type[i] == SLOT_SPILL || slot->type[i] > SLOT_ZERO)
			return true;
	return false;
}

/* Of what is there beside registers nothing is asked: it is left behind. */
static u8 form_of_slot(const struct slot *slot)
{
	u8 form = holds_reg(slot) ? (u8)form_of(&slot->spilled) : FORM_NONE;

	if (slot->type[0] <= SLOT_ZERO && all_are(slot, slot->type[0]))
		return (u8)(form | slot->type[0] << 4);
	return (u8)(form | BYTES_MIXED);
}

static u8 *put_slot(u8 *at, u8 form, const struct slot *slot)
{
	if ((form & 0xf0) == BYTES_MIXED) {
		memcpy(at, slot->type, 8);
		at += 8;
	}
	return put_reg(at, form & 15, &slot->spilled);
}

static void mark_reg(const struct reg *reg, u32 i, struct small_marks *marks)
{
	if (reg->kind == SCALAR)
		marks->regs |= (u16)(1u << i);
	if (reg->precise)
		marks->regs_precise |= (u16)(1u << i);
}

static void mark_slot(const struct slot *slot, u32 i, struct small_marks *marks)
{
	if (!holds_reg(slot))
		return;
	if (slot_is_spill(slot) && slot->spilled.kind == SCALAR)
		marks->slots |= 1ull << i;
	if (slot->spilled.precise)
		marks->slots_precise |= 1ull << i;
}

/* Its size. */
static u32 put_frame(u8 *to, const struct frame *frame)
{
	struct small_frame head = {.n_slots = frame->n_slots};
	u8 *forms = to + sizeof(head), *at = forms + N_REGS + frame->n_slots;

	memcpy(head.rest, (const u8 *)frame + REST, REST_SIZE);
	for (u32 i = 0; i < N_REGS; i++) {
		forms[i] = (u8)form_of(&frame->regs[i]);
		at = put_reg(at, forms[i], &frame->regs[i]);
		mark_reg(&frame->regs[i], i, &head.marks);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		forms[N_REGS + i] = form_of_slot(&frame->slots[i]);
		at = put_slot(at, forms[N_REGS + i], &frame->slots[i]);
		mark_slot(&frame->slots[i], i, &head.marks);
	}
	head.size = (u32)round_up((u64)(at - to), 8);
	memcpy(to, &head, sizeof(head));
	return head.size;
}

enum {
	MAX_FRAME = sizeof(struct small_frame) + MAX_FORMS + STACK_SLOTS * (8 + MAX_REG) +
		    N_REGS * MAX_REG + 8,
	MAX_COMPACT = sizeof(struct small) + FRAMES * MAX_FRAME,
};

static u32 put_frames(u8 *to, const struct state *st)
{
	struct small small = {{0}, {0}};
	u32 size = sizeof(small);

	for (u32 i = 0; i <= st->depth; i++) {
		small.callsites[i] = st->frames[i]->callsite;
		small.at[i] = size;
		size += put_frame(to + size, st->frames[i]);
	}
	memcpy(to, &small, sizeof(small));
	return size;
}

/* ---- reading ---- */

static const u8 *get_words(const u8 *at, struct reg *reg)
{
	u32 words[REG_WORDS] = {0}, mask;

	memcpy(&mask, at, 4);
	at += 4;
	for (; mask; mask &= mask - 1, at += 4)
		memcpy(&words[__builtin_ctz(mask)], at, 4);
	memcpy(reg, words, sizeof(words));
	return at;
}

static const u8 *get_reg(const u8 *at, enum reg_form form, struct reg *reg)
{
	u64 value;

	switch (form) {
	case FORM_NONE: memset(reg, 0, sizeof(*reg)); return at;
	case FORM_UNKNOWN: reg_set_unknown(reg); return at;
	case FORM_CONST:
		memcpy(&value, at, 8);
		reg_set_const(reg, value);
		return at + 8;
	case FORM_WORDS: break;
	}
	return get_words(at, reg);
}

static const u8 *get_slot(const u8 *at, u8 form, struct slot *slot)
{
	if ((form & 0xf0) == BYTES_MIXED) {
		memcpy(slot->type, at, 8);
		at += 8;
	} else {
		memset(slot->type, form >> 4, 8);
	}
	return get_reg(at, form & 15, &slot->spilled);
}

/* All but the slots; where those begin. */
static const u8 *get_regs(const u8 *from, struct frame *frame)
{
	const struct small_frame *head = (const struct small_frame *)from;
	const u8 *forms = from + sizeof(*head), *at = forms + N_REGS + head->n_slots;

	memcpy((u8 *)frame + REST, head->rest, REST_SIZE);
	for (u32 i = 0; i < N_REGS; i++) {
		at = get_reg(at, forms[i], &frame->regs[i]);
		frame->regs[i].precise = head->marks.regs_precise >> i & 1;
	}
	frame->n_slots = 0;
	return at;
}

static void get_frame(const u8 *from, struct frame *frame)
{
	const struct small_frame *head = (const struct small_frame *)from;
	const u8 *forms = from + sizeof(*head) + N_REGS, *at = get_regs(from, frame);

	frame->n_slots = head->n_slots;
	for (u32 i = 0; i < head->n_slots; i++) {
		at = get_slot(at, forms[i], &frame->slots[i]);
		frame->slots[i].spilled.precise = head->marks.slots_precise >> i & 1;
	}
}

/* ---- states ---- */

static size_t whole_size(const struct state *st)
{
	size_t size = 0;

	for (u32 i = 0; i <= st->depth; i++)
		size += sizeof(struct frame) +
			st->frames[i]->n_slots * sizeof(struct slot);
	return size;
}

/* With the first small state comes all that is needed to look at others. */
static bool make_room(struct env *env)
{
	struct explorer *ex = env->explorer;

	if (ex->compact)
		return true;
	for (u32 i = 0; i < OPENED_KINDS; i++) {
		ex->opened[i] = state_new_working(env);
		if (!ex->opened[i])
			return env_no_memory(env), false;
	}
	ex->compact = arena_alloc(&env->arena, MAX_COMPACT);
	if (!ex->compact)
		(void)env_no_memory(env);
	return ex->compact;
}

struct state *state_compact(struct env *env, struct state *st)
{
	size_t refs = st->n_refs * sizeof(st->refs[0]), size;
	struct state *small;
	u32 block;

	if (!make_room(env))
		return NULL;
	size = put_frames(env->explorer->compact, st);
	if (size >= whole_size(st))
		return st;
	small = keep_block(env, sizeof(*st) + refs + size, &block);
	if (!small)
		return NULL;
	*small = *st;
	small->block = block;
	small->history = history_get(st->history);
	small->refs = (struct ref *)(small + 1);
	if (refs)
		memcpy(small->refs, st->refs, refs);
	small->small = (struct small *)((u8 *)(small + 1) + refs);
	memcpy(small->small, env->explorer->compact, size);
	memset(small->frames, 0, sizeof(small->frames));
	state_drop(env, st);
	return small;
}

/* All but the frames. */
static struct state *open_state(struct env *env, const struct state *st,
				enum opened which)
{
	struct state *whole = env->explorer->opened[which];
	struct frame *frames[FRAMES];

	assert(st->small && whole);
	memcpy(frames, whole->frames, sizeof(frames));
	*whole = *st;
	memcpy(whole->frames, frames, sizeof(frames));
	whole->small = NULL;
	return whole;
}

static const u8 *frame_at(const struct state *st, u32 i)
{
	return (const u8 *)st->small + st->small->at[i];
}

struct state *state_open(struct env *env, const struct state *st, enum opened which)
{
	struct explorer *ex = env->explorer;
	struct state *whole;

	if (which == OPENED_BASE && ex->opened_base == st)
		return ex->opened[which];
	whole = open_state(env, st, which);
	for (u32 i = 0; i <= st->depth; i++)
		get_frame(frame_at(st, i), whole->frames[i]);
	if (which == OPENED_BASE)
		ex->opened_base = st;
	return whole;
}

struct state *state_open_regs(struct env *env, const struct state *st)
{
	struct state *half = open_state(env, st, OPENED_SEEN);

	for (u32 i = 0; i <= st->depth; i++)
		get_regs(frame_at(st, i), half->frames[i]);
	return half;
}

void state_close(struct env *env, struct state *st, const struct state *whole)
{
	u32 size = put_frames(env->explorer->compact, whole);

	/* Nothing but registers and slots that went: it has become smaller. */
	memcpy(st->small, env->explorer->compact, size);
}

struct small_marks *state_marks(const struct state *st, u32 frame)
{
	return &((struct small_frame *)((u8 *)st->small + st->small->at[frame]))->marks;
}

u32 small_callsite(const struct state *st, u32 frame)
{
	return st->small->callsites[frame];
}
