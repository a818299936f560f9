/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What A64 does in one instruction: constants as immediates, addresses of two registers,
 * shifted operands, multiply and add, conditions.  Marks those values as fused.  A value
 * is fused only when everything that uses it takes it, and, but for constants, when it
 * has one user in the same block, so that nothing is computed more often than before.
 */
#include "exec/jit/aarch64/a64.h"
#include "isa/insn.h"

static u64 at_width(u64 value, u32 width)
{
	return width == 64 ? value : (u32)value;
}

/* Minus a value, at a width. */
static u64 negated(u64 value, u32 width)
{
	return at_width(0 - value, width);
}

static bool is_compare_imm(u64 value, bool wide)
{
	u32 width = wide ? 64 : 32;

	return a64_fits_add(at_width(value, width)) ||
	       a64_fits_add(negated(value, width));
}

static bool alu_takes(const struct ir_insn *insn, u64 value)
{
	switch ((enum alu)insn->row) {
	case ALU_ADD:
	case ALU_SUB: return is_compare_imm(value, insn->width == 64);
	case ALU_AND:
	case ALU_OR:
	case ALU_XOR:
		return !at_width(value, insn->width) ||
		       a64_fits_logical(value, insn->width == 64);
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH: return true;
	case ALU_MUL:
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
	case ALU_NEG:
	case ALU_MOV:
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32:
	case ALUS: return false;
	}
	return false;
}

/* Does the instruction take the constant as its operand b? */
static bool takes_b(const struct ir_insn *insn, u64 value)
{
	if (insn->op == IR_ALU)
		return alu_takes(insn, value);
	if (insn->op == IR_ROTL)
		return true;
	if (insn->op == IR_CMP || insn->op == IR_JMP)
		return insn->row == JMP_JSET ? a64_fits_logical(value, insn->width == 64)
					     : is_compare_imm(value, insn->width == 64);
	return insn->op == IR_SELECT && !value;
}

/* Instructions of MOVZ, MOVN and MOVK that it takes. */
static u32 mov_length(u64 value)
{
	u32 zeros = 0, ones = 0;

	for (u32 hw = 0; hw < 4; hw++) {
		u16 part = (u16)(value >> 16 * hw);

		zeros += !part;
		ones += part == 0xffff;
	}
	return 4 - (zeros > ones ? zeros : ones);
}

static void take_back(struct ir *ir, u32 v)
{
	ir->insns[v].flags &= (u8)~IR_FUSED;
}

/* Constants that somebody wants in a register get one. */
static void want_registers(struct ir *ir, const struct ir_insn *insn)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	const struct ir_insn *b = &ir->insns[insn->b], *c = &ir->insns[insn->c],
			     *a = &ir->insns[insn->a];
	bool memory = insn->op == IR_LOAD || insn->op == IR_STORE;

	if (info->a && a->op == IR_CONST && a->imm && insn->op != IR_EXIT)
		take_back(ir, insn->a);
	if (info->a && a->op == IR_FRAME && (!memory || insn->b))
		take_back(ir, insn->a);
	if (info->b && b->op == IR_CONST && !takes_b(insn, (u64)b->imm))
		take_back(ir, insn->b);
	if (info->b && b->op == IR_FRAME)
		take_back(ir, insn->b);
	if (info->c && c->op == IR_FRAME)
		take_back(ir, insn->c);
	if (info->c && c->op == IR_CONST && c->imm)
		take_back(ir, insn->c);
}

static void want_registers_for_phi(struct ir *ir, const struct ir_block *block,
				   const struct ir_insn *phi)
{
	for (u32 i = 0; i < block->n_preds; i++) {
		u32 v = ir->args[phi->aux + i];

		if (ir->insns[v].op == IR_FRAME ||
		    (ir->insns[v].op == IR_CONST &&
		     mov_length((u64)ir->insns[v].imm) > 2))
			take_back(ir, v);
	}
}

static void fuse_constants(struct ir *ir)
{
	for (u32 i = 0; i < ir->n_insns; i++)
		if (ir->insns[i].op == IR_CONST || ir->insns[i].op == IR_FRAME)
			ir->insns[i].flags |= IR_FUSED;
	for (u32 i = 0; i < ir->n_blocks; i++) {
		const struct ir_block *block = &ir->blocks[i];

		for (u32 v = block->start; v < block->end; v++) {
			if (ir->insns[v].op == IR_PHI)
				want_registers_for_phi(ir, block, &ir->insns[v]);
			else if (ir->insns[v].op != IR_NOP)
				want_registers(ir, &ir->insns[v]);
		}
	}
}

/* ---- several into one ---- */

/* Is it an ALU row of this block that nobody else needs? */
static bool is_mine(const struct ir *ir, const struct ir_block *block, u32 v,
		    enum alu row)
{
	const struct ir_insn *insn = &ir->insns[v];

	return v >= block->start && insn->op == IR_ALU && insn->row == (u8)row &&
	       insn->uses == 1 && !is_fused(insn);
}

static bool is_shift_by_constant(const struct ir *ir, const struct ir_block *block, u32 v)
{
	return is_mine(ir, block, v, ALU_LSH) && ir_is_const(ir, ir->insns[v].b);
}

static void drop(struct ir *ir, u32 v)
{
	ir->insns[v] = (struct ir_insn){.op = IR_NOP};
}

/* [x + y], [x + (y << log2)]: only without a displacement. */
static void fuse_address(struct ir *ir, const struct ir_block *block,
			 struct ir_insn *insn)
{
	u32 log2 = (u32)__builtin_ctz(insn->width / 8);
	struct ir_insn *sum = &ir->insns[insn->a], *index;

