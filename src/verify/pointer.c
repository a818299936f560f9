/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointer arithmetic: pointer += number, number += pointer, pointer -= number.
 *
 * A constant goes into the pointer's fixed offset, anything else into its variable one,
 * whose range must stay so small that no sum of offsets can wrap; that the result is
 * inside of the object is asked when it is used.  Only where the loader has no privileges
 * it is asked now, and what a speculating processor may compute is looked at as a path of
 * its own.  Never does: arithmetic of numbers (alu.c).  More: transfer.h;
 * Documentation/bpf/verifier.rst.
 */
#include "verify/pointer.h"
#include "verify/memory.h"
#include "verify/transfer.h"

/* What a mask does; aux->alu_state.  0: the instruction has none yet. */
enum {
	MASK_NUMBER = 1 << 0,   /* on this path there is no pointer */
	MASK_SRC = 1 << 1,      /* the number is the source */
	MASK_DST = 1 << 2,      /* ... the destination */
	MASK_NEGATIVE = 1 << 3, /* the number is */
	MASK_CONSTANT = 1 << 4,
};

struct mask {
	u32 state, limit;
	bool left; /* the pointer moves to lower addresses */
};

/* The register that the number of the operation is in, for messages. */
static int number_reg(const struct insn *insn, const struct pointer_op *op)
{
	return op->swapped ? insn->dst_reg : insn->src_reg;
}

/* ---- may it be done at all? ---- */

/* Some pointers move by a constant only, some not at all (adding 0 is nothing). */
static bool may_move(const struct pointer_op *op)
{
	const struct scalar *n = &op->number->var;
	bool known = scalar_is_const(n);

	switch ((enum reg_kind)op->pointer->kind) {
	case PTR_TO_CTX:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_STACK:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_BTF_ID:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR: return true;
	case PTR_TO_FLOW_KEYS: return known;
	case CONST_PTR_TO_MAP: return known && !n->smin && op->op == ALU_ADD;
	case UNINIT:
	case SCALAR:
	case PTR_TO_PACKET_END:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_ARENA:
	case REG_KINDS: break;
	}
	return false;
}

/* No sum of a few offsets may come near to the end of the address space. */
static int sane_offset(struct env *env, const struct reg *reg, enum reg_kind kind)
{
	const char *name = reg_kind_word(kind);
	s64 value = (s64)reg->var.bits.value;
	s64 smin = reg->var.smin;

	if (scalar_is_const(&reg->var) && (value >= MAX_VAR_OFF || value <= -MAX_VAR_OFF))
		return reject(env, OFFSET_TOO_FAR, name, (long long)value);
	if (reg_is_pointer(reg) && (reg->off >= MAX_VAR_OFF || reg->off <= -MAX_VAR_OFF))
		return reject(env, OFFSET_TOO_FAR, name, (long long)reg->off);
	if (smin == INT64_MIN)
		return reject(env, OFFSET_NO_MINIMUM, name);
	if (smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF)
		return reject(env, OFFSET_TOO_FAR, name, (long long)smin);
	return 0;
}

static int may_operate(struct env *env, const struct insn *insn,
		       const struct pointer_op *op)
{
	const char *name = reg_kind_word(op->pointer->kind);
	int dst = (int)op->dst;

	if (insn_class(insn->code) != CLASS_ALU64)
		return reject(env, POINTER_32BIT, dst);
	if (op->pointer->flags & MAYBE_NULL)
		return reject(env, POINTER_MAYBE_NULL, dst, name);
	if (op->pointer->kind == PTR_TO_MEM && op->pointer->flags & UNTRUSTED)
		return 0;
	if (!may_move(op))
		return reject(env, POINTER_FIXED, dst, name);
	if (op->op != ALU_ADD && op->op != ALU_SUB)
		return reject(env, POINTER_OPERATION, dst, name);
	if (op->op == ALU_SUB && op->swapped)
		return reject(env, NUMBER_MINUS_POINTER, dst);
	if (op->op == ALU_SUB && op->pointer->kind == PTR_TO_STACK)
		return reject(env, STACK_SUBTRACTION, dst);
	return 0;
}

/* ---- where it points to then ---- */

static bool is_s32(s64 n)
{
	return n == (s32)n;
}

/* The variable offset changes: packet pointers with the same id have the same one. */
static void new_packet_offset(struct env *env, struct reg *dst, bool range_holds)
{
	if (!reg_is_packet(dst))
		return;
	dst->id = env_new_id(env);
	if (!range_holds)
		dst->raw[0] = dst->raw[1] = 0;
}

