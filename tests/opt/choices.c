/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops with branches around next to nothing: two conditions of which one may be a
 * counter's (select_pair.c), records (guess.c) and steps of a search (choose.c).
 *
 * R2 goes through the memory, R3 is what lies there, R4 and R5 are free; R6 counts
 * rounds, R7 counts something else, R9 is a place in memory, R0 and R8 gather.
 */
#include "check.h"
#include "opt/written.h"
#include "world/random.h"

static void put(struct generator *g, const char *line)
{
	text_printf(&g->text, "%s\n", line);
}

#define PICK(g, ...)                                                                     \
	(((const char *const[]){__VA_ARGS__})[below(                                     \
		g, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))])

static const char *order(struct generator *g)
{
	return PICK(g, "<", "<=", ">", ">=", "s<", "s<=", "s>", "s>=", "==", "!=");
}

static char width(struct generator *g)
{
	return one_in(g, 2) ? 'r' : 'w';
}

/* Jumps to a label by what was loaded. */
static void ask_data(struct generator *g, const char *label, u32 number)
{
	char w = width(g);

	switch (below(g, 4)) {
	case 0:
		text_printf(&g->text, "if %c3 & %u goto %s%u\n", w, 1 << below(g, 8),
			    label, number);
		break;
	case 1:
		text_printf(&g->text,
			    "w4 = w3\nw4 <<= 24\nw4 s>>= 24\nif w4 %s %d goto %s%u\n",
			    PICK(g, "s<", "s>="), one_in(g, 3) ? 5 : 0, label, number);
		break;
	case 2:
		text_printf(&g->text, "if %c3 %s %c%u goto %s%u\n", w, order(g), w,
			    one_in(g, 2) ? 8 : 0, label, number);
		break;
	default:
		text_printf(&g->text, "if %c3 %s %u goto %s%u\n", w, order(g),
			    below(g, 200), label, number);
	}
}

static void ask_counter(struct generator *g, const char *label, u32 number)
{
	text_printf(&g->text, "if %c7 %s %u goto %s%u\n", width(g), order(g),
		    below(g, 70), label, number);
}

static void ask(struct generator *g, bool counter, const char *label)
{
	if (counter)
		ask_counter(g, label, g->labels);
	else
		ask_data(g, label, g->labels);
}

/* What a branch jumps over. */
static void write_side(struct generator *g)
{
	for (u32 n = 1 + below(g, 3); n--;)
		put(g, PICK(g, "r0 ^= r3", "r0 += r8", "w0 <<= 5", "r8 += 1", "r8 = r3",
			    "w8 = 0", "r7 = 0", "w7 = 0", "r7 += 1", "r7 = 9", "r9 = r6",
			    "r0 ^= r8", "r8 = r0", "w0 = w0", "w8 = -w8"));
}

static void write_pair(struct generator *g)
{
	bool counter = one_in(g, 2), both = one_in(g, 8), neither = one_in(g, 8);

	ask(g, (counter || both) && !neither, one_in(g, 3) ? "over" : "side");
	if (one_in(g, 2))
		put(g, PICK(g, "r7 += 7", "w7 += 1", "r7 += -3", "w8 ^= 85", "r8 = r0"));
	ask(g, (!counter || both) && !neither, one_in(g, 4) ? "side" : "over");
	text_printf(&g->text, "side%u:\n", g->labels);
	write_side(g);
	text_printf(&g->text, "over%u:\n", g->labels++);
}

static void write_record(struct generator *g)
{
	char w = width(g);
	bool other = one_in(g, 3);

	put(g, PICK(g, "r4 = r9", "w4 = w9"));
	put(g, "r4 += r1");
	text_printf(&g->text, "r4 = *(%s *)(r4 + %u)\n",
		    PICK(g, "u8", "u16", "u32", "s8"), below(g, 4));
	text_printf(&g->text, "if %c3 %s %c4 goto over%u\n", w, order(g), w, g->labels);
	put(g, other ? PICK(g, "r9 += 3", "r9 ^= r6", "r9 = r3")
		     : PICK(g, "r9 = r6", "w9 = w6"));
	if (one_in(g, 4))
		put(g, PICK(g, "r8 = r4", "r8 += 1"));
	text_printf(&g->text, "over%u:\n", g->labels++);
	if (other)
		put(g, "w9 &= 63");
}

/* R4 is what lies at place R9 of a table of elements of 1 << by bytes. */
static void load_from_table(struct generator *g, u32 by, u32 off)
{
	bool early = one_in(g, 2);

	put(g, PICK(g, "r4 = r9", "w4 = w9", "r4 = r9"));
	if (early && off)
		text_printf(&g->text, "%c4 += %u\n", width(g), off);
	if (by)
		text_printf(&g->text, "r4 <<= %u\n", by);
	put(g, "r4 += r1");
	text_printf(&g->text, "r4 = *(%s *)(r4 + %u)\n", PICK(g, "u8", "s8", "u16"),
		    (early ? 0 : off << by) + (one_in(g, 4) ? 4 : 0));
}

