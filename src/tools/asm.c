/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep asm: assembly text to an object, or to bytecode in hex.  The language is that of
 * docs/asm.md.  Never does: judge what the program means.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"
#include "isa/asm.h"
#include "obj/write.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/out.h"

enum asm_option { ASM_OUT, ASM_HEX, ASM_PROG, ASM_OPTIONS };

static const struct option_def options[ASM_OPTIONS] = {
	[ASM_OUT] =
		{"out", 'o', "FILE", "Output",
		 "the object; without it, FILE with .o in place of what follows its dot"},
	[ASM_HEX] =
		{"hex", 0, NULL, "Output",
		 "print the bytecode of a program in hex, with the functions it calls; "
		 "write no object"},
	[ASM_PROG] = {"prog", 'p', "NAME", "Output", "which program --hex prints"},
};

/* ---- names that belong to Linux ---- */

static bool find_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	const struct abi_helper *helper;
	const struct abi_name *type;

	(void)ctx;
	switch (kind) {
	case ASM_HELPER:
		helper = abi_find_helper(name);
		if (helper)
			*number = helper->number;
		return helper;
	case ASM_MAP_TYPE:
		type = abi_find_map_type(name);
		if (type)
			*number = type->number;
		return type;
	case ASM_CONSTANT: return abi_find_constant(name, number);
	}
	return false;
}

/* ---- hex ---- */

static int choose_func(const struct args *args, const struct asm_unit *unit, u32 *func)
{
	const char *name = args_value(args, ASM_PROG);
	struct nearest nearest;
	u32 n = 0;

	nearest_init(&nearest, name ? name : "");
	for (u32 i = 0; i < unit->n_funcs; i++) {
		const struct asm_func *f = &unit->funcs[i];

		if (!f->program || (name && strcmp(f->name, name))) {
			nearest_offer(&nearest, f->name);
			continue;
		}
		*func = i;
		n++;
	}
	if (n == 1)
		return EXIT_OK;
	if (name)
		say("asm", nearest_advice(&nearest), "there is no program \"%s\"", name);
	else
		say("asm", n ? "choose one with --prog" : NULL,
		    "the text has %u programs", n);
	return n || name ? EXIT_USAGE : EXIT_INPUT;
}

static void print_hex(const struct args *args, const char *name,
		      const struct asm_linked *linked)
{
	u8 *bytes = calloc(linked->n_insns + 1, INSN_SIZE);
	struct json j = JSON_INIT;

	for (u32 i = 0; bytes && i < linked->n_insns; i++)
		insn_write(bytes + i * INSN_SIZE, &linked->insns[i], false);
	if (args->json && bytes) {
		json_begin(&j);
		json_string(&j, "program", name);
		json_u64(&j, "insns", linked->n_insns);
		json_hex(&j, "hex", bytes, (size_t)linked->n_insns * INSN_SIZE);
		json_end(&j);
		json_fini(&j);
	} else if (bytes) {
		for (u32 i = 0; i < linked->n_insns * INSN_SIZE; i++)
			printf("%s%02x", i ? " " : "", bytes[i]);
		putchar('\n');
	}
	free(bytes);
}

static int to_hex(const struct args *args, const struct asm_unit *unit,
		  struct arena *arena)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct asm_linked linked;
	u32 func = 0;
	int status = choose_func(args, unit, &func);

	if (status)
		return status;
	if (asm_link(unit, func, arena, &linked, &diag))
		return refuse(&diag, EXIT_INPUT);
	print_hex(args, unit->funcs[func].name, &linked);
	return EXIT_OK;
}

/* ---- the object ---- */

/* FILE.s -> FILE.o, in the arena. */
static const char *out_path(const struct args *args, struct arena *arena)
{
	const char *given = args_value(args, ASM_OUT), *in = args_operand(args, 0), *dot;

	if (given)
		return given;
	if (!strcmp(in, "-"))
		return "out.o";
	dot = strrchr(in, '.');
	if (!dot || strchr(dot, '/'))
		dot = in + strlen(in);
	return arena_printf(arena, "%.*s.o", (int)(dot - in), in);
}

static int write_all(const char *path, const struct bytes *bytes)
{
	bool to_stdout = !strcmp(path, "-");
	FILE *f = to_stdout ? stdout : fopen(path, "wbe");
	bool failed;

	if (!f) {
		say(path, NULL, "cannot be written: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	failed = fwrite(bytes->data, 1, bytes->len, f) != bytes->len;
	failed |= to_stdout ? fflush(f) : fclose(f);
	if (failed)
		say(path, NULL, "cannot be written: %s", strerror(errno));
	return failed ? EXIT_SYSTEM : EXIT_OK;
}

static void object_json(const char *path, const struct asm_unit *unit)
{
	struct json j = JSON_INIT;

	json_begin(&j);
	json_string(&j, "object", path);
	json_array(&j, "programs");
	for (u32 i = 0; i < unit->n_funcs; i++) {
		if (!unit->funcs[i].program)
			continue;
		json_object(&j, NULL);
		json_string(&j, "program", unit->funcs[i].name);
		json_u64(&j, "insns", unit->funcs[i].n_insns);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_end(&j);
	json_fini(&j);
}

static int to_object(const struct args *args, const struct asm_unit *unit,
		     struct arena *arena)
{
	const char *path = out_path(args, arena);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct bytes bytes;
	int status;

	if (!path || object_write(unit, arena, &bytes, &diag))
		return refuse(&diag, EXIT_INPUT);
	if (args->json && !strcmp(path, "-"))
		return args_refuse(args,
				   "--json and the object cannot both be on standard "
				   "output");
	status = write_all(path, &bytes);
	if (!status && args->json)
		object_json(path, unit);
	return status;
}

static int assemble(const struct args *args, const struct file *file, struct arena *arena)
{
	const char *path = args_operand(args, 0);
	struct asm_names names = {.find = find_name};
	struct asm_input input = {.text = file_bytes(file),
				  .file = strcmp(path, "-") ? path : "standard input",
				  .names = &names};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct asm_unit unit;

	if (asm_parse(&input, arena, &unit, &diag))
		return refuse(&diag, EXIT_INPUT);
	if (args_has(args, ASM_HEX))
		return to_hex(args, &unit, arena);
	return to_object(args, &unit, arena);
}

static int run(const struct args *args)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct file file;
	int status;

	if (file_read(args_operand(args, 0), &file, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = assemble(args, &file, &arena);
	arena_fini(&arena);
	file_fini(&file);
	return status;
}

static const struct example examples[] = {
	{"skep asm drop.s -o drop.o", "an object that skep run, and Linux, can load"},
	{"echo 'r0 = 2; exit' | skep asm - --hex", "bytecode in hex"},
};

const struct command command_asm = {
	.name = "asm",
	.operands = "FILE",
	.summary = "assemble text to an object",
	.text = "Assembles eBPF text, in the syntax of Linux and LLVM, with directives "
		"for "
		"programs, maps, globals and sections; - is standard input.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.run = run,
};
