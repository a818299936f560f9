/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control flow: the moves on edges, and jumps that are short where
 * they can be.
 *
 * Jumps are written long and loop headers with all the padding there could be; each is a
 * fix.  When the function is complete, distances only shrink: what fits in a byte now
 * will fit then.  So the jumps that fit are made short, a few times over, then the code
 * between the fixes is moved together.  A label knows how many fixes stand before it:
 * where it goes is one subtraction.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "exec/jit/jit.h"
#include "exec/jit/x86_64/emit.h"

enum { JMP_LONG = 5, JCC_LONG = 6, JUMP_SHORT = 2 };

/* Loops start where what decoders keep of code does, or a bit later.  Intel's up to Comet
 * Lake keep blocks, and decode anew each time what is around a jump that crosses a border
 * or ends there; later ones and AMD's keep lines. */
enum { BLOCK = 32, LINE = 64, ALIGNMENT = LINE };

/* ---- before the first instruction ---- */

static u32 count_fixes(const struct ir *ir)
{
	u32 n = 16;

	for (u32 i = 0; i < ir->n_insns; i++) {
		enum ir_op op = ir->insns[i].op;

		/* CALLX has two ways out; a CHECK its own, and the end of its block may
		 * be there once more: x86_is_twice() */
		n += op == IR_CALL || op == IR_LD_PACKET || op == IR_CALL_LOCAL;
		n += op == IR_CALLX ? 2 : op == IR_CHECK ? 1 + 4 : 0;
	}
	/* a block: padding, two jumps at its end and two in stubs; and CHECKs and ends
	 * of two more: x86_find_end() */
	return n + (5 + 2 * 5) * ir->n_blocks;
}

/* Which of its target's predecessors is each edge? */
static void number_edges(struct emitter *m)
{
	const struct ir *ir = m->ir;

	for (u32 b = 0; b < ir->n_blocks; b++)
		m->preds[b][0] = m->preds[b][1] = UINT32_MAX;
	for (u32 b = 0; b < ir->n_blocks; b++) {
		const struct ir_block *to = &ir->blocks[b];

		for (u32 i = 0; i < to->n_preds; i++) {
			u32 from = ir->preds[to->preds + i];
			bool first = ir->blocks[from].succ[0] == (s32)b &&
				     m->preds[from][0] == UINT32_MAX;

			m->preds[from][first ? 0 : 1] = i;
		}
	}
}

int flow_begin(struct emitter *m)
{
	const struct ir *ir = m->ir;
	u32 n = ir->n_blocks, widest = 2 + MAX_ARGS;

	m->has_phis = arena_array(ir->arena, n, sizeof(*m->has_phis));
	m->preds = arena_array(ir->arena, n, sizeof(*m->preds));
	m->stubs = arena_array(ir->arena, 4 * (size_t)n, sizeof(*m->stubs));
	m->labels = arena_array(ir->arena, 5 * (size_t)n + 2, sizeof(*m->labels));
	m->fixes = arena_array(ir->arena, count_fixes(ir), sizeof(*m->fixes));
	if (!m->has_phis || !m->preds || !m->stubs || !m->labels || !m->fixes)
		return -ENOMEM;
	for (u32 b = 0; b < n; b++) {
		u32 phis = count_phis(ir, b);

		m->has_phis[b] = phis;
		widest = phis > widest ? phis : widest;
	}
	m->moves = arena_array(ir->arena, widest, sizeof(*m->moves));
	if (!m->moves)
		return -ENOMEM;
	m->n_labels = n + 2;
	number_edges(m);
	return 0;
}

/* ---- labels and fixes ---- */

static u32 offset(const struct emitter *m)
{
	return (u32)(m->e.at - m->out->code) - m->start;
}

void flow_forget(struct emitter *m)
{
	m->flags_at = m->asked_at = 0;
	forget_held(m);
}

