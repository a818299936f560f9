/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which values become part of the instructions that use them: immediates, addresses,
 * operands in memory, conditions.  Addresses first, then one walk, in order.
 *
 * What is fused is computed where its user stands.  For a load that is sound as long as
 * nothing writes between the two, so its one user must stand in the same block behind the
 * last write; what else is fused is pure.  Additions and shifts that only make addresses
 * vanish into the fields of LOAD and STORE.  Never fuses what would be computed twice,
 * unless it costs nothing (conditions of selects).
 */
#include "exec/jit/x86_64/x86.h"

struct selection {
	struct ir *ir;
	u32 features;
	u32 *addresses; /* by value: how many uses are a or b of LOAD and STORE */
	u32 *kept;      /* how many of these need a sum in a register */
	u32 *selects;   /* how many are the condition of a SELECT; of constants: chosen by
			   one */
	u32 *tests;     /* how many are comparisons with zero, for equality */
	bool *wanted;   /* constants that had better have a register */
	u32 start;      /* of the block */
	u32 loop, loop_end; /* the first block of the innermost loop around it, or nothing
			     */
	u32 last_write; /* last instruction of the block that may write memory, or start
			 */
};

static struct ir_insn *at(const struct selection *s, u32 value)
{
	return &s->ir->insns[value];
}

static u32 number_of(const struct selection *s, const struct ir_insn *insn)
{
	return (u32)(insn - s->ir->insns);
}

static bool is_alu(const struct ir_insn *insn, enum alu row, u32 width)
{
	return insn->op == IR_ALU && insn->row == row && insn->width == width;
}

static bool is_alu64(const struct ir_insn *insn, enum alu row)
{
	return is_alu(insn, row, 64);
}

static bool is_used_once_here(const struct selection *s, u32 value)
{
	return value >= s->start && at(s, value)->uses == 1;
}

/* Equal to zero or not?  TEST says it of an AND, as wide or 32 bits wide. */
static bool is_zero_test(const struct selection *s, const struct ir_insn *insn)
{
	const struct ir_insn *a = at(s, insn->a), *b = at(s, insn->b);

	return (insn->op == IR_CMP || insn->op == IR_JMP) &&
	       (insn->row == JMP_JEQ || insn->row == JMP_JNE) && b->op == IR_CONST &&
	       !b->imm && (a->width == insn->width || a->width == 32);
}

/* Where x + y < x: with y, if x is a variable of a loop that had better be written over
 * by the sum.  With a constant in any case. */
static void turn_carry(struct selection *s, struct ir_insn *insn)
{
	bool exchanged = insn->row == JMP_JGT || insn->row == JMP_JLE;
	u32 of = exchanged ? insn->b : insn->a, part = exchanged ? insn->a : insn->b;
	const struct ir_insn *sum = at(s, of);
	u32 other = sum->a == part ? sum->b : sum->a;

	if ((!exchanged && insn->row != JMP_JLT && insn->row != JMP_JGE) ||
	    !is_alu(sum, ALU_ADD, insn->width) || (sum->a != part && sum->b != part))
		return;
	if (x86_fits_imm(at(s, other), insn->width, s->features) ||
	    (at(s, part)->op == IR_PHI && at(s, other)->op != IR_PHI &&
	     !ir_is_const(s->ir, other))) {
		at(s, part)->uses--;
		at(s, other)->uses++;
		part = other;
	}
	insn->row = insn->row == JMP_JGT || insn->row == JMP_JLT ? JMP_JLT : JMP_JGE;
	insn->a = of;
	insn->b = part;
}

static void count_kinds(struct selection *s)
{
	for (u32 i = 0; i < s->ir->n_insns; i++) {
		struct ir_insn *insn = at(s, i);

		if (insn->op == IR_LOAD || insn->op == IR_STORE) {
			s->addresses[insn->a]++;
			s->addresses[insn->b]++;
		} else if (insn->op == IR_SELECT) {
			s->selects[insn->a]++;
			s->selects[insn->b] += at(s, insn->b)->op == IR_CONST;
			s->selects[insn->c] += at(s, insn->c)->op == IR_CONST;
		} else if (is_zero_test(s, insn)) {
			s->tests[insn->a]++;
		} else if (insn->op == IR_CMP || insn->op == IR_JMP) {
			turn_carry(s, insn);
		}
	}
}

