/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The right side of "r1 = ...": loads, sign extensions, byte swaps, atomic operations
 * that give back a value, 64-bit immediate loads by name and by number, plain moves.  One
 * function a form.  Syntax: LLVM's and the kernel's; docs/asm.md.
 */
#include <string.h>
#include <strings.h>

#include "isa/asm_operand.h"
#include "isa/syntax.h"

/* "[r1 + 4]" or "[4]" */
static int need_packet_place(struct scan *s, struct statement *st, u8 width)
{
	struct insn *insn = &st->insns[0];
	struct scan_reg reg;
	s64 off = 0;
	int err = scan_expect(s, "[");
	bool ind = scan_next_is_reg(s, &reg);

	if (!err && ind) {
		err = asm_need_full_reg(s, &insn->src_reg);
		err = err ? err : asm_accept_addend(s, INT32_MIN, INT32_MAX, &off);
		insn->imm = (s32)off;
	} else if (!err) {
		err = asm_need_imm(s, &insn->imm);
	}
	asm_set_op(st, op_find(ind ? KIND_LD_IND : KIND_LD_ABS, 0, width, ind));
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
	int err = asm_need_type(s, &m);

	if (err)
		return err;
	if (half && (m.width == 64 || m.sign_extends))
		return scan_expected(s, "u8, u16 or u32 with this register");
	if (scan_accept_word(s, "skb"))
		return load_packet(s, st, &m);
	if (m.width == 64 && m.sign_extends)
		return scan_expected(s, "s8, s16 or s32");
	err = scan_expect(s, "(");
	err = err ? err : asm_need_address(s, &m);
	err = err ? err : scan_expect(s, ")");
	if (err)
		return err;
	kind = m.sign_extends ? KIND_LDXS : KIND_LDX;
	asm_set_access(st, op_find(kind, 0, m.width, false), &m, false);
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
	asm_set_op(st, op);
	return asm_need_reg_of(s, half, &st->insns[0].src_reg);
}

/* r1 = -r1; false: a negative number. */
static bool accept_minus(struct scan *s)
{
	struct scan start = *s;
	struct scan_reg reg;

	if (scan_accept(s, "-") && scan_next_is_reg(s, &reg))
		return true;
	*s = start;
	return false;
}

static int need_same_reg(struct scan *s, const struct statement *st, bool half)
{
	struct scan_reg reg;

	if (!scan_next_is_reg(s, &reg) || reg.number != st->insns[0].dst_reg ||
	    reg.half != half)
		return scan_expected(s, "the register that is assigned to");
	scan_reg(s, &reg);
	return 0;
}

static int assign_negation(struct scan *s, struct statement *st, bool half)
{
	asm_set_op(st, half ? OP_NEG32_K : OP_NEG64_K);
	return need_same_reg(s, st, half);
}

/* r1 = be16 r1; the operations are called as their rows. */
static enum op find_end(const char *word)
{
	for (int op = OP_LE16; op <= OP_BSWAP64; op++)
		if (!strcasecmp(op_info(op)->name, word))
			return op;
	return OP_INVALID;
}

struct atomic_name {
	u8 row;
	u8 width; /* 0: the address says it, by its type */
};

/* The end of xchg_64 and xchg32_32. */
static u8 width_in_name(const char *end)
{
	return !strcmp(end, "_64") ? 64 : !strcmp(end, "32_32") ? 32 : 0;
}

/*
 * The rows that give back the old value, by LLVM's names (atomic_fetch_add, xchg_64,
 * cmpxchg32_32) and by the kernel's (atomic64_fetch_add, atomic64_xchg, atomic_cmpxchg).
 */
static bool find_atomic(const char *word, struct atomic_name *found)
{
	const char *name = word;

	if (!strncmp(name, "atomic64_", 9))
		name += 9;
	else if (!strncmp(name, "atomic_", 7))
		name += 7;
	for (int i = 0; i < ATOMICS; i++) {
		const char *text = atomic_text[i];
		size_t n;

		if (!strncmp(text, "atomic_", 7))
			text += 7;
		n = strlen(text);
		if (!atomic_fetch[i] || strncmp(name, text, n))
			continue;
		found->row = (u8)i;
		found->width = width_in_name(name + n);
		if (found->width ? name == word && text == atomic_text[i] : !name[n])
			return true;
	}
	return false;
}

/* "r0, " of cmpxchg_64(r1 + 0, r0, r2): the register that holds the expected value. */
static int need_expected_value(struct scan *s, u8 width)
{
	struct scan start = *s;
	u8 reg = 0;
	int err = asm_need_reg_for(s, width, &reg);

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
	int err = asm_need_reg_for(s, width, &insn->src_reg);

	if (!err && row != ATOMIC_CMPXCHG && insn->src_reg != insn->dst_reg) {
		*s = start;
		return scan_expected(s, "the register that is assigned to");
	}
	return err ? err : scan_expect(s, ")");
}

/* The address of an atomic operation: with a type, or with the width in the name. */
static int need_atomic_address(struct scan *s, struct memory *m, bool half)
{
	int err = m->width ? asm_need_address(s, m) : asm_need_memory(s, m);

	if (err)
		return err;
	if (m->width < 32 || m->sign_extends || (half && m->width == 64))
		return scan_expected(s, half ? "an address of type u32"
					     : "an address of type u32 or u64");
	return scan_expect(s, ",");
}

