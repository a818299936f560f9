/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register allocation: random functions for made-up machines, and a checker that follows
 * values through registers and slots on all paths at once.  jit_alloc [SEED [FUNCTIONS]].
 *
 * A function starts as blocks with variables; each block that is entered from more than
 * one side has a PHI for every variable, and variables are copied freely, so that PHIs
 * swap, lose copies and feed each other.  Blocks are put in any order, edges go anywhere:
 * loops are irreducible as often as not.  The checker knows which value each place holds,
 * or that it is unknown; where paths meet, what they do not agree on is unknown.  Every
 * read must find the value that it names.
 */
#include "check.h"
#include "exec/jit/machine.h"
#include "opt/ir.h"

enum {
	MAX_BLOCKS = 14,
	MAX_VARS = 20,
	MAX_BODY = 10,
	MAX_PREDS = 2 * MAX_BLOCKS,
	REGISTERS = 20, /* machines have some of them; the others may be arrival places */
	MAX_SLOTS = 256,
	PLACES = REGISTERS + MAX_SLOTS,
	MAX_DRAFT = MAX_BLOCKS * (MAX_VARS + MAX_BODY + 8) + 16,
};

static const u32 UNKNOWN = ~0u, RUN_NAME = ~0u - 1;

static u64 state;

static u32 random_to(u32 n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)((state >> 20) % n);
}

/* ---- machines ---- */

static u32 salt; /* of the machine: what it wants of an instruction hangs on it */

static u32 mix(u32 a, u32 b)
{
	u64 x = ((u64)a << 32 | b) ^ (u64)salt * 0x9e3779b97f4a7c15u;

	x ^= x >> 31;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 29;
	x *= 0x94d049bb133111ebu;
	return (u32)(x >> 33);
}

static struct machine machine;

static u8 wish(u32 insn, u32 what)
{
	u32 x = mix(insn, what);

	return x % 3 ? NO_REG : (u8)(x / 3 % REGISTERS);
}

static bool is_call(const struct ir_insn *insn)
{
	return insn->op == IR_CALL || insn->op == IR_CALLX;
}

static void constrain(const struct ir *ir, u32 i, u32 features, struct constraint *c)
{
	const struct ir_insn *insn = &ir->insns[i];

	(void)features;
	c->a = wish(i, 1);
	c->b = wish(i, 2);
	c->c = wish(i, 3);
	c->out = wish(i, 4);
	for (u32 k = 0; k < MAX_ARGS; k++)
		c->args[k] = wish(i, 5 + k);
	if (mix(i, 11) % 5 == 0)
		c->clobbers = mix(i, 12) & mix(i, 13) & machine.registers;
	if (is_call(insn))
		c->clobbers = machine.caller_saved;
	c->tied = ir_ops[insn->op].a && mix(i, 14) % 2;
	c->late_a = mix(i, 15) % 6 == 0;
	c->late_b = mix(i, 16) % 4 == 0;
	c->late_c = mix(i, 17) % 4 == 0;
}

static u8 pick_register(u32 mask)
{
	u32 reg;

	do
		reg = random_to(REGISTERS);
	while (!(mask >> reg & 1));
	return (u8)reg;
}

static void random_machine(void)
{
	u32 n = 4 + random_to(12), arrival = 0;

	salt = (u32)state;
	machine = (struct machine){.name = "random", .constrain = constrain};
	while ((u32)__builtin_popcount(machine.registers) < n)
		machine.registers |= 1u << random_to(REGISTERS);
	machine.spill_scratch = 1u << pick_register(machine.registers);
	for (u32 reg = 0; reg < REGISTERS; reg++)
		if (machine.registers >> reg & 1 && random_to(3))
			machine.caller_saved |= 1u << reg;
	for (u32 i = 0; i <= MAX_ARGS; i++) {
		machine.params[i] = pick_register(~arrival);
		arrival |= 1u << machine.params[i];
	}
}

/* ---- functions ---- */

struct draft_insn {
	struct ir_insn insn; /* a, b, c, args: numbers of drafts */
	u32 args[MAX_PREDS];
	u32 block;
	bool keep;
	u32 number; /* in the finished function */
};

struct draft_block {
	u32 succ[2], n_succ;
	u32 pred[MAX_PREDS], n_preds;
	u32 place; /* in the order of the code */
	bool phis;
	u32 out[MAX_VARS];
};

