/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an object wants from outside: how its relocations turn out for the target, and
 * which helpers, map types and kernel version it needs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "obj/object.h"
#include "tools/info.h"
#include "tools/json.h"
#include "tools/names.h"
#include "tools/out.h"

/* ---- relocations ---- */

static const char *reloc_kind(enum object_reloc_kind kind)
{
	switch (kind) {
	case OBJECT_RELOC_MAP: return "map";
	case OBJECT_RELOC_DATA: return "data";
	case OBJECT_RELOC_FUNC: return "function address";
	case OBJECT_RELOC_CALL: return "call";
	case OBJECT_RELOC_EXTERN: return "extern";
	case OBJECT_RELOC_CORE: break;
	}
	return "core";
}

/* How one relocation turned out. */
struct outcome {
	const struct object_prog *prog;
	const struct object_reloc *reloc;
	struct text what; /* owned */
	bool failed;
};

static void core_outcome(struct info *info, struct outcome *o)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct core_result result;

	if (object_core_result(info->obj, o->reloc, info->target, &result, &diag)) {
		text_puts(&o->what, diag.text);
		o->failed = true;
		info->unresolved++;
		return;
	}
	core_print(&o->what, info->obj->btf, o->reloc->core, &result);
	o->failed = result.poison;
}

static struct outcome outcome_of(struct info *info, const struct object_prog *prog,
				 const struct object_reloc *reloc)
{
	struct outcome o = {.prog = prog, .reloc = reloc, .failed = reloc->unresolved};

	if (reloc->kind == OBJECT_RELOC_CORE)
		core_outcome(info, &o);
	else
		text_puts(&o.what, reloc->name ? reloc->name : "");
	return o;
}

static void outcome_json(const struct info *info, const struct outcome *o)
{
	struct json *j = info->json;

	json_begin(j);
	json_string(j, "relocation", reloc_kind(o->reloc->kind));
	json_string(j, "program", o->prog->prog.name);
	json_u64(j, "insn", o->reloc->insn);
	json_string(j, o->reloc->kind == OBJECT_RELOC_CORE ? "outcome" : "symbol",
		    text_str(&o->what));
	json_bool(j, "resolved", !o->failed);
	json_end(j);
}

static void outcome_row(struct table *table, const struct outcome *o)
{
	table_cell(table, "%s", o->prog->prog.name);
	table_cell(table, "%u", o->reloc->insn);
	table_cell(table, "%s", reloc_kind(o->reloc->kind));
	table_cell(table, "%s", text_str(&o->what));
}

struct reloc_counts {
	u32 all, core, poisoned;
};

static void prog_relocs(struct info *info, const struct object_prog *prog,
			struct table *table, struct reloc_counts *counts)
{
	for (u32 i = 0; i < prog->n_relocs; i++) {
		struct outcome o = outcome_of(info, prog, &prog->relocs[i]);

		counts->all++;
		counts->core += o.reloc->kind == OBJECT_RELOC_CORE;
		counts->poisoned += o.failed && o.reloc->kind == OBJECT_RELOC_CORE;
		if (info->json)
			outcome_json(info, &o);
		else if (info->all_relocs || o.failed)
			outcome_row(table, &o);
		text_fini(&o.what);
	}
}

/*
 * What a target does not have is no failure: programs ask first whether it does, and the
 * instructions behind that are never reached.
 */
void info_relocs(struct info *info)
{
	static const char *const heads[] = {"PROGRAM", ">INSN", "RELOCATION", "OUTCOME",
					    NULL};
	struct reloc_counts counts = {0};
	struct table table;

	table_init(&table, heads, 0);
	for (u32 i = 0; i < info->obj->n_progs; i++)
		prog_relocs(info, &info->obj->progs[i], &table, &counts);
	if (info->json || !counts.all)
		return;
	printf("\n%u relocations, %u of them CO-RE for %s", counts.all, counts.core,
	       info->target_name);
	if (!counts.core)
		printf("\n");
	else if (!info->target->btf)
		printf(": its types are not known (--btf)\n");
	else if (!counts.poisoned)
		printf(": it has all of them\n");
	else
		printf(": it does not have %u of them\n", counts.poisoned);
	if (table.cells.len)
		table_print(&table);
}

/* ---- needs ---- */

enum { HELPER_ROOM = 1024 };

struct needs {
	bool helpers[HELPER_ROOM];
	u32 version;      /* the oldest Linux that has everything */
	const char *what; /* what made it so; static or of the object */
};

static void needs_version(struct needs *needs, u32 version, const char *what)
{
	if (version <= needs->version)
		return;
	needs->version = version;
	needs->what = what;
}

static void needs_helper(struct needs *needs, u32 number)
{
	const struct abi_helper *helper = abi_helper(number);

	if (number >= HELPER_ROOM)
		return;
	needs->helpers[number] = true;
	if (helper)
		needs_version(needs, helper->since, helper->name);
}

static void needs_named(struct needs *needs, const struct abi_name *name)
{
	if (name)
		needs_version(needs, name->since, name->name);
}

static void prog_needs(const struct prog *prog, struct needs *needs)
{
	needs_named(needs, abi_prog_type(prog->type));
	for (u32 i = 0; prog->insns && i < prog->n_insns; i++) {
		const struct insn *insn = &prog->insns[i];

		if (decode(insn) == OP_CALL && insn->src_reg == CALL_HELPER)
			needs_helper(needs, (u32)insn->imm);
	}
}

static void collect(const struct object *obj, struct needs *needs)
{
	for (u32 i = 0; i < obj->n_progs; i++)
		prog_needs(&obj->progs[i].prog, needs);
	for (u32 i = 0; i < obj->n_maps; i++)
		needs_named(needs, abi_map_type(obj->maps[i]->type));
}

static void needs_json(const struct info *info, const struct needs *needs)
{
	struct json *j = info->json;
	char version[32];

	snprintf(version, sizeof(version), "%u.%u", needs->version >> 16,
		 needs->version >> 8 & 0xff);
	json_begin(j);
	json_string(j, "needs", version);
	json_array(j, "helpers");
	for (u32 i = 0; i < HELPER_ROOM; i++) {
		if (needs->helpers[i] && helper_text(i))
			json_string(j, NULL, helper_text(i));
		else if (needs->helpers[i])
			json_u64(j, NULL, i);
	}
	json_array_end(j);
	json_end(j);
}

/* Words in lines of a terminal's width. */
static void put_words(const struct needs *needs)
{
	int at = printf("helpers:");

	for (u32 i = 0; i < HELPER_ROOM; i++) {
		char word[64];
		int len;

		if (!needs->helpers[i])
			continue;
		if (helper_text(i))
			len = snprintf(word, sizeof(word), " %s", helper_text(i));
		else
			len = snprintf(word, sizeof(word), " #%u", i);
		if (at + len > 80)
			at = printf("\n        ") - 1;
		printf("%s", word);
		at += len;
	}
	putchar('\n');
}

static bool any_helper(const struct needs *needs)
{
	for (u32 i = 0; i < HELPER_ROOM; i++) {
		if (needs->helpers[i])
			return true;
	}
	return false;
}

void info_needs(struct info *info)
{
	struct needs needs = {0};

	collect(info->obj, &needs);
	if (info->json) {
		needs_json(info, &needs);
		return;
	}
	putchar('\n');
	if (any_helper(&needs))
		put_words(&needs);
	if (needs.version)
		printf("needs: Linux %u.%u or later, for %s\n", needs.version >> 16,
		       needs.version >> 8 & 0xff, needs.what);
}