/* ---- addresses ---- */

/* insn no longer uses the value as an address; what then has no user goes, too. */
static void drop(struct selection *s, u32 value)
{
	struct ir_insn *old = at(s, value);

	s->addresses[value]--;
	if (--old->uses)
		return;
	if (old->op == IR_ALU) {
		at(s, old->a)->uses--;
		at(s, old->b)->uses--;
		old->op = IR_NOP;
		old->a = old->b = 0;
	}
}

static void use(struct selection *s, u32 value)
{
	s->addresses[value]++;
	at(s, value)->uses++;
}

/* [x + constant] */
static bool fold_offset(struct selection *s, struct ir_insn *insn, u32 *field, u32 scale)
{
	const struct ir_insn *sum = at(s, *field);
	u32 old = *field, x = sum->a;
	s64 off;

	if (!is_alu64(sum, ALU_ADD) || !ir_is_const(s->ir, sum->b) ||
	    !fits_s32(at(s, sum->b)->imm))
		return false;
	off = insn->imm + at(s, sum->b)->imm * (1 << scale);
	if (!fits_s32(off) || x86_is_blinded(off, s->features))
		return false;
	insn->imm = off;
	*field = x;
	use(s, x);
	drop(s, old);
	return true;
}

/* Is the value alive in all of the loop?  What is used in it and was computed before it
 * is; so are the PHIs it starts with. */
static bool is_alive(const struct selection *s, u32 value)
{
	return value < s->loop || (value < s->loop_end && at(s, value)->op == IR_PHI);
}

/* May the access have the sum as [x + y], or [x + (y << n)]?  A sum of another block
 * costs registers, unless both are alive here anyway. */
static bool takes_sum(const struct selection *s, const struct ir_insn *insn)
{
	const struct ir_insn *sum = at(s, insn->a);

	if (insn->b || ir_is_const(s->ir, sum->a) || ir_is_const(s->ir, sum->b))
		return false;
	return insn->a >= s->start || (is_alive(s, sum->a) && is_alive(s, sum->b));
}

/* A sum that some access needs in a register is taken from there by all: stores with two
 * registers occupy what loads need on many Intel CPUs. */
static bool fold_index(struct selection *s, struct ir_insn *insn)
{
	const struct ir_insn *sum = at(s, insn->a);
	u32 old = insn->a, x, y;

	if (!is_alu64(sum, ALU_ADD) || s->kept[old] || !takes_sum(s, insn))
		return false;
	x = sum->a;
	y = sum->b;
	if (at(s, y)->op == IR_FRAME || is_alu64(at(s, x), ALU_LSH)) {
		x = sum->b;
		y = sum->a;
	}
	if (at(s, y)->op == IR_FRAME)
		return false;
	insn->a = x;
	insn->b = y;
	use(s, x);
	use(s, y);
	drop(s, old);
	return true;
}

static bool fold_scale(struct selection *s, struct ir_insn *insn)
{
	const struct ir_insn *shift = at(s, insn->b);
	u32 old = insn->b, x = shift->a;
	s64 count;

	if (!insn->b || insn->scale || !is_alu64(shift, ALU_LSH) ||
	    !ir_is_const(s->ir, shift->b) || ir_is_const(s->ir, x))
		return false;
	count = at(s, shift->b)->imm & 63;
	if (count > 3)
		return false;
	insn->scale = (u8)count;
	insn->b = x;
	use(s, x);
	drop(s, old);
	return true;
}

static bool is_only_address(const struct selection *s, u32 value)
{
	return s->addresses[value] == at(s, value)->uses;
}

