/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was or was not found out on the way, and what to do about it, with the numbers of
 * this program where they are known.
 *
 * Never does: guess; where nothing more is known the advice of the reason's row stands.
 */
#include <string.h>

#include "verify/listing.h"
#include "verify/story.h"
#include "verify/words.h"

/* Where memory is accessed by the refused instruction: bytes from R on. */
struct access {
	s64 off;
	u32 size;
};

static bool access_of(const struct teller *t, struct access *access)
{
	const struct prog *prog = t->what->prog;
	s32 pc = t->what->diag->insn;
	const struct op_info *op;

	if (pc < 0 || (u32)pc >= prog->n_insns)
		return false;
	op = op_info(decode(&prog->insns[pc]));
	switch ((enum op_kind)op->kind) {
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL:
		*access = (struct access){prog->insns[pc].off, op->width / 8};
		return true;
	case KIND_INVALID:
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LD_ABS:
	case KIND_LD_IND: break;
	}
	return false;
}

/* Of the object that the register points into; 0: not known. */
static u32 object_size(const struct reg *reg)
{
	if (reg->kind == PTR_TO_MAP_VALUE && reg->map)
		return reg->map->value_size;
	if (reg->kind == PTR_TO_MEM)
		return reg->mem_size;
	return 0;
}

static void fact(struct teller *t, const char *text)
{
	struct text line = TEXT_INIT;

	text_puts(&line, text);
	story_fact(t->story, &line);
}

static void reg_fact(struct teller *t, const char *before, const char *behind)
{
	struct text line = TEXT_INIT;

	text_printf(&line, "%sR%d%s", before, t->reg, behind);
	story_fact(t->story, &line);
}

/* ---- facts ---- */

static void null_facts(struct teller *t)
{
	if (!t->was || !(t->was->flags & MAYBE_NULL) || t->slice.refined)
		return;
	reg_fact(t, "no comparison of ", " (or a copy of it) with NULL is on this path");
}

static void bounds_facts(struct teller *t)
{
	const struct scalar *var;

	if (!t->was || scalar_is_const(&t->was->var))
		return;
	var = &t->was->var;
	if (!t->slice.compared)
		fact(t, "no branch on this path looks at the number");
	if (t->what->diag->id == REASON_SIZE_ZERO)
		return;
	if (var->smin < 0 && t->what->diag->id != REASON_OFFSET_UNBOUNDED)
		fact(t, "nothing on this path excludes that it is negative");
	else if (var->smax >= MAX_VAR_OFF && t->what->diag->id != REASON_OFFSET_TOO_FAR)
		fact(t, "nothing on this path limits it from above");
}

static void packet_facts(struct teller *t)
{
	if (!t->was || !reg_is_packet(t->was))
		return;
	if ((s32)t->was->range > 0)
		return;
	if (!t->slice.refined && scalar_is_const(&t->was->var))
		fact(t, "no comparison with data_end is on this path");
	else if (!scalar_is_const(&t->was->var))
		fact(t, "after a number was added the new pointer was not compared with "
			"data_end");
}

static void uninit_facts(struct teller *t)
{
	if (t->slice.written)
		return;
	if (t->trace.cut)
		return;
	reg_fact(t, "nothing on this path writes ", " in this function");
}

static void loop_facts(struct teller *t)
{
	if (t->reg >= 0)
		reg_fact(t, "what ", " holds does not change from one round to the next");
}

static void stack_facts(struct teller *t)
{
	struct text line = TEXT_INIT;

	if (t->slice.written || !t->byte || strstr(t->story->state, "kept"))
		return;
	text_printf(&line, "nothing on this path writes the byte at stack offset %d",
		    t->byte);
	story_fact(t->story, &line);
}

