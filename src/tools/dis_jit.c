/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep dis --jit: native code, beside the instructions and source lines that it comes
 * from.
 *
 * The object is loaded, so that the code is what would run; the table that says which
 * code comes from which instruction is made by compiling once more.
 */
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"
#include "exec/jit/compile.h"
#include "load/load.h"
#include "tools/dis.h"
#include "tools/names.h"
#include "tools/out.h"

enum { LEFT = 44, BYTES = 10 };

struct native_listing {
	struct listing l;
	struct dis_names names;
	struct native native; /* owned */
	struct bytes code;    /* where it runs */
	u32 reloc;            /* the next one */
	bool json;
};

/* What stands in the code as an address. */
static void reloc_text(const struct native_listing *n, const struct native_reloc *reloc,
		       struct text *text)
{
	const struct prog *prog = n->l.prog;
	const char *helper;

	switch (reloc->kind) {
	case IR_MAP: text_printf(text, "map[%s]", prog->maps[reloc->index]->name); break;
	case IR_MAP_BYTES:
		text_printf(text, "memory of map[%s] + %lld",
			    prog->maps[reloc->index]->name, (long long)reloc->value);
		break;
	case IR_HELPER:
		helper = abi_is_kfunc(reloc->index)
				 ? abi_kfunc_proto(reloc->index)->full_name
				 : helper_text(reloc->index);
		if (helper)
			text_puts(text, helper);
		else
			text_printf(text, "helper %u", reloc->index);
		break;
	case IR_FUNC:
	case NATIVE_CALL_FUNC: text_printf(text, "function %u", reloc->index); break;
	case NATIVE_IMAGE:
	case NATIVE_PROG: text_puts(text, "this program"); break;
	default: text_puts(text, "skep"); break;
	}
}

/* Relocs within [off, end), as they come: sorted. */
static void relocs_text(struct native_listing *n, u32 end, struct text *text)
{
	for (; n->reloc < n->native.n_relocs; n->reloc++) {
		const struct native_reloc *reloc = &n->native.relocs[n->reloc];

		if (reloc->off >= end)
			break;
		text_puts(text, text->len ? "  ; " : "; ");
		reloc_text(n, reloc, text);
	}
}

static void put_native(const struct native_piece *at, u32 len, const struct text *text)
{
	printf("%6x  ", at->off);
	for (u32 i = 0; i < len; i++)
		printf("%02x ", at->code[at->off + i]);
	printf("%*s", len < BYTES ? (int)(3 * (BYTES - len)) : 0, "");
	put_clean(stdout, text_str(text), false);
	putchar('\n');
}

static void json_native(struct native_listing *n, const struct native_piece *at, u32 len,
			const struct text *text)
{
	struct json *j = &n->l.json;

	json_object(j, NULL);
	json_u64(j, "off", at->off);
	json_hex(j, "bytes", at->code + at->off, len);
	json_string(j, "text", text_str(text));
	json_object_end(j);
}

/* The code of one row of the table; the first line of it has the instruction on its left.
 */
static void list_code(struct native_listing *n, struct native_piece *at, const char *left)
{
	struct text text = TEXT_INIT;

	while (at->off < at->end) {
		u32 len;

		text_clear(&text);
		len = native_insn_text(at, &text);
		relocs_text(n, at->off + len, &text);
		if (n->json) {
			json_native(n, at, len, &text);
		} else {
			printf("%-*s ", LEFT, left);
			put_native(at, len, &text);
		}
		left = "";
		at->off += len;
	}
	text_fini(&text);
}

