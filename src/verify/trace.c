/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path to a refusal, with what was known at each step.
 *
 * Copies of a state carry the number of the step they were made in (state->trail).  Where
 * a step finds another number than that of the step before it, a branch was taken up: it
 * goes on from there.  These places are few, and going back over them from the last step
 * gives the path.  The second run looks at the steps of the path only, and notes
 * registers that are not what they were.  Never does: interpret what it notes. More:
 * verify.h (observers); explain.c.
 */
#include "verify/trace.h"

#include <string.h>

#include "base/diag.h"
#include "verify/env.h"

enum { MAX_STEPS = 1 << 15 };

/* Step "at" goes on from step "from"; 0: it starts a function. */
struct jump {
	u32 at, from;
};

/* Steps of the path that follow each other. */
struct stretch {
	u32 first, last;
};

/* ---- first run: which steps ---- */

struct finder {
	u32 n;            /* steps so far; they are numbered from 1 */
	struct vec jumps; /* struct jump */
	bool failed;
};

static void find_step(void *arg, const struct env *env, const struct state *st, u32 pc)
{
	struct finder *f = arg;
	u32 from = st->trail;

	(void)pc;
	env->cur->trail = ++f->n;
	if (from != f->n - 1) {
		struct jump *jump = vec_push(&f->jumps);

		if (jump)
			*jump = (struct jump){f->n, from};
		f->failed |= !jump;
	}
}

/* Backwards from the last step; at most MAX_STEPS. */
static bool find_stretches(const struct finder *f, struct vec *stretches, bool *cut)
{
	u32 last = f->n, left = MAX_STEPS;

	for (size_t i = f->jumps.len + 1; i-- > 0 && last;) {
		static const struct jump begin = {1, 0};
		const struct jump *jump = i ? vec_at(&f->jumps, i - 1) : &begin;
		struct stretch *s;

		if (jump->at > last)
			continue;
		s = vec_push(stretches);
		if (!s)
			return false;
		*s = (struct stretch){jump->at, last};
		*cut = last - jump->at >= left;
		if (*cut) {
			s->first = last - left + 1;
			return true;
		}
		left -= last - jump->at + 1;
		last = jump->from;
	}
	return true;
}

/* ---- second run: what was known ---- */

struct recorder {
	struct trace *trace;
	const struct vec *stretches; /* struct stretch, the last one first */
	size_t left;                 /* stretches that are not over */
	u32 n, last;                 /* steps so far; the last one of all */
	bool failed;
};

static bool is_on_path(struct recorder *r)
{
	const struct stretch *s;

	while (r->left) {
		s = vec_at(r->stretches, r->left - 1);
		if (r->n <= s->last)
			return r->n >= s->first;
		r->left--;
	}
	return false;
}

static bool note_reg(struct recorder *r, u32 frame, u32 no, const struct reg *reg)
{
	struct vec *values = &r->trace->values[frame][no];
	struct trace_value *value;

	if (values->len) {
		value = vec_at(values, values->len - 1);
		if (!memcmp(&value->reg, reg, sizeof(*reg)))
			return true;
	}
	value = vec_push(values);
	if (value)
		*value = (struct trace_value){trace_len(r->trace), *reg};
	return value;
}

static void note_end(struct trace_end *end, const struct state *st)
{
	end->n_refs = st->n_refs;
	memcpy(end->refs, st->refs, st->n_refs * sizeof(end->refs[0]));
	end->speculative = st->speculative;
	end->in_callback = state_frame(st)->in_callback;
	for (u32 f = 0; f <= st->depth; f++) {
		const struct frame *frame = st->frames[f];

		end->subprogs[f] = frame->subprog;
		end->n_slots[f] = frame->n_slots;
		for (u32 i = 0; i < frame->n_slots; i++)
			memcpy(end->slots[f][i], frame->slots[i].type, 8);
	}
}

static void record_step(void *arg, const struct env *env, const struct state *st, u32 pc)
{
	struct recorder *r = arg;
	struct trace_step *step;
	bool good = true;

	(void)env;
	r->n++;
	if (r->failed || !is_on_path(r))
		return;
	for (u32 i = 0; i < N_REGS; i++)
		good &= note_reg(r, st->depth, i, &state_regs(st)[i]);
	step = vec_push(&r->trace->steps);
	r->failed = !step || !good;
	if (r->failed)
		return;
	*step = (struct trace_step){pc, st->depth};
	if (r->n == r->last)
		note_end(&r->trace->end, st);
}

/* ---- both ---- */

/* The same verification once more: does it end as it did? */
static bool repeat(const struct prog *prog, const struct verify_opts *opts,
		   const struct verify_observer *observer,
		   const struct skep_diag *refused)
{
	struct verify_opts again = *opts;
	struct verify_result result;
	struct skep_diag diag = SKEP_DIAG_INIT;

	again.observer = observer;
	verify_prog(prog, &again, &result, &diag);
	verify_result_fini(&result);
	return diag.id == refused->id && diag.insn == refused->insn;
}

static bool record(const struct prog *prog, const struct verify_opts *opts,
		   const struct skep_diag *refused, struct recorder *r)
{
	struct verify_observer observer = {.arg = r, .step = record_step};

	return repeat(prog, opts, &observer, refused) && !r->failed &&
	       trace_len(r->trace);
}

bool trace_take(const struct prog *prog, const struct verify_opts *opts,
		const struct skep_diag *refused, struct trace *trace)
{
	struct finder finder = {.jumps = VEC_INIT(struct jump)};
	struct verify_observer observer = {.arg = &finder, .step = find_step};
	struct vec stretches = VEC_INIT(struct stretch);
	struct recorder r = {.trace = trace, .stretches = &stretches};
	bool good;

	*trace = (struct trace){.steps = VEC_INIT(struct trace_step)};
	for (u32 i = 0; i < FRAMES * N_REGS; i++)
		trace->values[i / N_REGS][i % N_REGS] =
			(struct vec)VEC_INIT(struct trace_value);
	good = repeat(prog, opts, &observer, refused) && !finder.failed && finder.n &&
	       find_stretches(&finder, &stretches, &trace->cut);
	r.left = stretches.len;
	r.last = finder.n;
	good = good && record(prog, opts, refused, &r);
	vec_fini(&finder.jumps);
	vec_fini(&stretches);
	return good;
}

void trace_fini(struct trace *trace)
{
	vec_fini(&trace->steps);
	for (u32 i = 0; i < FRAMES * N_REGS; i++)
		vec_fini(&trace->values[i / N_REGS][i % N_REGS]);
}

const struct reg *trace_reg(const struct trace *trace, u32 step, u32 frame, u32 no)
{
	const struct vec *values = &trace->values[frame][no];
	const struct trace_value *value;
	size_t lo = 0, hi = values->len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		value = vec_at(values, mid);
		if (value->step <= step)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	value = vec_at(values, lo - 1);
	return &value->reg;
}
