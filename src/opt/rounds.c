/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where time is limited: jumps back that need no CHECK, as their loop soon ends by
 * itself, and functions that are over before anybody could look.
 *
 * The jump back of a loop is counted when what it goes round by has run out after n
 * rounds, whatever else happens.  That is a PHI at the header which starts with numbers
 * that are known and moves by a constant, or is shifted until nothing is left; the
 * condition, computed for the n-th round, does not hold.  Whether the way there wraps or
 * ends earlier does not matter.  Each time that the header is entered by another edge,
 * the jump back is taken n times at most, because then, and only then, the PHI starts
 * again.
 *
 * Why that is enough.  Of the jumps back (those to a block before, in reverse postorder)
 * some keep their CHECK.  Without these the others all go to a block that dominates
 * theirs, at most one to each.  So what can be gone round without a CHECK is such a loop
 * or lies in one, loops are nested or apart, and one of them costs its rounds times what
 * a round costs, inner loops included.  The sum of all that lose their CHECK is bounded
 * for a function; a loop with calls keeps it.  tests/exec/limits.c counts.
 *
 * Never believes a verifier, never changes what a program does.  docs/jit.md, "Time
 * limits".
 */
#include "opt/fold.h"

/* What a function may cost between two looks, in simple instructions: memory that no
 * cache has costs a hundred ns or so, which is what 16 stand for, and all of it then
 * about a millisecond; some 50 us where caches have it.  A short function may cost so
 * much, and with the calls that a program has room for eight times as much as a loop. */
enum {
	COST_MEMORY = 16,
	COST_DIVISION = 16,
	COST_ATOMIC = 64,
	COST_LEAF = 48,
	COST_MOST = 1 << 17
};

enum { WALK_STEPS = 32 }; /* blocks looked at, for each block of the function */
enum { EVAL_DEPTH = 4 };  /* instructions between the PHI and the condition */

struct rounds {
	struct builder *b;
	struct ir *ir;
	u32 *check; /* by header: the CHECK of the jump back that may be counted, or 0 */
	u32 *latch; /* by header: the block that jumps back */
	u32 *cost;  /* by block: of itself, or with all its rounds; 0: in its header's */
	u32 *seen;  /* by block: the header whose loop it was last found in, plus one */
	u32 *list;
	u32 n_list;
	u32 budget;
	u32 spent;
};

/* ---- what it costs ---- */

static u32 cost_of(const struct ir_insn *insn)
{
	if (insn->op >= IR_LD_PACKET && insn->op <= IR_TAIL_CALL)
		return COST_MOST;
	if (insn->op == IR_ATOMIC)
		return COST_ATOMIC;
	if (insn->op >= IR_LOAD && insn->op <= IR_STORE_REL)
		return COST_MEMORY;
	if (insn->op == IR_ALU && alu_divides(insn->row))
		return COST_DIVISION;
	return insn->op != IR_NOP;
}

static u32 cost_of_block(const struct ir *ir, const struct ir_block *block)
{
	u64 cost = 0;

	for (u32 i = block->start; i < block->end; i++)
		cost += cost_of(&ir->insns[i]);
	return cost < COST_MOST ? (u32)cost : COST_MOST;
}

/* ---- the blocks of a loop ---- */

static bool join_loop(struct rounds *r, u32 header, u32 block)
{
	if (block == header || r->seen[block] == header + 1)
		return true;
	/* the first: the header is not before it on every path */
	if (!block || !r->budget)
		return false;
	r->budget--;
	r->seen[block] = header + 1;
	r->list[r->n_list++] = block;
	return true;
}

/* Lists all from which one comes to the jump back without passing the header, but for the
 * header.  false: there is another way in, or it is too much work. */
static bool find_body(struct rounds *r, u32 header)
{
	r->n_list = 0;
	if (!join_loop(r, header, r->latch[header]))
		return false;
	for (u32 i = 0; i < r->n_list; i++) {
		const struct ir_block *block = &r->ir->blocks[r->list[i]];

		for (u32 k = 0; k < block->n_preds; k++)
			if (!join_loop(r, header, r->ir->preds[block->preds + k]))
				return false;
	}
	return true;
}

static bool is_inside(const struct rounds *r, u32 header, s32 block)
{
	return block != IR_NO_BLOCK &&
	       ((u32)block == header || r->seen[block] == header + 1);
}

/* ---- what it goes round by ---- */

