/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack slots may be read later, per chain of calls.
 *
 * Live before an instruction is what it may read, and what is live after it and not
 * surely written by it.  For calls, both come from the callee's first instruction: what
 * the callee may read, what it writes on all its paths.  Only instructions whose facts
 * changed and those before them are computed again, in postorder.  Reads only grow, sure
 * writes only shrink, so that it can be resumed at any time.  Never does: look at what is
 * in the slots. More: any textbook on live variables; liveness.h.
 */
#include "verify/liveness.h"

#include <string.h>

#include "verify/explore.h"
#include "verify/keep.h"

enum { BUCKETS = 256, TAIL_CALL = 12, MAX_ROUNDS = 1000 };

/* Slots (bits) of one frame, at one instruction. */
struct masks {
	u64 read;       /* may be read by it */
	u64 written;    /* surely written by it, on every visit */
	u64 written_on; /* by it or surely after it, in this function */
	u64 live;       /* may be read by it or after it */
};

enum { VISITED = 1, WRITES = 2 /* written is not 0 in some frame */ };

/* A function as it is entered by one chain of calls. */
struct instance {
	struct instance *hash_next;
	struct instance *outer; /* of the caller; NULL: the first frame */
	u32 callsite, sub;
	u32 depth; /* its frame */
	u32 start, n_insns;
	const u32 *order; /* postorder of its instructions */
	u32 n_order;
	u8 *seen;                     /* per instruction */
	struct masks *frames[FRAMES]; /* per instruction; made when first needed */
	u64 *dirty;            /* bits: positions in order that must be computed again */
	u32 first_dirty;       /* word, no lower one is */
	bool updated, dropped; /* dropped: a sure write became unsure */
	bool only_grow;        /* settling took too long: live slots stay live */
};

struct liveness {
	struct instance *buckets[BUCKETS];
	struct instance
		*now; /* of the working state's current frame; NULL: not known yet */
	struct instance *begun; /* of the instruction under way */
	u32 pc;
	bool wrote;
	u64 written[FRAMES]; /* by the instruction under way */
	/* Of the control flow: who comes before, and where in the postorder of the
	 * function. */
	u32 *first_pred, *preds, *position;
};

/* ---- the graph backwards ---- */

static void count_preds(const struct env *env, u32 *count)
{
	u32 next[2];

	for (u32 pc = 0; pc < env->n_insns; pc++) {
		u32 n = env->aux[pc].op ? successors(env, pc, next) : 0;

		while (n--)
			count[next[n]]++;
	}
}

/* first[i + 1] counts up from where the predecessors of i start to where they end. */
static void fill_preds(const struct env *env, struct liveness *l)
{
	u32 next[2], sum = 0, *at = l->first_pred + 1;

	for (u32 pc = 0; pc < env->n_insns; pc++) {
		u32 n = at[pc];

		at[pc] = sum;
		sum += n;
	}
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		u32 n = env->aux[pc].op ? successors(env, pc, next) : 0;

		while (n--)
			l->preds[at[next[n]]++] = pc;
	}
}

int liveness_new(struct env *env)
{
	struct liveness *l = arena_alloc(&env->arena, sizeof(*l));
	size_t n = env->n_insns;

	if (!l)
		return env_no_memory(env);
	l->first_pred = arena_array(&env->arena, n + 2, sizeof(u32));
	l->preds = arena_array(&env->arena, 2 * n, sizeof(u32));
	l->position = arena_array(&env->arena, n, sizeof(u32));
	if (!l->first_pred || !l->preds || !l->position)
		return env_no_memory(env);
	count_preds(env, l->first_pred + 1);
	fill_preds(env, l);
	for (u32 i = 0; i < env->n_subs; i++) {
		const struct sub_info *sub = &env->subs[i];

		for (u32 k = 0; k < sub->n_postorder; k++)
			l->position[env->postorder[sub->postorder_start + k]] = k;
	}
	env->liveness = l;
	return 0;
}

/* All of it is the arena's. */
void liveness_free(struct env *env)
{
	env->liveness = NULL;
}

/* ---- instances ---- */

static u32 bucket(const struct instance *outer, u32 callsite, u32 sub)
{
	u32 h = (callsite + 1) * 0x9e3779b1u ^ (sub + 1) * 0x85ebca77u;

	if (outer)
		h ^= (outer->callsite + 1) * 0xc2b2ae3du + outer->depth;
	return (h ^ h >> 15) % BUCKETS;
}

static void *counted(struct env *env, size_t n, size_t size)
{
	void *p;

	if (!memory_allows(env, n * size))
		return NULL;
	p = arena_array(&env->arena, n, size);
	if (!p)
		(void)env_no_memory(env);
	return p;
}

