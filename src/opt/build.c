/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the instructions of a function to values: one sweep over its blocks in the order
 * of the program.
 *
 * Each variable (a register, a promoted stack slot) has a value; instructions that only
 * move become nothing.  A block whose predecessors are all written takes their values,
 * with a PHI where they differ.  At the head of a loop, what the loop writes (graph.c)
 * gets a PHI, whose missing arguments come when the jump back is written.  Braun et al.,
 * "Simple and efficient construction of SSA form".
 */
#include <linux/bpf.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "maps/map.h"
#include "opt/fold.h"

/* ---- variables ---- */

static u32 get(const struct builder *b, u32 var)
{
	return b->var[var] ? b->var[var] : b->zero;
}

static void set(struct builder *b, u32 var, u32 value)
{
	b->var[var] = value;
}

/* What the slot of this instruction is, or 0. */
static u32 slot_at(const struct builder *b)
{
	return b->graph->slot_of ? b->graph->slot_of[b->pc - b->graph->start] : 0;
}

static u32 slot_value(struct builder *b, u32 slot, bool sign)
{
	u32 value = get(b, slot);

	if (b->graph->slot_width[slot] == 64)
		return value;
	return emit_alu(b, sign ? ALU_MOVS32 : ALU_MOV, sign ? 64 : 32, value, 0);
}

u32 read_key(struct builder *b, u32 addr, u32 bits)
{
	u32 slot = slot_at(b);

	return slot ? slot_value(b, slot, false) : emit_load(b, (u8)bits, addr, 0);
}

/* ---- edges ---- */

static void fill_phis(struct builder *b, u32 target, u32 edge)
{
	struct ir *ir = b->ir;
	const struct ir_block *block = &ir->blocks[b->first[target]];

	for (u32 i = block->start; ir->insns[i].op == IR_PHI; i++) {
		u32 value = get(b, (u32)ir->insns[i].imm);

		ir->args[ir->insns[i].aux + edge] = value;
		ir->insns[value].uses++;
	}
}

static void add_edge(struct builder *b, s32 target)
{
	u32 edge;

	if (target == IR_NO_BLOCK)
		return;
	edge = b->n_edges[target]++;
	b->graph->preds[b->graph->blocks[target].preds + edge] = b->source;
	if (b->first[target] != IR_NO_BLOCK)
		fill_phis(b, (u32)target, edge);
}

static bool goes_back(const struct builder *b, s32 target)
{
	return target != IR_NO_BLOCK && (u32)target <= b->source;
}

/* Does a time limit have to be looked at in a block that goes there? */
static bool is_checked(const struct builder *b, s32 yes, s32 no)
{
	u32 last = b->graph->blocks[b->source].end - 1;

	if (b->spec->bounded)
		return b->graph->ops[last] == OP_MAY_GOTO;
	return goes_back(b, yes) || goes_back(b, no);
}

/* At the block's start: between a comparison and the jump at the end it would keep the
 * two from being one. */
static void begin_check(struct builder *b)
{
	const s32 *succ = b->graph->blocks[b->source].succ;

	if (b->spec->time_limit && is_checked(b, succ[0], succ[1]))
		b->checks[b->source] = append(b, &(struct ir_insn){.op = IR_CHECK});
}

static void leave(struct builder *b, const struct ir_insn *end, s32 yes, s32 no)
{
	u32 *check = &b->checks[b->source];

	if (*check && !is_checked(b, yes, no)) { /* the jump back was folded away */
		b->ir->insns[*check] = (struct ir_insn){.op = IR_NOP};
		*check = 0;
	}
	block_end(b, end, yes, no);
	b->last[b->source] = (s32)b->block;
	memcpy(b->out + (size_t)b->source * b->graph->n_vars, b->var,
	       b->graph->n_vars * sizeof(*b->var));
	add_edge(b, yes);
	add_edge(b, no);
}

static void leave_to(struct builder *b, s32 target)
{
	leave(b, &(struct ir_insn){.op = IR_GOTO}, target, IR_NO_BLOCK);
}

/* ---- joins ---- */

static u32 out_of(const struct builder *b, u32 source, u32 var)
{
	return b->out[(size_t)source * b->graph->n_vars + var];
}

static bool is_equal(const struct builder *b, u32 x, u32 y)
{
	return x == y || (is_const(b, x) && is_const(b, y) &&
			  value_of(b, x)->imm == value_of(b, y)->imm);
}

