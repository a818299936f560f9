/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A subcommand as a value: its options, its help, its work.
 *
 * The table of options is the one source: parsing, --help, the man page, and the shell's
 * completion are derived from it.  A new subcommand is one file with one struct command,
 * and one row in main.c.  For src/tools.
 */
#ifndef SKEP_TOOLS_COMMAND_H
#define SKEP_TOOLS_COMMAND_H

#include <stdio.h>

#include "base/vec.h"

enum { OPTION_VALUES = 3 };

struct option_def {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	/* "FILE", "MAP KEY VALUE": one value a word, a file name if it is FILE; "a|b":
	 * one of these words; NULL: a flag */
	const char *arg;
	const char *group; /* headline in the help; the same for rows that follow each
			      other */
	const char *help;  /* a sentence without a full stop */
};

struct example {
	const char *line; /* what one types */
	const char *what; /* what it does */
};

struct args;

struct command {
	const char *name;
	const char *operands; /* "OBJECT", "[FILE...]" */
	const char *summary;  /* "run a program on packets" */
	const char *text;     /* paragraphs, separated by empty lines */
	/* Forms that an operand or option may have, one a line, under a headline; NULL.
	 */
	const char *list_title;
	const char *const *list;
	u32 min_operands, max_operands;
	const struct option_def *options; /* may be indexed by an enum of the command */
	u32 n_options;
	const struct example *examples;
	u32 n_examples;
	u64 caps; /* KERN_CAP()s that it may need; all others but those for files are
		     given up before it runs */
	int (*run)(const struct args *args); /* returns the exit status */
};

/* The options that every command has; their numbers follow those of any command. */
enum { OPTION_JSON = 1000, OPTION_HELP, OPTION_END };

extern const struct option_def common_options[OPTION_END - OPTION_JSON];

/* An option as it was given. */
struct given {
	u32 option;
	const char *values[OPTION_VALUES]; /* borrowed from argv */
};

struct args {
	const struct command *command;
	struct vec given;    /* struct given, in the order of the command line */
	struct vec operands; /* const char *, borrowed from argv */
	bool json;
};

/* Reads the words after the subcommand.  EXIT_OK, or EXIT_USAGE after saying why. */
int args_parse(struct args *args, const struct command *command, int argc, char **argv);
void args_fini(struct args *args);

bool args_has(const struct args *args, u32 option);

/* The value of the last such option, or NULL. */
const char *args_value(const struct args *args, u32 option);

/* Each such option: start with *cursor = 0; NULL when there are no more. */
const struct given *args_next(const struct args *args, u32 option, size_t *cursor);

const char *args_operand(const struct args *args, size_t i); /* NULL: there is none */

/* The number of the last such option, decimal or 0x; *n stays when there is none.
 * EXIT_OK, or EXIT_USAGE after saying why. */
int args_number(const struct args *args, u32 option, u64 max, u64 *n);

/* The same for how many there are: at least one. */
int args_count(const struct args *args, u32 option, u64 max, u64 *n);

/* Says that something is wrong with the way the command was called; EXIT_USAGE. */
int args_refuse(const struct args *args, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "was X meant?" for the names offered one a call by next(), or NULL: for the advice of a
 * message. */
struct nearest {
	const char *name;
	const char *best;
	size_t distance;
	char advice[96];
};
void nearest_init(struct nearest *n, const char *name);
void nearest_offer(struct nearest *n, const char *candidate);
const char *nearest_advice(struct nearest *n);

/* All of them (main.c); NULL ends the list. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);

extern const struct command command_run, command_verify, command_attach, command_dis,
	command_asm, command_info, command_help, command_version;

extern const struct command command_list, command_map, command_detach, command_doctor,
	command_bench, command_compile;

/* help.c */
void help_overview(FILE *f);
void help_command(FILE *f, const struct command *command);
void help_man(FILE *f, const struct command *command); /* NULL: of skep itself */
void help_completion(FILE *f);

#endif
