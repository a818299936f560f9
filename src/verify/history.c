/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of paths: made, counted, reused.
 *
 * The entry of the instruction under way may still be added to; all others are constant,
 * which is why paths can share them.  Never does: interpret what is noted.
 * More: history.h; precision.c, which goes back.
 */
#include "verify/history.h"

#include <assert.h>
#include <string.h>

#include "verify/explore.h"
#include "verify/keep.h"

/* Entries come by so many, from the memory of states; what is linked takes the place of
 * one. */
enum { MORE = 102 };
_Static_assert(sizeof(struct linked) * MAX_LINKED <= sizeof(struct history), "it fits");

static void free_entry(struct explorer *ex, struct history *entry)
{
	entry->prev = ex->free_entries;
	ex->free_entries = entry;
}

static bool more_entries(struct env *env)
{
	struct explorer *ex = env->explorer;
	u32 block; /* never given back: entries are reused one by one */
	struct history *entries = keep_block(env, MORE * sizeof(*entries), &block);

	if (!entries)
		return false;
	for (u32 i = MORE; i-- > 0;)
		free_entry(ex, &entries[i]);
	return true;
}

static struct history *new_entry(struct env *env)
{
	struct explorer *ex = env->explorer;
	struct history *entry;

	if (!ex->free_entries && !more_entries(env))
		return NULL;
	entry = ex->free_entries;
	ex->free_entries = entry->prev;
	return entry;
}

struct history *history_note(struct env *env)
{
	struct explorer *ex = env->explorer;
	struct state *cur = env->cur;
	u32 n = history_len(cur->history) + 1;
	struct history *entry = ex->entry;

	if (entry)
		return entry;
	entry = new_entry(env);
	if (!entry)
		return NULL;
	*entry = (struct history){
		.prev = cur->history, /* the state's count becomes the entry's */
		.counts = 1,
		.n = (u8)(n < MANY_ENTRIES ? n : MANY_ENTRIES),
		.pc = env->pc,
		.prev_pc = env->prev_pc,
	};
	cur->history = ex->entry = entry;
	return entry;
}

struct history *history_get(struct history *entry)
{
	if (entry)
		entry->counts++;
	return entry;
}

void history_put(struct env *env, struct history *entry)
{
	struct explorer *ex = env->explorer;

	while (entry && !--entry->counts) {
		struct history *prev = entry->prev;

		if (entry->linked)
			free_entry(ex, (struct history *)entry->linked);
		free_entry(ex, entry);
		entry = prev;
	}
}

/* ---- what transfers tell ---- */

int env_note_stack_access(struct env *env, u32 frame, u32 slot)
{
	struct history *entry = history_note(env);

	if (!entry)
		return -ENOMEM;
	assert(frame < FRAMES && slot < STACK_SLOTS);
	entry->flags |= HISTORY_STACK;
	entry->frame = (u8)frame;
	entry->slot = (u8)slot;
	return 0;
}

int env_note_stack_compared(struct env *env, bool dst, bool src)
{
	struct history *entry;

	if (!dst && !src)
		return 0;
	entry = history_note(env);
	if (!entry)
		return -ENOMEM;
	entry->flags |= (dst ? HISTORY_DST_STACK : 0) | (src ? HISTORY_SRC_STACK : 0);
	return 0;
}

/* What cannot be remembered must not be refined together: it loses its id. */
static void link_reg(struct links *links, struct reg *reg, u32 id, struct linked where)
{
	if (reg->kind != SCALAR || (reg->id & ~ID_ADD_CONST) != id)
		return;
	if (links->n < MAX_LINKED) {
		links->at[links->n++] = where;
		return;
	}
	reg->id = 0;
	reg->off = 0;
}

static bool may_link(const struct env *env, const struct slot *slot)
{
	return slot_is_spill(slot) &&
	       (env->rules->halves_linked_on_stack || slot->type[7] == SLOT_SPILL);
}

static void link_all(const struct env *env, u32 id, struct links *links)
{
	struct state *st = env->cur;

	for (u32 f = st->depth + 1; f-- > 0;) {
		struct frame *frame = st->frames[f];

		for (u32 i = 0; i < R10; i++)
			link_reg(links, &frame->regs[i], id,
				 (struct linked){(u8)f, (u8)i, true});
		for (u32 i = 0; i < frame->n_slots; i++)
			if (may_link(env, &frame->slots[i]))
				link_reg(links, &frame->slots[i].spilled, id,
					 (struct linked){(u8)f, (u8)i, false});
	}
}

int env_note_linked(struct env *env, u32 id_dst, u32 id_src, struct links *links)
{
	struct history *entry;

	id_dst &= ~ID_ADD_CONST;
	id_src &= ~ID_ADD_CONST;
	links->n = 0;
	if (id_src)
		link_all(env, id_src, links);
	if (id_dst)
		link_all(env, id_dst, links);
	if (links->n < 2)
		return 0;
	entry = history_note(env);
	if (!entry)
		return -ENOMEM;
	if (!entry->linked)
		entry->linked = (struct linked *)new_entry(env);
	if (!entry->linked)
		return -ENOMEM;
	entry->n_linked = (u8)links->n;
	memcpy(entry->linked, links->at, links->n * sizeof(links->at[0]));
	return 0;
}