static void add_phi(struct builder *b, const u32 *preds, u32 n, u32 var)
{
	const struct graph_block *block = &b->graph->blocks[b->source];
	u32 args = emit_args(b, NULL, block->n_preds + (b->source == 0));

	for (u32 i = 0; i < n; i++) {
		u32 value = out_of(b, preds[i], var);

		b->ir->args[args + i] = value;
		b->ir->insns[value].uses++;
	}
	set(b, var, append(b, &(struct ir_insn){.op = IR_PHI, .aux = args, .imm = var}));
}

/* Constants are written again: those of the predecessors are not before us on every
 * path. */
static void join(struct builder *b, bool open)
{
	const struct graph_block *block = &b->graph->blocks[b->source];
	const u32 *preds = b->graph->preds + block->preds;
	u32 n = b->n_edges[b->source];
	u64 consts = 0, varies = n ? block->varies : UINT64_MAX;

	memset(b->var, 0, sizeof(b->var));
	for (u64 live = block->live; live; live &= live - 1) {
		u32 var = (u32)__builtin_ctzll(live), first, i;

		first = n ? out_of(b, preds[0], var) : 0;
		for (i = 1; i < n && is_equal(b, out_of(b, preds[i], var), first); i++)
			consts |= (out_of(b, preds[i], var) != first) * (1ull << var);
		if (i < n || (open && varies >> var & 1)) {
			consts &= ~(1ull << var);
			add_phi(b, preds, n, var);
		} else {
			set(b, var, first);
		}
	}
	for (; consts; consts &= consts - 1) {
		u32 var = (u32)__builtin_ctzll(consts);

		set(b, var, emit_const(b, (u64)value_of(b, b->var[var])->imm));
	}
}

/* Starts the source block; false: nobody gets there. */
static bool enter(struct builder *b, u32 source)
{
	const struct graph_block *block = &b->graph->blocks[source];
	u32 n = b->n_edges[source], *preds = b->graph->preds + block->preds;
	bool open = block->n_preds && block->last_pred >= source;

	if (!n && !open)
		return false;
	b->source = source;
	b->pc = block->start;
	block_begin(b);
	b->first[source] = (s32)b->block;
	b->ir->blocks[b->block].loop_header = block->header;
	b->orphans |= !n;
	if (n != 1 || open) {
		b->cse_start = b->ir->n_insns;
		join(b, open);
		return true;
	}
	if (b->last[preds[0]] != (s32)b->block - 1) {
		b->cse_start = b->ir->n_insns;
		memcpy(b->var, b->out + (size_t)preds[0] * b->graph->n_vars,
		       b->graph->n_vars * sizeof(*b->var));
	}
	refine_enter(b, preds[0]);
	return true;
}

/* ---- arithmetic ---- */

static u32 alu_operand(struct builder *b, const struct insn *insn,
		       const struct op_info *info)
{
	return info->reg ? get(b, insn->src_reg) : emit_const(b, (u64)(s64)insn->imm);
}

static void build_alu(struct builder *b, const struct insn *insn,
		      const struct op_info *info)
{
	u32 x = get(b, insn->dst_reg), y;

	if (info->row == ALU_NEG) {
		set(b, insn->dst_reg, 0);
		set(b, insn->dst_reg, emit_alu(b, ALU_NEG, info->width, x, 0));
		return;
	}
	y = alu_operand(b, insn, info);
	set(b, insn->dst_reg, 0); /* whoever asks who needs x: not this register */
	switch ((int)info->row) {
	case ALU_MOV:
		if (info->width == 32)
			y = emit_alu(b, ALU_MOV, 32, y, 0);
		break;
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32: y = emit_alu(b, info->row, info->width, y, 0); break;
	default: y = emit_alu(b, info->row, info->width, x, y);
	}
	set(b, insn->dst_reg, y);
}

static bool swaps(u8 op)
{
	switch ((int)op) {
	case OP_LE16:
	case OP_LE32:
	case OP_LE64: return host_is_big_endian();
	case OP_BE16:
	case OP_BE32:
	case OP_BE64: return !host_is_big_endian();
	default: return true;
	}
}

