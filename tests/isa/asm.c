/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler on whole texts: what a unit holds, how a program is linked, and the
 * message for every kind of mistake (the file of cases is the argument).
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "isa/asm.h"

static bool find_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	static const struct {
		enum asm_name kind;
		const char *name;
		s64 number;
	} names[] = {
		{ASM_HELPER, "map_lookup_elem", 1}, {ASM_HELPER, "get_prandom_u32", 7},
		{ASM_MAP_TYPE, "hash", 1},          {ASM_MAP_TYPE, "array", 2},
		{ASM_MAP_TYPE, "prog_array", 3},    {ASM_MAP_TYPE, "array_of_maps", 12},
		{ASM_CONSTANT, "XDP_PASS", 2},
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].kind == kind && !strcmp(names[i].name, name)) {
			*number = names[i].number;
			return true;
		}
	return false;
}

static const struct asm_names names = {.find = find_name};

static int assemble(const char *text, struct arena *arena, struct asm_unit *unit,
		    struct skep_diag *diag)
{
	struct asm_input in = {
		.text = {(const u8 *)text, strlen(text)},
		.file = "t.s",
		.names = &names,
	};

	return asm_parse(&in, arena, unit, diag);
}

static const char whole[] =
	".license \"GPL\"\n"
	".version 0x60c00\n"
	".equ LIMIT, 3 * 4\n"
	".map counts hash key 4 value 8 entries LIMIT flags 1 pin\n"
	".map jumps prog_array key 4 value 4 entries 8\n"
	".slot jumps 3 second\n"
	".map outer array_of_maps key 4 value 4 entries 2 inner counts extra 5\n"
	".var limit in .rodata u32 100, LIMIT \"ab\" u64 -1\n"
	".var total in .bss zero 64\n"
	".var hits u16 1\n"
	".weak bpf_maybe\n"
	".section xdp\n"
	".program first xdp\n"
	"	r1 = map[counts]\n"
	"	r2 = value[counts] + 8\n"
	"	r3 = value[limit] + 4\n"
	"	r4 = total ll\n"
	"	r5 = func[callback]\n"
	"	call helper\n"
	"	call map_lookup_elem\n"
	"	call kfunc[bpf_maybe]\n"
	"	r6 = ksym[jiffies]\n"
	"	call local\n"
	"	r0 = XDP_PASS\n"
	"	exit\n"
	"local: exit\n"
	".section tracepoint/sched/sched_switch\n"
	".program second\n"
	"	call helper; exit\n"
	".func callback\n"
	"	call helper\n"
	"	r0 = LIMIT\n"
	"	exit\n"
	".func helper global in other\n"
	"	exit\n";

static void check_ref(const struct asm_ref *ref, u32 insn, enum asm_ref_kind kind,
		      u32 index)
{
	CHECK_INT(ref->insn, insn);
	CHECK_INT(ref->kind, kind);
	CHECK_INT(ref->index, index);
}

static void a_unit_holds_everything(const struct asm_unit *u)
{
	static const u8 limit[] = {100, 0, 0, 0, 12, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 0, 0};
	const struct asm_func *f = u->funcs;

	CHECK_STR(u->license, "GPL");
	CHECK_INT(u->version, 0x60c00);
	CHECK_INT(u->n_maps, 3);
	CHECK_STR(u->maps[0].name, "counts");
	CHECK_INT(u->maps[0].type, 1);
	CHECK_INT(u->maps[0].key_size, 4);
	CHECK_INT(u->maps[0].value_size, 8);
	CHECK_INT(u->maps[0].max_entries, 12);
	CHECK_INT(u->maps[0].flags, 1);
	CHECK(u->maps[0].pin_by_name && u->maps[0].inner == -1);
	CHECK_INT(u->maps[1].n_slots, 1);
	CHECK_INT(u->maps[1].slots[0].index, 3);
	CHECK_STR(u->maps[1].slots[0].name, "second");
	CHECK(u->maps[2].inner == 0 && u->maps[2].extra == 5);
	CHECK_INT(u->n_datas, 3);
	CHECK_STR(u->datas[0].name, ".rodata");
	CHECK_INT(u->datas[0].size, 24);
	CHECK(!memcmp(u->datas[0].bytes, limit, sizeof(limit)));
	CHECK(u->datas[0].bytes[16] == 0xff && u->datas[0].bytes[23] == 0xff);
	CHECK(u->datas[1].size == 64 && !u->datas[1].bytes);
	CHECK_STR(u->datas[2].name, ".data");
	CHECK_INT(u->n_globals, 3);
	CHECK_INT(u->globals[0].size, 24);
	CHECK_INT(u->n_funcs, 4);
	CHECK_STR(f[0].name, "first");
	CHECK_STR(f[0].section, "xdp");
	CHECK_STR(f[0].type, "xdp");
	CHECK(f[0].program && f[0].global && f[0].line == 13);
	CHECK_INT(f[0].lines[0], 14);
	CHECK_STR(f[1].section, "tracepoint/sched/sched_switch");
	CHECK_STR(f[2].section, ".text");
	CHECK(!f[2].global && !f[2].program && f[3].global);
	CHECK_STR(f[3].section, "other");
	CHECK_INT(u->n_externs, 2);
	CHECK_STR(u->externs[0].name, "bpf_maybe");
	CHECK(u->externs[0].weak && u->externs[0].kfunc && !u->externs[1].weak);
}