static void fold_address(struct selection *s, struct ir_insn *insn)
{
	enum { STEPS = 8 };

	for (u32 i = 0; i < STEPS; i++) {
		bool again = false;

		if (is_only_address(s, insn->a))
			again = fold_offset(s, insn, &insn->a, 0) || fold_index(s, insn);
		if (insn->b && is_only_address(s, insn->b))
			again |= fold_scale(s, insn) ||
				 fold_offset(s, insn, &insn->b, insn->scale);
		if (!again)
			return;
	}
}

/* Blocks come in order: the last header as deep as b is that of its loop. */
static void find_loop(struct selection *s, u32 b)
{
	const struct ir_block *block = &s->ir->blocks[b];

	if (b && block->loop_depth < s->ir->blocks[b - 1].loop_depth)
		s->loop = s->loop_end = 0;
	if (!block->loop_header)
		return;
	s->loop = block->start;
	s->loop_end = block->end;
}

static bool is_access(const struct ir_insn *insn)
{
	return insn->op == IR_LOAD || insn->op == IR_STORE;
}

static void visit_accesses(struct selection *s,
			   void (*visit)(struct selection *s, struct ir_insn *insn))
{
	const struct ir *ir = s->ir;

	for (u32 b = 0; b < ir->n_blocks; b++) {
		s->start = ir->blocks[b].start;
		find_loop(s, b);
		for (u32 i = s->start; i < ir->blocks[b].end; i++)
			if (is_access(at(s, i)))
				visit(s, at(s, i));
	}
}

static void count_kept(struct selection *s, struct ir_insn *insn)
{
	if (is_alu64(at(s, insn->a), ALU_ADD) && !takes_sum(s, insn))
		s->kept[insn->a]++;
}

/* Before anything is fused.  Twice: a shift under a sum that has other users is only seen
 * when they are done. */
static void fold_addresses(struct selection *s)
{
	for (u32 round = 0; round < 2; round++) {
		visit_accesses(s, count_kept);
		visit_accesses(s, fold_address);
	}
}

/* ---- operands in memory ---- */

static bool is_free_load(const struct selection *s, u32 value)
{
	const struct ir_insn *load = at(s, value);

	return load->op == IR_LOAD && is_used_once_here(s, value) &&
	       value >= s->last_write && fits_s32(load->imm);
}

/* Can it be an operand of that width as it is? */
static bool is_operand(const struct selection *s, u32 value, u32 width)
{
	return is_free_load(s, value) && at(s, value)->width == width;
}

static void fuse(struct selection *s, u32 value)
{
	at(s, value)->flags |= IR_FUSED;
}

static void swap_operands(struct ir_insn *insn)
{
	u32 a = insn->a;

	insn->a = insn->b;
	insn->b = a;
}

/* x + (y << n) is an address; the shift has no other user. */
static bool fuse_shift(struct selection *s, struct ir_insn *insn)
{
	for (u32 i = 0; i < 2; i++) {
		const struct ir_insn *shift = at(s, insn->b);
		bool fits = shift->op == IR_ALU && shift->row == ALU_LSH &&
			    shift->width == insn->width && ir_is_const(s->ir, shift->b) &&
			    at(s, shift->b)->imm >= 0 && at(s, shift->b)->imm <= 3 &&
			    is_used_once_here(s, insn->b) &&
			    !ir_is_const(s->ir, shift->a) && !ir_is_const(s->ir, insn->a);

		if (fits && !(at(s, shift->a)->flags & IR_FUSED)) {
			fuse(s, insn->b);
			return true;
		}
		swap_operands(insn);
	}
	return false;
}

/* Is the comparison true, or false, where there is a carry? */
static bool is_carry(const struct selection *s, const struct ir_insn *cmp)
{
	const struct ir_insn *a = at(s, cmp->a), *b = at(s, cmp->b);
	u32 width = a->op == IR_LOAD ? a->width : cmp->width;

	if (cmp->row == JMP_JLT || cmp->row == JMP_JGE)
		return true;
	if (cmp->row != JMP_JGT && cmp->row != JMP_JLE)
		return false;
	return !x86_fits_imm(b, cmp->width, s->features) ||
	       (b->imm && x86_has_next((s32)b->imm, width, s->features));
}

