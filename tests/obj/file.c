/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the bytes of an object file: headers of sections last, as they are known then.
 */
#include "file.h"

#include <stdlib.h>
#include <string.h>

void put(struct text *t, u64 value, u32 size)
{
	for (u32 i = 0; i < size; i++) {
		u8 byte = i < 8 ? (u8)(value >> 8 * i) : 0;

		text_write(t, &byte, 1);
	}
}

struct part *add_part(struct file *f, const char *name, u32 type, u32 flags)
{
	struct part *p = &f->parts[f->n++];

	*p = (struct part){.name = name, .type = type, .flags = flags};
	return p;
}

void file_begin(struct file *f)
{
	f->parts = calloc(MAX_SECTIONS + 8, sizeof(*f->parts));
	f->n = 1;
	struct part *symbols = add_part(f, ".symtab", ELF_SYMTAB, 0);

	symbols->link = 2;
	for (u32 i = 0; i < ELF_SYMBOL_SIZE; i++)
		put(&symbols->data, 0, 1);
	put(&add_part(f, ".strtab", ELF_STRTAB, 0)->data, 0, 1);
}

u32 add_name(struct file *f, const char *name)
{
	struct text *names = &f->parts[2].data;
	u32 off = (u32)names->len;

	text_write(names, name, strlen(name) + 1);
	return off;
}

void add_symbol(struct file *f, const struct symbol *s)
{
	struct text *t = &f->parts[1].data;

	put(t, s->name, 4);
	put(t, (s->local ? ELF_LOCAL : ELF_GLOBAL) << 4 | s->type, 1);
	put(t, 0, 1);
	put(t, s->section, 2);
	put(t, s->value, 8);
	put(t, s->size, 8);
}

void add_insn(struct part *p, const struct insn *insn)
{
	u8 slot[INSN_SIZE];

	insn_write(slot, insn, false);
	text_write(&p->data, slot, sizeof(slot));
}

struct part *add_code(struct file *f, const char *name, u32 n_insns)
{
	struct part *p = add_part(f, name, ELF_PROGBITS, ELF_ALLOC | ELF_EXECINSTR);

	for (u32 i = 0; i + 1 < n_insns; i++)
		add_insn(p, &insn_set_0);
	add_insn(p, &insn_exit);
	return p;
}

struct part *add_relocs(struct file *f, const char *name, u32 section)
{
	struct part *p = add_part(f, name, ELF_REL, 0);

	p->link = 1;
	p->info = section;
	return p;
}

void add_reloc(struct part *p, u64 offset, u32 symbol, u32 type)
{
	put(&p->data, offset, 8);
	put(&p->data, type | (u64)symbol << 32, 8);
}

struct text file_finish(struct file *f)
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
