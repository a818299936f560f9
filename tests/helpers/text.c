/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text agrees with Linux: formats, refusals, where strings are cut; numbers and
 * comparisons.
 */
#include <stdlib.h>

#include "check.h"
#include "oracle.h"

/* The memory of a case: what helpers write, arguments, strings, addresses, formats. */
enum { OUT = 0, ARGS = 1024, STRINGS = 1280, FORMAT = 2048, NUMBER_OUT = 3000 };

static struct oracle_arg number(u64 n)
{
	return (struct oracle_arg){NUMBER, n};
}

static struct oracle_arg memory(u64 n)
{
	return (struct oracle_arg){MEMORY, n};
}

static u64 some_number(void)
{
	return (u64)PICK(0, 1, -1, 10, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
			 0x123456789abcdef, 0xdeadbeef, 'A', -4095, -4096);
}

/* Specifiers that Linux prints while it copies the arguments: behind the end of the
 * destination it forgets to count them, and takes what follows for something else. */
static bool counts_wrong(const char *spec)
{
	return spec[0] == 'p' && spec[1] && strchr("kuBiI", spec[1]);
}

/* Prints the specifier and chooses its argument; ours and Linux's hash of %p differ, so
 * that is printed for what is not hashed.  cut: the text may not fit. */
static void add_spec(struct oracle_case *c, char *fmt, u32 i, bool cut)
{
	static const char *const flags[] = {"",  "",  "",   "-",  "0",
					    "+", " ", "-0", "+0", "0+ "};
	static const char *const widths[] = {"", "", "", "1", "3", "12", "20", "33"};
	static const char *const specs[] = {
		"d",   "i",  "u",   "x",   "X",   "ld",  "lu",   "lx",     "lld", "llu",
		"llX", "c",  "s",   "s",   "pks", "p",   "px",   "pxyz",   "pK",  "pB",
		"ps",  "pS", "pi4", "pI4", "pi6", "pI6", "pI6c", "pI4abc", "pks"};
	struct oracle_call *call = &c->calls[0];
	const char *spec;

	do
		spec = specs[pick(ARRAY_SIZE(specs))];
	while (cut && counts_wrong(spec));

	bool address = spec[0] == 's' || !strcmp(spec, "pks") || spec[1] == 'i' ||
		       spec[1] == 'I';
	u64 value = some_number();

	if (!strcmp(spec, "p") || !strcmp(spec, "pK"))
		value = 0;
	if (spec[0] == 'p' && spec[1] && strchr("BsS", spec[1]))
		value = (u64)PICK(0x1000, 0x7fff12345678);
	store_u64(c->memory + ARGS + 8 * i, value);
	if (address && pick(8))
		call->pointers[call->n_pointers++] =
			(struct oracle_pointer){ARGS + 8 * i, STRINGS + pick(700)};
	else if (address)
		store_u64(c->memory + ARGS + 8 * i, (u64)PICK(0, 1, 0xfff));
	sprintf(fmt + strlen(fmt), "%%%s%s%s", flags[pick(ARRAY_SIZE(flags))],
		widths[pick(ARRAY_SIZE(widths))], spec);
}

static void make_format(struct oracle_case *c, char *fmt, u32 n, bool cut)
{
	static const char *const between[] = {"",   " ", ", ", "abc ", "%%",
					      "\n", ".", "é ", "["};

	fmt[0] = 0;
	for (u32 i = 0; i < n; i++) {
		strcat(fmt, between[pick(ARRAY_SIZE(between))]);
		add_spec(c, fmt, i, cut);
		strcat(fmt, between[1 + pick(2)]);
	}
}

static void fill_strings(struct oracle_case *c)
{
	memset(c->memory, 0, sizeof(c->memory));
	for (u32 i = 0; i < 740; i++)
		c->memory[STRINGS + i] =
			(u8)(pick(pick(3) ? 20 : 200) ? 'a' + pick(26) : 0);
}

static void start_case(struct oracle_case *c)
{
	memset(c, 0, sizeof(*c));
	c->type = BPF_PROG_TYPE_SCHED_CLS;
	c->packet_len = 64;
	c->n_calls = 1;
	fill_strings(c);
}

static void snprintf_agrees(void)
{
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];
	u32 n = pick(6), size = (u32)PICK(1, 2, 10, 60, 500, 1000);

	start_case(&c);
	make_format(&c, c.text, n, size < 900);
	call->helper = BPF_FUNC_snprintf;
	call->args[0] = memory(OUT);
	call->args[1] = number(size);
	call->args[2] = (struct oracle_arg){TEXT, 0};
	call->args[3] = n ? memory(ARGS) : number(0);
	call->args[4] = number(8 * n);
	CHECK(oracle_agrees(&c));
}

/* Without a destination, only the length is told. */
static void snprintf_measures(void)
{
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];

	start_case(&c);
	strcpy(c.text, "%d %9999d");
	call->helper = BPF_FUNC_snprintf;
	call->args[2] = (struct oracle_arg){TEXT, 0};
	call->args[3] = memory(ARGS);
	call->args[4] = number(16);
	CHECK(oracle_agrees(&c));
}

