/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of a function, and what flows through them.
 *
 * Liveness is one backward sweep and a list of what has to be looked at again; a block is
 * looked at again only when something became alive behind it, so that no order of blocks
 * makes it slow.  What is written in a loop varies at its header, and nothing else, if
 * the header is the only way in.  Finding loops has a budget; beyond it everything
 * varies, which is always right.
 */
#include <errno.h>

#include "opt/graph.h"
#include "verify/verify.h"

enum { LOOP_STEPS = 32 }; /* blocks looked at, for each block of the function */

/* ---- blocks ---- */

/* While they are found: as they stand in the program. */
struct finder {
	struct graph *g;
	struct graph_block *blocks;
	u32 n_blocks;
	u32 *block_of; /* by instruction from start, where a block starts */
	u32 *ways_in;  /* by block: how often others lead there */
	u32 *number;   /* by block: in reverse postorder, plus one; 0: not reached */
};

/* A jump that the verifier saw go one way only has one successor. */
static void drop_unseen(struct graph_block *b, u8 ways)
{
	if (ways == VERIFY_WENT_ON)
		b->succ[0] = IR_NO_BLOCK;
	else if (ways == VERIFY_JUMPED)
		b->succ[1] = IR_NO_BLOCK;
}

static void find_succ(const struct finder *f, struct graph_block *b)
{
	const struct graph *g = f->g;
	u32 last = b->end - 1;
	const struct insn *insn = &g->prog->insns[last];
	u8 kind = op_infos[g->ops[last]].kind;

	b->succ[0] = b->succ[1] = IR_NO_BLOCK;
	if (kind == KIND_JA || kind == KIND_JMP || kind == KIND_MAY_GOTO)
		b->succ[0] = (s32)f->block_of[jump_target(insn, last) - g->start];
	if (kind != KIND_JA && kind != KIND_EXIT)
		b->succ[1] = (s32)(b - f->blocks) + 1;
	if (kind == KIND_JMP && g->spec->ways)
		drop_unseen(b, g->spec->ways[last]);
}

static void count_ways_in(const struct finder *f)
{
	for (u32 b = 0; b < f->n_blocks; b++)
		for (u32 way = 0; way < 2; way++)
			if (f->blocks[b].succ[way] != IR_NO_BLOCK)
				f->ways_in[f->blocks[b].succ[way]]++;
}

/* Where one way of a branch is but a jump, as at the end of loops that clang leaves in
 * the middle, it leads where that goes: the branch is what jumps back.  Not where others
 * come by as well: of several jumps back each would look at the time. */
static void skip_jumps(const struct finder *f, struct graph_block *b)
{
	for (u32 way = 0; way < 2; way++) {
		s32 to = b->succ[way], other = b->succ[!way];
		u8 op;

		if (to == IR_NO_BLOCK || other == IR_NO_BLOCK)
			return;
		op = f->g->ops[f->blocks[to].start];
		if ((op == OP_JA || op == OP_JA32) && f->ways_in[to] == 1 &&
		    f->blocks[to].succ[0] != other)
			b->succ[way] = f->blocks[to].succ[0];
	}
}

static bool find_blocks(struct finder *f, const u8 *marks, struct arena *arena)
{
	const struct graph *g = f->g;
	u32 n = 0;

	for (u32 pc = g->start; pc < g->end; pc++)
		n += (marks[pc] & MARK_BLOCK) != 0;
	f->blocks = arena_array(arena, n, sizeof(*f->blocks));
	f->block_of = arena_array(arena, g->end - g->start, sizeof(*f->block_of));
	f->ways_in = arena_array(arena, n, sizeof(*f->ways_in));
	if (!f->blocks || !f->block_of || !f->ways_in)
		return false;
	for (u32 pc = g->start; pc < g->end; pc++) {
		if (!(marks[pc] & MARK_BLOCK))
			continue;
		if (f->n_blocks)
			f->blocks[f->n_blocks - 1].end = pc;
		f->block_of[pc - g->start] = f->n_blocks;
		f->blocks[f->n_blocks++].start = pc;
	}
	f->blocks[n - 1].end = g->end;
	for (u32 b = 0; b < n; b++)
		find_succ(f, &f->blocks[b]);
	count_ways_in(f);
	for (u32 b = 0; b < n; b++)
		skip_jumps(f, &f->blocks[b]);
	return true;
}

