/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a path in words: what the instruction did to the register that matters.
 *
 * Never does: choose the steps (slice.c).
 */
#include "verify/listing.h"
#include "verify/story.h"
#include "verify/words.h"

#include "abi/abi.h"

struct telling {
	struct teller *t;
	const struct event *event;
	u32 pc;
	const struct insn *insn;
	const struct op_info *op;
	struct text text;
};

static const struct reg *reg_at(const struct telling *s, u32 step, s32 reg)
{
	return reg < 0 ? NULL : trace_reg(&s->t->trace, step, s->event->frame, (u32)reg);
}

/* What is known of the register after the step. */
static const struct reg *now(const struct telling *s)
{
	return reg_at(s, s->event->step + 1, s->event->reg);
}

static const char *callee(struct telling *s, struct text *scratch)
{
	const char *name = listing_callee(scratch, s->t->what->prog, s->pc);

	if (s->op->kind == KIND_LD_ABS || s->op->kind == KIND_LD_IND)
		return "reading the packet like this";
	if (s->op->kind == KIND_EXIT)
		name = listing_function(s->t->what->prog, s->pc);
	else if (s->op->kind != KIND_CALL)
		return "this";
	return name ? name : "the call";
}

/* Short: the whole of it is told of the last step only. */
static void put_reg(struct telling *s, const struct reg *reg)
{
	if (reg && reg_is_packet(reg) && !(reg->flags & MAYBE_NULL)) {
		if ((s32)reg->range > 0)
			text_printf(&s->text, "%u bytes of the packet are there",
				    reg->range);
		else
			text_puts(&s->text, "packet pointer");
	} else if (reg && reg->kind == SCALAR) {
		words_range(&s->text, &reg->var);
	} else if (reg) {
		words_reg(&s->text, reg, s->event->frame);
	}
}

/* "R2: ..." */
static void put_now(struct telling *s)
{
	const struct reg *reg = now(s);

	if (!reg)
		return;
	text_printf(&s->text, "R%d: ", s->event->reg);
	put_reg(s, reg);
}

static void put_read(struct telling *s)
{
	const struct reg *base = reg_at(s, s->event->step, s->insn->src_reg);
	const struct abi_ctx *ctx = abi_ctx(s->t->what->prog->type);
	const struct abi_ctx_field *field = NULL;

	put_now(s);
	if (!base || !reg_is_pointer(base))
		return;
	if (base->kind == PTR_TO_CTX && ctx && base->off + s->insn->off >= 0)
		field = abi_ctx_field(ctx, (u32)(base->off + s->insn->off));
	if (field) {
		text_printf(&s->text, ", ctx->%s", field->name);
		return;
	}
	text_puts(&s->text, ", read through a ");
	words_pointer(&s->text, base);
}

/* The register that is not the pointer. */
static void put_added(struct telling *s)
{
	const struct reg *dst = reg_at(s, s->event->step, s->insn->dst_reg);
	bool swapped = dst && !reg_is_pointer(dst);
	u8 reg = swapped ? s->insn->dst_reg : s->insn->src_reg;
	const struct reg *number = reg_at(s, s->event->step, reg);

	if (!number)
		return;
	text_printf(&s->text, "R%u moves the pointer: ", reg);
	words_range(&s->text, &number->var);
}

/* Of a pointer only all 64 bits are one. */
static void put_copied(struct telling *s)
{
	const struct reg *from = reg_at(s, s->event->step, s->insn->src_reg);
	const struct reg *to = now(s);
	bool half = from && to && reg_is_pointer(from) && !reg_is_pointer(to);

	text_printf(&s->text, "R%d: %s R%u", s->event->reg,
		    half ? "a number, part of the address in" : "copy of",
		    s->insn->src_reg);
}

static void put_clobbered(struct telling *s)
{
	struct text scratch = TEXT_INIT;

	if (s->op->kind == KIND_EXIT)
		text_printf(&s->text, "a call leaves R1 to R5 without a value");
	else
		text_printf(&s->text, "%s leaves R1 to R5 without a value",
			    callee(s, &scratch));
	text_fini(&scratch);
}

