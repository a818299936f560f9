/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction of assembly text.  Operators come from the rows of the .def files; the
 * encoding of what was recognised comes from op_info().  Every function takes one form
 * from left to right and fails at the first thing that does not belong.  Knows no labels,
 * maps or functions: names are handed on.  Syntax: LLVM's and the kernel's; docs/asm.md.
 */
#include "isa/asm_insn.h"

#include <string.h>
#include <strings.h>

#include "base/diag.h"

static const char *const alu_text[ALUS] = {
#define A(name, code, off, sign, forms, text, result) [ALU_##name] = text,
#include "isa/alu.def"
#undef A
};

static const char *const jmp_text[JMPS] = {
#define J(name, code, sign, text, taken) [JMP_##name] = text,
#include "isa/jmp.def"
#undef J
};

static const struct {
	const char *text;
	bool fetch;
} atomic_rows[ATOMICS] = {
#define T(name, imm, fetch, text, stored) [ATOMIC_##name] = {text, fetch},
#include "isa/atomic.def"
#undef T
};

/* A memory operand: *(u32 *)(r1 + 4) */
struct memory {
	u8 width;
	bool sign_extends;
	u8 reg;
	s16 off;
};

static void set_op(struct statement *st, enum op op)
{
	const struct op_info *info = op_info(op);

	st->slots = info->wide ? 2 : 1;
	st->insns[0].code = info->code;
	if (!info->off)
		st->insns[0].off = info->off_is;
	if (!info->imm)
		st->insns[0].imm = info->imm_is;
}

static int need_reg(struct scan *s, struct scan_reg *reg)
{
	return scan_reg(s, reg) ? 0 : scan_expected(s, "a register");
}

/* A register whose 64 bits count. */
static int need_full_reg(struct scan *s, u8 *number)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_reg(s, &reg) && !reg.half) {
		*number = reg.number;
		return 0;
	}
	*s = start;
	return scan_expected(s, "a register r0 to r10");
}

/* The value that goes with an operation of this width: w0 with 32 bits, r0 with 64. */
static int need_reg_of(struct scan *s, bool half, u8 *number)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_reg(s, &reg) && reg.half == half) {
		*number = reg.number;
		return 0;
	}
	*s = start;
	return scan_expected(s, half ? "a register w0 to w10" : "a register r0 to r10");
}

/* The value to be stored: accesses of 32 bits and less go with r0 and with w0. */
static int need_reg_for(struct scan *s, u8 width, u8 *number)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_reg(s, &reg) && (!reg.half || width <= 32)) {
		*number = reg.number;
		return 0;
	}
	*s = start;
	return scan_expected(s, "a register of that width");
}

static int need_imm(struct scan *s, s32 *imm)
{
	s64 value;
	int err = scan_number_in(s, INT32_MIN, UINT32_MAX, &value);

	*imm = (s32)(u32)value;
	return err;
}

/* What stands in brackets. */
static int need_name(struct scan *s, struct statement *st)
{
	scan_end(s);
	st->column = scan_column(s);
	return scan_word(s, st->name) ? 0 : scan_expected(s, "a name");
}

static int need_bracketed_name(struct scan *s, struct statement *st, enum want want)
{
	int err = scan_expect(s, "[");

	st->want = want;
	err = err ? err : need_name(s, st);
	return err ? err : scan_expect(s, "]");
}

/* "[5]" or "[5, 6]" */
static int need_bracketed_numbers(struct scan *s, s32 *first, s64 *second)
{
	int err = scan_expect(s, "[");

	err = err ? err : need_imm(s, first);
	if (!err && scan_accept(s, ","))
		err = scan_number_in(s, INT32_MIN, INT32_MAX, second);
	return err ? err : scan_expect(s, "]");
}

/* "+ 4", "- 4", or nothing: the sign belongs to the number. */
static int accept_addend(struct scan *s, s64 min, s64 max, s64 *value)
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
static int need_type(struct scan *s, struct memory *m)
{
	int err = scan_expect(s, "(");

	err = err ? err : need_width(s, m);
	err = err ? err : scan_expect(s, "*");
	return err ? err : scan_expect(s, ")");
}

/* "r1 + 4" */
static int need_address(struct scan *s, struct memory *m)
{
	s64 off = 0;
	int err = need_full_reg(s, &m->reg);

	err = err ? err : accept_addend(s, INT16_MIN, INT16_MAX, &off);
	m->off = (s16)off;
	return err;
}

