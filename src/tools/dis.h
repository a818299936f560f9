/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the listings of skep dis share: dis.c lists instructions, dis_jit.c the native
 * code made of them beside them.  Only these include it.
 */
#ifndef SKEP_TOOLS_DIS_H
#define SKEP_TOOLS_DIS_H

#include "isa/disasm.h"
#include "prog/prog.h"
#include "tools/command.h"
#include "tools/json.h"

struct file;

enum dis_option { DIS_PROG, DIS_RAW, DIS_NO_SOURCE, DIS_JIT, DIS_HARDEN, DIS_OPTIONS };

struct listing {
	const struct args *args;
	const struct prog *prog;
	u32 *labels; /* by slot: number of the label there, 0: none; owned */
	const struct line_info *line; /* shown last */
	char name[16];
	struct json json;
};

/* False when memory is out. */
bool listing_labels(struct listing *l);
struct dis_names listing_names(const struct listing *l);

/* The name of the program, as a headline. */
void listing_head(const struct listing *l, bool first);

/* The source line that starts with this instruction; once for all instructions that
 * follow each other and come from the same line. */
void listing_line(struct listing *l, u32 pc);

/* Is the program one of those that --prog names? */
bool dis_wants(const struct args *args, const char *name);

/* (dis_jit.c)  Of an object; the exit status. */
int dis_jit(const struct args *args, const char *path, const struct file *file);

/* (native_zydis.c, native_hex.c)  The text of the native instruction that starts at off,
 * of len bytes of code; its length.  Where nobody knows the instructions there is no
 * text, and the length is some bytes. */
struct native_piece {
	const u8 *code;
	u32 off, end;
};
u32 native_insn_text(const struct native_piece *piece, struct text *text);

#endif