	if (insn->b || insn->imm || !is_mine(ir, block, insn->a, ALU_ADD) ||
	    sum->width != 64 || ir_is_const(ir, sum->b))
		return;
	index = &ir->insns[sum->b];
	insn->b = sum->b;
	insn->a = sum->a;
	drop(ir, (u32)(sum - ir->insns));
	if (is_shift_by_constant(ir, block, insn->b) && index->width == 64 &&
	    shift_of(ir, index) == log2) {
		u32 shift = insn->b;

		insn->b = index->a;
		insn->scale = (u8)log2;
		ir->insns[index->b].uses--;
		drop(ir, shift);
	}
}

static bool takes_shifted(const struct ir_insn *insn)
{
	return insn->row == ALU_ADD || insn->row == ALU_SUB || insn->row == ALU_AND ||
	       insn->row == ALU_OR || insn->row == ALU_XOR;
}

/* y + (a < b) is CINC. */
static bool fuse_condition(struct ir *ir, const struct ir_block *block,
			   struct ir_insn *insn)
{
	for (u32 i = 0; i < 2 && insn->row == ALU_ADD; i++) {
		struct ir_insn *b = &ir->insns[insn->b];
		u32 a = insn->a;

		if (b->op == IR_CMP && b->uses == 1 && insn->b >= block->start &&
		    !ir_is_const(ir, a)) {
			b->flags |= IR_FUSED;
			return true;
		}
		insn->a = insn->b;
		insn->b = a;
	}
	return false;
}

static void fuse_alu(struct ir *ir, const struct ir_block *block, struct ir_insn *insn)
{
	struct ir_insn *b = &ir->insns[insn->b];

	if (!takes_shifted(insn) || insn->a == insn->b || fuse_condition(ir, block, insn))
		return;
	if (insn->row != ALU_SUB && !is_shift_by_constant(ir, block, insn->b) &&
	    !is_mine(ir, block, insn->b, ALU_MUL) && b->op != IR_CONST) {
		u32 a = insn->a; /* the other one may be what fits */

		insn->a = insn->b;
		insn->b = a;
		b = &ir->insns[a];
	}
	if (b->width != insn->width)
		return;
	if (is_shift_by_constant(ir, block, insn->b))
		b->flags |= IR_FUSED;
	else if ((insn->row == ALU_ADD || insn->row == ALU_SUB) &&
		 is_mine(ir, block, insn->b, ALU_MUL) && !is_fused(&ir->insns[b->a]) &&
		 !is_fused(&ir->insns[b->b]))
		b->flags |= IR_FUSED;
}

static void fuse_select(struct ir *ir, const struct ir_block *block, struct ir_insn *insn)
{
	struct ir_insn *cmp = &ir->insns[insn->a];

	if (cmp->op == IR_CMP && cmp->uses == 1 && insn->a >= block->start)
		cmp->flags |= IR_FUSED;
}

void a64_select(struct ir *ir, u32 features)
{
	(void)features;
	ir_count_uses(ir);
	find_counts(ir, false);
	find_logs(ir);
	for (u32 i = 0; i < ir->n_blocks; i++) {
		const struct ir_block *block = &ir->blocks[i];

		for (u32 v = block->start; v < block->end; v++) {
			struct ir_insn *insn = &ir->insns[v];

			if (insn->op == IR_LOAD || insn->op == IR_STORE)
				fuse_address(ir, block, insn);
		}
	}
	fuse_constants(ir);
	for (u32 i = 0; i < ir->n_blocks; i++) {
		const struct ir_block *block = &ir->blocks[i];

		for (u32 v = block->start; v < block->end; v++) {
			struct ir_insn *insn = &ir->insns[v];

			if (insn->op == IR_ALU)
				fuse_alu(ir, block, insn);
			else if (insn->op == IR_SELECT)
				fuse_select(ir, block, insn);
		}
	}
	ir_count_uses(ir);
}

/* ---- what the allocator must know ---- */

static const u8 params[1 + MAX_ARGS] = {0, 1, 2, 3, 4, 5};
enum { CALLER_SAVED = 0xffff };

static void constrain_call(const struct ir_insn *insn, struct constraint *c)
{
	c->clobbers = CALLER_SAVED;
	c->out = X0;
	for (u32 i = 0; i < insn->n_args && i < MAX_ARGS; i++)
		c->args[i] = params[1 + i];
}

void a64_constrain(const struct ir *ir, u32 v, u32 features, struct constraint *c)
{
	const struct ir_insn *insn = &ir->insns[v];

	(void)features;
	switch ((enum ir_op)insn->op) {
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL:
	case IR_LD_PACKET: constrain_call(insn, c); break;
	case IR_PARAM: c->out = params[insn->imm]; break;
	case IR_RUN: c->out = params[0]; break;
	case IR_EXIT: c->a = X0; break;
	case IR_ATOMIC:
		c->clobbers = 1u << X13 | 1u << X14 | 1u << X15;
		c->late_a = c->late_b = c->late_c = true;
		break;
	case IR_NOP:
	case IR_CONST:
	case IR_ADDR:
	case IR_FRAME:
	case IR_PHI:
	case IR_ALU:
	case IR_ROTL:
	case IR_SWAP:
	case IR_MULH:
	case IR_COUNT:
	case IR_CMP:
	case IR_SELECT:
	case IR_LOAD:
	case IR_STORE:
	case IR_LOAD_ACQ:
	case IR_STORE_REL:
	case IR_CHECK:
	case IR_GOTO:
	case IR_JMP:
	case IR_OPS: break;
	}
}