void flow_label(struct emitter *m, u32 label)
{
	m->labels[label] = (struct label){.off = offset(m), .fixes = m->n_fixes};
	flow_forget(m);
}

static void add_fix(struct emitter *m, struct fix fix)
{
	fix.off = offset(m);
	m->fixes[m->n_fixes++] = fix;
	memset(m->e.at, 0x90, fix.size);
	m->e.at += fix.size;
}

/* How often code is thought to be executed; outside of loops nobody minds. */
static u8 weight_of(u32 depth)
{
	return depth < 4 ? (u8)((1u << 2 * depth) - 1) : UINT8_MAX;
}

void flow_begin_block(struct emitter *m, struct laid laid)
{
	m->weight = weight_of(m->ir->blocks[laid.block].loop_depth);
	if (laid.top)
		add_fix(m, (struct fix){.kind = FIX_ALIGN,
					.size = ALIGNMENT - 1,
					.weight = m->weight});
	flow_label(m, laid.block);
}

void flow_jump(struct emitter *m, u32 cc, u32 label)
{
	add_fix(m, (struct fix){.kind = FIX_JUMP,
				.label = label,
				.cc = (u8)cc,
				.size = cc == CC_ALWAYS ? JMP_LONG : JCC_LONG,
				.pair = (u8)m->pair,
				.weight = m->weight});
	m->pair = 0;
}

void flow_way_out(struct emitter *m)
{
	add_fix(m, (struct fix){.kind = FIX_WAY_OUT, .cc = CC_ALWAYS, .size = JMP_LONG});
}

/* ---- edges ---- */

/* Moves of an edge, not yet made.  Returns how many. */
static u32 moves_at(struct emitter *m, u32 block, u32 edge)
{
	u32 to = (u32)m->ir->blocks[block].succ[edge];

	if (!m->has_phis[to])
		return 0;
	return moves_of_edge(m->ir, m->where, to, m->preds[block][edge], m->moves);
}

/* Nothing but a GOTO, and no moves: whoever goes there may go on at once. */
static bool is_empty(struct emitter *m, u32 block)
{
	const struct ir_block *b = &m->ir->blocks[block];

	for (u32 i = b->start; i + 1 < b->end; i++)
		if (m->ir->insns[i].op != IR_NOP)
			return false;
	return m->ir->insns[b->end - 1].op == IR_GOTO && !m->has_phis[b->succ[0]];
}

static u32 target_block(struct emitter *m, u32 block)
{
	enum { STEPS = 8 };

	for (u32 i = 0; i < STEPS && is_empty(m, block); i++)
		block = (u32)m->ir->blocks[block].succ[0];
	return block;
}

static void go_to(struct emitter *m, u32 block, u32 next)
{
	if (block != next && target_block(m, block) != next)
		flow_jump(m, CC_ALWAYS, target_block(m, block));
}

static void take_edge(struct emitter *m, u32 block, u32 edge, u32 next)
{
	u32 n = moves_at(m, block, edge);

	make_moves(m, m->moves, n);
	go_to(m, (u32)m->ir->blocks[block].succ[edge], next);
}

/* A label for the edge: its target, or a stub with its moves. */
static u32 label_of_edge(struct emitter *m, u32 block, u32 edge)
{
	u32 label;

	if (!moves_at(m, block, edge))
		return target_block(m, (u32)m->ir->blocks[block].succ[edge]);
	label = m->n_labels++;
	m->stubs[m->n_stubs++] = (struct stub){block, edge, label};
	return label;
}

/* Which edge is had without a jump: rather the one to the next block, and moves rather
 * in the loop than behind the function. */
static u32 choose_straight(struct emitter *m, u32 block, u32 next)
{
	const struct ir_block *b = &m->ir->blocks[block];
	u32 worth[2];

	for (u32 edge = 0; edge < 2; edge++) {
		u32 to = (u32)b->succ[edge];
		const struct ir_block *target = &m->ir->blocks[to];
		bool back = target->loop_header && to <= block;
		bool leaves = target->loop_depth < b->loop_depth;

		worth[edge] = (to == next || target_block(m, to) == next ? 2 : 0) +
			      (moves_at(m, block, edge) && !leaves ? back ? 3 : 1 : 0);
	}
	return worth[0] > worth[1] ? 0 : 1;
}

