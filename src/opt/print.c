/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listing of the intermediate form.  Values are numbered anew in the order in which
 * they stand, constants are written where they are used, NOPs are left out: so that a
 * listing says what a program computes and not how it was written.
 */
#include <ctype.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "base/text.h"
#include "opt/ir.h"

struct printer {
	struct text *t;
	const struct ir *ir;
	u32 *shown; /* owned; by value: its number in the listing */
};

static const char *const alu_names[] = {
#define A(name, ...) #name,
#include "isa/alu.def"
#undef A
};
static const char *const jmp_names[] = {
#define J(name, ...) #name,
#include "isa/jmp.def"
#undef J
};
static const char *const atomic_names[] = {
#define T(name, ...) #name,
#include "isa/atomic.def"
#undef T
};
static const char *const addr_names[] = {"map", "map_bytes", "helper", "func"};

static void print_lower(struct text *t, const char *name)
{
	for (; *name; name++)
		text_printf(t, "%c", tolower((unsigned char)*name));
}

static bool is_value(const struct ir_insn *insn)
{
	switch ((enum ir_op)insn->op) {
	case IR_ADDR:
	case IR_RUN:
	case IR_FRAME:
	case IR_PARAM:
	case IR_PHI:
	case IR_ALU:
	case IR_ROTL:
	case IR_SWAP:
	case IR_MULH:
	case IR_COUNT:
	case IR_CMP:
	case IR_SELECT:
	case IR_LOAD:
	case IR_LOAD_ACQ:
	case IR_ATOMIC:
	case IR_LD_PACKET:
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL: return true;
	case IR_NOP:
	case IR_CONST:
	case IR_STORE:
	case IR_STORE_REL:
	case IR_CHECK:
	case IR_GOTO:
	case IR_JMP:
	case IR_EXIT:
	case IR_OPS: break;
	}
	return false;
}

static void print_value(const struct printer *p, u32 value)
{
	const struct ir_insn *insn = &p->ir->insns[value];
	s64 imm = insn->imm;

	if (insn->op != IR_CONST)
		text_printf(p->t, "v%u", p->shown[value]);
	else if (imm > -65536 && imm < 65536)
		text_printf(p->t, "%lld", (long long)imm);
	else
		text_printf(p->t, "%#llx", (unsigned long long)imm);
}

static void print_address(const struct printer *p, const struct ir_insn *insn)
{
	text_puts(p->t, "[");
	print_value(p, insn->a);
	if (insn->b && insn->op != IR_ATOMIC) {
		text_puts(p->t, " + ");
		print_value(p, insn->b);
		if (insn->scale)
			text_printf(p->t, " * %u", 1u << insn->scale);
	}
	if (insn->imm)
		text_printf(p->t, " %c %lld", insn->imm < 0 ? '-' : '+',
			    insn->imm < 0 ? -(long long)insn->imm : (long long)insn->imm);
	text_puts(p->t, "]");
}

static void print_operands(const struct printer *p, const struct ir_insn *insn)
{
	const struct ir_op_info *info = &ir_ops[insn->op];
	const char *between = " ";

	if (info->a && insn->a) {
		text_puts(p->t, between);
		print_value(p, insn->a);
		between = ", ";
	}
	if (info->b && insn->b) {
		text_puts(p->t, between);
		print_value(p, insn->b);
		between = ", ";
	}
	if (info->c && insn->c) {
		text_puts(p->t, between);
		print_value(p, insn->c);
	}
}

static void print_args(const struct printer *p, const struct ir_insn *insn)
{
	text_puts(p->t, "(");
	for (u32 i = 0; i < insn->n_args; i++) {
		text_puts(p->t, i ? ", " : "");
		print_value(p, p->ir->args[insn->aux + i]);
	}
	text_puts(p->t, ")");
}

static void print_phi(const struct printer *p, const struct ir_insn *insn,
		      const struct ir_block *block)
{
	text_puts(p->t, "phi");
	for (u32 i = 0; i < block->n_preds; i++) {
		text_printf(p->t, "%s b%u: ", i ? "," : "",
			    p->ir->preds[block->preds + i]);
		print_value(p, p->ir->args[insn->aux + i]);
	}
}

static const char *const counts[] = {
	[IR_COUNT_ONES] = "ones",
	[IR_COUNT_LEADING] = "leading",
	[IR_COUNT_LOG2] = "log2",
};

static void print_row(const struct printer *p, const struct ir_insn *insn)
{
	if (insn->op == IR_ALU)
		print_lower(p->t, alu_names[insn->row]);
	else
		text_printf(p->t, "%s ", ir_ops[insn->op].name);
	if (insn->op == IR_CMP || insn->op == IR_JMP)
		print_lower(p->t, jmp_names[insn->row]);
	if (insn->op == IR_ATOMIC)
		print_lower(p->t, atomic_names[insn->row]);
	text_printf(p->t, "%u", insn->width);
}

