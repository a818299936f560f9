/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators over numbers and bits.  Their state is the program's, on its
 * stack: 8 and 16 bytes, as Linux has them; what next() gives points into them.  What
 * does not fit in belongs to the run, which knows it: a state that somebody else wrote
 * leads nowhere.
 */
#include <stdlib.h>

#include "helpers/bodies.h"
#include "helpers/helpers.h"

struct numbers {
	s32 current, end;
};

KFUNC(bpf_iter_num_new)
{
	struct numbers *it = pointer(r1);
	s32 start = (s32)r2, end = (s32)r3;
	int err = 0;

	if (start > end)
		err = -EINVAL;
	else if ((s64)end - start > LOOP_MAX)
		err = -E2BIG;
	/* one before the first: it may wrap */
	*it = err ? (struct numbers){0, 0} : (struct numbers){(s32)((u32)start - 1), end};
	return answer_int(err);
}

KFUNC(bpf_iter_num_next)
{
	struct numbers *it = pointer(r1);

	/* what wrapped counts on from there */
	if ((s32)((u32)it->current + 1) >= it->end) {
		*it = (struct numbers){0, 0};
		return 0;
	}
	it->current = (s32)((u32)it->current + 1);
	return (uintptr_t)&it->current;
}

KFUNC(bpf_iter_num_destroy)
{
	*(struct numbers *)pointer(r1) = (struct numbers){0, 0};
	return 0;
}

/* ---- bits ---- */

enum {
	MAX_WORDS = 511,
	WORD_BITS = 64,
	MAX_ITERATORS = 256, /* at once: more do not fit on any stack */
};

struct bits {
	union {
		struct run_memory *memory; /* of more than one word */
		u64 word;
	};
	s32 n, current;
};

static int copy_words(struct run *run, void *to, u64 from, u32 n)
{
	struct world *world = run->world;

	return world->ops->read_memory(world, to, n * (u32)sizeof(u64), from);
}

static bool has_room(const struct run *run)
{
	u32 n = 0;

	for (const struct run_memory *m = run->memory; m; m = m->next)
		n++;
	return n < MAX_ITERATORS;
}

static int keep_words(struct run *run, struct bits *it, u64 from, u32 n)
{
	struct run_memory *memory =
		has_room(run) ? malloc(sizeof(*memory) + n * sizeof(u64)) : NULL;
	int err;

	if (!memory)
		return -ENOMEM;
	err = copy_words(run, memory->words, from, n);
	if (err) {
		free(memory);
		return err;
	}
	memory->n = n;
	memory->next = run->memory;
	run->memory = it->memory = memory;
	return 0;
}

KFUNC(bpf_iter_bits_new)
{
	struct bits *it = pointer(r1);
	u32 n = (u32)r3;
	int err;

	*it = (struct bits){.current = -1};
	if (!r2 || !n)
		return answer_int(-EINVAL);
	if (n > MAX_WORDS)
		return answer_int(-E2BIG);
	err = n == 1 ? copy_words(run, &it->word, r2, n) : keep_words(run, it, r2, n);
	if (!err)
		it->n = (s32)n * WORD_BITS;
	return answer_int(err);
}

/* Where the run has it, or where a search ends. */
static struct run_memory **find_memory(struct run *run, const struct bits *it)
{
	struct run_memory **at = &run->memory;

	while (*at && *at != it->memory)
		at = &(*at)->next;
	return at;
}

/* The next bit that is set, from this one on; n: there is none. */
static s32 find_bit(const u64 *words, s32 n, s32 from)
{
	while (from < n) {
		u64 rest = words[from / WORD_BITS] >> from % WORD_BITS;

		if (rest)
			return from + __builtin_ctzll(rest);
		from = (from / WORD_BITS + 1) * WORD_BITS;
	}
	return n;
}

KFUNC(bpf_iter_bits_next)
{
	struct bits *it = pointer(r1);
	const struct run_memory *memory =
		it->n > WORD_BITS ? *find_memory(run, it) : NULL;
	const u64 *words = memory ? memory->words : &it->word;
	s32 n = it->n == WORD_BITS ? WORD_BITS : 0;

	if (memory)
		n = (s32)memory->n * WORD_BITS;
	if (it->current < -1 || it->current >= n)
		return 0;
	it->current = find_bit(words, n, it->current + 1);
	return it->current < n ? (uintptr_t)&it->current : 0;
}

KFUNC(bpf_iter_bits_destroy)
{
	struct bits *it = pointer(r1);
	struct run_memory **at = find_memory(run, it);

	if (it->n > WORD_BITS && *at) {
		struct run_memory *memory = *at;

		*at = memory->next;
		free(memory);
	}
	*it = (struct bits){.current = 0};
	return 0;
}