/* May the comparison be made here?  It may have loads of its own fused; without them it
 * may wait behind a CHECK, which stands in the middle of what were two blocks. */
static bool may_wait(const struct selection *s, u32 value)
{
	const struct ir_insn *cmp = at(s, value);
	u32 flags = at(s, cmp->a)->flags | at(s, cmp->b)->flags;

	return value >= s->last_write ||
	       (at(s, s->last_write)->op == IR_CHECK && !(flags & IR_FUSED));
}

/* y + (a < b), y - (a < b): with the carry of the comparison. */
static bool fuse_carry(struct selection *s, struct ir_insn *insn)
{
	u32 tries = insn->row == ALU_ADD ? 2 : insn->row == ALU_SUB;

	for (u32 i = 0; i < tries; i++) {
		const struct ir_insn *cmp = at(s, insn->b);

		if (cmp->op == IR_CMP && is_used_once_here(s, insn->b) &&
		    may_wait(s, insn->b) && is_carry(s, cmp)) {
			fuse(s, insn->b);
			return true;
		}
		if (tries == 2)
			swap_operands(insn);
	}
	return false;
}

/* Can it be the distance from the stack pointer, with the frame's size? */
static bool is_near(const struct selection *s, s64 off)
{
	return off > -(1 << 30) && off < 1 << 30 && !x86_is_blinded(off, s->features);
}

static void select_count(struct selection *s, struct ir_insn *insn)
{
	if (is_operand(s, insn->a, insn->width) && !at(s, insn->a)->row)
		fuse(s, insn->a);
}

static void select_alu(struct selection *s, struct ir_insn *insn)
{
	const struct x86_alu_row *row = &x86_alu_rows[insn->row];
	bool simple = row->form == FORM_SIMPLE || row->form == FORM_MULTIPLY;

	if (!simple)
		return;
	if (x86_is_frame_address(s->ir, insn) && is_near(s, at(s, insn->b)->imm)) {
		insn->flags |= IR_FUSED;
		return;
	}
	if (row->commutes && ir_is_const(s->ir, insn->a))
		swap_operands(insn);
	if (insn->row == ALU_AND && s->tests[number_of(s, insn)] == insn->uses) {
		insn->flags |= IR_FUSED;
		return;
	}
	if (fuse_carry(s, insn) || (insn->row == ALU_ADD && fuse_shift(s, insn)))
		return;
	if (row->commutes && is_operand(s, insn->a, insn->width) &&
	    !ir_is_const(s->ir, insn->b))
		swap_operands(insn);
	/* write over what ends here */
	else if (row->commutes && at(s, insn->a)->uses > 1 && at(s, insn->b)->uses == 1 &&
		 !ir_is_const(s->ir, insn->b) && at(s, insn->a)->op != IR_PHI)
		swap_operands(insn);
	if (insn->a != insn->b && is_operand(s, insn->b, insn->width))
		fuse(s, insn->b);
}

/* A zero-extended load against a constant that it can be equal to: compared where it
 * lies.  No 16 bits: an immediate of that size makes decoders stumble. */
static bool fits_in_memory(const struct selection *s, const struct ir_insn *insn)
{
	const struct ir_insn *load = at(s, insn->a), *constant = at(s, insn->b);

	if (!is_free_load(s, insn->a) || constant->op != IR_CONST ||
	    x86_is_blinded(constant->imm, s->features))
		return false;
	if (load->width == insn->width)
		return x86_fits_imm(constant, insn->width, s->features);
	if (load->row || load->width == 16 || constant->imm < 0)
		return false;
	return load->width == 8 ? constant->imm <= UINT8_MAX : constant->imm <= INT32_MAX;
}

/* A fused AND may test memory, where the constant is not wider than that. */
static void select_test(struct selection *s, const struct ir_insn *and)
{
	const struct ir_insn *load = at(s, and->a), *mask = at(s, and->b);

	if (and->uses != 1 || !is_free_load(s, and->a))
		return;
	if (mask->op == IR_CONST && mask->imm >= 0 &&
	    !x86_is_blinded(mask->imm, s->features) &&
	    (mask->imm <= UINT8_MAX || load->width == and->width ||
	     (load->width == 32 && mask->imm <= INT32_MAX)))
		fuse(s, and->a);
}

