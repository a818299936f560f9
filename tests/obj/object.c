/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that the compiler makes from the sources beside this file: what object_open()
 * finds in them is listed and compared with the .expect file of the same name.  Then
 * every object is opened again with bytes changed and ends cut off: it is refused with a
 * message, or used.
 *
 *	test-obj NAME.expect NAME.o [--write]
 */
#include <stdlib.h>

#include "base/diag.h"
#include "base/text.h"
#include "btf/writer.h"
#include "check.h"
#include "obj/object.h"
#include "target/target.h"

enum { MUTATIONS = 1500 };

static const char config[] = "CONFIG_NUMBERS=1\nCONFIG_YES=y\nCONFIG_NUMBER=-3\n"
			     "CONFIG_TEXT=\"abc\"\n";

static struct bytes read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	u8 *data = malloc(1 << 22);
	size_t len = f && data ? fread(data, 1, 1 << 22, f) : 0;

	if (f)
		fclose(f);
	return (struct bytes){data, len};
}

static void list_map(struct text *t, const struct map_def *def)
{
	text_printf(t, "type %u, key %u, value %u, entries %u, flags %#x", def->type,
		    def->key_size, def->value_size, def->max_entries, def->flags);
	if (def->pin_by_name)
		text_puts(t, ", pinned");
	text_puts(t, "\n");
}

static void list_maps(struct text *t, const struct object *obj)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct map_def *def = obj->maps[i];

		text_printf(t, "map %s: ", def->name);
		list_map(t, def);
		if (def->inner) {
			text_puts(t, "  template: ");
			list_map(t, def->inner);
		}
		for (u32 k = 0; k < def->n_slots; k++)
			text_printf(t, "  slot %u: %s\n", def->slots[k].index,
				    def->slots[k].name);
	}
}

static void list_vars(struct text *t, const struct object *obj)
{
	for (u32 i = 0; i < obj->n_vars; i++) {
		const struct object_var *var = &obj->vars[i];

		text_printf(t, "var %s in %s: %u bytes%s", var->name, var->map->name,
			    var->size, var->is_static ? ", static" : "");
		text_puts(t, ", value");
		for (u32 k = 0; k < var->size; k++)
			text_printf(t, " %02x",
				    var->map->data ? var->map->data[var->offset + k] : 0);
		text_puts(t, "\n");
	}
	for (u32 i = 0; i < obj->n_externs; i++) {
		static const char *const kinds[] = {"setting", "symbol", "kfunc",
						    "unknown"};
		const struct object_extern *e = &obj->externs[i];

		text_printf(t, "extern %s: %s%s%s%s\n", e->name, kinds[e->kind],
			    e->weak ? ", weak" : "", e->error ? ", " : "",
			    e->error ? e->error : "");
	}
}

static void list_programs(struct text *t, const struct object *obj)
{
	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct prog *prog = &obj->progs[i].prog;

		text_printf(t, "program %s: %s, type %u%s%s\n", prog->name, prog->section,
			    prog->type, prog->gpl_compatible ? ", gpl" : "",
			    prog->optional ? ", optional" : "");
		if (obj->progs[i].err)
			text_printf(t, "  error: %s\n", obj->progs[i].diag.text);
		for (u32 k = 0; k < prog->n_subprogs; k++)
			text_printf(t, "  function %s%s\n", prog->subprogs[k].name,
				    prog->subprogs[k].global && k ? ", global" : "");
	}
}

/* Where the instruction of a relocation points to now. */
static void list_place(struct text *t, const struct prog *prog, u32 pc)
{
	const struct insn *insn = &prog->insns[pc];
	const struct subprog *sub;

	if (decode(insn) == OP_CALL) {
		sub = prog_subprog(prog, pc + 1 + (u32)insn->imm);
		text_printf(t, " = function %s",
			    insn->src_reg == CALL_LOCAL && sub ? sub->name : "of Linux");
	} else if (insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE) {
		text_printf(t, " = %s", prog->maps[insn->imm]->name);
		if (insn->src_reg == LDDW_MAP_IDX_VALUE)
			text_printf(t, "+%d", insn[1].imm);
	}
}

static void list_relocs(struct text *t, const struct object *obj)
{
	static const char *const kinds[] = {"map",  "data",   "function",
					    "call", "extern", "CO-RE"};

	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct object_prog *prog = &obj->progs[i];

		for (u32 k = 0; k < prog->n_relocs; k++) {
			const struct object_reloc *rel = &prog->relocs[k];

			text_printf(t, "reloc %s: %s %s", prog->prog.name,
				    kinds[rel->kind], rel->name ? rel->name : "");
			if (rel->unresolved)
				text_puts(t, " is not resolved");
			else
				list_place(t, &prog->prog, rel->insn);
			text_puts(t, "\n");
		}
	}
}

/* Linked code is well formed, and calls go to where functions start. */
static void check_code(const struct prog *prog)
{
	struct skep_diag diag = SKEP_DIAG_INIT;

	if (!CHECK(!insns_check(prog->insns, prog->n_insns, &diag)))
		fprintf(stderr, "\t%s: %s at %d\n", prog->name, diag.text, diag.insn);
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		const struct insn *insn = &prog->insns[pc];
		enum op op = decode(insn);
		bool refers = (op == OP_CALL && insn->src_reg == CALL_LOCAL) ||
			      (op == OP_LDDW && insn->src_reg == LDDW_FUNC);

		if (refers) {
			u32 to = pc + 1 + (u32)insn->imm;
			const struct subprog *sub = prog_subprog(prog, to);

			CHECK(sub && sub->start == to);
		}
		pc += op_info(op)->wide;
	}
	for (u32 i = 1; i < prog->n_lines; i++)
		CHECK(prog->lines[i].insn > prog->lines[i - 1].insn);
}