/* "(u32 *)(r1 + 4)" */
static int need_memory(struct scan *s, struct memory *m)
{
	int err = need_type(s, m);

	err = err ? err : scan_expect(s, "(");
	err = err ? err : need_address(s, m);
	return err ? err : scan_expect(s, ")");
}

/* The operator of one of the rows; the longest that fits. */
static int accept_row(struct scan *s, const char *const *texts, int n)
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
static int need_operand(struct scan *s, struct statement *st, enum op_kind kind, u8 row,
			bool half)
{
	struct insn *insn = &st->insns[0];
	struct scan_reg reg;
	struct scan start = *s;
	bool is_reg = scan_reg(s, &reg);
	int err = 0;

	*s = start;
	set_op(st, op_find(kind, row, half ? 32 : 64, is_reg));
	if (is_reg)
		err = need_reg_of(s, half, &insn->src_reg);
	else
		err = need_imm(s, &insn->imm);
	return err;
}

static void finish(struct statement *st, enum op op, const struct memory *m, bool to_dst)
{
	set_op(st, op);
	st->insns[0].off = m->off;
	if (to_dst)
		st->insns[0].dst_reg = m->reg;
	else
		st->insns[0].src_reg = m->reg;
}

/* "[r1 + 4]" or "[4]" */
static int need_packet_place(struct scan *s, struct statement *st, u8 width)
{
	struct insn *insn = &st->insns[0];
	struct scan_reg reg;
	struct scan start;
	s64 off = 0;
	bool ind;
	int err = scan_expect(s, "[");

	start = *s;
	ind = scan_reg(s, &reg);
	*s = start;
	if (!err && ind) {
		err = need_full_reg(s, &insn->src_reg);
		err = err ? err : accept_addend(s, INT32_MIN, INT32_MAX, &off);
		insn->imm = (s32)off;
	} else if (!err) {
		err = need_imm(s, &insn->imm);
	}
	set_op(st, op_find(ind ? KIND_LD_IND : KIND_LD_ABS, 0, width, ind));
	return err ? err : scan_expect(s, "]");
}

/* r0 = *(u8 *)skb[4]; the register and the type were read. */
static int load_packet(struct scan *s, struct statement *st, const struct memory *m)
{
	if (st->insns[0].dst_reg != R0)
		return scan_expected(s, "r0 as the register to load into");
	if (m->width == 64 || m->sign_extends)
		return scan_expected(s, "u8, u16 or u32 for a packet access");
	return need_packet_place(s, st, m->width);
}

/* r1 = *(u32 *)(r2 + 4); w1 stands for r1 where the upper half is zero anyhow. */
static int assign_load(struct scan *s, struct statement *st, bool half)
{
	enum op_kind kind;
	struct memory m;
	int err = need_type(s, &m);

	if (err)
		return err;
	if (half && (m.width == 64 || m.sign_extends))
		return scan_expected(s, "u8, u16 or u32 with this register");
	if (scan_accept_word(s, "skb"))
		return load_packet(s, st, &m);
	if (m.width == 64 && m.sign_extends)
		return scan_expected(s, "s8, s16 or s32");
	err = scan_expect(s, "(");
	err = err ? err : need_address(s, &m);
	err = err ? err : scan_expect(s, ")");
	if (err)
		return err;
	kind = m.sign_extends ? KIND_LDXS : KIND_LDX;
	finish(st, op_find(kind, 0, m.width, false), &m, false);
	return 0;
}

/* r1 = (s8)r2; false: a parenthesis of some other kind. */
static bool accept_sign_extension(struct scan *s, u8 *row)
{
	struct scan start = *s;
	char word[MAX_WORD];

	if (scan_accept(s, "(") && scan_word(s, word) && scan_accept(s, ")"))
		for (int i = 0; i < ALUS; i++) {
			const char *text = strchr(alu_text[i], '(');

			if (!text || strncmp(text + 1, word, strlen(word)) ||
			    text[1 + strlen(word)] != ')')
				continue;
			*row = (u8)i;
			return true;
		}
	*s = start;
	return false;
}

static int assign_sign_extension(struct scan *s, struct statement *st, u8 row, bool half)
{
	enum op op = op_find(KIND_ALU, row, half ? 32 : 64, true);

	if (!op)
		return scan_expected(s, "(s8) or (s16) with this register");
	set_op(st, op);
	return need_reg_of(s, half, &st->insns[0].src_reg);
}