/* trace_vprintk looks at the format when it runs: what it refuses, and the length. */
static void trace_vprintk_agrees(void)
{
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];
	char *fmt = (char *)c.memory + FORMAT;
	u32 n = pick(5);

	start_case(&c);
	make_format(&c, fmt, n, false);
	for (u32 i = pick(3); i && fmt[0]; i--) {
		static const char bad[] = "%dlshzc*#.5k\x01\x80\xa0\xc3\x7f";

		fmt[pick((u32)strlen(fmt))] = bad[pick(sizeof(bad))];
		/* what printed a string may print an address now, and addresses and
		 * their hashes differ */
		call->n_pointers = 0;
		memset(c.memory + ARGS, 0, 64);
	}
	call->helper = BPF_FUNC_trace_vprintk;
	call->args[0] = memory(FORMAT);
	call->args[1] =
		number(pick(8) ? strlen(fmt) + 1 : 1 + pick((u32)strlen(fmt) + 1));
	call->args[2] = n ? memory(ARGS) : number(0);
	call->args[3] = number(8 * n + (pick(10) ? 0 : n ? 4 : 0));
	if (pick(10) && n > 1)
		call->args[3].n -= 8 * pick(2);
	CHECK(oracle_agrees(&c));
}

static void trace_printk_agrees(void)
{
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];
	char *fmt = (char *)c.memory + FORMAT;

	start_case(&c);
	make_format(&c, fmt, pick(5), false);
	call->n_pointers = 0;
	call->helper = BPF_FUNC_trace_printk;
	call->args[0] = memory(FORMAT);
	call->args[1] = number(strlen(fmt) + 1);
	for (u32 i = 2; i < 5; i++)
		call->args[i] = pick(2) ? number(0) : memory(STRINGS + pick(700));
	/* addresses and their hashes differ in length */
	if (strpbrk(fmt, "dxuipBSX"))
		for (u32 i = 2; i < 5; i++)
			call->args[i] = number(0);
	CHECK(oracle_agrees(&c));
}

static void make_digits(u8 *at, u32 len)
{
	static const char chars[] = "00112345678999abfFxX- \t\ng";
	u32 i = 0;

	for (u32 n = pick(3); n && i < len; n--)
		at[i++] = (u8)PICK(' ', '\t', 0xa0, '\n');
	if (i < len && !pick(3))
		at[i++] = '-';
	if (i + 1 < len && !pick(3)) {
		at[i++] = '0';
		at[i++] = (u8)PICK('x', 'X', '7');
	}
	for (; i < len; i++)
		at[i] = (u8)(pick(6) ? '0' + pick(10) : (u32)chars[pick(sizeof(chars))]);
}

static void strtol_agrees(void)
{
	static const char *const edges[] = {"9223372036854775807",
					    "9223372036854775808",
					    "-9223372036854775808",
					    "-9223372036854775809",
					    "18446744073709551615",
					    "18446744073709551616",
					    "0xffffffffffffffff",
					    "01777777777777777777777",
					    "-0",
					    "-",
					    "0x",
					    "0xg",
					    ""};
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];
	u32 len = 1 + pick(pick(3) ? 12 : 80);

	start_case(&c);
	make_digits(c.memory + STRINGS, len);
	if (!pick(4)) {
		const char *edge = edges[pick(ARRAY_SIZE(edges))];

		len = (u32)strlen(edge) + 1;
		memcpy(c.memory + STRINGS, edge, len);
	}
	call->helper = pick(2) ? BPF_FUNC_strtol : BPF_FUNC_strtoul;
	call->args[0] = memory(STRINGS);
	call->args[1] = number(len);
	call->args[2] = number((u64)PICK(0, 8, 10, 16, 0, 10, 7, 32, 42));
	call->args[3] = memory(NUMBER_OUT);
	store_u64(c.memory + NUMBER_OUT, 77);
	CHECK(oracle_agrees(&c));
}

static void strncmp_agrees(void)
{
	static struct oracle_case c;
	struct oracle_call *call = &c.calls[0];
	u32 len = 1 + pick(10);

	start_case(&c);
	for (u32 i = 0; i < len; i++)
		c.text[i] = (char)PICK('a', 'a', 'b', 0x80);
	memcpy(c.memory + STRINGS, c.text, len);
	if (pick(2))
		c.memory[STRINGS + pick(len)] = (u8)PICK('a', 0, 0xff);
	call->helper = BPF_FUNC_strncmp;
	call->args[0] = memory(STRINGS);
	call->args[1] = number(1 + pick(12));
	call->args[2] = (struct oracle_arg){TEXT, 0};
	CHECK(oracle_agrees(&c));
}

int main(int argc, char **argv)
{
	static void (*const tests[])(void) = {
		snprintf_agrees,     snprintf_agrees, trace_vprintk_agrees,
		trace_printk_agrees, strtol_agrees,   strncmp_agrees,
		snprintf_measures,
	};
	int rounds = argc > 1 ? atoi(argv[1]) : 1500;

	oracle_or_skip();
	for (int i = 0; i < rounds && check_failed < 10; i++)
		tests[(u32)i % ARRAY_SIZE(tests)]();
	return check_report();
}
