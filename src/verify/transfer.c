/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step: which function knows what follows from the instruction.
 *
 * The decoder's answer (aux->op) is looked up once, before exploration; here is a switch
 * over kinds of instructions, and what all of them ask of registers.  Never does: choose
 * the state that is looked at next.  More: transfer.h; RFC 9669.
 */
#include "verify/transfer.h"

#include <assert.h>

#include "verify/explore.h"

int need_reg(struct env *env, u32 regno)
{
	if (env_regs(env)[regno].kind == UNINIT)
		return reject(env, READ_UNINIT, (int)regno);
	return 0;
}

int need_writable(struct env *env, u32 regno)
{
	if (regno == R10)
		return reject(env, WRITE_FRAME_POINTER);
	return 0;
}

int need_consistent(struct env *env, struct scalar *value)
{
	if (!scalar_is_empty(value))
		return 0;
	if (env->test_invariants)
		return reject(env, CONTRADICTION);
	scalar_forget_ranges(value);
	return 0;
}

/*
 * A base that is not NULL; but with an offset beyond all objects the sum may wrap to 0.
 */
bool reg_never_null(const struct reg *reg)
{
	if (reg->flags & MAYBE_NULL)
		return false;
	if (reg->var.smin <= -MAX_VAR_OFF || reg->var.smax >= MAX_VAR_OFF)
		return false;
	switch ((enum reg_kind)reg->kind) {
	case PTR_TO_SOCKET:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_BUF:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_SOCK_COMMON:
	case CONST_PTR_TO_MAP: return true;
	case PTR_TO_BTF_ID: return reg_is_trusted(reg);
	case PTR_TO_MEM: return !(reg->flags & UNTRUSTED);
	case UNINIT:
	case SCALAR:
	case PTR_TO_CTX:
	case PTR_TO_STACK:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_END:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_ARENA:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR:
	case REG_KINDS: break;
	}
	return false;
}

/*
 * A conditional jump whose condition is hidden: the kernel decides when it has been
 * passed often enough.  The way on (which is usually the loop's body) waits; the way out
 * is taken now.
 */
static int transfer_may_goto(struct env *env, const struct insn *insn)
{
	const struct state *prev = NULL;
	struct state *on;
	u32 pc = env->pc;

	if (env->cur->parent)
		prev = visit_find_entry(env, env->cur->parent, pc);
	on = env_branch(env, pc + 1, false);
	if (!on)
		return env_told(env);
	on->may_goto_depth++;
	if (prev)
		state_widen(env, prev, on);
	env->pc = (u32)jump_target(insn, pc);
	return 0;
}

static int straight(struct env *env, const struct insn *insn, const struct op_info *op)
{
	switch ((enum op_kind)op->kind) {
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST: return transfer_alu(env, insn, op);
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL: return transfer_memory(env, insn, op);
	case KIND_LDDW: return transfer_lddw(env, insn);
	case KIND_LD_ABS:
	case KIND_LD_IND:
	case KIND_INVALID:
	case KIND_CALLX:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_EXIT: break;
	}
	return reject(env, UNKNOWN_OPCODE, insn->code);
}

int transfer(struct env *env, enum step *step)
{
	u32 pc = env->pc;
	const struct insn *insn;
	const struct op_info *op;
	int err;

	*step = STEP_NEXT;
	assert(pc < env->n_insns); /* decode.c: functions end, and jumps stay in them */
	insn = &env->insns[pc];
	op = env->aux[pc].info;
	switch ((enum op_kind)op->kind) {
	case KIND_JMP: return transfer_jump(env, insn, op, step);
	case KIND_JA: env->pc = (u32)jump_target(insn, pc); return 0;
	case KIND_MAY_GOTO: return transfer_may_goto(env, insn);
	case KIND_CALL: return transfer_call(env, insn, step);
	case KIND_EXIT: return transfer_exit(env, insn, step);
	/* May return from a function. */
	case KIND_LD_ABS:
	case KIND_LD_IND: return transfer_legacy(env, insn, op);
	case KIND_INVALID:
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_CALLX:
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL: break;
	}
	err = straight(env, insn, op);
	/* LD_ABS that finds no packet leaves its function. */
	if (!err && env->pc == pc)
		env->pc = pc + (op->wide ? 2 : 1);
	return err;
}