static void build_end(struct builder *b, const struct insn *insn,
		      const struct op_info *info)
{
	u32 x = get(b, insn->dst_reg);

	if (swaps(b->graph->ops[b->pc]))
		x = ir_emit(b, &(struct ir_insn){
				       .op = IR_SWAP, .width = info->width, .a = x});
	else if (info->width == 32)
		x = emit_alu(b, ALU_MOV, 32, x, 0);
	else if (info->width == 16)
		x = emit_alu(b, ALU_AND, 64, x, emit_const(b, UINT16_MAX));
	set(b, insn->dst_reg, x);
}

static void build_lddw(struct builder *b, const struct insn *insn)
{
	const struct ir_spec *spec = b->spec;
	u32 value = b->zero, function, index = (u32)insn->imm;
	void *addr = NULL;

	switch ((enum lddw_src)insn->src_reg) {
	case LDDW_IMM: value = emit_const(b, lddw_imm(insn)); break;
	case LDDW_FUNC:
		function = graph_function(spec->functions, b->pc + 1 + insn->imm);
		value = emit_addr(b, IR_FUNC, function, 0);
		break;
	case LDDW_MAP_IDX:
		value = emit_addr(b, IR_MAP, index, (u64)(uintptr_t)spec->maps[index]);
		break;
	case LDDW_MAP_IDX_VALUE:
		if (spec->maps[index]->type == MAP_TYPE_ARENA) {
			value = arena_address(b, index, (u32)insn[1].imm);
			break;
		}
		map_value_addr(spec->maps[index], (u32)insn[1].imm, &addr);
		value = emit_addr(b, IR_MAP_BYTES, index, (u64)(uintptr_t)addr);
		break;
	case LDDW_BTF_ID:
		value = emit_const(b, prog_extern_address(spec->prog, insn));
		break;
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE:
	case LDDW_SRCS: break;
	}
	set(b, insn->dst_reg, value);
}

/* ---- memory ---- */

static void build_load(struct builder *b, const struct insn *insn,
		       const struct op_info *info)
{
	u32 base = get(b, insn->src_reg), slot = slot_at(b), value;
	bool sign = info->kind == KIND_LDXS;

	if (slot) {
		set(b, insn->dst_reg, slot_value(b, slot, sign));
		return;
	}
	set(b, insn->dst_reg, 0);
	value = ir_emit(b,
			&(struct ir_insn){.op = info->kind == KIND_LOAD_ACQ ? IR_LOAD_ACQ
									    : IR_LOAD,
					  .row = sign,
					  .width = info->width,
					  .a = base,
					  .imm = insn->off});
	set(b, insn->dst_reg, value);
}

static void build_store(struct builder *b, const struct insn *insn,
			const struct op_info *info)
{
	u32 slot = slot_at(b), value;

	value = info->kind == KIND_ST ? emit_const(b, (u64)(s64)insn->imm)
				      : get(b, insn->src_reg);
	if (slot)
		set(b, slot, value);
	else
		ir_emit(b, &(struct ir_insn){.op = info->kind == KIND_STORE_REL
							   ? IR_STORE_REL
							   : IR_STORE,
					     .width = info->width,
					     .a = get(b, insn->dst_reg),
					     .c = value,
					     .imm = insn->off});
}

static void build_atomic(struct builder *b, const struct insn *insn,
			 const struct op_info *info)
{
	bool exchange = info->row == ATOMIC_CMPXCHG;
	u32 old = ir_emit(b, &(struct ir_insn){.op = IR_ATOMIC,
					       .row = info->row,
					       .width = info->width,
					       .a = get(b, insn->dst_reg),
					       .b = exchange ? get(b, R0) : 0,
					       .c = get(b, insn->src_reg),
					       .imm = insn->off});

	if (exchange)
		set(b, R0, old);
	else if (effect_writes(b->spec->functions->effects[b->pc]))
		set(b, insn->src_reg, old);
}

static void build_packet(struct builder *b, const struct insn *insn,
			 const struct op_info *info)
{
	u32 at = info->kind == KIND_LD_IND ? get(b, insn->src_reg) : 0;

	set(b, R0,
	    ir_emit(b, &(struct ir_insn){.op = IR_LD_PACKET,
					 .width = info->width,
					 .a = at,
					 .imm = insn->imm}));
}

/* ---- calls ---- */

static u32 call(struct builder *b, struct ir_insn insn, const u32 *args, u32 n)
{
	insn.aux = emit_args(b, args, n);
	insn.n_args = (u16)n;
	return ir_emit(b, &insn);
}

