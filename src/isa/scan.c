/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words, registers and numbers of one statement.  Numbers are expressions in 64 bits with
 * C's operators and precedence, the constants are the caller's.  Never reads beyond the
 * statement, never allocates.
 */
#include "isa/scan.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"

enum { MAX_DEPTH = 32 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
	       c == '$';
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '@';
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
}

bool scan_end(struct scan *s)
{
	skip_blanks(s);
	return s->p == s->end;
}

static int scan_column(struct scan *s)
{
	skip_blanks(s);
	return (int)(s->p - s->line_start) + 1;
}

int scan_at(struct scan *s, int err)
{
	diag_at_line(s->diag, s->file ? s->file : "", (int)s->line);
	return err;
}

int scan_expected(struct scan *s, const char *what)
{
	char found[24];
	size_t n = 0;
	int column = scan_column(s), err;

	for (const char *p = s->p; p < s->end && n < sizeof(found) - 1; p++)
		found[n++] = *p >= ' ' && *p <= '~' ? *p : '?';
	found[n] = 0;
	if (n)
		err = fail(s->diag, ASM_EXPECTED, NO_PC, column, what, found);
	else
		err = fail(s->diag, ASM_INCOMPLETE, NO_PC, column, what);
	return scan_at(s, err);
}

bool scan_accept(struct scan *s, const char *punctuation)
{
	size_t n = strlen(punctuation);

	skip_blanks(s);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, punctuation, n))
		return false;
	s->p += n;
	return true;
}

int scan_expect(struct scan *s, const char *punctuation)
{
	char quoted[16] = "'";

	if (scan_accept(s, punctuation))
		return 0;
	strncat(quoted, punctuation, sizeof(quoted) - 3);
	strcat(quoted, "'");
	return scan_expected(s, quoted);
}

int scan_expect_end(struct scan *s)
{
	return scan_end(s) ? 0 : scan_expected(s, "the end of the statement");
}

static size_t word_length(struct scan *s)
{
	const char *p;

	skip_blanks(s);
	p = s->p;
	if (p < s->end && is_word_start(*p))
		while (p < s->end && is_word(*p))
			p++;
	return (size_t)(p - s->p);
}

bool scan_next_is_word(struct scan *s)
{
	return word_length(s) > 0;
}

bool scan_word(struct scan *s, char word[MAX_WORD])
{
	size_t n = word_length(s);

	if (!n || n >= MAX_WORD)
		return false;
	memcpy(word, s->p, n);
	word[n] = 0;
	s->p += n;
	return true;
}

bool scan_accept_word(struct scan *s, const char *word)
{
	size_t n = word_length(s);

	if (n != strlen(word) || memcmp(s->p, word, n))
		return false;
	s->p += n;
	return true;
}

bool scan_reg(struct scan *s, struct scan_reg *reg)
{
	size_t n = word_length(s);
	char letter = n ? s->p[0] | 0x20 : 0;
	u8 number;

	if (n < 2 || n > 3 || (letter != 'r' && letter != 'w') || !is_digit(s->p[1]))
		return false;
	number = s->p[1] - '0';
	if (n == 3 && (s->p[1] != '1' || s->p[2] != '0'))
		return false;
	if (n == 3)
		number = R10;
	s->p += n;
	*reg = (struct scan_reg){number, letter == 'w'};
	return true;
}

bool scan_next_is_reg(const struct scan *s, struct scan_reg *reg)
{
	struct scan here = *s;

	return scan_reg(&here, reg);
}

static int digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

static unsigned scan_base(struct scan *s)
{
	char c;

	if (s->end - s->p < 2 || *s->p != '0')
		return 10;
	c = s->p[1] | 0x20;
	if (c == 'x' || c == 'b')
		s->p += 2;
	return c == 'x' ? 16 : c == 'b' ? 2 : is_digit(c) ? 8 : 10;
}

static int scan_digits(struct scan *s, u64 *value)
{
	unsigned base = scan_base(s), n = 0;

	*value = 0;
	for (; s->p < s->end && is_word(*s->p); s->p++, n++) {
		unsigned digit = (unsigned)digit_value(*s->p);

		if (digit >= base)
			return scan_expected(s, "a digit");
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return scan_expected(s, "a number of at most 64 bits");
	}
	return n ? 0 : scan_expected(s, "a digit");
}

static int escape_value(char c)
{
	switch (c) {
	case 'n': return '\n';
	case 't': return '\t';
	case 'r': return '\r';
	case '0': return 0;
	case '\\':
	case '\'':
	case '"': return c;
	default: return -1;
	}
}

