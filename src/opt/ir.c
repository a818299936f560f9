/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of the operations of the intermediate form, and the small questions that
 * everybody asks of it.
 */
#include "opt/ir.h"

#include "isa/eval.h"

/* Is a letter among the operands of a row?  They are a string of at most three. */
#define AT(s, i) (sizeof(s) > (i) + 1 ? (s)[sizeof(s) > (i) + 1 ? (i) : 0] : 0)
#define HAS(s, operand)                                                                  \
	(AT(s, 0) == operand || AT(s, 1) == operand || AT(s, 2) == operand)

const struct ir_op_info ir_ops[IR_OPS] = {
#define I(op_name, operands, op_effect, text)                                            \
	[IR_##op_name] = {.name = text,                                                  \
			  .a = HAS(operands, 'a'),                                       \
			  .b = HAS(operands, 'b'),                                       \
			  .c = HAS(operands, 'c'),                                       \
			  .effect = IR_##op_effect},
#include "opt/ir.def"
#undef I
};

static void count_use(struct ir *ir, u32 value)
{
	ir->insns[value].uses++;
}

static void count_operands(struct ir *ir, const struct ir_insn *insn, u32 n_args)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	if (info->a)
		count_use(ir, insn->a);
	if (info->b)
		count_use(ir, insn->b);
	if (info->c)
		count_use(ir, insn->c);
	for (u32 i = 0; i < n_args; i++)
		count_use(ir, ir->args[insn->aux + i]);
}

void ir_count_uses(struct ir *ir)
{
	for (u32 i = 0; i < ir->n_insns; i++)
		ir->insns[i].uses = 0;
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *block = &ir->blocks[b];

		for (u32 i = block->start; i < block->end; i++) {
			const struct ir_insn *insn = &ir->insns[i];

			count_operands(ir, insn,
				       insn->op == IR_PHI ? block->n_preds
							  : insn->n_args);
		}
	}
	ir->insns[0].uses = 0;
}

/* An AND is as narrow as either side. */
static bool and_is_narrow(const struct ir *ir, const struct ir_insn *insn)
{
	const struct ir_insn *mask = &ir->insns[insn->b];

	return mask->op == IR_CONST && (u64)mask->imm <= UINT32_MAX;
}

static bool shift_is_narrow(const struct ir *ir, const struct ir_insn *insn)
{
	const struct ir_insn *count = &ir->insns[insn->b];

	return count->op == IR_CONST && (count->imm & 63) >= 32;
}

bool ir_upper_is_zero(const struct ir *ir, u32 value)
{
	const struct ir_insn *insn = &ir->insns[value];

	switch ((int)insn->op) {
	case IR_CONST: return (u64)insn->imm <= UINT32_MAX;
	case IR_ALU:
		return insn->width == 32 ||
		       (insn->row == ALU_AND && and_is_narrow(ir, insn)) ||
		       (insn->row == ALU_RSH && shift_is_narrow(ir, insn));
	case IR_ROTL: return insn->width == 32;
	case IR_SWAP: return insn->width <= 32;
	case IR_COUNT:
	case IR_CMP: return true;
	case IR_LOAD: return !insn->row && insn->width <= 32;
	case IR_LOAD_ACQ:
	case IR_ATOMIC: return insn->width <= 32;
	default: return false;
	}
}

u8 jmp_opposite(u8 row)
{
	switch ((enum jmp)row) {
	case JMP_JEQ: return JMP_JNE;
	case JMP_JNE: return JMP_JEQ;
	case JMP_JGT: return JMP_JLE;
	case JMP_JLE: return JMP_JGT;
	case JMP_JGE: return JMP_JLT;
	case JMP_JLT: return JMP_JGE;
	case JMP_JSGT: return JMP_JSLE;
	case JMP_JSLE: return JMP_JSGT;
	case JMP_JSGE: return JMP_JSLT;
	case JMP_JSLT: return JMP_JSGE;
	case JMP_JSET:
	case JMPS: break;
	}
	return JMPS;
}

u64 ir_swap_bytes(u8 width, u64 x)
{
	switch (width) {
	case 16: return end_BSWAP16(x);
	case 32: return end_BSWAP32(x);
	default: return end_BSWAP64(x);
	}
}