/* Registers that whoever takes the edge finds written. */
static u32 live_at(const struct emitter *m, u32 to)
{
	const struct ir_block *b = &m->ir->blocks[to];
	u32 live = m->where->live_in[to];

	for (u32 i = b->start; i < b->end && m->has_phis[to]; i++) {
		const struct ir_insn *phi = insn_of(m, i);

		if (phi->op == IR_PHI && register_of(m, i) != NO_REG)
			live |= 1u << register_of(m, i);
		else if (phi->op != IR_NOP && phi->op != IR_PHI)
			break;
	}
	return live;
}

/* Has the edge moves, and may they be made whichever way it goes, because the other way
 * nobody reads what they write over? */
static bool has_early_moves(struct emitter *m, u32 block, u32 edge)
{
	const struct ir_block *b = &m->ir->blocks[block];
	u32 other = (u32)b->succ[!edge], written = 0, n;

	if (m->ir->blocks[b->succ[edge]].loop_depth < m->ir->blocks[other].loop_depth ||
	    moves_at(m, block, !edge))
		return false;
	n = moves_at(m, block, edge);
	for (u32 i = 0; i < n; i++) {
		if (m->moves[i].to < 0)
			return false;
		written |= 1u << m->moves[i].to;
	}
	return n && !(written & live_at(m, other));
}

static bool compares_any(const struct emitter *m, const struct ir_insn *insn, u32 regs)
{
	for (u8 reg = 0; reg < 16; reg++)
		if (regs & 1u << reg && x86_compares(m, insn, reg))
			return true;
	return false;
}

/* A comparison or what else the flags are of, and the jump behind it, are one instruction
 * to the CPU. */
static u32 emit_pair(struct emitter *m, const struct ir_insn *end)
{
	enum { LONGEST = 15 };
	u32 here = (u32)(m->e.at - m->out->code);
	u32 start = flags_are_there(m, end) ? m->insn_at : here;
	u32 cc = x86_emit_condition(m, end);

	m->pair = (u32)(m->e.at - m->out->code) - start;
	if (m->pair > LONGEST)
		m->pair = LONGEST;
	return cc;
}

/* A comparison and a jump, with the moves of one edge already made: before the
 * comparison, so that the two are one instruction to the CPU, or else between them. */
static void branch_early(struct emitter *m, u32 block, u32 edge, u32 next)
{
	const struct ir_block *b = &m->ir->blocks[block];
	const struct ir_insn *end = insn_of(m, b->end - 1);
	u32 n = moves_at(m, block, edge), written = 0, straight = !edge, cc;

	for (u32 i = 0; i < n; i++)
		written |= 1u << m->moves[i].to;
	if (flags_are_there(m, end) || compares_any(m, end, written)) {
		cc = x86_emit_condition(m, end);
		release_scratch(m);
		m->keep_flags = true;
		make_moves(m, m->moves, n);
		m->keep_flags = false;
	} else {
		make_moves(m, m->moves, n);
		cc = emit_pair(m, end);
	}
	if ((u32)b->succ[edge] == next)
		straight = edge;
	flow_jump(m, straight == 0 ? cc ^ 1 : cc,
		  target_block(m, (u32)b->succ[!straight]));
	go_to(m, (u32)b->succ[straight], next);
}

static void branch(struct emitter *m, u32 block, u32 cc, u32 next)
{
	u32 straight = choose_straight(m, block, next);

	flow_jump(m, straight == 0 ? cc ^ 1 : cc, label_of_edge(m, block, !straight));
	take_edge(m, block, straight, next);
}

