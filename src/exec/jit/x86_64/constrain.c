/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What x86-64's instructions want of the register allocator: division and multiplication
 * live in RAX and RDX, shifts without BMI2 in RCX, calls where the ABI says, and most
 * others write over their first operand.
 */
#include "exec/jit/x86_64/x86.h"

#define BIT(reg) (1u << (reg))

enum {
	CALLER_SAVED = BIT(RAX) | BIT(RCX) | BIT(RDX) | BIT(RSI) | BIT(RDI) | BIT(XR8) |
		       BIT(XR9) | BIT(XR10) | BIT(XR11),
	ALLOCATABLE = 0xffff & ~(BIT(RSP) | BIT(XR11)),
};

static void constrain_shift(const struct ir *ir, const struct ir_insn *insn, u32 features,
			    struct constraint *c)
{
	if (ir_is_const(ir, insn->b)) {
		c->tied = insn->op != IR_ROTL || !(features & X86_BMI2);
	} else if (insn->op != IR_ROTL && features & X86_BMI2) {
		c->late_b = false;
	} else {
		c->clobbers = BIT(RCX);
		c->b = RCX;
		c->tied = true;
	}
}

static void constrain_alu(const struct ir *ir, const struct ir_insn *insn, u32 features,
			  struct constraint *c)
{
	const struct x86_alu_row *row = &x86_alu_rows[insn->row];

	switch ((enum x86_form)row->form) {
	case FORM_SIMPLE:
		c->tied = true;
		/* a - b would be written as -b + a otherwise */
		c->late_b = insn->row == ALU_SUB && !ir_is_const(ir, insn->b);
		return;
	case FORM_MULTIPLY: c->tied = !ir_is_const(ir, insn->b); return;
	case FORM_NEGATE: c->tied = true; return;
	case FORM_SHIFT: constrain_shift(ir, insn, features, c); return;
	case FORM_DIVIDE:
		c->clobbers = BIT(RAX) | BIT(RDX);
		c->a = RAX;
		c->out = row->remainder ? RDX : RAX;
		return;
	case FORM_MOVE:
	case FORM_EXTEND: return;
	}
}

static void constrain_atomic(const struct ir_insn *insn, struct constraint *c)
{
	switch ((enum x86_atomic_form)x86_atomic_rows[insn->row].form) {
	case FORM_LOCKED: return;
	case FORM_XADD:
	case FORM_XCHG:
		c->late_a = true;
		c->out = NO_REG;
		return;
	case FORM_CMPXCHG:
		c->b = RAX;
		c->late_a = c->late_c = true;
		c->clobbers = BIT(RAX);
		c->out = RAX;
		return;
	case FORM_LOOP:
		c->late_a = c->late_c = true;
		c->clobbers = BIT(RAX);
		c->out = RAX;
		return;
	}
}

static u32 count_rebuilt(const struct ir *ir, const struct ir_insn *insn, u32 features);

/* Does reading the value take a scratch register, and how many do what it is made of? */
static u32 count_value(const struct ir *ir, u32 value, u32 features)
{
	const struct ir_insn *insn = &ir->insns[value];

	if (insn->op == IR_CONST)
		return !x86_fits_imm(insn, 64, features);
	if (x86_is_rebuilt(insn))
		return 1;
	if (!(insn->flags & IR_FUSED))
		return 0;
	return x86_is_frame_address(ir, insn) ? 1 : count_rebuilt(ir, insn, features);
}

/* As a base it is RSP. */
static bool is_frame(const struct ir *ir, u32 value)
{
	const struct ir_insn *insn = &ir->insns[value];

	return insn->op == IR_FRAME ||
	       (insn->flags & IR_FUSED && x86_is_frame_address(ir, insn));
}

static u32 count_rebuilt(const struct ir *ir, const struct ir_insn *insn, u32 features)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	bool compares = insn->op == IR_CMP || insn->op == IR_JMP;
	bool far = (insn->op == IR_LOAD || insn->op == IR_STORE) &&
		   (!fits_s32(insn->imm) || x86_is_blinded(insn->imm, features));

	bool frame = (info->effect == IR_READ || info->effect == IR_WRITE) &&
		     is_frame(ir, insn->a);

	return (info->a && !frame ? count_value(ir, insn->a, features) : 0) +
	       (info->b ? count_value(ir, insn->b, features) : 0) +
	       (info->c ? count_value(ir, insn->c, features) : 0) +
	       (compares && ir_is_const(ir, insn->a)) + far;
}

/* The first has R11.  Two of them, or one beside a value that an atomic holds there: R10,
 * too, and nothing that is still to be read may be in it. */
static void constrain_scratch(const struct ir *ir, const struct ir_insn *insn,
			      u32 features, struct constraint *c)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	bool both = insn->op == IR_ATOMIC;

	if (count_rebuilt(ir, insn, features) < (both ? 1 : 2))
		return;
	c->clobbers |= BIT(XR10);
	c->late_a |= info->a;
	c->late_b |= info->b;
	c->late_c |= info->c;
}

static void constrain_mulh(const struct ir_insn *insn, u32 features, struct constraint *c)
{
	bool mulx = x86_is_mulx(insn, features);

	c->a = mulx ? RDX : RAX;
	c->out = mulx ? NO_REG : RDX;
	c->clobbers = BIT(RDX) | (mulx ? 0 : BIT(RAX));
}

static void constrain_call(const struct ir_insn *insn, struct constraint *c)
{
	c->clobbers = CALLER_SAVED;
	if (insn->op != IR_LD_PACKET)
		c->out = RAX;
	for (u32 i = 0; i < insn->n_args && i < MAX_ARGS; i++)
		c->args[i] = machine_x86_64.params[1 + i];
}

void x86_constrain(const struct ir *ir, u32 number, u32 features, struct constraint *c)
{
	const struct ir_insn *insn = &ir->insns[number];

	switch ((enum ir_op)insn->op) {
	case IR_ALU: constrain_alu(ir, insn, features, c); break;
	case IR_ROTL: constrain_shift(ir, insn, features, c); break;
	case IR_SWAP: c->tied = true; break;
	case IR_CMP: c->late_a = c->late_b = true; break; /* zeroed before */
	case IR_MULH: constrain_mulh(insn, features, c); break;
	case IR_ATOMIC: constrain_atomic(insn, c); break;
	case IR_PARAM: c->out = machine_x86_64.params[insn->imm]; break;
	case IR_RUN: c->out = machine_x86_64.params[0]; break;
	case IR_EXIT: c->a = RAX; break;
	case IR_LD_PACKET:
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL: constrain_call(insn, c); return;
	case IR_NOP:
	case IR_CONST:
	case IR_ADDR:
	case IR_FRAME:
	case IR_PHI:
	case IR_COUNT:
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
	constrain_scratch(ir, insn, features, c);
}

const struct machine machine_x86_64 = {
	.name = "x86_64",
	.registers = ALLOCATABLE,
	.spill_scratch = BIT(XR10),
	.caller_saved = CALLER_SAVED & ~BIT(XR11),
	.params = {RDI, RSI, RDX, RCX, XR8, XR9},
	.select = x86_select,
	.constrain = x86_constrain,
	.begin = x86_begin,
	.emit = x86_emit,
	.link = x86_link,
};
