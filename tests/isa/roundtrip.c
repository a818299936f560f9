/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever the disassembler prints, the assembler turns into the same bytes again:
 * instruction by instruction for every op with random operands, and whole programs with
 * jumps as labels.
 */
#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "isa/asm.h"
#include "isa/disasm.h"

static u32 seed = 1;

static u32 random_u32(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8 ^ seed << 13;
}

/* Small, large, and the edges. */
static s32 random_imm(void)
{
	static const s32 edges[] = {0,         1,         -1,        9,        10,
				    INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN};
	u32 r = random_u32();

	switch (r & 3) {
	case 0: return edges[random_u32() % ARRAY_SIZE(edges)];
	case 1: return (s32)(random_u32() % 256) - 128;
	default: return (s32)(random_u32() ^ r << 8);
	}
}

static void random_insn(enum op op, struct insn insn[2])
{
	const struct op_info *info = op_info(op);

	do {
		insn[0] = (struct insn){
			.code = info->code,
			.dst_reg = random_u32() % info->dst,
			.src_reg = random_u32() % info->src,
			.off = info->off ? (s16)random_imm() : info->off_is,
			.imm = info->imm ? random_imm() : info->imm_is,
		};
		if (op == OP_ADDR_SPACE_CAST)
			insn->imm = random_u32() & 1 ? 1 : 1 << 16;
		if (op == OP_CALLX)
			insn->imm = 0;
		if (op == OP_CALL && insn->src_reg != CALL_KFUNC)
			insn->off = 0;
		if (op == OP_EXIT && random_u32() & 1)
			insn->off = 0;
		insn[1] = (struct insn){.imm = random_u32() & 1 ? random_imm() : 0};
	} while (insn_refuse(insn, 2, 0, NULL));
}

static bool same(const struct insn *a, const struct insn *b)
{
	return a->code == b->code && a->dst_reg == b->dst_reg &&
	       a->src_reg == b->src_reg && a->off == b->off && a->imm == b->imm;
}

static void every_op_alone(void)
{
	struct text text = TEXT_INIT;
	int n = 0;

	for (int i = 0; i < 200 * OPS; i++) {
		enum op op = i % OPS;
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct insn insn[2], back[2] = {{0}};
		u32 slots;

		if (op_info(op)->kind == KIND_INVALID)
			continue;
		random_insn(op, insn);
		text_clear(&text);
		slots = disasm(&text, insn, 2, 0, NULL);
		n++;
		if (asm_insn(text_str(&text), NULL, back, &diag) != (int)slots ||
		    !same(insn, back) || (slots == 2 && !same(insn + 1, back + 1))) {
			CHECK(!"the text assembles to the same bytes");
			fprintf(stderr, "\t%s: %s: %s\n", op_info(op)->name,
				text_str(&text), diag.text);
			if (check_failed > 20)
				break;
		}
	}
	CHECK(n > 30000);
	text_fini(&text);
}

/* What is no instruction is still written and read back. */
static void garbage_slots(void)
{
	struct text text = TEXT_INIT;

	for (int i = 0; i < 50000; i++) {
		struct insn back[2] = {{0}}, two[2];
		u8 slots[2 * INSN_SIZE];
		u32 n;

		for (size_t k = 0; k < sizeof(slots); k++)
			slots[k] = random_u32() & 1 ? (u8)random_u32() : 0;
		two[0] = insn_read(slots, false);
		two[1] = insn_read(slots + INSN_SIZE, false);
		text_clear(&text);
		n = disasm(&text, two, 1 + i % 2, 0, NULL);
		if (n > 1u + i % 2 ||
		    asm_insn(text_str(&text), NULL, back, NULL) != (int)n ||
		    !same(two, back) || (n == 2 && !same(two + 1, back + 1))) {
			CHECK(!"any slot can be written and read");
			fprintf(stderr, "\t%s\n", text_str(&text));
		}
	}
	text_fini(&text);
}

enum { MAX_PROGRAM = 200 };

struct program {
	struct insn insns[MAX_PROGRAM + 2];
	u32 n;
};

/* The middle of a wide instruction has no name. */
static const char *label_of(const void *ctx, u32 target)
{
	static char name[16];
	const struct program *p = ctx;

	if (target > p->n || (target && target < p->n && !p->insns[target].code &&
			      p->insns[target - 1].code == op_info(OP_LDDW)->code))
		return NULL;
	snprintf(name, sizeof(name), "L%u", target);
	return name;
}

static void put_program(struct text *text, const struct program *p)
{
	struct dis_names names = {.label = label_of, .function = label_of, .ctx = p};

	for (u32 pc = 0; pc < p->n;) {
		text_printf(text, "L%u:\t", pc);
		pc += disasm(text, p->insns, p->n, pc, &names);
		text_puts(text, pc % 3 ? "\n" : pc % 5 ? "; " : " // no comment\n");
	}
	text_printf(text, "\nL%u:\n", p->n);
}

/* Random instructions, with half of the jumps inside of the program. */
static void random_program(struct program *p)
{
	struct insn *insns = p->insns;
	u32 n = 0, size = 1 + random_u32() % (MAX_PROGRAM - 2);

	while (n < size) {
		enum op op = random_u32() % OPS;

		if (op_info(op)->kind == KIND_INVALID)
			continue;
		random_insn(op, insns + n);
		if (op_info(op)->off && random_u32() & 1 && op != OP_EXIT &&
		    op != OP_CALL)
			insns[n].off = (s16)((s32)(random_u32() % size) - (s32)n);
		if (op == OP_JA32 || op == OP_CALL)
			insns[n].imm = (s32)(random_u32() % size) - (s32)n;
		n += op_info(op)->wide ? 2 : 1;
	}
	p->n = n;
}

static void whole_programs(void)
{
	struct program p;

	for (int i = 0; i < 1000; i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct text text = TEXT_INIT;
		struct arena arena = ARENA_INIT;
		struct asm_unit unit;
		struct asm_input in = {.file = "random"};
		bool ok;

		random_program(&p);
		put_program(&text, &p);
		in.text = (struct bytes){(const u8 *)text_str(&text), text.len};
		ok = !asm_parse(&in, &arena, &unit, &diag) && unit.n_funcs == 1 &&
		     unit.funcs[0].n_insns == p.n;
		for (u32 k = 0; ok && k < p.n; k++)
			ok = same(&p.insns[k], &unit.funcs[0].insns[k]);
		if (!CHECK(ok))
			fprintf(stderr, "\tline %d: %s\n", diag.line, diag.text);
		arena_fini(&arena);
		text_fini(&text);
	}
}

int main(void)
{
	every_op_alone();
	garbage_slots();
	whole_programs();
	return check_report();
}
