/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the work of a verification went: functions, loops, branches and lines, the most
 * expensive ones first.
 *
 * A loop is what lies between a jump back and its target: good enough to name it.  How
 * often each instruction was looked at is in the result.  Never does: count.
 */
#include <string.h>

#include "verify/env.h"
#include "verify/listing.h"
#include "verify/story.h"

struct span {
	u32 first, last; /* instructions */
	u64 work;
};

enum { SPANS = 3 };

/* The most expensive ones so far. */
struct top {
	struct span spans[SPANS];
	u32 n;
};

static u64 work_of(const struct teller *t, u32 first, u32 last)
{
	return t->work_before[last + 1] - t->work_before[first];
}

static void insert(struct top *top, const struct span *span)
{
	u32 at = top->n;

	while (at && top->spans[at - 1].work < span->work)
		at--;
	if (at == SPANS || !span->work)
		return;
	if (top->n < SPANS)
		top->n++;
	memmove(&top->spans[at + 1], &top->spans[at],
		(top->n - at - 1) * sizeof(top->spans[0]));
	top->spans[at] = *span;
}

/* ---- lines of the story ---- */

static void put_place(struct text *out, const struct prog *prog, const struct span *span)
{
	const struct line_info *a = prog_line(prog, span->first);
	const struct line_info *b = prog_line(prog, span->last);

	text_printf(out, "instruction%s %u", span->first == span->last ? "" : "s",
		    span->first);
	if (span->last != span->first)
		text_printf(out, " to %u", span->last);
	if (a && a->line && b)
		text_printf(out, " (%s:%u", listing_file(prog, span->first), a->line);
	if (a && a->line && b && b->line > a->line)
		text_printf(out, " to %u", b->line);
	if (a && a->line && b)
		text_puts(out, ")");
}

static void put_work(struct text *out, const struct teller *t, u64 work)
{
	u64 all = t->what->result->stats.insns_processed;

	text_printf(out, ": %llu %% of all work",
		    (unsigned long long)(all ? work * 100 / all : 0));
}

/* ---- functions ---- */

static void tell_functions(struct teller *t)
{
	const struct prog *prog = t->what->prog;
	struct top top = {0};
	struct text out = TEXT_INIT;

	for (u32 i = 0; i < prog->n_subprogs; i++) {
		const struct subprog *sub = &prog->subprogs[i];
		struct span span = {sub->start, sub->start + sub->n_insns - 1, 0};

		if (!sub->n_insns)
			continue;
		span.work = work_of(t, span.first, span.last);
		insert(&top, &span);
	}
	for (u32 i = 0; i < top.n && prog->n_subprogs > 1; i++) {
		text_printf(&out, "function %s",
			    listing_function(prog, top.spans[i].first));
		put_work(&out, t, top.spans[i].work);
		story_line(t->story, &out);
	}
	text_fini(&out);
}

/* ---- loops ---- */

static bool jumps_back(const struct prog *prog, u32 pc, u32 *target)
{
	const struct insn *insn = &prog->insns[pc];
	u8 kind = op_info(decode(insn))->kind;
	s64 to;

	if (kind != KIND_JMP && kind != KIND_JA && kind != KIND_MAY_GOTO)
		return false;
	to = jump_target(insn, pc);
	*target = (u32)to;
	return to >= 0 && to <= pc;
}

/* [target]: the last jump back to it, + 1; NULL: no memory. */
static u32 *loop_ends(struct teller *t)
{
	const struct prog *prog = t->what->prog;
	u32 *ends = arena_array(&t->story->arena, prog->n_insns, sizeof(*ends)), target;

	for (u32 pc = 0; ends && pc < prog->n_insns; pc++) {
		if (jumps_back(prog, pc, &target))
			ends[target] = pc + 1;
	}
	return ends;
}

/* One that more than half of the work went to is what must be mended. */
static void tell_remedy(struct teller *t, const struct span *span)
{
	struct text out = TEXT_INIT;

	if (span->work * 2 < t->what->result->stats.insns_processed)
		return;
	text_puts(&out, "bound the loop at ");
	put_place(&out, t->what->prog, span);
	text_puts(&out, " by a small constant, do less in it on different paths, or use "
			"bpf_for() or bpf_loop(), whose body is looked at few times");
	t->story->advice = story_keep(t->story, &out);
	text_fini(&out);
}

