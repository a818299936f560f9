/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding, and the check of whole programs, without asking anybody.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "check.h"
#include "isa/eval.h"
#include "isa/insn.h"

/* An instruction of this op with nothing in its operands. */
static struct insn plain(enum op op)
{
	const struct op_info *info = op_info(op);

	return (struct insn){
		.code = info->code, .off = info->off_is, .imm = info->imm_is};
}

static void every_op_decodes_to_itself(void)
{
	int n = 0;

	for (int op = OP_INVALID + 1; op < OPS; op++) {
		struct insn insn[2] = {plain(op)};

		if (op_info(op)->kind == KIND_INVALID)
			continue;
		if (op == OP_ADDR_SPACE_CAST)
			insn->imm = 1;
		CHECK_INT(decode(insn), op);
		CHECK_INT(insn_refuse(insn, 2, 0, NULL), 0);
		n++;
	}
	CHECK_INT(n, 173);
}

/* Whatever the fields: decode() and insn_refuse() say the same, and op_info() never
 * fails. */
static void refusal_has_a_reason(void)
{
	u32 x = 1;

	for (int i = 0; i < 2000000; i++) {
		struct insn two[2] = {{0}};
		struct skep_diag diag = SKEP_DIAG_INIT;
		u8 slot[INSN_SIZE];
		int err;

		for (int k = 0; k < INSN_SIZE; k++) {
			x = x * 1664525 + 1013904223;
			slot[k] = k == 0 || (x >> 8 & 3) == 0 ? x >> 24 : 0;
		}
		two[0] = insn_read(slot, i & 1);
		err = insn_refuse(two, 2, 7, &diag);
		if (!err == !decode(two) || !err != !diag.id ||
		    !op_info(decode(two))->name)
			CHECK(!"decode() and insn_refuse() agree");
		if (err && diag.insn != 7)
			CHECK_INT(diag.insn, 7);
	}
}

static void slots_in_both_byte_orders(void)
{
	static const u8 little[] = {0xa5, 0x21, 0xfe, 0xff, 0x78, 0x56, 0x34, 0x12};
	static const u8 big[] = {0xa5, 0x12, 0xff, 0xfe, 0x12, 0x34, 0x56, 0x78};
	struct insn a = insn_read(little, false), b = insn_read(big, true);
	u8 slot[INSN_SIZE];

	CHECK_INT(a.code, 0xa5);
	CHECK_INT(a.dst_reg, 1);
	CHECK_INT(a.src_reg, 2);
	CHECK_INT(a.off, -2);
	CHECK_INT(a.imm, 0x12345678);
	CHECK(a.code == b.code && a.dst_reg == b.dst_reg && a.src_reg == b.src_reg &&
	      a.off == b.off && a.imm == b.imm);
	insn_write(slot, &a, false);
	CHECK(!memcmp(slot, little, sizeof(slot)));
	insn_write(slot, &a, true);
	CHECK(!memcmp(slot, big, sizeof(slot)));
}

static const struct insn exit_insn = {.code = 0x95};

struct program {
	const char *why; /* the diag's name; NULL: well-formed */
	int at;
	u32 n;
	struct insn insns[5];
};

#define EXIT                                                                             \
	{                                                                                \
		.code = 0x95                                                             \
	}
#define GOTO(o)                                                                          \
	{                                                                                \
		.code = 0x05, .off = o                                                   \
	}
#define CALL_PC(i)                                                                       \
	{                                                                                \
		.code = 0x85, .src_reg = 1, .imm = i                                     \
	}
#define LDDW                                                                             \
	{                                                                                \
		.code = 0x18                                                             \
	}
#define FUNC(i)                                                                          \
	{                                                                                \
		.code = 0x18, .src_reg = LDDW_FUNC, .imm = i                             \
	}
#define ZERO                                                                             \
	{                                                                                \
		.code = 0                                                                \
	}

