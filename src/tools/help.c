/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tables of options look like to people and shells: --help, the man pages in
 * mdoc(7), completion for bash.  Nothing is written twice: all of it comes from struct
 * command.
 */
#include <ctype.h>
#include <string.h>

#include <skep/skep.h>

#include "tools/command.h"
#include "tools/out.h"

enum { HELP_COLUMN = 26, HELP_WIDTH = 80 };

static const char about[] =
	"skep reads compiled eBPF objects and shows what their programs do, in any "
	"process and without privileges.";

static const struct {
	const char *status, *what;
} exit_statuses[] = {
	{"0", "all went well"},
	{"1", "the answer is no: a program broke the rules while it ran"},
	{"2", "the command was called in a wrong way"},
	{"3", "an input cannot be read, or is not what it claims to be"},
	{"4",
	 "the system refused (rights, memory, output), or skep has no such engine yet"},
};

static u32 n_rows(const struct command *command)
{
	return command->n_options + (OPTION_END - OPTION_JSON);
}

/* The options of the command, then those that all have. */
static const struct option_def *row(const struct command *command, u32 i)
{
	if (i < command->n_options)
		return &command->options[i];
	return &common_options[i - command->n_options];
}

static bool starts_group(const struct command *command, u32 i)
{
	return !i || strcmp(row(command, i)->group, row(command, i - 1)->group);
}

/* ---- --help ---- */

/* Words of s from column `at` on, broken at HELP_WIDTH and indented. */
static void put_wrapped(FILE *f, const char *s, size_t at, size_t indent)
{
	while (*s) {
		size_t len = strcspn(s, " \n");

		if (at > indent && at + 1 + len > HELP_WIDTH) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			putc(' ', f);
			at++;
		}
		fwrite(s, 1, len, f);
		at += len;
		s += len;
		if (s[0] == '\n' && s[1] == '\n') {
			fprintf(f, "\n\n%*s", (int)indent, "");
			at = indent;
		}
		s += strspn(s, " \n");
	}
	putc('\n', f);
}

static void put_option(FILE *f, const struct option_def *option)
{
	char head[80];
	int len = snprintf(
		head, sizeof(head), "  %c%c%s--%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter ? ", " : "  ",
		option->name, option->arg ? " " : "", option->arg ? option->arg : "");

	fprintf(f, "%s%s%s", style_on(f, STYLE_NAME), head, style_off(f));
	if (len >= HELP_COLUMN)
		putc('\n', f);
	fprintf(f, "%*s", len >= HELP_COLUMN ? HELP_COLUMN : HELP_COLUMN - len, "");
	put_wrapped(f, option->help, HELP_COLUMN, HELP_COLUMN);
}

void help_command(FILE *f, const struct command *command)
{
	fprintf(f, "Usage: skep %s [OPTION...]%s%s\n\n", command->name,
		*command->operands ? " " : "", command->operands);
	put_wrapped(f, command->text, 0, 0);
	for (u32 i = 0; i < n_rows(command); i++) {
		const struct option_def *option = row(command, i);

		if (starts_group(command, i))
			fprintf(f, "\n%s\n", option->group);
		put_option(f, option);
	}
	if (command->list)
		fprintf(f, "\n%s\n", command->list_title);
	for (u32 i = 0; command->list && command->list[i]; i++)
		fprintf(f, "  %s\n", command->list[i]);
	if (command->n_examples)
		fputs("\nExamples\n", f);
	for (u32 i = 0; i < command->n_examples; i++) {
		fprintf(f, "  %s%s%s\n      ", style_on(f, STYLE_NAME),
			command->examples[i].line, style_off(f));
		put_wrapped(f, command->examples[i].what, 6, 6);
	}
}

void help_overview(FILE *f)
{
	fputs("Usage: skep COMMAND [OPTION...]\n\n", f);
	put_wrapped(f, about, 0, 0);
	putc('\n', f);
	for (u32 i = 0; commands[i]; i++)
		fprintf(f, "  %s%-9s%s %s\n", style_on(f, STYLE_NAME), commands[i]->name,
			style_off(f), commands[i]->summary);
	fputs("\nskep help COMMAND explains one of them.\n", f);
}

/* ---- man pages ---- */

enum { MDOC_WIDTH = 76 };

/* May the line end at this blank?  Sentences do, and long lines should. */
static bool breaks_line(const char *s, size_t column)
{
	return *s == ' ' &&
	       (s[1] == ' ' || column + 1 + strcspn(s + 1, " \n") > MDOC_WIDTH);
}

/* Text as mdoc wants it: no macro, no escape by accident; a sentence starts a line. */
static void put_mdoc(FILE *f, const char *s)
{
	bool line_start = true;
	size_t column = 0;

	for (; *s; s++) {
		column = line_start ? 0 : column + 1;
		if (breaks_line(s, column)) {
			s += s[1] == ' ';
			putc('\n', f);
			line_start = true;
			continue;
		}
		if (s[0] == '\n' && s[1] == '\n') {
			fputs("\n.Pp\n", f);
			s++;
			line_start = true;
			continue;
		}
		if (line_start && (*s == '.' || *s == '\''))
			fputs("\\&", f);
		line_start = *s == '\n';
		if (*s == '\\')
			fputs("\\e", f);
		else if (*s == '-' && s[1] == '-')
			fputs("\\-", f);
		else
			putc(*s, f);
	}
	putc('\n', f);
}

/* A line that stays one. */
static void put_literal(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", f);
		else
			putc(*s, f);
	}
	putc('\n', f);
}

