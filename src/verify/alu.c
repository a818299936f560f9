/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves, arithmetic, byte swaps, casts between address spaces.
 *
 * Numbers are computed by scalar_alu(); here is what a register is beside its number:
 * which operations a pointer may take part in, and which registers are known to hold the
 * same number, or one at a constant distance (id).  Never does: pointer arithmetic
 * (pointer.c). More: transfer.h, state.h (struct reg), RFC 9669 4.1 and 4.2.
 */
#include "verify/pointer.h"
#include "verify/transfer.h"

#include <stdlib.h>

#include "abi/abi.h"

/* ---- results that come again ---- */

/* What an instruction made of such operands. */
struct computed {
	u32 pc; /* + 1; 0: nothing yet */
	struct scalar d, s, result;
};

enum {
	COMPUTED = 256, /* results that are remembered: 50 KB */
	MANY = 4000,    /* instructions, before it is worth while: these are loops */
};

static u32 fold(u64 number)
{
	return (u32)(number ^ number >> 32);
}

/* Where the result would be; NULL: nothing is remembered. */
static struct computed *computed_at(struct env *env, const struct scalar *d,
				    const struct scalar *s)
{
	u32 h = env->pc * 0x9e3779b1u + fold(d->umax) * 0x85ebca77u +
		fold(s->umax) * 0xc2b2ae3du;

	if (!env->computed && env->stats.insns_processed >= MANY) {
		env->computed = calloc(COMPUTED, sizeof(*env->computed));
		if (env->computed)
			env->stats.memory += COMPUTED * sizeof(*env->computed);
	}
	return env->computed ? &env->computed[h >> 24] : NULL;
}

void alu_fini(struct env *env)
{
	free(env->computed);
	env->computed = NULL;
}

/*
 * *d op= *s.  Where it is known what such operands give it is not computed again: in a
 * loop most numbers that are not constant take few values, and to compare two of them
 * costs a tenth of computing a third.
 */
static int compute(struct env *env, const struct op_info *op, struct scalar *d,
		   const struct scalar *s)
{
	struct computed *at = computed_at(env, d, s);
	struct scalar result;
	int err;

	if (at && at->pc == env->pc + 1 && scalar_same(&at->d, d) &&
	    scalar_same(&at->s, s)) {
		*d = at->result;
		return 0;
	}
	result = scalar_alu(op->row, op->width, d, s);
	err = need_consistent(env, &result);
	if (at && !err) {
		at->pc = env->pc + 1;
		at->d = *d;
		at->s = *s;
		at->result = result;
	}
	*d = result;
	return err;
}

/* ---- what numbers have in common ---- */

static void unlink_scalar(struct reg *reg)
{
	reg->id = 0;
	reg->off = 0;
}

/*
 * The number is about to be in two places: both get the same id.  One at a constant
 * distance from others leaves them, as nobody tracks distances of distances.  Constants
 * need no link.
 */
static void link_scalar(struct env *env, struct reg *reg)
{
	if (reg->kind != SCALAR)
		return;
	if (reg->id & ID_ADD_CONST)
		unlink_scalar(reg);
	if (!reg->id && !scalar_is_const(&reg->var))
		reg->id = env_new_id(env);
}

/* ---- moves ---- */

/* Does the move give the number as it is? */
static bool keeps_number(const struct op_info *op, const struct scalar *s)
{
	switch ((enum alu)op->row) {
	case ALU_MOV: return op->width == 64 || s->umax <= UINT32_MAX;
	case ALU_MOVS8: return s->umax < 1u << 7;
	case ALU_MOVS16: return s->umax < 1u << 15;
	case ALU_MOVS32: return s->umax < 1u << 31;
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_OR:
	case ALU_AND:
	case ALU_LSH:
	case ALU_RSH:
	case ALU_NEG:
	case ALU_MOD:
	case ALU_SMOD:
	case ALU_XOR:
	case ALU_ARSH:
	case ALUS: break;
	}
	return false;
}

