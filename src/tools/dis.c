/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep dis: the instructions of a program with labels, names and source lines.
 *
 * Reads objects, and bytecode without any frame: binary or hex.  What is listed is what
 * the object says, before it is fitted to a kernel.  Never does: refuse a program that is
 * malformed; what is no instruction is shown as its bytes.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "base/file.h"
#include "isa/disasm.h"
#include "obj/object.h"
#include "tools/command.h"
#include "tools/dis.h"
#include "tools/hex.h"
#include "tools/names.h"
#include "tools/options.h"
#include "tools/out.h"

static const struct option_def options[DIS_OPTIONS] = {
	[DIS_PROG] = OPTION_ONLY_PROG("Listing"),
	[DIS_RAW] = {"raw", 0, NULL, "Listing", "with the bytes of each instruction"},
	[DIS_NO_SOURCE] = {"no-source", 0, NULL, "Listing", "without the source lines"},
	[DIS_JIT] = {"jit", 0, NULL, "Listing",
		     "what the compiler makes of the programs for this machine, beside "
		     "them; the object is loaded for that"},
	[DIS_HARDEN] = {"harden", 0, NULL, "Listing",
			"with --jit: as skep run --harden compiles them"},
};

/* ---- names in place of numbers ---- */

static const char *helper_of(const void *ctx, s32 number)
{
	(void)ctx;
	return number < 0 ? NULL : helper_text((u32)number);
}

static const char *function_of(const void *ctx, u32 target)
{
	const struct listing *l = ctx;

	for (u32 i = 0; i < l->prog->n_subprogs; i++) {
		if (l->prog->subprogs[i].start == target)
			return l->prog->subprogs[i].name;
	}
	return NULL;
}

static const char *label_of(const void *ctx, u32 target)
{
	struct listing *l = (struct listing *)ctx;

	if (target >= l->prog->n_insns || !l->labels[target])
		return NULL;
	snprintf(l->name, sizeof(l->name), "L%u", l->labels[target]);
	return l->name;
}

static const char *map_of(const void *ctx, const struct insn *insn, u32 pc)
{
	const struct listing *l = ctx;
	bool by_index =
		insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE;

	(void)pc;
	if (!by_index || insn->imm < 0 || (u32)insn->imm >= l->prog->n_maps)
		return NULL;
	return l->prog->maps[insn->imm]->name;
}

static const char *extern_of(const void *ctx, const struct insn *insn, u32 pc)
{
	const struct listing *l = ctx;

	(void)pc;
	if (insn->imm < 0 || (u32)insn->imm >= l->prog->n_externs)
		return NULL;
	return l->prog->externs[insn->imm].name;
}

/* ---- labels ---- */

static void mark_target(struct listing *l, u32 pc)
{
	const struct insn *insn = &l->prog->insns[pc];
	enum op_kind kind = op_info(decode(insn))->kind;
	s64 target;

	if (kind != KIND_JMP && kind != KIND_JA && kind != KIND_MAY_GOTO)
		return;
	target = jump_target(insn, pc);
	if (target >= 0 && target < l->prog->n_insns)
		l->labels[target] = 1;
}

bool listing_labels(struct listing *l)
{
	u32 n = 0;

	l->labels = calloc(l->prog->n_insns + 1, sizeof(*l->labels));
	if (!l->labels)
		return false;
	for (u32 pc = 0; pc < l->prog->n_insns; pc++)
		mark_target(l, pc);
	for (u32 pc = 0; pc < l->prog->n_insns; pc++) {
		if (l->labels[pc])
			l->labels[pc] = ++n;
	}
	return true;
}

/* ---- the listing ---- */

void listing_line(struct listing *l, u32 pc)
{
	const struct line_info *line = prog_line(l->prog, pc);
	const char *base;

	if (!line || line->insn != pc || args_has(l->args, DIS_NO_SOURCE))
		return;
	if (l->line && l->line->line == line->line && !strcmp(l->line->file, line->file))
		return;
	l->line = line;
	base = strrchr(line->file, '/');
	printf("%s; ", style_on(stdout, STYLE_DIM));
	put_clean(stdout, base ? base + 1 : line->file, false);
	printf(":%u: ", line->line);
	put_clean(stdout, line->text + strspn(line->text, " \t"), false);
	printf("%s\n", style_off(stdout));
}

static void put_places(struct listing *l, u32 pc)
{
	const char *function = function_of(l, pc);

	if (function && pc) {
		printf("\n%s", style_on(stdout, STYLE_NAME));
		put_clean(stdout, function, false);
		printf(":%s\n", style_off(stdout));
	}
	listing_line(l, pc);
	if (l->labels[pc])
		printf("%sL%u:%s\n", style_on(stdout, STYLE_NAME), l->labels[pc],
		       style_off(stdout));
}