void flow_to(struct emitter *m, u32 block)
{
	take_edge(m, block, 0, (u32)m->ir->blocks[block].succ[0]);
	flow_forget(m);
}

void flow_end_block(struct emitter *m, u32 block, u32 next)
{
	const struct ir_block *b = &m->ir->blocks[block];
	const struct ir_insn *end = insn_of(m, b->end - 1);

	if (end->op == IR_GOTO) {
		take_edge(m, block, 0, next);
	} else if (end->op == IR_EXIT) {
		put_value(m, RAX, end->a);
		x86_emit_epilogue(m);
		x86_ret(&m->e);
	} else if (has_early_moves(m, block, 0)) {
		branch_early(m, block, 0, next);
	} else if (has_early_moves(m, block, 1)) {
		branch_early(m, block, 1, next);
	} else {
		u32 cc = emit_pair(m, end);

		release_scratch(m);
		branch(m, block, cc, next);
	}
}

void flow_stubs(struct emitter *m)
{
	m->weight = 0;
	for (u32 i = 0; i < m->n_stubs; i++) {
		make_room(m);
		flow_label(m, m->stubs[i].label);
		take_edge(m, m->stubs[i].block, m->stubs[i].edge, UINT32_MAX);
	}
}

/* ---- making short ---- */

/* How far it is from the end of a jump, at most, when those before n have shrunk so. */
static bool is_near(const struct emitter *m, u32 i, const u32 *shrunk)
{
	const struct fix *fix = &m->fixes[i];
	const struct label *to = &m->labels[fix->label];
	s64 from = (s64)fix->off + fix->size - shrunk[i];
	s64 target = (s64)to->off - shrunk[to->fixes];

	/* ours shrinks, too: forward by nothing, backward by the difference */
	return target - from >= -120 && target - from <= 127;
}

static u32 long_size(const struct fix *fix)
{
	return fix->cc == CC_ALWAYS ? JMP_LONG : JCC_LONG;
}

/* shrunk[i]: bytes that the fixes before i are shorter than as first written. */
static void shorten(struct emitter *m, u32 *shrunk)
{
	enum { ROUNDS = 3 };

	for (u32 round = 0; round < ROUNDS; round++) {
		bool again = false;

		for (u32 i = 0; i < m->n_fixes; i++) {
			struct fix *fix = &m->fixes[i];

			if (fix->kind != FIX_JUMP || fix->size == JUMP_SHORT ||
			    !is_near(m, i, shrunk))
				continue;
			fix->size = JUMP_SHORT;
			again = true;
		}
		if (!again)
			break;
		for (u32 i = 0; i < m->n_fixes; i++) {
			const struct fix *fix = &m->fixes[i];
			bool is_short = fix->kind == FIX_JUMP && fix->size == JUMP_SHORT;

			shrunk[i + 1] =
				shrunk[i] + (is_short ? long_size(fix) - JUMP_SHORT : 0);
		}
	}
}

/* How far behind a border the loop had better start that the i-th fix, a padding, stands
 * before.  Code up to the next padding is looked at: each place is charged with the jumps
 * that would lie badly, and with the blocks and lines that the loop would lie in. */
static u32 best_start(const struct emitter *m, u32 i)
{
	enum { CROSSED = 4 }; /* as bad as that many blocks */
	u32 cost[ALIGNMENT] = {0}, from = m->fixes[i].off + ALIGNMENT - 1, best = 0;
	u32 weight = m->fixes[i].weight, length = 0;

	for (i++; i < m->n_fixes && m->fixes[i].kind != FIX_ALIGN; i++) {
		const struct fix *fix = &m->fixes[i];
		u32 end = fix->off + fix->size - from;

		for (u32 k = 0; fix->weight && k < (u32)fix->pair + fix->size; k++)
			for (u32 at = (k - end) % BLOCK; at < ALIGNMENT; at += BLOCK)
				cost[at] += CROSSED * fix->weight;
		if (fix->weight >= weight)
			length = end;
		from += long_size(fix) - fix->size;
	}
	for (u32 start = 0; start < ALIGNMENT && length; start++)
		cost[start] += weight * ((start % BLOCK + length - 1) / BLOCK +
					 (start + length - 1) / LINE);
	for (u32 start = 1; start < ALIGNMENT; start++)
		if (cost[start] < cost[best])
			best = start;
	return best;
}

