/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files that ask for much work: each is opened or refused within a second, with
 * little memory.
 */
#include <stdlib.h>
#include <time.h>

#include "base/diag.h"
#include "btf/writer.h"
#include "check.h"
#include "file.h"
#include "obj/object.h"

enum { MAX_MS = 1000, MAX_MB = 64 };

/* ---- the files ---- */

static void many_programs_on_the_same_code(struct file *f)
{
	add_code(f, "xdp", 20000);
	struct symbol s = {
		.name = add_name(f, "p"), .section = 3, .type = ELF_FUNC, .size = 160000};

	for (u32 i = 0; i < 100000; i++)
		add_symbol(f, &s);
}

static void programs_that_call_each_other_in_a_chain(struct file *f)
{
	struct part *p = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	const struct insn call_next = {.code = 0x85, .src_reg = CALL_LOCAL, .imm = 1};

	for (u32 i = 0; i < 8000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		add_insn(p, i < 7999 ? &call_next : &insn_set_0);
		add_insn(p, &insn_exit);
		struct symbol s = {add_name(f, name), 3, ELF_FUNC, 16ull * i, 16};
		add_symbol(f, &s);
	}
}

static void programs_that_share_a_large_function(struct file *f)
{
	add_code(f, ".text", 60000);
	struct part *p = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	struct part *rel = add_relocs(f, ".relxdp", 4);
	const struct insn call = {.code = 0x85, .src_reg = CALL_LOCAL, .imm = -1};
	struct symbol big = {add_name(f, "big"), 3, ELF_FUNC, 0, 480000};
	u32 name = add_name(f, "p");

	add_symbol(f, &big);
	for (u32 i = 0; i < 5000; i++) {
		struct symbol s = {name, 4, ELF_FUNC, 16ull * i, 16};

		add_insn(p, &call);
		add_insn(p, &insn_exit);
		add_symbol(f, &s);
		add_reloc(rel, 16ull * i, 1, 10);
	}
}

static void many_maps_and_references(struct file *f)
{
	struct part *maps = add_part(f, "maps", ELF_PROGBITS, ELF_ALLOC | ELF_WRITE);
	struct part *code = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	struct part *rel = add_relocs(f, ".relxdp", 4);
	const struct insn load[2] = {{.code = 0x18, .dst_reg = 1}};

	for (u32 i = 0; i < 8000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%u", i);
		struct symbol s = {add_name(f, name), 3, ELF_OBJECT, 20ull * i, 20};
		add_symbol(f, &s);
		for (u32 k = 0; k < 5; k++)
			put(&maps->data, k < 4 ? 1 : 0, 4);
	}
	for (u32 i = 0; i < 300000; i++) {
		add_insn(code, &load[0]);
		add_insn(code, &load[1]);
		add_reloc(rel, 16ull * i, 1 + i % 8000, 1);
	}
	add_insn(code, &insn_set_0);
	add_insn(code, &insn_exit);
}

static void many_sections_of_one_name(struct file *f)
{
	for (u32 i = 0; i < MAX_SECTIONS; i++)
		add_code(f, "xdp", 2);
}

static void names_without_end(struct file *f)
{
	struct text *names = &f->parts[2].data;

	add_code(f, "xdp", 2);
	for (u32 i = 0; i < 1000000; i++)
		text_write(names, "abcd", 4);
	put(names, 0, 1);
	for (u32 i = 0; i < 100000; i++) {
		struct symbol s = {1 + i, 3, ELF_FUNC, 0, 16};
		add_symbol(f, &s);
	}
}

static void long_names(struct file *f)
{
	struct text *names = &f->parts[2].data;

	add_code(f, "xdp", 2);
	for (u32 i = 0; i < 200000; i++)
		put(names, i % 4000 ? 'a' : 0, 1);
	put(names, 0, 1);
	for (u32 i = 0; i < 20000; i++) {
		struct symbol s = {1 + 7 * i, 3, ELF_FUNC, 0, 16};
		add_symbol(f, &s);
	}
}

static void many_externs(struct file *f)
{
	add_code(f, "xdp", 2);
	for (u32 i = 0; i < 150000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "e%u", i);
		struct symbol s = {.name = add_name(f, name)};
		add_symbol(f, &s);
	}
}

static void zeroes_without_end(struct file *f)
{
	add_code(f, "xdp", 2);
	add_part(f, ".bss", ELF_NOBITS, ELF_ALLOC | ELF_WRITE)->size = INT32_MAX;
	struct symbol s = {add_name(f, "zeroes"), 4, ELF_OBJECT, 0, INT32_MAX};
	add_symbol(f, &s);
}

