/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a path came to a state: the instructions where going back along it must know more
 * than "the one before": where it jumped from, which stack slot was spilled or filled,
 * which registers were refined together.
 *
 * Entries form a tree: a state has a count of its newest entry, each entry one of the
 * entry before, so branches share the path that they have in common and copying a state
 * copies one pointer.  A kept state starts a new path.  For explore, visit, keep and
 * precision in src/verify.
 */
#ifndef SKEP_VERIFY_HISTORY_H
#define SKEP_VERIFY_HISTORY_H

#include "verify/env.h"

enum history_flag {
	HISTORY_STACK = 1 << 0, /* frame and slot are of a spill or a fill */
	HISTORY_DST_STACK = 1 << 1,
	HISTORY_SRC_STACK = 1 << 2,
};

struct history {
	struct history *prev;  /* counted; NULL: the path starts here */
	struct linked *linked; /* owned: n_linked; or NULL */
	u32 counts;
	u32 pc, prev_pc;
	/* precision.c: registers that are precise already before the instruction
	 * walked_pc, since somebody started there; 0: none */
	u32 walked_pc;
	u16 walked_regs;
	u8 walked_frame;
	u8 n; /* entries from the start of the path to this one; at most MANY_ENTRIES */
	u8 flags; /* enum history_flag */
	u8 frame, slot;
	u8 n_linked;
};

enum { MANY_ENTRIES = 255 };

/* Long paths have one for every third instruction. */
_Static_assert(sizeof(struct history) <= 40, "entries are small");

/* The entry of the instruction at env->pc, made when there is none; NULL: memory (told).
 */
struct history *history_note(struct env *env);

struct history *history_get(struct history *entry);
void history_put(struct env *env, struct history *entry);

static inline u32 history_len(const struct history *entry)
{
	return entry ? entry->n : 0;
}

/* Going back along the path of one state, from its pc to its first instruction. */
struct history_walk {
	const struct history *at; /* newest entry that was not passed */
	u32 first_pc;
};

static inline struct history_walk history_walk(const struct state *st)
{
	return (struct history_walk){st->history, st->first_pc};
}

/* The entry of that instruction, or NULL: nothing is known of it but that the one before
 * it in the program came before. */
static inline const struct history *history_at(const struct history_walk *walk, u32 pc)
{
	return walk->at && walk->at->pc == pc ? walk->at : NULL;
}

/*
 * The instruction before pc; false: pc is the first one of the state.  A state may begin
 * and end at the same instruction with a loop in between: being at the first instruction
 * ends the walk only when no entry is left but its own.
 */
static inline bool history_back(struct history_walk *walk, u32 *pc)
{
	const struct history *at = walk->at;

	if (*pc == walk->first_pc && (!at || (at->n == 1 && at->pc == *pc)))
		return false;
	if (at && at->pc == *pc) {
		*pc = at->prev_pc;
		walk->at = at->prev;
		return *pc != NO_INSN;
	}
	return (*pc)-- != 0;
}

#endif
