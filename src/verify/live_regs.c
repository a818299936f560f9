/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which registers may be read before they are written, from each instruction on.
 *
 * A backward data flow analysis of each function, in postorder until nothing changes.
 * Calls read as many arguments as their prototype has, or all; exit reads R0.  Values
 * don't matter here: what no instruction names is dead.  Never does: look at the stack
 * (liveness.c).
 */
#include "verify/explore.h"
#include "verify/fastcall.h"

enum { ALL = 0xffff, CALLER_SAVED = 0x3f, ARGS = 0x3e };

struct uses {
	u16 read, written;
};

static u16 bit(u8 reg)
{
	return (u16)(1u << reg);
}

static struct uses uses_of_alu(const struct insn *insn, const struct op_info *op)
{
	u16 dst = bit(insn->dst_reg), src = op->reg ? bit(insn->src_reg) : 0;
	bool moves = op->row == ALU_MOV || op->row == ALU_MOVS8 ||
		     op->row == ALU_MOVS16 || op->row == ALU_MOVS32;

	if (moves)
		return (struct uses){src, dst};
	return (struct uses){dst | src, dst};
}

static struct uses uses_of_atomic(const struct insn *insn, const struct op_info *op)
{
	u16 read = bit(insn->dst_reg) | bit(insn->src_reg);

	switch ((enum atomic)op->row) {
	case ATOMIC_CMPXCHG: return (struct uses){read | bit(R0), bit(R0)};
	case ATOMIC_FETCH_ADD:
	case ATOMIC_FETCH_OR:
	case ATOMIC_FETCH_AND:
	case ATOMIC_FETCH_XOR:
	case ATOMIC_XCHG: return (struct uses){read, bit(insn->src_reg)};
	case ATOMIC_ADD:
	case ATOMIC_OR:
	case ATOMIC_AND:
	case ATOMIC_XOR:
	case ATOMICS: break;
	}
	return (struct uses){read, 0};
}

static struct uses uses_of_call(const struct env *env, u32 pc)
{
	struct call_summary sum;

	if (!call_summary(env, pc, &sum) || sum.n_args > 5)
		return (struct uses){ARGS, CALLER_SAVED};
	return (struct uses){(u16)((1u << (sum.n_args + 1)) - 2), CALLER_SAVED};
}

static struct uses uses_of(const struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];
	const struct op_info *op = env->aux[pc].info;
	u16 dst = bit(insn->dst_reg), src = bit(insn->src_reg);

	switch ((enum op_kind)op->kind) {
	case KIND_ALU: return uses_of_alu(insn, op);
	case KIND_END: return (struct uses){dst, dst};
	case KIND_ADDR_SPACE_CAST:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return (struct uses){src, dst};
	case KIND_LDDW: return (struct uses){0, dst};
	case KIND_ST: return (struct uses){dst, 0};
	case KIND_STX:
	case KIND_STORE_REL: return (struct uses){dst | src, 0};
	case KIND_ATOMIC: return uses_of_atomic(insn, op);
	case KIND_JMP: return (struct uses){op->reg ? dst | src : dst, 0};
	case KIND_JA:
	case KIND_MAY_GOTO: return (struct uses){0, 0};
	case KIND_CALL: return uses_of_call(env, pc);
	case KIND_EXIT: return (struct uses){bit(R0), 0};
	case KIND_CALLX:
	case KIND_LD_ABS:
	case KIND_LD_IND:
	case KIND_INVALID: break;
	}
	return (struct uses){ALL, 0};
}

static bool update(struct env *env, const struct uses *uses, u32 pc)
{
	u32 next[2], n = successors(env, pc, next);
	u16 live = 0;

	for (u32 i = 0; i < n; i++)
		live |= env->aux[next[i]].live_regs;
	live = (u16)((live & ~uses[pc].written) | uses[pc].read);
	if (live == env->aux[pc].live_regs)
		return false;
	env->aux[pc].live_regs = live;
	return true;
}

static void settle(struct env *env, const struct uses *uses, const struct sub_info *sub)
{
	const u32 *order = env->postorder + sub->postorder_start;
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 i = 0; i < sub->n_postorder; i++)
			changed |= update(env, uses, order[i]);
	}
}

int live_regs_compute(struct env *env)
{
	struct arena scratch = ARENA_INIT;
	struct uses *uses = arena_array(&scratch, env->n_insns, sizeof(*uses));
	int err = uses ? 0 : env_no_memory(env);

	for (u32 pc = 0; pc < env->n_insns && !err; pc++)
		uses[pc] = uses_of(env, pc);
	for (u32 i = 0; i < env->n_subs && !err; i++)
		settle(env, uses, &env->subs[i]);
	arena_fini(&scratch);
	return err;
}
