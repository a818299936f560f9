/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes that src/exec/jit/x86_64/encode.c writes mean what its functions say, as an
 * independent disassembler (Zydis) reads them: every function, with all registers, widths
 * and sizes of immediates and displacements, compared as text.
 */
#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/jit/x86_64/encode.h"

static u32 failures, checked;

static const char *const names[4][16] = {
	{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b",
	 "r12b", "r13b", "r14b", "r15b"},
	{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w",
	 "r12w", "r13w", "r14w", "r15w"},
	{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d",
	 "r11d", "r12d", "r13d", "r14d", "r15d"},
	{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
	 "r12", "r13", "r14", "r15"},
};
static const u32 widths[] = {8, 16, 32, 64};
static const s32 imms[] = {0, 1, 127, 128, -1, -128, -129, 0x1234, 0x12345678, INT32_MIN};
static const s32 disps[] = {0, 8, -128, 127, 128, -129, 0x12345678};

static const char *reg_name(u32 width, u8 reg)
{
	return names[width == 8 ? 0 : width == 16 ? 1 : width == 32 ? 2 : 3][reg];
}

/* Text of what is expected; several at once. */
struct words {
	char text[8][64];
	u32 next;
};

static const char *number(struct words *w, u64 n)
{
	char *t = w->text[w->next++ % 8];

	snprintf(t, 64, "0x%" PRIx64, n);
	return t;
}

/* An immediate is shown at the operand's width. */
static const char *immediate(struct words *w, u32 width, s32 imm)
{
	return number(w,
		      (u64)(s64)imm & (width == 64 ? UINT64_MAX : (1ull << width) - 1));
}

static const char *operand(struct words *w, u32 width, struct x86_rm rm)
{
	static const char *const sizes[] = {"byte", "word", "dword", "qword"};
	char *t = w->text[w->next++ % 8];
	int n;

	if (!x86_is_mem(rm))
		return reg_name(width, rm.reg);
	n = width ? snprintf(t, 64, "%s ptr ",
			     sizes[width == 8    ? 0
				   : width == 16 ? 1
				   : width == 32 ? 2
						 : 3])
		  : 0;
	n += snprintf(t + n, 64 - n, "[");
	if (rm.base != X86_NONE)
		n += snprintf(t + n, 64 - n, "%s", reg_name(64, rm.base));
	if (rm.index != X86_NONE)
		n += snprintf(t + n, 64 - n, "%s%s*%d", rm.base != X86_NONE ? "+" : "",
			      reg_name(64, rm.index), 1 << rm.scale);
	if (rm.disp < 0 && (rm.base != X86_NONE || rm.index != X86_NONE))
		n += snprintf(t + n, 64 - n, "-0x%" PRIX32, 0 - (u32)rm.disp);
	else if (rm.disp)
		n += snprintf(t + n, 64 - n, "+0x%" PRIX32, (u32)rm.disp);
	snprintf(t + n, 64 - n, "]");
	return t;
}

/* Lower case, and without what the two sides write differently. */
static void plain(char *out, const char *in)
{
	for (; *in; in++) {
		if (*in == '*' && in[1] == '1' && (in[2] < '0' || in[2] > '9')) {
			in++;
			continue;
		}
		if (*in == '0' && in[1] == 'x') {
			in += 2;
			while (*in == '0' && ((in[1] >= '0' && in[1] <= '9') ||
					      (in[1] >= 'A' && in[1] <= 'F') ||
					      (in[1] >= 'a' && in[1] <= 'f')))
				in++;
		}
		*out++ = (*in >= 'A' && *in <= 'Z') ? (char)(*in + 32) : *in;
	}
	*out = 0;
}

static void expect(const u8 *code, const u8 *end, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Length, 0 when it is no instruction.  Immediates are shown unsigned. */
static u32 disassemble(const u8 *code, const u8 *end, char *text, u32 size)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisFormatter formatter;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS,
				  ZYDIS_SIGNEDNESS_UNSIGNED);
	ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, (ZyanUSize)(end - code),
						 &insn, operands)))
		return 0;
	ZydisFormatterFormatInstruction(&formatter, &insn, operands,
					insn.operand_count_visible, text, size, 0, NULL);
	return insn.length;
}

static void expect(const u8 *code, const u8 *end, const char *fmt, ...)
{
	char want[256], text[256] = "(nothing)", got[256], wanted[256];
	u32 length;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	checked++;
	length = disassemble(code, end, text, sizeof(text));
	plain(got, text);
	plain(wanted, want);
	if (!strcmp(got, wanted) && length == end - code)
		return;
	if (failures++ > 20)
		return;
	printf("wanted %-44s got %-44s (%d of %d bytes:", wanted, got, (int)length,
	       (int)(end - code));
	for (const u8 *b = code; b < end; b++)
		printf(" %02x", *b);
	printf(")\n");
}