static void args_of(const struct builder *b, u32 args[5])
{
	for (u32 i = 0; i < 5; i++)
		args[i] = get(b, R1 + i);
}

static void build_helper(struct builder *b, u32 number)
{
	u32 args[5], ret = 0, n = graph_helper_args(b->graph->prog, number);
	struct ir_insn insn = {.op = IR_CALL, .a = number};

	args_of(b, args);
	if (b->spec->keep_calls || !inline_call(b, number, args, &ret)) {
		insn.imm = (s64)(uintptr_t)b->spec->helper(number);
		ret = call(b, insn, args, n);
	}
	set(b, R0, ret);
}

/* Is the value the address of one that the program names? */
static bool is_prog_array(const struct builder *b, u32 value)
{
	const struct ir_insn *insn = value_of(b, value);

	return insn->op == IR_ADDR && insn->row == IR_MAP && !b->spec->keep_calls &&
	       b->spec->maps[insn->aux]->type == BPF_MAP_TYPE_PROG_ARRAY;
}

/* The next program finds what is left of R1 to R3; nobody may read the others. */
static void build_tail_call(struct builder *b)
{
	u32 args[5];

	args_of(b, args);
	args[3] = args[4] = b->zero;
	b->ir->tail_calls = true;
	set(b, R0,
	    call(b,
		 (struct ir_insn){.op = IR_TAIL_CALL,
				  .row = is_prog_array(b, args[1]),
				  .imm = b->spec->prog->type},
		 args, 5));
}

/* What a function leaves in R1 to R5 nobody may read. */
static void called_function(struct builder *b, u32 ret)
{
	for (u32 i = R1; i <= R5; i++)
		set(b, i, b->zero);
	set(b, R0, ret);
}

static void build_local(struct builder *b, const struct insn *insn)
{
	const struct ir_functions *functions = b->spec->functions;
	u32 function = graph_function(functions, b->pc + 1 + insn->imm);
	u32 args[5], params = functions->params[function], n = 0;

	args_of(b, args);
	for (u32 i = 0; i < 5; i++) {
		if (params >> i & 1)
			n = i + 1;
		else
			args[i] = b->zero;
	}
	called_function(b, call(b, (struct ir_insn){.op = IR_CALL_LOCAL, .imm = function},
				args, n));
}

static void build_call(struct builder *b, const struct insn *insn)
{
	if (insn->src_reg == CALL_LOCAL)
		build_local(b, insn);
	else if (prog_callee(b->spec->prog, insn) == HELPER_TAIL_CALL)
		build_tail_call(b);
	else
		build_helper(b, prog_callee(b->spec->prog, insn));
}

static void build_callx(struct builder *b, const struct insn *insn)
{
	struct ir_insn callx = {.op = IR_CALLX, .a = get(b, graph_callx_reg(insn))};
	u32 args[5];

	args_of(b, args);
	called_function(b, call(b, callx, args, 5));
}

/* ---- jumps ---- */

/* The verifier saw one way only: if that says that the operands are equal, what is
 * compared with a constant is that constant. */
static void use_way(struct builder *b, const struct ir_insn *jmp, bool taken)
{
	u32 value = jmp->a;
	bool wide = jmp->width == 64 || ir_upper_is_zero(b->ir, value);

	if (jmp->row != (taken ? JMP_JEQ : JMP_JNE) || !is_const(b, jmp->b) || !wide ||
	    is_const(b, value))
		return;
	for (u32 i = 0; i < b->graph->n_vars; i++)
		if (b->var[i] == value)
			b->var[i] =
				jmp->width == 64
					? jmp->b
					: emit_const(b, (u32)value_of(b, jmp->b)->imm);
}

/* The last instruction of a block that has both ways. */
static void leave_by(struct builder *b, struct ir_insn *jmp)
{
	const struct graph_block *block = &b->graph->blocks[b->source];
	enum jmp_known known = fold_jmp(b, jmp);

	if (known == JMP_OPEN)
		known = jumps_say(b, jmp);
	if (known == JMP_OPEN)
		leave(b, jmp, block->succ[0], block->succ[1]);
	else
		leave_to(b, block->succ[known == JMP_NEVER]);
}

