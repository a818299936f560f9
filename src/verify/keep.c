/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kept states and their memory: a kept state is one block, with its references and
 * frames, and holds no more stack slots than are in use.
 *
 * Blocks come from chunks and go back to a list of their size: no path through the
 * explorer calls malloc() for each state.  The chunks are counted and bounded.  Never
 * does: compare states, decide which to keep.  More: visit.c, liveness.h (what cleaning
 * may forget).
 */
#include "verify/keep.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "verify/explore.h"
#include "verify/history.h"
#include "verify/liveness.h"

enum {
	GRAIN = 64, /* sizes of blocks are multiples of it */
	MAX_FRAME = sizeof(struct frame) + STACK_SLOTS * sizeof(struct slot),
	MAX_BLOCK = 512 + MAX_REFS * sizeof(struct ref) + FRAMES * MAX_FRAME + GRAIN,
	CLASSES = MAX_BLOCK / GRAIN + 1,
	SLACK = 16, /* so many grains too large is good enough, rather than a new chunk */
	FIRST_CHUNK = 1 << 14,
	MAX_CHUNK = 1 << 20,
	LARGE_PAGE = 2 * MAX_CHUNK,
	MANY_BYTES = 8 << 20, /* so much, and more comes on large pages */
	DEFAULT_LIMIT = 64 << 20,
	/* More for each instruction: liveness.c notes 33 bytes of it at the least, and
	 * large programs have more states. */
	LIMIT_PER_INSN = 96,
};

_Static_assert(sizeof(struct state) <= 512, "MAX_BLOCK has room for it");
_Static_assert(sizeof(struct state) % 8 == 0 && sizeof(struct ref) % 8 == 0, "aligned");

struct chunk {
	struct chunk *next;
	_Alignas(16) u8 data[];
};

struct free_block {
	struct free_block *next;
};

struct keep_pool {
	struct free_block *free[CLASSES]; /* [i]: blocks of i * GRAIN bytes */
	struct chunk *chunks;             /* owned */
	u8 *at; /* of the newest chunk: what was not given out */
	size_t left;
	size_t chunk_size;
	size_t fixed;   /* bytes of the arena that every program of its size needs */
	u8 *large_half; /* of a chunk's two halves the second, not used yet; or NULL */
	struct chunk *whole; /* owned: the working state, and others with room for all */
};

int keep_new(struct env *env)
{
	env->pool = calloc(1, sizeof(*env->pool));
	if (!env->pool)
		return env_no_memory(env);
	env->pool->chunk_size = FIRST_CHUNK;
	env->pool->fixed = env->arena.total;
	return 0;
}

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

void keep_free(struct env *env)
{
	struct keep_pool *pool = env->pool;

	if (!pool)
		return;
	free_chunks(pool->chunks);
	free_chunks(pool->whole);
	free(pool);
	env->pool = NULL;
}

bool memory_allows(struct env *env, u64 bytes)
{
	u64 limit = DEFAULT_LIMIT + (u64)env->n_insns * LIMIT_PER_INSN;

	if (env->opts->max_memory)
		limit = env->opts->max_memory;
	if (env->stats.memory + env->arena.total + bytes <= limit + env->pool->fixed)
		return true;
	(void)unsupported(env, "its states need more memory than is allowed");
	return false;
}

bool keep_small(const struct env *env)
{
	u64 limit = env->opts->max_memory ? env->opts->max_memory : DEFAULT_LIMIT;

	return env->stats.memory >= limit / 4;
}

/*
 * Chunks of MAX_CHUNK, two at a time, on pages of that size: at 4 KB a page, a third of
 * the time of a loop with many states went to page faults.  Without large pages it is
 * memory like any other.
 */
static u8 *large_chunk(struct keep_pool *pool)
{
	u8 *data = pool->large_half;
	struct chunk *c;

	pool->large_half = NULL;
	if (data)
		return data;
	c = aligned_alloc(LARGE_PAGE, LARGE_PAGE);
	if (!c)
		return NULL;
	(void)madvise(c, LARGE_PAGE, MADV_HUGEPAGE);
	c->next = pool->chunks;
	pool->chunks = c;
	pool->large_half = (u8 *)c + MAX_CHUNK;
	return c->data;
}