/* r1 = -r1 */
static bool accept_minus_reg(struct scan *s)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_accept(s, "-") && scan_reg(s, &reg))
		return true;
	*s = start;
	return false;
}

static int need_same_reg(struct scan *s, const struct statement *st, bool half)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_reg(s, &reg) && reg.number == st->insns[0].dst_reg && reg.half == half)
		return 0;
	*s = start;
	return scan_expected(s, "the register that is assigned to");
}

static int assign_negation(struct scan *s, struct statement *st, bool half)
{
	struct scan start = *s;
	int err;

	scan_accept(s, "-");
	err = need_same_reg(s, st, half);
	if (err)
		*s = start;
	set_op(st, op_find(KIND_ALU, ALU_NEG, half ? 32 : 64, false));
	return err;
}

/* r1 = be16 r1; the operations are called as their rows. */
static enum op find_end(const char *word)
{
	for (int op = OP_LE16; op <= OP_BSWAP64; op++)
		if (!strcasecmp(op_info(op)->name, word))
			return op;
	return OP_INVALID;
}

/*
 * The rows that give back the old value, by LLVM's names (atomic_fetch_add, xchg_64,
 * cmpxchg32_32) and by the kernel's (atomic64_fetch_add, atomic64_xchg, atomic_cmpxchg).
 * width is 0 where the address says it: then it has a type.
 */
static bool find_atomic(const char *word, u8 *row, u8 *width)
{
	const char *name = word;

	if (!strncmp(name, "atomic64_", 9))
		name += 9;
	else if (!strncmp(name, "atomic_", 7))
		name += 7;
	for (int i = 0; i < ATOMICS; i++) {
		const char *text = atomic_rows[i].text;
		size_t n;

		if (!strncmp(text, "atomic_", 7))
			text += 7;
		n = strlen(text);
		if (!atomic_rows[i].fetch || strncmp(name, text, n))
			continue;
		*row = (u8)i;
		*width = !strcmp(name + n, "_64")     ? 64
			 : !strcmp(name + n, "32_32") ? 32
						      : 0;
		if (*width ? name == word && text == atomic_rows[i].text : !name[n])
			return true;
	}
	return false;
}

/* "r0, " of cmpxchg_64(r1 + 0, r0, r2): the register that holds the expected value. */
static int need_expected_value(struct scan *s, u8 width)
{
	struct scan start = *s;
	u8 reg = 0;
	int err = need_reg_for(s, width, &reg);

	if (!err && reg != R0) {
		*s = start;
		return scan_expected(s, "r0, which holds the expected value");
	}
	return err ? err : scan_expect(s, ",");
}

/* The last operand; what it was swapped for or added to goes to the same register. */
static int need_atomic_source(struct scan *s, struct statement *st, u8 row, u8 width)
{
	struct insn *insn = &st->insns[0];
	struct scan start = *s;
	int err = need_reg_for(s, width, &insn->src_reg);

	if (!err && row != ATOMIC_CMPXCHG && insn->src_reg != insn->dst_reg) {
		*s = start;
		return scan_expected(s, "the register that is assigned to");
	}
	return err ? err : scan_expect(s, ")");
}

/* r1 = atomic_fetch_add((u64 *)(r2 + 0), r1); the name, which may say the width, was
 * read. */
static int assign_atomic(struct scan *s, struct statement *st, u8 row, u8 width)
{
	struct memory m = {.width = width};
	int err;

	if (row == ATOMIC_CMPXCHG && st->insns[0].dst_reg != R0)
		return scan_expected(s, "r0 as the register that is assigned to");
	err = scan_expect(s, "(");
	err = err ? err : width ? need_address(s, &m) : need_memory(s, &m);
	if (!err && (m.width < 32 || m.sign_extends))
		return scan_expected(s, "an address of type u32 or u64");
	err = err ? err : scan_expect(s, ",");
	if (!err && row == ATOMIC_CMPXCHG)
		err = need_expected_value(s, m.width);
	err = err ? err : need_atomic_source(s, st, row, m.width);
	if (err)
		return err;
	finish(st, op_find(KIND_ATOMIC, row, m.width, true), &m, true);
	return 0;
}