static struct draft {
	struct draft_insn insns[MAX_DRAFT];
	u32 n;
	struct draft_block blocks[MAX_BLOCKS];
	u32 n_blocks, n_vars;
} draft;

static u32 add(u32 block, enum ir_op op)
{
	struct draft_insn *d = &draft.insns[draft.n];

	memset(d, 0, sizeof(*d));
	d->insn.op = (u8)op;
	d->insn.width = 64;
	d->block = block;
	return draft.n++;
}

static void add_edge(u32 from, u32 to)
{
	struct draft_block *x = &draft.blocks[from], *y = &draft.blocks[to];

	x->succ[x->n_succ++] = to;
	y->pred[y->n_preds++] = from;
}

/* A tree first, so that every block is reached; then edges to anywhere. */
static void random_graph(void)
{
	u32 n = 1 + random_to(MAX_BLOCKS), left[MAX_BLOCKS];

	memset(draft.blocks, 0, sizeof(draft.blocks));
	draft.n_blocks = n;
	for (u32 b = 1; b < n; b++) {
		u32 from;

		do
			from = random_to(4) ? b - 1 - random_to(b < 3 ? b : 3)
					    : random_to(b);
		while (draft.blocks[from].n_succ == 2);
		add_edge(from, b);
	}
	for (u32 b = 0; n > 1 && b < n; b++)
		while (draft.blocks[b].n_succ < 2 && random_to(3))
			add_edge(b, 1 + random_to(n - 1));
	for (u32 b = 0; b < n; b++)
		left[b] = b;
	for (u32 b = 1; b < n; b++) {
		u32 other = random_to(3) ? b : b + random_to(n - b), old = left[b];

		left[b] = left[other];
		left[other] = old;
	}
	for (u32 b = 0; b < n; b++)
		draft.blocks[left[b]].place = b;
}

static u32 any_var(const u32 *vars)
{
	return vars[random_to(draft.n_vars)];
}

static void random_operands(struct draft_insn *d, const u32 *vars)
{
	const struct ir_op_info *info = &ir_ops[d->insn.op];

	d->insn.a = info->a ? any_var(vars) : 0;
	d->insn.b = info->b ? any_var(vars) : 0;
	d->insn.c = info->c ? any_var(vars) : 0;
	if (d->insn.op == IR_LOAD && random_to(2))
		d->insn.b = 0;
	if (is_call(&d->insn)) {
		d->insn.n_args = (u16)random_to(MAX_ARGS + 1);
		for (u32 k = 0; k < d->insn.n_args; k++)
			d->args[k] = any_var(vars);
	}
}

static void random_insn(u32 block, u32 *vars)
{
	static const u8 ops[] = {IR_ALU,   IR_ALU,  IR_ALU,   IR_ALU,   IR_CONST,
				 IR_CONST, IR_LOAD, IR_STORE, IR_CALL,  IR_SELECT,
				 IR_FRAME, IR_ADDR, IR_CMP,   IR_CALLX, IR_ATOMIC,
				 IR_CHECK, IR_RUN,  IR_PARAM, IR_MULH};
	u8 op = ops[random_to(ARRAY_SIZE(ops))];
	u32 var = random_to(draft.n_vars), i;

	if (random_to(4) == 0) {
		vars[var] = any_var(vars);
		return;
	}
	if ((op == IR_CALL || op == IR_CALLX) && random_to(2))
		op = IR_ALU;
	i = add(block, op);
	random_operands(&draft.insns[i], vars);
	draft.insns[i].insn.row = op == IR_ALU    ? (u8)random_to(ALU_ARSH + 1)
				  : op == IR_MULH ? (u8)random_to(2)
						  : 0;
	if (op == IR_PARAM)
		draft.insns[i].insn.imm = 1 + random_to(MAX_ARGS);
	if (op == IR_LOAD && random_to(4) == 0)
		draft.insns[i].insn.flags = IR_FUSED;
	if ((op == IR_ALU || op == IR_CONST || op == IR_CMP) && random_to(4) == 0)
		draft.insns[i].insn.flags = IR_FUSED;
	if (op != IR_STORE && op != IR_CHECK)
		vars[var] = i;
}

static void end_block(u32 block, const u32 *vars)
{
	u32 n = draft.blocks[block].n_succ, i;

	i = add(block, n == 0 ? IR_EXIT : n == 1 ? IR_GOTO : IR_JMP);
	random_operands(&draft.insns[i], vars);
}

