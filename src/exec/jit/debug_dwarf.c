/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native code in the words of DWARF 4 (dwarfstd.org): one compilation unit with its
 * functions, a line table, and how to get from a function's frame to its caller's.  Of a
 * function the frame is described as its body has it: within prologues and epilogues, of
 * a few instructions, it is not.
 */
#include <string.h>

#include "exec/jit/debug.h"

enum {
	TAG_COMPILE_UNIT = 0x11,
	TAG_SUBPROGRAM = 0x2e,
	AT_NAME = 0x03,
	AT_STMT_LIST = 0x10,
	AT_LOW_PC = 0x11,
	AT_HIGH_PC = 0x12,
	AT_LANGUAGE = 0x13,
	AT_EXTERNAL = 0x3f,
	FORM_ADDR = 0x01,
	FORM_DATA2 = 0x05,
	FORM_DATA8 = 0x07,
	FORM_STRING = 0x08,
	FORM_SEC_OFFSET = 0x17,
	FORM_FLAG_PRESENT = 0x19,
	LANG_C99 = 0x0c,
	LNS_COPY = 1,
	LNS_ADVANCE_PC = 2,
	LNS_ADVANCE_LINE = 3,
	LNS_SET_FILE = 4,
	LNS_SET_COLUMN = 5,
	LNE_END_SEQUENCE = 1,
	LNE_SET_ADDRESS = 2,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_OFFSET = 0x80, /* + register */
	WORD = 8,
};

void debug_put(struct text *out, u64 value, u32 bytes)
{
	u8 le[8];

	for (u32 i = 0; i < bytes; i++)
		le[i] = (u8)(value >> 8 * i);
	text_write(out, le, bytes);
}

void debug_put_string(struct text *out, const char *s)
{
	text_write(out, s, strlen(s) + 1);
}

static void put_uleb(struct text *out, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		debug_put(out, (value & 0x7f) | 0x80, 1);
	debug_put(out, value, 1);
}

static void put_sleb(struct text *out, s64 value)
{
	for (; value < -64 || value > 63; value >>= 7)
		debug_put(out, ((u64)value & 0x7f) | 0x80, 1);
	debug_put(out, (u64)value & 0x7f, 1);
}

/* A length goes in front of what follows it. */
static size_t start_length(struct text *out)
{
	debug_put(out, 0, 4);
	return out->len;
}

static void end_length(struct text *out, size_t start)
{
	u32 len = (u32)(out->len - start);

	if (!text_failed(out))
		memcpy(out->s + start - 4, &len, sizeof(len));
}

/* ---- what there is ---- */

enum { ABBREV_UNIT = 1, ABBREV_FUNCTION };

void debug_abbrev(struct text *out)
{
	static const u8 rows[] = {ABBREV_UNIT,
				  TAG_COMPILE_UNIT,
				  true, /* with children */
				  AT_NAME,
				  FORM_STRING,
				  AT_LANGUAGE,
				  FORM_DATA2,
				  AT_STMT_LIST,
				  FORM_SEC_OFFSET,
				  AT_LOW_PC,
				  FORM_ADDR,
				  AT_HIGH_PC,
				  FORM_DATA8,
				  0,
				  0,
				  ABBREV_FUNCTION,
				  TAG_SUBPROGRAM,
				  false,
				  AT_NAME,
				  FORM_STRING,
				  AT_LOW_PC,
				  FORM_ADDR,
				  AT_HIGH_PC,
				  FORM_DATA8,
				  AT_EXTERNAL,
				  FORM_FLAG_PRESENT,
				  0,
				  0,
				  0};

	text_write(out, rows, sizeof(rows));
}

static const char *unit_name(const struct debug_code *code)
{
	if (code->prog->n_lines && code->prog->lines[0].file)
		return code->prog->lines[0].file;
	return code->prog->name ? code->prog->name : "bpf";
}

void debug_info(const struct debug_code *code, struct text *out)
{
	size_t start = start_length(out);

	debug_put(out, 4, 2); /* version */
	debug_put(out, 0, 4); /* .debug_abbrev's start */
	debug_put(out, WORD, 1);
	put_uleb(out, ABBREV_UNIT);
	debug_put_string(out, unit_name(code));
	debug_put(out, LANG_C99, 2);
	debug_put(out, 0, 4); /* .debug_line's start */
	debug_put(out, debug_address(code, 0), WORD);
	debug_put(out, code->native->len, 8);
	for (u32 i = 0; i < code->native->n_functions; i++) {
		const struct native_function *f = &code->native->functions[i];

		put_uleb(out, ABBREV_FUNCTION);
		debug_put_string(out, debug_name(code, i));
		debug_put(out, debug_address(code, f->start), WORD);
		debug_put(out, f->size, 8);
	}
	debug_put(out, 0, 1);
	end_length(out, start);
}

