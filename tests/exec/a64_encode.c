/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of exec/jit/aarch64/encode.c are what their names say: each is disassembled
 *by binutils and compared with the text that it stands for.
 *
 *	test-a64-encode WORDS TEXT	writes the words, and the text a line each
 *
 * a64_encode.sh calls it and objdump, and compares.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec/jit/aarch64/encode.h"

static FILE *words, *text;

__attribute__((format(printf, 2, 3))) static void is(u32 word, const char *format, ...)
{
	va_list args;

	fwrite(&word, sizeof(word), 1, words);
	va_start(args, format);
	vfprintf(text, format, args);
	va_end(args);
	fputc('\n', text);
}

/* Register names; a ring of buffers, so that one line may have several. */
static const char *named(bool wide, u32 number, const char *thirty_one)
{
	static char names[64][8];
	static u32 next;
	char *name = names[next++ % 64];

	if (number == 31)
		snprintf(name, sizeof(names[0]), wide ? "%s" : "w%s", thirty_one);
	else
		snprintf(name, sizeof(names[0]), "%c%u", wide ? 'x' : 'w', number);
	return name;
}

static const char *reg(bool wide, u32 number)
{
	return number == 31 ? (wide ? "xzr" : "wzr") : named(wide, number, "");
}

static const char *reg_sp(bool wide, u32 number)
{
	return named(wide, number, "sp");
}

static const u8 some[] = {0, 1, 9, 17, 29, 30};
static const struct {
	enum a64_rrr op;
	const char *name;
} rrr[] = {
	{A64_ADD, "add"},   {A64_ADDS, "adds"}, {A64_SUB, "sub"},   {A64_SUBS, "subs"},
	{A64_AND, "and"},   {A64_BIC, "bic"},   {A64_ORR, "orr"},   {A64_ORN, "orn"},
	{A64_EOR, "eor"},   {A64_EON, "eon"},   {A64_ANDS, "ands"}, {A64_UDIV, "udiv"},
	{A64_SDIV, "sdiv"}, {A64_LSLV, "lslv"}, {A64_LSRV, "lsrv"}, {A64_ASRV, "asrv"},
	{A64_RORV, "rorv"},
};
static const char *const shifts[] = {"lsl", "lsr", "asr", "ror"};

static void three_registers(struct a64_regs r)
{
	bool w = r.wide;

	for (u32 i = 0; i < ARRAY_SIZE(rrr); i++) {
		const char *d = reg(w, r.rd), *n = reg(w, r.rn), *m = reg(w, r.rm);

		is(a64_rrr(rrr[i].op, r), "%s %s, %s, %s", rrr[i].name, d, n, m);
		if (rrr[i].op == A64_UDIV)
			break;
		for (u32 shift = A64_LSL; shift <= A64_ROR; shift++) {
			if (shift == A64_ROR && i < 4)
				break; /* no such ADD, SUB */
			is(a64_rrr_shifted(rrr[i].op, r, shift, 13),
			   "%s %s, %s, %s, %s #13", rrr[i].name, d, n, m, shifts[shift]);
		}
	}
	for (u32 i = 11; i < ARRAY_SIZE(rrr); i++)
		is(a64_rrr(rrr[i].op, r), "%s %s, %s, %s", rrr[i].name, reg(w, r.rd),
		   reg(w, r.rn), reg(w, r.rm));
	is(a64_madd(r, 5), "madd %s, %s, %s, %s", reg(w, r.rd), reg(w, r.rn),
	   reg(w, r.rm), reg(w, 5));
	is(a64_msub(r, 31), "msub %s, %s, %s, %s", reg(w, r.rd), reg(w, r.rn),
	   reg(w, r.rm), reg(w, 31));
	is(a64_csel(r, A64_LS), "csel %s, %s, %s, ls", reg(w, r.rd), reg(w, r.rn),
	   reg(w, r.rm));
	is(a64_csinc(r, A64_MI), "csinc %s, %s, %s, mi", reg(w, r.rd), reg(w, r.rn),
	   reg(w, r.rm));
	is(a64_umulh(r.rd, r.rn, r.rm), "umulh %s, %s, %s", reg(true, r.rd),
	   reg(true, r.rn), reg(true, r.rm));
	is(a64_smulh(r.rd, r.rn, r.rm), "smulh %s, %s, %s", reg(true, r.rd),
	   reg(true, r.rn), reg(true, r.rm));
}

