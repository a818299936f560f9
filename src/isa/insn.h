/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction slot as RFC 9669 section 3 lays it out, unpacked for reading by people
 * and compilers, and the enumeration of every instruction there is.
 *
 * A program is an array of struct insn: jumps count slots, a 64-bit immediate load takes
 * two.  decode() says which instruction a slot is (enum op), op_info() what is common to
 * its kind; switch over the kind where the width does not matter, over the op where it
 * does. Anybody may include this.
 */
#ifndef SKEP_ISA_INSN_H
#define SKEP_ISA_INSN_H

#include "base/types.h"

struct skep_diag;

enum { INSN_SIZE = 8, N_REGS = 11, MAX_INSNS = 1000000 };
enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

struct insn {
	u8 code;
	u8 dst_reg;
	u8 src_reg;
	s16 off;
	s32 imm;
};

/* The fields of code (RFC 9669 3.1). */
enum {
	CLASS_LD,
	CLASS_LDX,
	CLASS_ST,
	CLASS_STX,
	CLASS_ALU,
	CLASS_JMP,
	CLASS_JMP32,
	CLASS_ALU64
};
enum { SRC_K = 0x00, SRC_X = 0x08 };
enum {
	MODE_IMM = 0x00,
	MODE_ABS = 0x20,
	MODE_IND = 0x40,
	MODE_MEM = 0x60,
	MODE_MEMSX = 0x80,
	MODE_ATOMIC = 0xc0,
};

static inline u8 insn_class(u8 code)
{
	return code & 0x07;
}

/* What src_reg says in a 64-bit immediate load (RFC 9669 5.4). */
enum lddw_src {
	LDDW_IMM,       /* the number itself */
	LDDW_MAP_FD,    /* imm: map by file descriptor; in an object, by relocation */
	LDDW_MAP_VALUE, /* like MAP_FD; address of the first value plus the second imm */
	LDDW_BTF_ID,    /* address of a kernel variable: imm is its BTF id, second imm the
			   BTF object */
	LDDW_FUNC,      /* address of a subprogram: imm relative to the next slot */
	LDDW_MAP_IDX,   /* imm: index in the program's table of maps */
	LDDW_MAP_IDX_VALUE, /* like MAP_IDX; address of the first value plus the second
			       imm */
	LDDW_SRCS
};

/* What src_reg says in a call (RFC 9669 4.3.1-4.3.3). */
enum call_src { CALL_HELPER, CALL_LOCAL, CALL_KFUNC, CALL_SRCS };

enum {
	LOAD_ACQ = 0x100,
	STORE_REL = 0x110
}; /* imm of MODE_ATOMIC beside the rows of atomic.def */

enum op {
	OP_INVALID, /* no instruction that anybody knows */
#define A(name, ...) OP_##name##64_K, OP_##name##64_X, OP_##name##32_K, OP_##name##32_X,
#include "isa/alu.def"
#undef A
	OP_LE16,
	OP_LE32,
	OP_LE64,
	OP_BE16,
	OP_BE32,
	OP_BE64,
	OP_BSWAP16,
	OP_BSWAP32,
	OP_BSWAP64,
	OP_ADDR_SPACE_CAST,
#define J(name, ...) OP_##name##64_K, OP_##name##64_X, OP_##name##32_K, OP_##name##32_X,
#include "isa/jmp.def"
#undef J
	OP_JA,   /* goto by off */
	OP_JA32, /* gotol by imm */
	OP_MAY_GOTO,
	OP_CALL, /* helper, subprogram or kfunc: src_reg is an enum call_src */
	OP_CALLX,
	OP_EXIT,
	OP_LDDW, /* two slots */
#define W(bits, ...)                                                                     \
	OP_LDX##bits, OP_LDXS##bits, OP_ST##bits, OP_STX##bits, OP_LD_ABS##bits,         \
		OP_LD_IND##bits,
#include "isa/mem.def"
#undef W
#define T(name, ...) OP_ATOMIC_##name##64, OP_ATOMIC_##name##32,
#include "isa/atomic.def"
#undef T
#define W(bits, ...) OP_LOAD_ACQ##bits, OP_STORE_REL##bits,
#include "isa/mem.def"
#undef W
	OPS
};