static void references_say_what_they_refer_to(const struct asm_unit *u)
{
	const struct asm_func *f = u->funcs;

	CHECK_INT(f[0].n_refs, 8);
	check_ref(&f[0].refs[0], 0, ASM_REF_MAP, 0);
	check_ref(&f[0].refs[1], 2, ASM_REF_VALUE, 0);
	CHECK_INT(f[0].refs[1].addend, 8);
	check_ref(&f[0].refs[2], 4, ASM_REF_GLOBAL, 0);
	CHECK_INT(f[0].insns[4].src_reg, LDDW_MAP_IDX_VALUE);
	CHECK_INT(f[0].insns[4].imm, 3);
	CHECK_INT(f[0].insns[5].imm, 4);
	check_ref(&f[0].refs[3], 6, ASM_REF_GLOBAL, 1);
	CHECK_INT(f[0].insns[6].imm, 4);
	check_ref(&f[0].refs[4], 8, ASM_REF_FUNC, 2);
	check_ref(&f[0].refs[5], 10, ASM_REF_CALL, 3);
	check_ref(&f[0].refs[6], 12, ASM_REF_KFUNC, 0);
	check_ref(&f[0].refs[7], 13, ASM_REF_KSYM, 1);
	CHECK_INT(f[0].insns[11].imm, 1);
	CHECK_INT(f[0].insns[15].src_reg, CALL_LOCAL);
	CHECK_INT(f[0].insns[15].imm, 2);
	CHECK_INT(f[0].insns[16].imm, 2);
	CHECK_INT(f[1].n_refs, 1);
	CHECK_INT(f[2].insns[1].imm, 12);
}

static void linking_brings_what_is_needed(const struct asm_unit *u, struct arena *arena)
{
	struct asm_linked l;

	CHECK_INT(asm_link(u, 0, arena, &l, NULL), 0);
	CHECK_INT(l.n_places, 3);
	CHECK_INT(l.places[1].func, 2);
	CHECK_INT(l.places[2].func, 3);
	CHECK_INT(l.n_insns, 19 + 3 + 1);
	CHECK_INT(l.insns[8].imm, 19 - 8 - 1);
	CHECK_INT(l.insns[10].imm, 22 - 10 - 1);
	CHECK_INT(l.insns[19].imm, 22 - 19 - 1);
	CHECK_INT(l.lines[22], 35);
	CHECK_INT(insns_check(l.insns, l.n_insns, NULL), 0);
	CHECK_INT(asm_link(u, 1, arena, &l, NULL), 0);
	CHECK_INT(l.n_insns, 3);
}

static void a_whole_file(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;

	if (CHECK_INT(assemble(whole, &arena, &unit, &diag), 0)) {
		a_unit_holds_everything(&unit);
		references_say_what_they_refer_to(&unit);
		linking_brings_what_is_needed(&unit, &arena);
	} else {
		fprintf(stderr, "\t%s:%d: %s\n", diag.file, diag.line, diag.text);
	}
	arena_fini(&arena);
}

