/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Relocations that compilers do not make, or make in one case of many: other types,
 * addends of their own, places inside of instructions, targets outside of everything.
 *
 * Each case is one relocation in the program of an object that has a variable and a
 * function in .text.
 */
#include <stdlib.h>

#include "check.h"
#include "file.h"
#include "isa/insn.h"
#include "obj/object.h"

enum { DATA = 3, TEXT = 4, XDP = 5, ARENA = 6 }; /* sections */
enum {
	OF_DATA = 1, /* symbols */
	VAR,
	OF_TEXT,
	FUNC,
	PROG,
	FAR, /* at the end of all numbers */
	NEGATIVE,
	IN_ARENA,
};

struct reloc_case {
	const char *what;
	u64 offset; /* 0: the load in slot 0; 16: the call in slot 2 */
	u32 symbol, type;
	s32 imm; /* of the instruction */
	bool rela;
	s64 addend;
	const char *want; /* "name+offset" it points to, or what is wrong */
};

static const struct reloc_case cases[] = {
	{"a variable", 0, VAR, 1, 0, false, 0, "var+8"},
	{"a variable and an addend", 0, VAR, 1, 4, false, 0, "var+12"},
	{"a variable by its section", 0, OF_DATA, 1, 8, false, 0, "var+8"},
	{"inside of a variable by its section", 0, OF_DATA, 1, 12, false, 0, "var+12"},
	{"no variable, but its section", 0, OF_DATA, 1, 0, false, 0, ".data+0"},
	{"an addend of its own", 0, VAR, 1, 77, true, 4, "var+12"},
	{"an addend of its own before the section", 0, VAR, 1, 0, true, -9,
	 "points outside of it"},
	{"a variable, too far", 0, VAR, 1, 9, false, 0, "points outside of it"},
	{"a variable, too far back", 0, VAR, 1, -9, false, 0, "points outside of it"},
	{"a symbol at the end of all numbers", 0, FAR, 1, INT32_MAX, false, 0,
	 "is about no map and no variable"},
	{"a symbol at the start of negative numbers", 0, NEGATIVE, 1, -1, false, 0,
	 "is about no map and no variable"},
	{"a function", 16, FUNC, 10, -1, false, 0, "func"},
	{"a function by its section", 16, OF_TEXT, 10, 1, false, 0, "func"},
	{"a function with an addend of its own", 16, OF_TEXT, 10, -1, true, 16, "func"},
	{"the middle of a function", 16, FUNC, 10, 0, false, 0,
	 "no function at .text+24"},
	{"half an instruction", 16, OF_TEXT, 10, -1, true, 20, "no function at .text+20"},
	{"before all functions", 16, FUNC, 10, -100, false, 0, "no function at .text+"},
	{"the address of a function", 0, FUNC, 1, 0, false, 0, "func"},
	{"nothing", 0, VAR, 0, 5, false, 0, ""},
	{"data's type in code", 0, VAR, 2, 0, false, 0, "is of a type"},
	{"a call's type at a load", 0, VAR, 10, 0, false, 0, "is of a type"},
	{"a load's type at a call", 16, FUNC, 1, -1, false, 0, "is of a type"},
	{"an unknown type", 0, VAR, 256, 0, false, 0, "is of a type"},
	{"a large type", 0, VAR, 0x80000001, 0, false, 0, "is of a type"},
	{"the second slot of a load", 8, VAR, 1, 0, false, 0, "inside of an instruction"},
	{"the middle of a slot", 4, VAR, 1, 0, false, 0, "inside of an instruction"},
	{"an instruction without address", 24, VAR, 1, 0, false, 0, "takes no address"},
	{"a call of a variable", 16, VAR, 10, -1, false, 0, "is no function"},
	{"an arena that nobody declares", 0, IN_ARENA, 1, 0, false, 0,
	 ".maps declares no arena"},
};