/* A part of a pointer is a number that nobody knows. */
static int move_part_of_pointer(struct env *env, const struct insn *insn,
				const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];

	if (leaks_pointer(env, &env_regs(env)[insn->src_reg]))
		return reject(env, POINTER_PART, insn->src_reg);
	reg_set_unknown(dst);
	if (op->width == 32)
		dst->var = scalar_alu(ALU_MOV, 32, &dst->var, &dst->var);
	return 0;
}

static int move_reg(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	struct reg *src = &env_regs(env)[insn->src_reg];
	bool same;
	int err = need_reg(env, insn->src_reg);

	if (!err)
		err = need_writable(env, insn->dst_reg);
	if (err)
		return err;
	if (op->row == ALU_MOV && op->width == 64) {
		link_scalar(env, src);
		*dst = *src;
		return need_consistent(env, &dst->var);
	}
	if (src->kind != SCALAR)
		return move_part_of_pointer(env, insn, op);
	same = keeps_number(op, &src->var) && env->rules->halves_linked;
	if (same)
		link_scalar(env, src);
	*dst = *src;
	if (!same)
		unlink_scalar(dst);
	if (op->row == ALU_MOV && scalar_is_whole_const(&dst->var))
		dst->var = scalar_const((u32)dst->var.bits.value);
	else
		err = compute(env, op, &dst->var, &dst->var);
	return err;
}

static int move(struct env *env, const struct insn *insn, const struct op_info *op)
{
	int err;

	if (op->reg)
		return move_reg(env, insn, op);
	err = need_writable(env, insn->dst_reg);
	if (err)
		return err;
	reg_set_const(&env_regs(env)[insn->dst_reg],
		      op->width == 32 ? (u32)insn->imm : (u64)(s64)insn->imm);
	return 0;
}

/* ---- one operand: byte swaps and negation ---- */

static enum op own_order64(void)
{
	return host_is_big_endian() ? OP_BE64 : OP_LE64;
}

static int unary(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	int err = need_reg(env, insn->dst_reg);

	if (err)
		return err;
	if (leaks_pointer(env, dst))
		return reject(env, POINTER_UNARY, insn->dst_reg);
	err = need_writable(env, insn->dst_reg);
	if (err)
		return err;
	if (dst->kind != SCALAR)
		reg_set_unknown(dst);
	else if (op->kind == KIND_ALU)
		dst->var = scalar_alu(op->row, op->width, &dst->var, &dst->var);
	else
		dst->var = scalar_end(env->aux[env->pc].op, &dst->var);
	/* 64 bits in the order that they have already are the same number. */
	if (op->kind == KIND_ALU || env->aux[env->pc].op != own_order64())
		unlink_scalar(dst);
	return need_consistent(env, &dst->var);
}

/* ---- two numbers ---- */

/* What a constant operand may not be; a register that holds the same is defined. */
static int check_immediate(struct env *env, const struct insn *insn,
			   const struct op_info *op)
{
	switch ((enum alu)op->row) {
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
		if (!insn->imm)
			return reject(env, DIVISION_BY_ZERO);
		break;
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		if (insn->imm < 0 || insn->imm >= op->width)
			return reject(env, SHIFT_TOO_FAR, insn->imm, op->width);
		break;
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_OR:
	case ALU_AND:
	case ALU_NEG:
	case ALU_XOR:
	case ALU_MOV:
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32:
	case ALUS: break;
	}
	return 0;
}

static void set_low_half(struct scalar *s, u32 value)
{
	s->bits = tnum_with_subreg(s->bits, tnum_const(value));
	s->umin32 = s->umax32 = value;
	s->smin32 = s->smax32 = (s32)value;
}

/*
 * A number that is 0 or -1, as comparisons without branches make them, meets a constant
 * mask: both cases are looked at apart, as no range has just 0 and the mask.  The one
 * with 0 comes to this instruction again.
 */