static void fit_all(struct object *obj, bool whole)
{
	const struct target target = {.version = linux_version(6, 1, 2)};

	for (u32 i = 0; i < obj->n_progs; i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		const struct prog *prog = NULL;
		int err = object_fit(obj, i, &target, &prog, &diag);

		if (err)
			CHECK(diag.err == err && diag.text[0]);
		if (!obj->progs[i].err && obj->big_endian != host_is_big_endian())
			CHECK_INT(diag.id, DIAG_FOREIGN_ENDIAN);
		else if (!err && whole)
			check_code(prog);
	}
}

static struct object *open_bytes(struct bytes file, struct skep_diag *diag)
{
	const struct object_opts opts = {.name = "it.o", .kconfig = config};
	struct object *obj;

	*diag = (struct skep_diag)SKEP_DIAG_INIT;
	int err = object_open(file, &opts, &obj, diag);
	if (err)
		CHECK(err == diag->err && diag->text[0] &&
		      !strncmp(diag->where, "it.o", 4));
	return obj;
}

static void what_is_found_is_expected(struct bytes file, const char *expect, bool write)
{
	struct text t = TEXT_INIT;
	struct skep_diag diag;
	struct object *obj = open_bytes(file, &diag);

	if (!CHECK(obj)) {
		fprintf(stderr, "\t%s: %s\n", diag.where, diag.text);
		return;
	}
	fit_all(obj, true);
	text_printf(&t, "license %s\n", obj->license ? obj->license : "none");
	list_programs(&t, obj);
	list_maps(&t, obj);
	list_vars(&t, obj);
	list_relocs(&t, obj);
	object_free(obj);

	FILE *out = write ? fopen(expect, "w") : NULL;

	if (out) {
		fputs(text_str(&t), out);
		fclose(out);
	}
	struct bytes want = read_file(expect);
	struct text wanted = TEXT_INIT;
	text_write(&wanted, want.data, want.len);
	CHECK_STR(text_str(&t), text_str(&wanted));
	text_fini(&wanted);
	text_fini(&t);
	free((void *)want.data);
}

static bool needs_symbol(const struct prog *prog)
{
	for (u32 i = 0; i < prog->n_externs; i++)
		if (prog->externs[i].typed && !prog->externs[i].weak)
			return true;
	return false;
}

/* In a kernel that has no types at all, no symbol is found by its type. */
static void symbols_are_looked_up(struct bytes file)
{
	struct arena arena = ARENA_INIT;
	struct target target = {.version = linux_version(6, 1, 2)};
	struct text none = TEXT_INIT;
	struct btf_writer w;
	struct skep_diag diag;
	struct object *obj = open_bytes(file, &diag);

	btf_writer_init(&w, NULL, false);
	CHECK(!btf_writer_finish(&w, &none, NULL));
	CHECK(!btf_read(&arena, (struct bytes){(const u8 *)none.s, none.len}, NULL,
			&target.btf, NULL));
	for (u32 i = 0; obj && i < obj->n_progs; i++) {
		const struct prog *prog;

		if (obj->progs[i].err || obj->big_endian != host_is_big_endian() ||
		    !needs_symbol(&obj->progs[i].prog))
			continue;
		diag = (struct skep_diag)SKEP_DIAG_INIT;
		CHECK(object_fit(obj, i, &target, &prog, &diag));
		CHECK_INT(diag.id, DIAG_NO_KSYM);
	}
	object_free(obj);
	btf_writer_fini(&w);
	text_fini(&none);
	arena_fini(&arena);
}

static u64 random_state = 88172645463325252u;

static u32 pick(u64 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state % n);
}

static void broken_files_are_refused_or_used(struct bytes file)
{
	static const u8 values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct skep_diag diag;
	u32 opened = 0;

	for (u32 i = 0; i < MUTATIONS && !check_failed; i++) {
		u64 len = i % 8 ? file.len : pick(file.len);
		u8 *copy = malloc(len + 1);

		memcpy(copy, file.data, len);
		for (u32 k = 0; k <= i % 4 && len; k++)
			copy[pick(len)] = pick(2) ? values[pick(ARRAY_SIZE(values))]
						  : (u8)pick(256);
		struct object *obj = open_bytes((struct bytes){copy, len}, &diag);
		opened += obj != NULL;
		if (obj)
			fit_all(obj, false);
		object_free(obj);
		free(copy);
	}
	CHECK(opened > 0 && opened < MUTATIONS);
}

static void variables_are_set_by_name(struct bytes file)
{
	struct skep_diag diag;
	struct object *obj = open_bytes(file, &diag);
	u64 value = 99;

	if (obj && object_find_var(obj, "counter") >= 0) {
		const struct object_var *var =
			&obj->vars[object_find_var(obj, "counter")];

		CHECK_INT(object_set_var(obj, "counter", &value, 8, NULL), 0);
		CHECK_INT(var->map->data[var->offset], 99);
		CHECK(object_set_var(obj, "counter", &value, 4, NULL) < 0);
		CHECK(object_set_var(obj, "nothing", &value, 8, NULL) < 0);
		CHECK_INT(object_set_var(obj, "zeroes", "\1\0\2\0\3", 6, NULL), 0);
	}
	object_free(obj);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	struct bytes file = read_file(argv[2]);

	what_is_found_is_expected(file, argv[1], argc > 3);
	variables_are_set_by_name(file);
	symbols_are_looked_up(file);
	broken_files_are_refused_or_used(file);
	free((void *)file.data);
	return check_report();
}
