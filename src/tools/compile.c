/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep compile: an object, verified and compiled once, as a file that loads in
 * microseconds.  What the file is, and whom it is trusted by: load/aot.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "base/file.h"
#include "load/aot.h"
#include "load/load.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/kconfig.h"
#include "tools/loading.h"
#include "tools/options.h"
#include "tools/out.h"

enum compile_option {
	COMPILE_OUT,
	COMPILE_PROG,
	COMPILE_HARDEN,
	COMPILE_TIME_LIMIT,
	COMPILE_CPUS,
	COMPILE_VAR,
	COMPILE_BTF,
	COMPILE_TARGET,
	COMPILE_KCONFIG,
	COMPILE_OPTIONS
};

static const struct option_def options[COMPILE_OPTIONS] = {
	[COMPILE_OUT] = {"out", 'o', "FILE", "Output", "write the compiled object there"},
	[COMPILE_PROG] = OPTION_ONLY_PROG("Program"),
	[COMPILE_HARDEN] = {"harden", 0, NULL, "Program", "as skep run --harden does"},
	[COMPILE_TIME_LIMIT] = {"time-limit", 0, NULL, "Program",
				"with the checks that skep run --max-time needs"},
	[COMPILE_CPUS] =
		{"cpus", 0, "N", "Program",
		 "how many CPUs the world has that runs it, for per-CPU maps (1)"},
	[COMPILE_VAR] =
		{"var", 0, "NAME=VALUE", "Program",
		 "set a global variable; may be given again.  Constants cannot be "
		 "set later"},
	[COMPILE_BTF] = OPTION_BTF,
	[COMPILE_TARGET] = OPTION_TARGET,
	[COMPILE_KCONFIG] = OPTION_KCONFIG,
};

struct session {
	const struct args *args;
	struct file file; /* owned */
	struct skep_world *world;
	struct skep_target *target;
	struct skep_object *obj;
	struct text out;
	struct skep_diag diag;
};

static int open_object(struct session *s)
{
	const char *path = args_operand(s->args, 0);
	struct skep_object_opts opts = {.name = strcmp(path, "-") ? path
								  : "standard input",
					.engine = "jit",
					.harden = args_has(s->args, COMPILE_HARDEN)};
	char *kconfig = NULL;
	u64 cpus = 1;
	int err = args_count(s->args, COMPILE_CPUS, 1024, &cpus);

	if (err)
		return err;
	if (file_read(path, &s->file, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	if (aot_is(file_bytes(&s->file))) {
		say(path, "give the object", "it is compiled already");
		return EXIT_INPUT;
	}
	if (kconfig_read(args_value(s->args, COMPILE_KCONFIG), path, &kconfig, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	opts.kconfig = kconfig;
	err = skep_world_new_script((u32)cpus, &s->world, &s->diag);
	opts.world = s->world;
	if (!err)
		err = skep_object_open_memory(s->file.data, s->file.len, &opts, &s->obj,
					      &s->diag);
	free(kconfig);
	return err ? refuse(&s->diag, EXIT_INPUT) : EXIT_OK;
}

static int choose(const struct session *s)
{
	const struct given *given;
	struct skep_prog *prog = NULL;
	size_t cursor = 0;

	if (!args_has(s->args, COMPILE_PROG))
		return EXIT_OK;
	while ((prog = skep_object_next_prog(s->obj, prog)))
		skep_prog_select(prog, false);
	while ((given = args_next(s->args, COMPILE_PROG, &cursor))) {
		prog = skep_object_find_prog(s->obj, given->values[0]);
		if (!prog)
			return args_refuse(s->args, "there is no program \"%s\"",
					   given->values[0]);
		skep_prog_select(prog, true);
	}
	return EXIT_OK;
}

static int load(struct session *s)
{
	int status = choose(s);

	if (!status)
		status = loading_set_variables(s->args, COMPILE_VAR, s->obj);
	if (status)
		return status;
	if ((args_has(s->args, COMPILE_TARGET) || args_has(s->args, COMPILE_BTF)) &&
	    skep_target_new(args_value(s->args, COMPILE_TARGET),
			    args_value(s->args, COMPILE_BTF), &s->target, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	s->obj->jit.time_limit = args_has(s->args, COMPILE_TIME_LIMIT);
	return skep_object_load(s->obj, s->target, &s->diag) ? refuse(&s->diag, EXIT_NO)
							     : EXIT_OK;
}

static int write_out(const struct session *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t done = 0;
	bool good = fd >= 0;

	while (good && done < s->out.len) {
		ssize_t n = write(fd, s->out.s + done, s->out.len - done);

		good = n > 0 || (n < 0 && errno == EINTR);
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && close(fd))
		good = false;
	if (good)
		return EXIT_OK;
	say(path, NULL, "%s", strerror(errno));
	return EXIT_SYSTEM;
}

static void report(const struct session *s, const char *path)
{
	struct json j = JSON_INIT;
	u32 n = 0;

	for (u32 i = 0; i < s->obj->n_progs; i++)
		n += s->obj->progs[i].image != NULL;
	if (!s->args->json)
		return;
	json_begin(&j);
	json_string(&j, "file", path);
	json_u64(&j, "programs", n);
	json_u64(&j, "bytes", s->out.len);
	json_end(&j);
	json_fini(&j);
}

static int compile(struct session *s)
{
	const char *path = args_value(s->args, COMPILE_OUT);
	int status;

	if (!path)
		return args_refuse(s->args, "where to: give -o FILE");
	status = open_object(s);
	if (!status)
		status = load(s);
	if (status)
		return status;
	if (aot_write(s->obj, file_bytes(&s->file),
		      s->target ? skep_target_name(s->target) : "linux", &s->out,
		      &s->diag))
		return refuse(&s->diag, EXIT_NO);
	status = write_out(s, path);
	if (!status)
		report(s, path);
	return status;
}

static int run_compile(const struct args *args)
{
	struct session s = {.args = args, .out = TEXT_INIT, .diag = SKEP_DIAG_INIT};
	int status = compile(&s);

	skep_object_close(s.obj);
	skep_world_free(s.world);
	skep_target_free(s.target);
	file_fini(&s.file);
	text_fini(&s.out);
	return status;
}

static const struct example examples[] = {
	{"skep compile firewall.bpf.o -o firewall.skep",
	 "verify and compile all programs of an object"},
	{"skep run firewall.skep --pcap traffic.pcap", "run one of them"},
};

const struct command command_compile = {
	.name = "compile",
	.operands = "OBJECT",
	.summary = "verify and compile an object ahead of time",
	.text = "Loads an object as skep run does it (fitted to the target, verified, "
		"compiled to native code) and writes what came of it, with the object, "
		"to "
		"a file.  Everything that opens objects for the engine jit opens such a "
		"file, too, and neither verifies nor compiles again.\n\n"
		"A file that was changed, that another version of skep made, or that was "
		"made for another machine or for a CPU that can do more, is refused.  "
		"Global variables have the values that they had; constants cannot be set "
		"any more, and per-CPU maps want as many CPUs.\n\n"
		"The code in the file runs as it is: trust such a file as you trust a "
		"program for this machine, and nobody else's.  The digest in it "
		"(SHA-256) "
		"finds accidents; who can write the file can also write its digest.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.run = run_compile,
};