/* Now that all sizes are known but those of paddings: these, in order. */
static void settle(struct emitter *m, u32 *shrunk)
{
	for (u32 i = 0; i < m->n_fixes; i++) {
		struct fix *fix = &m->fixes[i];
		u32 at = m->start + fix->off - shrunk[i];
		u32 was = fix->kind == FIX_ALIGN ? ALIGNMENT - 1 : long_size(fix);

		if (fix->kind == FIX_ALIGN)
			fix->size = (u8)((best_start(m, i) - at) & (ALIGNMENT - 1));
		shrunk[i + 1] = shrunk[i] + was - fix->size;
	}
}

static void write_fix(struct emitter *m, u32 i, const u32 *shrunk)
{
	const struct fix *fix = &m->fixes[i];
	const struct label *to = &m->labels[fix->label];
	s64 end = (s64)(m->e.at - m->out->code) + fix->size, distance;

	if (fix->kind == FIX_ALIGN) {
		x86_nops(&m->e, fix->size);
		return;
	}
	distance = fix->kind == FIX_WAY_OUT
			   ? (s64)m->out->way_out - end
			   : (s64)m->start + to->off - shrunk[to->fixes] - end;
	if (fix->size == JUMP_SHORT) {
		assert(fits_s8(distance));
		if (fix->cc == CC_ALWAYS)
			x86_jmp8(&m->e, (s8)distance);
		else
			x86_jcc8(&m->e, fix->cc, (s8)distance);
	} else if (fix->cc == CC_ALWAYS) {
		x86_jmp32(&m->e, (s32)distance);
	} else {
		x86_jcc32(&m->e, fix->cc, (s32)distance);
	}
}

static void move_code(struct emitter *m, const u32 *shrunk, u32 size)
{
	u8 *code = m->out->code + m->start;
	u32 from = 0;

	m->e.at = code;
	for (u32 i = 0; i <= m->n_fixes; i++) {
		u32 to = i < m->n_fixes ? m->fixes[i].off : size;

		memmove(m->e.at, code + from, to - from);
		m->e.at += to - from;
		if (i == m->n_fixes)
			return;
		from = to + (m->fixes[i].kind == FIX_ALIGN ? ALIGNMENT - 1
							   : long_size(&m->fixes[i]));
		write_fix(m, i, shrunk);
	}
}

/* Relocs and lines stand in the order of the code. */
static void move_tables(struct emitter *m, const u32 *shrunk, u32 reloc, u32 line)
{
	struct native *out = m->out;
	u32 i = 0;

	for (; reloc < out->n_relocs; reloc++) {
		while (i < m->n_fixes &&
		       m->start + m->fixes[i].off < out->relocs[reloc].off)
			i++;
		out->relocs[reloc].off -= shrunk[i];
	}
	for (i = 0; line < out->n_lines; line++) {
		while (i < m->n_fixes &&
		       m->start + m->fixes[i].off < out->lines[line].off)
			i++;
		out->lines[line].off -= shrunk[i];
	}
}

void flow_finish(struct emitter *m, u32 first_reloc, u32 first_line)
{
	u32 *shrunk = arena_array(m->ir->arena, m->n_fixes + 1, sizeof(*shrunk));
	u32 size = offset(m);

	if (!shrunk || m->failed) {
		m->failed = true;
		return;
	}
	shorten(m, shrunk);
	settle(m, shrunk);
	move_code(m, shrunk, size);
	move_tables(m, shrunk, first_reloc, first_line);
}