/* It is still taken for beyond the packet's end, as by Linux. */
static void moves_down(struct reg *dst)
{
	if (reg_is_packet(dst) && (s32)dst->range < 0)
		dst->moved = true;
}

static void forget_low_half(struct scalar *s)
{
	s->smin32 = INT32_MIN, s->smax32 = INT32_MAX;
	s->umin32 = 0, s->umax32 = UINT32_MAX;
}

static void add(struct env *env, struct reg *dst, const struct scalar *n)
{
	struct scalar *v = &dst->var;

	if (scalar_is_const(n) && is_s32(dst->off + n->smin)) {
		dst->off += (s32)n->smin;
		if (n->smin < 0)
			moves_down(dst);
		return;
	}
	if (__builtin_add_overflow(v->smin, n->smin, &v->smin) ||
	    __builtin_add_overflow(v->smax, n->smax, &v->smax))
		v->smin = INT64_MIN, v->smax = INT64_MAX;
	if (__builtin_add_overflow(v->umin, n->umin, &v->umin) ||
	    __builtin_add_overflow(v->umax, n->umax, &v->umax))
		v->umin = 0, v->umax = UINT64_MAX;
	v->bits = tnum_add(v->bits, n->bits);
	forget_low_half(v);
	new_packet_offset(env, dst, false);
}

/* What was there from the pointer on is there from a lower address on, too. */
static void subtract(struct env *env, struct reg *dst, const struct scalar *n)
{
	struct scalar *v = &dst->var;

	if (n->smax > 0)
		moves_down(dst);
	if (scalar_is_const(n) && is_s32(dst->off - n->smin)) {
		dst->off -= (s32)n->smin;
		return;
	}
	if (__builtin_sub_overflow(v->smin, n->smax, &v->smin) ||
	    __builtin_sub_overflow(v->smax, n->smin, &v->smax))
		v->smin = INT64_MIN, v->smax = INT64_MAX;
	if (v->umin < n->umax)
		v->umin = 0, v->umax = UINT64_MAX;
	else
		v->umin -= n->umax, v->umax -= n->umin;
	v->bits = tnum_sub(v->bits, n->bits);
	forget_low_half(v);
	new_packet_offset(env, dst, n->smin >= 0);
}

/* ---- masks ---- */

static bool needs_mask(const struct env *env, const struct insn *insn)
{
	return !env->bypass_spec_v1 && (insn->code & SRC_X);
}

/* Paths that need different masks at the same instruction cannot both be had. */
static int set_mask(struct env *env, u32 state, u32 limit)
{
	struct insn_aux *aux = &env->aux[env->pc];

	if (aux->alu_state && (aux->alu_state != state || aux->alu_limit != limit))
		return reject(env, MASKS_DIFFER);
	aux->alu_state = state;
	aux->alu_limit = limit;
	return 0;
}

int mask_number(struct env *env)
{
	return env->bypass_spec_v1 ? 0 : set_mask(env, MASK_NUMBER, 0);
}

/* How far the pointer may move in that direction. */
static int mask_limit(struct env *env, const struct reg *pointer, bool left, u32 *limit)
{
	u32 most, distance;

	if (pointer->kind == PTR_TO_STACK) {
		/* The frame's end is no place to access, but one to start from. */
		most = STACK_BYTES + left;
		distance = (u32) - (pointer->var.bits.value + (u64)pointer->off);
	} else if (pointer->kind == PTR_TO_MAP_VALUE && !pointer->flags) {
		most = pointer->map->value_size;
		distance = (u32)((left ? (u64)pointer->var.smin : pointer->var.umax) +
				 (u64)pointer->off);
	} else {
		return reject(env, MASK_POINTER, reg_kind_word(pointer->kind));
	}
	if (distance >= most)
		return reject(env, MASK_LIMIT, reg_kind_word(pointer->kind));
	*limit = distance;
	return 0;
}

static int plan_mask(struct env *env, const struct insn *insn,
		     const struct pointer_op *op, struct mask *mask)
{
	const struct scalar *n = &op->number->var;
	bool known = scalar_is_const(n), negative = n->smin < 0;

	if (!known && negative != (n->smax < 0))
		return reject(env, MASK_SIGNS, number_reg(insn, op));
	mask->left = (op->op == ALU_ADD) == negative;
	mask->state = op->swapped ? MASK_DST : MASK_SRC;
	if (negative)
		mask->state |= MASK_NEGATIVE;
	if (known)
		mask->state |= MASK_CONSTANT;
	else
		env->exact_scalars = true;
	return mask_limit(env, op->pointer, mask->left, &mask->limit);
}