static const struct program programs[] = {
	{NULL, 0, 1, {EXIT}},
	{NULL, 0, 3, {LDDW, ZERO, EXIT}},
	{NULL, 0, 1, {GOTO(-1)}},
	{NULL, 0, 3, {CALL_PC(1), EXIT, EXIT}},
	{NULL, 0, 4, {FUNC(2), ZERO, EXIT, EXIT}},
	{NULL, 0, 2, {{.code = 0x8d, .dst_reg = 2}, EXIT}},
	{NULL, 0, 2, {{.code = 0x8d, .imm = 2}, EXIT}},
	{"BAD_INSN_COUNT", -1, 0, {EXIT}},
	{"NO_SUCH_INSN", 0, 2, {{.code = 0xff}, EXIT}},
	{"NO_SUCH_INSN", 0, 2, {ZERO, EXIT}},
	{"NO_SUCH_REG", 0, 2, {{.code = 0xb7, .dst_reg = 11}, EXIT}},
	{"NO_SUCH_REG", 1, 3, {EXIT, {.code = 0xbf, .src_reg = 15}, EXIT}},
	{"RESERVED_FIELD", 0, 2, {{.code = 0xb7, .src_reg = 1}, EXIT}},
	{"RESERVED_FIELD", 0, 2, {{.code = 0xbf, .imm = 1}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x07, .off = 1}, EXIT}},
	{"RESERVED_FIELD", 0, 2, {{.code = 0x8d, .src_reg = 2}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x37, .off = 2}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0xd4, .imm = 8}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0xdb, .imm = 2}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x85, .src_reg = 3}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x85, .off = 1}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x8d, .dst_reg = 2, .imm = 2}, EXIT}},
	{"BAD_FIELD", 0, 2, {{.code = 0x18, .src_reg = 7}, EXIT}},
	{"BAD_LDDW", 0, 1, {LDDW}},
	{"BAD_LDDW", 0, 2, {LDDW, EXIT}},
	{"BAD_LDDW", 0, 3, {{.code = 0x18, .src_reg = 1}, {.imm = 1}, EXIT}},
	{NULL, 0, 3, {{.code = 0x18, .src_reg = 2}, {.imm = 1}, EXIT}},
	{"JUMP_OUT_OF_RANGE", 0, 2, {GOTO(1), EXIT}},
	{"JUMP_OUT_OF_RANGE", 0, 2, {GOTO(-2), EXIT}},
	{"JUMP_OUT_OF_RANGE", 1, 4, {CALL_PC(2), GOTO(1), EXIT, EXIT}},
	{"JUMP_INTO_LDDW", 0, 4, {GOTO(1), LDDW, ZERO, EXIT}},
	{"JUMP_INTO_LDDW", 0, 4, {CALL_PC(1), LDDW, ZERO, EXIT}},
	{"CALL_OUT_OF_RANGE", 0, 2, {CALL_PC(1), EXIT}},
	{"CALL_OUT_OF_RANGE", 0, 2, {CALL_PC(-2), EXIT}},
	{"CALL_OUT_OF_RANGE", 0, 2, {CALL_PC(INT32_MAX), EXIT}},
	{"FALLS_OFF_END", 0, 1, {{.code = 0xb7}}},
	{"FALLS_OFF_END", 2, 4, {CALL_PC(2), EXIT, {.code = 0xb7}, EXIT}},
	{"FALLS_OFF_END", 0, 2, {LDDW, ZERO}},
};

static void programs_are_checked(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct program *p = &programs[i];
		struct skep_diag diag = SKEP_DIAG_INIT;
		int err = insns_check(p->insns, p->n, &diag);

		if (!CHECK_STR(skep_diag_name(diag.id), p->why ? p->why : "NONE"))
			fprintf(stderr, "\tprogram %zu: %s\n", i, diag.text);
		CHECK_INT(!err, !p->why);
		if (p->why)
			CHECK_INT(diag.insn, p->at);
	}
	CHECK(decode(&exit_insn) == OP_EXIT);
}

/* RFC 9669 4.1, the corners; the rows serve both engines, so this is the only place that
 * knows better. */
static void arithmetic_corners(void)
{
	const u64 min64 = 1ull << 63, min32 = 1u << 31;

	CHECK(alu64_DIV(5, 0) == 0 && alu64_MOD(5, 0) == 5);
	CHECK(alu32_MOD(0xfffffffffull, 0) == 0xffffffff);
	CHECK(alu64_SDIV(min64, -1) == min64 && alu64_SMOD(min64, -1) == 0);
	CHECK(alu32_SDIV(min32, 0xffffffff) == min32);
	CHECK(alu32_SMOD(min32, 0xffffffff) == 0);
	CHECK(alu64_SDIV(-13, 4) == (u64)-3 && alu64_SMOD(-13, 4) == (u64)-1);
	CHECK(alu64_SMOD(-13, -3) == (u64)-1 && alu64_SMOD(13, -3) == 1);
	CHECK(alu64_LSH(1, 64) == 1 && alu32_LSH(1, 33) == 2);
	CHECK(alu64_ARSH(min64, 63) == ~0ull && alu32_ARSH(min32, 31) == 0xffffffff);
	CHECK(alu64_MOVS8(0, 0x80) == (u64)-128 && alu32_MOVS8(0, 0x80) == 0xffffff80);
	CHECK(alu64_MOVS32(0, 0x80000000) == 0xffffffff80000000);
	CHECK(alu64_MUL(min64, 3) == min64 && alu32_NEG(1, 0) == 0xffffffff);
	CHECK(jmp64_JSGT(0, -1) && !jmp64_JGT(0, -1) && jmp32_JSLT(0xffffffff, 0));
	CHECK(jmp32_JEQ(1ull << 32, 0) && !jmp64_JEQ(1ull << 32, 0));
	CHECK(atomic32_CMPXCHG(1, 2, 1) == 2 && atomic32_CMPXCHG(1, 2, 3) == 1);
}

int main(void)
{
	every_op_decodes_to_itself();
	refusal_has_a_reason();
	slots_in_both_byte_orders();
	programs_are_checked();
	arithmetic_corners();
	return check_report();
}
