/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step: which function knows what follows from the instruction.
 *
 * The decoder's answer (aux->op) is looked up once, before exploration; here is a switch
 * over kinds of instructions, and what all of them ask of registers.  Never does: choose
 * the state that is looked at next.  More: transfer.h; RFC 9669.
 */
#include "verify/transfer.h"

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

int transfer(struct env *env, enum step *step)
{
	u32 pc = env->pc; /* below n_insns: decode.c says why, explore.c asserts it */
	const struct insn *insn = &env->insns[pc];
	const struct op_info *op = env->aux[pc].info;
	int err = 0;

	switch ((enum op_kind)op->kind) {
	case KIND_JMP: return transfer_jump(env, insn, op, step);
	case KIND_JA: env->pc = (u32)jump_target(insn, pc); return 0;
	case KIND_MAY_GOTO: return transfer_may_goto(env, insn);
	case KIND_CALL: return transfer_call(env, insn, step);
	case KIND_EXIT: return transfer_exit(env, insn, step);
	/* LD_ABS that finds no packet leaves its function. */
	case KIND_LD_ABS:
	case KIND_LD_IND: return transfer_legacy(env, insn, op);
	case KIND_INVALID:
	case KIND_CALLX: return reject(env, UNKNOWN_OPCODE, insn->code);
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST: err = transfer_alu(env, insn, op); break;
	case KIND_LDDW: err = transfer_lddw(env, insn); break;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL: err = transfer_memory(env, insn, op); break;
	}
	if (!err)
		env->pc = pc + 1 + op->wide;
	return err;
}