/*
 * A processor that speculates may see the number as 0, as the mask makes it where the
 * number is out of range: a path of its own.  A known number becomes an immediate:
 * nothing to mask.
 */
static int speculate_unmoved(struct env *env, const struct pointer_op *op)
{
	if (scalar_is_const(&op->number->var))
		return 0;
	return env_branch(env, env->pc + 1, true) ? 0 : env_told(env);
}

static int mask_before(struct env *env, const struct insn *insn,
		       const struct pointer_op *op, struct mask *mask)
{
	int err = 0;

	if (!needs_mask(env, insn))
		return 0;
	if (!env->cur->speculative)
		err = plan_mask(env, insn, op, mask);
	return err ? err : speculate_unmoved(env, op);
}

/* The mask allows what the pointer moved, no more. */
static int mask_after(struct env *env, const struct insn *insn, const struct reg *dst,
		      const struct mask *mask)
{
	u32 limit;
	int err;

	if (!needs_mask(env, insn) || env->cur->speculative)
		return 0;
	err = mask_limit(env, dst, mask->left, &limit);
	if (err)
		return err;
	limit = mask->limit > limit ? mask->limit - limit : limit - mask->limit;
	return set_mask(env, mask->state, limit);
}

/* Without privileges the result must be inside of the object, as later masks count on it.
 */
static int check_bounds(struct env *env, u32 regno)
{
	const struct reg *dst = &env_regs(env)[regno];
	s64 off;

	if (env->bypass_spec_v1)
		return 0;
	if (dst->kind == PTR_TO_MAP_VALUE && !dst->flags)
		return map_region_check(env, regno, dst->off, 1, false, true);
	if (dst->kind != PTR_TO_STACK)
		return 0;
	if (!scalar_is_const(&dst->var))
		return reject(env, STACK_VAR_UNPRIVILEGED, (int)regno);
	off = dst->off + (s64)dst->var.bits.value;
	if (off >= 0 || off < -STACK_BYTES)
		return reject(env, STACK_RANGE, (int)regno, (long long)off, 1u);
	return 0;
}

/* ---- the operation ---- */

/* Linux 6.18 forgets the reference here, so that nobody can release the sum.  But then it
 * lets it be used after the release, and skep does not. */
static void become_sum(struct reg *dst, const struct reg *pointer)
{
	*dst = *pointer;
	if (!pointer->ref_id)
		return;
	dst->ends_with = pointer->ref_id;
	dst->ref_id = 0;
}

static int move_pointer(struct env *env, const struct insn *insn,
			const struct pointer_op *op)
{
	struct reg *dst = &env_regs(env)[op->dst];
	enum reg_kind kind = op->pointer->kind;
	struct mask mask = {0};
	int err = sane_offset(env, op->number, kind);

	if (!err)
		err = sane_offset(env, op->pointer, kind);
	if (!err)
		err = mask_before(env, insn, op, &mask);
	if (err)
		return err;
	if (op->op == ALU_ADD)
		add(env, dst, &op->number->var);
	else
		subtract(env, dst, &op->number->var);
	err = sane_offset(env, dst, kind);
	if (err)
		return err;
	if (!scalar_is_const(&dst->var))
		scalar_sync(&dst->var);
	err = check_bounds(env, op->dst);
	return err ? err : mask_after(env, insn, dst, &mask);
}

/* Bounds that contradict each other come from code that cannot run. */
static bool is_contradiction(const struct scalar *n)
{
	if (scalar_is_const(n) && (n->smin != n->smax || n->umin != n->umax))
		return true;
	return n->smin > n->smax || n->umin > n->umax;
}

int transfer_pointer(struct env *env, const struct insn *insn,
		     const struct pointer_op *op)
{
	struct reg *dst = &env_regs(env)[op->dst];
	bool half = insn_class(insn->code) != CLASS_ALU64;
	int err;

	if (is_contradiction(&op->number->var) ||
	    (half && op->op == ALU_SUB && env->allow_ptr_leaks)) {
		reg_set_unknown(dst);
		return 0;
	}
	err = may_operate(env, insn, op);
	if (err)
		return err;
	if (op->swapped)
		become_sum(dst, op->pointer);
	/* Untrusted memory is read by instructions that survive faults, wherever it is.
	 */
	if (op->pointer->kind == PTR_TO_MEM && op->pointer->flags & UNTRUSTED)
		return 0;
	return move_pointer(env, insn, op);
}