/* One way through a jump, as a question about a value that comes from a PHI: is it
 * `row` of `other`?  While the answer is yes, the loop may go on. */
struct question {
	u32 phi;
	u32 value;
	u64 other; /* or more than that */
	u8 row, width;
};

/* The PHI of the header that a value is computed from, and from constants alone; or 0. */
static u32 find_phi(const struct rounds *r, u32 header, u32 value, u32 depth)
{
	const struct ir_block *block = &r->ir->blocks[header];
	const struct ir_insn *insn = value_of(r->b, value);
	u32 a, b;

	if (insn->op == IR_PHI)
		return value >= block->start && value < block->end ? value : 0;
	if (insn->op != IR_ALU || !depth)
		return 0;
	a = find_phi(r, header, insn->a, depth - 1);
	if (!insn->b || is_const(r->b, insn->b))
		return a;
	b = find_phi(r, header, insn->b, depth - 1);
	return a == b ? a : 0;
}

/* Of a value that find_phi() found one for: what it is while that PHI is x. */
static u64 value_when(const struct rounds *r, const struct question *q, u32 value, u64 x)
{
	const struct ir_insn *insn = value_of(r->b, value);
	u64 a, b;

	if (value == q->phi)
		return x;
	if (insn->op == IR_CONST)
		return (u64)insn->imm;
	a = value_when(r, q, insn->a, x);
	b = insn->b ? value_when(r, q, insn->b, x) : a;
	return eval_alu(insn->row, insn->width, a, b);
}

static bool goes_on(const struct rounds *r, const struct question *q, u64 x)
{
	return eval_jmp(q->row, q->width, value_when(r, q, q->value, x), q->other);
}

/* A number that is not known is at most all of its bits that may be 1: what goes on while
 * it is below that number goes on while it is below all of them. */
static bool take_other(const struct rounds *r, struct question *q, u32 other)
{
	q->other = may_be_set(r->b, other, KNOW_DEPTH);
	if (is_const(r->b, other))
		return true;
	q->other = q->other ? UINT64_MAX >> __builtin_clzll(q->other) : 0;
	return q->row == JMP_JLT || q->row == JMP_JLE;
}

/* What the last instruction of a block asks on its way to succ[way]. */
static bool ask(const struct rounds *r, u32 header, u32 block, u32 way,
		struct question *q)
{
	const struct ir_insn *jmp = &r->ir->insns[r->ir->blocks[block].end - 1];
	u32 other = jmp->b;

	if (jmp->op != IR_JMP)
		return false;
	*q = (struct question){.value = jmp->a, .row = jmp->row, .width = jmp->width};
	q->phi = find_phi(r, header, jmp->a, EVAL_DEPTH);
	if (!q->phi) {
		q->row = (u8)jmp_exchanged((enum jmp)q->row);
		q->phi = find_phi(r, header, jmp->b, EVAL_DEPTH);
		q->value = jmp->b;
		other = jmp->a;
	}
	if (way)
		q->row = jmp_opposite(q->row);
	return q->phi && q->row != JMPS && take_other(r, q, other);
}

/* ---- how many rounds ---- */

/* The block that all who come to this one come from, or IR_NO_BLOCK. */
static s32 only_pred(const struct rounds *r, u32 block)
{
	const struct ir_block *b = &r->ir->blocks[block];

	return b->n_preds == 1 ? (s32)r->ir->preds[b->preds] : IR_NO_BLOCK;
}

/* Does one go from one block to the other only where a jump found that the value, which
 * fits in 32 bits, is not zero? */
static bool is_not_zero(const struct rounds *r, u32 value, u32 from, u32 to)
{
	enum { GUARD_STEPS = 4 };

	for (u32 i = 0; i < GUARD_STEPS; i++) {
		const struct ir_block *block = &r->ir->blocks[from];
		const struct ir_insn *jmp = &r->ir->insns[block->end - 1];
		bool first = block->succ[0] == (s32)to;
		s32 pred = only_pred(r, from);

		if (jmp->op == IR_JMP && block->succ[0] != block->succ[1] &&
		    jmp->row == (first ? JMP_JNE : JMP_JEQ) && jmp->a == value &&
		    is_const(r->b, jmp->b) && !value_of(r->b, jmp->b)->imm)
			return true;
		if (pred == IR_NO_BLOCK)
			return false;
		to = from;
		from = (u32)pred;
	}
	return false;
}

