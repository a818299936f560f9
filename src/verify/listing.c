/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of a program as text.
 *
 * The disassembler's text (isa/disasm.h) with the names that the program and the tables
 * of helpers know.  Never does: know what the verifier found out.
 */
#include "verify/listing.h"

#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
#include "base/text.h"
#include "isa/disasm.h"

struct names {
	const struct prog *prog;
	char text[16];
};

static const char *helper_name(const void *ctx, s32 number)
{
	const struct abi_helper *helper = abi_helper((u32)number);

	(void)ctx;
	return helper ? helper->name : NULL;
}

static const char *function_name(const void *ctx, u32 target)
{
	const struct names *names = ctx;
	const struct subprog *sub = prog_subprog(names->prog, target);

	return sub && sub->start == target ? sub->name : NULL;
}

static const char *map_name(const void *ctx, const struct insn *insn, u32 pc)
{
	const struct names *names = ctx;
	bool by_index =
		insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE;

	(void)pc;
	if (!by_index || (u32)insn->imm >= names->prog->n_maps)
		return NULL;
	return names->prog->maps[insn->imm]->name;
}

static const char *extern_name(const void *ctx, const struct insn *insn, u32 pc)
{
	const struct names *names = ctx;

	(void)pc;
	if ((u32)insn->imm >= names->prog->n_externs)
		return NULL;
	return names->prog->externs[insn->imm].name;
}

static const char *label_name(const void *ctx, u32 target)
{
	struct names *names = (struct names *)ctx;

	snprintf(names->text, sizeof(names->text), "%u", target);
	return names->text;
}

static void put(struct text *out, const struct prog *prog, u32 pc, bool absolute)
{
	struct names names = {.prog = prog};
	struct dis_names how = {.helper = helper_name,
				.label = absolute ? label_name : NULL,
				.function = function_name,
				.map = map_name,
				.external = extern_name,
				.ctx = &names};

	disasm(out, prog->insns, prog->n_insns, pc, &how);
}

void listing_insn(struct text *out, const struct prog *prog, u32 pc)
{
	put(out, prog, pc, false);
}

void listing_insn_absolute(struct text *out, const struct prog *prog, u32 pc)
{
	put(out, prog, pc, true);
}

const char *listing_callee(struct text *scratch, const struct prog *prog, u32 pc)
{
	const struct insn *insn = &prog->insns[pc];
	const char *name = NULL;

	if (decode(insn) != OP_CALL)
		return NULL;
	text_clear(scratch);
	if (insn->src_reg == CALL_KFUNC)
		return extern_name(&(struct names){.prog = prog}, insn, pc);
	if (insn->src_reg == CALL_LOCAL)
		return listing_function(prog, (u32)((s64)pc + 1 + insn->imm));
	name = helper_name(NULL, insn->imm);
	if (!name)
		return NULL;
	text_printf(scratch, "bpf_%s", name);
	return text_str(scratch);
}

const char *listing_function(const struct prog *prog, u32 pc)
{
	const struct subprog *sub = prog_subprog(prog, pc);

	return sub ? sub->name : NULL;
}

const char *listing_source(const struct prog *prog, u32 pc)
{
	const struct line_info *line = prog_line(prog, pc);

	if (!line || !line->text)
		return NULL;
	return line->text + strspn(line->text, " \t");
}

const char *listing_file(const struct prog *prog, u32 pc)
{
	const struct line_info *line = prog_line(prog, pc);
	const char *base;

	if (!line || !line->file)
		return NULL;
	base = strrchr(line->file, '/');
	return base ? base + 1 : line->file;
}
