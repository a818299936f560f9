/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program with everything resolved: the one value that every stage after the object
 * file passes on.
 *
 * It refers to maps by definition, never to live maps, so that it can be judged, listed
 * and compiled without creating anything.  Made by src/obj (and later by src/lang); const
 * for everybody else.  All memory belongs to the arena of whoever made it.  Never does:
 * own anything, change after it was made.
 */
#ifndef SKEP_PROG_PROG_H
#define SKEP_PROG_PROG_H

#include "base/bytes.h"
#include "isa/insn.h"

struct btf;

enum {
	MAX_FRAMES = 8,            /* of one program, callbacks included; what a function
				      tail-calls starts anew */
	FRAME_STACK = 512,         /* bytes of stack that a frame has */
	MAY_GOTO_STEPS = 0x800000, /* of one frame; then may_goto jumps */
};

/* What a slot of a prog-array or of a map-in-map holds from the start; of STRUCT_OPS: the
 * function that the index-th 8 bytes of the value are. */
struct map_slot {
	u32 index;
	const char *name; /* of a program or of a map in the same object */
};

enum map_origin {
	MAP_DECLARED, /* .maps or maps */
	MAP_DATA,     /* .data*, .bss*: global variables */
	MAP_RODATA,   /* .rodata*: frozen before the programs run */
	MAP_KCONFIG,  /* .kconfig: values of externs */
	MAP_STRUCT_OPS,
};

struct map_def {
	const char *name;
	const char *section;
	enum map_origin origin;
	u32 type; /* BPF_MAP_TYPE_* */
	u32 key_size, value_size, max_entries, flags, numa_node;
	u64 extra;
	u32 btf_key_id, btf_value_id; /* in the object's BTF; 0: unknown */
	bool pin_by_name;
	const struct map_def *inner; /* template of a map-in-map, or NULL */
	const struct map_slot
		*slots; /* initial contents of prog-arrays and maps-in-maps */
	u32 n_slots;
	u8 *data; /* initial value of the single element of data maps, and of the start of
		     an ARENA; NULL: zeroes */
	u32 data_size;   /* of that; 0: there are no global variables in this map */
	bool not_frozen; /* of constants: the live map may change; data is not believed */
};

/* A function of the program; the first one is its entry. */
struct subprog {
	const char *name;
	u32 start, n_insns;
	u32 btf_id; /* of its FUNC, or 0 */
	bool global;
};

/* From this instruction on (until the next row) the source is here. */
struct line_info {
	u32 insn;
	u32 line, column;
	const char *file;
	const char *text; /* the source line itself */
};

/* A kfunc or kernel symbol that the program refers to; CALL_KFUNC's imm and LDDW_BTF_ID's
 * imm index this. */
struct extern_ref {
	const char *name;
	u32 btf_id; /* in the target's BTF; 0: the target has none (weak, or not resolved)
		     */
	u32 module; /* id of the module's BTF in the kernel; 0: vmlinux's */
	u32 number; /* of a kfunc: abi_kfunc_number() */
	bool weak, kfunc, typed;
};

struct prog {
	const char *name, *section;
	u32 type;                  /* BPF_PROG_TYPE_* */
	u32 attach_type;           /* BPF_* attach type, or 0 */
	const char *attach_target; /* what follows the section's prefix:
				      "sched/sched_switch"; or NULL */
	bool sleepable, frags, gpl_compatible;
	bool optional; /* section "?...": loaded only when somebody asks for it */
	struct insn *insns;
	u32 n_insns;
	struct subprog *subprogs;
	u32 n_subprogs;
	struct line_info *lines; /* sorted by insn; NULL: no BTF.ext */
	u32 n_lines;
	const struct map_def *const
		*maps; /* LDDW_MAP_IDX's and LDDW_MAP_IDX_VALUE's imm index this */
	u32 n_maps;
	const struct extern_ref *externs;
	u32 n_externs;
	const struct btf *btf; /* the object's, or NULL */
	const char *license;
	u32 kern_version;
	u32 exception; /* the instruction where the exception callback starts; 0: none was
			  named */
};

/* What a call of a helper or kfunc calls: the number of a helper, or one from
 * abi_kfunc_number(). */
static inline u32 prog_callee(const struct prog *prog, const struct insn *insn)
{
	if (insn->src_reg != CALL_KFUNC)
		return (u32)insn->imm;
	return (u32)insn->imm < prog->n_externs ? prog->externs[insn->imm].number : 0;
}

/* The source line that instruction pc comes from, or NULL. */
const struct line_info *prog_line(const struct prog *prog, u32 pc);

/* The function that instruction pc belongs to, or NULL. */
const struct subprog *prog_subprog(const struct prog *prog, u32 pc);

/* What LDDW_BTF_ID gives of something weak: a kfunc that the target has is not 0, and
 * nobody may use it. */
static inline u64 prog_extern_address(const struct prog *prog, const struct insn *insn)
{
	const struct extern_ref *ref = &prog->externs[insn->imm];

	return ref->btf_id ? ref->number : 0;
}

#endif