static void two_registers(struct a64_regs r)
{
	bool w = r.wide;
	u32 top = w ? 63 : 31;
	const char *d = reg(w, r.rd), *n = reg(w, r.rn);

	for (u32 i = 0; i < 4; i++) {
		is(a64_add_imm(rrr[i].op, r, 4095), "%s %s, %s, #0xfff", rrr[i].name,
		   i & 1 ? d : reg_sp(w, r.rd), reg_sp(w, r.rn));
		is(a64_add_imm(rrr[i].op, r, 0x123000), "%s %s, %s, #0x123, lsl #12",
		   rrr[i].name, i & 1 ? d : reg_sp(w, r.rd), reg_sp(w, r.rn));
	}
	is(a64_ubfx(r, 3, 7), "ubfm %s, %s, #3, #9", d, n);
	is(a64_sbfx(r, 0, 8), "sbfm %s, %s, #0, #7", d, n);
	is(a64_ubfiz(r, 4, 8), "ubfm %s, %s, #%u, #7", d, n, top - 3);
	is(a64_shift_imm(A64_LSL, r, 5), "ubfm %s, %s, #%u, #%u", d, n, top - 4, top - 5);
	is(a64_shift_imm(A64_LSL, r, 0), "ubfm %s, %s, #0, #%u", d, n, top);
	is(a64_shift_imm(A64_LSR, r, 31), "ubfm %s, %s, #31, #%u", d, n, top);
	is(a64_shift_imm(A64_ASR, r, 9), "sbfm %s, %s, #9, #%u", d, n, top);
	is(a64_shift_imm(A64_ROR, r, 7), "extr %s, %s, %s, #7", d, n, n);
	is(a64_rev(r), "rev %s, %s", d, n);
	is(a64_clz(r), "clz %s, %s", d, n);
	is(a64_rev16(r), "rev16 %s, %s", d, n);
	is(a64_cset(w, r.rd, A64_HI), "csinc %s, %s, %s, ls", d, reg(w, 31), reg(w, 31));
	is(a64_movz(w, r.rd, 0xabcd, 1), "movz %s, #0xabcd, lsl #16", d);
	is(a64_movn(w, r.rd, 0x12, 0), "movn %s, #0x12", d);
	is(a64_movk(w, r.rd, 0x7, w ? 3 : 1), "movk %s, #0x7, lsl #%u", d, w ? 48 : 16);
}

static void accesses(struct a64_regs r, u32 width)
{
	static const char *const names[] = {"strb", "strh", "str", "str",
					    "ldrb", "ldrh", "ldr", "ldr"};
	static const char *const near_names[] = {"sturb", "sturh", "stur", "stur",
						 "ldurb", "ldurh", "ldur", "ldur"};
	static const char *const extended[] = {"b", "h", "w"};
	u32 log2 = (u32)__builtin_ctz(width / 8);
	bool wide = width == 64;
	const char *n = reg_sp(true, r.rn), *t = reg(wide, r.rd), *m = reg(true, r.rm);

	for (u32 load = 0; load < 2; load++) {
		struct a64_access access = {(u8)width, load, false};
		const char *name = names[load * 4 + log2];

		is(a64_access_imm(access, r.rd, r.rn, 4095 * (s32)width / 8),
		   "%s %s, [%s, #%u]", name, t, n, 4095 * width / 8);
		is(a64_access_imm(access, r.rd, r.rn, -256), "%s %s, [%s, #-256]",
		   near_names[load * 4 + log2], t, n);
		is(a64_access_reg(access, r, false), "%s %s, [%s, %s]", name, t, n, m);
		if (width > 8)
			is(a64_access_reg(access, r, true), "%s %s, [%s, %s, lsl #%u]",
			   name, t, n, m, log2);
	}
	if (width < 64) {
		struct a64_access access = {(u8)width, true, true};

		is(a64_access_imm(access, r.rd, r.rn, 2 * (s32)width),
		   "ldrs%s %s, [%s, #%u]", extended[log2], reg(true, r.rd), n, 2 * width);
		is(a64_access_reg(access, r, false), "ldrs%s %s, [%s, %s]",
		   extended[log2], reg(true, r.rd), n, m);
	}
}