/* What a PHI starts with, from one of its block's predecessors. */
struct range {
	u64 low, high;
};

static struct range range_of(const struct rounds *r, u32 value, u32 pred, u32 header)
{
	u64 bits = may_be_set(r->b, value, KNOW_DEPTH);
	struct range range = {0, bits};

	if (is_const(r->b, value))
		range.low = bits;
	else if (bits)
		range.high = UINT64_MAX >> __builtin_clzll(bits);
	if (!range.low && range.high <= UINT32_MAX && is_not_zero(r, value, pred, header))
		range.low = 1;
	return range;
}

/* When the PHI starts with `first`: after how many rounds it has run out; too many: as
 * good as never.  Tried are the numbers around the distance through the step: where one
 * does not hold, that is proof. */
static u64 rounds_from(const struct rounds *r, const struct question *q,
		       const struct ir_insn *next, u64 first)
{
	u64 by = (u64)value_of(r->b, next->b)->imm, n;
	u64 distance = q->other - value_when(r, q, q->value, first);
	bool wide = next->width == 64 && q->width == 64;
	s64 step = wide ? (s64)by : (s32)by;

	if (!step)
		return UINT64_MAX;
	distance = step < 0 ? -distance : distance;
	n = (wide ? distance : (u32)distance) / (step < 0 ? -(u64)step : (u64)step);
	if (n > COST_MOST)
		return UINT64_MAX;
	for (u64 last = n + 1; n <= last; n++) {
		u64 x = first + n * by;

		if (!goes_on(r, q, n && next->width == 32 ? (u32)x : x))
			return n;
	}
	return UINT64_MAX;
}

/* Of all that it may start with.  Who goes one by one from one end of the range to where
 * it runs out passes what lies between: starting there, it has run out sooner. */
static u64 rounds_in(const struct rounds *r, const struct question *q,
		     const struct ir_insn *next, struct range range)
{
	u64 by = (u64)value_of(r->b, next->b)->imm, n;
	u64 most = next->width == 64 ? UINT64_MAX : UINT32_MAX;
	bool up = by == 1, down = (by & most) == most;

	if (range.low == range.high)
		return rounds_from(r, q, next, range.low);
	if (range.high > most || (!up && !down))
		return UINT64_MAX;
	n = rounds_from(r, q, next, up ? range.low : range.high);
	if (n > (up ? most - range.low : range.high) ||
	    (up ? range.low + n < range.high : range.high - n > range.low))
		return UINT64_MAX;
	return n;
}

/* Is nothing left after as many rounds as there are bits, whatever there was?  Zero then
 * stays. */
static bool dies_out(const struct rounds *r, const struct question *q,
		     const struct ir_insn *next)
{
	u32 by = next->a == q->phi && is_const(r->b, next->b) ? next->b : 0;
	u64 imm = (u64)value_of(r->b, by)->imm;
	const struct ir_insn *less;

	if (next->row == ALU_RSH || next->row == ALU_LSH)
		return by && imm & (next->width - 1);
	if (next->row == ALU_DIV)
		return by && (next->width == 64 ? imm : (u32)imm) > 1;
	if (next->row != ALU_AND)
		return false;
	less = value_of(r->b, next->a == q->phi ? next->b : next->a);
	return (next->a == q->phi || next->b == q->phi) && less->op == IR_ALU &&
	       less->row == ALU_ADD && less->width >= next->width && less->a == q->phi &&
	       is_const(r->b, less->b) && value_of(r->b, less->b)->imm == -1;
}

static bool steps(const struct rounds *r, const struct question *q,
		  const struct ir_insn *next)
{
	return next->row == ALU_ADD && next->a == q->phi && is_const(r->b, next->b);
}

/* How often the jump back is taken at most while the way is asked for in each round. */
static u64 rounds_of(const struct rounds *r, u32 header, const struct question *q)
{
	const struct ir_block *block = &r->ir->blocks[header];
	const u32 *args = r->ir->args + value_of(r->b, q->phi)->aux;
	const struct ir_insn *next = NULL;
	u64 most = 0;

	for (u32 i = 0; i < block->n_preds; i++)
		if (r->ir->preds[block->preds + i] == r->latch[header])
			next = value_of(r->b, args[i]);
	if (!next || next->op != IR_ALU)
		return UINT64_MAX;
	if (dies_out(r, q, next))
		return goes_on(r, q, 0) ? UINT64_MAX : next->width;
	if (!steps(r, q, next))
		return UINT64_MAX;
	for (u32 i = 0; i < block->n_preds && most != UINT64_MAX; i++) {
		u32 pred = r->ir->preds[block->preds + i];
		u64 n;

		if (pred == r->latch[header])
			continue;
		n = rounds_in(r, q, next, range_of(r, args[i], pred, header));
		most = n > most ? n : most;
	}
	return most;
}

