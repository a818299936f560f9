/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack slots can be variables: 4 or 8 bytes that are only read and written whole,
 * at a constant distance from R10, and whose address nobody else has.
 *
 * For each register we follow what it holds: R10 plus a constant, a map, a constant, or
 * something that has nothing to do with R10.  That stays true because whatever would mix
 * R10 into anything else (arithmetic that we do not follow, a store, a call that may keep
 * it, two paths that disagree about a register that is alive) gives up: then all of the
 * stack is memory.  An address that a helper gets makes memory of the bytes that it may
 * touch.  Nothing here believes in the verifier: programs that nobody verified run, too.
 */
#include <errno.h>
#include <string.h>

#include "abi/abi.h"
#include "maps/map.h"
#include "opt/build.h"
#include "opt/graph.h"

enum { GRANULE = 4, GRANULES = FRAME_STACK / GRANULE };

enum cell_kind { CELL_OTHER, CELL_FRAME, CELL_MAP, CELL_CONST };

/* What a register holds.  value: distance from R10, number of the map, constant. */
struct cell {
	u8 kind; /* enum cell_kind */
	s32 value;
};

struct frame {
	struct graph *g;
	struct cell reg[N_REGS];      /* now */
	struct cell (*entry)[N_REGS]; /* by block: at its start */
	bool *known;                  /* by block: has entry[] been set? */
	u8 *at;               /* by instruction: granule of a whole access plus one */
	u8 starts4[GRANULES]; /* an access of 4 bytes starts here; of 8 bytes; something
			       */
	u8 starts8[GRANULES]; /* else happens to it */
	u8 memory[GRANULES];
	bool escaped; /* all of it */
};

/* ---- what happens to the stack ---- */

/* The bytes [off, off + size) are memory. */
static void touch(struct frame *f, s64 off, s64 size)
{
	s64 end = off + size;

	if (off < -FRAME_STACK)
		off = -FRAME_STACK;
	if (end > 0)
		end = 0;
	if (off >= end)
		return;
	for (s64 g = (off + FRAME_STACK) / GRANULE;
	     g <= (end - 1 + FRAME_STACK) / GRANULE; g++)
		f->memory[g] = true;
}

/* A load or a store, of a whole slot if it is one. */
static void access_slot(struct frame *f, u32 pc, s64 off, u32 bits)
{
	s64 size = bits / 8;
	u32 granule;

	if ((bits != 32 && bits != 64) || off % size || off < -FRAME_STACK ||
	    off + size > 0) {
		touch(f, off, size);
		return;
	}
	granule = (u32)((off + FRAME_STACK) / GRANULE);
	(bits == 32 ? f->starts4 : f->starts8)[granule] = true;
	f->at[pc - f->g->start] = (u8)(granule + 1);
}

static bool holds_frame(const struct frame *f, u8 reg)
{
	return f->reg[reg].kind == CELL_FRAME;
}

/* The register goes where we cannot follow. */
static void leak(struct frame *f, u8 reg)
{
	if (holds_frame(f, reg))
		f->escaped = true;
}

static void set_other(struct frame *f, u8 reg)
{
	f->reg[reg] = (struct cell){CELL_OTHER, 0};
}

/* ---- instructions ---- */

static void move_frame(struct frame *f, u8 reg, s64 by)
{
	s64 value = f->reg[reg].value + by;

	if (value < -(1 << 20) || value > 1 << 20)
		f->escaped = true;
	else
		f->reg[reg].value = (s32)value;
}

static void add_reg(struct frame *f, u8 dst, u8 src)
{
	struct cell a = f->reg[dst], b = f->reg[src];

	if (a.kind == CELL_FRAME && b.kind == CELL_CONST) {
		move_frame(f, dst, b.value);
	} else if (a.kind == CELL_CONST && b.kind == CELL_FRAME) {
		f->reg[dst] = b;
		move_frame(f, dst, a.value);
	} else {
		leak(f, dst);
		leak(f, src);
		set_other(f, dst);
	}
}

