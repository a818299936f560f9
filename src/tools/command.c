/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line, read by the table of a subcommand.  Options and operands may come in
 * any order; "--" ends the options; "--name=value" and "--name value" are the same.
 * Never does: deciding what an option means.
 */
#include "tools/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tools/out.h"

const struct option_def common_options[OPTION_END - OPTION_JSON] = {
	{"json", 0, NULL, "General", "print JSON, one object a line"},
	{"help", 'h', NULL, "General", "print this help"},
};

/* ---- names that are nearly right ---- */

enum { NEAREST_LEN = 48 };

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) that make b of a. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t rows[3][NEAREST_LEN + 1], *two_ago = rows[0], *ago = rows[1],
					 *now = rows[2];

	if (la > NEAREST_LEN || lb > NEAREST_LEN)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		ago[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *spare = two_ago;

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t change = ago[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = min_of(change, min_of(ago[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = min_of(now[j], two_ago[j - 2] + 1);
		}
		two_ago = ago;
		ago = now;
		now = spare;
	}
	return ago[lb];
}

void nearest_init(struct nearest *n, const char *name)
{
	*n = (struct nearest){.name = name, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t distance = edit_distance(n->name, candidate);

	if (distance < n->distance) {
		n->distance = distance;
		n->best = candidate;
	}
}

const char *nearest_advice(struct nearest *n)
{
	/* half of it may be wrong, but not more than 3 letters */
	if (!n->best || n->distance > 3 || n->distance * 2 > strlen(n->name))
		return NULL;
	snprintf(n->advice, sizeof(n->advice), "was \"%s\" meant?", n->best);
	return n->advice;
}

/* ---- the words of the command line ---- */

static const struct option_def *option_of(const struct command *command, u32 option)
{
	if (option >= OPTION_JSON)
		return &common_options[option - OPTION_JSON];
	return &command->options[option];
}

/* Its number, or -1. */
static int find_option(const struct command *command, const char *name, size_t len)
{
	for (u32 i = 0; i < command->n_options; i++) {
		const char *known = command->options[i].name;

		if (strlen(known) == len && !memcmp(known, name, len))
			return (int)i;
	}
	for (u32 i = OPTION_JSON; i < OPTION_END; i++) {
		const char *known = option_of(command, i)->name;

		if (strlen(known) == len && !memcmp(known, name, len))
			return (int)i;
	}
	return -1;
}

static int find_letter(const struct command *command, char letter)
{
	for (u32 i = 0; i < command->n_options; i++) {
		if (command->options[i].letter == letter)
			return (int)i;
	}
	for (u32 i = OPTION_JSON; i < OPTION_END; i++) {
		if (option_of(command, i)->letter == letter)
			return (int)i;
	}
	return -1;
}

static int vrefuse(const struct command *command, const char *advice, const char *fmt,
		   va_list ap)
{
	char where[32], see[64];
	struct text what = TEXT_INIT;

	snprintf(where, sizeof(where), "%s", command->name);
	snprintf(see, sizeof(see), "see skep %s --help", command->name);
	text_vprintf(&what, fmt, ap);
	say(where, advice ? advice : see, "%s", text_str(&what));
	text_fini(&what);
	return EXIT_USAGE;
}

static int PRINTF_LIKE(3, 4) refuse_word(const struct command *command,
					 const char *advice, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vrefuse(command, advice, fmt, ap);
	va_end(ap);
	return err;
}

int args_refuse(const struct args *args, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vrefuse(args->command, NULL, fmt, ap);
	va_end(ap);
	return err;
}

static int refuse_unknown(const struct command *command, const char *word)
{
	size_t len = strcspn(word + 2, "=");
	struct nearest nearest;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)len, word + 2);
	nearest_init(&nearest, name);
	for (u32 i = 0; i < command->n_options; i++)
		nearest_offer(&nearest, command->options[i].name);
	for (u32 i = OPTION_JSON; i < OPTION_END; i++)
		nearest_offer(&nearest, option_of(command, i)->name);
	if (nearest_advice(&nearest))
		snprintf(nearest.advice, sizeof(nearest.advice), "was \"--%s\" meant?",
			 nearest.best);
	return refuse_word(command, nearest.advice[0] ? nearest.advice : NULL,
			   "there is no option %.*s", (int)len + 2, word);
}

static u32 count_words(const char *s)
{
	u32 n = 0;

	for (bool inside = false; *s; s++) {
		n += !inside && *s != ' ';
		inside = *s != ' ';
	}
	return n;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	while (*choices) {
		size_t n = strcspn(choices, "|");

		if (n == len && !memcmp(choices, value, n))
			return true;
		choices += n + (choices[n] == '|');
	}
	return false;
}

struct words {
	int argc;
	char **argv;
	int at;
};

/* The values of option `n`; `attached` is what stood behind the "=". */
static int take_values(struct args *args, u32 n, const char *attached, struct words *w)
{
	const struct option_def *option = option_of(args->command, n);
	u32 want = option->arg ? count_words(option->arg) : 0;
	struct given *given = vec_push(&args->given);

	if (!given)
		return refuse_word(args->command, NULL, "out of memory");
	given->option = n;
	if (attached && want != 1)
		return refuse_word(args->command, NULL, "--%s takes %s", option->name,
				   want ? option->arg : "no value");
	for (u32 i = 0; i < want; i++) {
		if (!attached && w->at >= w->argc)
			return refuse_word(args->command, NULL, "--%s needs %s",
					   option->name, option->arg);
		given->values[i] = attached ? attached : w->argv[w->at++];
	}
	if (want == 1 && strchr(option->arg, '|') &&
	    !is_choice(option->arg, given->values[0]))
		return refuse_word(args->command, NULL, "--%s is one of %s, not \"%s\"",
				   option->name, option->arg, given->values[0]);
	return EXIT_OK;
}

static int parse_option(struct args *args, const char *word, struct words *w)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	int n;

	if (word[1] == '-') {
		n = find_option(args->command, word + 2, len - 2);
		if (n < 0)
			return refuse_unknown(args->command, word);
		return take_values(args, (u32)n, equals ? equals + 1 : NULL, w);
	}
	n = find_letter(args->command, word[1]);
	if (n < 0)
		return refuse_word(args->command, NULL, "there is no option -%c",
				   word[1]);
	return take_values(args, (u32)n, word[2] ? word + 2 : NULL, w);
}