/* Adds 0 or 1 << bit to a place; an odd one may do more. */
static void write_step(struct generator *g, u32 bit, u32 by, bool odd)
{
	bool shifts = one_in(g, 2);
	char w = odd ? width(g) : 'w';

	load_from_table(g, by, one_in(g, 2) ? (1u << bit) - 1 : below(g, 8));
	text_printf(&g->text, "%c5 = %u\n", width(g), shifts ? 1 : 1u << bit);
	text_printf(&g->text, "if %c%u %s %c%u goto over%u\n", w, odd ? 3 : 4, order(g),
		    w,
		    !odd           ? 3
		    : one_in(g, 2) ? 8
				   : 4,
		    g->labels);
	text_printf(&g->text, "%c5 = 0\nover%u:\n", width(g), g->labels++);
	if (shifts)
		text_printf(&g->text, "%c5 <<= %u\n", width(g), bit);
	text_printf(&g->text, "%c9 %s %c5\n", w,
		    odd ? PICK(g, "|=", "+=", "^=") : "|=", w);
	if (odd && one_in(g, 2))
		put(g, PICK(g, "r0 ^= r5", "r0 += r9", "r8 = r5", "w9 &= 15", "r9 |= 1"));
}

/* In half of them all steps are alike. */
static void write_search(struct generator *g)
{
	u32 by = below(g, 3), bit = 6 - by, odd = one_in(g, 2) ? 0 : 1 + below(g, 4);

	text_printf(&g->text, "w9 &= %u\n",
		    one_in(g, 2) ? 1u << bit : below(g, 16 >> by));
	while (bit--)
		write_step(g, bit, by, odd && one_in(g, odd));
	if (one_in(g, 2)) {
		load_from_table(g, by, 0);
		put(g, PICK(g, "r0 += r9", "r0 ^= r4", "r8 += r9"));
	}
	put(g, "w9 &= 31");
}

static void write_program(struct generator *g)
{
	u32 width_read = below(g, 3);

	text_printf(&g->text,
		    "r2 = r1\nr0 = 0\nr6 = 0\nr7 = %u\nr8 = %d\nr9 = %u\nnext:\n",
		    below(g, 3), (s32)random_next(&g->state), below(g, 64));
	text_printf(&g->text, "r3 = *(%s *)(r2 + %u)\n",
		    ((const char *const[]){"u8", "s8", "u16"})[width_read], below(g, 2));
	for (u32 n = 1 + below(g, 3); n--;)
		switch (below(g, 3)) {
		case 0: write_pair(g); break;
		case 1: write_record(g); break;
		default: write_search(g);
		}
	text_printf(&g->text,
		    "r0 *= 31\nr0 ^= r9\nr2 += 1\nr6 += 1\nif r6 != %u goto next\n"
		    "r0 += r8\nr0 ^= r7\n*(u64 *)(r1 + 0) = r8\nexit\n",
		    20 + below(g, 40));
}

/* x + y or x */
static bool is_choice(const struct ir *ir, const struct ir_insn *insn)
{
	const struct ir_insn *b = &ir->insns[insn->b], *c = &ir->insns[insn->c];

	return insn->op == IR_SELECT && ((b->op == IR_ALU && b->a == insn->c) ||
					 (c->op == IR_ALU && c->a == insn->b));
}

/* Nothing but choices, behind a jump. */
static bool is_split(const struct ir *ir, const struct ir_block *block)
{
	u32 n = 0;

	for (u32 i = block->start; i + 1 < block->end; i++) {
		n += ir->insns[i].op == IR_SELECT;
		if (ir->insns[i].op != IR_SELECT && ir->insns[i].op != IR_CONST)
			return false;
	}
	return n && block->n_preds == 1 && ir->insns[block->end - 1].op == IR_GOTO;
}

enum { CHOICE = 1, WALK = 2, SPLIT = 4 };

static u32 find_kinds(const struct compiled *c)
{
	const struct ir *ir = &c->irs[0];
	u32 kinds = 0;

	for (u32 i = 0; i < ir->n_insns; i++) {
		const struct ir_insn *insn = &ir->insns[i];

		kinds |= is_choice(ir, insn) ? CHOICE : 0;
		/* the programs subtract nothing: only who finds a number again does */
		kinds |= insn->op == IR_ALU && insn->row == ALU_SUB ? WALK : 0;
	}
	for (u32 b = 0; b < ir->n_blocks; b++)
		kinds |= is_split(ir, &ir->blocks[b]) ? SPLIT : 0;
	return kinds;
}

/* SEED [PROGRAMS] */
int main(int argc, char **argv)
{
	const struct written test = {.write = write_program,
				     .find = find_kinds,
				     .programs = CHECK_IS_SANITIZED ? 500 : 3000,
				     .inputs = 8,
				     .one_in = {4, 50, 100}};

	return written_main(&test, argc, argv);
}
