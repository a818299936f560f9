/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What debuggers and profilers are told of native code: names and lines.
 */
#include "exec/jit/debug.h"

u64 debug_address(const struct debug_code *code, u32 off)
{
	return (uintptr_t)code->code + off;
}

struct native_function debug_function(const struct debug_code *code, u32 function)
{
	const struct native *native = code->native;

	if (function != DEBUG_STUB)
		return native->functions[function];
	return (struct native_function){
		.size = native->n_functions ? native->functions[0].start : native->len};
}

/* The first row of native->lines that is not before an offset. */
static u32 find_line(const struct native *native, u32 off)
{
	u32 low = 0, high = native->n_lines;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (native->lines[middle].off < off)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *debug_name(const struct debug_code *code, u32 function)
{
	const struct native *native = code->native;
	const struct subprog *sub = NULL;
	u32 row;

	if (function == DEBUG_STUB)
		return "skep_enter_program";
	row = find_line(native, native->functions[function].start);
	if (row < native->n_lines)
		sub = prog_subprog(code->prog, native->lines[row].pc);
	return sub && sub->name ? sub->name : "bpf_function";
}

struct debug_rows debug_rows(const struct debug_code *code, u32 function)
{
	struct debug_rows rows = {.code = code, .function = function};

	if (function == DEBUG_STUB)
		rows.next = code->native->n_lines;
	else
		rows.next =
			find_line(code->native, code->native->functions[function].start);
	return rows;
}

static bool is_same_place(const struct line_info *x, const struct line_info *y)
{
	return x && x->line == y->line && x->column == y->column && x->file == y->file;
}

bool debug_next_row(struct debug_rows *rows)
{
	const struct debug_code *code = rows->code;
	struct native_function f = debug_function(code, rows->function);

	for (; rows->next < code->native->n_lines; rows->next++) {
		const struct native_line *row = &code->native->lines[rows->next];
		const struct line_info *line = prog_line(code->prog, row->pc);

		if (row->off >= f.start + f.size)
			break;
		if (!line || !line->file || is_same_place(rows->row.line, line))
			continue;
		rows->next++;
		rows->row = (struct debug_row){debug_address(code, row->off), line};
		return true;
	}
	return false;
}