/* Of a global function: nobody's call is looked at. */
static void argument_fact(struct teller *t)
{
	struct text line = TEXT_INIT;
	u32 first = trace_len(&t->trace) ? trace_at(&t->trace, 0)->pc : 0;
	const char *function = listing_function(t->what->prog, first);

	if (!first || !function || t->slice.argument <= 0)
		return;
	text_printf(&line, "R%d is an argument of %s(), which is verified for any caller",
		    t->slice.argument, function);
	story_fact(t->story, &line);
}

void tell_facts(struct teller *t)
{
	switch (t->theme) {
	case THEME_NULL: null_facts(t); break;
	case THEME_BOUNDS: bounds_facts(t); break;
	case THEME_PACKET: packet_facts(t); break;
	case THEME_UNINIT: uninit_facts(t); break;
	case THEME_STACK: stack_facts(t); break;
	case THEME_LOOP: loop_facts(t); break;
	case THEME_OTHER:
	case THEME_HELD:
	case THEME_WORK:
	case THEME_DEPTH: break;
	}
	argument_fact(t);
	if (t->trace.end.speculative && trace_len(&t->trace))
		fact(t, "the processor may come here by speculation, although no run "
			"can");
}

/* ---- advice ---- */

/* Of what gives something that must be given back. */
static const struct {
	const char *taker, *giver;
} givers[] = {
	{"bpf_ringbuf_reserve_dynptr",
	 "bpf_ringbuf_submit_dynptr() or bpf_ringbuf_discard_dynptr()"},
	{"bpf_ringbuf_reserve", "bpf_ringbuf_submit() or bpf_ringbuf_discard()"},
	{"bpf_sk", "bpf_sk_release()"},
	{"bpf_task_", "bpf_task_release()"},
	{"bpf_cgroup_", "bpf_cgroup_release()"},
	{"bpf_cpumask_", "bpf_cpumask_release()"},
	{"bpf_percpu_obj_new", "bpf_percpu_obj_drop() or bpf_kptr_xchg()"},
	{"bpf_obj_new", "bpf_obj_drop() or bpf_kptr_xchg(), or put it into a list or "
			"tree"},
	{"bpf_refcount_acquire", "bpf_obj_drop()"},
	{"bpf_kptr_xchg", "the function that releases it"},
	{"bpf_iter_", "the _destroy function of the iterator"},
	{"bpf_get_task_exe_file", "bpf_put_file()"},
	{"bpf_key", "bpf_key_put()"},
	{"bpf_lookup_", "bpf_key_put()"},
	{"bpf_skb_ct", "bpf_ct_release()"},
	{"bpf_xdp_ct", "bpf_ct_release()"},
	{"bpf_crypto_ctx", "bpf_crypto_ctx_release()"},
};

static const char *giver_of(const char *taker)
{
	for (u32 i = 0; i < ARRAY_SIZE(givers); i++) {
		if (!strncmp(taker, givers[i].taker, strlen(givers[i].taker)))
			return givers[i].giver;
	}
	return NULL;
}

static void held_advice(struct teller *t, struct text *out)
{
	s32 pc = t->what->result->blame.insn;
	struct text scratch = TEXT_INIT;
	const char *taker = NULL, *giver = NULL;

	if (pc >= 0 && (u32)pc < t->what->prog->n_insns)
		taker = listing_callee(&scratch, t->what->prog, (u32)pc);
	if (taker)
		giver = giver_of(taker);
	if (giver)
		text_printf(out, "call %s on every path, also where something fails",
			    giver);
	text_fini(&scratch);
}

static void packet_advice(struct teller *t, struct text *out)
{
	struct access access;

	if (!t->was || !access_of(t, &access))
		return;
	text_printf(out,
		    "before this, with p for the pointer in R%d: if (p + %lld > "
		    "data_end) return ...;",
		    t->reg, (long long)access.off + access.size);
}

/* Of a helper's argument. */
static void size_advice(struct teller *t, struct text *out)
{
	s64 most = (s64)object_size(t->was) - t->was->off - t->was->var.smax;

	if (t->was->kind == PTR_TO_STACK)
		most = -t->was->off - t->was->var.smax;
	if (most > 0)
		text_printf(out, "make sure that the size in R%d is at most %lld",
			    t->size_reg, (long long)most);
}