/* Blocks that are passed in each round: the one that jumps back, those that alone lead
 * there, and the header. */
static u64 count_rounds(const struct rounds *r, u32 header)
{
	const struct ir_block *first = &r->ir->blocks[header];
	s32 to = (s32)header, block = (s32)r->latch[header];
	u64 n = UINT64_MAX;
	struct question q;

	for (; block != IR_NO_BLOCK; to = block, block = only_pred(r, (u32)block)) {
		if (ask(r, header, (u32)block, r->ir->blocks[block].succ[0] != to, &q))
			n = min_u64(n, rounds_of(r, header, &q));
		if (block == (s32)header)
			return n;
	}
	for (u32 way = 0; way < 2; way++)
		if (!is_inside(r, header, first->succ[!way]) &&
		    ask(r, header, header, way, &q))
			n = min_u64(n, rounds_of(r, header, &q));
	return n;
}

/* ---- which CHECKs may go ---- */

static void look_at(struct rounds *r, u32 header)
{
	u64 cost = r->cost[header], n;

	if (!find_body(r, header))
		return;
	for (u32 i = 0; i < r->n_list; i++)
		cost += r->cost[r->list[i]];
	n = cost < COST_MOST ? count_rounds(r, header) : UINT64_MAX;
	if (n >= COST_MOST || (n + 1) * cost > COST_MOST - r->spent)
		return;
	cost *= n + 1;
	r->spent += (u32)cost;
	for (u32 i = 0; i < r->n_list; i++)
		r->cost[r->list[i]] = 0;
	r->cost[header] = (u32)cost;
	r->ir->insns[r->check[header]] = (struct ir_insn){.op = IR_NOP};
}

/* A function that is so short, goes round nowhere and calls nobody need not look: each of
 * its calls is reached once between two looks of who calls it. */
static void look_at_start(struct rounds *r)
{
	const struct ir *ir = r->ir;
	u64 cost = 0;

	for (u32 i = 0; i < ir->n_blocks; i++) {
		if (ir->blocks[i].loop_header)
			return;
		cost += cost_of_block(ir, &ir->blocks[i]);
	}
	if (!ir->calls && cost <= COST_LEAF &&
	    cost * r->b->spec->prog->n_insns <= 8 * COST_MOST)
		ir->insns[r->b->start_check] = (struct ir_insn){.op = IR_NOP};
}

static bool goes_back(const struct ir_block *block, u32 number, u32 way)
{
	return block->succ[way] != IR_NO_BLOCK && (u32)block->succ[way] <= number;
}

/* Of several jumps back to a block one may lose its CHECK. */
static void find_latches(struct rounds *r)
{
	for (u32 i = 0; i < r->b->graph->n_blocks; i++) {
		u32 last = (u32)r->b->last[i], way;
		const struct ir_block *block;

		if (!r->b->checks[i])
			continue;
		block = &r->ir->blocks[last];
		way = goes_back(block, last, 1);
		if (way && goes_back(block, last, 0))
			continue;
		r->check[block->succ[way]] = r->b->checks[i];
		r->latch[block->succ[way]] = last;
	}
}

bool build_rounds(struct builder *b)
{
	u32 n = b->ir->n_blocks;
	u32 *words = arena_array(b->ir->arena, n, 5 * sizeof(*words));
	struct rounds r = {.b = b, .ir = b->ir, .budget = n * WALK_STEPS};

	if (b->start_check)
		look_at_start(&r);
	if (b->spec->bounded || b->orphans)
		return true;
	if (!words)
		return false;
	r.check = words;
	r.latch = words + n;
	r.cost = words + 2 * (size_t)n;
	r.seen = words + 3 * (size_t)n;
	r.list = words + 4 * (size_t)n;
	find_latches(&r);
	for (u32 i = 0; i < n; i++)
		r.cost[i] = cost_of_block(r.ir, &r.ir->blocks[i]);
	for (u32 header = n; header-- > 0;) /* inner loops start behind outer ones */
		if (r.check[header])
			look_at(&r, header);
	return true;
}
