/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .BTF.ext: which function, which source line and which CO-RE relocation belongs to an
 * instruction.
 *
 * Three lists of the same build: a record size, then for each ELF section its name, a
 * count and the records.  They are copied out into arrays of the host's byte order;
 * records longer than known are cut to what is known, as newer compilers may append
 * fields.  Whether insn_off lies in the section is for the reader of the object to check.
 * Kernel documentation: bpf/btf.rst, section 4.
 */
#include "base/arena.h"
#include "base/diag.h"
#include "btf/btf.h"

enum { MAGIC = 0xeb9f, HEADER_SIZE = 24, SECTION_HEADER = 8 };

/* One of the three lists. */
struct list {
	const char *what;  /* for messages */
	u32 header_field;  /* where the header says its offset; its length follows */
	u32 known;         /* bytes of a record that we read */
	struct bytes data; /* without the record size */
	u32 record_size;
	u32 n_sections, n_records;
};

/* Reads list after list out of one .BTF.ext. */
struct reader {
	struct bytes data;
	const struct btf *btf;
	u32 header;
	bool big_endian;
};

static u32 u32_at(const struct reader *r, const u8 *p)
{
	return load_u32_of(p, r->big_endian);
}

static int open_list(const struct reader *r, struct list *l, struct skep_diag *diag)
{
	if (l->header_field + 8 > r->header)
		return 0;
	u32 off = u32_at(r, r->data.data + l->header_field);
	u32 len = u32_at(r, r->data.data + l->header_field + 4);
	struct bytes body = {r->data.data + r->header, r->data.len - r->header};

	if (!len)
		return 0;
	l->data = bytes_slice(body, off, len);
	if (!l->data.data || len < 4)
		return fail(diag, BTF_EXT, NO_PC, l->what, "it lies outside");
	l->record_size = u32_at(r, l->data.data);
	if (l->record_size < l->known || l->record_size % 4)
		return fail(diag, BTF_EXT, NO_PC, l->what, "its record size is wrong");
	l->data = bytes_slice(l->data, 4, len - 4);
	return 0;
}

/* The section at *off: its name and its records; moves *off behind it. */
static int next_section(const struct reader *r, const struct list *l, u64 *off,
			struct btf_ext_section *s, struct bytes *records,
			struct skep_diag *diag)
{
	struct bytes head = bytes_slice(l->data, *off, SECTION_HEADER);

	if (!head.data)
		return fail(diag, BTF_EXT, NO_PC, l->what, "a section is cut off");
	s->name = btf_string(r->btf, u32_at(r, head.data));
	s->n = u32_at(r, head.data + 4);
	if (!s->name)
		return fail(diag, BTF_EXT, NO_PC, l->what,
			    "a section's name lies outside the strings");
	*records =
		bytes_slice(l->data, *off + SECTION_HEADER, (u64)s->n * l->record_size);
	if (!records->data)
		return fail(diag, BTF_EXT, NO_PC, l->what, "its records are cut off");
	*off += SECTION_HEADER + records->len;
	return 0;
}

static int count_list(const struct reader *r, struct list *l, struct skep_diag *diag)
{
	for (u64 off = 0; off < l->data.len; l->n_sections++) {
		struct btf_ext_section s;
		struct bytes records;
		int err = next_section(r, l, &off, &s, &records, diag);

		if (err)
			return err;
		l->n_records += s.n;
	}
	return 0;
}

typedef int (*take_fn)(const struct reader *r, const u8 *record, void *out,
		       struct skep_diag *diag);

static int take_func(const struct reader *r, const u8 *record, void *out,
		     struct skep_diag *diag)
{
	struct btf_func_info *f = out;

	f->insn_off = u32_at(r, record);
	f->type = u32_at(r, record + 4);
	if (btf_kind(r->btf, f->type) != BTF_FUNC)
		return fail(diag, BTF_EXT, NO_PC, "func_info",
			    "a function's type is no function");
	return 0;
}

static int take_line(const struct reader *r, const u8 *record, void *out,
		     struct skep_diag *diag)
{
	struct btf_line_info *l = out;
	u32 place = u32_at(r, record + 12);

	l->insn_off = u32_at(r, record);
	l->file = btf_string(r->btf, u32_at(r, record + 4));
	l->text = btf_string(r->btf, u32_at(r, record + 8));
	l->line = place >> 10;
	l->column = place & 0x3ff;
	if (!l->file || !l->text)
		return fail(diag, BTF_EXT, NO_PC, "line_info",
			    "a file's name or a line lies outside the strings");
	return 0;
}

