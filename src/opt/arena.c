/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs with an arena: accesses through its pointers, arithmetic on them, and casts,
 * as src/exec/arena.c has them for the interpreters.  The verifier has found out which
 * instructions these are; of all that the compiler takes it is the one thing that decides
 * what is computed.
 *
 * Loads go to window + (u32)pointer + offset, which is memory in any case.  Stores look
 * into the table of pages first.  Nothing here is new to the passes or the machines.
 */
#include "maps/map.h"
#include "opt/build.h"
#include "opt/inline.h"
#include "verify/verify.h"

struct place {
	u32 map;  /* index */
	u32 base; /* value: the pointer's lower half */
	s64 off;
	u32 size;
};

static u32 reg_value(const struct builder *b, u8 reg)
{
	return b->var[reg] ? b->var[reg] : b->zero;
}

static u32 low_half(struct builder *b, u32 value)
{
	return emit_alu(b, ALU_MOV, 32, value, 0);
}

static bool find_arena(const struct builder *b, u32 *index)
{
	for (u32 i = b->spec->prog->n_maps; i--;) {
		const struct map *map = b->spec->maps[i];

		*index = i;
		if (map && map->type == MAP_TYPE_ARENA)
			return true;
	}
	return false;
}

static u32 window(struct builder *b, u32 index)
{
	return emit_addr(b, IR_MAP_BYTES, index,
			 (uintptr_t)map_arena_window(b->spec->maps[index]));
}

/* ---- the user's addresses ---- */

u32 arena_address(struct builder *b, u32 index, u32 off)
{
	const struct map *map = b->spec->maps[index];

	if (map->extra)
		return emit_const(b, map->extra + off);
	return emit_addr(b, IR_MAP_BYTES, index, map_arena_state(map)->user + off);
}

static u32 cast(struct builder *b, u32 index, const struct insn *insn)
{
	const struct map *map = b->spec->maps[index];
	u32 low = low_half(b, reg_value(b, insn->src_reg)), upper, full, zero;

	if (!map_arena_keeps_upper(map, insn->imm))
		return low;
	upper = map->extra ? emit_const(b, map_arena_state(map)->upper)
			   : window(b, index);
	full = emit_alu(b, ALU_OR, 64, upper, low);
	zero = emit_const(b, 0);
	return emit_select(b, emit_cmp(b, JMP_JNE, 64, low, zero), full, zero);
}

/* ---- is it there? ---- */

/* The byte of the table for the page of byte `at` of the access. */
static u32 page_byte(struct builder *b, const struct place *p, u32 at)
{
	const struct map *map = b->spec->maps[p->map];
	u32 table = emit_addr(b, IR_MAP_BYTES, p->map, (uintptr_t)map_arena_table(map));
	u32 byte = emit_alu(b, ALU_ADD, 64, p->base, emit_const(b, (u64)(p->off + at)));
	u32 page = emit_alu(b, ALU_ARSH, 64, byte, emit_const(b, ARENA_PAGE_SHIFT));

	return emit_load(b, 8, emit_alu(b, ALU_ADD, 64, table, page), 0);
}

/* Not 0: all of its bytes are. */
static u32 is_here(struct builder *b, const struct place *p)
{
	u32 here = page_byte(b, p, 0);

	if (p->size > 1)
		here = emit_alu(b, ALU_AND, 64, here, page_byte(b, p, p->size - 1));
	return emit_alu(b, ALU_AND, 64, here, emit_const(b, ARENA_HERE));
}

static u32 is_aligned(struct builder *b, const struct place *p)
{
	u32 byte = emit_alu(b, ALU_ADD, 64, p->base, emit_const(b, (u64)p->off));
	u32 rest = emit_alu(b, ALU_AND, 64, byte, emit_const(b, p->size - 1));

	return emit_cmp(b, JMP_JEQ, 64, rest, emit_const(b, 0));
}

static void fork_where(struct builder *b, u32 condition, struct fork *fork)
{
	fork_if(b,
		&(struct ir_insn){.op = IR_JMP,
				  .row = JMP_JNE,
				  .width = 64,
				  .a = condition,
				  .b = emit_const(b, 0)},
		fork);
}

/* ---- accesses ---- */

/* Machines make one access of the sum and what follows, as far as they can. */
static u32 address(struct builder *b, const struct place *p)
{
	return emit_alu(b, ALU_ADD, 64, window(b, p->map), p->base);
}

