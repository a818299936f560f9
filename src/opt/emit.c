/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Appending to the intermediate form: arrays that grow, values found again, blocks.
 *
 * Values are found again by hash in a small table that forgets: it holds the last that
 * hashed there.  One is taken only when it stands behind cse_start, since when all code
 * was straight, so that it is computed before us on every path.
 */
#include <string.h>

#include "opt/fold.h"

/* ---- arrays ---- */

/* A larger copy; the old one stays in the arena until that dies. */
static void *grown(struct builder *b, const void *old, u32 n, u32 *cap, size_t size)
{
	u32 want = *cap ? *cap * 2 : 64;
	u8 *p = want > *cap ? arena_raw(b->ir->arena, want, size) : NULL;

	if (!p) {
		b->failed = true;
		return NULL;
	}
	if (n)
		memcpy(p, old, n * size);
	*cap = want;
	return p;
}

/* When memory is out, the builder goes on writing over what there is until it notices. */
static bool room_for_insn(struct builder *b)
{
	struct ir *ir = b->ir;
	void *p;

	if (ir->n_insns < ir->cap_insns)
		return true;
	p = grown(b, ir->insns, ir->n_insns, &ir->cap_insns, sizeof(*ir->insns));
	if (p)
		ir->insns = p;
	else
		ir->n_insns = ir->cap_insns - 1;
	return p != NULL;
}

static bool room_for_args(struct builder *b, u32 n)
{
	struct ir *ir = b->ir;

	while (ir->cap_args - ir->n_args < n) {
		void *p =
			grown(b, ir->args, ir->n_args, &ir->cap_args, sizeof(*ir->args));

		if (!p)
			return false;
		ir->args = p;
	}
	return true;
}

static bool room_for_block(struct builder *b)
{
	struct ir *ir = b->ir;
	void *p;

	if (ir->n_blocks < b->cap_blocks)
		return true;
	p = grown(b, ir->blocks, ir->n_blocks, &b->cap_blocks, sizeof(*ir->blocks));
	if (p)
		ir->blocks = p;
	return p != NULL;
}

/* Places of predecessors of a block inside of an instruction. */
static u32 inner_preds(struct builder *b, u32 first, u32 second)
{
	struct ir *ir = b->ir;
	u32 at = ir->n_preds;

	if (at + 2 > b->cap_preds) {
		void *p = grown(b, ir->preds, at, &b->cap_preds, sizeof(*ir->preds));

		if (!p)
			return 0;
		ir->preds = p;
	}
	ir->preds[at] = first;
	ir->preds[at + 1] = second;
	ir->n_preds = at + 2;
	return at;
}

u32 emit_args(struct builder *b, const u32 *args, u32 n)
{
	struct ir *ir = b->ir;
	u32 at = ir->n_args;

	if (!room_for_args(b, n))
		return 0;
	for (u32 i = 0; i < n; i++)
		ir->args[at + i] = args ? args[i] : 0;
	ir->n_args += n;
	return at;
}

/* ---- values ---- */

/* Folding asks whether anybody wants a value.  For what is no value the count goes to
 * somebody who does not mind. */
static void note_uses(struct ir *ir, const struct ir_insn *insn)
{
	const struct ir_op_info *info = &ir_ops[insn->op];

	ir->insns[info->a ? insn->a : 0].uses++;
	ir->insns[info->b ? insn->b : 0].uses++;
	ir->insns[info->c ? insn->c : 0].uses++;
	for (u32 i = 0; i < insn->n_args; i++)
		ir->insns[ir->args[insn->aux + i]].uses++;
}

u32 append(struct builder *b, const struct ir_insn *insn)
{
	struct ir *ir = b->ir;
	struct ir_insn *out;

	if (!room_for_insn(b))
		return 0;
	out = &ir->insns[ir->n_insns];
	*out = *insn;
	out->pc = b->pc;
	note_uses(ir, out);
	ir->calls |= out->op >= IR_LD_PACKET && out->op <= IR_TAIL_CALL;
	return ir->n_insns++;
}

_Static_assert(CSE_ENTRIES == 256, "the hash has 8 bits");