static u8 *small_chunk(struct keep_pool *pool, size_t size)
{
	struct chunk *c = malloc(sizeof(*c) + size);

	if (!c)
		return NULL;
	c->next = pool->chunks;
	pool->chunks = c;
	return c->data;
}

/* The rest of the old chunk becomes free blocks of its size. */
static bool new_chunk(struct env *env, size_t need)
{
	struct keep_pool *pool = env->pool;
	size_t size = pool->chunk_size < need ? need : pool->chunk_size;
	bool large = env->stats.memory >= MANY_BYTES && size == MAX_CHUNK;
	u8 *data;

	if (!memory_allows(env, size))
		return false;
	data = large ? large_chunk(pool) : small_chunk(pool, size);
	if (!data) {
		(void)env_no_memory(env);
		return false;
	}
	env->stats.memory += size;
	if (pool->left >= GRAIN) {
		size_t class =
			pool->left / GRAIN < CLASSES ? pool->left / GRAIN : CLASSES - 1;
		struct free_block *rest = (struct free_block *)pool->at;

		rest->next = pool->free[class];
		pool->free[class] = rest;
	}
	pool->at = data;
	/* The first half of a large page has its header, too. */
	pool->left = large && pool->large_half ? size - sizeof(struct chunk) : size;
	if (pool->chunk_size < MAX_CHUNK)
		pool->chunk_size *= 2;
	return true;
}

/* *class: of the block that was found, which may be larger than what was asked for. */
static void *block_get(struct env *env, u32 *class)
{
	struct keep_pool *pool = env->pool;
	u32 most = *class + SLACK < CLASSES ? *class + SLACK : CLASSES - 1;
	size_t size = (size_t) * class * GRAIN;
	void *p;

	for (u32 i = *class; i <= most; i++) {
		struct free_block *b = pool->free[i];

		if (!b)
			continue;
		pool->free[i] = b->next;
		*class = i;
		return b;
	}
	if (pool->left < size && !new_chunk(env, size))
		return NULL;
	p = pool->at;
	pool->at += size;
	pool->left -= size;
	return p;
}

void *keep_block(struct env *env, size_t size, u32 *block)
{
	*block = (u32)((size + GRAIN - 1) / GRAIN);
	return block_get(env, block);
}

static size_t frame_size(const struct frame *frame)
{
	return sizeof(*frame) + frame->n_slots * sizeof(frame->slots[0]);
}

static size_t state_size(const struct state *st)
{
	size_t size = sizeof(*st) + st->n_refs * sizeof(st->refs[0]);

	for (u32 i = 0; i <= st->depth; i++)
		size += frame_size(st->frames[i]);
	return size;
}

/* References and frames follow the state in its block. */
static void put_parts(struct state *copy, const struct state *st)
{
	u8 *at = (u8 *)(copy + 1);
	size_t len = st->n_refs * sizeof(st->refs[0]);

	copy->refs = (struct ref *)at;
	if (len)
		memcpy(at, st->refs, len);
	at += len;
	for (u32 i = 0; i <= st->depth; i++) {
		len = frame_size(st->frames[i]);
		copy->frames[i] = memcpy(at, st->frames[i], len);
		at += len;
	}
	for (u32 i = st->depth + 1; i < FRAMES; i++)
		copy->frames[i] = NULL;
}

/* The working state has block 0: that is how the two are told apart. */
static struct state *copy_of(struct env *env, const struct state *st, size_t size)
{
	u32 class;
	struct state *copy = keep_block(env, size, &class);

	if (!copy)
		return NULL;
	*copy = *st;
	copy->block = class;
	copy->extra = NULL;
	copy->packed = NULL;
	copy->small = NULL;
	copy->next = NULL;
	copy->equal = NULL;
	copy->evicted = NULL;
	copy->hits = copy->misses = 0;
	copy->history = history_get(st->history);
	return copy;
}

struct state *state_keep(struct env *env, const struct state *st)
{
	struct state *copy = copy_of(env, st, state_size(st));

	if (copy)
		put_parts(copy, st);
	return copy;
}

struct state *state_keep_path(struct env *env, const struct state *st)
{
	struct state *copy = copy_of(env, st, sizeof(*st));

	if (!copy)
		return NULL;
	memset(copy->frames, 0, sizeof(copy->frames));
	copy->refs = NULL;
	copy->n_refs = 0;
	return copy;
}