static void put_by_callee(struct telling *s, const char *fmt_reg, const char *rest)
{
	struct text scratch = TEXT_INIT;

	text_printf(&s->text, "%s%s", callee(s, &scratch), fmt_reg);
	if (s->event->reg >= 0)
		text_printf(&s->text, "R%d", s->event->reg);
	text_puts(&s->text, rest);
	text_fini(&scratch);
}

static void put_constant(struct telling *s)
{
	if (s->event->reg >= 0)
		put_now(s);
	else
		text_printf(&s->text, "stack offset %d becomes %d", s->event->off,
			    s->insn->imm);
}

static void put_entered(struct telling *s)
{
	const struct reg *reg = reg_at(s, s->event->step, s->event->reg);

	if (!reg || (reg->kind != PTR_TO_MAP_VALUE && reg->kind != PTR_TO_BTF_ID))
		return;
	text_printf(&s->text, "R%d: ", s->event->reg);
	put_reg(s, reg);
}

static void put_state(struct telling *s)
{
	const struct event *e = s->event;
	struct text scratch = TEXT_INIT;

	switch (e->kind) {
	case EVENT_CONSTANT: put_constant(s); break;
	case EVENT_READ: put_read(s); break;
	case EVENT_RESULT:
	case EVENT_COMPUTED:
	case EVENT_GIVEN: put_now(s); break;
	case EVENT_CLOBBERED: put_clobbered(s); break;
	case EVENT_LOST: put_by_callee(s, " ends what was known of ", ""); break;
	case EVENT_COPIED: put_copied(s); break;
	case EVENT_ADDED: put_added(s); break;
	case EVENT_SPILLED:
		text_printf(&s->text, "kept at stack offset %d", e->off);
		break;
	case EVENT_FILLED: text_printf(&s->text, "R%d: from the stack", e->reg); break;
	case EVENT_WRITTEN:
		text_printf(&s->text, "writes to stack offset %d", e->off);
		break;
	case EVENT_PASSED: put_by_callee(s, " gets ", ""); break;
	case EVENT_RETURNED:
		text_printf(&s->text, "R0 is what %s() returns", callee(s, &scratch));
		break;
	case EVENT_REFINED:
		put_now(s);
		text_puts(&s->text, " from here on");
		break;
	case EVENT_COMPARED:
		text_printf(&s->text, "tells nothing new about R%d", e->reg);
		break;
	case EVENT_ENTERED: put_entered(s); break;
	case EVENT_BRANCH: break;
	}
	text_fini(&scratch);
}

static void put_insn(struct telling *s)
{
	listing_insn_absolute(&s->text, s->t->what->prog, s->pc);
	if (s->op->kind == KIND_JMP && s->event->step + 1 < trace_len(&s->t->trace)) {
		u32 next = trace_at(&s->t->trace, s->event->step + 1)->pc;

		text_puts(&s->text, next == s->pc + 1 ? ", not taken" : ", taken");
	}
	if (s->event->repeated && s->event->kind != EVENT_BRANCH)
		text_printf(&s->text, " (%u times)", s->event->repeated + 1);
}

static void tell_step(struct teller *t, const struct event *event)
{
	struct story_step *step = &t->story->steps[t->story->n_steps++];
	u32 pc = trace_at(&t->trace, event->step)->pc;
	const struct insn *insn = &t->what->prog->insns[pc];
	struct telling s = {t, event, pc, insn, op_info(decode(insn)), TEXT_INIT};

	step->insn = pc;
	put_insn(&s);
	step->text = story_keep(t->story, &s.text);
	put_state(&s);
	step->state = s.text.len ? story_keep(t->story, &s.text) : NULL;
	text_fini(&s.text);
}

void tell_steps(struct teller *t)
{
	slice_sort(&t->slice, STORY_STEPS);
	for (size_t i = 0; i < t->slice.events.len; i++)
		tell_step(t, vec_at(&t->slice.events, i));
}