/* The sign of the low 8, 16 or 32 bits: no need to extend it. */
static bool is_sign_test(const struct selection *s, const struct ir_insn *insn)
{
	const struct ir_insn *a = at(s, insn->a), *b = at(s, insn->b);

	return (insn->row == JMP_JSLT || insn->row == JMP_JSGE) && b->op == IR_CONST &&
	       !b->imm && a->op == IR_ALU && x86_alu_rows[a->row].form == FORM_EXTEND &&
	       a->uses == 1 && a->width >= insn->width &&
	       !(at(s, a->a)->flags & IR_FUSED);
}

static void select_compare(struct selection *s, struct ir_insn *insn)
{
	const struct ir_insn *a = at(s, insn->a);

	if (a->op == IR_ALU && a->flags & IR_FUSED && a->row == ALU_AND)
		select_test(s, a);
	else if (fits_in_memory(s, insn) || is_sign_test(s, insn))
		fuse(s, insn->a);
	else if (insn->a != insn->b && is_operand(s, insn->b, insn->width) &&
		 !ir_is_const(s->ir, insn->a))
		fuse(s, insn->b);
	else if (insn->a != insn->b && is_operand(s, insn->a, insn->width) &&
		 !ir_is_const(s->ir, insn->b) && !(at(s, insn->b)->flags & IR_FUSED)) {
		swap_operands(insn);
		insn->row = (u8)jmp_exchanged(insn->row);
		fuse(s, insn->b);
	}
}

/* Not yet where selects ask: they may be in its place. */
static void select_condition(struct selection *s, struct ir_insn *insn)
{
	if (!s->selects[number_of(s, insn)])
		select_compare(s, insn);
}

/* Only selects ask it, each for itself: one alone may load what it compares. */
static void select_choice(struct selection *s, const struct ir_insn *insn)
{
	struct ir_insn *cmp = at(s, insn->a);

	if (cmp->op != IR_CMP || s->selects[insn->a] != cmp->uses)
		return;
	if (cmp->uses == 1 && insn->a >= s->start)
		select_compare(s, cmp);
	else if (is_sign_test(s, cmp))
		fuse(s, cmp->a);
	fuse(s, insn->a);
}

/* ---- stores ---- */

static bool is_same_place(const struct ir_insn *load, const struct ir_insn *store)
{
	return load->op == IR_LOAD && load->a == store->a && load->b == store->b &&
	       load->scale == store->scale && load->imm == store->imm &&
	       load->width == store->width;
}

/* *p = *p op x */
static bool fuse_update(struct selection *s, struct ir_insn *store)
{
	struct ir_insn *alu = at(s, store->c);

	if (alu->op != IR_ALU || x86_alu_rows[alu->row].form != FORM_SIMPLE ||
	    alu->width < store->width || !is_used_once_here(s, store->c) ||
	    alu->flags & IR_FUSED)
		return false;
	if (x86_alu_rows[alu->row].commutes && is_same_place(at(s, alu->b), store))
		swap_operands(alu);
	if (!is_same_place(at(s, alu->a), store) || !is_free_load(s, alu->a) ||
	    alu->a == alu->b)
		return false;
	if (at(s, alu->b)->op != IR_CONST && !x86_is_frame_address(s->ir, at(s, alu->b)))
		at(s, alu->b)->flags &= (u8)~IR_FUSED;
	fuse(s, alu->a);
	fuse(s, store->c);
	return true;
}

static void select_store(struct selection *s, struct ir_insn *insn)
{
	const struct ir_insn *c = at(s, insn->c);

	if (!fits_s32(insn->imm) || fuse_update(s, insn))
		return;
	if (c->op == IR_SWAP && c->width == insn->width && s->features & X86_MOVBE &&
	    is_used_once_here(s, insn->c) && !(at(s, c->a)->flags & IR_FUSED))
		fuse(s, insn->c);
}