static int take_relo(const struct reader *r, const u8 *record, void *out,
		     struct skep_diag *diag)
{
	struct btf_core_relo *c = out;

	c->insn_off = u32_at(r, record);
	c->type = u32_at(r, record + 4);
	c->access = btf_string(r->btf, u32_at(r, record + 8));
	c->kind = u32_at(r, record + 12);
	if (!c->access || c->type >= btf_count(r->btf))
		return fail(diag, BTF_EXT, NO_PC, "core_relo",
			    "a relocation's type or access string does not exist");
	return 0;
}

/* Where the elements of a list go. */
struct sink {
	take_fn take;
	size_t elem_size;
	u8 *elems;
	struct btf_ext_section *sections;
};

static int take_list(const struct reader *r, const struct list *l, struct sink *sink,
		     struct skep_diag *diag)
{
	u64 off = 0;
	u32 n = 0;

	for (u32 i = 0; i < l->n_sections; i++) {
		struct btf_ext_section *s = &sink->sections[i];
		struct bytes records;
		int err = next_section(r, l, &off, s, &records, diag);

		s->first = n;
		for (u32 k = 0; !err && k < s->n; k++, n++)
			err = sink->take(r, records.data + (size_t)k * l->record_size,
					 sink->elems + n * sink->elem_size, diag);
		if (err)
			return diag_in(diag, err, "section %s", s->name ? s->name : "?");
	}
	return 0;
}

static int read_list(struct arena *a, const struct reader *r, struct list *l,
		     struct sink *sink, struct skep_diag *diag)
{
	int err = open_list(r, l, diag);

	if (!err)
		err = count_list(r, l, diag);
	if (err)
		return err;
	sink->elems = arena_array(a, l->n_records, sink->elem_size);
	sink->sections = arena_array(a, l->n_sections, sizeof(*sink->sections));
	if (!sink->elems || !sink->sections)
		return fail(diag, NO_MEMORY, NO_PC);
	return take_list(r, l, sink, diag);
}

static int read_header(struct reader *r, struct skep_diag *diag)
{
	if (r->data.len < HEADER_SIZE)
		return fail(diag, BTF_EXT, NO_PC, "header", "it is cut off");
	u16 magic = load_u16_of(r->data.data, false);
	if (magic != MAGIC && magic != __builtin_bswap16(MAGIC))
		return fail(diag, BTF_EXT, NO_PC, "header", "the magic number is wrong");
	r->big_endian = magic != MAGIC;
	r->header = u32_at(r, r->data.data + 4);
	if (r->data.data[2] != 1 || r->data.data[3])
		return fail(diag, BTF_EXT, NO_PC, "header", "it is not version 1");
	if (r->header < HEADER_SIZE || r->header > r->data.len)
		return fail(diag, BTF_EXT, NO_PC, "header", "its length is wrong");
	return 0;
}

int btf_ext_read(struct arena *a, struct bytes data, const struct btf *btf,
		 struct btf_ext *out, struct skep_diag *diag)
{
	struct reader r = {.data = data, .btf = btf};
	struct list funcs = {.what = "func_info", .header_field = 8, .known = 8};
	struct list lines = {.what = "line_info", .header_field = 16, .known = 16};
	struct list relos = {.what = "core_relo", .header_field = 24, .known = 16};
	struct sink to_funcs = {.take = take_func,
				.elem_size = sizeof(struct btf_func_info)};
	struct sink to_lines = {.take = take_line,
				.elem_size = sizeof(struct btf_line_info)};
	struct sink to_relos = {.take = take_relo,
				.elem_size = sizeof(struct btf_core_relo)};
	int err = read_header(&r, diag);

	if (!err)
		err = read_list(a, &r, &funcs, &to_funcs, diag);
	if (!err)
		err = read_list(a, &r, &lines, &to_lines, diag);
	if (!err)
		err = read_list(a, &r, &relos, &to_relos, diag);
	if (err)
		return err;
	*out = (struct btf_ext){
		.funcs = (const void *)to_funcs.elems,
		.lines = (const void *)to_lines.elems,
		.relos = (const void *)to_relos.elems,
		.func_sections = to_funcs.sections,
		.line_sections = to_lines.sections,
		.relo_sections = to_relos.sections,
		.n_funcs = funcs.n_records,
		.n_lines = lines.n_records,
		.n_relos = relos.n_records,
		.n_func_sections = funcs.n_sections,
		.n_line_sections = lines.n_sections,
		.n_relo_sections = relos.n_sections,
	};
	return 0;
}
