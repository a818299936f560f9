/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two questions in a row about the same numbers: every comparison behind every other one,
 * both ways, in 64 and 32 bits, of numbers at the edges.  What the first one says of the
 * second must be so.
 *
 *	if x FIRST c goto + ...		c: a constant, or y
 *	if x SECOND d goto + ...	d: a constant, y, or the operands exchanged
 */
#include "base/text.h"
#include "check.h"
#include "isa/eval.h"
#include "opt/eval.h"
#include "world/world.h"

static const u64 edges[] = {0,          1,          2,         255,        INT32_MAX,
			    1ull << 31, UINT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX - 1,
			    UINT64_MAX};
static const s32 constants[] = {0, 1, 2, 256, INT32_MAX, INT32_MIN, -2, -1};

enum { CONSTS = ARRAY_SIZE(constants), REGISTER = CONSTS, EXCHANGED, FORMS };

struct question {
	u8 row, width;
	u8 form; /* below CONSTS: that constant */
};

struct pair {
	struct question first, second;
	bool small; /* y is a byte */
};

struct numbers {
	u64 x, y;
};

/* a prime: every kind of pair comes up */
enum { EVERY = CHECK_IS_SANITIZED ? 29 : 1 };

struct tally {
	u32 asked, programs, decided; /* second questions that are none */
};

static bool truth(u8 row, u8 width, u64 a, u64 b)
{
	switch ((enum jmp)row) {
#define J(name, ...)                                                                     \
	case JMP_##name:                                                                 \
		return width == 64 ? jmp64_##name(a, b) : jmp32_##name(a, b);
#include "isa/jmp.def"
#undef J
	case JMPS: break;
	}
	return false;
}

static bool answer(const struct question *q, const struct numbers *n)
{
	if (q->form == EXCHANGED)
		return truth(q->row, q->width, n->y, n->x);
	return truth(q->row, q->width, n->x,
		     q->form == REGISTER ? n->y : (u64)(s64)constants[q->form]);
}

static struct insn jump(const struct question *q, s16 off)
{
	enum { X = R2, Y = R3 };
	static const u8 codes[] = {
#define J(name, code, ...) [JMP_##name] = (code) << 4,
#include "isa/jmp.def"
#undef J
	};
	bool reg = q->form >= CONSTS;

	return (struct insn){.code = codes[q->row] | (reg ? 0x08 : 0) |
				     (q->width == 64 ? 0x05 : 0x06),
			     .dst_reg = q->form == EXCHANGED ? Y : X,
			     .src_reg = q->form == EXCHANGED ? X
					: reg                ? Y
							     : 0,
			     .off = off,
			     .imm = reg ? 0 : constants[q->form]};
}

/* R0: 1 if the second one jumped, 2 more if the first one did. */
static u32 write_program(const struct pair *p, struct insn *out)
{
	const struct insn load_x = {.code = 0x79, .dst_reg = R2, .src_reg = R1},
			  load_y = {.code = p->small ? 0x71 : 0x79,
				    .dst_reg = R3,
				    .src_reg = R1,
				    .off = 8},
			  end = {.code = 0x95};
	u32 n = 0;

	out[n++] = load_x;
	out[n++] = load_y;
	out[n++] = jump(&p->first, 5);
	for (s32 way = 0; way < 4; way += 2) {
		out[n++] = jump(&p->second, 2);
		out[n++] = (struct insn){.code = 0xb7, .dst_reg = R0, .imm = way};
		out[n++] = end;
		out[n++] = (struct insn){.code = 0xb7, .dst_reg = R0, .imm = way + 1};
		out[n++] = end;
	}
	return n;
}

static u64 run_program(const struct compiled *c, const struct numbers *n)
{
	struct exec_opts opts = {.max_steps = 100};
	struct world_script world;
	struct run run = {.world = &world.world, .ctx = (void *)n, .opts = &opts};
	u64 r0 = UINT64_MAX;

	world_script_init(&world);
	CHECK(!eval_run(c, &run, &r0));
	run_end(&run);
	return r0;
}

static void tell(const struct pair *p, const struct compiled *c, const struct numbers *n)
{
	struct text listing = TEXT_INIT;

	ir_print(&listing, &c->irs[0]);
	fprintf(stderr, "x %#llx, y %#llx%s:\n%s\n", (unsigned long long)n->x,
		(unsigned long long)n->y, p->small ? ", a byte" : "", text_str(&listing));
	text_fini(&listing);
}

static void try_numbers(const struct pair *p, const struct compiled *c)
{
	bool only_x = p->first.form < CONSTS && p->second.form < CONSTS;

	for (u32 i = 0; i < ARRAY_SIZE(edges); i++)
		for (u32 k = 0; k < (only_x ? 1 : ARRAY_SIZE(edges)); k++) {
			struct numbers n = {edges[i], p->small ? (u8)edges[k] : edges[k]};
			u64 want =
				(u64)answer(&p->first, &n) * 2 + answer(&p->second, &n);

			if (!CHECK(run_program(c, &n) == want))
				tell(p, c, &n);
		}
}

static u32 count_jumps(const struct compiled *c)
{
	u32 n = 0;

	for (u32 i = 0; i < c->irs[0].n_insns; i++)
		n += c->irs[0].insns[i].op == IR_JMP;
	return n;
}

static void try_pair(const struct pair *p, struct tally *tally)
{
	struct insn insns[16];
	struct prog prog = {.insns = insns, .n_insns = write_program(p, insns)};
	struct compiled c;

	if (CHECK(!compiled_new(&prog, NULL, &(struct compile_how){0}, &c, NULL))) {
		CHECK(!c.wrong);
		try_numbers(p, &c);
		tally->programs++;
		if (count_jumps(&c) < 3)
			tally->decided += 3 - count_jumps(&c);
	}
	compiled_fini(&c);
}

static void try_forms(struct pair *p, struct tally *tally)
{
	for (p->first.form = 0; p->first.form < FORMS; p->first.form++)
		for (p->second.form = 0; p->second.form < FORMS; p->second.form++)
			for (u32 small = 0; small < 2; small++) {
				p->small = small;
				if (!(++tally->asked % EVERY))
					try_pair(p, tally);
			}
}

int main(void)
{
	static const u8 widths[] = {64, 32};
	struct tally tally = {0};
	struct pair p;

	for (u32 rows = 0; rows < JMPS * JMPS; rows++)
		for (u32 width = 0; width < 4; width++) {
			p.first.row = (u8)(rows / JMPS);
			p.second.row = (u8)(rows % JMPS);
			p.first.width = widths[width / 2];
			p.second.width = widths[width % 2];
			try_forms(&p, &tally);
		}
	printf("%u programs, %u questions answered\n", tally.programs, tally.decided);
	CHECK(tally.decided > tally.programs / 4);
	return check_report();
}
