/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments of USDT probes: operands of the assembler, as the compiler wrote them.
 *
 *	SIZE@OPERAND, SIZE one of 1, 2, 4, 8, negative where the value is signed
 *	x86-64:  $5  %rax  -8(%rbp)  16(%rax,%rbx,8)
 *	aarch64: 5  x0  w0  sp  [x0]  [sp, 16]
 *
 * Registers become offsets in the struct pt_regs that a uprobe's program is given.
 */
#include "kern/usdt_args.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* ---- registers ---- */

/* In the order of struct pt_regs; the rows are the names for 8, 4, 2 and 1 bytes. */
static const char *const x86_names[][4] = {
	{"r15", "r15d", "r15w", "r15b"},
	{"r14", "r14d", "r14w", "r14b"},
	{"r13", "r13d", "r13w", "r13b"},
	{"r12", "r12d", "r12w", "r12b"},
	{"rbp", "ebp", "bp", "bpl"},
	{"rbx", "ebx", "bx", "bl"},
	{"r11", "r11d", "r11w", "r11b"},
	{"r10", "r10d", "r10w", "r10b"},
	{"r9", "r9d", "r9w", "r9b"},
	{"r8", "r8d", "r8w", "r8b"},
	{"rax", "eax", "ax", "al"},
	{"rcx", "ecx", "cx", "cl"},
	{"rdx", "edx", "dx", "dl"},
	{"rsi", "esi", "si", "sil"},
	{"rdi", "edi", "di", "dil"},
	{""}, /* orig_rax */
	{"rip", "eip"},
	{""}, /* cs */
	{""}, /* flags */
	{"rsp", "esp", "sp", "spl"},
};

static int x86_reg(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(x86_names); i++) {
		for (size_t size = 0; size < 4; size++) {
			const char *is = x86_names[i][size];

			if (is && *is && strlen(is) == len && !memcmp(is, name, len))
				return (int)(i * sizeof(u64));
		}
	}
	return -1;
}

static int arm_reg(const char *name, size_t len)
{
	char *end;
	unsigned long n;

	if (len == 2 && !memcmp(name, "sp", 2))
		return 31 * sizeof(u64);
	if (len < 2 || len > 3 || (*name != 'x' && *name != 'w') || name[1] < '0' ||
	    name[1] > '9')
		return -1;
	n = strtoul(name + 1, &end, 10);
	return end == name + len && n < 31 ? (int)(n * sizeof(u64)) : -1;
}

/* ---- operands ---- */

/* A text that is eaten from the left; every function takes what it names or nothing. */
struct operand {
	const char *at;
	struct usdt_arg *arg;
};

static bool take(struct operand *o, char c)
{
	if (*o->at != c)
		return false;
	o->at++;
	return true;
}

static bool take_number(struct operand *o, u64 *number)
{
	char *end;

	if (!strchr("-0123456789", *o->at) || !*o->at)
		return false;
	errno = 0;
	*number = *o->at == '-' ? (u64)strtoll(o->at, &end, 0)
				: (u64)strtoull(o->at, &end, 0);
	if (end == o->at || errno)
		return false;
	o->at = end;
	return true;
}

static bool take_reg(struct operand *o, int (*find)(const char *, size_t), int *reg)
{
	size_t len = strspn(o->at, "abcdefghijklmnopqrstuvwxyz0123456789");

	*reg = find(o->at, len);
	if (*reg < 0)
		return false;
	o->at += len;
	return true;
}

static bool at_end(const struct operand *o)
{
	return !*o->at || *o->at == ' ';
}

/* ",%rbx,8)": what follows the base in an address of x86. */
static bool x86_index(struct operand *o)
{
	u64 scale = 1;
	int index;

	if (!take(o, ',') || !take(o, '%') || !take_reg(o, x86_reg, &index))
		return false;
	if (take(o, ',') && !take_number(o, &scale))
		return false;
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return false;
	o->arg->type = USDT_SIB | (u32)index << USDT_INDEX_SHIFT |
		       (u32)__builtin_ctzll(scale) << USDT_SCALE_SHIFT;
	return take(o, ')');
}

static bool x86_operand(struct operand *o)
{
	int reg;

	if (take(o, '$')) {
		o->arg->type = USDT_CONST;
		return take_number(o, &o->arg->value);
	}
	if (take(o, '%')) {
		o->arg->type = USDT_REG;
		if (!take_reg(o, x86_reg, &reg))
			return false;
		o->arg->reg = (s16)reg;
		return true;
	}
	o->arg->type = USDT_REG_DEREF;
	take_number(o, &o->arg->value);
	if (!take(o, '(') || !take(o, '%') || !take_reg(o, x86_reg, &reg))
		return false;
	o->arg->reg = (s16)reg;
	return take(o, ')') || x86_index(o);
}

static bool arm_operand(struct operand *o)
{
	int reg;

	if (take_number(o, &o->arg->value)) {
		o->arg->type = USDT_CONST;
		return true;
	}
	o->arg->type = take(o, '[') ? USDT_REG_DEREF : USDT_REG;
	if (!take_reg(o, arm_reg, &reg))
		return false;
	o->arg->reg = (s16)reg;
	if (o->arg->type == USDT_REG)
		return true;
	if (take(o, ',')) {
		take(o, ' ');
		if (!take_number(o, &o->arg->value))
			return false;
	}
	return take(o, ']');
}

/* ---- arguments ---- */

static bool take_size(struct operand *o)
{
	bool is_signed = take(o, '-');
	u64 size;

	if (!take_number(o, &size) || !take(o, '@'))
		return false;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	o->arg->is_signed = is_signed;
	o->arg->shift = (u8)(64 - size * 8);
	return true;
}

static bool take_argument(struct operand *o, u16 machine)
{
	if (!take_size(o))
		return false;
	return (machine == EM_X86_64 ? x86_operand(o) : arm_operand(o)) && at_end(o);
}

int usdt_parse_args(const char *text, u16 machine, struct usdt_spec *spec,
		    struct skep_diag *diag)
{
	struct operand o = {.at = text};

	if (machine != EM_X86_64 && machine != EM_AARCH64)
		return fail(diag, USDT_MACHINE, NO_PC, machine);
	memset(spec, 0, sizeof(*spec));
	for (;;) {
		const char *start;

		while (take(&o, ' '))
			;
		if (!*o.at)
			return 0;
		if (spec->n_args == USDT_ARGS)
			return fail(diag, USDT_ARGUMENTS, NO_PC, USDT_ARGS);
		o.arg = &spec->args[spec->n_args++];
		start = o.at;
		if (!take_argument(&o, machine))
			return fail(diag, USDT_ARGUMENT, NO_PC, spec->n_args, start);
	}
}