/* ---- lines ---- */

/* Files are numbered as they first appear in the program's rows, from 1.  A function's
 * code is seldom from many: the last one found is tried first. */
struct files {
	const char *name[32]; /* beyond these: the first one's */
	u32 n;
};

static u32 file_number(struct files *files, const char *name)
{
	for (u32 i = 0; i < files->n; i++)
		if (files->name[i] == name || !strcmp(files->name[i], name))
			return i + 1;
	if (files->n == ARRAY_SIZE(files->name))
		return 1;
	files->name[files->n++] = name;
	return files->n;
}

static void find_files(const struct debug_code *code, struct files *files)
{
	files->n = 0;
	for (u32 i = 0; i < code->prog->n_lines; i++)
		if (code->prog->lines[i].file)
			file_number(files, code->prog->lines[i].file);
}

static void put_line_header(struct text *out, const struct files *files)
{
	static const u8 operands[] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
	size_t start = start_length(out);

	debug_put(out, 1, 1);                        /* bytes of an instruction */
	debug_put(out, 1, 1);                        /* operations of one */
	debug_put(out, 1, 1);                        /* rows are statements */
	debug_put(out, (u8)-5, 1);                   /* base of lines: not used */
	debug_put(out, 14, 1);                       /* range of lines: not used */
	debug_put(out, ARRAY_SIZE(operands) + 1, 1); /* first special opcode */
	text_write(out, operands, sizeof(operands));
	debug_put(out, 0, 1); /* no directories */
	for (u32 i = 0; i < files->n; i++) {
		debug_put_string(out, files->name[i]);
		debug_put(out, 0, 3); /* directory, time, length */
	}
	debug_put(out, 0, 1);
	end_length(out, start);
}

static void put_extended(struct text *out, u8 op, u64 value, u32 bytes)
{
	debug_put(out, 0, 1);
	put_uleb(out, 1 + bytes);
	debug_put(out, op, 1);
	debug_put(out, value, bytes);
}

/* The registers of the line program. */
struct line_state {
	u64 address;
	u32 line, file;
};

static void put_row(struct text *out, struct line_state *s, u64 address,
		    const struct debug_row *row, u32 file)
{
	if (file != s->file) {
		debug_put(out, LNS_SET_FILE, 1);
		put_uleb(out, file);
	}
	debug_put(out, LNS_SET_COLUMN, 1);
	put_uleb(out, row->line->column);
	debug_put(out, LNS_ADVANCE_LINE, 1);
	put_sleb(out, (s64)row->line->line - s->line);
	debug_put(out, LNS_ADVANCE_PC, 1);
	put_uleb(out, address - s->address);
	debug_put(out, LNS_COPY, 1);
	*s = (struct line_state){address, row->line->line, file};
}

/* The first row counts from the function's start: a second one, where the prologue is
 * over, is where gdb puts breakpoints. */
static void put_function_lines(const struct debug_code *code, u32 function,
			       struct files *files, struct text *out)
{
	struct native_function f = debug_function(code, function);
	struct debug_rows rows = debug_rows(code, function);
	struct line_state s = {debug_address(code, f.start), 1, 1};
	u64 end = debug_address(code, f.start + f.size), body = s.address + f.body;
	bool first = true;

	put_extended(out, LNE_SET_ADDRESS, s.address, WORD);
	while (debug_next_row(&rows)) {
		u32 file = file_number(files, rows.row.line->file);

		if (first)
			put_row(out, &s, s.address, &rows.row, file);
		if (first && rows.row.address < body)
			put_row(out, &s, body, &rows.row, file);
		else if (rows.row.address > s.address)
			put_row(out, &s, rows.row.address, &rows.row, file);
		first = false;
	}
	debug_put(out, LNS_ADVANCE_PC, 1);
	put_uleb(out, end - s.address);
	put_extended(out, LNE_END_SEQUENCE, 0, 0);
}

void debug_line(const struct debug_code *code, struct text *out)
{
	size_t start = start_length(out);
	struct files files;

	find_files(code, &files);
	debug_put(out, 4, 2); /* version */
	put_line_header(out, &files);
	for (u32 i = 0; i < code->native->n_functions; i++)
		put_function_lines(code, i, &files, out);
	end_length(out, start);
}