/* ---- types ---- */

static void add_btf(struct file *f, struct btf_writer *w)
{
	struct part *p = add_part(f, ".BTF", ELF_PROGBITS, 0);

	CHECK(!btf_writer_finish(w, &p->data, NULL));
	btf_writer_fini(w);
}

/* Declares variables m0, m1, ... of that type, each as large as all of .maps; they are
 * symbols 1, 2, ...  Returns the section. */
static u32 add_maps(struct file *f, struct btf_writer *w, u32 type, u32 n, u32 size)
{
	struct part *maps = add_part(f, ".maps", ELF_PROGBITS, ELF_ALLOC | ELF_WRITE);
	u32 section = f->n - 1, *vars = calloc(n, sizeof(*vars));

	for (u32 i = 0; i < size; i++)
		put(&maps->data, 0, 1);
	for (u32 i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%u", i);
		struct symbol s = {
			add_name(f, name), section, ELF_OBJECT, 0, size, false};
		add_symbol(f, &s);
		vars[i] = btf_add_var(w, name, type, BTF_GLOBAL);
	}
	btf_add_section(w, ".maps", size);
	for (u32 i = 0; i < n; i++)
		btf_put_secvar(w, vars[i], 0, size);
	free(vars);
	return section;
}

/* The type of int (*member)[n]: what __uint(member, n) makes. */
static u32 add_number(struct btf_writer *w, u32 integer, u32 n)
{
	return btf_add_ref(w, BTF_PTR, "", btf_add_array(w, integer, integer, n));
}

static void maps_with_each_others_slots(struct file *f)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	u32 integer = btf_add_int(&w, "int", 4, BTF_SIGNED);
	u32 type = add_number(&w, integer, 3);
	u32 proto = btf_add_proto(&w, integer);
	u32 function = btf_add_ref(&w, BTF_PTR, "", proto);
	u32 values = btf_add_array(&w, function, integer, 0);
	u32 map = btf_add_composite(&w, BTF_STRUCT, "", 16);

	btf_put_member(&w, &(struct btf_member){"type", type, 0, 0});
	btf_put_member(&w, &(struct btf_member){"values", values, 64, 0});
	u32 section = add_maps(f, &w, map, 8000, 1 << 20);
	add_btf(f, &w);
	add_code(f, "xdp", 2);
	struct symbol prog = {add_name(f, "prog"), f->n - 1, ELF_FUNC, 0, 16, false};
	add_symbol(f, &prog);
	struct part *rel = add_relocs(f, ".rel.maps", section);
	for (u32 i = 1; i < 1 << 17; i++)
		add_reloc(rel, 8ull * i, 8001, 2);
}

static void maps_with_many_members(struct file *f)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	u32 type = add_number(&w, btf_add_int(&w, "int", 4, BTF_SIGNED), 1);
	u32 map = btf_add_composite(&w, BTF_STRUCT, "", 16);

	for (u32 i = 0; i < 65535; i++)
		btf_put_member(&w, &(struct btf_member){"max_entries", type, 0, 0});
	add_maps(f, &w, map, 8000, 32);
	add_btf(f, &w);
	add_code(f, "xdp", 2);
}

static void values_with_many_members(struct file *f)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	u32 integer = btf_add_int(&w, "int", 4, BTF_SIGNED);
	u32 type = add_number(&w, integer, 1);
	btf_add_composite(&w, BTF_STRUCT, "bpf_spin_lock", 4);
	u32 value = btf_add_composite(&w, BTF_STRUCT, "value", 16);

	for (u32 i = 0; i < 65535; i++)
		btf_put_member(&w, &(struct btf_member){"x", integer, 0, 0});
	u32 pointer = btf_add_ref(&w, BTF_PTR, "", value);
	u32 map = btf_add_composite(&w, BTF_STRUCT, "", 16);

	btf_put_member(&w, &(struct btf_member){"type", type, 0, 0});
	btf_put_member(&w, &(struct btf_member){"value", pointer, 64, 0});
	add_maps(f, &w, map, 8000, 32);
	add_btf(f, &w);
	add_code(f, "xdp", 2);
}

static void types_of_one_name(struct file *f)
{
	struct btf_writer w;
	struct symbol s = {add_name(f, "same"), 3, ELF_FUNC, 0, 16, false};

	btf_writer_init(&w, NULL, false);
	for (u32 i = 0; i < 300000; i++)
		btf_add_int(&w, "same", 4, 0);
	add_code(f, "xdp", 2);
	for (u32 i = 0; i < 150000; i++)
		add_symbol(f, &s);
	add_btf(f, &w);
}