static void add_symbols(struct file *f)
{
	const struct symbol symbols[] = {
		{0, DATA, ELF_SECTION, 0, 0, true},
		{add_name(f, "var"), DATA, ELF_OBJECT, 8, 8, false},
		{0, TEXT, ELF_SECTION, 0, 0, true},
		{add_name(f, "func"), TEXT, ELF_FUNC, 16, 16, false},
		{add_name(f, "prog"), XDP, ELF_FUNC, 0, 40, false},
		{add_name(f, "far"), DATA, ELF_NOTYPE, INT64_MAX, 0, false},
		{add_name(f, "negative"), DATA, ELF_NOTYPE, 1ull << 63, 0, false},
		{add_name(f, "shared"), ARENA, ELF_OBJECT, 0, 8, false},
	};

	for (u32 i = 0; i < ARRAY_SIZE(symbols); i++)
		add_symbol(f, &symbols[i]);
}

static struct text make(const struct reloc_case *c)
{
	const bool at_call = c->offset == 16;
	const struct insn code[] = {
		{.code = 0x18, .dst_reg = 1, .imm = at_call ? 0 : c->imm},
		{0},
		{.code = 0x85,
		 .src_reg = at_call ? CALL_LOCAL : 0,
		 .imm = at_call ? c->imm : 5},
		insn_set_0,
		insn_exit,
	};
	struct file f;

	file_begin(&f);
	add_symbols(&f);
	put(&add_part(&f, ".data", ELF_PROGBITS, ELF_ALLOC | ELF_WRITE)->data, 0, 16);
	add_insn(add_code(&f, ".text", 3), &insn_exit);
	struct part *xdp = add_part(&f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	for (u32 i = 0; i < ARRAY_SIZE(code); i++)
		add_insn(xdp, &code[i]);
	put(&add_part(&f, ".addr_space.1", ELF_PROGBITS, ELF_ALLOC | ELF_WRITE)->data, 0,
	    8);
	struct part *rel = add_relocs(&f, ".relxdp", XDP);
	add_reloc(rel, c->offset, c->symbol, c->type);
	if (c->rela) {
		rel->type = ELF_RELA;
		put(&rel->data, (u64)c->addend, 8);
	}
	return file_finish(&f);
}

/* Where the only relocation of the program points to now. */
static void say(const struct object_prog *p, char *out, size_t size)
{
	const struct object_reloc *rel = p->relocs;
	const struct insn *insn = p->n_relocs ? &p->prog.insns[rel->insn] : NULL;

	*out = 0;
	if (p->err)
		snprintf(out, size, "%s", p->diag.text);
	else if (insn && rel->kind == OBJECT_RELOC_DATA)
		snprintf(out, size, "%s+%d", rel->name, insn[1].imm);
	else if (insn) {
		const struct subprog *sub =
			prog_subprog(&p->prog, rel->insn + 1 + (u32)insn->imm);

		CHECK(sub && sub->start == rel->insn + 1 + (u32)insn->imm);
		snprintf(out, size, "%s", sub ? sub->name : "?");
	}
}

static void run(const struct reloc_case *c)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text bytes = make(c);
	struct object *obj;
	char got[512] = "";

	if (!CHECK(!object_open((struct bytes){(const u8 *)bytes.s, bytes.len}, NULL,
				&obj, &diag))) {
		fprintf(stderr, "\t%s: %s\n", c->what, diag.text);
		text_fini(&bytes);
		return;
	}
	CHECK_INT(obj->n_progs, 1);
	say(&obj->progs[0], got, sizeof(got));
	if (!CHECK(obj->progs[0].err ? *c->want && strstr(got, c->want)
				     : !strcmp(got, c->want)))
		fprintf(stderr, "\t%s: wanted \"%s\", got \"%s\"\n", c->what, c->want,
			got);
	object_free(obj);
	text_fini(&bytes);
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		run(&cases[i]);
	return check_report();
}