static void print_helper(const struct printer *p, const struct ir_insn *insn)
{
	const struct abi_helper *helper =
		abi_is_kfunc(insn->a) ? abi_kfunc_proto(insn->a) : abi_helper(insn->a);

	if (helper)
		text_printf(p->t, "call %s", helper->name);
	else
		text_printf(p->t, "call %u", insn->a);
	print_args(p, insn);
}

static void print_body(const struct printer *p, const struct ir_insn *insn,
		       const struct ir_block *block)
{
	const char *name = ir_ops[insn->op].name;

	switch ((enum ir_op)insn->op) {
	case IR_PHI: print_phi(p, insn, block); return;
	case IR_ADDR:
		text_printf(p->t, "addr %s %u", addr_names[insn->row], insn->aux);
		return;
	case IR_PARAM: text_printf(p->t, "param %lld", (long long)insn->imm); return;
	case IR_ALU:
	case IR_CMP:
	case IR_JMP:
		print_row(p, insn);
		print_operands(p, insn);
		return;
	case IR_LOAD:
	case IR_LOAD_ACQ:
		text_printf(p->t, "%s%u%s ", name, insn->width, insn->row ? "s" : "");
		print_address(p, insn);
		return;
	case IR_STORE:
	case IR_STORE_REL:
		text_printf(p->t, "%s%u ", name, insn->width);
		print_address(p, insn);
		text_puts(p->t, ", ");
		print_value(p, insn->c);
		return;
	case IR_ATOMIC:
		print_row(p, insn);
		text_puts(p->t, " ");
		print_address(p, insn);
		if (insn->b) {
			text_puts(p->t, ", ");
			print_value(p, insn->b);
		}
		text_puts(p->t, ", ");
		print_value(p, insn->c);
		return;
	case IR_CALL: print_helper(p, insn); return;
	case IR_CALL_LOCAL:
		text_printf(p->t, "call f%lld", (long long)insn->imm);
		print_args(p, insn);
		return;
	case IR_CALLX:
		text_puts(p->t, "callx");
		print_operands(p, insn);
		print_args(p, insn);
		return;
	case IR_TAIL_CALL:
		text_puts(p->t, "tail_call");
		print_args(p, insn);
		return;
	case IR_LD_PACKET:
		text_printf(p->t, "ld_packet%u", insn->width);
		print_operands(p, insn);
		text_printf(p->t, " %+lld", (long long)insn->imm);
		return;
	case IR_COUNT:
		text_printf(p->t, "%s_%s%u", name, counts[insn->row], insn->width);
		print_operands(p, insn);
		return;
	case IR_ROTL:
	case IR_SWAP:
		text_printf(p->t, "%s%u", name, insn->width);
		print_operands(p, insn);
		return;
	case IR_MULH:
		text_printf(p->t, "%s%s", name, insn->row ? "s" : "");
		print_operands(p, insn);
		return;
	case IR_NOP:
	case IR_CONST:
	case IR_RUN:
	case IR_FRAME:
	case IR_SELECT:
	case IR_CHECK:
	case IR_GOTO:
	case IR_EXIT:
	case IR_OPS: text_puts(p->t, name); print_operands(p, insn);
	}
}

static void print_insn(const struct printer *p, u32 i, const struct ir_block *block)
{
	const struct ir_insn *insn = &p->ir->insns[i];

	if (insn->op == IR_NOP || insn->op == IR_CONST)
		return;
	text_puts(p->t, "\t");
	if (is_value(insn))
		text_printf(p->t, "v%u = ", p->shown[i]);
	print_body(p, insn, block);
	for (u32 k = 0; k < 2 && ir_ops[insn->op].effect == IR_END; k++)
		if (block->succ[k] != IR_NO_BLOCK)
			text_printf(p->t, "%s b%d",
				    k                     ? ","
				    : insn->op == IR_GOTO ? ""
							  : ":",
				    block->succ[k]);
	if (insn->flags & IR_NONZERO)
		text_puts(p->t, " (not by 0)");
	text_puts(p->t, insn->flags & IR_FUSED ? " (fused)\n" : "\n");
}

static void print_block(const struct printer *p, u32 number)
{
	const struct ir_block *block = &p->ir->blocks[number];

	text_printf(p->t, "%sb%u:", number ? "\n" : "", number);
	if (block->loop_depth)
		text_printf(p->t, " %s %u", block->loop_header ? "loop" : "depth",
			    block->loop_depth);
	text_puts(p->t, "\n");
	for (u32 i = block->start; i < block->end; i++)
		print_insn(p, i, block);
}

void ir_print(struct text *t, const struct ir *ir)
{
	struct printer p = {t, ir, calloc(ir->n_insns + 1, sizeof(*p.shown))};
	u32 n = 0;

	if (!p.shown) {
		t->failed = true;
		return;
	}
	for (u32 b = 0; b < ir->n_blocks; b++)
		for (u32 i = ir->blocks[b].start; i < ir->blocks[b].end; i++)
			if (is_value(&ir->insns[i]))
				p.shown[i] = ++n;
	for (u32 b = 0; b < ir->n_blocks; b++)
		print_block(&p, b);
	free(p.shown);
}
