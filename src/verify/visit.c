/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Was an equal state at this instruction before?  Kept states, when one is kept and when
 * it is given up, and how loops end.
 *
 * A state whose paths were all explored covers every state that it admits.  One that is
 * on the path under way proves nothing yet, but where iterators, callbacks and may_goto
 * bound a loop, reaching it again means that the loop converged; anywhere else, that it
 * never ends.  Marks of precision in a loop are complete only when all of its paths are:
 * loops.c says how states in it are compared until then.  Never does: look at what
 * instructions compute. More: "Pruning" in Documentation/bpf/verifier.rst; explore.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "verify/compact.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/keep.h"
#include "verify/liveness.h"

/* When states are kept and given up; the verdict depends on these for large programs. */
enum {
	KEEP_JUMPS = 2,  /* since the last kept state: jumps */
	KEEP_INSNS = 8,  /* and instructions */
	LOOP_JUMPS = 20, /* the same inside a loop: either */
	LOOP_INSNS = 100,
	MAX_HISTORY = 40,
	PATIENCE = 3,             /* misses a hit and one more, until it is given up */
	PATIENCE_LOOP = 64,       /* where loops must converge */
	UNPRIVILEGED_STATES = 64, /* an instruction */
};

static void count_peak(struct env *env)
{
	const struct explorer *ex = env->explorer;
	u32 n = ex->n_kept + ex->n_evicted + ex->n_back_edges;

	if (n > env->stats.peak_states)
		env->stats.peak_states = n;
}

/* ---- kept states ---- */

static struct state **kept_list(const struct env *env, u32 pc)
{
	u32 key = pc ^ state_frame(env->cur)->callsite;

	return &env->explorer->kept[key % env->n_insns];
}

static void unlink_state(struct state **link)
{
	struct state *st = *link;

	*link = st->next;
	if (st->next && st->next->evicted)
		st->next->evicted = link;
}

/* Paths that are under way, and edges back, may still need it. */
static void drop_evicted(struct env *env, struct state *st)
{
	if (!st->evicted || st->branches || loop_needs(st))
		return;
	unlink_state(st->evicted);
	env->explorer->n_evicted--;
	state_drop(env, st);
}

static void evict(struct env *env, struct state **link)
{
	struct explorer *ex = env->explorer;
	struct state *st = *link;

	*link = st->next;
	st->next = ex->evicted;
	if (st->next)
		st->next->evicted = &st->next;
	st->evicted = &ex->evicted;
	ex->evicted = st;
	ex->n_kept--;
	ex->n_evicted++;
	drop_evicted(env, st);
}

int visit_end(struct env *env)
{
	struct state *st = env->cur->parent;

	while (st) {
		struct state *parent = st->parent;
		int err;

		assert(st->branches);
		if (--st->branches)
			break;
		err = loop_close(env, st);
		if (err || st->branches)
			return err;
		drop_evicted(env, st);
		st = parent;
	}
	return 0;
}

static void drop_list(struct env *env, struct state **list)
{
	while (*list) {
		struct state *st = *list;

		*list = st->next;
		state_drop(env, st);
	}
}

void visit_fini(struct env *env)
{
	struct explorer *ex = env->explorer;

	loops_fini(env);
	for (u32 i = 0; i < env->n_insns && ex->kept; i++)
		drop_list(env, &ex->kept[i]);
	drop_list(env, &ex->evicted);
	ex->n_kept = ex->n_evicted = 0;
}

const struct state *visit_find_entry(struct env *env, const struct state *st, u32 pc)
{
	for (const struct state *old = *kept_list(env, pc); old; old = old->next)
		if (old->pc == pc && old->branches && old->dfs_depth < st->dfs_depth &&
		    same_callsites(old, st))
			return state_whole(env, old);
	return NULL;
}

/* States that look the same have the same: most others are told apart by it. */
static u32 looks_of(const struct state *st)
{
	static const u64 odd[R10] = {
		0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
		0xd6e8feb86659fd93, 0xa0761d6478bd642f, 0xe7037ed1a0b428db,
		0x8ebc6af09c88c6e3, 0x589965cc75374cc3, 0x1d8e4e27c47d124f,
		0xeb44accab455d165,
	};
	const struct reg *regs = state_regs(st);
	u64 h = st->depth;

	for (u32 i = 0; i < R10; i++) {
		const struct reg *r = &regs[i];

		h += (r->var.bits.value + (r->var.umax << 1) + (u64)(u32)r->off) * odd[i];
	}
	return (u32)(h >> 32);
}