/* r1 = atomic_fetch_add((u64 *)(r2 + 0), r1); the name was read. */
static int assign_atomic(struct scan *s, struct statement *st,
			 const struct atomic_name *name, bool half)
{
	struct memory m = {.width = name->width};
	u8 row = name->row;
	int err;

	if (row == ATOMIC_CMPXCHG && st->insns[0].dst_reg != R0)
		return scan_expected(s, "r0 as the register that is assigned to");
	err = scan_expect(s, "(");
	err = err ? err : need_atomic_address(s, &m, half);
	if (!err && row == ATOMIC_CMPXCHG)
		err = need_expected_value(s, m.width);
	err = err ? err : need_atomic_source(s, st, row, m.width);
	if (err)
		return err;
	asm_set_access(st, op_find(KIND_ATOMIC, row, m.width, true), &m, true);
	return 0;
}

static int assign_load_acquire(struct scan *s, struct statement *st, bool half)
{
	struct memory m;
	int err = scan_expect(s, "(");

	err = err ? err : asm_need_memory(s, &m);
	err = err ? err : scan_expect(s, ")");
	if (err)
		return err;
	if (m.sign_extends || (half && m.width == 64))
		return scan_expected(
			s, "an address of unsigned type, and w0 with 32 bits at most");
	asm_set_access(st, op_find(KIND_LOAD_ACQ, 0, m.width, false), &m, false);
	return 0;
}

/* (r1, 0, 1): the register, the space it goes to and the one it comes from. */
static int assign_addr_space_cast(struct scan *s, struct statement *st)
{
	s64 to = 0, from = 0;
	int err = scan_expect(s, "(");

	asm_set_op(st, OP_ADDR_SPACE_CAST);
	err = err ? err : asm_need_full_reg(s, &st->insns[0].src_reg);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, 0, 1, &to);
	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number_in(s, !to, !to, &from);
	st->insns[0].imm = (s32)(to << 16 | from);
	return err ? err : scan_expect(s, ")");
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

	asm_set_lddw(st, src);
	err = asm_need_bracketed_name(s, st, wants[src]);
	if (!err && src == LDDW_MAP_IDX_VALUE)
		err = asm_accept_addend(s, INT32_MIN, UINT32_MAX, &addend);
	st->addend = (s32)(u32)addend;
	return err;
}

/* r1 = map_fd[5], r1 = value_idx[5] + 8, r1 = ksym_id[5, 6] */
static int assign_numbered(struct scan *s, struct statement *st, enum lddw_src src)
{
	bool value = src == LDDW_MAP_VALUE || src == LDDW_MAP_IDX_VALUE;
	s64 second = 0, addend = 0;
	int err;

	asm_set_lddw(st, src);
	err = asm_need_bracketed_numbers(s, &st->insns[0].imm, &second);
	if (!err && second && src != LDDW_BTF_ID)
		return scan_expected(s, "one number in the brackets");
	if (!err && value)
		err = asm_accept_addend(s, INT32_MIN, UINT32_MAX, &addend);
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

	asm_set_lddw(st, LDDW_FUNC);
	scan_accept_word(s, "pc");
	err = err ? err : scan_number_in(s, INT32_MIN, INT32_MAX, &distance);
	st->insns[0].imm = (s32)distance;
	return err ? err : scan_expect(s, "]");
}

struct lddw_form {
	const char *word;
	enum lddw_src src;
	bool named;
};

static const struct lddw_form lddw_forms[] = {
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
		asm_set_lddw(st, LDDW_IMM);
		st->insns[0].imm = (s32)(u32)value;
		st->insns[1].imm = (s32)(u32)((u64)value >> 32);
		return 0;
	}
	if (value < INT32_MIN || value > UINT32_MAX) {
		*s = start;
		return asm_need_imm(s, &st->insns[0].imm); /* which says what is wrong */
	}
	asm_set_op(st, half ? OP_MOV32_K : OP_MOV64_K);
	st->insns[0].imm = (s32)(u32)value;
	return 0;
}

/* r1 = counts + 8 ll: LLVM's way to refer to whatever has this name. */
static int assign_address(struct scan *s, struct statement *st)
{
	struct scan start = *s;
	s64 addend = 0;
	int err = asm_need_name(s, st);

	err = err ? err : asm_accept_addend(s, INT32_MIN, INT32_MAX, &addend);
	asm_set_lddw(st, LDDW_IMM);
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
	struct atomic_name atomic;
	enum op op;

	if (!scan_word(s, st->name))
		return scan_expected(s, "a shorter name");
	if (find_atomic(st->name, &atomic))
		return assign_atomic(s, st, &atomic, half);
	if (!strcmp(st->name, "load_acquire"))
		return assign_load_acquire(s, st, half);
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
		asm_set_op(st, op);
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

int asm_assign(struct scan *s, struct statement *st, bool half)
{
	struct scan_reg reg;
	u8 row;

	if (scan_accept(s, "*"))
		return assign_load(s, st, half);
	if (accept_sign_extension(s, &row))
		return assign_sign_extension(s, st, row, half);
	if (accept_minus(s))
		return assign_negation(s, st, half);
	if (scan_next_is_reg(s, &reg))
		return asm_need_operand(s, st, KIND_ALU, ALU_MOV, half);
	return scan_next_is_word(s) ? assign_word(s, st, half)
				    : assign_number(s, st, half);
}