static int fork_mask(struct env *env, const struct insn *insn)
{
	struct scalar *d = &env_regs(env)[insn->dst_reg].var, *other;
	bool whole = d->smin == -1 && d->smax == 0;
	struct state *branch;

	if (!whole && !(d->smin32 == -1 && d->smax32 == 0))
		return 0;
	branch = env_branch(env, env->pc, false);
	if (!branch)
		return env_told(env);
	other = &state_regs(branch)[insn->dst_reg].var;
	if (whole) {
		*other = scalar_const(0);
		*d = scalar_const(~0ull);
	} else {
		set_low_half(other, 0);
		set_low_half(d, ~0u);
	}
	return 0;
}

static bool is_known(const struct scalar *s, u8 width)
{
	return !(width == 64 ? s->bits.mask : (u32)s->bits.mask);
}

struct distance {
	const struct scalar *number;
	u64 max;
};

/*
 * dst += constant, dst -= constant: dst is at that distance from what it was equal to,
 * once. At 32 bits only if it was a 32-bit number (max: what it was at most).
 */
static void keep_distance(const struct env *env, struct reg *dst,
			  const struct op_info *op, const struct distance *by)
{
	s64 off = op->width == 64 ? (s64)by->number->bits.value
				  : (s32)by->number->bits.value;

	if (!env->privileged || !dst->id || dst->id & ID_ADD_CONST ||
	    (op->row != ALU_ADD && op->row != ALU_SUB) ||
	    !is_known(by->number, op->width) || off != (s32)off ||
	    (op->row == ALU_SUB && off == INT32_MIN) ||
	    (op->width == 32 && by->max > UINT32_MAX)) {
		unlink_scalar(dst);
		return;
	}
	dst->id |= op->width == 64 ? ID_ADD_CONST64 : ID_ADD_CONST32;
	dst->off = (s32)(op->row == ALU_SUB ? -off : off);
}

/* Before, Linux knew nothing of what an unknown number did, but to sums and to bits. */
static bool is_computed(const struct env *env, const struct op_info *op,
			const struct scalar *number)
{
	struct tnum bits = op->width == 32 ? tnum_subreg(number->bits) : number->bits;

	return env->rules->unknown_operands || !bits.mask || op->row == ALU_ADD ||
	       op->row == ALU_SUB || op->row == ALU_AND;
}

static int alu_numbers(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	struct scalar imm = scalar_const((u64)(s64)insn->imm);
	const struct scalar *number = op->reg ? &env_regs(env)[insn->src_reg].var : &imm;
	struct distance by = {.number = number, .max = dst->var.umax};
	int err = 0;

	if (!op->reg)
		err = check_immediate(env, insn, op);
	else if (dst->precise)
		err = env_need_precise(env, insn->src_reg);
	if (!err && op->reg && (op->row == ALU_ADD || op->row == ALU_SUB))
		err = mask_number(env);
	if (!err && (op->row == ALU_AND || op->row == ALU_OR) && scalar_is_const(number))
		err = fork_mask(env, insn);
	if (err)
		return err;
	if (is_computed(env, op, number))
		err = compute(env, op, &dst->var, number);
	else
		dst->var = scalar_unknown();
	if ((op->reg && insn->src_reg == insn->dst_reg) || !env->rules->linked_distances)
		unlink_scalar(dst);
	else
		keep_distance(env, dst, op, &by);
	return err;
}

/*
 * Two numbers that are known, as counters of loops are, and nothing else to see to: no
 * distance to another register, no mask, no mark to pass on.  False: not that simple.
 */
static bool alu_known(const struct env *env, const struct op_info *op, struct reg *dst,
		      const struct reg *src, s32 imm)
{
	u64 s = (u64)(s64)imm, value;

	if (dst->id || !scalar_is_whole_const(&dst->var))
		return false;
	if (op->reg) {
		if (dst->precise || !env->bypass_spec_v1 ||
		    !scalar_is_whole_const(&src->var))
			return false;
		s = src->var.bits.value;
	}
	if (!scalar_alu_known(op->row, op->width, dst->var.bits.value, s, &value))
		return false;
	dst->var = scalar_const(value);
	dst->off = 0;
	return true;
}

/* ---- two operands, of whatever kind ---- */