static int assign_load_acquire(struct scan *s, struct statement *st)
{
	struct memory m;
	int err = scan_expect(s, "(");

	err = err ? err : need_memory(s, &m);
	err = err ? err : scan_expect(s, ")");
	if (err)
		return err;
	if (m.sign_extends)
		return scan_expected(s, "an address of unsigned type");
	finish(st, op_find(KIND_LOAD_ACQ, 0, m.width, false), &m, false);
	return 0;
}

/* (r1, 0, 1): the register, the space it goes to and the one it comes from. */
static int assign_addr_space_cast(struct scan *s, struct statement *st)
{
	s64 to = 0, from = 0;
	int err = scan_expect(s, "(");

	set_op(st, OP_ADDR_SPACE_CAST);
	err = err ? err : need_full_reg(s, &st->insns[0].src_reg);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, 0, 1, &to);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, !to, !to, &from);
	st->insns[0].imm = (s32)(to << 16 | from);
	return err ? err : scan_expect(s, ")");
}

static void set_lddw(struct statement *st, enum lddw_src src)
{
	set_op(st, OP_LDDW);
	st->insns[0].src_reg = src;
}

/* r1 = map[NAME], r1 = value[NAME] + 8, r1 = func[NAME], r1 = ksym[NAME] */
static int assign_named(struct scan *s, struct statement *st, enum lddw_src src)
{
	static const enum want wants[LDDW_SRCS] = {
		[LDDW_MAP_IDX] = WANT_MAP,
		[LDDW_MAP_IDX_VALUE] = WANT_VALUE,
		[LDDW_FUNC] = WANT_FUNC,
		[LDDW_BTF_ID] = WANT_KSYM,
	};
	s64 addend = 0;
	int err;

	set_lddw(st, src);
	err = need_bracketed_name(s, st, wants[src]);
	if (!err && src == LDDW_MAP_IDX_VALUE)
		err = accept_addend(s, INT32_MIN, UINT32_MAX, &addend);
	st->addend = (s32)(u32)addend;
	return err;
}

/* r1 = map_fd[5], r1 = value_idx[5] + 8, r1 = ksym_id[5, 6] */
static int assign_numbered(struct scan *s, struct statement *st, enum lddw_src src)
{
	bool value = src == LDDW_MAP_VALUE || src == LDDW_MAP_IDX_VALUE;
	s64 second = 0, addend = 0;
	int err;

	set_lddw(st, src);
	err = need_bracketed_numbers(s, &st->insns[0].imm, &second);
	if (!err && second && src != LDDW_BTF_ID)
		return scan_expected(s, "one number in the brackets");
	if (!err && value)
		err = accept_addend(s, INT32_MIN, UINT32_MAX, &addend);
	st->insns[1].imm = (s32)(u32)(second | addend);
	return err;
}

/* func[pc+3] */
static bool accept_func_by_distance(struct scan *s)
{
	struct scan start = *s;
	bool is = scan_accept(s, "[") && scan_accept_word(s, "pc") &&
		  (scan_accept(s, "+") || scan_accept(s, "-"));

	*s = start;
	return is;
}

static int assign_func_by_distance(struct scan *s, struct statement *st)
{
	s64 distance = 0;
	int err = scan_expect(s, "[");

	set_lddw(st, LDDW_FUNC);
	scan_accept_word(s, "pc");
	err = err ? err : scan_number_in(s, INT32_MIN, INT32_MAX, &distance);
	st->insns[0].imm = (s32)distance;
	return err ? err : scan_expect(s, "]");
}

static const struct lddw_form {
	const char *word;
	enum lddw_src src;
	bool named;
} lddw_forms[] = {
	{"map", LDDW_MAP_IDX, true},      {"value", LDDW_MAP_IDX_VALUE, true},
	{"func", LDDW_FUNC, true},        {"ksym", LDDW_BTF_ID, true},
	{"map_fd", LDDW_MAP_FD, false},   {"value_fd", LDDW_MAP_VALUE, false},
	{"map_idx", LDDW_MAP_IDX, false}, {"value_idx", LDDW_MAP_IDX_VALUE, false},
	{"ksym_id", LDDW_BTF_ID, false},
};

static const struct lddw_form *find_lddw_form(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(lddw_forms); i++)
		if (!strcmp(lddw_forms[i].word, word))
			return &lddw_forms[i];
	return NULL;
}