/* ---- the walk ---- */

static void select_insn(struct selection *s, struct ir_insn *insn)
{
	switch ((enum ir_op)insn->op) {
	case IR_ALU: select_alu(s, insn); return;
	case IR_STORE: select_store(s, insn); return;
	case IR_CMP: select_condition(s, insn); return;
	case IR_JMP: select_compare(s, insn); return;
	case IR_COUNT: select_count(s, insn); return;
	case IR_SELECT: select_choice(s, insn); return;
	case IR_SWAP:
		if (insn->width > 16 && s->features & X86_MOVBE &&
		    is_operand(s, insn->a, insn->width) && !at(s, insn->a)->row)
			fuse(s, insn->a);
		return;
	case IR_NOP:
	case IR_CONST:
	case IR_ADDR:
	case IR_RUN:
	case IR_FRAME:
	case IR_PARAM:
	case IR_PHI:
	case IR_ROTL:
	case IR_MULH:
	case IR_LOAD:
	case IR_LOAD_ACQ:
	case IR_STORE_REL:
	case IR_ATOMIC:
	case IR_LD_PACKET:
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL:
	case IR_CHECK:
	case IR_GOTO:
	case IR_EXIT:
	case IR_OPS: return;
	}
}

/* Constants that no immediate can be: one register for all uses, if there is one. */
static void want_registers(struct selection *s, const struct ir_insn *insn)
{
	bool b = insn->op == IR_JMP || insn->op == IR_CMP ||
		 (insn->op == IR_ALU && (x86_alu_rows[insn->row].form == FORM_SIMPLE ||
					 x86_alu_rows[insn->row].form == FORM_MULTIPLY));

	if (b && !x86_fits_imm(at(s, insn->b), insn->width, s->features))
		s->wanted[insn->b] = true;
	if (insn->op == IR_STORE &&
	    !x86_fits_imm(at(s, insn->c), insn->width, s->features))
		s->wanted[insn->c] = true;
	if (insn->op == IR_LOAD || insn->op == IR_STORE || insn->op == IR_ATOMIC)
		s->wanted[insn->a] = true;
	if (insn->op == IR_SELECT) {
		s->wanted[insn->b] |= s->selects[insn->b] > 1;
		s->wanted[insn->c] |= s->selects[insn->c] > 1;
	}
}

static void fuse_constants(struct selection *s)
{
	struct ir *ir = s->ir;

	for (u32 i = 0; i < ir->n_insns; i++)
		want_registers(s, &ir->insns[i]);
	for (u32 i = 0; i < ir->n_insns; i++) {
		struct ir_insn *insn = &ir->insns[i];

		if (insn->op == IR_FRAME || (insn->op == IR_CONST && !s->wanted[i]))
			insn->flags |= IR_FUSED;
	}
}

void x86_select(struct ir *ir, u32 features)
{
	struct selection s = {.ir = ir, .features = features};
	u32 *room = arena_array(ir->arena, ir->n_insns, 4 * sizeof(u32) + 1);

	/* without memory nothing is fused; the allocator says so soon enough */
	if (!room)
		return;
	s.addresses = room;
	s.kept = room + ir->n_insns;
	s.selects = s.kept + ir->n_insns;
	s.tests = s.selects + ir->n_insns;
	s.wanted = (bool *)(s.tests + ir->n_insns);
	find_counts(ir, features & X86_POPCNT);
	find_logs(ir);
	count_kinds(&s);
	fold_addresses(&s);
	for (u32 b = 0; b < ir->n_blocks; b++) {
		s.start = s.last_write = ir->blocks[b].start;
		for (u32 i = s.start; i < ir->blocks[b].end; i++) {
			select_insn(&s, &ir->insns[i]);
			if (ir_ops[ir->insns[i].op].effect == IR_WRITE)
				s.last_write = i;
		}
	}
	fuse_constants(&s);
	ir_count_uses(ir);
}