/* Does the way here decide where the pointer is?  What is known may be of a round of a
 * loop, and of a long path not all is seen. */
static bool moved(const struct teller *t)
{
	for (size_t i = 0; i < t->slice.events.len; i++) {
		const struct event *e = vec_at(&t->slice.events, i);

		if (e->kind == EVENT_ADDED || e->repeated)
			return true;
	}
	return t->slice.events.len >= STORY_STEPS || !scalar_is_const(&t->was->var);
}

static void bounds_advice(struct teller *t, struct text *out)
{
	struct access access;
	s64 size, most;

	if (!t->was)
		return;
	if (t->size_reg >= 0)
		size_advice(t, out);
	if (t->what->diag->id == REASON_OUT_OF_BOUNDS && t->size_reg < 0 && !moved(t))
		text_puts(out,
			  "the offset is a constant: access less, or make the memory "
			  "larger");
	if (t->size_reg >= 0 || scalar_is_const(&t->was->var))
		return;
	if (t->what->diag->id == REASON_OFFSET_TOO_FAR)
		text_puts(out, "compare it with both bounds first, or use an unsigned "
			       "type and compare it with the upper one");
	if (!access_of(t, &access))
		return;
	size = object_size(t->was);
	most = size - access.size - access.off - t->was->off;
	if (!size || most < 0)
		return;
	text_printf(out, "make sure that what is added (in bytes) is 0 to %lld: it is ",
		    (long long)most);
	words_range(out, &t->was->var);
}

static void uninit_advice(struct teller *t, struct text *out)
{
	const struct event *first = NULL;

	if (t->slice.events.len)
		first = vec_at(&t->slice.events, t->slice.events.len - 1);
	if (first && first->kind == EVENT_CLOBBERED)
		text_puts(out, "keep what is needed after a call in R6 to R9 or on the "
			       "stack");
}

/* A call ended what was known of the pointer, or it is NULL. */
static void lost_advice(struct teller *t, struct text *out)
{
	if (t->what->diag->id == REASON_ACCESS_NUMBER && t->slice.refined &&
	    reg_is_null(t->was)) {
		text_printf(out,
			    "R%d is NULL on this path: leave it where the pointer is "
			    "compared with NULL",
			    t->reg);
		return;
	}
	for (size_t i = 0; i < t->slice.events.len; i++) {
		const struct event *e = vec_at(&t->slice.events, i);
		const struct reg *reg;

		if (e->kind != EVENT_LOST || e->reg < 0)
			continue;
		reg = trace_reg(&t->trace, e->step, e->frame, (u32)e->reg);
		if (reg && (reg_is_packet(reg) || reg->flags & PACKET_SLICE))
			text_puts(out, "read data and data_end again after the call, and "
				       "compare again");
		else
			text_puts(out, "do not use it after the call");
		return;
	}
}

/* The advice of the row is about NULL. */
static bool advice_fits(const struct teller *t)
{
	return t->theme != THEME_NULL || !t->was || reg_is_null(t->was) ||
	       t->was->flags & MAYBE_NULL;
}

void tell_advice(struct teller *t)
{
	struct text out = TEXT_INIT;

	switch (t->theme) {
	case THEME_PACKET: packet_advice(t, &out); break;
	case THEME_BOUNDS: bounds_advice(t, &out); break;
	case THEME_HELD: held_advice(t, &out); break;
	case THEME_UNINIT: uninit_advice(t, &out); break;
	case THEME_OTHER: lost_advice(t, &out); break;
	case THEME_LOOP:
	case THEME_NULL:
	case THEME_STACK:
	case THEME_WORK:
	case THEME_DEPTH: break;
	}
	if (out.len)
		t->story->advice = story_keep(t->story, &out);
	else if (!t->story->advice && advice_fits(t))
		t->story->advice = t->what->diag->advice;
	text_fini(&out);
}