static struct instance *instance_new(struct env *env, struct instance *outer, u32 sub_no)
{
	const struct sub_info *sub = &env->subs[sub_no];
	struct instance *in = counted(env, 1, sizeof(*in));

	if (!in)
		return NULL;
	in->outer = outer;
	in->sub = sub_no;
	in->depth = outer ? outer->depth + 1 : 0;
	in->start = sub->start;
	in->n_insns = sub->end - sub->start;
	in->order = env->postorder + sub->postorder_start;
	in->n_order = sub->n_postorder;
	in->seen = counted(env, in->n_insns, 1);
	in->dirty = counted(env, in->n_order / 64 + 1, sizeof(u64));
	return in->seen && in->dirty ? in : NULL;
}

static struct instance *find(struct env *env, struct instance *outer,
			     const struct frame *frame)
{
	u32 callsite = outer ? frame->callsite : 0;
	struct instance **head =
		&env->liveness->buckets[bucket(outer, callsite, frame->subprog)];
	struct instance *in;

	for (in = *head; in; in = in->hash_next) {
		if (in->outer == outer && in->callsite == callsite &&
		    in->sub == frame->subprog)
			return in;
	}
	in = instance_new(env, outer, frame->subprog);
	if (!in)
		return NULL;
	in->callsite = callsite;
	in->hash_next = *head;
	*head = in;
	return in;
}

/* chain[i]: of frame i. */
static int find_chain(struct env *env, const struct state *st,
		      struct instance *chain[FRAMES])
{
	struct instance *outer = NULL;

	for (u32 i = 0; i <= st->depth; i++) {
		outer = chain[i] = find(env, outer, st->frames[i]);
		if (!outer)
			return -ENOMEM;
	}
	return 0;
}

static struct masks *masks_at(const struct instance *in, u32 frame, u32 pc)
{
	return in->frames[frame] ? &in->frames[frame][pc - in->start] : NULL;
}

static struct masks *make_masks(struct env *env, struct instance *in, u32 frame, u32 pc)
{
	if (!in->frames[frame])
		in->frames[frame] = counted(env, in->n_insns, sizeof(struct masks));
	return masks_at(in, frame, pc);
}

static void touch(const struct liveness *l, struct instance *in, u32 pc)
{
	u32 at = l->position[pc];

	in->dirty[at / 64] |= 1ull << at % 64;
	if (at / 64 < in->first_dirty)
		in->first_dirty = at / 64;
	in->updated = true;
}

/* ---- collecting ---- */

static int add_read(struct env *env, struct instance *in, u32 frame, u32 pc, u64 slots)
{
	struct masks *m;

	if (!slots)
		return 0;
	m = make_masks(env, in, frame, pc);
	if (!m)
		return -ENOMEM;
	if (slots & ~m->read & ~m->live)
		touch(env->liveness, in, pc);
	m->read |= slots;
	return 0;
}

/* The first visit says what is written, later ones only take away. */
static int add_written(struct env *env, struct instance *in, u32 pc,
		       const u64 written[FRAMES])
{
	u8 *seen = &in->seen[pc - in->start];
	bool first = !(*seen & VISITED);

	*seen |= VISITED;
	for (u32 i = 0; i <= in->depth; i++) {
		struct masks *m = masks_at(in, i, pc);
		u64 now;

		if (!m && !(first && written[i]))
			continue;
		m = make_masks(env, in, i, pc);
		if (!m)
			return -ENOMEM;
		now = first ? written[i] : written[i] & m->written;
		if (now)
			*seen |= WRITES;
		if (now == m->written)
			continue;
		in->dropped |= (m->written & ~now) != 0;
		m->written = now;
		touch(env->liveness, in, pc);
	}
	return 0;
}

static int know_now(struct env *env)
{
	struct liveness *l = env->liveness;
	struct instance *chain[FRAMES];

	if (l->now)
		return 0;
	if (find_chain(env, env->cur, chain))
		return -ENOMEM;
	l->now = chain[env->cur->depth];
	return 0;
}

int liveness_begin(struct env *env)
{
	struct liveness *l = env->liveness;
	int err = know_now(env);

	l->begun = l->now;
	l->pc = env->pc;
	if (l->wrote)
		memset(l->written, 0, sizeof(l->written));
	l->wrote = false;
	return err;
}

int env_stack_read(struct env *env, u32 frame, u64 slots)
{
	struct liveness *l = env->liveness;

	/* A frame that the instruction made itself. */
	if (!l->begun || frame > l->begun->depth)
		return 0;
	return add_read(env, l->begun, frame, l->pc, slots);
}

void env_stack_written(struct env *env, u32 frame, u64 slots)
{
	struct liveness *l = env->liveness;

	if (!slots)
		return;
	l->written[frame] |= slots;
	l->wrote = true;
}