static bool is_same(const struct ir_insn *x, const struct ir_insn *y)
{
	return x->op == y->op && x->row == y->row && x->width == y->width &&
	       x->a == y->a && x->b == y->b && x->c == y->c && x->imm == y->imm &&
	       x->aux == y->aux;
}

static u32 append_once(struct builder *b, const struct ir_insn *insn)
{
	u32 *entry = &b->cse[ir_hash(insn)], value = *entry;

	if (value >= b->cse_start && value < b->ir->n_insns &&
	    is_same(value_of(b, value), insn))
		return value;
	*entry = append(b, insn);
	return *entry;
}

u32 ir_emit(struct builder *b, const struct ir_insn *insn)
{
	struct ir_insn made = *insn;
	u32 same = fold(b, &made);

	if (same)
		return same;
	if (ir_ops[made.op].effect == IR_PURE)
		return append_once(b, &made);
	same = append(b, &made);
	return made.op == IR_STORE ? 0 : same;
}

u32 emit_const(struct builder *b, u64 value)
{
	return append_once(b, &(struct ir_insn){.op = IR_CONST, .imm = (s64)value});
}

u32 emit_addr(struct builder *b, enum ir_addr what, u32 index, u64 addr)
{
	return append_once(
		b, &(struct ir_insn){
			   .op = IR_ADDR, .row = what, .aux = index, .imm = (s64)addr});
}

u32 emit_alu(struct builder *b, enum alu row, u8 width, u32 x, u32 y)
{
	return ir_emit(b,
		       &(struct ir_insn){
			       .op = IR_ALU, .row = row, .width = width, .a = x, .b = y});
}

u32 emit_cmp(struct builder *b, enum jmp row, u8 width, u32 x, u32 y)
{
	return ir_emit(b,
		       &(struct ir_insn){
			       .op = IR_CMP, .row = row, .width = width, .a = x, .b = y});
}

u32 emit_select(struct builder *b, u32 cmp, u32 yes, u32 no)
{
	return ir_emit(
		b, &(struct ir_insn){
			   .op = IR_SELECT, .width = 64, .a = cmp, .b = yes, .c = no});
}

u32 emit_load(struct builder *b, u8 width, u32 base, s64 off)
{
	return ir_emit(b, &(struct ir_insn){
				  .op = IR_LOAD, .width = width, .a = base, .imm = off});
}

void emit_store(struct builder *b, u8 width, u32 base, s64 off, u32 value)
{
	ir_emit(b, &(struct ir_insn){.op = IR_STORE,
				     .width = width,
				     .a = base,
				     .c = value,
				     .imm = off});
}

/* ---- blocks ---- */

void block_begin(struct builder *b)
{
	struct ir *ir = b->ir;
	const struct graph_block *source = &b->graph->blocks[b->source];

	if (!room_for_block(b))
		return;
	b->block = ir->n_blocks++;
	ir->blocks[b->block] = (struct ir_block){
		.start = ir->n_insns,
		.succ = {IR_NO_BLOCK, IR_NO_BLOCK},
		.pc = b->pc,
		.loop_depth = (u16)(source->loop_depth + b->loops),
	};
}

void block_end(struct builder *b, const struct ir_insn *end, s32 yes, s32 no)
{
	struct ir_block *block;

	for (u32 i = 0; i < IR_SPARE; i++)
		append(b, &(struct ir_insn){.op = IR_NOP});
	append(b, end);
	block = &b->ir->blocks[b->block];
	block->end = b->ir->n_insns;
	block->succ[0] = yes;
	block->succ[1] = no;
}

/* A block inside of an instruction; second: IR_NO_BLOCK as u32, or another way in. */
static void inner_begin(struct builder *b, u32 first, s32 second)
{
	u32 preds = inner_preds(b, first, (u32)second);

	block_begin(b);
	b->ir->blocks[b->block].preds = preds;
	b->ir->blocks[b->block].n_preds = second == IR_NO_BLOCK ? 1 : 2;
}

static void end_goto(struct builder *b, s32 to)
{
	block_end(b, &(struct ir_insn){.op = IR_GOTO}, to, IR_NO_BLOCK);
}

static s32 next_block(const struct builder *b)
{
	return inner_block(b->ir->n_blocks);
}

