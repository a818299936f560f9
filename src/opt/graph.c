/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of a function, and what flows through them.
 *
 * Liveness is one backward sweep and a list of what has to be looked at again; a block is
 * looked at again only when something became alive behind it, so that no order of blocks
 * makes it slow.  A loop is a range of blocks, from its header to the last block that
 * jumps to it or into it: where the range has no other way in, only what is written in it
 * varies there.  The sweep over ranges has a budget; beyond it everything varies, which
 * is always right.
 */
#include <errno.h>

#include "opt/graph.h"

enum { LOOP_SWEEPS = 32 }; /* blocks looked at, for each block of the function */

/* ---- blocks ---- */

static bool is_reached(const struct ir_spec *spec, u32 pc)
{
	return !spec->reached || spec->reached[pc / 8] >> pc % 8 & 1;
}

/* A branch of which the verifier saw only one side has no other. */
static void drop_unreached(const struct graph *g, struct graph_block *b)
{
	bool jump = is_reached(g->spec, g->blocks[b->succ[0]].start),
	     next = is_reached(g->spec, g->blocks[b->succ[1]].start);

	if (jump != next)
		b->succ[jump] = IR_NO_BLOCK;
}

static void find_succ(const struct graph *g, struct graph_block *b)
{
	u32 last = b->end - 1;
	const struct insn *insn = &g->prog->insns[last];

	b->succ[0] = b->succ[1] = IR_NO_BLOCK;
	switch ((int)op_info(g->ops[last])->kind) {
	case KIND_EXIT: return;
	case KIND_JA:
		b->succ[0] = (s32)g->block_of[jump_target(insn, last) - g->start];
		return;
	case KIND_JMP:
	case KIND_MAY_GOTO:
		b->succ[0] = (s32)g->block_of[jump_target(insn, last) - g->start];
		b->succ[1] = (s32)(b - g->blocks) + 1;
		drop_unreached(g, b);
		return;
	default: b->succ[1] = (s32)(b - g->blocks) + 1;
	}
}

static bool find_blocks(struct graph *g, const u8 *marks, struct arena *arena)
{
	u32 n = 0;

	for (u32 pc = g->start; pc < g->end; pc++)
		n += (marks[pc] & MARK_BLOCK) != 0;
	g->blocks = arena_array(arena, n, sizeof(*g->blocks));
	g->block_of = arena_array(arena, g->end - g->start, sizeof(*g->block_of));
	if (!g->blocks || !g->block_of)
		return false;
	for (u32 pc = g->start; pc < g->end; pc++) {
		if (!(marks[pc] & MARK_BLOCK))
			continue;
		if (g->n_blocks)
			g->blocks[g->n_blocks - 1].end = pc;
		g->block_of[pc - g->start] = g->n_blocks;
		g->blocks[g->n_blocks++].start = pc;
	}
	g->blocks[n - 1].end = g->end;
	for (u32 b = 0; b < n; b++)
		find_succ(g, &g->blocks[b]);
	return true;
}

static void reach(struct graph *g, s32 block, u32 *list, u32 *n)
{
	if (block == IR_NO_BLOCK)
		return;
	g->blocks[block].n_preds++;
	if (g->blocks[block].reached)
		return;
	g->blocks[block].reached = true;
	list[(*n)++] = (u32)block;
}

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

/* Blocks that can be reached, and who goes there. */
static bool find_preds(struct graph *g, struct arena *arena)
{
	u32 *list = arena_array(arena, g->n_blocks, sizeof(*list)), n = 1;

	if (!list)
		return false;
	list[0] = 0;
	g->blocks[0].reached = true;
	while (n) {
		const struct graph_block *b = &g->blocks[list[--n]];

		reach(g, b->succ[0], list, &n);
		reach(g, b->succ[1], list, &n);
	}
	g->n_preds = g->blocks[0].n_preds != 0;
	for (u32 b = 0; b < g->n_blocks; b++) {
		g->blocks[b].preds = b ? g->n_preds : 0;
		g->n_preds += g->blocks[b].n_preds;
		g->blocks[b].n_preds = 0;
	}
	g->preds = arena_array(arena, g->n_preds + 1, sizeof(*g->preds));
	if (!g->preds)
		return false;
	for (u32 b = 0; b < g->n_blocks; b++) {
		if (!g->blocks[b].reached)
			continue;
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
			struct graph_effect e =
				graph_effect(g->prog, g->spec->functions, pc);

			b->reads |= e.reads & ~b->writes;
			b->writes |= e.writes;
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
	struct work w = {.list = arena_array(arena, g->n_blocks, sizeof(*w.list)),
			 .listed = arena_alloc(arena, g->n_blocks)};

	if (!w.list || !w.listed)
		return false;
	for (u32 b = g->n_blocks; b-- > 0;)
		if (g->blocks[b].reached && update_live(g, b) && g->blocks[b].header)
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

/* The last block of the loop at `header`; *varies: what is written in it. */
static u32 find_loop(struct graph *g, u32 header, u32 *budget, u64 *varies)
{
	u32 last = g->blocks[header].last_pred;

	for (u32 i = header; i <= last && *budget; i++, --*budget) {
		const struct graph_block *b = &g->blocks[i];

		if (!b->reached)
			continue;
		*varies |= b->writes;
		if (i > header && g->preds[b->preds] < header)
			*varies = UINT64_MAX;
		if (b->header && b->last_pred > last)
			last = b->last_pred;
	}
	if (!*budget)
		*varies = UINT64_MAX;
	return last;
}

static bool find_loops(struct graph *g, struct arena *arena)
{
	u32 budget = g->n_blocks * LOOP_SWEEPS, depth = 0;
	s32 *delta = arena_array(arena, g->n_blocks + 1, sizeof(*delta));

	if (!delta)
		return false;
	for (u32 b = 0; b < g->n_blocks; b++) {
		if (g->blocks[b].reached && g->blocks[b].header) {
			u64 varies = 0;
			u32 last = find_loop(g, b, &budget, &varies);

			g->blocks[b].varies = varies;
			delta[b]++;
			delta[last + 1]--;
		}
		depth += (u32)delta[b];
		g->blocks[b].loop_depth = (u16)(depth < UINT16_MAX ? depth : UINT16_MAX);
	}
	return true;
}

int graph_make(const struct ir_spec *spec, u32 function, struct arena *arena,
	       struct graph *out)
{
	const struct ir_functions *functions = spec->functions;

	*out = (struct graph){.spec = spec,
			      .prog = spec->prog,
			      .ops = functions->ops,
			      .start = functions->entry[function],
			      .end = functions->entry[function + 1],
			      .n_vars = N_REGS};
	if (!find_blocks(out, functions->marks, arena) || !find_preds(out, arena))
		return -ENOMEM;
	find_effects(out);
	if (!find_live(out, arena) || graph_promote(out, arena))
		return -ENOMEM;
	if (out->n_vars > N_REGS && !find_live(out, arena))
		return -ENOMEM;
	return find_loops(out, arena) ? 0 : -ENOMEM;
}