static void ordered(struct a64_regs r, u32 width)
{
	static const char *const suffixes[] = {"b", "h", "", ""};
	const char *suffix = suffixes[__builtin_ctz(width / 8)];
	const char *n = reg_sp(true, r.rn), *d = reg(width == 64, r.rd),
		   *m = reg(width == 64, r.rm), *status = reg(false, r.rm);

	is(a64_ordered(A64_LDAR, width, r), "ldar%s %s, [%s]", suffix, d, n);
	is(a64_ordered(A64_STLR, width, r), "stlr%s %s, [%s]", suffix, d, n);
	is(a64_ordered(A64_LDXR, width, r), "ldxr%s %s, [%s]", suffix, d, n);
	is(a64_ordered(A64_LDAXR, width, r), "ldaxr%s %s, [%s]", suffix, d, n);
	is(a64_ordered(A64_STXR, width, r), "stxr%s %s, %s, [%s]", suffix, status, d, n);
	is(a64_ordered(A64_STLXR, width, r), "stlxr%s %s, %s, [%s]", suffix, status, d,
	   n);
	is(a64_lse(A64_LDADD, width, r, true), "ldaddal%s %s, %s, [%s]", suffix, m, d, n);
	is(a64_lse(A64_LDCLR, width, r, true), "ldclral%s %s, %s, [%s]", suffix, m, d, n);
	is(a64_lse(A64_LDEOR, width, r, false), "ldeor%s %s, %s, [%s]", suffix, m, d, n);
	is(a64_lse(A64_LDSET, width, r, false), "ldset%s %s, %s, [%s]", suffix, m, d, n);
	is(a64_lse(A64_SWP, width, r, true), "swpal%s %s, %s, [%s]", suffix, m, d, n);
	is(a64_casal(width, r), "casal%s %s, %s, [%s]", suffix, d, m, n);
}

static void logical(u64 value, bool wide)
{
	struct a64_regs r = {wide, 3, 4, 0};

	if (!a64_fits_logical(value, wide))
		return;
	if (!wide)
		value = (u32)value;
	is(a64_logical_imm(A64_AND, r, value), "and %s, %s, #0x%llx", reg(wide, 3),
	   reg(wide, 4), (unsigned long long)value);
	is(a64_logical_imm(A64_EOR, r, value), "eor %s, %s, #0x%llx", reg(wide, 3),
	   reg(wide, 4), (unsigned long long)value);
	is(a64_logical_imm(A64_ANDS, r, value), "ands %s, %s, #0x%llx", reg(wide, 3),
	   reg(wide, 4), (unsigned long long)value);
}

/* Every value that there is: a run of ones of each length in elements of each size. */
static u32 all_logical(void)
{
	u32 n = 0;

	for (u32 size = 2; size <= 64; size *= 2) {
		for (u32 ones = 1; ones < size; ones++) {
			for (u32 turn = 0; turn < size; turn++) {
				u64 element = ((u64)1 << ones) - 1, value = 0;

				element =
					turn ? element << turn | element >> (size - turn)
					     : element;
				if (size < 64)
					element &= ((u64)1 << size) - 1;
				for (u32 at = 0; at < 64; at += size)
					value |= element << at;
				if (!a64_fits_logical(value, true) ||
				    (size < 64 && !a64_fits_logical(value, false)))
					fprintf(stderr, "%#llx is a value, too\n",
						(unsigned long long)value);
				else
					n++;
				logical(value, true);
				if (size < 64)
					logical(value, false);
			}
		}
	}
	return n;
}