static int check_operands(const struct args *args)
{
	const struct command *command = args->command;

	if (args->operands.len < command->min_operands)
		return refuse_word(command, NULL, "%s is missing", command->operands);
	if (args->operands.len > command->max_operands)
		return refuse_word(command, NULL, "\"%s\" is one word too many",
				   args_operand(args, command->max_operands));
	return EXIT_OK;
}

int args_parse(struct args *args, const struct command *command, int argc, char **argv)
{
	struct words w = {argc, argv, 0};
	bool options_ended = false;
	int err;

	*args = (struct args){.command = command,
			      .given = VEC_INIT(struct given),
			      .operands = VEC_INIT(const char *)};
	while (w.at < w.argc) {
		const char *word = w.argv[w.at++], **operand;

		if (!options_ended && !strcmp(word, "--")) {
			options_ended = true;
			continue;
		}
		if (!options_ended && word[0] == '-' && word[1]) {
			err = parse_option(args, word, &w);
			if (err)
				return err;
			continue;
		}
		operand = vec_push(&args->operands);
		if (!operand)
			return refuse_word(command, NULL, "out of memory");
		*operand = word;
	}
	args->json = args_has(args, OPTION_JSON);
	return args_has(args, OPTION_HELP) ? EXIT_OK : check_operands(args);
}

void args_fini(struct args *args)
{
	vec_fini(&args->given);
	vec_fini(&args->operands);
}

const struct given *args_next(const struct args *args, u32 option, size_t *cursor)
{
	while (*cursor < args->given.len) {
		const struct given *given = vec_at(&args->given, (*cursor)++);

		if (given->option == option)
			return given;
	}
	return NULL;
}

bool args_has(const struct args *args, u32 option)
{
	size_t cursor = 0;

	return args_next(args, option, &cursor) != NULL;
}

const char *args_value(const struct args *args, u32 option)
{
	const struct given *given;
	const char *value = NULL;
	size_t cursor = 0;

	while ((given = args_next(args, option, &cursor)))
		value = given->values[0];
	return value;
}

const char *args_operand(const struct args *args, size_t i)
{
	return i < args->operands.len ? *(const char **)vec_at(&args->operands, i) : NULL;
}

int args_number(const struct args *args, u32 option, u64 max, u64 *n)
{
	const char *value = args_value(args, option);
	unsigned long long number;
	char *end;

	if (!value)
		return EXIT_OK;
	errno = 0;
	number = strtoull(value, &end, 0);
	if (errno || end == value || *end || value[0] < '0' || value[0] > '9' ||
	    number > max)
		return refuse_word(args->command, NULL,
				   "--%s is a number up to %llu, not \"%s\"",
				   option_of(args->command, option)->name,
				   (unsigned long long)max, value);
	*n = number;
	return EXIT_OK;
}

int args_count(const struct args *args, u32 option, u64 max, u64 *n)
{
	int err = args_number(args, option, max, n);

	if (err || *n || !args_has(args, option))
		return err;
	return refuse_word(args->command, NULL, "--%s is at least 1",
			   option_of(args->command, option)->name);
}