static void put_bytes(const struct listing *l, u32 pc)
{
	u8 slot[INSN_SIZE];

	if (!args_has(l->args, DIS_RAW))
		return;
	insn_write(slot, &l->prog->insns[pc], false);
	for (u32 i = 0; i < INSN_SIZE; i++)
		printf("%02x ", slot[i]);
	putchar(' ');
}

static void list_text(struct listing *l, const struct dis_names *names)
{
	struct text text = TEXT_INIT;
	u32 pc = 0, slots;

	while (pc < l->prog->n_insns) {
		text_clear(&text);
		slots = disasm(&text, l->prog->insns, l->prog->n_insns, pc, names);
		put_places(l, pc);
		printf("%6u: ", pc);
		put_bytes(l, pc);
		put_clean(stdout, text_str(&text), false);
		putchar('\n');
		if (slots == 2 && args_has(l->args, DIS_RAW)) {
			printf("%8s", "");
			put_bytes(l, pc + 1);
			putchar('\n');
		}
		pc += slots;
	}
	text_fini(&text);
}

static void insn_json(struct listing *l, u32 pc, u32 slots, const char *text)
{
	const struct line_info *line = prog_line(l->prog, pc);
	struct json *j = &l->json;
	u8 bytes[2 * INSN_SIZE];

	for (u32 i = 0; i < slots; i++)
		insn_write(bytes + i * INSN_SIZE, &l->prog->insns[pc + i], false);
	json_object(j, NULL);
	json_u64(j, "insn", pc);
	json_string(j, "text", text);
	json_hex(j, "bytes", bytes, slots * INSN_SIZE);
	if (l->labels[pc])
		json_string(j, "label", label_of(l, pc));
	if (line) {
		json_string(j, "file", line->file);
		json_u64(j, "line", line->line);
	}
	json_object_end(j);
}

static void list_json(struct listing *l, const struct dis_names *names)
{
	struct text text = TEXT_INIT;
	struct json *j = &l->json;

	json_begin(j);
	json_string(j, "program", l->prog->name);
	if (l->prog->section)
		json_string(j, "section", l->prog->section);
	json_array(j, "insns");
	for (u32 pc = 0; pc < l->prog->n_insns;) {
		u32 slots;

		text_clear(&text);
		slots = disasm(&text, l->prog->insns, l->prog->n_insns, pc, names);
		insn_json(l, pc, slots, text_str(&text));
		pc += slots;
	}
	json_array_end(j);
	json_end(j);
	text_fini(&text);
}

void listing_head(const struct listing *l, bool first)
{
	const struct prog *prog = l->prog;

	printf("%s%s", first ? "" : "\n", style_on(stdout, STYLE_NAME));
	put_clean(stdout, prog->name, false);
	printf(":%s", style_off(stdout));
	if (prog->section) {
		printf("%s  # section ", style_on(stdout, STYLE_DIM));
		put_clean(stdout, prog->section, false);
		printf(", %s, %u instructions%s", prog_type_text(prog->type),
		       prog->n_insns, style_off(stdout));
	}
	putchar('\n');
}

struct dis_names listing_names(const struct listing *l)
{
	return (struct dis_names){.helper = helper_of,
				  .label = label_of,
				  .function = function_of,
				  .map = map_of,
				  .external = extern_of,
				  .ctx = l};
}

static int list_prog(const struct args *args, const struct prog *prog, bool first)
{
	struct listing l = {.args = args, .prog = prog, .json = JSON_INIT};
	struct dis_names names = listing_names(&l);

	if (!listing_labels(&l)) {
		say(prog->name, NULL, "out of memory");
		return EXIT_SYSTEM;
	}
	if (args->json) {
		list_json(&l, &names);
	} else {
		listing_head(&l, first);
		list_text(&l, &names);
	}
	free(l.labels);
	json_fini(&l.json);
	return EXIT_OK;
}

/* ---- objects ---- */

bool dis_wants(const struct args *args, const char *name)
{
	const struct given *given;
	size_t cursor = 0;

	if (!args_has(args, DIS_PROG))
		return true;
	while ((given = args_next(args, DIS_PROG, &cursor))) {
		if (!strcmp(given->values[0], name))
			return true;
	}
	return false;
}