static bool keep_anyway(const struct env *env)
{
	return env->test_state_freq || env->aux[env->pc].force_checkpoint ||
	       history_len(env->cur->history) > MAX_HISTORY;
}

static bool keep_soon(const struct env *env, u32 jumps, u32 insns)
{
	const struct explorer *ex = env->explorer;

	return ex->jumps - ex->kept_jumps >= jumps &&
	       env->stats.insns_processed - ex->kept_insns >= insns;
}

static bool keep_in_loop(const struct env *env)
{
	return keep_soon(env, LOOP_JUMPS, 0) || keep_soon(env, 0, LOOP_INSNS);
}

static struct state *keep_copy(struct env *env)
{
	struct state *st = state_keep(env, env->cur), *small;

	if (!st || !keep_small(env))
		return st;
	small = state_compact(env, st);
	if (!small)
		state_drop(env, st);
	return small;
}

/* The paths from here on are those of the new state. */
static int keep(struct env *env)
{
	struct explorer *ex = env->explorer;
	struct state *cur = env->cur, *st, **list = kept_list(env, env->pc);

	st = keep_copy(env);
	if (!st)
		return -ENOMEM;
	if (loop_open(env, st)) {
		state_drop(env, st);
		return -ENOMEM;
	}
	st->branches = 1;
	st->looks = looks_of(cur);
	st->next = *list;
	*list = st;
	env->stats.states++;
	ex->n_kept++;
	count_peak(env);
	ex->kept_jumps = ex->jumps;
	ex->kept_insns = env->stats.insns_processed;
	cur->parent = st;
	cur->first_pc = env->pc;
	cur->dfs_depth = st->dfs_depth + 1;
	history_put(env, cur->history);
	cur->history = NULL;
	return 0;
}

/* ---- comparing ---- */

/* Only ids tell them apart, if anything: worth a thorough look. */
static bool looks_same(const struct state *old, const struct state *now)
{
	const struct reg *a, *b;

	if (old->depth != now->depth)
		return false;
	a = state_regs(old);
	b = state_regs(now);
	for (u32 i = 0; i < N_REGS; i++)
		if (a[i].kind != b[i].kind || a[i].flags != b[i].flags ||
		    a[i].off != b[i].off || a[i].id != b[i].id ||
		    a[i].raw[0] != b[i].raw[0] || a[i].raw[1] != b[i].raw[1] ||
		    a[i].ref_id != b[i].ref_id || a[i].ends_with != b[i].ends_with ||
		    memcmp(&a[i].var, &b[i].var, sizeof(a[i].var)))
			return false;
	return true;
}

/* Another iteration of some iterator's loop: its next call decides whether that ends. */
static bool iterations_differ(const struct state *old, const struct state *now)
{
	for (u32 f = 0; f <= old->depth; f++) {
		const struct frame *a = old->frames[f], *b = now->frames[f];

		for (u32 i = 0; i < a->n_slots && i < b->n_slots; i++)
			if (a->slots[i].type[0] == SLOT_ITER &&
			    a->slots[i].spilled.iter_state == ITER_ACTIVE &&
			    a->slots[i].spilled.iter_depth !=
				    b->slots[i].spilled.iter_depth)
				return true;
	}
	return false;
}

static bool never_ends(struct env *env, const struct state *old)
{
	const struct state *cur = env->cur;
	enum exactness exact = env->rules->rounds_exact ? EXACT : NOT_EXACT;

	return looks_same(old, cur) && state_covered(env, old, cur, exact) &&
	       !iterations_differ(old, cur) &&
	       old->may_goto_depth == cur->may_goto_depth &&
	       old->callback_unroll_depth == cur->callback_unroll_depth;
}

/* Of the iterator that R1 points to; a drained one gives no more elements. */
static bool iterator_is_active(const struct state *st)
{
	const struct reg *ptr = &state_regs(st)[R1];
	s64 off = ptr->off + (s64)ptr->var.bits.value;
	const struct frame *frame;

	if (ptr->kind != PTR_TO_STACK || ptr->frame > st->depth || off < -STACK_BYTES ||
	    off >= 0)
		return false;
	frame = st->frames[ptr->frame];
	return slot_of((s32)off) < frame->n_slots &&
	       frame->slots[slot_of((s32)off)].spilled.iter_state == ITER_ACTIVE;
}

enum found { MISSED, COVERED, ASSUMED, CONVERGED };

/* Where nothing else ends loops, only a state that looks the same matters. */
static bool looks_matter(const struct insn_aux *aux)
{
	return !aux->iter_next && aux->op != OP_MAY_GOTO && !aux->calls_callback;
}