static void man_header(FILE *f, const char *page, const char *summary)
{
	fputs(".\\\" printed by skep help --man; do not edit\n", f);
	fprintf(f, ".Dd %s\n.Dt ", SKEP_RELEASE_DATE);
	for (const char *c = page; *c; c++)
		putc(toupper((unsigned char)*c), f);
	fprintf(f, " 1\n.Os skep %s\n.Sh NAME\n.Nm %s\n.Nd ", skep_version(), page);
	put_mdoc(f, summary);
}

static void man_options(FILE *f, const struct command *command)
{
	fputs(".Sh OPTIONS\n", f);
	for (u32 i = 0; i < n_rows(command); i++) {
		const struct option_def *option = row(command, i);

		if (starts_group(command, i))
			fprintf(f, "%s.Ss %s\n.Bl -tag -width Ds\n", i ? ".El\n" : "",
				option->group);
		fputs(".It", f);
		if (option->letter)
			fprintf(f, " Fl %c ,", option->letter);
		fprintf(f, " Fl \\-%s", option->name);
		if (option->arg)
			fprintf(f, " Ar %s", option->arg);
		putc('\n', f);
		put_mdoc(f, option->help);
		fputs(".\n", f);
	}
	fputs(".El\n", f);
}

static void man_list(FILE *f, const struct command *command)
{
	if (!command->list)
		return;
	fprintf(f, ".Sh %s\n.Bd -literal -offset indent\n", command->list_title);
	for (u32 i = 0; command->list[i]; i++)
		put_literal(f, command->list[i]);
	fputs(".Ed\n", f);
}

static void man_exit_status(FILE *f)
{
	fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", f);
	for (u32 i = 0; i < ARRAY_SIZE(exit_statuses); i++)
		fprintf(f, ".It %s\n%s\n", exit_statuses[i].status,
			exit_statuses[i].what);
	fputs(".El\n", f);
}

static void man_examples(FILE *f, const struct command *command)
{
	if (!command->n_examples)
		return;
	fputs(".Sh EXAMPLES\n", f);
	for (u32 i = 0; i < command->n_examples; i++) {
		put_mdoc(f, command->examples[i].what);
		fputs(".Bd -literal -offset indent\n", f);
		put_literal(f, command->examples[i].line);
		fputs(".Ed\n", f);
	}
}

static void man_command(FILE *f, const struct command *command)
{
	char page[32];

	snprintf(page, sizeof(page), "skep-%s", command->name);
	man_header(f, page, command->summary);
	fprintf(f, ".Sh SYNOPSIS\n.Nm skep %s\n.Op Ar OPTION...\n", command->name);
	if (*command->operands)
		fprintf(f, ".Ar %s\n", command->operands);
	fputs(".Sh DESCRIPTION\n", f);
	put_mdoc(f, command->text);
	man_options(f, command);
	man_list(f, command);
	man_exit_status(f);
	man_examples(f, command);
	fputs(".Sh SEE ALSO\n.Xr skep 1\n", f);
}

static void man_skep(FILE *f)
{
	man_header(f, "skep", "eBPF as one complete system");
	fputs(".Sh SYNOPSIS\n.Nm skep\n.Ar COMMAND\n.Op Ar OPTION...\n.Sh DESCRIPTION\n",
	      f);
	put_mdoc(f, about);
	fputs(".Bl -tag -width Ds\n", f);
	for (u32 i = 0; commands[i]; i++)
		fprintf(f, ".It Xr skep-%s 1\n%s\n", commands[i]->name,
			commands[i]->summary);
	fputs(".El\n.Pp\n"
	      "Every command explains itself with\n.Fl \\-help ,\n"
	      "and prints one JSON object a line, and nothing else, on standard output "
	      "with\n"
	      ".Fl \\-json .\n"
	      "Messages go to standard error:\n.Dl skep: WHERE: WHAT (ADVICE)\n"
	      ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev NO_COLOR\n"
	      "When it is not empty, nothing is coloured.\n.El\n",
	      f);
	man_exit_status(f);
	fputs(".Sh SEE ALSO\n.Xr bpf 2 ,\n.Xr bpf-helpers 7\n", f);
}

void help_man(FILE *f, const struct command *command)
{
	if (command)
		man_command(f, command);
	else
		man_skep(f);
}

/* ---- completion ---- */

static void complete_command(FILE *f, const struct command *command)
{
	fprintf(f, "\t%s)\n\t\tcase $prev in\n", command->name);
	for (u32 i = 0; i < n_rows(command); i++) {
		const struct option_def *option = row(command, i);

		if (!option->arg)
			continue;
		fprintf(f, "\t\t--%s) ", option->name);
		if (!strncmp(option->arg, "FILE", 4)) {
			fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", f);
		} else if (islower((unsigned char)option->arg[0])) {
			fputs("COMPREPLY=($(compgen -W '", f);
			for (const char *c = option->arg; *c; c++)
				putc(*c == '|' ? ' ' : *c, f);
			fputs("' -- \"$cur\"))", f);
		} else {
			fputs("COMPREPLY=()", f);
		}
		fputs("; return ;;\n", f);
	}
	fputs("\t\tesac\n\t\twords='", f);
	for (u32 i = 0; i < n_rows(command); i++)
		fprintf(f, "%s--%s", i ? " " : "", row(command, i)->name);
	fputs("' ;;\n", f);
}

void help_completion(FILE *f)
{
	fputs("# printed by skep help --completion bash\n"
	      "_skep()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
	      "words=\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '",
	      f);
	for (u32 i = 0; commands[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", commands[i]->name);
	fputs("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", f);
	for (u32 i = 0; commands[i]; i++)
		complete_command(f, commands[i]);
	fputs("\tesac\n"
	      "\tcase $cur in\n"
	      "\t-*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	      "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	      "\tesac\n}\ncomplete -o filenames -F _skep skep\n",
	      f);
}