static void types_with_names_without_end(struct file *f)
{
	enum { TYPES = 200000, LETTERS = 4000000 };
	struct part *p = add_part(f, ".BTF", ELF_PROGBITS, 0);
	const u32 header[] = {0x0001eb9f, 24, 0, TYPES * 12, TYPES * 12, LETTERS + 2};

	for (u32 i = 0; i < ARRAY_SIZE(header); i++)
		put(&p->data, header[i], 4);
	for (u32 i = 0; i < TYPES; i++) {
		put(&p->data, 1 + i, 4);
		put(&p->data, (u32)BTF_FLOAT << 24, 4);
		put(&p->data, 4, 4);
	}
	put(&p->data, 0, 1);
	for (u32 i = 0; i < LETTERS; i++)
		put(&p->data, 'a', 1);
	put(&p->data, 0, 1);
	add_code(f, "xdp", 2);
}

/* Functions that overlap, and all relocations in what they share. */
static void functions_with_the_same_relocations(struct file *f)
{
	enum { FUNCS = 2000, RELOS = 200000 };
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	u32 name = btf_add_string(&w, "xdp"), access = btf_add_string(&w, "0");
	btf_add_int(&w, "int", 4, BTF_SIGNED);
	struct part *p = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	for (u32 i = 0; i < FUNCS; i++) {
		const struct insn call = {
			.code = 0x85, .src_reg = CALL_LOCAL, .imm = (s32)(FUNCS - 2 - i)};
		struct symbol s = {add_name(f, "f"),       3,    ELF_FUNC, 8ull * i,
				   8ull * (FUNCS + 1 - i), false};

		add_insn(p, i ? &insn_set_0 : &call);
		add_symbol(f, &s);
	}
	add_insn(p, &insn_exit);
	struct part *ext = add_part(f, ".BTF.ext", ELF_PROGBITS, 0);
	const u32 header[] = {0x0001eb9f,      32, 0,    0,    0, 0, 0,
			      12 + 16 * RELOS, 16, name, RELOS};
	for (u32 i = 0; i < ARRAY_SIZE(header); i++)
		put(&ext->data, header[i], 4);
	for (u32 i = 0; i < RELOS; i++) {
		put(&ext->data, 8 * (FUNCS - 1), 4);
		put(&ext->data, 1, 4);
		put(&ext->data, access, 4);
		put(&ext->data, 6, 4);
	}
	add_btf(f, &w);
}

/* ---- */

static const struct {
	const char *name;
	void (*make)(struct file *f);
} files[] = {
#define FILE_OF(what)                                                                    \
	{                                                                                \
#what, what                                                              \
	}
	FILE_OF(many_programs_on_the_same_code),
	FILE_OF(programs_that_call_each_other_in_a_chain),
	FILE_OF(programs_that_share_a_large_function),
	FILE_OF(many_maps_and_references),
	FILE_OF(many_sections_of_one_name),
	FILE_OF(names_without_end),
	FILE_OF(long_names),
	FILE_OF(many_externs),
	FILE_OF(zeroes_without_end),
	FILE_OF(maps_with_each_others_slots),
	FILE_OF(maps_with_many_members),
	FILE_OF(values_with_many_members),
	FILE_OF(types_of_one_name),
	FILE_OF(types_with_names_without_end),
	FILE_OF(functions_with_the_same_relocations),
};

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

static void open_file(const char *name, const struct text *bytes)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct object *obj;
	u64 start = now_ms();
	int err = object_open((struct bytes){(const u8 *)bytes->s, bytes->len}, NULL,
			      &obj, &diag);
	u64 ms = now_ms() - start;
	u64 extra = err ? 0 : obj->arena.total - bytes->len;

	printf("%-44s %5.1f MB: %4llu ms, %3llu MB more; %s\n", name,
	       (double)bytes->len / 1e6, (unsigned long long)ms,
	       (unsigned long long)extra >> 20, err ? diag.text : "opened");
	CHECK(!err || diag.text[0]);
	CHECK(CHECK_IS_SANITIZED || ms < (check_is_emulated() ? 10 * MAX_MS : MAX_MS));
	CHECK(extra >> 20 < MAX_MB);
	if (!err)
		object_free(obj);
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		struct file f;

		file_begin(&f);
		files[i].make(&f);
		struct text bytes = file_finish(&f);
		CHECK(!text_failed(&bytes));
		open_file(files[i].name, &bytes);
		text_fini(&bytes);
	}
	return check_report();
}