static void take_mark(const struct builder *b, struct mark *mark)
{
	*mark = (struct mark){.n_insns = b->ir->n_insns,
			      .n_blocks = b->ir->n_blocks,
			      .n_args = b->ir->n_args,
			      .cse_start = b->cse_start,
			      .block = b->ir->blocks[b->block]};
}

static void back_to_mark(struct builder *b, const struct mark *mark)
{
	b->recount = true;
	b->ir->n_insns = mark->n_insns;
	b->ir->n_blocks = mark->n_blocks;
	b->ir->n_args = mark->n_args;
	b->cse_start = mark->cse_start;
	b->block = mark->n_blocks - 1;
	b->ir->blocks[b->block] = mark->block;
}

void fork_if(struct builder *b, const struct ir_insn *jmp, struct fork *fork)
{
	struct ir_insn made = *jmp;
	enum jmp_known known = fold_jmp(b, &made);

	*fork = (struct fork){.from = b->block};
	if (known == JMP_ALWAYS) {
		fork->known = FORK_TRUE;
	} else if (known == JMP_NEVER) {
		fork->known = FORK_FALSE;
		take_mark(b, &fork->dead);
	} else {
		block_end(b, &made, next_block(b), IR_NO_BLOCK);
		inner_begin(b, fork->from, IR_NO_BLOCK);
	}
}

void fork_else(struct builder *b, struct fork *fork, u32 value)
{
	fork->value = value;
	if (fork->known == FORK_TRUE) {
		take_mark(b, &fork->dead);
	} else if (fork->known == FORK_FALSE) {
		back_to_mark(b, &fork->dead);
	} else {
		fork->then_end = b->block;
		end_goto(b, IR_NO_BLOCK);
		b->ir->blocks[fork->from].succ[1] = next_block(b);
		inner_begin(b, fork->from, IR_NO_BLOCK);
		b->cse_start = b->ir->n_insns;
	}
}

static u32 join_values(struct builder *b, u32 x, u32 y)
{
	const u32 args[] = {x, y};

	if (x == y || !x || !y)
		return x == y ? x : 0;
	if (is_const(b, x) && is_const(b, y) &&
	    value_of(b, x)->imm == value_of(b, y)->imm)
		return emit_const(b, (u64)value_of(b, x)->imm);
	b->ir->insns[x].uses++;
	b->ir->insns[y].uses++;
	return append(b, &(struct ir_insn){.op = IR_PHI, .aux = emit_args(b, args, 2)});
}

u32 fork_end(struct builder *b, struct fork *fork, u32 value)
{
	if (fork->known == FORK_TRUE) {
		back_to_mark(b, &fork->dead);
		return fork->value;
	}
	if (fork->known == FORK_FALSE)
		return value;
	b->ir->blocks[fork->then_end].succ[0] = next_block(b);
	end_goto(b, next_block(b));
	inner_begin(b, fork->then_end, (s32)b->block);
	b->cse_start = b->ir->n_insns;
	return join_values(b, fork->value, value);
}

u32 loop_begin(struct builder *b, struct fork *loop, u32 first)
{
	const u32 args[] = {first, 0};

	end_goto(b, next_block(b));
	b->loops++;
	inner_begin(b, b->block, IR_NO_BLOCK);
	b->ir->blocks[b->block].loop_header = true;
	b->cse_start = b->ir->n_insns;
	*loop = (struct fork){.from = b->block};
	loop->value =
		append(b, &(struct ir_insn){.op = IR_PHI, .aux = emit_args(b, args, 2)});
	return loop->value;
}

void loop_end(struct builder *b, struct fork *loop, u32 next, const struct ir_insn *again)
{
	struct ir_insn made = *again;
	enum jmp_known known = fold_jmp(b, &made);
	struct ir_block *header;

	if (b->spec->time_limit)
		append(b, &(struct ir_insn){.op = IR_CHECK});
	if (known == JMP_NEVER) {
		end_goto(b, next_block(b));
	} else {
		block_end(b, &made, inner_block(loop->from), next_block(b));
		header = &b->ir->blocks[loop->from];
		b->ir->preds[header->preds + header->n_preds++] = b->block;
		b->ir->args[value_of(b, loop->value)->aux + 1] = next;
		b->ir->insns[next].uses++;
	}
	b->loops--;
	inner_begin(b, b->block, IR_NO_BLOCK);
}
