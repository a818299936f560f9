/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files that ask for much work: each is opened or refused within a second, with
 * little memory.  They are put together here, section by section.
 */
#include <stdlib.h>
#include <time.h>

#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "obj/elf.h"
#include "obj/object.h"

enum { MAX_MS = 1000, MAX_MB = 64, MAX_SECTIONS = 40000 };

struct part {
	const char *name;
	u32 type, flags, link, info;
	struct text data;
	u64 size; /* of ELF_NOBITS */
};

/* An object file on its way.  Sections 1 and 2 are symbols and their names. */
struct file {
	struct part *parts;
	u32 n;
};

static void put(struct text *t, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++) {
		u8 byte = (u8)(value >> 8 * i);

		text_write(t, &byte, 1);
	}
}

static struct part *add_part(struct file *f, const char *name, u32 type, u32 flags)
{
	struct part *p = &f->parts[f->n++];

	*p = (struct part){.name = name, .type = type, .flags = flags};
	return p;
}

static void begin(struct file *f)
{
	f->parts = calloc(MAX_SECTIONS + 8, sizeof(*f->parts));
	f->n = 1;
	struct part *symbols = add_part(f, ".symtab", ELF_SYMTAB, 0);

	symbols->link = 2;
	for (u32 i = 0; i < ELF_SYMBOL_SIZE; i++)
		put(&symbols->data, 0, 1);
	put(&add_part(f, ".strtab", ELF_STRTAB, 0)->data, 0, 1);
}

static u32 add_name(struct file *f, const char *name)
{
	struct text *names = &f->parts[2].data;
	u32 off = (u32)names->len;

	text_write(names, name, strlen(name) + 1);
	return off;
}

struct symbol {
	u32 name, section;
	u8 type;
	u64 value, size;
};

static void add_symbol(struct file *f, const struct symbol *s)
{
	struct text *t = &f->parts[1].data;

	put(t, s->name, 4);
	put(t, ELF_GLOBAL << 4 | s->type, 1);
	put(t, 0, 1);
	put(t, s->section, 2);
	put(t, s->value, 8);
	put(t, s->size, 8);
}

static void add_insn(struct part *p, const struct insn *insn)
{
	u8 slot[INSN_SIZE];

	insn_write(slot, insn, false);
	text_write(&p->data, slot, sizeof(slot));
}

static const struct insn set_0 = {.code = 0xb7};
static const struct insn leave = {.code = 0x95};

static struct part *add_code(struct file *f, const char *name, u32 n_insns)
{
	struct part *p = add_part(f, name, ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);

	for (u32 i = 0; i + 1 < n_insns; i++)
		add_insn(p, &set_0);
	add_insn(p, &leave);
	return p;
}

static struct text finish(struct file *f)
{
	struct text out = TEXT_INIT, headers = TEXT_INIT, names = TEXT_INIT;
	u32 names_at = f->n;

	add_part(f, ".shstrtab", ELF_STRTAB, 0);
	put(&names, 0, 1);
	for (u32 i = 0; i < ELF_HEADER_SIZE; i++)
		put(&out, 0, 1);
	for (u32 i = 0; i < ELF_SECTION_SIZE; i++)
		put(&headers, 0, 1);
	for (u32 i = 1; i < f->n; i++) {
		struct part *p = &f->parts[i];
		u32 name = (u32)names.len;

		text_write(&names, p->name, strlen(p->name) + 1);
		if (i == names_at)
			p->data = names;
		put(&headers, name, 4);
		put(&headers, p->type, 4);
		put(&headers, p->flags, 8);
		put(&headers, 0, 8);
		put(&headers, out.len, 8);
		put(&headers, p->size ? p->size : p->data.len, 8);
		put(&headers, p->link, 4);
		put(&headers, p->info, 4);
		put(&headers, 8, 8);
		put(&headers, 0, 8);
		text_write(&out, text_str(&p->data), p->data.len);
		text_fini(&p->data);
	}
	u8 *h = (u8 *)out.s;
	u64 at = out.len;

	memcpy(h, "\177ELF\2\1\1", 7);
	h[16] = 1;
	h[18] = ELF_MACHINE_BPF;
	for (u32 i = 0; i < 8; i++)
		h[40 + i] = (u8)(at >> 8 * i);
	h[58] = ELF_SECTION_SIZE;
	h[60] = (u8)f->n;
	h[61] = (u8)(f->n >> 8);
	h[62] = (u8)names_at;
	h[63] = (u8)(names_at >> 8);
	text_write(&out, headers.s, headers.len);
	text_fini(&headers);
	free(f->parts);
	return out;
}

/* ---- the files ---- */

static void many_programs_on_the_same_code(struct file *f)
{
	add_code(f, "xdp", 20000);
	struct symbol s = {
		.name = add_name(f, "p"), .section = 3, .type = ELF_FUNC, .size = 160000};

	for (u32 i = 0; i < 200000; i++)
		add_symbol(f, &s);
}

static void programs_that_call_each_other_in_a_chain(struct file *f)
{
	struct part *p = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	const struct insn call_next = {.code = 0x85, .src_reg = CALL_LOCAL, .imm = 1};

	for (u32 i = 0; i < 8000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", i);
		add_insn(p, i < 7999 ? &call_next : &set_0);
		add_insn(p, &leave);
		struct symbol s = {add_name(f, name), 3, ELF_FUNC, 16ull * i, 16};
		add_symbol(f, &s);
	}
}

static void programs_that_share_a_large_function(struct file *f)
{
	add_code(f, ".text", 60000);
	struct part *p = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	struct part *rel = add_part(f, ".relxdp", ELF_REL, 0);
	const struct insn call = {.code = 0x85, .src_reg = CALL_LOCAL, .imm = -1};
	struct symbol big = {add_name(f, "big"), 3, ELF_FUNC, 0, 480000};
	u32 name = add_name(f, "p");

	rel->link = 1;
	rel->info = 4;
	add_symbol(f, &big);
	for (u32 i = 0; i < 5000; i++) {
		struct symbol s = {name, 4, ELF_FUNC, 16ull * i, 16};

		add_insn(p, &call);
		add_insn(p, &leave);
		add_symbol(f, &s);
		put(&rel->data, 16ull * i, 8);
		put(&rel->data, 10 | 1ull << 32, 8);
	}
}

static void many_maps_and_references(struct file *f)
{
	struct part *maps = add_part(f, "maps", ELF_PROGBITS, ELF_ALLOC | ELF_WRITE);
	struct part *code = add_part(f, "xdp", ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);
	struct part *rel = add_part(f, ".relxdp", ELF_REL, 0);
	const struct insn load[2] = {{.code = 0x18, .dst_reg = 1}};

	rel->link = 1;
	rel->info = 4;
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
		put(&rel->data, 16ull * i, 8);
		put(&rel->data, 1 | (u64)(1 + i % 8000) << 32, 8);
	}
	add_insn(code, &set_0);
	add_insn(code, &leave);
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
	for (u32 i = 0; i < 150000; i++) {
		struct symbol s = {1 + i, 3, ELF_FUNC, 0, 16};
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
#ifndef __SANITIZE_ADDRESS__
	CHECK(ms < MAX_MS);
#endif
	CHECK(extra >> 20 < MAX_MB);
	if (!err)
		object_free(obj);
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		struct file f;

		begin(&f);
		files[i].make(&f);
		struct text bytes = finish(&f);
		CHECK(!text_failed(&bytes));
		open_file(files[i].name, &bytes);
		text_fini(&bytes);
	}
	return check_report();
}