static void random_block(u32 block)
{
	struct draft_block *b = &draft.blocks[block];
	u32 n = random_to(MAX_BODY + 1);

	b->phis = block > 0 && (b->n_preds > 1 || b->pred[0] >= block);
	for (u32 v = 0; v < draft.n_vars; v++) {
		if (block == 0) {
			b->out[v] = add(0, random_to(3) ? IR_PARAM : IR_CONST);
			draft.insns[b->out[v]].insn.imm = 1 + v % MAX_ARGS;
		} else if (b->phis) {
			b->out[v] = add(block, IR_PHI);
		} else {
			b->out[v] = draft.blocks[b->pred[0]].out[v];
		}
	}
	for (u32 i = 0; i < n; i++)
		random_insn(block, b->out);
	end_block(block, b->out);
}

static void keep(u32 i);

static void keep_operands(const struct draft_insn *d)
{
	const struct ir_op_info *info = &ir_ops[d->insn.op];
	u32 n = d->insn.op == IR_PHI ? draft.blocks[d->block].n_preds : d->insn.n_args;

	if (info->a)
		keep(d->insn.a);
	if (info->b)
		keep(d->insn.b);
	if (info->c)
		keep(d->insn.c);
	for (u32 k = 0; k < n; k++)
		keep(d->args[k]);
}

static void keep(u32 i)
{
	if (draft.insns[i].keep)
		return;
	draft.insns[i].keep = true;
	keep_operands(&draft.insns[i]);
}

/* Arguments of PHIs, which nobody fuses; then what nobody needs goes. */
static void finish_draft(void)
{
	for (u32 i = 1; i < draft.n; i++) {
		struct draft_insn *d = &draft.insns[i];
		const struct draft_block *b = &draft.blocks[d->block];
		u32 var = 0;

		if (d->insn.op != IR_PHI)
			continue;
		while (i - var > 0 && draft.insns[i - var - 1].insn.op == IR_PHI &&
		       draft.insns[i - var - 1].block == d->block)
			var++;
		for (u32 k = 0; k < b->n_preds; k++) {
			d->args[k] = draft.blocks[b->pred[k]].out[var];
			if (draft.insns[d->args[k]].insn.op != IR_CONST)
				draft.insns[d->args[k]].insn.flags = 0;
		}
	}
	for (u32 i = 1; i < draft.n; i++)
		if (ir_ops[draft.insns[i].insn.op].effect >= IR_WRITE)
			keep(i);
}

static void random_draft(void)
{
	draft.n = 0;
	add(0, IR_NOP);
	draft.n_vars = 1 + random_to(MAX_VARS);
	random_graph();
	for (u32 b = 0; b < draft.n_blocks; b++)
		random_block(b);
	finish_draft();
}

/* ---- drafts become functions ---- */

static void lay_out_block(struct ir *ir, u32 block)
{
	const struct draft_block *d = &draft.blocks[block];
	struct ir_block *b = &ir->blocks[d->place];

	b->start = ir->n_insns;
	for (u32 i = 1; i < draft.n; i++) {
		if (draft.insns[i].block != block || !draft.insns[i].keep)
			continue;
		if (random_to(8) == 0)
			ir->n_insns++; /* a NOP */
		draft.insns[i].number = ir->n_insns;
		ir->insns[ir->n_insns++] = draft.insns[i].insn;
	}
	b->end = ir->n_insns;
	b->preds = ir->n_preds;
	b->n_preds = d->n_preds;
	for (u32 k = 0; k < d->n_preds; k++)
		ir->preds[ir->n_preds++] = draft.blocks[d->pred[k]].place;
	for (u32 k = 0; k < 2; k++)
		b->succ[k] =
			k < d->n_succ ? (s32)draft.blocks[d->succ[k]].place : IR_NO_BLOCK;
	b->loop_depth = (u16)random_to(4);
}

static u32 renumbered(struct ir *ir, u32 value)
{
	u32 i = draft.insns[value].number;

	ir->insns[i].uses++;
	return i;
}

static void renumber(struct ir *ir, const struct draft_insn *d)
{
	struct ir_insn *insn = &ir->insns[d->number];
	const struct ir_op_info *info = &ir_ops[insn->op];
	u32 n = insn->op == IR_PHI ? draft.blocks[d->block].n_preds : insn->n_args;

	if (info->a)
		insn->a = renumbered(ir, insn->a);
	if (info->b)
		insn->b = renumbered(ir, insn->b);
	if (info->c)
		insn->c = renumbered(ir, insn->c);
	insn->aux = ir->n_args;
	for (u32 k = 0; k < n; k++)
		ir->args[ir->n_args++] = renumbered(ir, d->args[k]);
}