static void walk_alu(struct frame *f, const struct insn *insn, u8 op)
{
	u8 dst = insn->dst_reg;

	switch ((int)op) {
	case OP_MOV64_X: f->reg[dst] = f->reg[insn->src_reg]; return;
	case OP_MOV32_K:
	case OP_MOV64_K:
		f->reg[dst] = (struct cell){CELL_CONST, insn->imm};
		if (op == OP_MOV32_K && insn->imm < 0)
			set_other(f, dst);
		return;
	case OP_ADD64_K:
	case OP_SUB64_K:
		if (holds_frame(f, dst))
			move_frame(f, dst,
				   op == OP_ADD64_K ? insn->imm : -(s64)insn->imm);
		else
			set_other(f, dst);
		return;
	case OP_ADD64_X: add_reg(f, dst, insn->src_reg); return;
	default: break;
	}
	if (op_info(op)->reg)
		leak(f, insn->src_reg);
	if (op != OP_MOV32_X) /* reads its destination, or does no harm */
		leak(f, dst);
	set_other(f, dst);
}

static void walk_lddw(struct frame *f, const struct insn *insn)
{
	u64 imm = lddw_imm(insn);

	set_other(f, insn->dst_reg);
	if (insn->src_reg == LDDW_MAP_IDX)
		f->reg[insn->dst_reg] = (struct cell){CELL_MAP, insn->imm};
	else if (insn->src_reg == LDDW_IMM && imm <= INT32_MAX)
		f->reg[insn->dst_reg] = (struct cell){CELL_CONST, (s32)imm};
}

static void walk_load(struct frame *f, u32 pc, const struct op_info *info)
{
	const struct insn *insn = &f->g->prog->insns[pc];
	struct cell base = f->reg[insn->src_reg];

	if (base.kind == CELL_FRAME) {
		if (info->kind == KIND_LOAD_ACQ)
			touch(f, base.value + insn->off, info->width / 8);
		else
			access_slot(f, pc, base.value + insn->off, info->width);
	}
	set_other(f, insn->dst_reg);
}

static void walk_store(struct frame *f, u32 pc, const struct op_info *info)
{
	const struct insn *insn = &f->g->prog->insns[pc];
	struct cell base = f->reg[insn->dst_reg];

	if (info->kind != KIND_ST)
		leak(f, insn->src_reg);
	if (base.kind != CELL_FRAME)
		return;
	if (info->kind == KIND_ST || info->kind == KIND_STX)
		access_slot(f, pc, base.value + insn->off, info->width);
	else
		touch(f, base.value + insn->off, info->width / 8);
}

static void walk_atomic(struct frame *f, u32 pc, const struct op_info *info)
{
	const struct insn *insn = &f->g->prog->insns[pc];

	walk_store(f, pc, info);
	if (info->row == ATOMIC_CMPXCHG)
		set_other(f, R0);
	else if (effect_writes(f->g->spec->functions->effects[pc]))
		set_other(f, insn->src_reg);
}

/* ---- calls ---- */

/* The map that the argument before this one names, or NULL. */
static const struct map *map_before(const struct frame *f,
				    const struct abi_helper *helper, u32 arg)
{
	while (arg-- > 0) {
		struct cell cell = f->reg[R1 + arg];

		if ((helper->args[arg] & ABI_BASE) == ARG_CONST_MAP_PTR)
			return cell.kind == CELL_MAP ? f->g->spec->maps[cell.value]
						     : NULL;
	}
	return NULL;
}

/* How many bytes from there on the helper may touch; more than enough when unknown. */
static s64 reach_of(const struct frame *f, const struct abi_helper *helper, u32 arg)
{
	u32 what = helper->args[arg];
	const struct map *map;

	switch ((int)(what & ABI_BASE)) {
	case ARG_PTR_TO_MAP_KEY:
		map = map_before(f, helper, arg);
		return map ? map->key_size : INT32_MAX;
	case ARG_PTR_TO_MAP_VALUE:
		map = map_before(f, helper, arg);
		return map ? map->value_size : INT32_MAX;
	case ARG_PTR_TO_MEM:
		if (what & MEM_FIXED_SIZE)
			return abi_mem_size(what);
		if (arg < 4 && f->reg[R2 + arg].kind == CELL_CONST &&
		    f->reg[R2 + arg].value >= 0)
			return f->reg[R2 + arg].value;
		return INT32_MAX;
	case ARG_PTR_TO_DYNPTR: return ABI_DYNPTR_SIZE;
	default: return INT32_MAX;
	}
}

