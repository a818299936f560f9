/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small changes to generated programs, so that what keeps them safe is missing, comes too
 * late or is not quite enough: the verdict on these is what is asked.
 *
 * References to maps and functions stay what they are, and instructions well formed: what
 * is not is refused wherever it stands, by Linux only where it is reached.
 */
#include "oracle/generating.h"

enum { MAX_CHANGES = 4 };

static bool is_second_slot(const struct gen_prog *p, u32 at)
{
	return at && p->insns[at - 1].code == 0x18;
}

/* ... that may be any number? */
static bool has_imm(const struct insn *insn)
{
	u8 class = insn->code & 7;

	if (class == CLASS_LDX || class == CLASS_STX)
		return false;
	if (class == CLASS_LD || class == CLASS_ST)
		return true;
	return !(insn->code & 8) && insn->code != (CLASS_JMP | 0x00) &&
	       insn->code != (CLASS_JMP | 0x90) && (insn->code & 0xf0) != 0xd0 &&
	       (insn->code & 0xf0) != 0x80;
}

static void change_imm(struct gen *g, struct insn *insn)
{
	if (!has_imm(insn))
		return;
	switch (below(g, 4)) {
	case 0: insn->imm += (s32)PICK(g, -8, -1, 1, 8); return;
	case 1: insn->imm ^= (s32)(1u << below(g, 32)); return;
	case 2: insn->imm = -insn->imm; return;
	default: insn->imm = any_imm(g); return;
	}
}

static void change_reg(struct gen *g, struct insn *insn)
{
	u8 class = insn->code & 7;
	bool alu = class == CLASS_ALU || class == CLASS_ALU64;
	bool jump = class == CLASS_JMP || class == CLASS_JMP32;
	bool swap = alu && (insn->code & 0xf0) == 0xd0;
	bool has_src = alu || jump ? insn->code & 8 && !swap : class != CLASS_ST;

	if (jump && !has_imm(insn) && !(insn->code & 8))
		return; /* exit, goto */
	if (has_src && one_in(g, 2))
		insn->src_reg = (u8)below(g, 11);
	else
		insn->dst_reg = (u8)below(g, 11);
}

/* Operations that take what the old one had; comparisons that do. */
static u8 other_op(struct gen *g, bool jump)
{
	if (jump)
		return (u8)PICK(g, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13);
	return (u8)PICK(g, 0, 1, 2, 4, 5, 6, 7, 10, 11, 12);
}

/* Another comparison, another operation, the other width. */
static void change_op(struct gen *g, struct insn *insn)
{
	u8 class = insn->code & 7;
	bool jump = class == CLASS_JMP || class == CLASS_JMP32;

	if ((jump || class == CLASS_ALU || class == CLASS_ALU64) && !has_imm(insn) &&
	    !(insn->code & 8))
		return;
	if (jump && insn->code >> 4 && (insn->code & 0xf0) != 0x80) {
		if (one_in(g, 3))
			insn->code ^= CLASS_JMP ^ CLASS_JMP32;
		else
			insn->code = (u8)((insn->code & 0x0f) | other_op(g, true) << 4);
	} else if ((class == CLASS_ALU || class == CLASS_ALU64) &&
		   (insn->code & 0xf0) != 0xd0) {
		insn->off = 0; /* of signed division and moves */
		if (one_in(g, 3))
			insn->code ^= CLASS_ALU ^ CLASS_ALU64;
		else
			insn->code = (u8)((insn->code & 0x0f) | other_op(g, false) << 4);
	} else if (!jump && class != CLASS_ALU && class != CLASS_ALU64 &&
		   (insn->code & 0xe0) != 0xc0 /* atomics */) {
		insn->code ^= (u8)(below(g, 4) << 3); /* the size of an access */
	}
}

static void change_off(struct gen *g, struct insn *insn)
{
	u8 class = insn->code & 7;

	if (class == CLASS_ALU || class == CLASS_ALU64 || class == CLASS_LD ||
	    insn->code == (CLASS_JMP | 0x90) || insn->code == (CLASS_JMP32 | 0x00))
		return;
	insn->off = (s16)(insn->off + PICK(g, -8, -4, -1, 1, 4, 8));
}

static void drop(struct insn *insn)
{
	*insn = (struct insn){.code = CLASS_JMP}; /* goto +0 */
}

static bool is_call(const struct insn *insn)
{
	return insn->code == (CLASS_JMP | 0x80);
}

static void change(struct gen *g, struct gen_prog *p, u32 at)
{
	struct insn *insn = &p->insns[at];

	if (insn->code == 0x18 || is_second_slot(p, at))
		return;
	if (is_call(insn)) {
		if (insn->src_reg != CALL_LOCAL && one_in(g, 3))
			drop(insn);
		return;
	}
	switch (below(g, 8)) {
	case 0:
	case 1: change_imm(g, insn); return;
	case 2: change_reg(g, insn); return;
	case 3:
	case 4: change_op(g, insn); return;
	case 5: change_off(g, insn); return;
	default: drop(insn); return;
	}
}

void gen_mutate(struct gen_case *c)
{
	struct gen g = {.random = c->seed * 0x9e3779b97f4a7c15 + 1};
	u32 n = 1 + below(&g, MAX_CHANGES);

	while (n--) {
		struct gen_prog *p = &c->progs[below(&g, c->n_progs)];

		change(&g, p, below(&g, p->n_insns));
	}
}
