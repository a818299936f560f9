/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep-conformance: runs one program on one piece of memory, as the public suite
 * bpf_conformance asks of its plugins.
 *
 *	skep-conformance [MEM] [--interp|--checked|--jit] [--elf]
 *
 * Standard input: one line of hex, the instructions or, with --elf, an object file.  R1
 * is the address of a writable copy of MEM (0 without it), R2 its length.  Helper 5
 * returns its first argument; when that is 0 the program ends.  R0 goes to standard
 * output in hex, exit status 0; an error to standard error, exit status 1.  Nothing is
 * verified.
 */
#include <errno.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "load/load.h"
#include "tools/hex.h"
#include "world/packet.h"

struct options {
	const char *memory; /* borrowed from argv; NULL: none */
	const char *engine;
	bool elf;
};

struct input {
	u8 *memory, *program; /* owned */
	size_t memory_size, program_size;
};

static int complain(const char *what, const char *detail)
{
	fprintf(stderr, "skep-conformance: %s%s%s\n", what, *detail ? ": " : "", detail);
	return 1;
}

/* The suite passes its plugin options as one argument even when there are none. */
static int parse_options(char **argv, struct options *options)
{
	*options = (struct options){.engine = "interp"};
	for (char **arg = argv + 1; *arg; arg++) {
		if (!**arg)
			continue;
		if (!strcmp(*arg, "--elf"))
			options->elf = true;
		else if (!strncmp(*arg, "--", 2))
			options->engine = *arg + 2;
		else if (!options->memory)
			options->memory = *arg;
		else
			return complain("unexpected argument", *arg);
	}
	if (!engine_find(options->engine))
		return complain("no such engine here", options->engine);
	return 0;
}

static u8 *parse(const char *what, const char *text, size_t *size)
{
	const char *bad = NULL;
	u8 *bytes = hex_parse(text, strlen(text), size, &bad);

	if (!bytes)
		complain(what, bad ? "not hex" : "out of memory");
	return bytes;
}

static int read_input(const struct options *options, struct input *input)
{
	size_t room = 0;
	char *line = NULL;
	ssize_t len;

	*input = (struct input){0};
	if (options->memory) {
		input->memory = parse("MEM", options->memory, &input->memory_size);
		if (!input->memory)
			return 1;
	}
	len = getline(&line, &room, stdin);
	if (len > 0)
		input->program = parse("program", line, &input->program_size);
	else
		complain("no program on standard input", "");
	free(line);
	return !input->program;
}

static u64 unwind(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	(void)r2, (void)r3, (void)r4, (void)r5;
	if (!r1)
		run->err = EXEC_STOP;
	return r1;
}

static helper_fn conformance_helper(u32 number)
{
	return number == 5 ? unwind : NULL;
}

static int run_image(const struct image *image, const struct options *options,
		     const struct input *input, struct skep_diag *diag)
{
	u8 *memory = input->memory_size ? input->memory : NULL;
	u8 *end = memory ? memory + input->memory_size : NULL;
	struct mem_region region = {"memory", memory, input->memory_size, true};
	struct exec_opts opts = {.r2 = input->memory_size,
				 .regions = &region,
				 .n_regions = memory != NULL};
	/* LD_ABS and LD_IND read the same memory. */
	struct packet packet = {.buf = memory,
				.size = (u32)input->memory_size,
				.start = memory,
				.meta = memory,
				.data = memory,
				.end = end,
				.limit = end};
	struct run run = {.ctx = memory, .packet = &packet, .opts = &opts, .diag = diag};
	u64 r0;
	int err = engine_find(options->engine)->run(image, &run, &r0);

	if (!err)
		printf("%llx\n", (unsigned long long)r0);
	return err;
}

static int run_prog(const struct prog *prog, const struct options *options,
		    const struct input *input, struct skep_diag *diag)
{
	struct image_spec spec = {.prog = prog,
				  .helper = conformance_helper,
				  .engines = engine_find(options->engine)->images,
				  /* helper 5 is not the one that it is elsewhere */
				  .jit = {.keep_calls = true}};
	struct image *image;
	int err = image_new(&spec, &image, diag);

	if (err)
		return err;
	err = run_image(image, options, input, diag);
	image_free(image);
	return err;
}

static int run_bytecode(const struct options *options, const struct input *input,
			struct skep_diag *diag)
{
	struct prog prog = {.name = "conformance"};
	int err;

	if (input->program_size % INSN_SIZE ||
	    input->program_size / INSN_SIZE > MAX_INSNS)
		return complain("not a whole number of instructions", "");
	prog.n_insns = (u32)(input->program_size / INSN_SIZE);
	prog.insns = calloc(prog.n_insns + 1, sizeof(*prog.insns));
	if (!prog.insns)
		return -ENOMEM;
	for (u32 i = 0; i < prog.n_insns; i++)
		prog.insns[i] = insn_read(input->program + (size_t)i * INSN_SIZE,
					  host_is_big_endian());
	err = run_prog(&prog, options, input, diag);
	free(prog.insns);
	return err;
}

/* The first program of the object.  It is opened and not loaded: what takes r1 for raw
 * memory no verifier accepts. */
static int run_elf(const struct options *options, const struct input *input,
		   struct skep_diag *diag)
{
	struct skep_object *obj;
	struct skep_prog *prog;
	int err = skep_object_open_memory(input->program, input->program_size, NULL, &obj,
					  diag);

	if (err)
		return err;
	prog = skep_object_next_prog(obj, NULL);
	err = prog ? run_prog(prog->prog, options, input, diag)
		   : complain("the object has no program", "");
	skep_object_close(obj);
	return err;
}

int main(int argc, char **argv)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct options options;
	struct input input = {0};
	int err;

	(void)argc;
	err = parse_options(argv, &options) || read_input(&options, &input);
	if (!err) {
		err = options.elf ? run_elf(&options, &input, &diag)
				  : run_bytecode(&options, &input, &diag);
		if (err < 0)
			complain(diag.id ? diag.text : strerror(-err),
				 diag.id ? skep_diag_name(diag.id) : "");
	}
	free(input.memory);
	free(input.program);
	return err != 0;
}
