/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads byte by byte that make one number become one wide load.
 *
 *	p[0] | p[1] << 8		load16 p
 *	p[0] << 8 | p[1]		swap16 (load16 p)
 *
 * Of each value is known whether it is a run of bytes of memory, in either order, shifted
 * to the left: a narrow load is, and so is what joins two such runs without a gap.  All
 * loads of a run read the same memory: nothing is written from the first of them to the
 * last (they are of one epoch), so one load at the end reads what they did, and just the
 * bytes that they did.
 */
#include "opt/passes.h"

enum { EITHER = 0, UPWARDS = 1, DOWNWARDS = 2 };

/* A value that is bytes of memory. */
struct run_of_bytes {
	s64 off;   /* of the lowest address */
	u32 first; /* one of the loads: where a, b and scale are */
	u32 epoch; /* 0: it is none */
	u8 n;      /* bytes */
	u8 shift;  /* bits below them, which are zero */
	u8 order;  /* UPWARDS: the lowest byte is at the lowest address */
};

struct merge {
	struct pass *p;
	struct run_of_bytes *runs; /* by value */
	u32 epoch;
};

static struct ir_insn *insn_of(const struct merge *m, u32 value)
{
	return &m->p->ir->insns[value];
}

static const struct run_of_bytes *run_of(const struct merge *m, u32 value)
{
	const struct run_of_bytes *run = &m->runs[value];

	return run->epoch == m->epoch ? run : NULL;
}

static void run_load(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);

	if (insn->row || insn->width > 32)
		return;
	m->runs[at] = (struct run_of_bytes){
		.off = insn->imm,
		.first = at,
		.epoch = m->epoch,
		.n = insn->width / 8,
		.order = insn->width == 8 ? EITHER : UPWARDS,
	};
}

static void run_swap(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);
	const struct run_of_bytes *run = run_of(m, insn->a);

	if (!run || run->shift || run->n * 8 != insn->width)
		return;
	m->runs[at] = *run;
	m->runs[at].order = run->order == UPWARDS ? DOWNWARDS : UPWARDS;
}

static void run_shift(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at), *by = insn_of(m, insn->b);
	const struct run_of_bytes *run = run_of(m, insn->a);
	u32 count = (u32)by->imm & (insn->width - 1u);

	if (!run || by->op != IR_CONST || count % 8 ||
	    run->shift + run->n * 8u + count > insn->width)
		return;
	m->runs[at] = *run;
	m->runs[at].shift = (u8)(run->shift + count);
}

static bool same_base(const struct merge *m, u32 load1, u32 load2)
{
	const struct ir_insn *x = insn_of(m, load1), *y = insn_of(m, load2);

	return x->a == y->a && x->b == y->b && x->scale == y->scale;
}

/* Two runs as one, if they are one. */
static bool join(const struct merge *m, const struct run_of_bytes *low,
		 const struct run_of_bytes *high, struct run_of_bytes *out)
{
	u8 orders = low->order | high->order;

	if (low->shift + low->n * 8 != high->shift ||
	    !same_base(m, low->first, high->first))
		return false;
	*out = *low;
	out->n = (u8)(low->n + high->n);
	if ((u64)low->off + low->n == (u64)high->off && !(orders & DOWNWARDS)) {
		out->order = UPWARDS;
		return true;
	}
	out->off = high->off;
	out->order = DOWNWARDS;
	return (u64)high->off + high->n == (u64)low->off && !(orders & UPWARDS);
}

static void make_load(struct merge *m, u32 at, const struct run_of_bytes *run)
{
	const struct ir_insn *load = insn_of(m, run->first);
	struct ir_insn *insn = insn_of(m, at);

	*insn = (struct ir_insn){.op = IR_LOAD,
				 .width = (u8)(run->n * 8),
				 .scale = load->scale,
				 .a = load->a,
				 .b = load->b,
				 .imm = run->off,
				 .pc = insn->pc,
				 .uses = insn->uses};
}

/* The operand of the joint that nobody else needs gives the place for the load. */
static void make_swapped(struct merge *m, u32 at, const struct run_of_bytes *run)
{
	struct ir_insn *insn = insn_of(m, at);
	u32 place = insn_of(m, insn->a)->uses == 1   ? insn->a
		    : insn_of(m, insn->b)->uses == 1 ? insn->b
						     : 0;

	if (!place)
		return;
	make_load(m, place, run);
	m->runs[place].epoch = 0;
	*insn = (struct ir_insn){.op = IR_SWAP,
				 .width = (u8)(run->n * 8),
				 .a = place,
				 .pc = insn->pc,
				 .uses = insn->uses};
}

static void run_join(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);
	const struct run_of_bytes *a = run_of(m, insn->a), *b = run_of(m, insn->b);
	struct run_of_bytes run;

	if (!a || !b || (!join(m, a, b, &run) && !join(m, b, a, &run)))
		return;
	if (run.shift + run.n * 8u > insn->width)
		return;
	m->runs[at] = run;
	if (run.shift || (run.n != 2 && run.n != 4 && run.n != 8))
		return;
	if (run.order == UPWARDS)
		make_load(m, at, &run);
	else
		make_swapped(m, at, &run);
}

static void visit(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);

	switch ((int)insn->op) {
	case IR_LOAD: run_load(m, at); return;
	case IR_SWAP: run_swap(m, at); return;
	case IR_ALU: break;
	default: m->epoch += ir_ops[insn->op].effect == IR_WRITE; return;
	}
	if (insn->row == ALU_LSH)
		run_shift(m, at);
	else if (insn->row == ALU_OR || insn->row == ALU_ADD || insn->row == ALU_XOR)
		run_join(m, at);
}

/* Most programs have nothing to merge: two narrow loads and a joint at the least. */
static bool has_any(const struct ir *ir)
{
	u32 loads = 0, joints = 0;

	for (u32 i = 1; i < ir->n_insns; i++) {
		const struct ir_insn *insn = &ir->insns[i];

		loads += insn->op == IR_LOAD && insn->width <= 32;
		joints += insn->op == IR_ALU && insn->row == ALU_LSH;
	}
	return loads > 1 && joints;
}

bool pass_merge_loads(struct pass *p)
{
	struct ir *ir = p->ir;
	struct merge m = {.p = p};

	if (!has_any(ir))
		return true;
	m.runs = arena_array(ir->arena, ir->n_insns, sizeof(*m.runs));
	if (!m.runs)
		return false;
	pass_rename(p);
	ir_count_uses(ir);
	for (u32 b = 0; b < ir->n_blocks; b++) {
		m.epoch++;
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++)
			visit(&m, i);
	}
	return true;
}
