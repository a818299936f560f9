/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler: the kernel's and LLVM's text syntax to instructions, one line or a whole
 * file with maps, globals, functions and sections.  docs/asm.md describes the language.
 *
 * The result is an in-memory unit that an object writer and a test runner can both use;
 * names that belong to Linux (helpers, map types, constants) come from the caller.
 * Anybody may include this.
 */
#ifndef SKEP_ISA_ASM_H
#define SKEP_ISA_ASM_H

#include "base/bytes.h"
#include "isa/insn.h"

struct arena;

enum asm_name {
	ASM_HELPER,   /* map_lookup_elem: number of a helper, as call's imm */
	ASM_MAP_TYPE, /* hash */
	ASM_CONSTANT, /* XDP_PASS, BPF_F_NO_PREALLOC, ... anywhere a number may stand */
};

/* Where the assembler asks for the names it does not know itself. */
struct asm_names {
	bool (*find)(const void *ctx, enum asm_name kind, const char *name, s64 *number);
	const void *ctx; /* borrowed; passed to find */
};

struct asm_input {
	struct bytes text;
	const char *file; /* for messages; NULL: none */
	u32 first_line;   /* number of the text's first line; 0 counts as 1 */
	const struct asm_names *names; /* NULL: no names */
};

/* What an instruction refers to by name; index says which one of the unit's. */
enum asm_ref_kind {
	ASM_REF_MAP,    /* maps: lddw of the map */
	ASM_REF_VALUE,  /* maps: lddw of the address of its first value + addend */
	ASM_REF_GLOBAL, /* globals: lddw of its address + addend */
	ASM_REF_FUNC,   /* funcs: lddw of its address */
	ASM_REF_CALL,   /* funcs: call */
	ASM_REF_KFUNC,  /* externs: call */
	ASM_REF_KSYM,   /* externs: lddw of its address */
};

struct asm_ref {
	u32 insn; /* slot in the function */
	enum asm_ref_kind kind;
	u32 index;
	s32 addend;
};

/*
 * A program or a subprogram.  Jumps are resolved.  What a reference left in its
 * instruction: MAP and VALUE LDDW_MAP_IDX and LDDW_MAP_IDX_VALUE with the index of the
 * map; GLOBAL LDDW_MAP_IDX_VALUE with n_maps + the index of its data section, and the
 * offset in that section; FUNC and CALL the index of the function (see asm_link); KFUNC
 * and KSYM the index of the extern.
 */
struct asm_func {
	const char *name;
	const char *section; /* NULL: no .section was given */
	const char *type;    /* what followed the program's name, or NULL */
	bool program;        /* .program, not .func */
	bool global;         /* other sections and objects may call it */
	struct insn *insns;
	u32 *lines; /* of the text, one for every slot */
	u32 n_insns;
	struct asm_ref *refs; /* by insn */
	u32 n_refs;
	u32 line; /* where it was declared */
};

struct asm_slot {
	u32 index;
	const char *name; /* of a program or of a map of this unit */
};

struct asm_map {
	const char *name;
	u32 type, key_size, value_size, max_entries, flags, numa_node;
	u64 extra;
	bool pin_by_name;
	s32 inner; /* index of the map that is the template; -1: none */
	struct asm_slot *slots;
	u32 n_slots;
};

struct asm_data {         /* a section of globals */
	const char *name; /* ".data", ".rodata.x", ".bss" */
	u8 *bytes;        /* NULL: all zero (.bss*) */
	u32 size;
};

struct asm_global {
	const char *name;
	u32 data; /* index of its section */
	u32 offset, size;
};

struct asm_extern {
	const char *name;
	bool kfunc, weak;
};

struct asm_unit {            /* all memory belongs to the arena it was made in */
	const char *license; /* NULL: not given */
	u32 version;         /* .version, or 0 */
	struct asm_func *funcs;
	struct asm_map *maps;
	struct asm_data *datas;
	struct asm_global *globals;
	struct asm_extern *externs;
	u32 n_funcs, n_maps, n_datas, n_globals, n_externs;
};

/*
 * A whole text.  Without .program or .func, all instructions belong to one program called
 * "main".  Errors carry file, line and column; EINVAL, E2BIG, ENOMEM.
 */
int asm_parse(const struct asm_input *in, struct arena *arena, struct asm_unit *unit,
	      struct skep_diag *diag);

/* One instruction without names of maps or functions: the number of slots it takes (1 or
 * 2), or a negative errno.  names may be NULL. */
int asm_insn(const char *line, const struct asm_names *names, struct insn insns[2],
	     struct skep_diag *diag);

/* Where a function of the unit came to lie. */
struct asm_place {
	u32 func, start;
};

struct asm_linked {
	struct insn *insns;
	u32 *lines; /* one for every slot */
	u32 n_insns;
	struct asm_place *places; /* the program first, then what it needs */
	u32 n_places;
};

/* The program funcs[func] with every function it refers to behind it, calls resolved.
 * Maps, data sections and externs stay indices. */
int asm_link(const struct asm_unit *unit, u32 func, struct arena *arena,
	     struct asm_linked *out, struct skep_diag *diag);

#endif