static u32 load(struct builder *b, const struct place *p, const struct op_info *info)
{
	return ir_emit(b, &(struct ir_insn){.op = IR_LOAD,
					    .row = info->kind == KIND_LDXS,
					    .width = info->width,
					    .a = address(b, p),
					    .imm = p->off});
}

static void store(struct builder *b, const struct place *p, u32 value)
{
	struct fork fork;

	fork_where(b, is_here(b, p), &fork);
	ir_emit(b, &(struct ir_insn){.op = IR_STORE,
				     .width = (u8)(8 * p->size),
				     .a = address(b, p),
				     .c = value,
				     .imm = p->off});
	fork_else(b, &fork, 0);
	fork_end(b, &fork, 0);
}

/* An operation that only a multiple of its size takes: else, and where is nothing, its
 * result is `otherwise`. */
static u32 atomic(struct builder *b, const struct place *p, struct ir_insn op,
		  u32 otherwise)
{
	u32 condition = is_aligned(b, p), done;
	struct fork fork;

	if (op.op != IR_LOAD_ACQ)
		condition = emit_alu(b, ALU_AND, 64, condition, is_here(b, p));
	fork_where(b, condition, &fork);
	op.width = (u8)(8 * p->size);
	op.a = address(b, p);
	op.imm = p->off;
	done = ir_emit(b, &op);
	if (op.op == IR_STORE_REL)
		done = 0;
	fork_else(b, &fork, done);
	return fork_end(b, &fork, otherwise);
}

static void update(struct builder *b, const struct place *p, const struct insn *insn,
		   const struct op_info *info)
{
	bool exchange = info->row == ATOMIC_CMPXCHG;
	bool fetches = effect_writes(b->spec->functions->effects[b->pc]);
	u8 reg = exchange ? R0 : insn->src_reg;
	u32 was = reg_value(b, reg), got;
	struct ir_insn op = {.op = IR_ATOMIC,
			     .row = info->row,
			     .b = exchange ? was : 0,
			     .c = reg_value(b, insn->src_reg)};

	if (exchange && info->width == 32)
		was = low_half(b, was);
	got = atomic(b, p, op, was);
	if (fetches)
		b->var[reg] = got;
}

static void access(struct builder *b, u32 index, const struct insn *insn,
		   const struct op_info *info)
{
	bool loads = info->kind == KIND_LDX || info->kind == KIND_LDXS ||
		     info->kind == KIND_LOAD_ACQ;
	u32 base = reg_value(b, loads ? insn->src_reg : insn->dst_reg);
	struct place p = {index, low_half(b, base), insn->off, info->width / 8u};

	switch ((int)info->kind) {
	case KIND_LDX:
	case KIND_LDXS: b->var[insn->dst_reg] = load(b, &p, info); break;
	case KIND_LOAD_ACQ:
		b->var[insn->dst_reg] = atomic(b, &p, (struct ir_insn){.op = IR_LOAD_ACQ},
					       emit_const(b, 0));
		break;
	case KIND_ST: store(b, &p, emit_const(b, (u64)(s64)insn->imm)); break;
	case KIND_STX: store(b, &p, reg_value(b, insn->src_reg)); break;
	case KIND_STORE_REL:
		atomic(b, &p,
		       (struct ir_insn){.op = IR_STORE_REL,
					.c = reg_value(b, insn->src_reg)},
		       0);
		break;
	case KIND_ATOMIC: update(b, &p, insn, info); break;
	}
}

static u32 compute(struct builder *b, const struct insn *insn, const struct op_info *info)
{
	u32 y = info->reg ? reg_value(b, insn->src_reg)
			  : emit_const(b, (u64)(s64)insn->imm);

	return low_half(
		b, emit_alu(b, info->row, info->width, reg_value(b, insn->dst_reg), y));
}

bool build_arena(struct builder *b, u32 pc)
{
	const struct insn *insn = &b->graph->prog->insns[pc];
	const struct op_info *info = op_info(b->graph->ops[pc]);
	u32 index;

	if (!find_arena(b, &index))
		return false;
	if (b->spec->arena[pc] == ARENA_ACCESS)
		access(b, index, insn, info);
	else if (b->spec->arena[pc] == ARENA_CUT)
		b->var[insn->dst_reg] = compute(b, insn, info);
	else if (info->kind == KIND_ADDR_SPACE_CAST)
		b->var[insn->dst_reg] = cast(b, index, insn);
	else
		return false;
	return true;
}