static void a_text_without_directives_is_main(void)
{
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;

	CHECK_INT(assemble("; a listing\nr0 = 0\nexit", &arena, &unit, NULL), 0);
	CHECK_INT(unit.n_funcs, 1);
	CHECK_STR(unit.funcs[0].name, "main");
	CHECK(!unit.funcs[0].section && !unit.license);
	CHECK_INT(unit.funcs[0].n_insns, 2);
	CHECK_INT(assemble("", &arena, &unit, NULL), 0);
	CHECK_INT(unit.n_funcs, 0);
	arena_fini(&arena);
}

/* Every prefix of a text, and every text with one byte changed, is taken or refused. */
static void damaged_texts_do_no_harm(void)
{
	char text[sizeof(whole)];

	for (size_t i = 0; i < sizeof(whole) - 1; i++) {
		static const char bytes[] = {0,   '\n', '(', '"',       '-',
					     '9', '[',  ':', (char)0xff};
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct arena arena = ARENA_INIT;
		struct asm_unit unit;

		memcpy(text, whole, sizeof(whole));
		text[i] = bytes[i % sizeof(bytes)];
		if (assemble(text, &arena, &unit, &diag))
			CHECK(diag.id && diag.line && diag.text[0]);
		arena_fini(&arena);
	}
}

/* head, then a line n times (%d counts), then tail. */
static void check_large(const char *head, const char *line, int n, const char *tail,
			const char *want)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct text text = TEXT_INIT;
	struct asm_unit unit;

	text_puts(&text, head);
	for (int i = 0; i < n; i++) {
		const char *number = strchr(line, '%');

		text_write(&text, line, number ? (size_t)(number - line) : strlen(line));
		if (number)
			text_printf(&text, "%d%s", i, number + 2);
	}
	text_puts(&text, tail);
	CHECK_INT(assemble(text_str(&text), &arena, &unit, &diag) != 0, want != NULL);
	CHECK_STR(diag.text, want ? want : "");
	text_fini(&text);
	arena_fini(&arena);
}

static void limits_are_named(void)
{
	check_large("goto end\n", "exit\n", 32767, "end: exit\n", NULL);
	check_large("goto end\n", "exit\n", 32768, "end: exit\n",
		    "column 6: the label \"end\" is 32768 slots away, more than the "
		    "offset can "
		    "hold");
	check_large("gotol end\n", "exit\n", 32768, "end: exit\n", NULL);
	check_large("start:", "exit\n", 32768, "if r1 == 0 goto start\n",
		    "column 17: the label \"start\" is -32769 slots away, more than the "
		    "offset "
		    "can hold");
	check_large("", "exit\n", MAX_INSNS + 1, "", "instructions: more than 1000000");
	check_large("", "1:\n", MAX_INSNS + 1, "", "labels: more than 1000000");
	check_large("", "call f\n", (1 << 18) + 1, "", "references: more than 262144");
	check_large("", ".equ a%d, 1\n", (1 << 16) + 1, "", "names: more than 65536");
	check_large("", ".var a%d zero 16777216\n", 2, "",
		    "bytes of globals: more than 16777216");
}

/* A case: lines of text, then "-- LINE: message" or "-- ok". */
static void run_case(const char *text, const char *want)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;
	char got[512] = "ok";

	if (assemble(text, &arena, &unit, &diag))
		snprintf(got, sizeof(got), "%d: %s", diag.line, diag.text);
	if (!CHECK_STR(got, want))
		fprintf(stderr, "%s", text);
	arena_fini(&arena);
}

static void messages_name_the_place(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024], text[4096] = "";
	int n = 0;

	if (!CHECK(file))
		return;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "-- ", 3)) {
			if (strlen(text) + strlen(line) < sizeof(text))
				strcat(text, line);
			continue;
		}
		line[strcspn(line, "\n")] = 0;
		run_case(text, line + 3);
		text[0] = 0;
		n++;
	}
	fclose(file);
	CHECK(n > 50);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	a_whole_file();
	a_text_without_directives_is_main();
	damaged_texts_do_no_harm();
	limits_are_named();
	messages_name_the_place(argv[1]);
	return check_report();
}
