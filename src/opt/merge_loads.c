/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads byte by byte that make one number become one wide load.
 *
 *	p[0] | p[1] << 8		load16 p
 *	p[0] << 8 | p[1]		swap16 (load16 p)
 *
 * Of each value is known whether it is put together from bytes of memory, in either
 * order, with zeroes where bytes are missing: a narrow load is, a shift by whole bytes
 * stays so, and so does what joins two such values that have no byte in common.  All
 * loads of one read the same memory: nothing is written from the first of them to the
 * last (they are of one epoch), so one load at the end reads what they did, and just the
 * bytes that they did.
 */
#include "opt/passes.h"

enum { UPWARDS = 1, DOWNWARDS = 2 };

/* A value that is bytes of memory: byte i of it is at origin + i (UPWARDS), or at
 * origin - i (DOWNWARDS).  Both may be: of one byte. */
struct bytes_of {
	s64 up, down; /* the origins */
	u32 load;     /* one of the loads: where a, b and scale are */
	u32 epoch;    /* 0: it is none */
	u8 mask;      /* which bytes there are; the others are zero */
	u8 orders;
};

struct merge {
	struct pass *p;
	struct bytes_of *runs; /* by value */
	u32 epoch;
};

static struct ir_insn *insn_of(const struct merge *m, u32 value)
{
	return &m->p->ir->insns[value];
}

static const struct bytes_of *run_of(const struct merge *m, u32 value)
{
	const struct bytes_of *run = &m->runs[value];

	return run->epoch == m->epoch ? run : NULL;
}

static void run_load(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);
	u32 n = insn->width / 8;

	if (insn->row || n > 4)
		return;
	m->runs[at] = (struct bytes_of){
		.up = insn->imm,
		.down = insn->imm,
		.load = at,
		.epoch = m->epoch,
		.mask = (u8)((1u << n) - 1),
		.orders = n == 1 ? UPWARDS | DOWNWARDS : UPWARDS,
	};
}

static void run_swap(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);
	const struct bytes_of *run = run_of(m, insn->a);
	u32 n = insn->width / 8;

	if (!run || n > 4 || run->mask != (1u << n) - 1)
		return;
	m->runs[at] = *run;
	m->runs[at].orders = (run->orders & UPWARDS ? DOWNWARDS : 0) |
			     (run->orders & DOWNWARDS ? UPWARDS : 0);
	m->runs[at].up = (s64)((u64)run->down - (n - 1));
	m->runs[at].down = (s64)((u64)run->up + (n - 1));
}

static void run_shift(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at), *by = insn_of(m, insn->b);
	const struct bytes_of *run = run_of(m, insn->a);
	u32 count = (u32)by->imm & (insn->width - 1u), n = count / 8;

	if (!run || by->op != IR_CONST || count % 8 ||
	    (u32)run->mask << n >= 1u << insn->width / 8)
		return;
	m->runs[at] = *run;
	m->runs[at].mask = (u8)(run->mask << n);
	m->runs[at].up = (s64)((u64)run->up - n);
	m->runs[at].down = (s64)((u64)run->down + n);
}

static void run_cut(struct merge *m, u32 at)
{
	const struct bytes_of *run = run_of(m, insn_of(m, at)->a);

	if (run && run->mask <= 0xf)
		m->runs[at] = *run;
}

static bool same_base(const struct merge *m, u32 load1, u32 load2)
{
	const struct ir_insn *x = insn_of(m, load1), *y = insn_of(m, load2);

	return x->a == y->a && x->b == y->b && x->scale == y->scale;
}

static bool join(const struct merge *m, const struct bytes_of *x,
		 const struct bytes_of *y, struct bytes_of *out)
{
	if (x->mask & y->mask || !same_base(m, x->load, y->load))
		return false;
	*out = *x;
	out->mask |= y->mask;
	out->orders &= y->orders;
	if (x->up != y->up)
		out->orders &= DOWNWARDS;
	if (x->down != y->down)
		out->orders &= UPWARDS;
	return out->orders;
}

static u32 bytes_in(const struct bytes_of *run)
{
	return (u32)__builtin_popcount(run->mask);
}

static void make_load(struct merge *m, u32 at, const struct bytes_of *run)
{
	const struct ir_insn *load = insn_of(m, run->load);
	struct ir_insn *insn = insn_of(m, at);
	u32 n = bytes_in(run);

	*insn = (struct ir_insn){
		.op = IR_LOAD,
		.width = (u8)(n * 8),
		.scale = load->scale,
		.a = load->a,
		.b = load->b,
		.imm = run->orders & UPWARDS ? run->up : (s64)((u64)run->down - (n - 1)),
		.pc = insn->pc,
		.uses = insn->uses};
}

/* The operand of the joint that nobody else needs gives the place for the load. */
static void make_swapped(struct merge *m, u32 at, const struct bytes_of *run)
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
				 .width = (u8)(bytes_in(run) * 8),
				 .a = place,
				 .pc = insn->pc,
				 .uses = insn->uses};
}

static void run_join(struct merge *m, u32 at)
{
	const struct ir_insn *insn = insn_of(m, at);
	const struct bytes_of *a = run_of(m, insn->a), *b = run_of(m, insn->b);
	struct bytes_of run;

	if (!a || !b || !join(m, a, b, &run) || run.mask >= 1u << insn->width / 8)
		return;
	m->runs[at] = run;
	if (run.mask != 3 && run.mask != 0xf && run.mask != 0xff)
		return;
	if (run.orders & UPWARDS)
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
	if (insn->row == ALU_MOV)
		run_cut(m, at);
	else if (insn->row == ALU_LSH)
		run_shift(m, at);
	else if (insn->row == ALU_OR || insn->row == ALU_ADD || insn->row == ALU_XOR)
		run_join(m, at);
}

bool pass_merge_loads(struct pass *p)
{
	struct ir *ir = p->ir;
	struct merge m = {.p = p};

	/* Most programs have nothing to merge: two of them and a joint at the least. */
	if (p->narrow_loads < 2 || !p->shifts)
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