/* r1 = 5, w1 = 5, r1 = 5 ll */
static int assign_number(struct scan *s, struct statement *st, bool half)
{
	struct scan start = *s;
	s64 value;
	int err = scan_number(s, &value);

	if (err)
		return err;
	if (!half && scan_accept_word(s, "ll")) {
		set_lddw(st, LDDW_IMM);
		st->insns[0].imm = (s32)(u32)value;
		st->insns[1].imm = (s32)(u32)((u64)value >> 32);
		return 0;
	}
	*s = start;
	return need_operand(s, st, KIND_ALU, ALU_MOV, half);
}

/* r1 = counts + 8 ll: LLVM's way to refer to whatever has this name. */
static int assign_address(struct scan *s, struct statement *st)
{
	struct scan start = *s;
	s64 addend = 0;
	int err = need_name(s, st);

	err = err ? err : accept_addend(s, INT32_MIN, INT32_MAX, &addend);
	set_lddw(st, LDDW_IMM);
	st->want = WANT_ADDRESS;
	st->addend = (s32)addend;
	if (!err && !scan_accept_word(s, "ll")) {
		*s = start;
		return scan_expected(s, "a register, a number, or a name with \"ll\"");
	}
	return err;
}

static bool is_constant(const struct scan *s, const char *word)
{
	s64 ignored;

	return s->names && s->names->find(s->names->ctx, ASM_CONSTANT, word, &ignored);
}

/* What begins with a word on the right of "=". */
static int assign_word(struct scan *s, struct statement *st, bool half)
{
	const struct lddw_form *form;
	struct scan start = *s;
	u8 row, width;
	enum op op;

	if (!scan_word(s, st->name))
		return scan_expected(s, "a shorter name");
	if (find_atomic(st->name, &row, &width))
		return assign_atomic(s, st, row, width);
	if (!strcmp(st->name, "load_acquire"))
		return assign_load_acquire(s, st);
	if (is_constant(s, st->name)) {
		*s = start;
		return assign_number(s, st, half);
	}
	if (half) {
		*s = start;
		return scan_expected(s, "an operand of 32 bits");
	}
	op = find_end(st->name);
	if (op) {
		set_op(st, op);
		return need_same_reg(s, st, false);
	}
	if (!strcmp(st->name, "addr_space_cast"))
		return assign_addr_space_cast(s, st);
	form = find_lddw_form(st->name);
	if (!form) {
		*s = start;
		return assign_address(s, st);
	}
	if (!form->named)
		return assign_numbered(s, st, form->src);
	if (form->src == LDDW_FUNC && accept_func_by_distance(s))
		return assign_func_by_distance(s, st);
	return assign_named(s, st, form->src);
}

static int assign(struct scan *s, struct statement *st, bool half)
{
	struct scan start = *s;
	struct scan_reg reg;
	u8 row;

	if (scan_accept(s, "*"))
		return assign_load(s, st, half);
	if (accept_sign_extension(s, &row))
		return assign_sign_extension(s, st, row, half);
	if (accept_minus_reg(s)) {
		*s = start;
		return assign_negation(s, st, half);
	}
	if (scan_reg(s, &reg)) {
		*s = start;
		return need_operand(s, st, KIND_ALU, ALU_MOV, half);
	}
	return scan_next_is_word(s) ? assign_word(s, st, half)
				    : assign_number(s, st, half);
}

/* r1 = ..., r1 += ... */
static int read_alu(struct scan *s, struct statement *st, struct scan_reg dst)
{
	int row;

	st->insns[0].dst_reg = dst.number;
	if (scan_accept(s, "="))
		return assign(s, st, dst.half);
	row = accept_row(s, alu_text, ALUS);
	if (row < 0 || row == ALU_NEG)
		return scan_expected(s, "an assignment");
	return need_operand(s, st, KIND_ALU, (u8)row, dst.half);
}

/* *(u32 *)(r1 + 4) = r2; the first asterisk was read. */
static int read_store(struct scan *s, struct statement *st)
{
	struct memory m;
	struct scan_reg reg;
	struct scan start;
	bool is_reg;
	int err = need_memory(s, &m);

	if (err)
		return err;
	if (m.sign_extends)
		return scan_expected(s, "an unsigned type to store");
	err = scan_expect(s, "=");
	start = *s;
	is_reg = scan_reg(s, &reg);
	*s = start;
	finish(st, op_find(is_reg ? KIND_STX : KIND_ST, 0, m.width, is_reg), &m, true);
	if (err)
		return err;
	return is_reg ? need_reg_for(s, m.width, &st->insns[0].src_reg)
		      : need_imm(s, &st->insns[0].imm);
}

