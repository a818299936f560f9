/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction of assembly text.  Every function takes one form from left to right and
 * fails at the first thing that does not belong.  Knows no labels, maps or functions:
 * names are handed on.  Syntax: LLVM's and the kernel's; docs/asm.md.
 */
#include "isa/asm_insn.h"

#include <string.h>

#include "isa/asm_operand.h"
#include "isa/syntax.h"

/* r1 = ..., r1 += ... */
static int read_alu(struct scan *s, struct statement *st, struct scan_reg dst)
{
	int row;

	st->insns[0].dst_reg = dst.number;
	if (scan_accept(s, "="))
		return asm_assign(s, st, dst.half);
	row = asm_accept_row(s, alu_text, ALUS);
	if (row < 0 || row == ALU_NEG)
		return scan_expected(s, "an assignment");
	return asm_need_operand(s, st, KIND_ALU, (u8)row, dst.half);
}

/* *(u32 *)(r1 + 4) = r2; the first asterisk was read. */
static int read_store(struct scan *s, struct statement *st)
{
	struct memory m;
	struct scan_reg reg;
	bool is_reg;
	int err = asm_need_memory(s, &m);

	if (err)
		return err;
	if (m.sign_extends)
		return scan_expected(s, "an unsigned type to store");
	err = scan_expect(s, "=");
	is_reg = scan_next_is_reg(s, &reg);
	asm_set_access(st, op_find(is_reg ? KIND_STX : KIND_ST, 0, m.width, is_reg), &m,
		       true);
	if (err)
		return err;
	return is_reg ? asm_need_reg_for(s, m.width, &st->insns[0].src_reg)
		      : asm_need_imm(s, &st->insns[0].imm);
}

/* lock *(u64 *)(r1 + 0) += r2 */
static int read_lock(struct scan *s, struct statement *st)
{
	const char *texts[ATOMICS];
	struct memory m;
	int row, err = scan_expect(s, "*");

	err = err ? err : asm_need_memory(s, &m);
	if (err)
		return err;
	if (m.width < 32 || m.sign_extends)
		return scan_expected(s, "an address of type u32 or u64");
	for (int i = 0; i < ATOMICS; i++)
		texts[i] = atomic_fetch[i] ? NULL : atomic_text[i];
	row = asm_accept_row(s, texts, ATOMICS);
	if (row < 0)
		return scan_expected(s, "+=, |=, &= or ^=");
	asm_set_access(st, op_find(KIND_ATOMIC, (u8)row, m.width, true), &m, true);
	return asm_need_reg_for(s, m.width, &st->insns[0].src_reg);
}

/* store_release((u32 *)(r1 + 0), r2) */
static int read_store_release(struct scan *s, struct statement *st)
{
	struct memory m;
	int err = scan_expect(s, "(");

	err = err ? err : asm_need_memory(s, &m);
	err = err ? err : scan_expect(s, ",");
	if (err)
		return err;
	if (m.sign_extends)
		return scan_expected(s, "an address of unsigned type");
	asm_set_access(st, op_find(KIND_STORE_REL, 0, m.width, true), &m, true);
	err = asm_need_reg_for(s, m.width, &st->insns[0].src_reg);
	return err ? err : scan_expect(s, ")");
}

/* 1f, 1b: the next or the last label of that number. */
static bool accept_local_label(struct scan *s, char name[MAX_WORD])
{
	const char *p;
	size_t n;

	scan_end(s);
	for (p = s->p; p < s->end && *p >= '0' && *p <= '9';)
		p++;
	n = (size_t)(p - s->p);
	if (!n || n + 2 > MAX_WORD || p == s->end || (*p != 'f' && *p != 'b'))
		return false;
	memcpy(name, s->p, n + 1);
	name[n + 1] = 0;
	s->p = p + 1;
	return true;
}

/* "pc" of "pc+3" is decoration. */
static void skip_pc(struct scan *s)
{
	struct scan here = *s, sign;

	if (!scan_accept_word(&here, "pc"))
		return;
	sign = here;
	if (scan_accept(&sign, "+") || scan_accept(&sign, "-"))
		*s = here;
}

/* +3, pc+3, NAME, 1f; far: the distance is in imm. */
static int need_target(struct scan *s, struct statement *st, bool far)
{
	s64 distance = 0;
	int err;

	skip_pc(s);
	scan_end(s);
	st->at = s->p;
	st->want = WANT_LABEL;
	if (accept_local_label(s, st->name))
		return 0;
	if (scan_next_is_word(s))
		return asm_need_name(s, st);
	st->want = WANT_NOTHING;
	err = far ? scan_number_in(s, INT32_MIN, INT32_MAX, &distance)
		  : scan_number_in(s, INT16_MIN, INT16_MAX, &distance);
	if (far)
		st->insns[0].imm = (s32)distance;
	else
		st->insns[0].off = (s16)distance;
	return err;
}

/* if r1 == 5 goto +3 */
static int read_if(struct scan *s, struct statement *st)
{
	struct scan_reg dst;
	int row, err;

	if (!scan_reg(s, &dst))
		return scan_expected(s, "a register");
	row = asm_accept_row(s, jmp_text, JMPS);
	if (row < 0)
		return scan_expected(s, "a comparison");
	err = asm_need_operand(s, st, KIND_JMP, (u8)row, dst.half);
	st->insns[0].dst_reg = dst.number;
	if (!err && !scan_accept_word(s, "goto"))
		return scan_expected(s, "\"goto\"");
	return err ? err : need_target(s, st, false);
}