/* ---- unwinding ---- */

/* How a machine numbers its registers, and the frame of the stub that code is entered by:
 * see its stubs and prologue. */
struct unwinding {
	const char *machine;
	u8 sp, return_address;
	u8 first; /* bytes between the CFA and the stack pointer when it is called */
	u32 stub_frame;         /* .. and in the stub, where it calls the program */
	u32 stub_saved;         /* registers, in ascending order.. */
	s32 stub_at, stub_step; /* .. from here, so far apart; CFA-relative */
	u8 dwarf[32];
};

static const struct unwinding unwindings[] = {
	{"x86_64",
	 7,
	 16,
	 8,
	 80,
	 0xf028,
	 -16,
	 -8,
	 {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15}},
	{"aarch64",
	 31,
	 30,
	 0,
	 128,
	 0x1ff80000,
	 -112,
	 8,
	 {[19] = 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30}},
};

static const struct unwinding *unwinding_of(const struct native *native)
{
	for (u32 i = 0; i < ARRAY_SIZE(unwindings); i++)
		if (!strcmp(unwindings[i].machine, native->machine->name))
			return &unwindings[i];
	return NULL;
}

static void pad(struct text *out, size_t start)
{
	while ((out->len - start) % WORD != WORD - 4 && !text_failed(out))
		debug_put(out, 0, 1); /* CFA_nop */
}

static void put_saved(struct text *out, u8 dwarf, s32 at)
{
	debug_put(out, CFA_OFFSET | dwarf, 1);
	put_uleb(out, (u64)(-at / WORD));
}

/* The common part: what holds when a function is called. */
static void put_cie(const struct unwinding *u, struct text *out)
{
	size_t start = start_length(out);

	debug_put(out, 0, 4);
	debug_put(out, 1, 1); /* version */
	debug_put_string(out, "zR");
	put_uleb(out, 1);
	put_sleb(out, -WORD);
	debug_put(out, u->return_address, 1);
	put_uleb(out, 1);
	debug_put(out, 0, 1); /* addresses are absolute */
	debug_put(out, CFA_DEF_CFA, 1);
	put_uleb(out, u->sp);
	put_uleb(out, u->first);
	if (u->first)
		put_saved(out, u->return_address, -WORD);
	pad(out, start);
	end_length(out, start);
}

static void put_function_frame(const struct unwinding *u, const struct native_function *f,
			       struct text *out)
{
	bool record = f->saved >> u->return_address & 1; /* aarch64: x29, x30 */
	s32 at = u->first || record ? -2 * WORD : -WORD;

	debug_put(out, CFA_DEF_CFA_OFFSET, 1);
	put_uleb(out, f->frame);
	if (record) {
		put_saved(out, (u8)(u->return_address - 1), -2 * WORD);
		put_saved(out, u->return_address, -WORD);
		at -= WORD;
	}
	for (u32 reg = 0; reg < u->return_address && reg < 29; reg++) {
		if (!(f->saved >> reg & 1))
			continue;
		put_saved(out, u->dwarf[reg], at);
		at -= WORD;
	}
}

static void put_stub_frame(const struct unwinding *u, struct text *out)
{
	s32 at = u->stub_at;

	debug_put(out, CFA_DEF_CFA_OFFSET, 1);
	put_uleb(out, u->stub_frame);
	if (!u->first) {
		put_saved(out, (u8)(u->return_address - 1), -(s32)u->stub_frame);
		put_saved(out, u->return_address, -(s32)u->stub_frame + WORD);
	}
	for (u32 reg = 0; reg < 29; reg++) {
		if (!(u->stub_saved >> reg & 1))
			continue;
		put_saved(out, u->dwarf[reg], at);
		at += u->stub_step;
	}
}

void debug_frame(const struct debug_code *code, struct text *out)
{
	const struct unwinding *u = unwinding_of(code->native);
	size_t section = out->len;

	if (!u)
		return;
	put_cie(u, out);
	for (u32 i = 0; i <= code->native->n_functions; i++) {
		u32 function = i ? i - 1 : DEBUG_STUB;
		struct native_function f = debug_function(code, function);
		size_t start = start_length(out);

		debug_put(out, start - section, 4);
		debug_put(out, debug_address(code, f.start), WORD);
		debug_put(out, f.size, WORD);
		put_uleb(out, 0);
		if (i)
			put_function_frame(u, &f, out);
		else
			put_stub_frame(u, out);
		pad(out, start);
		end_length(out, start);
	}
	debug_put(out, 0, 4);
}