/* One instruction: what writes it, and what it is. */
#define CHECK(call, ...)                                                                 \
	do {                                                                             \
		u8 code_[32];                                                            \
		struct encoder e_ = {code_}, *e = &e_;                                   \
		struct words w_ = {.next = 0}, *w = &w_;                                 \
		(void)w;                                                                 \
		call;                                                                    \
		expect(code_, e_.at, __VA_ARGS__);                                       \
	} while (0)

/* ---- operands ---- */

enum { N_MEM = 16 * 17 };

/* Base and index in all combinations; scales and displacements take turns. */
static bool memory(u32 i, struct x86_rm *rm)
{
	u8 index = (u8)(i / 16);

	*rm = (struct x86_rm){X86_NONE, (u8)(i % 16), index == 16 ? X86_NONE : index,
			      index == 16 ? 0 : (u8)(i / 3 % 4),
			      disps[(i / 2 + i / 16) % ARRAY_SIZE(disps)]};
	return index != RSP;
}

static void each_memory(void (*check)(u32 width, struct x86_rm rm, u8 reg), u32 width)
{
	struct x86_rm rm;

	for (u32 i = 0; i < N_MEM; i++)
		if (memory(i, &rm))
			check(width, rm, (u8)(i / 2 % 16));
	for (u8 index = 0; index < 16; index++)
		if (index != RSP)
			check(width, (struct x86_rm){X86_NONE, X86_NONE, index, 3, 0x40},
			      index);
	for (u32 d = 0; d < ARRAY_SIZE(disps); d++)
		for (u8 base = 0; base < 16; base++)
			check(width, x86_at(base, disps[d]), (u8)(15 - base));
}

static void each_operand(void (*check)(u32 width, struct x86_rm rm, u8 reg), u32 width)
{
	for (u8 a = 0; a < 16; a++)
		for (u8 b = 0; b < 16; b++)
			check(width, x86_reg(a), b);
	each_memory(check, width);
}

/* ---- arithmetic ---- */

static const char *const alu_names[] = {"add", "or",  "adc", "sbb",
					"and", "sub", "xor", "cmp"};

static void check_alu(u32 width, struct x86_rm rm, u8 reg)
{
	for (u32 op = X86_ADD; op <= X86_CMP; op++) {
		CHECK(x86_alu_r(e, op, width, reg, rm), "%s %s, %s", alu_names[op],
		      reg_name(width, reg), operand(w, width, rm));
		CHECK(x86_alu_m(e, op, width, rm, reg), "%s %s, %s", alu_names[op],
		      operand(w, width, rm), reg_name(width, reg));
	}
	for (u32 i = 0; i < ARRAY_SIZE(imms); i++)
		CHECK(x86_alu_i(e, reg % 8, width, rm, imms[i]), "%s %s, %s",
		      alu_names[reg % 8], operand(w, width, rm),
		      immediate(w, width, imms[i]));
}

static void check_test(u32 width, struct x86_rm rm, u8 reg)
{
	CHECK(x86_test_r(e, width, rm, reg), "test %s, %s", operand(w, width, rm),
	      reg_name(width, reg));
	for (u32 i = 0; i < ARRAY_SIZE(imms); i++)
		CHECK(x86_test_i(e, width, rm, imms[i]), "test %s, %s",
		      operand(w, width, rm), immediate(w, width, imms[i]));
}

static void check_unary(u32 width, struct x86_rm rm, u8 reg)
{
	static const char *const unary[] = {
		[X86_NOT] = "not",   [X86_NEG] = "neg", [X86_MUL] = "mul",
		[X86_IMUL] = "imul", [X86_DIV] = "div", [X86_IDIV] = "idiv"};
	static const char *const shift[] = {[X86_ROL] = "rol",
					    [X86_ROR] = "ror",
					    [X86_SHL] = "shl",
					    [X86_SHR] = "shr",
					    [X86_SAR] = "sar"};
	u32 op = X86_NOT + reg % 6;

	CHECK(x86_unary(e, op, width, rm), "%s %s", unary[op], operand(w, width, rm));
	for (op = 0; op < ARRAY_SIZE(shift); op++) {
		if (!shift[op])
			continue;
		CHECK(x86_shift_i(e, op, width, rm, reg + 1), "%s %s, %s", shift[op],
		      operand(w, width, rm), number(w, reg + 1));
		CHECK(x86_shift_cl(e, op, width, rm), "%s %s, cl", shift[op],
		      operand(w, width, rm));
	}
}