/* Where objdump says a branch at the next word goes. */
static u64 from_here(s32 distance)
{
	return (u64)(ftell(words) + distance);
}

static void control(void)
{
	unsigned long long to = from_here(0x1000);

	is(a64_b(0x1000), "b 0x%llx", to);
	is(a64_bl(0x2000), "bl 0x%llx", (unsigned long long)from_here(0x2000));
	for (u32 cond = A64_EQ; cond <= A64_LE; cond++) {
		static const char *const conds[] = {"eq", "ne", "cs", "cc", "mi",
						    "pl", "vs", "vc", "hi", "ls",
						    "ge", "lt", "gt", "le"};

		to = from_here(0x40);
		is(a64_b_cond((enum a64_cond)cond, 0x40), "b.%s 0x%llx", conds[cond], to);
	}
	to = from_here(-64);
	is(a64_cbz(true, 7, -64), "cbz x7, 0x%llx", to);
	to = from_here(0xffffc);
	is(a64_cbnz(false, 8, 0xffffc), "cbnz w8, 0x%llx", to);
	to = from_here(0x7ffc);
	is(a64_tbz(9, 33, 0x7ffc), "tbz x9, #33, 0x%llx", to);
	to = from_here(-0x40);
	is(a64_tbnz(9, 5, -0x40), "tbnz w9, #5, 0x%llx", to);
	is(a64_br(16), "br x16");
	is(a64_blr(17), "blr x17");
	is(a64_ret(), "ret");
	to = from_here(0x1003);
	is(a64_adr(3, 0x1003), "adr x3, 0x%llx", to);
	is(a64_nop(), "hint #0x0");
	is(a64_bti(true, false), "hint #0x22");
	is(a64_bti(false, true), "hint #0x24");
	is(a64_dmb_ish(), "dmb ish");
	is(a64_dmb_ishld(), "dmb ishld");
	is(a64_isb(), "isb");
	is(a64_counter(7), "mrs x7, cntvct_el0");
}

static void pairs(struct a64_regs r)
{
	const char *d = reg(true, r.rd), *m = reg(true, r.rm), *n = reg_sp(true, r.rn);

	is(a64_pair(A64_STP, r, -512), "stp %s, %s, [%s, #-512]", d, m, n);
	is(a64_pair(A64_LDP, r, 504), "ldp %s, %s, [%s, #504]", d, m, n);
	is(a64_stp_before(r, -32), "stp %s, %s, [%s, #-32]!", d, m, n);
	is(a64_ldp_after(r, 32), "ldp %s, %s, [%s], #32", d, m, n);
}

int main(int argc, char **argv)
{
	if (argc != 3 || !(words = fopen(argv[1], "wb")) || !(text = fopen(argv[2], "w")))
		return 2;
	for (u32 i = 0; i < ARRAY_SIZE(some); i++) {
		for (u32 wide = 0; wide < 2; wide++) {
			struct a64_regs r = {wide, some[i], some[(i + 1) % 6],
					     some[(i + 2) % 6]};

			three_registers(r);
			two_registers(r);
			r.rd = A64_ZR;
			three_registers(r);
		}
		for (u32 width = 8; width <= 64; width *= 2) {
			struct a64_regs r = {true, some[i], some[(i + 3) % 6],
					     some[(i + 4) % 6]};

			accesses(r, width);
			ordered(r, width);
			r.rn = A64_SP;
			accesses(r, width);
		}
		is(a64_add_uxtw(A64_ADD, (struct a64_regs){true, some[i], A64_SP, 3}, 3),
		   "add %s, sp, w3, uxtw #3", reg(true, some[i]));
		pairs((struct a64_regs){true, some[i], A64_SP, some[(i + 1) % 6]});
	}
	control();
	if (all_logical() != 5334)
		return 1;
	return fclose(words) || fclose(text);
}
