/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the command says.  The rules stand in one place: who is a terminal, what a message
 * looks like, how a table is aligned.
 */
#include "tools/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"

bool is_terminal(FILE *f)
{
	return isatty(fileno(f));
}

static bool wants_colour(FILE *f)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return is_terminal(f) && !(term && !strcmp(term, "dumb"));
}

const char *style_on(FILE *f, enum style style)
{
	static const char *const codes[STYLE_STYLES] = {
		[STYLE_PLAIN] = "",         [STYLE_HEAD] = "\033[2m",
		[STYLE_NAME] = "\033[1m",   [STYLE_DIM] = "\033[2m",
		[STYLE_BAD] = "\033[1;31m",
	};

	return wants_colour(f) ? codes[style] : "";
}

const char *style_off(FILE *f)
{
	return wants_colour(f) ? "\033[0m" : "";
}

void put_clean(FILE *f, const char *s, bool lines)
{
	for (; *s; s++) {
		u8 c = (u8)*s;

		if ((c < 0x20 && !(lines && c == '\n') && c != '\t') || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			putc(c, f);
	}
}

static void put_message(const char *where, const char *what, const char *advice)
{
	fflush(stdout);
	fprintf(stderr, "%sskep:%s ", style_on(stderr, STYLE_BAD), style_off(stderr));
	if (where && *where) {
		put_clean(stderr, where, false);
		fputs(": ", stderr);
	}
	put_clean(stderr, what, true);
	if (advice) {
		fputs(" (", stderr);
		put_clean(stderr, advice, false);
		putc(')', stderr);
	}
	putc('\n', stderr);
}

void say(const char *where, const char *advice, const char *fmt, ...)
{
	struct text what = TEXT_INIT;
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(&what, fmt, ap);
	va_end(ap);
	put_message(where, text_str(&what), advice);
	text_fini(&what);
}

void say_warning(const char *where, const char *fmt, ...)
{
	struct text what = TEXT_INIT;
	va_list ap;

	text_puts(&what, "warning: ");
	va_start(ap, fmt);
	text_vprintf(&what, fmt, ap);
	va_end(ap);
	put_message(where, text_str(&what), NULL);
	text_fini(&what);
}

void say_diag(const struct skep_diag *diag)
{
	struct text where = TEXT_INIT;

	text_puts(&where, diag->where);
	if (diag->insn >= 0)
		text_printf(&where, "%sinstruction %d", where.len ? ": " : "",
			    diag->insn);
	if (diag->line)
		text_printf(&where, "%s%s:%d", where.len ? ": " : "", diag->file,
			    diag->line);
	put_message(text_str(&where), diag->text, diag->advice);
	text_fini(&where);
}

void say_diag_of(const char *name, const struct skep_diag *diag)
{
	struct skep_diag outer = *diag;

	diag_in(&outer, diag->err, "%s", name);
	say_diag(&outer);
}

int refuse(const struct skep_diag *diag, int status)
{
	say_diag(diag);
	if (diag->err == -ENOMEM || diag->err == -EPERM)
		return EXIT_SYSTEM;
	return diag->id == DIAG_BAD_TARGET ? EXIT_USAGE : status;
}

const char *grouped(struct number *n, u64 value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	char *out = n->s;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = 0;
	return n->s;
}

void table_init(struct table *t, const char *const *heads, u32 indent)
{
	*t = (struct table){.indent = indent, .cells = VEC_INIT(char *)};
	while (heads[t->n_columns] && t->n_columns < TABLE_COLUMNS) {
		t->heads[t->n_columns] = heads[t->n_columns];
		t->n_columns++;
	}
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char **cell = vec_push(&t->cells);
	struct text text = TEXT_INIT;
	va_list ap;

	va_start(ap, fmt);
	text_vprintf(&text, fmt, ap);
	va_end(ap);
	if (cell)
		*cell = text.s;
	else
		text_fini(&text);
}

static bool to_the_right(const struct table *t, u32 column)
{
	return t->heads[column][0] == '>';
}

static const char *cell_at(const struct table *t, size_t i)
{
	const char *s = i < t->cells.len ? *(char **)vec_at(&t->cells, i) : NULL;

	return s ? s : "";
}

/* How many places it takes; control characters are printed as \x1b. */
static size_t places(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		u8 c = (u8)*s;

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			n += 4;
		else if ((c & 0xc0) != 0x80)
			n++;
	}
	return n;
}

static void put_cell(const struct table *t, u32 column, const char *s, size_t width)
{
	bool last = column + 1 == t->n_columns, right = to_the_right(t, column);
	size_t pad = width - places(s);

	if (right)
		printf("%*s", (int)pad, "");
	put_clean(stdout, s, false);
	if (!last)
		printf("%*s", (int)(right ? 2 : pad + 2), "");
}

static void put_heads(const struct table *t, const size_t *width)
{
	printf("%*s%s", (int)t->indent, "", style_on(stdout, STYLE_HEAD));
	for (u32 c = 0; c < t->n_columns; c++)
		put_cell(t, c, t->heads[c] + to_the_right(t, c), width[c]);
	printf("%s\n", style_off(stdout));
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->cells.len; i++)
		free(*(char **)vec_at(&t->cells, i));
	vec_fini(&t->cells);
}

void table_print(struct table *t)
{
	size_t width[TABLE_COLUMNS] = {0}, n_rows = t->cells.len / t->n_columns;

	for (u32 c = 0; c < t->n_columns; c++)
		width[c] = places(t->heads[c]) - to_the_right(t, c);
	for (size_t i = 0; i < t->cells.len; i++) {
		size_t *w = &width[i % t->n_columns];

		*w = max_u64(*w, places(cell_at(t, i)));
	}
	if (*t->heads[0])
		put_heads(t, width);
	for (size_t r = 0; r < n_rows; r++) {
		printf("%*s", (int)t->indent, "");
		for (u32 c = 0; c < t->n_columns; c++)
			put_cell(t, c, cell_at(t, r * t->n_columns + c), width[c]);
		putchar('\n');
	}
	table_fini(t);
}