enum op_kind {
	KIND_INVALID,
	KIND_ALU, /* includes MOV, MOVSX and NEG */
	KIND_END, /* byte swaps */
	KIND_ADDR_SPACE_CAST,
	KIND_JMP, /* conditional */
	KIND_JA,  /* OP_JA and OP_JA32 */
	KIND_MAY_GOTO,
	KIND_CALL,
	KIND_CALLX,
	KIND_EXIT,
	KIND_LDDW,
	KIND_LDX,
	KIND_LDXS,
	KIND_ST,
	KIND_STX,
	KIND_LD_ABS,
	KIND_LD_IND,
	KIND_ATOMIC,
	KIND_LOAD_ACQ,
	KIND_STORE_REL,
};

/* Which row of its .def file an instruction comes from, whatever its width and operand.
 */
enum alu {
#define A(name, ...) ALU_##name,
#include "isa/alu.def"
#undef A
	ALUS
};
enum jmp {
#define J(name, ...) JMP_##name,
#include "isa/jmp.def"
#undef J
	JMPS
};
enum atomic {
#define T(name, ...) ATOMIC_##name,
#include "isa/atomic.def"
#undef T
	ATOMICS
};

/* a JMP b is b jmp_exchanged(JMP) a. */
enum jmp jmp_exchanged(enum jmp jmp);

struct op_info {
	const char *name; /* "ADD64_K", for tests and tables of documentation */
	u8 kind;          /* enum op_kind; KIND_INVALID: this op is never decoded */
	u8 row;           /* enum alu, jmp or atomic, as the kind says; 0 elsewhere */
	u8 width;  /* in bits: of the operation, or of the memory access; 0: neither */
	bool reg;  /* the second operand is a register (SRC_X) */
	bool wide; /* takes two slots */
	/* How it is encoded: */
	u8 code;
	u8 dst, src;   /* how many values the field may have; 1: it must be zero */
	bool off, imm; /* the field is an operand; if not, it must be off_is, imm_is */
	s16 off_is;
	s32 imm_is;
};

extern const struct op_info op_infos[OPS];

/* Never NULL. */
static inline const struct op_info *op_info(enum op op)
{
	return (unsigned)op < OPS && op_infos[op].name ? &op_infos[op]
						       : &op_infos[OP_INVALID];
}

/* The instruction with these properties, OP_INVALID if there is none. */
enum op op_find(enum op_kind kind, u8 row, u8 width, bool reg);

/*
 * Which instruction is this?  Looks at one slot and at all of its fields: a reserved
 * field that is not zero, a register that does not exist, an undefined opcode make it
 * OP_INVALID.  The second slot of a 64-bit immediate load is not looked at.
 */
enum op decode(const struct insn *insn);

/* Why decode() says OP_INVALID; 0 when it does not.  The second slot of a wide
 * instruction is looked at when there is one (left: slots from insn on). */
int insn_refuse(const struct insn *insn, u32 left, u32 pc, struct skep_diag *diag);

/* Between the slots of a file or a kernel (8 bytes each, either byte order) and struct
 * insn. */
struct insn insn_read(const u8 slot[INSN_SIZE], bool big_endian);
void insn_write(u8 slot[INSN_SIZE], const struct insn *insn, bool big_endian);

/* The 64-bit immediate of the two slots at insn. */
static inline u64 lddw_imm(const struct insn *insn)
{
	return (u32)insn[0].imm | (u64)(u32)insn[1].imm << 32;
}

/* Where a jump (KIND_JMP, KIND_JA, KIND_MAY_GOTO) or a local call at pc goes, in slots
 * from the program's start. */
static inline s64 jump_target(const struct insn *insn, u32 pc)
{
	bool by_imm =
		insn->code == (CLASS_JMP32 | 0x00) || insn->code == (CLASS_JMP | 0x80);

	return (s64)pc + 1 + (by_imm ? insn->imm : insn->off);
}

/*
 * Is this a well-formed program?  Every slot decodes, jumps and local calls land on
 * instructions, wide instructions are whole, no path falls off the end, every subprogram
 * ends in exit or an unconditional jump. What it means is the verifier's business.
 * Errors: EINVAL with the instruction and the reason.
 */
int insns_check(const struct insn *insns, u32 n_insns, struct skep_diag *diag);

#endif
