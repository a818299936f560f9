/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exploration as text.
 *
 * What an instruction changed is known when the next one of the same path is looked at,
 * so a line is ended by the step after it: by comparing the state with a copy of the one
 * before.  Where only the way to the refusal is wanted, a branch that is taken up cuts
 * the text back to where it left the path: copies of a state carry the number of the step
 * they were made in (state->trail).  Never does: change what is watched.  More: print.h;
 * docs/verifier.md.
 */
#include "verify/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "verify/listing.h"
#include "verify/print.h"

enum {
	MAX_LOG = 64 << 20, /* bytes */
	RESULT_COLUMN = 44, /* of what an instruction changed */
};

struct logged {
	bool open;    /* the line of an instruction waits for its end */
	bool follows; /* the next step goes on from the last one */
	bool full;
	u32 line;        /* of the source, shown before */
	u32 n;           /* steps so far; they are numbered from 1 */
	struct vec ends; /* u32, [step]: where its text ended */
	u32 depth, n_slots;
	struct reg regs[N_REGS];
	struct slot slots[STACK_SLOTS];
};

static void end_line(struct verify_log *log)
{
	struct logged *l = log->logged;
	u32 *end;

	if (l->open)
		text_puts(log->out, "\n");
	l->open = false;
	if (log->level > 1 || l->ends.len > l->n)
		return;
	end = vec_push(&l->ends);
	if (end)
		*end = (u32)log->out->len;
}

/* Back to where the branch left its path. */
static void forget_path(struct verify_log *log, u32 from)
{
	struct logged *l = log->logged;
	const u32 *end = from < l->ends.len ? vec_at(&l->ends, from) : NULL;

	if (end)
		text_cut(log->out, *end);
	l->line = 0;
}

/* ---- what changed ---- */

static void remember(struct logged *l, const struct state *st)
{
	const struct frame *frame = state_frame(st);

	l->depth = st->depth;
	l->n_slots = frame->n_slots;
	memcpy(l->regs, frame->regs, sizeof(l->regs));
	memcpy(l->slots, frame->slots, frame->n_slots * sizeof(l->slots[0]));
}

static bool same_slot(const struct logged *l, const struct frame *frame, u32 no)
{
	static const struct slot unused;
	const struct slot *before = no < l->n_slots ? &l->slots[no] : &unused;

	return !memcmp(before, &frame->slots[no], sizeof(*before));
}

static struct print_parts changes(const struct logged *l, const struct state *st)
{
	const struct frame *frame = state_frame(st);
	struct print_parts parts = {0};

	for (u32 i = 0; i < N_REGS; i++) {
		if (memcmp(&l->regs[i], &frame->regs[i], sizeof(l->regs[i])) != 0)
			parts.regs |= (u16)(1u << i);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		if (!same_slot(l, frame, i))
			parts.slots |= 1ull << i;
	}
	return parts;
}

static void put_changes(struct verify_log *log, const struct state *st)
{
	struct print_parts parts = changes(log->logged, st);

	if (!parts.regs && !parts.slots)
		return;
	text_pad(log->out, RESULT_COLUMN);
	text_puts(log->out, " ;");
	print_frame(log->out, st, st->depth, &parts);
}

/* ---- lines ---- */

static void put_source(struct verify_log *log, const struct env *env, u32 pc)
{
	const struct line_info *line = prog_line(env->prog, pc);

	if (!line || !line->text || !line->file || line->line == log->logged->line)
		return;
	log->logged->line = line->line;
	text_printf(log->out, "; %s @ %s:%u\n", listing_source(env->prog, pc),
		    listing_file(env->prog, pc), line->line);
}

static void put_begin(struct verify_log *log, const struct env *env,
		      const struct state *st, u32 pc)
{
	const char *function = listing_function(env->prog, pc);

	if (env->prev_pc == NO_INSN && function)
		text_printf(log->out, "%s():\n", function);
	if (env->prev_pc == NO_INSN)
		text_printf(log->out, "%u:", pc);
	else
		text_printf(log->out, "from %u to %u:", env->prev_pc, pc);
	if (st->speculative)
		text_puts(log->out, " speculative");
	print_state(log->out, st);
	text_puts(log->out, "\n");
}

static void put_insn(struct verify_log *log, const struct env *env, u32 pc)
{
	put_source(log, env, pc);
	text_printf(log->out, "%u: (%02x) ", pc, env->insns[pc].code);
	listing_insn(log->out, env->prog, pc);
	log->logged->open = true;
}

static bool is_full(struct verify_log *log)
{
	struct logged *l = log->logged;

	if (l->full || log->out->len < MAX_LOG)
		return l->full;
	end_line(log);
	text_puts(log->out, "... the log ends here: it is too long\n");
	l->full = true;
	return true;
}

static void log_step(void *arg, const struct env *env, const struct state *st, u32 pc)
{
	struct verify_log *log = arg;
	struct logged *l = log->logged;
	u32 from = st->trail;
	bool entered;

	if (!l || is_full(log))
		return;
	entered = l->follows && l->depth != st->depth;
	if (l->open && !entered)
		put_changes(log, st);
	end_line(log);
	env->cur->trail = ++l->n;
	if (!l->follows && log->level == 1)
		forget_path(log, from);
	if (!l->follows || entered)
		put_begin(log, env, st, pc);
	put_insn(log, env, pc);
	remember(l, st);
	l->depth = st->depth;
	l->follows = true;
}

static void log_end(void *arg, const struct env *env, u32 pc, bool pruned)
{
	struct verify_log *log = arg;

	if (!log->logged || log->logged->full)
		return;
	end_line(log);
	if (pruned && env->prev_pc == NO_INSN)
		text_printf(log->out, "%u: safe\n", pc);
	else if (pruned)
		text_printf(log->out, "from %u to %u: safe\n", env->prev_pc, pc);
	log->logged->follows = false;
}

/* Without memory for it nothing is logged. */
struct verify_observer verify_log_observer(struct verify_log *log)
{
	log->logged = calloc(1, sizeof(*log->logged));
	if (log->logged)
		log->logged->ends = (struct vec)VEC_INIT(u32);
	return (struct verify_observer){.arg = log, .step = log_step, .end = log_end};
}

void verify_log_end(struct verify_log *log)
{
	if (!log->logged)
		return;
	end_line(log);
	if (log->level == 1 && !log->logged->follows)
		text_clear(log->out);
	vec_fini(&log->logged->ends);
	free(log->logged);
	log->logged = NULL;
}