static void build_jmp(struct builder *b, const struct insn *insn,
		      const struct op_info *info)
{
	const struct graph_block *block = &b->graph->blocks[b->source];
	struct ir_insn jmp = {.op = IR_JMP,
			      .row = info->row,
			      .width = info->width,
			      .a = get(b, insn->dst_reg)};

	if (block->succ[0] == IR_NO_BLOCK || block->succ[1] == IR_NO_BLOCK ||
	    block->succ[0] == block->succ[1]) {
		if (block->succ[0] != block->succ[1]) {
			jmp.b = alu_operand(b, insn, info);
			use_way(b, &jmp, block->succ[1] == IR_NO_BLOCK);
		}
		leave_to(b, block->succ[block->succ[0] == IR_NO_BLOCK]);
		return;
	}
	jmp.b = alu_operand(b, insn, info);
	refine_jump(b, &jmp);
	leave_by(b, &jmp);
}

/* Where there was no step left there is none later: fewer than none, in 64 bits. */
static void build_may_goto(struct builder *b)
{
	const struct graph_block *block = &b->graph->blocks[b->source];
	u32 left = emit_alu(b, ALU_SUB, 64, get(b, GRAPH_STEPS), emit_const(b, 1));

	set(b, GRAPH_STEPS, left);
	if (block->succ[0] == block->succ[1])
		leave_to(b, block->succ[0]);
	else
		leave_by(b, &(struct ir_insn){.op = IR_JMP,
					      .row = JMP_JSLT,
					      .width = 64,
					      .a = left,
					      .b = b->zero});
}

/* ---- a function ---- */

static void build_insn(struct builder *b, u32 pc)
{
	const struct insn *insn = &b->graph->prog->insns[pc];
	const struct op_info *info = op_info(b->graph->ops[pc]);

	b->pc = pc;
	if (b->spec->arena && build_arena(b, pc))
		return;
	switch ((enum op_kind)info->kind) {
	case KIND_ALU: build_alu(b, insn, info); return;
	case KIND_END: build_end(b, insn, info); return;
	case KIND_ADDR_SPACE_CAST: set(b, insn->dst_reg, get(b, insn->src_reg)); return;
	case KIND_JMP: build_jmp(b, insn, info); return;
	case KIND_JA: leave_to(b, b->graph->blocks[b->source].succ[0]); return;
	case KIND_MAY_GOTO: build_may_goto(b); return;
	case KIND_CALL: build_call(b, insn); return;
	case KIND_CALLX: build_callx(b, insn); return;
	case KIND_EXIT:
		leave(b, &(struct ir_insn){.op = IR_EXIT, .a = get(b, R0)}, IR_NO_BLOCK,
		      IR_NO_BLOCK);
		return;
	case KIND_LDDW: build_lddw(b, insn); return;
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: build_load(b, insn, info); return;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: build_store(b, insn, info); return;
	case KIND_LD_ABS:
	case KIND_LD_IND: build_packet(b, insn, info); return;
	case KIND_ATOMIC: build_atomic(b, insn, info); return;
	case KIND_INVALID: return; /* the second slot of a LDDW */
	}
}

static void build_block(struct builder *b, u32 source)
{
	const struct graph_block *block = &b->graph->blocks[source];

	if (!enter(b, source))
		return;
	begin_check(b);
	for (u32 pc = block->start; pc < block->end; pc++)
		build_insn(b, pc);
	if (!graph_jumps(b->graph->ops[block->end - 1]))
		leave_to(b, block->succ[1]);
}

/* What the function starts with: a block of its own if something jumps back to the
 * first. */
static void build_start(struct builder *b)
{
	const struct graph_block *block = &b->graph->blocks[0];

	b->pc = block->start;
	block_begin(b);
	b->ir->blocks[0].loop_depth = 0;
	b->zero = emit_const(b, 0);
	for (u64 live = block->live; live; live &= live - 1) {
		u32 var = (u32)__builtin_ctzll(live);

		set(b, var, b->zero);
		if (var >= R1 && var <= R5)
			set(b, var,
			    append(b, &(struct ir_insn){.op = IR_PARAM, .imm = var}));
		if (var == R10)
			set(b, var, append(b, &(struct ir_insn){.op = IR_FRAME}));
		if (var == GRAPH_STEPS)
			set(b, var, emit_const(b, MAY_GOTO_STEPS));
	}
	if (b->spec->time_limit && b->ir->function)
		b->start_check = append(b, &(struct ir_insn){.op = IR_CHECK});
}