/* lock *(u64 *)(r1 + 0) += r2 */
static int read_lock(struct scan *s, struct statement *st)
{
	const char *texts[ATOMICS];
	struct memory m;
	int row, err = scan_expect(s, "*");

	err = err ? err : need_memory(s, &m);
	if (err)
		return err;
	if (m.width < 32 || m.sign_extends)
		return scan_expected(s, "an address of type u32 or u64");
	for (int i = 0; i < ATOMICS; i++)
		texts[i] = atomic_rows[i].fetch ? NULL : atomic_rows[i].text;
	row = accept_row(s, texts, ATOMICS);
	if (row < 0)
		return scan_expected(s, "+=, |=, &= or ^=");
	finish(st, op_find(KIND_ATOMIC, (u8)row, m.width, true), &m, true);
	return need_reg_for(s, m.width, &st->insns[0].src_reg);
}

/* store_release((u32 *)(r1 + 0), r2) */
static int read_store_release(struct scan *s, struct statement *st)
{
	struct memory m;
	int err = scan_expect(s, "(");

	err = err ? err : need_memory(s, &m);
	err = err ? err : scan_expect(s, ",");
	if (err)
		return err;
	if (m.sign_extends)
		return scan_expected(s, "an address of unsigned type");
	finish(st, op_find(KIND_STORE_REL, 0, m.width, true), &m, true);
	err = need_reg_for(s, m.width, &st->insns[0].src_reg);
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
	struct scan start = *s;
	struct scan sign;
	bool is = scan_accept_word(s, "pc");

	sign = *s;
	if (!is || (!scan_accept(s, "+") && !scan_accept(s, "-")))
		*s = start;
	else
		*s = sign;
}

/* +3, pc+3, NAME, 1f; far: the distance is in imm. */
static int need_target(struct scan *s, struct statement *st, bool far)
{
	s64 distance = 0;
	int err;

	skip_pc(s);
	st->column = scan_column(s);
	st->want = WANT_LABEL;
	if (accept_local_label(s, st->name))
		return 0;
	if (scan_next_is_word(s))
		return need_name(s, st);
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
	int row, err = need_reg(s, &dst);

	if (err)
		return err;
	row = accept_row(s, jmp_text, JMPS);
	if (row < 0)
		return scan_expected(s, "a comparison");
	err = need_operand(s, st, KIND_JMP, (u8)row, dst.half);
	st->insns[0].dst_reg = dst.number;
	if (!err && !scan_accept_word(s, "goto"))
		return scan_expected(s, "\"goto\"");
	return err ? err : need_target(s, st, false);
}

static int read_goto(struct scan *s, struct statement *st)
{
	set_op(st, OP_JA);
	return need_target(s, st, false);
}

static int read_gotol(struct scan *s, struct statement *st)
{
	set_op(st, OP_JA32);
	return need_target(s, st, true);
}

static int read_may_goto(struct scan *s, struct statement *st)
{
	set_op(st, OP_MAY_GOTO);
	return need_target(s, st, false);
}

/* kfunc[NAME], kfunc_id[5], kfunc_id[5, 6] */
static int read_call_kfunc(struct scan *s, struct statement *st, bool named)
{
	s64 module = 0;
	int err;

	st->insns[0].src_reg = CALL_KFUNC;
	if (named)
		return need_bracketed_name(s, st, WANT_KFUNC);
	err = need_bracketed_numbers(s, &st->insns[0].imm, &module);
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

	set_op(st, OP_CALL);
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
		return need_imm(s, &st->insns[0].imm);
	st->want = WANT_CALL;
	return need_name(s, st);
}

static int read_callx(struct scan *s, struct statement *st)
{
	set_op(st, OP_CALLX);
	return need_full_reg(s, &st->insns[0].dst_reg);
}

static int read_exit(struct scan *s, struct statement *st)
{
	(void)s;
	set_op(st, OP_EXIT);
	return 0;
}

/* ld_pseudo r1, 1, 5: LLVM's spelling of a 64-bit immediate load with any src_reg. */
static int read_ld_pseudo(struct scan *s, struct statement *st)
{
	s64 src = 0, value = 0;
	int err = need_full_reg(s, &st->insns[0].dst_reg);

	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, 0, LDDW_SRCS - 1, &src);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number(s, &value);
	set_lddw(st, (enum lddw_src)src);
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

static const struct {
	const char *word;
	int (*read)(struct scan *s, struct statement *st);
} keywords[] = {
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