static void lay_out(struct ir *ir)
{
	struct arena *arena = ir->arena;
	u32 args = MAX_DRAFT * MAX_PREDS;

	ir->insns = arena_array(arena, 2 * MAX_DRAFT, sizeof(*ir->insns));
	ir->blocks = arena_array(arena, MAX_BLOCKS, sizeof(*ir->blocks));
	ir->args = arena_array(arena, args, sizeof(*ir->args));
	ir->preds = arena_array(arena, MAX_BLOCKS * MAX_PREDS, sizeof(*ir->preds));
	ir->n_insns = 1;
	ir->n_blocks = draft.n_blocks;
	for (u32 place = 0; place < draft.n_blocks; place++)
		for (u32 b = 0; b < draft.n_blocks; b++)
			if (draft.blocks[b].place == place)
				lay_out_block(ir, b);
	draft.insns[0].number = 0;
	for (u32 i = 1; i < draft.n; i++)
		if (draft.insns[i].keep)
			renumber(ir, &draft.insns[i]);
	ir->insns[0].uses = 0;
}

/* ---- the checker ---- */

struct places {
	u32 in[PLACES]; /* the value that is there, or UNKNOWN */
	bool reached;
};

struct checker {
	const struct ir *ir;
	const struct allocation *where;
	struct places at[MAX_BLOCKS]; /* when a block starts */
	struct places now;
	u32 first_param[1 + MAX_ARGS];
	bool scratched; /* spill_scratch is the emitter's */
	u32 failures;
};

static u32 place_number(s16 loc)
{
	return loc >= 0 ? (u32)loc : REGISTERS + loc_slot(loc);
}

static u32 name_of(const struct checker *c, u32 value)
{
	const struct ir_insn *insn = &c->ir->insns[value];

	if (insn->op == IR_RUN)
		return RUN_NAME;
	return insn->op == IR_PARAM ? c->first_param[insn->imm] : value;
}

static bool is_rebuilt(const struct ir_insn *insn)
{
	return insn->op == IR_CONST || insn->op == IR_ADDR || insn->op == IR_FRAME;
}

static void expect(struct checker *c, bool ok, const char *what, u32 insn)
{
	if (ok)
		return;
	c->failures++;
	if (c->failures == 1)
		fprintf(stderr, "v%u: %s\n", insn, what);
}

static void check_read(struct checker *c, u32 value, u32 reader)
{
	const struct ir_insn *insn = &c->ir->insns[value];
	const struct ir_op_info *info = &ir_ops[insn->op];
	s16 loc = c->where->loc[value];

	if (!value)
		return;
	if (insn->flags & IR_FUSED) {
		if (info->a)
			check_read(c, insn->a, reader);
		if (info->b)
			check_read(c, insn->b, reader);
		if (info->c)
			check_read(c, insn->c, reader);
		return;
	}
	if (loc == LOC_NONE)
		expect(c, is_rebuilt(insn), "reads what is nowhere", reader);
	else
		expect(c, c->now.in[place_number(loc)] == name_of(c, value),
		       "reads something else", reader);
}

static void lose(struct checker *c, u32 registers)
{
	for (u32 reg = 0; reg < REGISTERS; reg++)
		if (registers >> reg & 1)
			c->now.in[reg] = UNKNOWN;
}

static bool needs_run(enum ir_op op)
{
	return op == IR_CALL || op == IR_CALLX || op == IR_CHECK;
}

static void check_insn(struct checker *c, u32 i)
{
	const struct ir_insn *insn = &c->ir->insns[i];
	const struct ir_op_info *info = &ir_ops[insn->op];
	struct constraint k = {.a = NO_REG};

	if (insn->op == IR_NOP || insn->op == IR_PHI || insn->op == IR_RUN ||
	    insn->op == IR_PARAM || insn->flags & IR_FUSED)
		return;
	constrain(c->ir, i, 0, &k);
	for (u32 late = 0; late < 2; late++) {
		if (info->a && k.late_a == late)
			check_read(c, insn->a, i);
		if (info->b && k.late_b == late)
			check_read(c, insn->b, i);
		if (info->c && k.late_c == late)
			check_read(c, insn->c, i);
		for (u32 n = 0; !late && is_call(insn) && n < insn->n_args; n++)
			check_read(c, c->ir->args[insn->aux + n], i);
		if (late)
			break;
		lose(c, k.clobbers);
		if (c->scratched)
			lose(c, machine.spill_scratch);
		if (c->where->loc[i] != LOC_NONE)
			c->now.in[place_number(c->where->loc[i])] = i;
	}
	if (needs_run(insn->op))
		expect(c, c->now.in[place_number(c->where->run)] == RUN_NAME,
		       "the run is not there", i);
}