/* Depth first, where a jump goes before what follows: so what follows is numbered right
 * behind.  Returns how many are reached; *list: them, the last first. */
static u32 walk(struct finder *f, u32 *list, u8 *state)
{
	u32 n = 0, depth = 1, *stack = list + f->n_blocks;

	stack[0] = 0;
	f->number[0] = 1;
	while (depth) {
		u32 b = stack[depth - 1];
		s32 succ;

		if (state[b] == 2) {
			list[n++] = b;
			depth--;
			continue;
		}
		succ = f->blocks[b].succ[state[b]++];
		if (succ == IR_NO_BLOCK || f->number[succ])
			continue;
		f->number[succ] = 1;
		stack[depth++] = (u32)succ;
	}
	return n;
}

static bool number_blocks(struct finder *f, struct arena *arena)
{
	struct graph *g = f->g;
	u32 *list = arena_raw(arena, 2 * (size_t)f->n_blocks, sizeof(*list)), at = 0;
	u8 *state = arena_alloc(arena, f->n_blocks);

	f->number = arena_array(arena, f->n_blocks, sizeof(*f->number));
	if (!list || !state || !f->number)
		return false;
	g->n_blocks = walk(f, list, state);
	g->blocks = arena_raw(arena, g->n_blocks, sizeof(*g->blocks));
	g->placed = arena_raw(arena, g->n_blocks, sizeof(*g->placed));
	if (!g->blocks || !g->placed)
		return false;
	for (u32 i = 0; i < g->n_blocks; i++) {
		u32 b = list[g->n_blocks - 1 - i];

		g->blocks[i] = f->blocks[b];
		f->number[b] = i + 1;
	}
	for (u32 b = 0; b < f->n_blocks; b++) {
		if (!f->number[b])
			continue;
		g->moved |= f->number[b] != at + 1;
		g->placed[at++] = f->number[b] - 1;
	}
	return true;
}

/* ---- edges ---- */

static void add_pred(struct graph *g, s32 block, u32 pred)
{
	struct graph_block *b = &g->blocks[block];

	if (block == IR_NO_BLOCK)
		return;
	g->preds[b->preds + b->n_preds++] = pred;
	b->last_pred = pred;
	if (pred >= (u32)block)
		b->header = true;
}

static void number_succ(const struct finder *f, s32 *succ)
{
	if (*succ == IR_NO_BLOCK)
		return;
	*succ = (s32)f->number[*succ] - 1;
	f->g->blocks[*succ].n_preds++;
}

static bool find_preds(const struct finder *f, struct arena *arena)
{
	struct graph *g = f->g;

	for (u32 b = 0; b < g->n_blocks; b++) {
		number_succ(f, &g->blocks[b].succ[0]);
		number_succ(f, &g->blocks[b].succ[1]);
	}
	g->n_preds = g->blocks[0].n_preds != 0;
	for (u32 b = 0; b < g->n_blocks; b++) {
		g->blocks[b].preds = b ? g->n_preds : 0;
		g->n_preds += g->blocks[b].n_preds;
		g->blocks[b].n_preds = 0;
	}
	g->preds = arena_raw(arena, g->n_preds + 1, sizeof(*g->preds));
	if (!g->preds)
		return false;
	for (u32 b = 0; b < g->n_blocks; b++) {
		add_pred(g, g->blocks[b].succ[0], b);
		add_pred(g, g->blocks[b].succ[1], b);
	}
	return true;
}

/* ---- what is alive ---- */

static void find_effects(struct graph *g)
{
	for (u32 i = 0; i < g->n_blocks; i++) {
		struct graph_block *b = &g->blocks[i];

		for (u32 pc = b->start; pc < b->end; pc++) {
			u32 e = g->spec->functions->effects[pc];

			b->reads |= effect_reads(e) & ~b->writes;
			b->writes |= effect_writes(e);
		}
	}
}

static u64 live_behind(const struct graph *g, const struct graph_block *b)
{
	u64 live = 0;

	for (u32 i = 0; i < 2; i++)
		if (b->succ[i] != IR_NO_BLOCK)
			live |= g->blocks[b->succ[i]].live;
	return live;
}

struct work {
	u32 *list;
	bool *listed;
	u32 n;
};