static void build_first(struct builder *b)
{
	const struct graph_block *block = &b->graph->blocks[0];

	build_start(b);
	if (block->n_preds) {
		b->source = b->graph->n_blocks; /* so are its values called */
		b->last[b->source] = 0;
		leave_to(b, 0);
		build_block(b, 0);
		return;
	}
	b->first[0] = 0;
	begin_check(b);
	for (u32 pc = block->start; pc < block->end; pc++)
		build_insn(b, pc);
	if (!graph_jumps(b->graph->ops[block->end - 1]))
		leave_to(b, block->succ[1]);
}

static bool alloc_builder(struct builder *b, const struct graph *g)
{
	struct ir *ir = b->ir;
	struct arena *arena = ir->arena;

	ir->cap_insns = (g->end - g->start) * 3 / 2 + 5 * g->n_blocks + 32;
	ir->cap_args = 64 + g->n_preds;
	b->cap_blocks = g->n_blocks + 2;
	b->cap_preds = g->n_preds + 8;
	ir->insns = arena_raw(arena, ir->cap_insns, sizeof(*ir->insns));
	ir->args = arena_raw(arena, ir->cap_args, sizeof(*ir->args));
	ir->blocks = arena_raw(arena, b->cap_blocks, sizeof(*ir->blocks));
	ir->preds = arena_raw(arena, b->cap_preds, sizeof(*ir->preds));
	b->out = arena_raw(arena, (size_t)(g->n_blocks + 1) * g->n_vars, sizeof(*b->out));
	b->n_edges = arena_array(arena, g->n_blocks, sizeof(*b->n_edges));
	b->checks = arena_array(arena, g->n_blocks + 1, sizeof(*b->checks));
	b->refined = arena_array(arena, g->n_blocks + 1, sizeof(*b->refined));
	b->first = arena_raw(arena, g->n_blocks + 1, 2 * sizeof(*b->first));
	if (!ir->insns || !ir->args || !ir->blocks || !ir->preds || !b->out ||
	    !b->n_edges || !b->checks || !b->refined || !b->first)
		return false;
	b->last = b->first + g->n_blocks + 1;
	for (u32 i = 0; i < 2 * (g->n_blocks + 1); i++)
		b->first[i] = IR_NO_BLOCK;
	ir->insns[0] = (struct ir_insn){.op = IR_NOP};
	ir->n_insns = 1;          /* 0: none */
	ir->n_preds = g->n_preds; /* the first are those of the graph's blocks */
	return true;
}

/* Numbers of the graph's blocks become those of ir's. */
static void connect(struct builder *b)
{
	const struct graph *g = b->graph;
	struct ir *ir = b->ir;

	for (u32 i = 0; i < ir->n_blocks; i++)
		for (u32 k = 0; k < 2; k++) {
			s32 *succ = &ir->blocks[i].succ[k];

			if (*succ >= 0)
				*succ = b->first[*succ];
			else if (*succ != IR_NO_BLOCK)
				*succ = inner_block((u32)*succ);
		}
	for (u32 i = 0; i < g->n_blocks; i++) {
		struct ir_block *block;

		if (b->first[i] == IR_NO_BLOCK)
			continue;
		block = &ir->blocks[b->first[i]];
		block->preds = g->blocks[i].preds;
		block->n_preds = b->n_edges[i];
		for (u32 k = 0; k < block->n_preds; k++)
			ir->preds[block->preds + k] =
				(u32)b->last[g->preds[block->preds + k]];
	}
}

int ir_build(const struct ir_spec *spec, u32 function, struct arena *arena,
	     struct ir *out, struct skep_diag *diag)
{
	struct graph graph;
	struct builder b = {.spec = spec, .ir = out, .graph = &graph};

	*out = (struct ir){.function = function, .arena = arena};
	if (graph_make(spec, function, arena, &graph) || !alloc_builder(&b, &graph))
		return fail(diag, NO_MEMORY, NO_PC);
	out->stack_size = graph.stack_size;
	build_first(&b);
	for (u32 i = 1; i < graph.n_blocks && !b.failed; i++)
		build_block(&b, i);
	if (b.failed)
		return fail(diag, NO_MEMORY, NO_PC);
	connect(&b);
	if (spec->time_limit && !build_rounds(&b))
		return fail(diag, NO_MEMORY, NO_PC);
	if (!build_clean(&b))
		return fail(diag, NO_MEMORY, NO_PC);
	return 0;
}