static void do_move(void *arg, const struct move *m)
{
	struct checker *c = arg;
	u32 *to = &c->now.in[place_number(m->to)];

	*to = m->from == LOC_NONE ? name_of(c, m->value)
				  : c->now.in[place_number(m->from)];
}

static void do_swap(void *arg, s16 a, s16 b)
{
	struct checker *c = arg;
	u32 *x = &c->now.in[place_number(a)], *y = &c->now.in[place_number(b)], old = *x;

	expect(c, (a >= 0 && b >= 0) || c->scratched, "swaps a slot without scratch", 0);
	*x = *y;
	*y = old;
}

/* What the PHIs take must be where they are; then they are called by their own names. */
static void name_phis(struct checker *c, u32 block, u32 pred)
{
	const struct ir_block *b = &c->ir->blocks[block];

	for (u32 round = 0; round < 2; round++) {
		for (u32 i = b->start; i < b->end; i++) {
			const struct ir_insn *phi = &c->ir->insns[i];
			s16 loc = c->where->loc[i];

			if (phi->op != IR_PHI || loc == LOC_NONE)
				continue;
			if (round == 0)
				expect(c,
				       c->now.in[place_number(loc)] ==
					       name_of(c, c->ir->args[phi->aux + pred]),
				       "a PHI gets something else", i);
			else
				c->now.in[place_number(loc)] = i;
		}
	}
}

static bool meet(struct places *into, const struct places *from)
{
	bool changed = !into->reached;

	if (changed) {
		*into = *from;
		into->reached = true;
		return true;
	}
	for (u32 i = 0; i < PLACES; i++) {
		if (into->in[i] == UNKNOWN || into->in[i] == from->in[i])
			continue;
		into->in[i] = UNKNOWN;
		changed = true;
	}
	return changed;
}

static bool follow_edge(struct checker *c, u32 block, u32 pred)
{
	struct move_ops ops = {c, do_move, do_swap};
	struct move moves[MAX_VARS];
	u32 n = moves_of_edge(c->ir, c->where, block, pred, moves);

	expect(c, n <= count_phis(c->ir, block), "more moves than PHIs", 0);
	if (c->scratched)
		lose(c, machine.spill_scratch);
	moves_in_order(moves, n, &ops);
	name_phis(c, block, pred);
	return meet(&c->at[block], &c->now);
}

static u32 phi_registers(const struct checker *c, u32 block)
{
	u32 mask = 0;

	for (u32 i = c->ir->blocks[block].start; i < c->ir->blocks[block].end; i++)
		if (c->ir->insns[i].op == IR_PHI && c->where->loc[i] >= 0)
			mask |= 1u << c->where->loc[i];
	return mask;
}

/* Other registers than those that are said to hold something may be lost on the way. */
static bool follow_block(struct checker *c, u32 block)
{
	bool changed = false;

	if (!c->at[block].reached)
		return false;
	c->now = c->at[block];
	if (block)
		lose(c, ~c->where->live_in[block] & ~phi_registers(c, block));
	for (u32 i = c->ir->blocks[block].start; i < c->ir->blocks[block].end; i++)
		check_insn(c, i);
	for (u32 to = 0; to < c->ir->n_blocks; to++) {
		const struct ir_block *b = &c->ir->blocks[to];
		struct places end = c->now;

		for (u32 k = 0; k < b->n_preds; k++) {
			if (c->ir->preds[b->preds + k] != block)
				continue;
			changed |= follow_edge(c, to, k);
			c->now = end;
		}
	}
	return changed;
}