/* The predecessors of `block` from number `from` on have to be looked at again. */
static void list_preds(const struct graph *g, u32 block, u32 from, struct work *w)
{
	const struct graph_block *b = &g->blocks[block];

	for (u32 i = 0; i < b->n_preds; i++) {
		u32 pred = g->preds[b->preds + i];

		if (pred < from || w->listed[pred])
			continue;
		w->listed[pred] = true;
		w->list[w->n++] = pred;
	}
}

static bool update_live(struct graph *g, u32 block)
{
	struct graph_block *b = &g->blocks[block];
	u64 live = b->reads | (live_behind(g, b) & ~b->writes);
	bool changed = live != b->live;

	b->live = live;
	return changed;
}

static bool find_live(struct graph *g, struct arena *arena)
{
	struct work w = {.list = arena_raw(arena, g->n_blocks, sizeof(*w.list)),
			 .listed = arena_alloc(arena, g->n_blocks)};

	if (!w.list || !w.listed)
		return false;
	for (u32 b = g->n_blocks; b-- > 0;)
		if (update_live(g, b) && g->blocks[b].header)
			list_preds(g, b, b, &w);
	while (w.n) {
		u32 b = w.list[--w.n];

		w.listed[b] = false;
		if (update_live(g, b))
			list_preds(g, b, 0, &w);
	}
	return true;
}

/* ---- loops ---- */

struct loops {
	u32 *list;
	u32 *seen; /* by block: the last header whose loop it was found in, plus one */
	u32 budget;
};

static bool join_loop(struct graph *g, u32 header, u32 block, struct loops *l)
{
	u32 *n = &l->list[0];

	if (block == header || l->seen[block] == header + 1)
		return true;
	if (block < header || !l->budget)
		return false;
	l->budget--;
	l->seen[block] = header + 1;
	l->list[++*n] = block;
	if (g->blocks[block].loop_depth < UINT16_MAX)
		g->blocks[block].loop_depth++;
	return true;
}

/* The blocks from which one comes back to the header without passing it: backwards from
 * those that jump there.  false: there is another way in, or it is too much work. */
static bool find_loop(struct graph *g, u32 header, struct loops *l)
{
	struct graph_block *h = &g->blocks[header];

	l->list[0] = 0;
	h->varies = h->writes;
	h->loop_depth++;
	for (u32 i = 0; i < h->n_preds; i++)
		if (g->preds[h->preds + i] >= header &&
		    !join_loop(g, header, g->preds[h->preds + i], l))
			return false;
	while (l->list[0]) {
		const struct graph_block *b = &g->blocks[l->list[l->list[0]--]];

		h->varies |= b->writes;
		for (u32 i = 0; i < b->n_preds; i++)
			if (!join_loop(g, header, g->preds[b->preds + i], l))
				return false;
	}
	return true;
}

static bool find_loops(struct graph *g, struct arena *arena)
{
	struct loops l = {
		.list = arena_raw(arena, g->n_blocks + 1, sizeof(*l.list)),
		.seen = arena_array(arena, g->n_blocks, sizeof(*l.seen)),
		.budget = g->n_blocks * LOOP_STEPS,
	};

	if (!l.list || !l.seen)
		return false;
	for (u32 b = 0; b < g->n_blocks; b++)
		if (g->blocks[b].header && !find_loop(g, b, &l))
			g->blocks[b].varies = UINT64_MAX;
	return true;
}

int graph_make(const struct ir_spec *spec, u32 function, struct arena *arena,
	       struct graph *out)
{
	const struct ir_functions *functions = spec->functions;
	struct finder f = {.g = out};

	*out = (struct graph){.spec = spec,
			      .prog = spec->prog,
			      .ops = functions->ops,
			      .start = functions->entry[function],
			      .end = functions->entry[function + 1],
			      .n_vars = GRAPH_FIRST_SLOT};
	if (!find_blocks(&f, functions->marks, arena) || !number_blocks(&f, arena) ||
	    !find_preds(&f, arena))
		return -ENOMEM;
	find_effects(out);
	if (!find_live(out, arena) || graph_promote(out, arena))
		return -ENOMEM;
	if (out->n_vars > GRAPH_FIRST_SLOT && !find_live(out, arena))
		return -ENOMEM;
	return find_loops(out, arena) ? 0 : -ENOMEM;
}