void state_restore(struct env *env, struct state *working, const struct state *kept)
{
	struct frame *frames[FRAMES];
	struct ref *refs = working->refs;
	struct history *history = working->history;

	memcpy(frames, working->frames, sizeof(frames));
	*working = *kept;
	memcpy(working->frames, frames, sizeof(frames));
	working->refs = refs;
	working->history = history;
	working->block = 0;
	working->extra = NULL;
	working->packed = NULL;
	if (kept->n_refs)
		memcpy(refs, kept->refs, kept->n_refs * sizeof(*refs));
	if (kept->packed) {
		state_unpack(env, kept, frames);
		return;
	}
	for (u32 i = 0; i <= kept->depth; i++)
		memcpy(frames[i], kept->frames[i], frame_size(kept->frames[i]));
}

static void block_put(struct keep_pool *pool, void *block, u32 class)
{
	struct free_block *b = block;

	assert(class && class < CLASSES);
	b->next = pool->free[class];
	pool->free[class] = b;
}

void state_drop(struct env *env, struct state *st)
{
	if (!st)
		return;
	history_put(env, st->history);
	if (env->explorer->opened_base == st)
		env->explorer->opened_base = NULL;
	if (st->extra)
		block_put(env->pool, st->extra, st->extra_block);
	block_put(env->pool, st, st->block);
}

/* A copy has no room for another frame in its block: it gets one beside it, without
 * slots, as a frame that was just entered has none. */
static struct frame *room_for_frame(struct env *env, struct state *st)
{
	if (!st->block)
		return st->frames[st->depth + 1];
	assert(!st->extra);
	st->extra = keep_block(env, sizeof(struct frame), &st->extra_block);
	return st->extra;
}

struct frame *env_new_frame(struct env *env, struct state *st, u32 subprog)
{
	struct frame *frame;

	assert(st->depth + 1 < FRAMES);
	frame = room_for_frame(env, st);
	if (!frame)
		return NULL;
	memset(frame, 0, sizeof(*frame));
	frame->callsite = env->pc;
	frame->no = st->depth + 1;
	frame->subprog = subprog;
	reg_set_pointer(&frame->regs[R10], PTR_TO_STACK, 0);
	frame->regs[R10].frame = frame->no;
	st->frames[st->depth + 1] = frame;
	return frame;
}

/* Of its frames and references nothing is read before it is set: most programs need one
 * frame and few slots, and the memory of the others is never touched. */
struct state *state_new_working(struct env *env)
{
	size_t refs = MAX_REFS * sizeof(struct ref);
	size_t size = sizeof(struct state) + refs + FRAMES * (size_t)MAX_FRAME;
	struct chunk *c = malloc(sizeof(*c) + size);
	struct state *st;
	u8 *p;

	if (!c)
		return NULL;
	c->next = env->pool->whole;
	env->pool->whole = c;
	p = c->data;
	st = (struct state *)p;
	env->stats.memory += size;
	env->pool->fixed += size;
	*st = (struct state){.refs = (struct ref *)(p + sizeof(*st))};
	p += sizeof(*st) + refs;
	for (u32 i = 0; i < FRAMES; i++)
		st->frames[i] = (struct frame *)(p + (size_t)i * MAX_FRAME);
	return st;
}

static void frame_clean(struct frame *frame, u16 live_regs, u64 live_slots)
{
	for (u32 i = R0; i < R10; i++) {
		if (!(live_regs >> i & 1))
			reg_set_uninit(&frame->regs[i]);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		if (!(live_slots >> i & 1))
			memset(&frame->slots[i], 0, sizeof(frame->slots[i]));
	}
}

/* Sound: what is forgotten is not read before it is written on any path from here, by
 * the static liveness of registers and by what all paths from here did to the stack. */
void state_clean(struct env *env, struct state *st)
{
	u64 live[FRAMES];

	st->cleaned = true;
	if (liveness_query(env, st, live)) {
		diag_clear(env->diag); /* nothing is forgotten then: no error */
		return;
	}
	for (u32 i = 0; i <= st->depth; i++)
		frame_clean(st->frames[i], env->aux[frame_pc(st, i)].live_regs, live[i]);
}