static void check_wide(u32 width, struct x86_rm rm, u8 reg)
{
	const char *name = reg_name(width, reg);

	CHECK(x86_imul_r(e, width, reg, rm), "imul %s, %s", name, operand(w, width, rm));
	for (u32 i = 0; i < ARRAY_SIZE(imms); i++)
		CHECK(x86_imul_i(e, width, reg, rm, imms[i]), "imul %s, %s, %s", name,
		      operand(w, width, rm), immediate(w, width, imms[i]));
	if (x86_is_mem(rm))
		CHECK(x86_lea(e, width, reg, rm), "lea %s, %s", name, operand(w, 0, rm));
}

/* ---- moves ---- */

static void check_moves(u32 width, struct x86_rm rm, u8 reg)
{
	u32 to = width == 64 ? 64 : 32;

	CHECK(x86_load(e, width, reg, rm), "%s %s, %s", width < 32 ? "movzx" : "mov",
	      reg_name(to, reg), operand(w, width, rm));
	CHECK(x86_load_signed(e, width, reg, rm), "%s %s, %s",
	      width < 32    ? "movsx"
	      : width == 32 ? "movsxd"
			    : "mov",
	      reg_name(64, reg), operand(w, width, rm));
	if (width < 32)
		CHECK(x86_sign_extend_32(e, width, reg, rm), "movsx %s, %s",
		      reg_name(32, reg), operand(w, width, rm));
	CHECK(x86_store(e, width, rm, reg), "mov %s, %s", operand(w, width, rm),
	      reg_name(width, reg));
	for (u32 i = 0; i < ARRAY_SIZE(imms) && x86_is_mem(rm); i++)
		CHECK(x86_store_i(e, width, rm, imms[i]), "mov %s, %s",
		      operand(w, width, rm), immediate(w, width, imms[i]));
}

static void check_cmov(u32 width, struct x86_rm rm, u8 reg)
{
	static const char *const ccs[] = {
		[CC_B] = "b",   [CC_AE] = "nb", [CC_E] = "z",   [CC_NE] = "nz",
		[CC_BE] = "be", [CC_A] = "nbe", [CC_S] = "s",   [CC_NS] = "ns",
		[CC_L] = "l",   [CC_GE] = "nl", [CC_LE] = "le", [CC_G] = "nle"};

	for (u32 cc = 0; cc < ARRAY_SIZE(ccs); cc++) {
		if (!ccs[cc])
			continue;
		CHECK(x86_cmov(e, cc, width, reg, rm), "cmov%s %s, %s", ccs[cc],
		      reg_name(width, reg), operand(w, width, rm));
		CHECK(x86_setcc(e, cc, reg), "set%s %s", ccs[cc], reg_name(8, reg));
		CHECK(x86_jcc8(e, cc, 0x10), "j%s 0x12", ccs[cc]);
		CHECK(x86_jcc32(e, cc, 0x1000), "j%s 0x1006", ccs[cc]);
	}
}

static void check_register_moves(void)
{
	static const u64 values[] = {1,
				     0x7fffffff,
				     0x80000000,
				     UINT32_MAX,
				     (u64)-1,
				     (u64)INT32_MIN,
				     1ull << 32,
				     0x123456789abcdef0,
				     (u64)INT64_MIN};

	for (u8 a = 0; a < 16; a++) {
		const char *name = reg_name(64, a);

		for (u8 b = 0; b < 16; b++) {
			CHECK(x86_move(e, 64, a, b), "mov %s, %s", name, reg_name(64, b));
			CHECK(x86_move(e, 32, a, b), "mov %s, %s", reg_name(32, a),
			      reg_name(32, b));
		}
		for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
			u64 v = values[i];
			bool is_short = v <= UINT32_MAX;

			CHECK(x86_move_i(e, a, v), "mov %s, %s",
			      reg_name(is_short ? 32 : 64, a), number(w, v));
			CHECK(x86_move_i64(e, a, v), "mov %s, 0x%" PRIx64, name, v);
		}
		CHECK(x86_zero(e, a), "xor %s, %s", reg_name(32, a), reg_name(32, a));
		CHECK(x86_push(e, a), "push %s", name);
		CHECK(x86_pop(e, a), "pop %s", name);
		CHECK(x86_bswap(e, 64, a), "bswap %s", name);
		CHECK(x86_bswap(e, 32, a), "bswap %s", reg_name(32, a));
	}
}

/* ---- the rest ---- */

static void check_atomics(u32 width, struct x86_rm rm, u8 reg)
{
	CHECK((x86_lock(e), x86_xadd(e, width, rm, reg)), "lock xadd %s, %s",
	      operand(w, width, rm), reg_name(width, reg));
	CHECK((x86_lock(e), x86_cmpxchg(e, width, rm, reg)), "lock cmpxchg %s, %s",
	      operand(w, width, rm), reg_name(width, reg));
	CHECK(x86_xchg(e, width, rm, reg), "xchg %s, %s", operand(w, width, rm),
	      reg_name(width, reg));
	CHECK((x86_lock(e), x86_alu_m(e, X86_XOR, width, rm, reg)), "lock xor %s, %s",
	      operand(w, width, rm), reg_name(width, reg));
	CHECK((x86_lock(e), x86_alu_i(e, X86_AND, width, rm, -2)), "lock and %s, %s",
	      operand(w, width, rm), immediate(w, width, -2));
}