/* Calls that entered a function get their writes when it is left. */
int liveness_end(struct env *env)
{
	struct liveness *l = env->liveness;

	if (!l->now || (!l->wrote && l->now->seen[l->pc - l->now->start] == VISITED))
		return 0;
	return add_written(env, l->now, l->pc, l->written);
}

void liveness_frames_changed(struct env *env)
{
	env->liveness->now = NULL;
}

/* ---- propagating ---- */

/* A tail call that succeeds leaves the function: nothing after it is sure to be written.
 */
static bool is_tail_call(const struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];

	return env->aux[pc].op == OP_CALL && insn->src_reg == CALL_HELPER &&
	       insn->imm == TAIL_CALL;
}

static bool compute_masks(const struct env *env, struct instance *in, u32 frame, u32 pc)
{
	struct masks *m = masks_at(in, frame, pc);
	u32 next[2], n = successors(env, pc, next);
	u64 live = 0, written = is_tail_call(env, pc) ? 0 : ~0ull;
	bool same;

	if (!n)
		return false;
	while (n--) {
		const struct masks *after = masks_at(in, frame, next[n]);

		live |= after->live;
		written &= after->written_on;
	}
	live = (live & ~m->written) | m->read | (in->only_grow ? m->live : 0);
	written |= m->written;
	same = live == m->live && written == m->written_on;
	m->live = live;
	m->written_on = written;
	return !same;
}

static void compute(const struct env *env, struct instance *in, u32 pc)
{
	const struct liveness *l = env->liveness;
	bool changed = false;

	for (u32 i = 0; i <= in->depth; i++) {
		if (in->frames[i])
			changed |= compute_masks(env, in, i, pc);
	}
	if (!changed)
		return;
	for (u32 i = l->first_pred[pc]; i < l->first_pred[pc + 1]; i++)
		touch(l, in, l->preds[i]);
}

/* What was sure may rest on a loop that is sure of itself: starts from nothing. */
static void forget_written(struct instance *in)
{
	u32 words = in->n_order / 64;

	for (u32 i = 0; i <= in->depth; i++) {
		for (u32 k = 0; k < in->n_insns && in->frames[i]; k++)
			in->frames[i][k].written_on = 0;
	}
	memset(in->dirty, 0xff, words * sizeof(u64));
	in->dirty[words] = (1ull << in->n_order % 64) - 1;
	in->first_dirty = 0;
	in->dropped = false;
}

/* A slot that was live and no longer is may be passed around in a strange loop for ever:
 * after some rounds nothing dies any more. */
static void settle(const struct env *env, struct instance *in)
{
	u32 words = in->n_order / 64 + 1, rounds = 0;

	if (in->dropped)
		forget_written(in);
	while (in->first_dirty < words) {
		u32 w = in->first_dirty;

		in->first_dirty = words;
		in->only_grow = ++rounds > MAX_ROUNDS;
		for (; w < words; w++) {
			while (in->dirty[w]) {
				u32 bit = (u32)__builtin_ctzll(in->dirty[w]);

				in->dirty[w] &= in->dirty[w] - 1;
				compute(env, in, in->order[w * 64 + bit]);
			}
		}
	}
	in->updated = in->only_grow = false;
}

/* What the function does to the frames of its callers, the call does. */
static int tell_caller(struct env *env, const struct instance *in)
{
	u64 written[FRAMES] = {0};

	for (u32 i = 0; i < in->depth; i++) {
		const struct masks *m = masks_at(in, i, in->start);
		int err = m ? add_read(env, in->outer, i, in->callsite, m->live) : 0;

		if (err)
			return err;
		written[i] = m ? m->written_on : 0;
	}
	return add_written(env, in->outer, in->callsite, written);
}

int liveness_update(struct env *env)
{
	struct liveness *l = env->liveness;
	struct instance *in;
	int err = know_now(env);

	if (err)
		return err;
	in = l->now;
	l->now = NULL;
	for (; in; in = in->outer) {
		if (!in->updated)
			continue;
		settle(env, in);
		err = in->outer ? tell_caller(env, in) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* ---- asking ---- */

static u64 live_at(const struct instance *in, u32 frame, u32 pc)
{
	const struct masks *m = masks_at(in, frame, pc);

	return m ? m->live : 0;
}

/* Callers go on after the call; where it calls a function any number of times, at it. */
int liveness_query(struct env *env, const struct state *st, u64 live[FRAMES])
{
	struct instance *chain[FRAMES];

	if (find_chain(env, st, chain))
		return -ENOMEM;
	for (u32 i = 0; i <= st->depth; i++) {
		live[i] = live_at(chain[st->depth], i, st->pc);
		for (u32 k = i; k < st->depth; k++) {
			u32 call = st->frames[k + 1]->callsite;

			live[i] |=
				live_at(chain[k], i,
					env->aux[call].calls_callback ? call : call + 1);
		}
	}
	return 0;
}