/* One character of a string or of 'c', escaped or not. */
static int scan_char(struct scan *s, char *c)
{
	int value;

	if (s->p == s->end)
		return scan_expected(s, "a character");
	*c = *s->p++;
	if (*c != '\\')
		return 0;
	if (s->end - s->p >= 3 && *s->p == 'x' && digit_value(s->p[1]) < 16 &&
	    digit_value(s->p[2]) < 16) {
		*c = (char)(digit_value(s->p[1]) << 4 | digit_value(s->p[2]));
		s->p += 3;
		return 0;
	}
	value = s->p < s->end ? escape_value(*s->p) : -1;
	if (value < 0)
		return scan_expected(s, "one of the escapes \\n \\t \\r \\0 \\xHH");
	*c = (char)value;
	s->p++;
	return 0;
}

int scan_string(struct scan *s, char *out, size_t size, size_t *len)
{
	if (!scan_accept(s, "\""))
		return scan_expected(s, "a string in quotes");
	*len = 0;
	while (s->p < s->end && *s->p != '"') {
		char c;
		int err = scan_char(s, &c);

		if (err)
			return err;
		if (*len == size)
			return scan_expected(s, "a shorter string");
		out[(*len)++] = c;
	}
	return scan_expect(s, "\"");
}

static int scan_constant(struct scan *s, u64 *value)
{
	const char *start = s->p;
	char name[MAX_WORD];
	s64 number;

	if (scan_word(s, name) && s->names &&
	    s->names->find(s->names->ctx, ASM_CONSTANT, name, &number)) {
		*value = (u64)number;
		return 0;
	}
	s->p = start;
	return scan_expected(s, "a number");
}

static int scan_expression(struct scan *s, int level, u64 *value);

static int scan_primary(struct scan *s, u64 *value)
{
	char c = 0;
	int err;

	if (scan_accept(s, "(")) {
		err = scan_expression(s, 0, value);
		return err ? err : scan_expect(s, ")");
	}
	if (scan_accept(s, "'")) {
		err = scan_char(s, &c);
		*value = (u8)c;
		return err ? err : scan_expect(s, "'");
	}
	if (s->p < s->end && is_digit(*s->p))
		return scan_digits(s, value);
	return scan_constant(s, value);
}

static int scan_unary(struct scan *s, u64 *value)
{
	char sign = scan_accept(s, "-") ? '-' : scan_accept(s, "~") ? '~' : 0;
	int err;

	if (s->depth == MAX_DEPTH)
		return scan_expected(s, "fewer parentheses and signs");
	s->depth++;
	if (sign || scan_accept(s, "+"))
		err = scan_unary(s, value);
	else
		err = scan_primary(s, value);
	s->depth--;
	if (!err && sign)
		*value = sign == '-' ? 0 - *value : ~*value;
	return err;
}

/* In the order in which they are tried; the higher level binds tighter. */
static const struct operator
{
	const char *text;
	int level;
}
operators[] = {
	{"<<", 3}, {">>", 3}, {"*", 5}, {"/", 5}, {"%", 5},
	{"+", 4},  {"-", 4},  {"&", 2}, {"^", 1}, {"|", 0},
};

static const struct operator* accept_operator(struct scan *s, int level)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (operators[i].level >= level && scan_accept(s, operators[i].text))
			return &operators[i];
	return NULL;
}

static u64 divide(char op, u64 a, u64 b)
{
	if (b == ~0ull)
		return op == '/' ? 0 - a : 0;
	return (u64)(op == '/' ? (s64)a / (s64)b : (s64)a % (s64)b);
}

static u64 apply(char op, u64 a, u64 b)
{
	switch (op) {
	case '*': return a * b;
	case '+': return a + b;
	case '-': return a - b;
	case '<': return b < 64 ? a << b : 0;
	case '>': return b < 64 ? a >> b : 0;
	case '&': return a & b;
	case '^': return a ^ b;
	case '|': return a | b;
	default: return divide(op, a, b);
	}
}

static int scan_expression(struct scan *s, int level, u64 *value)
{
	const struct operator* op;
	int err = scan_unary(s, value);

	while (!err && (op = accept_operator(s, level))) {
		char c = op->text[0];
		u64 right;

		err = scan_expression(s, op->level + 1, &right);
		if (err)
			return err;
		if (!right && (c == '/' || c == '%'))
			return scan_expected(s, "a divisor that is not zero");
		*value = apply(c, *value, right);
	}
	return err;
}

int scan_number(struct scan *s, s64 *value)
{
	u64 number = 0;
	int err = scan_expression(s, 0, &number);

	*value = (s64)number;
	return err;
}

int scan_number_in(struct scan *s, s64 min, s64 max, s64 *value)
{
	struct scan start;
	char what[64];
	int err;

	skip_blanks(s);
	start = *s;
	err = scan_number(s, value);
	if (err || (*value >= min && *value <= max))
		return err;
	*s = start;
	snprintf(what, sizeof(what), "a number from %lld to %lld", (long long)min,
		 (long long)max);
	return scan_expected(s, what);
}
