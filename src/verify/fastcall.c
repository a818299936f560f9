/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds spills and fills around calls that would not need them, and whether anything else
 * uses their stack.
 *
 * Compilers give these pairs the lowest stack of the function and nothing else; whether
 * that is so is seen while paths are explored.  It matters for one verdict: how deep the
 * stack is.  More: the attribute bpf_fastcall of clang.
 */
#include "verify/fastcall.h"

#include "abi/abi.h"
#include "verify/calls.h"

enum { CALLER_SAVED = 6, ALL_CALLER_SAVED = (1 << CALLER_SAVED) - 1 };

static u32 helper_n_args(const struct abi_helper *helper)
{
	u32 n = 0;

	while (n < 5 && (helper->args[n] & ABI_BASE) != ARG_DONTCARE)
		n++;
	return n;
}

bool call_summary(const struct env *env, u32 pc, struct call_summary *sum)
{
	const struct insn *insn = &env->insns[pc];
	const struct kfunc *kfunc = env->aux[pc].kfunc;
	const struct abi_helper *helper;

	if (env->aux[pc].op != OP_CALL || insn->src_reg == CALL_LOCAL)
		return false;
	if (insn->src_reg == CALL_KFUNC) {
		if (!kfunc)
			return false;
		*sum = (struct call_summary){kfunc_n_args(kfunc),
					     kfunc_returns_void(kfunc),
					     kfunc_is_fastcall(kfunc)};
		return true;
	}
	helper = abi_helper_at((u32)insn->imm, env->prog_type, env->attach_type);
	if (!helper)
		return false;
	*sum = (struct call_summary){helper_n_args(helper),
				     (helper->ret & ABI_BASE) == RET_VOID,
				     helper->fastcall};
	return true;
}

static bool is_spill(const struct env *env, u32 pc)
{
	return env->aux[pc].op == OP_STX64 && env->insns[pc].dst_reg == R10;
}

static bool is_fill(const struct env *env, u32 pc)
{
	return env->aux[pc].op == OP_LDX64 && env->insns[pc].src_reg == R10;
}

/* The registers that the call leaves alone, were it a fast one. */
static u32 kept_registers(const struct call_summary *sum)
{
	u32 lost = sum->is_void ? 0 : 1;

	for (u32 i = 1; i <= sum->n_args; i++)
		lost |= 1u << i;
	return ~lost & ALL_CALLER_SAVED;
}

/* The i-th spill before the call and the i-th fill after it are of the same register and
 * slot. */
static bool is_pair(const struct env *env, u32 pc, u32 i, s32 off)
{
	const struct insn *insns = env->insns;

	if (pc < i || pc + i >= env->n_insns)
		return false;
	return is_spill(env, pc - i) && is_fill(env, pc + i) &&
	       insns[pc - i].src_reg == insns[pc + i].dst_reg &&
	       insns[pc - i].off == off && insns[pc + i].off == off;
}

static void mark_call(struct env *env, struct sub_info *sub, u32 pc, s32 lowest)
{
	struct call_summary sum;
	s32 off = lowest;
	u32 kept, n = 0;

	if (!call_summary(env, pc, &sum))
		return;
	kept = kept_registers(&sum);
	while (n < CALLER_SAVED && is_pair(env, pc, n + 1, off)) {
		u32 reg = 1u << env->insns[pc - n - 1].src_reg;

		if (!(kept & reg))
			break;
		kept &= ~reg;
		n++;
		env->aux[pc - n].fastcall_pattern = true;
		env->aux[pc + n].fastcall_pattern = true;
		off += 8;
	}
	if (!n)
		return;
	if (sum.fastcall)
		env->aux[pc].fastcall_spills = (u8)n;
	else
		sub->keep_fastcall_stack = true;
	if (off < sub->fastcall_stack_off)
		sub->fastcall_stack_off = off;
}

static s32 lowest_spill(const struct env *env, const struct sub_info *sub)
{
	s32 lowest = 0;

	for (u32 pc = sub->start; pc < sub->end; pc++) {
		if (is_spill(env, pc) && env->insns[pc].off < lowest)
			lowest = env->insns[pc].off;
	}
	return lowest;
}

void fastcall_mark(struct env *env)
{
	for (u32 i = 0; i < env->n_subs; i++) {
		struct sub_info *sub = &env->subs[i];
		s32 lowest = lowest_spill(env, sub);

		for (u32 pc = sub->start; pc < sub->end && lowest; pc++) {
			if (env->aux[pc].op == OP_CALL)
				mark_call(env, sub, pc, lowest);
		}
	}
}

void fastcall_stack_access(struct env *env, const struct frame *frame, s32 off)
{
	struct sub_info *sub = &env->subs[frame->subprog];

	if (sub->fastcall_stack_off <= off || env->aux[env->pc].fastcall_pattern)
		return;
	sub->fastcall_stack_off = INT16_MIN;
	for (u32 pc = sub->start; pc < sub->end; pc++) {
		env->aux[pc].fastcall_spills = 0;
		env->aux[pc].fastcall_pattern = false;
	}
}

void fastcall_shrink_stack(struct env *env)
{
	for (u32 i = 0; i < env->n_subs; i++) {
		struct sub_info *sub = &env->subs[i];
		bool removed = false;

		for (u32 pc = sub->start; pc < sub->end; pc++)
			removed |= env->aux[pc].fastcall_spills != 0;
		if (removed && !sub->keep_fastcall_stack)
			sub->stack_depth = (u32)-sub->fastcall_stack_off;
	}
}