/* A state on the path under way. */
static int compare_open(struct env *env, const struct state *old, enum found *found)
{
	const struct insn_aux *aux = &env->aux[env->pc];
	const struct frame *frame = state_frame(old);
	const struct state *cur = env->cur;

	*found = MISSED;
	/* Entered once more, not looped. */
	if (frame->in_async_callback &&
	    frame->async_entries != state_frame(cur)->async_entries)
		return 0;
	if (aux->iter_next) {
		if (state_covered(env, old, cur, RANGE_WITHIN) && iterator_is_active(cur))
			*found = CONVERGED;
		return 0;
	}
	if (aux->op == OP_MAY_GOTO && old->may_goto_depth != cur->may_goto_depth &&
	    state_covered(env, old, cur, RANGE_WITHIN)) {
		*found = CONVERGED;
		return 0;
	}
	if (aux->calls_callback) {
		if (state_covered(env, old, cur, RANGE_WITHIN))
			*found = CONVERGED;
		return 0;
	}
	if (never_ends(env, old))
		return reject(env, INFINITE_LOOP);
	return 0;
}

static void clean(struct env *env, struct state *old)
{
	struct state *all = old->small ? state_open(env, old, OPENED_SEEN) : old;

	state_clean(env, all);
	old->cleaned = true;
	if (old->small)
		state_close(env, old, all);
}

/* Of most small states the registers tell that it does not; of most others, the register
 * that told so last time. */
static bool covers(struct env *env, struct state *old, enum exactness exact)
{
	const struct state *cur = env->cur;

	if (old->small ? !state_covered(env, state_open_regs(env, old), cur, exact)
		       : state_differs(env, old, cur, exact))
		return false;
	if (state_covered(env, state_whole(env, old), cur, exact))
		return true;
	old->differs = env->explorer->differs;
	return false;
}

/* A state from which everything was explored. */
static enum found compare_closed(struct env *env, struct state *old)
{
	enum marks_known known = marks_known(env, old);

	if (!same_callsites(old, env->cur))
		return MISSED;
	if (!old->cleaned && known == MARKS_KNOWN)
		clean(env, old);
	if (!covers(env, old, known == MARKS_MISSING ? RANGE_WITHIN : NOT_EXACT))
		return MISSED;
	switch (known) {
	case MARKS_KNOWN: return COVERED;
	case MARKS_ASSUMED: return ASSUMED;
	case MARKS_MISSING: break;
	}
	return CONVERGED;
}

/* What mattered from the old state on matters on the way here, too. */
static int end_covered(struct env *env, struct state *old, enum found found)
{
	bool changed = false;

	old->hits++;
	if (env->aux[env->pc].jump_point && !history_note(env))
		return -ENOMEM;
	precision_propagate(env, old, env->cur, &changed);
	if (found != COVERED && loop_add_edge(env, old, found == ASSUMED))
		return -ENOMEM;
	if (found != COVERED)
		count_peak(env);
	return 1;
}

static bool is_useless(const struct insn_aux *aux, const struct state *st)
{
	bool loops = aux->force_checkpoint && st->branches;
	u32 patience = loops ? PATIENCE_LOOP : PATIENCE;

	return st->misses > (st->hits + 1) * patience;
}

int visit(struct env *env)
{
	const struct insn_aux *aux = &env->aux[env->pc];
	struct state **link = kept_list(env, env->pc);
	bool anyway = keep_anyway(env), often = anyway || keep_in_loop(env);
	bool add = anyway || keep_soon(env, KEEP_JUMPS, KEEP_INSNS);
	bool by_looks = looks_matter(aux);
	u32 n = 0, looks = *link && by_looks ? looks_of(env->cur) : 0;

	while (*link) {
		struct state *old = *link;
		enum found found = MISSED;
		int err = 0;

		n++;
		if (old->pc != env->pc) {
			link = &old->next;
			continue;
		}
		if (!old->branches)
			found = compare_closed(env, old);
		else if (!by_looks || old->looks == looks)
			err = compare_open(env, state_whole(env, old), &found);
		if (err)
			return err;
		if (found != MISSED)
			return end_covered(env, old, found);
		if (old->branches && !often)
			add = false;
		old->misses += add;
		if (is_useless(aux, old))
			evict(env, link);
		else
			link = &old->next;
	}
	if (!add || (!env->privileged && n > UNPRIVILEGED_STATES))
		return 0;
	return keep(env);
}