static int check_names(const struct args *args, const struct object *obj)
{
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, DIS_PROG, &cursor))) {
		struct nearest nearest;

		if (object_find_prog(obj, given->values[0]) >= 0)
			continue;
		nearest_init(&nearest, given->values[0]);
		for (u32 i = 0; i < obj->n_progs; i++)
			nearest_offer(&nearest, obj->progs[i].prog.name);
		say(obj->name, nearest_advice(&nearest), "there is no program \"%s\"",
		    given->values[0]);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int list_object(const struct args *args, const struct object *obj)
{
	int status = EXIT_OK;
	bool first = true;

	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct object_prog *p = &obj->progs[i];

		if (!dis_wants(args, p->prog.name))
			continue;
		if (p->err) {
			say_diag_of(obj->name, &p->diag);
			status = EXIT_INPUT;
		}
		if (!p->prog.insns)
			continue;
		if (list_prog(args, &p->prog, first) && !status)
			status = EXIT_SYSTEM;
		first = false;
	}
	return status;
}

static int dis_object(const struct args *args, const char *path, const struct file *file)
{
	struct object_opts opts = {.name = path};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct object *obj;
	int status;

	if (object_open(file_bytes(file), &opts, &obj, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = check_names(args, obj);
	if (!status)
		status = args_has(args, DIS_JIT) ? dis_jit(args, path, file)
						 : list_object(args, obj);
	object_free(obj);
	return status;
}

/* ---- bytecode without a frame ---- */

static bool is_text(const struct file *file)
{
	for (u64 i = 0; i < file->len; i++) {
		if (!isprint(file->data[i]) && !isspace(file->data[i]))
			return false;
	}
	return true;
}

static int dis_bytes(const struct args *args, const char *path, struct bytes bytes)
{
	struct prog prog = {.name = path, .n_insns = (u32)(bytes.len / INSN_SIZE)};
	int status;

	if (bytes.len % INSN_SIZE || !bytes.len || bytes.len / INSN_SIZE > MAX_INSNS) {
		say(path, "an object, or bytecode: binary or hex",
		    "%llu bytes are no bytecode: it is a multiple of 8",
		    (unsigned long long)bytes.len);
		return EXIT_INPUT;
	}
	prog.insns = calloc(prog.n_insns, sizeof(*prog.insns));
	if (!prog.insns) {
		say(path, NULL, "out of memory");
		return EXIT_SYSTEM;
	}
	for (u32 i = 0; i < prog.n_insns; i++)
		prog.insns[i] = insn_read(bytes.data + i * INSN_SIZE, false);
	status = list_prog(args, &prog, true);
	free(prog.insns);
	return status;
}

static int dis_hex(const struct args *args, const char *path, const struct file *file)
{
	const char *bad;
	size_t len;
	u8 *bytes = hex_parse((const char *)file->data, file->len, &len, &bad);
	int status;

	if (!bytes) {
		say(path, "an object, or bytecode: binary or hex",
		    "not a hexadecimal digit at byte %lld",
		    bad ? (long long)(bad - (const char *)file->data) : -1);
		return EXIT_INPUT;
	}
	status = dis_bytes(args, path, (struct bytes){bytes, len});
	free(bytes);
	return status;
}

static int dis_file(const struct args *args, const char *path, const struct file *file)
{
	if (file->len >= 4 && !memcmp(file->data, "\177ELF", 4))
		return dis_object(args, path, file);
	if (args_has(args, DIS_JIT))
		return args_refuse(args, "--jit is for objects");
	if (!file->len) {
		say(path, NULL, "the file is empty");
		return EXIT_INPUT;
	}
	return is_text(file) ? dis_hex(args, path, file)
			     : dis_bytes(args, path, file_bytes(file));
}

static int run(const struct args *args)
{
	const char *path = args_operand(args, 0);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct file file;
	int status;

	if (file_read(path, &file, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = dis_file(args, strcmp(path, "-") ? path : "standard input", &file);
	file_fini(&file);
	return status;
}

static const struct example examples[] = {
	{"skep dis filter.bpf.o", "all programs of an object"},
	{"skep dis filter.bpf.o --prog parse --raw", "one program, with its bytes"},
	{"skep dis filter.bpf.o --prog parse --jit", "and what the compiler makes of it"},
	{"echo b7 00 00 00 01 00 00 00 95 00 00 00 00 00 00 00 | skep dis -",
	 "bytecode in hex"},
};

const struct command command_dis = {
	.name = "dis",
	.operands = "FILE",
	.summary = "list the instructions of programs",
	.text = "Prints the instructions of the programs of an object, in the syntax of "
		"Linux "
		"and LLVM, with labels, the names of maps, helpers and functions, and "
		"the "
		"source lines that they come from.\n\n"
		"With --jit the object is loaded as skep run does it, and each "
		"instruction "
		"that native code was made for is followed by that code: its offset, its "
		"bytes and, for x86-64 where skep was built with Zydis, its text.  What "
		"the compiler needed no code for is not listed.\n\n"
		"FILE may also be bytecode alone, in binary or in hex; - is standard "
		"input.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.run = run,
};
