/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operands of assembly text.  Each function reads one thing from left to right and
 * fails at the first that does not belong; the encoding comes from op_info().
 */
#include "isa/asm_operand.h"

#include <string.h>

void asm_set_op(struct statement *st, enum op op)
{
	const struct op_info *info = op_info(op);

	st->slots = info->wide ? 2 : 1;
	st->insns[0].code = info->code;
	if (!info->off)
		st->insns[0].off = info->off_is;
	if (!info->imm)
		st->insns[0].imm = info->imm_is;
}

enum { FULL = 1, HALF = 2 };

static int need_reg(struct scan *s, unsigned kinds, u8 *number)
{
	static const char *const what[] = {
		[FULL] = "a register r0 to r10",
		[HALF] = "a register w0 to w10",
		[FULL | HALF] = "a register",
	};
	struct scan_reg reg;

	if (!scan_next_is_reg(s, &reg) || !(kinds & (reg.half ? HALF : FULL)))
		return scan_expected(s, what[kinds]);
	scan_reg(s, &reg);
	*number = reg.number;
	return 0;
}

int asm_need_full_reg(struct scan *s, u8 *number)
{
	return need_reg(s, FULL, number);
}

int asm_need_reg_of(struct scan *s, bool half, u8 *number)
{
	return need_reg(s, half ? HALF : FULL, number);
}

int asm_need_reg_for(struct scan *s, u8 width, u8 *number)
{
	return need_reg(s, width <= 32 ? FULL | HALF : FULL, number);
}

int asm_need_imm(struct scan *s, s32 *imm)
{
	s64 value;
	int err = scan_number_in(s, INT32_MIN, UINT32_MAX, &value);

	*imm = (s32)(u32)value;
	return err;
}

/* What stands in brackets. */
int asm_need_name(struct scan *s, struct statement *st)
{
	scan_end(s);
	st->at = s->p;
	return scan_word(s, st->name) ? 0 : scan_expected(s, "a name");
}

int asm_need_bracketed_name(struct scan *s, struct statement *st, enum want want)
{
	int err = scan_expect(s, "[");

	st->want = want;
	err = err ? err : asm_need_name(s, st);
	return err ? err : scan_expect(s, "]");
}

/* "[5]" or "[5, 6]" */
int asm_need_bracketed_numbers(struct scan *s, s32 *first, s64 *second)
{
	int err = scan_expect(s, "[");

	err = err ? err : asm_need_imm(s, first);
	if (!err && scan_accept(s, ","))
		err = scan_number_in(s, INT32_MIN, INT32_MAX, second);
	return err ? err : scan_expect(s, "]");
}

/* "+ 4", "- 4", or nothing: the sign belongs to the number. */
int asm_accept_addend(struct scan *s, s64 min, s64 max, s64 *value)
{
	struct scan start = *s;

	*value = 0;
	if (!scan_accept(s, "+") && !scan_accept(s, "-"))
		return 0;
	*s = start;
	return scan_number_in(s, min, max, value);
}

/* "u32" */
static int need_width(struct scan *s, struct memory *m)
{
	static const char *const texts[] = {
#define W(bits, code, type) [bits] = type,
#include "isa/mem.def"
#undef W
	};
	struct scan start = *s;
	char word[MAX_WORD];

	if (scan_word(s, word))
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			if (!texts[i] || strcmp(word + 1, texts[i] + 1) ||
			    (word[0] != 'u' && word[0] != 's'))
				continue;
			m->width = (u8)i;
			m->sign_extends = word[0] == 's';
			return 0;
		}
	*s = start;
	return scan_expected(s, "u8, u16, u32 or u64");
}

/* "(u32 *)" */
int asm_need_type(struct scan *s, struct memory *m)
{
	int err = scan_expect(s, "(");

	err = err ? err : need_width(s, m);
	err = err ? err : scan_expect(s, "*");
	return err ? err : scan_expect(s, ")");
}

/* "r1 + 4" */
int asm_need_address(struct scan *s, struct memory *m)
{
	s64 off = 0;
	int err = asm_need_full_reg(s, &m->reg);

	err = err ? err : asm_accept_addend(s, INT16_MIN, INT16_MAX, &off);
	m->off = (s16)off;
	return err;
}

/* "(u32 *)(r1 + 4)" */
int asm_need_memory(struct scan *s, struct memory *m)
{
	int err = asm_need_type(s, m);

	err = err ? err : scan_expect(s, "(");
	err = err ? err : asm_need_address(s, m);
	return err ? err : scan_expect(s, ")");
}

/* The operator of one of the rows; the longest that fits. */
int asm_accept_row(struct scan *s, const char *const *texts, int n)
{
	int best = -1;

	for (int i = 0; i < n; i++) {
		struct scan here = *s;

		if (!texts[i] || (best >= 0 && strlen(texts[i]) <= strlen(texts[best])))
			continue;
		if (scan_accept(&here, texts[i]))
			best = i;
	}
	if (best >= 0)
		scan_accept(s, texts[best]);
	return best;
}

/* The second operand of arithmetic and of comparisons; sets the instruction. */
int asm_need_operand(struct scan *s, struct statement *st, enum op_kind kind, u8 row,
		     bool half)
{
	struct insn *insn = &st->insns[0];
	struct scan_reg reg;
	bool is_reg = scan_next_is_reg(s, &reg);

	asm_set_op(st, op_find(kind, row, half ? 32 : 64, is_reg));
	return is_reg ? asm_need_reg_of(s, half, &insn->src_reg)
		      : asm_need_imm(s, &insn->imm);
}

void asm_set_access(struct statement *st, enum op op, const struct memory *m, bool to_dst)
{
	asm_set_op(st, op);
	st->insns[0].off = m->off;
	if (to_dst)
		st->insns[0].dst_reg = m->reg;
	else
		st->insns[0].src_reg = m->reg;
}

void asm_set_lddw(struct statement *st, enum lddw_src src)
{
	asm_set_op(st, OP_LDDW);
	st->insns[0].src_reg = src;
}
