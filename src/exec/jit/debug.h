/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native code made known to debuggers and profilers: gdb gets an object file in memory,
 * perf a file.  jit.c says what code there is; debug*.c tell it.
 */
#ifndef SKEP_EXEC_JIT_DEBUG_H
#define SKEP_EXEC_JIT_DEBUG_H

#include "base/text.h"
#include "exec/jit/machine.h"
#include "prog/prog.h"

/* All borrowed. */
struct debug_code {
	const struct native *native;
	const struct prog *prog;
	const u8 *code; /* where it runs: native->len bytes, linked */
};

/* From this address on the code comes from this place in the source. */
struct debug_row {
	u64 address;
	const struct line_info *line;
};

/* A function's rows: for (...) while (debug_next_row(&rows)) use rows.row. */
struct debug_rows {
	const struct debug_code *code;
	u32 function;
	u32 next; /* in native->lines */
	struct debug_row row;
};

/* (debug.c) What stands in front of the functions is function DEBUG_STUB. */
static const u32 DEBUG_STUB = ~0u;

const char *debug_name(const struct debug_code *code, u32 function);
struct native_function debug_function(const struct debug_code *code, u32 function);
u64 debug_address(const struct debug_code *code, u32 off);
struct debug_rows debug_rows(const struct debug_code *code, u32 function);
bool debug_next_row(struct debug_rows *rows); /* false: there are no more */

/* (debug_elf.c) An object file of the code: symbols, lines, unwinding. */
void debug_elf(const struct debug_code *code, struct text *out);

/* (debug_dwarf.c) Sections of it, as DWARF 4 has them. */
void debug_put(struct text *out, u64 value, u32 bytes);
void debug_put_string(struct text *out, const char *s);
void debug_abbrev(struct text *out);
void debug_info(const struct debug_code *code, struct text *out);
void debug_line(const struct debug_code *code, struct text *out);
void debug_frame(const struct debug_code *code, struct text *out);

/* (debug_gdb.c) gdb's JIT interface.  NULL: memory is out. */
struct debug_entry *debug_gdb_add(const struct debug_code *code);
void debug_gdb_remove(struct debug_entry *entry); /* NULL is fine */

/* (debug_perf.c) Lines of /tmp/perf-PID.map; records of jit-PID.dump in the working
 * directory.  Errors: ENOMEM, those of opening and writing. */
int debug_perf_map(const struct debug_code *code);
int debug_jitdump(const struct debug_code *code);

#endif