static void tell_loops(struct teller *t)
{
	const struct prog *prog = t->what->prog;
	const u32 *work = t->what->result->work, *ends = loop_ends(t);
	struct top top = {0};
	struct text out = TEXT_INIT;

	for (u32 pc = 0; ends && pc < prog->n_insns; pc++) {
		struct span span = {pc, ends[pc] - 1, 0};

		if (!ends[pc])
			continue;
		span.work = work_of(t, span.first, span.last);
		insert(&top, &span);
	}
	for (u32 i = 0; i < top.n; i++) {
		text_puts(&out, "loop, ");
		put_place(&out, prog, &top.spans[i]);
		put_work(&out, t, top.spans[i].work);
		text_printf(&out, "; begun %u times", work[top.spans[i].first]);
		story_line(t->story, &out);
	}
	if (top.n)
		tell_remedy(t, &top.spans[0]);
	text_fini(&out);
}

/* ---- branches ---- */

static void tell_branches(struct teller *t)
{
	const struct prog *prog = t->what->prog;
	struct top top = {0};
	struct text out = TEXT_INIT;

	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		struct span span = {pc, pc, t->what->result->work[pc]};

		if (op_info(decode(&prog->insns[pc]))->kind == KIND_JMP)
			insert(&top, &span);
	}
	for (u32 i = 0; i < top.n; i++) {
		struct span *span = &top.spans[i];

		/* Those that are looked at a few times are not what it is about. */
		if (span->work * 100 < t->what->result->stats.insns_processed)
			break;
		text_puts(&out, "branch, ");
		put_place(&out, prog, span);
		text_printf(&out,
			    ": looked at %llu times: ", (unsigned long long)span->work);
		listing_insn_absolute(&out, prog, span->first);
		story_line(t->story, &out);
	}
	text_fini(&out);
}

/* Of spans of instructions, however many are asked for. */
static bool sum_work(struct teller *t)
{
	const struct verify_result *result = t->what->result;
	u64 *sums = arena_array(&t->story->arena, result->n_work + 1ull, sizeof(*sums));

	for (u32 i = 0; sums && i < result->n_work; i++)
		sums[i + 1] = sums[i] + result->work[i];
	t->work_before = sums;
	return sums;
}

void tell_work_places(struct teller *t)
{
	if (!t->what->result->work || t->what->result->n_work < t->what->prog->n_insns ||
	    !sum_work(t))
		return;
	tell_functions(t);
	tell_loops(t);
	tell_branches(t);
}

/* ---- stack ---- */

/* How much each function uses, as seen when a path ended last. */
struct depths {
	u32 *bytes; /* in the story's arena */
	u32 n;
};

static void note_depths(void *arg, const struct env *env, u32 pc, bool pruned)
{
	struct depths *d = arg;

	(void)pc;
	(void)pruned;
	for (u32 i = 0; i < env->n_subs && i < d->n; i++)
		d->bytes[i] = env->subs[i].stack_depth;
}

static void tell_depths(struct teller *t, const struct depths *d)
{
	const struct prog *prog = t->what->prog;
	struct top top = {0};
	struct text out = TEXT_INIT;

	for (u32 i = 0; i < d->n; i++) {
		const struct subprog *sub = &prog->subprogs[i];
		struct span span = {sub->start, sub->start, d->bytes[i]};

		insert(&top, &span);
	}
	for (u32 i = 0; i < top.n; i++) {
		text_printf(&out, "%llu bytes: ", (unsigned long long)top.spans[i].work);
		text_printf(&out, "%s, ", listing_function(prog, top.spans[i].first));
		put_place(&out, prog, &top.spans[i]);
		story_line(t->story, &out);
	}
	text_fini(&out);
}

void tell_stack_use(struct teller *t)
{
	const struct explanation *what = t->what;
	struct depths d = {.n = what->prog->n_subprogs};
	struct verify_observer observer = {.arg = &d, .end = note_depths};
	struct verify_opts again = *what->opts;
	struct verify_result result;
	struct skep_diag diag = SKEP_DIAG_INIT;

	d.bytes = arena_array(&t->story->arena, d.n, sizeof(*d.bytes));
	if (!d.bytes || !d.n)
		return;
	again.observer = &observer;
	verify_prog(what->prog, &again, &result, &diag);
	verify_result_fini(&result);
	tell_depths(t, &d);
}