static int two_pointers(struct env *env, const struct insn *insn,
			const struct op_info *op)
{
	if (op->row != ALU_SUB || !env->allow_ptr_leaks)
		return reject(env, TWO_POINTERS, insn->dst_reg, insn->src_reg);
	reg_set_unknown(&env_regs(env)[insn->dst_reg]);
	return 0;
}

static int with_pointer(struct env *env, const struct insn *insn,
			const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	struct reg *src = &env_regs(env)[insn->src_reg];
	bool swapped = dst->kind == SCALAR;
	struct reg number;
	struct pointer_op pointer_op = {
		.op = op->row,
		.dst = insn->dst_reg,
		.pointer = swapped ? src : dst,
		.number = op->reg && !swapped ? src : &number,
		.swapped = swapped,
	};
	int err = 0;

	if (op->reg)
		err = env_need_precise(env, swapped ? insn->dst_reg : insn->src_reg);
	if (err)
		return err;
	if (!op->reg)
		reg_set_const(&number, (u64)(s64)insn->imm);
	else if (swapped)
		number = *dst;
	err = transfer_pointer(env, insn, &pointer_op);
	return err ? err : need_consistent(env, &dst->var);
}

static int with_others(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	const struct reg *src = &env_regs(env)[insn->src_reg];
	int err = op->reg ? need_reg(env, insn->src_reg) : 0;

	if (!err)
		err = need_reg(env, insn->dst_reg);
	if (!err && !op->reg)
		err = check_immediate(env, insn, op);
	if (!err)
		err = need_writable(env, insn->dst_reg);
	if (err)
		return err;
	/* Whatever is computed with an arena's addresses is masked when it is used. */
	if (dst->kind == PTR_TO_ARENA || (op->reg && src->kind == PTR_TO_ARENA)) {
		if (dst->kind != PTR_TO_ARENA)
			*dst = *src;
		env->aux[env->pc].cuts = op->width == 64;
		return 0;
	}
	env->aux[env->pc].keeps = true;
	if (op->reg && dst->kind != SCALAR && src->kind != SCALAR)
		return two_pointers(env, insn, op);
	return with_pointer(env, insn, op);
}

static int binary(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	const struct reg *src = &env_regs(env)[insn->src_reg];

	if (dst->kind != SCALAR || (op->reg && src->kind != SCALAR))
		return with_others(env, insn, op);
	env->aux[env->pc].keeps = true;
	if (alu_known(env, op, dst, src, insn->imm))
		return 0;
	return alu_numbers(env, insn, op);
}

/* ---- address spaces ---- */

static bool uses_arena(const struct env *env)
{
	for (u32 i = 0; i < env->prog->n_maps; i++)
		if (env->prog->maps[i]->type == MAP_TYPE_ARENA)
			return true;
	return false;
}

/* imm: the address space cast to (upper half) and from: from 1 to 0 gives what can be
 * accessed, from 0 to 1 what user space knows it by. */
static int address_space_cast(struct env *env, const struct insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	int err;

	if (!uses_arena(env))
		return reject(env, CAST_WITHOUT_ARENA);
	err = need_reg(env, insn->src_reg);
	if (!err)
		err = need_writable(env, insn->dst_reg);
	if (err)
		return err;
	reg_set_unknown(dst);
	if (insn->imm == 1)
		dst->kind = PTR_TO_ARENA;
	return 0;
}

int transfer_alu(struct env *env, const struct insn *insn, const struct op_info *op)
{
	if (op->kind == KIND_ADDR_SPACE_CAST)
		return address_space_cast(env, insn);
	if (op->kind == KIND_END)
		return unary(env, insn, op);
	switch ((enum alu)op->row) {
	case ALU_NEG: return unary(env, insn, op);
	case ALU_MOV:
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32: return move(env, insn, op);
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_OR:
	case ALU_AND:
	case ALU_LSH:
	case ALU_RSH:
	case ALU_MOD:
	case ALU_SMOD:
	case ALU_XOR:
	case ALU_ARSH:
	case ALUS: break;
	}
	return binary(env, insn, op);
}
