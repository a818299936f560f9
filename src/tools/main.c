/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command: finds the subcommand, reads its command line, runs it.  Also the two
 * subcommands that are about the command itself, help and version.  Never does: anything
 * about programs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <skep/skep.h>

#include "tools/command.h"
#include "tools/json.h"
#include "tools/live.h"
#include "tools/out.h"

const struct command *const commands[] = {
	&command_run,
	&command_verify,
	&command_bench,
	&command_compile,
	&command_attach,
	&command_dis,
	&command_asm,
	&command_info,
	&command_list,
	&command_map,
	&command_detach,
	&command_doctor,
	&command_help,
	&command_version,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (u32 i = 0; commands[i]; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static int refuse_command(const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (u32 i = 0; commands[i]; i++)
		nearest_offer(&nearest, commands[i]->name);
	say(NULL, nearest_advice(&nearest) ? nearest.advice : "see skep help",
	    "there is no command \"%s\"", name);
	return EXIT_USAGE;
}

/* ---- skep help ---- */

enum { HELP_MAN, HELP_COMPLETION };

static const struct option_def help_options[] = {
	[HELP_MAN] = {"man", 0, NULL, "Output",
		      "print the man page in mdoc, for mandoc and man"},
	[HELP_COMPLETION] = {"completion", 0, "bash", "Output",
			     "print what makes this shell complete skep's command lines"},
};

static void json_options(struct json *j, const struct command *command)
{
	json_array(j, "options");
	for (u32 i = 0; i < command->n_options; i++) {
		const struct option_def *option = &command->options[i];

		json_object(j, NULL);
		json_string(j, "name", option->name);
		if (option->arg)
			json_string(j, "arg", option->arg);
		json_string(j, "help", option->help);
		json_object_end(j);
	}
	json_array_end(j);
}

static void help_json(const struct command *command)
{
	struct json j = JSON_INIT;

	json_begin(&j);
	json_string(&j, "command", command->name);
	json_string(&j, "operands", command->operands);
	json_string(&j, "summary", command->summary);
	json_options(&j, command);
	json_end(&j);
	json_fini(&j);
}

static int run_help(const struct args *args)
{
	const char *name = args_operand(args, 0),
		   *shell = args_value(args, HELP_COMPLETION);
	const struct command *command = name ? command_find(name) : NULL;

	if (shell && strcmp(shell, "bash"))
		return args_refuse(
			args, "there is completion for bash only, not for \"%s\"", shell);
	if (name && !command && strcmp(name, "skep"))
		return refuse_command(name);
	if (shell) {
		help_completion(stdout);
	} else if (args_has(args, HELP_MAN)) {
		help_man(stdout, command);
	} else if (args->json) {
		for (u32 i = 0; commands[i]; i++) {
			if (!command || command == commands[i])
				help_json(commands[i]);
		}
	} else if (command) {
		help_command(stdout, command);
	} else {
		help_overview(stdout);
	}
	return EXIT_OK;
}

static const struct example help_examples[] = {
	{"skep help run", "what skep run can do"},
	{"skep help --man run | mandoc -a", "its man page, where it is not installed"},
	{"eval \"$(skep help --completion bash)\"", "completion in this shell"},
};

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "explain a command",
	.text = "Prints what a command does and which options it has, or the list of "
		"commands.",
	.max_operands = 1,
	.options = help_options,
	.n_options = ARRAY_SIZE(help_options),
	.examples = help_examples,
	.n_examples = ARRAY_SIZE(help_examples),
	.run = run_help,
};

/* ---- skep version ---- */

static int run_version(const struct args *args)
{
	struct json j = JSON_INIT;

	if (!args->json) {
		printf("skep %s\n", skep_version());
		return EXIT_OK;
	}
	json_begin(&j);
	json_string(&j, "version", skep_version());
	json_end(&j);
	json_fini(&j);
	return EXIT_OK;
}

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "print the version",
	.text = "Prints the version of skep.",
	.run = run_version,
};

/* ---- main ---- */

/* Nothing that was printed may be lost in silence. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		say("standard output", NULL, "%s", strerror(errno));
	return status ? status : EXIT_SYSTEM;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct args args;
	int status = args_parse(&args, command, argc, argv);

	if (status == EXIT_OK && args_has(&args, OPTION_HELP)) {
		help_command(stdout, command);
	} else if (status == EXIT_OK) {
		live_keep_caps(command->caps);
		status = command->run(&args);
	}
	args_fini(&args);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (!*name) {
		help_overview(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	command = command_find(name);
	if (!command)
		return refuse_command(name);
	return finish(run_command(command, argc - 2, argv + 2));
}