static void list_row(struct native_listing *n, const struct native_line *line, u32 end)
{
	struct native_piece at = {n->code.data, line->off, end};
	const struct line_info *source = prog_line(n->l.prog, line->pc);
	struct text left = TEXT_INIT, insn = TEXT_INIT;
	struct json *j = &n->l.json;

	disasm(&insn, n->l.prog->insns, n->l.prog->n_insns, line->pc, &n->names);
	text_printf(&left, "%6u: %s", line->pc, text_str(&insn));
	if (n->json) {
		json_object(j, NULL);
		json_u64(j, "insn", line->pc);
		json_string(j, "text", text_str(&insn));
		if (source) {
			json_string(j, "file", source->file);
			json_u64(j, "line", source->line);
		}
		json_array(j, "native");
	} else {
		listing_line(&n->l, line->pc);
	}
	list_code(n, &at, text_str(&left));
	if (n->json) {
		json_array_end(j);
		json_object_end(j);
	}
	text_fini(&left);
	text_fini(&insn);
}

/* What lies before the first row: the stubs that lead in and out. */
static void list_rows(struct native_listing *n)
{
	const struct native *native = &n->native;

	for (u32 i = 0; i < native->n_lines; i++) {
		u32 end =
			i + 1 < native->n_lines ? native->lines[i + 1].off : native->len;

		while (n->reloc < native->n_relocs &&
		       native->relocs[n->reloc].off < native->lines[i].off)
			n->reloc++;
		list_row(n, &native->lines[i], end);
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct native_reloc *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

static int list_native(const struct args *args, const struct skep_prog *prog, bool first)
{
	struct jit_source src = {.prog = prog->prog,
				 .maps = prog->image->maps,
				 .helper = prog->image->helper,
				 .arena = prog->arena,
				 .ways = prog->ways,
				 .opts = prog->obj->jit};
	struct native_listing n = {
		.l = {.args = args, .prog = prog->prog, .json = JSON_INIT},
		.json = args->json};
	struct skep_diag diag = SKEP_DIAG_INIT;
	int err = jit_compile(&src, &n.native, &diag);

	if (err || !listing_labels(&n.l)) {
		native_fini(&n.native);
		return err ? refuse(&diag, EXIT_INPUT) : EXIT_SYSTEM;
	}
	/* blinding differs from time to time: then what runs is not what was listed */
	n.code = src.opts.harden ? (struct bytes){n.native.code, n.native.len}
				 : jit_bytes(prog->image->jit);
	n.names = listing_names(&n.l);
	if (n.native.n_relocs)
		qsort(n.native.relocs, n.native.n_relocs, sizeof(*n.native.relocs),
		      by_offset);
	if (n.json) {
		json_begin(&n.l.json);
		json_string(&n.l.json, "program", prog->prog->name);
		json_string(&n.l.json, "machine", n.native.machine->name);
		json_u64(&n.l.json, "bytes", n.native.len);
		json_array(&n.l.json, "insns");
		list_rows(&n);
		json_array_end(&n.l.json);
		json_end(&n.l.json);
	} else {
		listing_head(&n.l, first);
		list_rows(&n);
	}
	json_fini(&n.l.json);
	free(n.l.labels);
	native_fini(&n.native);
	return EXIT_OK;
}

static int list_programs(const struct args *args, struct skep_object *obj)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_prog *prog = NULL;
	int status = EXIT_OK;
	bool first = true;

	while ((prog = skep_object_next_prog(obj, prog)))
		skep_prog_select(prog, dis_wants(args, skep_prog_name(prog)));
	if (skep_object_load(obj, NULL, &diag))
		return refuse(&diag, EXIT_NO);
	while (!status && (prog = skep_object_next_prog(obj, prog))) {
		if (!skep_prog_is_loaded(prog))
			continue;
		status = list_native(args, prog, first);
		first = false;
	}
	return status;
}

int dis_jit(const struct args *args, const char *path, const struct file *file)
{
	struct skep_object_opts opts = {
		.name = path, .engine = "jit", .harden = args_has(args, DIS_HARDEN)};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;
	int status;

	if (skep_object_open_memory(file->data, file->len, &opts, &obj, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = list_programs(args, obj);
	skep_object_close(obj);
	return status;
}