static void pass_arg(struct frame *f, u32 pc, const struct abi_helper *helper, u32 arg)
{
	struct cell cell = f->reg[R1 + arg];
	u32 base = helper->args[arg] & ABI_BASE, bits = 0;

	if (cell.kind != CELL_FRAME)
		return;
	if (base == ARG_ANYTHING || base == ARG_PTR_TO_STACK) {
		f->escaped = true;
		return;
	}
	if (arg == 1 && f->reg[R1].kind == CELL_MAP && !f->g->spec->keep_calls)
		bits = inline_key_bits(f->g->spec, helper->number, (u32)f->reg[R1].value);
	if (bits)
		access_slot(f, pc, cell.value, bits);
	else
		touch(f, cell.value, reach_of(f, helper, arg));
}

static void walk_helper(struct frame *f, u32 pc)
{
	u32 number = prog_callee(f->g->prog, &f->g->prog->insns[pc]);
	const struct abi_helper *helper = graph_helper(f->g->prog, number);

	for (u32 i = 0; i < 5; i++) {
		if (!helper)
			leak(f, (u8)(R1 + i));
		else if (helper->args[i])
			pass_arg(f, pc, helper, i);
	}
}

/* The function gets R1 to R5, as far as it reads them. */
static void walk_function(struct frame *f, u32 params)
{
	for (u8 i = 0; i < 5; i++) {
		if (params >> i & 1)
			leak(f, R1 + i);
		set_other(f, R1 + i);
	}
}

static void walk_call(struct frame *f, u32 pc)
{
	const struct insn *insn = &f->g->prog->insns[pc];
	const struct ir_functions *functions = f->g->spec->functions;

	if (insn->src_reg == CALL_LOCAL)
		walk_function(
			f,
			functions->params[graph_function(functions, pc + 1 + insn->imm)]);
	else
		walk_helper(f, pc);
	set_other(f, R0);
}

static void walk_insn(struct frame *f, u32 pc)
{
	const struct op_info *info = op_info(f->g->ops[pc]);
	const struct insn *insn = &f->g->prog->insns[pc];

	switch ((enum op_kind)info->kind) {
	case KIND_ALU: walk_alu(f, insn, f->g->ops[pc]); break;
	case KIND_END: leak(f, insn->dst_reg); break;
	case KIND_ADDR_SPACE_CAST:
		leak(f, insn->src_reg);
		set_other(f, insn->dst_reg);
		break;
	case KIND_LDDW: walk_lddw(f, insn); break;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: walk_load(f, pc, info); break;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: walk_store(f, pc, info); break;
	case KIND_ATOMIC: walk_atomic(f, pc, info); break;
	case KIND_CALL: walk_call(f, pc); break;
	case KIND_CALLX:
		walk_function(f, 0x1f);
		set_other(f, R0);
		break;
	case KIND_LD_ABS:
	case KIND_LD_IND: set_other(f, R0); break;
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_EXIT:
	case KIND_INVALID: break;
	}
}

/* ---- blocks ---- */

/* Where paths disagree whether a register that is alive has to do with R10, we give up.
 */
static void join(struct frame *f, s32 to)
{
	const struct graph_block *b;
	struct cell *entry;

	if (to == IR_NO_BLOCK)
		return;
	b = &f->g->blocks[to];
	entry = f->entry[to];
	if (!f->known[to]) {
		memcpy(entry, f->reg, sizeof(f->reg));
		f->known[to] = true;
		return;
	}
	for (u8 r = 0; r < N_REGS; r++) {
		if (entry[r].kind == f->reg[r].kind && entry[r].value == f->reg[r].value)
			continue;
		if (b->live >> r & 1 &&
		    (entry[r].kind == CELL_FRAME || holds_frame(f, r)))
			f->escaped = true;
		entry[r] = (struct cell){CELL_OTHER, 0};
	}
}

static void enter(struct frame *f, u32 block)
{
	struct cell *entry = f->entry[block];

	/* Whoever jumps back to here is compared with this; R10 nobody changes. */
	if (!f->known[block])
		entry[R10] = (struct cell){CELL_FRAME, 0};
	f->known[block] = true;
	/* What comes around a loop later can only be held against R10's distance. */
	for (u8 r = 0; r < N_REGS && f->g->blocks[block].header; r++)
		if (entry[r].kind != CELL_FRAME)
			entry[r] = (struct cell){CELL_OTHER, 0};
	memcpy(f->reg, entry, sizeof(f->reg));
}