static int read_goto(struct scan *s, struct statement *st)
{
	asm_set_op(st, OP_JA);
	return need_target(s, st, false);
}

static int read_gotol(struct scan *s, struct statement *st)
{
	asm_set_op(st, OP_JA32);
	return need_target(s, st, true);
}

static int read_may_goto(struct scan *s, struct statement *st)
{
	asm_set_op(st, OP_MAY_GOTO);
	return need_target(s, st, false);
}

/* kfunc[NAME], kfunc_id[5], kfunc_id[5, 6] */
static int read_call_kfunc(struct scan *s, struct statement *st, bool named)
{
	s64 module = 0;
	int err;

	st->insns[0].src_reg = CALL_KFUNC;
	if (named)
		return asm_need_bracketed_name(s, st, WANT_KFUNC);
	err = asm_need_bracketed_numbers(s, &st->insns[0].imm, &module);
	if (!err && (module < INT16_MIN || module > INT16_MAX))
		return scan_expected(s, "a module number of 16 bits");
	st->insns[0].off = (s16)module;
	return err;
}

static int read_call(struct scan *s, struct statement *st)
{
	struct scan start;
	s64 distance = 0;
	int err;

	asm_set_op(st, OP_CALL);
	scan_end(s);
	start = *s;
	skip_pc(s);
	if (s->p != start.p) {
		st->insns[0].src_reg = CALL_LOCAL;
		err = scan_number_in(s, INT32_MIN, INT32_MAX, &distance);
		st->insns[0].imm = (s32)distance;
		return err;
	}
	if (scan_accept_word(s, "kfunc"))
		return read_call_kfunc(s, st, true);
	if (scan_accept_word(s, "kfunc_id"))
		return read_call_kfunc(s, st, false);
	if (!scan_next_is_word(s))
		return asm_need_imm(s, &st->insns[0].imm);
	st->want = WANT_CALL;
	return asm_need_name(s, st);
}

static int read_callx(struct scan *s, struct statement *st)
{
	asm_set_op(st, OP_CALLX);
	return asm_need_full_reg(s, &st->insns[0].dst_reg);
}

static int read_exit(struct scan *s, struct statement *st)
{
	(void)s;
	asm_set_op(st, OP_EXIT);
	return 0;
}

/* ld_pseudo r1, 1, 5: LLVM's spelling of a 64-bit immediate load with any src_reg. */
static int read_ld_pseudo(struct scan *s, struct statement *st)
{
	s64 src = 0, value = 0;
	int err = asm_need_full_reg(s, &st->insns[0].dst_reg);

	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, 0, LDDW_SRCS - 1, &src);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number(s, &value);
	asm_set_lddw(st, (enum lddw_src)src);
	st->insns[0].imm = (s32)(u32)value;
	st->insns[1].imm = (s32)(u32)((u64)value >> 32);
	return err;
}

/* .insn CODE, DST, SRC, OFF, IMM: a slot as it is; one more IMM: two slots. */
static int read_raw(struct scan *s, struct statement *st)
{
	static const struct {
		s64 min, max;
	} ranges[] = {
		{0, UINT8_MAX},
		{0, 15},
		{0, 15},
		{INT16_MIN, INT16_MAX},
		{INT32_MIN, UINT32_MAX},
		{INT32_MIN, UINT32_MAX},
	};
	s64 v[ARRAY_SIZE(ranges)] = {0};

	st->slots = 1;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		int err = i ? scan_expect(s, ",") : 0;

		err = err ? err : scan_number_in(s, ranges[i].min, ranges[i].max, &v[i]);
		if (err)
			return err;
		if (i == 4 && scan_end(s))
			break;
		st->slots = i == 5 ? 2 : 1;
	}
	st->insns[0] =
		(struct insn){(u8)v[0], (u8)v[1], (u8)v[2], (s16)v[3], (s32)(u32)v[4]};
	st->insns[1].imm = (s32)(u32)v[5];
	return 0;
}

struct keyword {
	const char *word;
	int (*read)(struct scan *s, struct statement *st);
};

static const struct keyword keywords[] = {
	{"if", read_if},
	{"goto", read_goto},
	{"gotol", read_gotol},
	{"may_goto", read_may_goto},
	{"call", read_call},
	{"callx", read_callx},
	{"exit", read_exit},
	{"lock", read_lock},
	{"store_release", read_store_release},
	{"ld_pseudo", read_ld_pseudo},
	{".insn", read_raw},
};

static int read_any(struct scan *s, struct statement *st)
{
	struct scan_reg reg;

	if (scan_reg(s, &reg))
		return read_alu(s, st, reg);
	if (scan_accept(s, "*"))
		return read_store(s, st);
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (scan_accept_word(s, keywords[i].word))
			return keywords[i].read(s, st);
	return scan_expected(s, "an instruction");
}

int asm_statement(struct scan *s, struct statement *st)
{
	int err;

	*st = (struct statement){.want = WANT_NOTHING};
	err = read_any(s, st);
	return err ? err : scan_expect_end(s);
}
