/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was just stored or loaded is not loaded again.
 *
 * A few facts of the form "at this address is that value", found in order and lost at the
 * next write that could hit them: of any two accesses with different bases nothing is
 * known, as nothing is said of pointers here.  Facts live as long as nobody else joins
 * in: in a block, and in the next one when only this one leads there.
 */
#include "opt/passes.h"

enum { FACTS = 8 };

struct fact {
	u32 base, index;
	s64 off;
	u8 scale, width;
	u32 value;   /* 0: no fact */
	bool stored; /* of value, as many bits as the width are in memory */
};

struct memory {
	struct fact facts[FACTS];
	u32 n; /* facts so far: the next one replaces the oldest */
};

static bool same_place(const struct fact *fact, const struct ir_insn *insn)
{
	return fact->value && fact->off == insn->imm && fact->base == insn->a &&
	       fact->index == insn->b && fact->scale == insn->scale &&
	       fact->width == insn->width;
}

static bool is_apart(const struct fact *fact, const struct ir_insn *store)
{
	u64 gap;

	if (fact->base != store->a || fact->index != store->b ||
	    fact->scale != store->scale)
		return false;
	gap = (u64)(fact->off - store->imm);
	/* Distances wrap, as addresses do. */
	return gap >= store->width / 8u && 0 - gap >= fact->width / 8u;
}

static void forget(struct memory *m)
{
	for (u32 i = 0; i < FACTS; i++)
		m->facts[i].value = 0;
}

/* What somebody else wrote we do not know; but of the run we only read what stays. */
static void forget_memory(const struct pass *p, struct memory *m)
{
	for (u32 i = 0; i < FACTS; i++)
		if (p->ir->insns[m->facts[i].base].op != IR_RUN)
			m->facts[i].value = 0;
}

static void learn(struct memory *m, const struct ir_insn *insn, u32 value)
{
	m->facts[m->n++ % FACTS] = (struct fact){
		.base = insn->a,
		.index = insn->b,
		.off = insn->imm,
		.scale = insn->scale,
		.width = insn->width,
		.value = value,
		.stored = insn->op == IR_STORE,
	};
}

static void store(const struct pass *p, struct memory *m, const struct ir_insn *insn)
{
	for (u32 i = 0; i < FACTS; i++) {
		struct fact *fact = &m->facts[i];

		if (fact->value && !is_apart(fact, insn) &&
		    p->ir->insns[fact->base].op != IR_RUN)
			fact->value = 0;
	}
	learn(m, insn, insn->c);
}

static bool fits(const struct pass *p, u32 value, u32 width)
{
	const struct ir_insn *insn = &p->ir->insns[value];

	if (width == 64)
		return true;
	if (insn->op == IR_CONST)
		return !((u64)insn->imm >> width);
	if (insn->op == IR_LOAD)
		return !insn->row && insn->width <= width;
	return width == 32 && ir_upper_is_zero(p->ir, value);
}

/* Loads what was stored: the value itself, or cut or extended as the load does it. */
static bool forward(struct pass *p, u32 at, u32 value)
{
	struct ir_insn *insn = &p->ir->insns[at];
	u8 row = ALU_MOV;

	if (!insn->row && fits(p, value, insn->width)) {
		pass_replace(p, at, value);
		return true;
	}
	if (insn->row && insn->width < 64)
		row = insn->width == 8    ? ALU_MOVS8
		      : insn->width == 16 ? ALU_MOVS16
					  : ALU_MOVS32;
	else if (insn->width != 32)
		return false;
	*insn = (struct ir_insn){.op = IR_ALU,
				 .row = row,
				 .width = row == ALU_MOV ? 32 : 64,
				 .a = value,
				 .pc = insn->pc};
	return true;
}

static void load(struct pass *p, struct memory *m, u32 at)
{
	const struct ir_insn *insn = &p->ir->insns[at];

	for (u32 i = 0; i < FACTS; i++) {
		const struct fact *fact = &m->facts[i];

		if (!same_place(fact, insn))
			continue;
		if (fact->stored && forward(p, at, fact->value))
			return;
		if (!fact->stored && p->ir->insns[fact->value].row == insn->row) {
			pass_replace(p, at, fact->value);
			return;
		}
	}
	learn(m, insn, at);
}

static void count(struct pass *p, const struct ir_insn *insn)
{
	p->narrow_loads += insn->op == IR_LOAD && insn->width <= 32;
	p->narrow_stores += insn->op == IR_STORE && insn->width < 64;
	p->shifts += insn->op == IR_ALU && insn->row == ALU_LSH;
}

static void sweep(struct pass *p, struct memory *m, const struct ir_block *block)
{
	struct ir *ir = p->ir;

	for (u32 i = block->start; i < block->end; i++) {
		struct ir_insn *insn = &ir->insns[i];

		if (insn->op == IR_NOP)
			continue;
		if (p->renamed)
			pass_operands(p, insn, pass_n_args(insn, block));
		count(p, insn);
		if (insn->op == IR_LOAD)
			load(p, m, i);
		else if (insn->op == IR_STORE)
			store(p, m, insn);
		else if (ir_ops[insn->op].effect == IR_WRITE && insn->op != IR_CHECK)
			forget_memory(p, m);
	}
}

void pass_loads(struct pass *p)
{
	struct ir *ir = p->ir;
	struct memory m = {.n = 0};

	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		if (block->n_preds != 1 || ir->preds[block->preds] + 1 != b)
			forget(&m);
		sweep(p, &m, block);
	}
}