/* Is R10 only the base of loads and stores?  Then nothing has to be followed. */
static bool is_only_base(const struct graph *g)
{
	const u32 *effects = g->spec->functions->effects;

	for (u32 pc = g->start; pc < g->end; pc++) {
		u8 kind = op_infos[g->ops[pc]].kind;

		if (!((effects[pc] | effects[pc] >> 16) >> R10 & 1))
			continue;
		if (kind != KIND_LDX && kind != KIND_LDXS && kind != KIND_ST &&
		    (kind != KIND_STX || g->prog->insns[pc].src_reg == R10))
			return false;
		if (effect_writes(effects[pc]) >> R10 & 1)
			return false;
	}
	return true;
}

static void walk_accesses(struct frame *f)
{
	const struct graph *g = f->g;

	for (u32 pc = g->start; pc < g->end; pc++)
		if (effect_reads(g->spec->functions->effects[pc]) >> R10 & 1)
			access_slot(f, pc, g->prog->insns[pc].off,
				    op_infos[g->ops[pc]].width);
}

static void walk(struct frame *f)
{
	f->entry[0][R10] = (struct cell){CELL_FRAME, 0};
	f->known[0] = true;
	for (u32 i = 0; i < f->g->n_blocks && !f->escaped; i++) {
		const struct graph_block *b = &f->g->blocks[i];

		enter(f, i);
		for (u32 pc = b->start; pc < b->end; pc++)
			walk_insn(f, pc);
		join(f, b->succ[0]);
		join(f, b->succ[1]);
	}
}

/* ---- the answer ---- */

static bool is_slot(const struct frame *f, u32 g, u8 *width)
{
	bool after8 = g && f->starts8[g - 1];

	*width = f->starts8[g] ? 64 : 32;
	if (f->memory[g] || after8)
		return false;
	if (*width == 32)
		return f->starts4[g];
	return !f->starts4[g] && !f->starts4[g + 1] && !f->starts8[g + 1] &&
	       !f->memory[g + 1];
}

/* Gives each slot a variable; what is left of the accesses is memory. */
static void number_slots(struct frame *f, u8 var[GRANULES])
{
	struct graph *g = f->g;

	for (u32 i = 0; i < GRANULES; i++) {
		u8 width;

		if (is_slot(f, i, &width) && g->n_vars < GRAPH_VARS) {
			var[i] = (u8)g->n_vars;
			g->slot_width[g->n_vars++] = width;
		} else if ((f->starts4[i] || f->starts8[i] || f->memory[i]) &&
			   !g->stack_size) {
			g->stack_size = (u32)round_up(FRAME_STACK - i * GRANULE, 8);
		}
	}
}

static void note_slots(struct frame *f, const u8 var[GRANULES], struct graph_block *b)
{
	struct graph *g = f->g;

	for (u32 pc = b->start; pc < b->end; pc++) {
		u8 *at = &f->at[pc - g->start], kind = op_info(g->ops[pc])->kind;

		*at = *at ? var[*at - 1] : 0;
		if (!*at)
			continue;
		if (kind == KIND_ST || kind == KIND_STX)
			b->writes |= 1ull << *at;
		else
			b->reads |= 1ull << *at & ~b->writes;
	}
}

static bool uses_stack(const struct graph *g)
{
	for (u32 i = 0; i < g->n_blocks; i++)
		if (g->blocks[i].reads >> R10 & 1)
			return true;
	return false;
}

int graph_promote(struct graph *g, struct arena *arena)
{
	struct frame f = {.g = g};
	u8 var[GRANULES] = {0};

	if (!uses_stack(g))
		return 0;
	f.at = arena_alloc(arena, g->end - g->start);
	if (!f.at)
		return -ENOMEM;
	if (is_only_base(g)) {
		walk_accesses(&f);
	} else {
		f.entry = arena_array(arena, g->n_blocks, sizeof(*f.entry));
		f.known = arena_alloc(arena, g->n_blocks);
		if (!f.entry || !f.known)
			return -ENOMEM;
		walk(&f);
	}
	g->stack_size = f.escaped ? FRAME_STACK : 0;
	if (f.escaped)
		return 0;
	number_slots(&f, var);
	if (g->n_vars == GRAPH_FIRST_SLOT)
		return 0;
	for (u32 i = 0; i < g->n_blocks; i++)
		note_slots(&f, var, &g->blocks[i]);
	g->slot_of = f.at;
	return 0;
}
