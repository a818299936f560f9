/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_loop() with a callback that the program names: a loop that calls it.
 *
 * The frames of callbacks are counted where helpers call back, as a program may call
 * itself that way.  Here nobody counts: so the callback must be one that calls nothing of
 * the program, neither itself nor through a helper.
 */
#include <errno.h>
#include <linux/bpf.h>

#include "abi/abi.h"
#include "helpers/helpers.h"
#include "opt/inline.h"

enum { MAX_CALLBACK = 256 }; /* slots: it is read at each call */

static bool calls_back(const struct prog *prog, u32 number)
{
	const struct abi_helper *helper = graph_helper(prog, number);

	if (!helper || number == BPF_FUNC_tail_call)
		return true;
	for (u32 i = 0; i < 5; i++)
		if ((helper->args[i] & ABI_BASE) == ARG_PTR_TO_FUNC)
			return true;
	return false;
}

static bool stays_inside(const struct ir_spec *spec, u32 pc, u32 start, u32 end)
{
	const struct insn *insn = &spec->prog->insns[pc];
	enum op op = (enum op)spec->functions->ops[pc];
	u8 class = insn_class(insn->code);
	u32 target;

	if (op == OP_CALLX)
		return false;
	if (op == OP_CALL)
		return insn->src_reg == CALL_HELPER &&
		       !calls_back(spec->prog, (u32)insn->imm);
	if (op == OP_EXIT || (class != CLASS_JMP && class != CLASS_JMP32))
		return true;
	target = jump_target(insn, pc);
	return target >= start && target < end;
}

static bool is_leaf(const struct ir_spec *spec, u32 function)
{
	const struct ir_functions *functions = spec->functions;
	u32 start = functions->entry[function], end = functions->entry[function + 1];
	enum op last = (enum op)functions->ops[end - 1];

	if (end - start > MAX_CALLBACK || (last != OP_EXIT && last != OP_JA))
		return false;
	for (u32 pc = start; pc < end; pc++)
		if (functions->ops[pc] != OP_INVALID &&
		    !stays_inside(spec, pc, start, end))
			return false;
	return true;
}

static bool can_loop(const struct builder *b, const u32 args[5])
{
	const struct ir_insn *func = value_of(b, args[1]), *flags = value_of(b, args[3]);

	return func->op == IR_ADDR && func->row == IR_FUNC && flags->op == IR_CONST &&
	       !flags->imm && is_leaf(b->spec, func->aux);
}

static struct ir_insn jump_if(enum jmp row, u8 width, u32 x, u32 y)
{
	return (struct ir_insn){.op = IR_JMP, .row = row, .width = width, .a = x, .b = y};
}

/* At least once: gives how often. */
static u32 emit_loop(struct builder *b, const u32 args[5], u32 n)
{
	u32 function = value_of(b, args[1])->aux, i, next, ret, goes_on, is_left;
	u32 call_args[5] = {0, args[2], b->zero, b->zero, b->zero};
	u32 params = b->spec->functions->params[function];
	struct ir_insn call = {.op = IR_CALL_LOCAL, .imm = function}, again;
	struct fork loop;

	i = call_args[0] = loop_begin(b, &loop, b->zero);
	while (params >> call.n_args)
		call.n_args++;
	call.aux = emit_args(b, call_args, call.n_args);
	b->ir->calls = true;
	ret = ir_emit(b, &call);
	next = emit_alu(b, ALU_ADD, 32, i, emit_const(b, 1));
	goes_on = emit_cmp(b, JMP_JEQ, 64, ret, b->zero);
	is_left = emit_cmp(b, JMP_JLT, 32, next, n);
	again = jump_if(JMP_JNE, 32, emit_alu(b, ALU_AND, 32, goes_on, is_left), b->zero);
	loop_end(b, &loop, next, &again);
	return next;
}

bool inline_loop(struct builder *b, const u32 args[5], u32 *ret)
{
	struct fork many, none;
	struct ir_insn jmp;
	u32 n, times;

	if (!can_loop(b, args))
		return false;
	n = ir_emit(b, &(struct ir_insn){
			       .op = IR_ALU, .row = ALU_MOV, .width = 32, .a = args[0]});
	jmp = jump_if(JMP_JGT, 32, n, emit_const(b, LOOP_MAX));
	fork_if(b, &jmp, &many);
	fork_else(b, &many, emit_const(b, (u64)-E2BIG));
	jmp = jump_if(JMP_JEQ, 32, n, emit_const(b, 0));
	fork_if(b, &jmp, &none);
	fork_else(b, &none, emit_const(b, 0));
	times = emit_loop(b, args, n);
	times = fork_end(b, &none, times);
	*ret = fork_end(b, &many, times);
	return true;
}