/* Run and parameters arrive, all at once. */
static void enter(struct checker *c)
{
	struct move_ops ops = {c, do_move, do_swap};
	struct move moves[1 + MAX_ARGS];
	u32 n = 0;

	for (u32 i = 0; i < PLACES; i++)
		c->now.in[i] = UNKNOWN;
	c->now.in[machine.params[0]] = RUN_NAME;
	if (c->where->run != LOC_NONE)
		moves[n++] = (struct move){c->where->run, machine.params[0], 0};
	for (u32 i = c->ir->n_insns; i-- > 0;)
		if (c->ir->insns[i].op == IR_PARAM)
			c->first_param[c->ir->insns[i].imm] = i;
	for (u32 p = 1; p <= MAX_ARGS; p++) {
		u32 param = c->first_param[p];

		if (!param)
			continue;
		c->now.in[machine.params[p]] = param;
		if (c->where->loc[param] != LOC_NONE)
			moves[n++] = (struct move){c->where->loc[param],
						   machine.params[p], param};
	}
	moves_in_order(moves, n, &ops);
	meet(&c->at[0], &c->now);
}

static bool has_result(enum ir_op op)
{
	return op != IR_NOP && op != IR_STORE && op != IR_STORE_REL && op != IR_CHECK &&
	       ir_ops[op].effect != IR_END;
}

/* Is it rebuilt anywhere but straight in its place?  Are there slots? */
static bool needs_scratch(const struct ir *ir, const struct allocation *where)
{
	bool straight[2 * MAX_DRAFT];

	if (where->n_slots)
		return true;
	memset(straight, 1, sizeof(straight));
	for (u32 i = 0; i < ir->n_insns; i++) {
		const struct ir_insn *insn = &ir->insns[i];

		if (ir_ops[insn->op].a)
			straight[insn->a] = false;
		if (ir_ops[insn->op].b)
			straight[insn->b] = false;
		if (ir_ops[insn->op].c)
			straight[insn->c] = false;
	}
	for (u32 i = 1; i < ir->n_insns; i++)
		if (where->loc[i] == LOC_NONE && !straight[i] &&
		    !(ir->insns[i].flags & IR_FUSED))
			return true;
	return false;
}

static void check_places(struct checker *c)
{
	for (u32 i = 1; i < c->ir->n_insns; i++) {
		const struct ir_insn *insn = &c->ir->insns[i];
		s16 loc = c->where->loc[i];

		if (loc >= 0) {
			expect(c, machine.registers >> loc & 1, "no such register", i);
			expect(c, c->where->used >> loc & 1, "not said to be used", i);
		} else if (loc_is_slot(loc)) {
			expect(c, loc_slot(loc) < c->where->n_slots, "no such slot", i);
		}
		if (!has_result(insn->op) || insn->flags & IR_FUSED)
			expect(c, loc == LOC_NONE, "has a place", i);
	}
}

/* PHIs that are written and never read keep a place: nobody counts on them. */
static u32 check_allocation(const struct ir *ir, const struct allocation *where)
{
	static struct checker c;
	bool changed = true;

	memset(&c, 0, sizeof(c));
	c.ir = ir;
	c.where = where;
	c.scratched = needs_scratch(ir, where);
	if (where->n_slots > MAX_SLOTS)
		return 1;
	check_places(&c);
	enter(&c);
	while (changed) {
		changed = false;
		for (u32 b = 0; b < ir->n_blocks; b++)
			changed |= follow_block(&c, b);
	}
	return c.failures;
}

/* ---- functions of one idea each ---- */

static void fuzz(u64 seed, u32 functions)
{
	u64 slots = 0, values = 0;

	for (u32 i = 0; i < functions; i++) {
		struct arena arena = ARENA_INIT;
		struct ir ir = {.arena = &arena};
		struct allocation where;
		u32 failures;

		state = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		for (u32 k = 0; k < 8; k++)
			random_to(2);
		random_machine();
		random_draft();
		lay_out(&ir);
		if (!CHECK_INT(allocate(&ir, &machine, 0, &where), 0))
			return;
		failures = check_allocation(&ir, &where);
		slots += where.n_slots;
		values += ir.n_insns;
		if (!CHECK_INT(failures, 0)) {
			fprintf(stderr, "\tseed %llu\n", (unsigned long long)(seed + i));
			arena_fini(&arena);
			return;
		}
		arena_fini(&arena);
	}
	fprintf(stderr, "%llu instructions, %llu slots\n", (unsigned long long)values,
		(unsigned long long)slots);
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u32 functions = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 2000;

	fuzz(seed, check_is_emulated() ? functions / 10 : functions);
	return check_report();
}