static void check_bmi(u32 width, struct x86_rm rm, u8 reg)
{
	const char *name = reg_name(width, reg), *other = reg_name(width, reg ^ 11);
	const char *src;

	CHECK((src = operand(w, width, rm),
	       x86_shift_x(e, X86_SHL, width, reg, rm, reg ^ 11)),
	      "shlx %s, %s, %s", name, src, other);
	CHECK((src = operand(w, width, rm),
	       x86_shift_x(e, X86_SHR, width, reg, rm, reg ^ 11)),
	      "shrx %s, %s, %s", name, src, other);
	CHECK((src = operand(w, width, rm),
	       x86_shift_x(e, X86_SAR, width, reg, rm, reg ^ 11)),
	      "sarx %s, %s, %s", name, src, other);
	CHECK(x86_rorx(e, width, reg, rm, 31), "rorx %s, %s, 0x1f", name,
	      operand(w, width, rm));
	CHECK(x86_mulx(e, width, reg, reg ^ 11, rm), "mulx %s, %s, %s", name, other,
	      operand(w, width, rm));
	CHECK(x86_andn(e, width, reg, reg ^ 11, rm), "andn %s, %s, %s", name, other,
	      operand(w, width, rm));
}

static void check_counts(u32 width, struct x86_rm rm, u8 reg)
{
	CHECK(x86_lzcnt(e, width, reg, rm), "lzcnt %s, %s", reg_name(width, reg),
	      operand(w, width, rm));
	CHECK(x86_bsr(e, width, reg, rm), "bsr %s, %s", reg_name(width, reg),
	      operand(w, width, rm));
	CHECK(x86_popcnt(e, width, reg, rm), "popcnt %s, %s", reg_name(width, reg),
	      operand(w, width, rm));
}

static void check_movbe(u32 width, struct x86_rm rm, u8 reg)
{
	CHECK(x86_movbe_load(e, width, reg, rm), "movbe %s, %s", reg_name(width, reg),
	      operand(w, width, rm));
	CHECK(x86_movbe_store(e, width, rm, reg), "movbe %s, %s", operand(w, width, rm),
	      reg_name(width, reg));
}

static void check_flow_operand(u32 width, struct x86_rm rm, u8 reg)
{
	CHECK(x86_call(e, rm), "call %s", operand(w, width, rm));
	CHECK(x86_jmp(e, rm), "jmp %s", operand(w, width, rm));
	CHECK(x86_push_m(e, rm), "push %s", operand(w, width, rm));
	CHECK(x86_pop_m(e, rm), "pop %s", operand(w, width, rm));
	if (reg != RAX || rm.reg != RAX)
		CHECK(x86_xchg_r(e, reg, rm), "xchg %s, %s", operand(w, width, rm),
		      reg_name(width, reg));
}

static void check_flow(void)
{
	CHECK(x86_jmp8(e, 0x10), "jmp 0x12");
	CHECK(x86_jmp32(e, 0x1000), "jmp 0x1005");
	CHECK(x86_call32(e, 0x1000), "call 0x1005");
	CHECK(x86_ret(e), "ret");
	CHECK(x86_endbr(e), "endbr64");
	CHECK(x86_lfence(e), "lfence");
	CHECK(x86_rdtsc(e), "rdtsc");
	CHECK(x86_sign_rdx(e, 32), "cdq");
	CHECK(x86_sign_rdx(e, 64), "cqo");
	CHECK(x86_nops(e, 1), "nop");
	for (u32 n = 0; n < 40; n++) {
		u8 code[64], *at = code;
		struct encoder e = {code};
		char text[256];

		x86_nops(&e, n);
		while (at < e.at && disassemble(at, e.at, text, sizeof(text)) &&
		       !strncmp(text, "nop", 3))
			at += disassemble(at, e.at, text, sizeof(text));
		failures += at != code + n;
	}
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(widths); i++) {
		u32 width = widths[i];

		each_operand(check_alu, width);
		each_operand(check_test, width);
		each_operand(check_unary, width);
		each_operand(check_moves, width);
		each_memory(check_atomics, width);
		if (width > 8)
			each_memory(check_movbe, width);
		if (width < 32)
			continue;
		each_operand(check_wide, width);
		each_operand(check_cmov, width);
		each_operand(check_bmi, width);
		each_operand(check_counts, width);
	}
	each_operand(check_flow_operand, 64);
	check_register_moves();
	check_flow();
	printf("%u instructions, %u wrong\n", checked, failures);
	return failures != 0;
}
