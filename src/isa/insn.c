/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which instruction a slot is.  One table says how every instruction is encoded, a second
 * one finds it by opcode; both are made from the rows of the .def files.  Where several
 * instructions share an opcode, the value of a field tells them apart and is the second
 * index. Never looks beyond the slot, except to explain.  RFC 9669 sections 3 to 5; what
 * Linux refuses is refused.
 */
#include "isa/insn.h"

#include "base/bytes.h"
#include "base/diag.h"

enum { ALU32 = CLASS_ALU, ALU64 = CLASS_ALU64, JMP32 = CLASS_JMP32, JMP64 = CLASS_JMP };

enum {
	END_LE = CLASS_ALU | 0xd0,
	END_BE = CLASS_ALU | 0xd8,
	END_SWAP = CLASS_ALU64 | 0xd0,
	CAST = CLASS_ALU64 | 0xb0 | SRC_X,
	JA = CLASS_JMP | 0x00,
	JA32 = CLASS_JMP32 | 0x00,
	CALL = CLASS_JMP | 0x80,
	CALLX = CLASS_JMP | 0x80 | SRC_X,
	EXIT = CLASS_JMP | 0x90,
	JCOND = CLASS_JMP | 0xe0,
	LDDW = CLASS_LD | MODE_IMM | 0x18,
	LDX = CLASS_LDX | MODE_MEM,
	LDXS = CLASS_LDX | MODE_MEMSX,
	ST = CLASS_ST | MODE_MEM,
	STX = CLASS_STX | MODE_MEM,
	LD_ABS = CLASS_LD | MODE_ABS,
	LD_IND = CLASS_LD | MODE_IND,
	ATOMIC = CLASS_STX | MODE_ATOMIC,
};

/* clang-format off */

/* The forms of a row of alu.def; E(name, code, off, width, K or X, has an immediate). */
#define FORMS_ALL(E, name, code, off)                                                    \
	E(name, code, off, 64, K, true) E(name, code, off, 64, X, false)                 \
	E(name, code, off, 32, K, true) E(name, code, off, 32, X, false)
#define FORMS_K(E, name, code, off)                                                      \
	E(name, code, off, 64, K, false) E(name, code, off, 32, K, false)
#define FORMS_X(E, name, code, off)                                                      \
	E(name, code, off, 64, X, false) E(name, code, off, 32, X, false)
#define FORMS_X64(E, name, code, off) E(name, code, off, 64, X, false)

/* Sign extension and packet accesses do not exist in 64 bits. */
#define NARROW_8(...)  __VA_ARGS__
#define NARROW_16(...) __VA_ARGS__
#define NARROW_32(...) __VA_ARGS__
#define NARROW_64(...)

enum { REGS_K = 1, REGS_X = N_REGS }; /* values of src_reg */

#define ALU_INFO(nm, cd, fixed_off, w, form, has_imm)                                    \
	[OP_##nm##w##_##form] = {.name = #nm #w "_" #form,                               \
				 .kind = KIND_ALU,                                       \
				 .row = ALU_##nm,                                        \
				 .width = w,                                             \
				 .reg = SRC_##form != 0,                                 \
				 .code = ALU##w | cd << 4 | SRC_##form,                  \
				 .dst = N_REGS,                                          \
				 .src = REGS_##form,                                     \
				 .imm = has_imm,                                         \
				 .off_is = fixed_off},
#define JMP_INFO(nm, cd, none, w, form, has_imm)                                         \
	[OP_##nm##w##_##form] = {.name = #nm #w "_" #form,                               \
				 .kind = KIND_JMP,                                       \
				 .row = JMP_##nm,                                        \
				 .width = w,                                             \
				 .reg = SRC_##form != 0,                                 \
				 .code = JMP##w | cd << 4 | SRC_##form,                  \
				 .dst = N_REGS,                                          \
				 .src = REGS_##form,                                     \
				 .off = true,                                            \
				 .imm = has_imm},
#define END_INFO(nm, cd, w)                                                              \
	[OP_##nm##w] = {.name = #nm #w,                                                  \
			.kind = KIND_END,                                                \
			.width = w,                                                      \
			.code = cd,                                                      \
			.dst = N_REGS,                                                   \
			.src = 1,                                                        \
			.imm_is = w},
#define MEM_INFO(nm, cd, w, d, s, ...)                                                   \
	[OP_##nm##w] = {.name = #nm #w,                                                  \
			.kind = KIND_##nm,                                               \
			.width = w,                                                      \
			.code = cd,                                                      \
			.dst = d,                                                        \
			.src = s,                                                        \
			__VA_ARGS__},
#define ATOMIC_INFO(nm, number, w, size)                                                 \
	[OP_ATOMIC_##nm##w] = {.name = "ATOMIC_" #nm #w,                                 \
			       .kind = KIND_ATOMIC,                                      \
			       .row = ATOMIC_##nm,                                       \
			       .width = w,                                               \
			       .reg = true,                                              \
			       .code = ATOMIC | size,                                    \
			       .dst = N_REGS,                                            \
			       .src = N_REGS,                                            \
			       .off = true,                                              \
			       .imm_is = number},
#define ODD_INFO(nm, cd, d, s, ...)                                                      \
	[OP_##nm] = {.name = #nm,                                                        \
		     .kind = KIND_##nm,                                                  \
		     .code = cd,                                                         \
		     .dst = d,                                                           \
		     .src = s,                                                           \
		     __VA_ARGS__},
enum { KIND_JA32 = KIND_JA };

const struct op_info op_infos[OPS] = {
	[OP_INVALID] = {.name = "INVALID", .dst = 1, .src = 1},
#define A(name, code, off, sign, forms, text, result)                                    \
	FORMS_##forms(ALU_INFO, name, code, off)
#include "isa/alu.def"
#undef A
#define J(name, code, sign, text, taken) FORMS_ALL(JMP_INFO, name, code, 0)
#include "isa/jmp.def"
#undef J
	END_INFO(LE, END_LE, 16)
	END_INFO(LE, END_LE, 32)
	END_INFO(LE, END_LE, 64)
	END_INFO(BE, END_BE, 16)
	END_INFO(BE, END_BE, 32)
	END_INFO(BE, END_BE, 64)
	END_INFO(BSWAP, END_SWAP, 16)
	END_INFO(BSWAP, END_SWAP, 32)
	END_INFO(BSWAP, END_SWAP, 64)
	ODD_INFO(ADDR_SPACE_CAST, CAST, N_REGS, N_REGS, .reg = true, .imm = true, .off_is = 1)
	ODD_INFO(JA, JA, 1, 1, .off = true)
	ODD_INFO(JA32, JA32, 1, 1, .imm = true)
	ODD_INFO(MAY_GOTO, JCOND, 1, 1, .off = true)
	ODD_INFO(CALL, CALL, 1, CALL_SRCS, .off = true, .imm = true)
	ODD_INFO(CALLX, CALLX, N_REGS, 1, .reg = true, .imm = true)
	ODD_INFO(EXIT, EXIT, 1, 1, .off = true) /* reserved, but Linux takes any */
	ODD_INFO(LDDW, LDDW, N_REGS, LDDW_SRCS, .width = 64, .wide = true, .imm = true)
#define W(bits, code, type)                                                              \
	MEM_INFO(LDX, LDX | code, bits, N_REGS, N_REGS, .off = true)                     \
	MEM_INFO(ST, ST | code, bits, N_REGS, 1, .off = true, .imm = true)               \
	MEM_INFO(STX, STX | code, bits, N_REGS, N_REGS, .off = true, .reg = true)        \
	NARROW_##bits(                                                                   \
	MEM_INFO(LDXS, LDXS | code, bits, N_REGS, N_REGS, .off = true)                   \
	MEM_INFO(LD_ABS, LD_ABS | code, bits, 1, 1, .imm = true)                         \
	MEM_INFO(LD_IND, LD_IND | code, bits, 1, N_REGS, .imm = true, .reg = true))      \
	MEM_INFO(LOAD_ACQ, ATOMIC | code, bits, N_REGS, N_REGS, .off = true,             \
		 .imm_is = LOAD_ACQ)                                                     \
	MEM_INFO(STORE_REL, ATOMIC | code, bits, N_REGS, N_REGS, .off = true,            \
		 .imm_is = STORE_REL, .reg = true)
#include "isa/mem.def"
#undef W
#define T(name, number, fetch, text, stored)                                             \
	ATOMIC_INFO(name, number, 64, 0x18) ATOMIC_INFO(name, number, 32, 0x00)
#include "isa/atomic.def"
#undef T
};

/* The value that tells instructions of one opcode apart: off in arithmetic, imm in byte
 * swaps. */
enum { V0, V1, V8, V16, V32, V64, VARIANTS };

#define ALU_CODE(name, code, off, w, form, has_imm)                                      \
	[V##off][ALU##w | code << 4 | SRC_##form] = OP_##name##w##_##form,
#define JMP_CODE(name, code, off, w, form, has_imm)                                      \
	[V0][JMP##w | code << 4 | SRC_##form] = OP_##name##w##_##form,

static const u8 ops[VARIANTS][256] = {
#define A(name, code, off, sign, forms, text, result)                                    \
	FORMS_##forms(ALU_CODE, name, code, off)
#include "isa/alu.def"
#undef A
#define J(name, code, sign, text, taken) FORMS_ALL(JMP_CODE, name, code, 0)
#include "isa/jmp.def"
#undef J
	[V16][END_LE] = OP_LE16,
	[V16][END_BE] = OP_BE16,
	[V16][END_SWAP] = OP_BSWAP16,
	[V32][END_LE] = OP_LE32,
	[V32][END_BE] = OP_BE32,
	[V32][END_SWAP] = OP_BSWAP32,
	[V64][END_LE] = OP_LE64,
	[V64][END_BE] = OP_BE64,
	[V64][END_SWAP] = OP_BSWAP64,
	[V1][CAST] = OP_ADDR_SPACE_CAST,
	[V0][JA] = OP_JA,
	[V0][JA32] = OP_JA32,
	[V0][JCOND] = OP_MAY_GOTO,
	[V0][CALL] = OP_CALL,
	[V0][CALLX] = OP_CALLX,
	[V0][EXIT] = OP_EXIT,
	[V0][LDDW] = OP_LDDW,
#define W(bits, code, type)                                                              \
	[V0][LDX | code] = OP_LDX##bits,                                                 \
	[V0][ST | code] = OP_ST##bits,                                                   \
	[V0][STX | code] = OP_STX##bits,                                                 \
	NARROW_##bits(                                                                   \
	[V0][LDXS | code] = OP_LDXS##bits,                                               \
	[V0][LD_ABS | code] = OP_LD_ABS##bits,                                           \
	[V0][LD_IND | code] = OP_LD_IND##bits,)
#include "isa/mem.def"
#undef W
};

/* clang-format on */

_Static_assert(OPS <= 256, "ops[][] holds an enum op in a byte");

enum op op_find(enum op_kind kind, u8 row, u8 width, bool reg)
{
	for (int op = OP_INVALID + 1; op < OPS; op++) {
		const struct op_info *info = &op_infos[op];

		if (info->kind == kind && info->row == row && info->width == width &&
		    info->reg == reg)
			return op;
	}
	return OP_INVALID;
}

static int variant_of(s32 value)
{
	switch (value) {
	case 0: return V0;
	case 1: return V1;
	case 8: return V8;
	case 16: return V16;
	case 32: return V32;
	case 64: return V64;
	default: return VARIANTS;
	}
}

static enum op find_ordered(u8 code, s32 imm)
{
	switch (code) {
#define W(bits, size, type)                                                              \
	case ATOMIC | size:                                                              \
		return imm == LOAD_ACQ ? OP_LOAD_ACQ##bits : OP_STORE_REL##bits;
#include "isa/mem.def"
#undef W
	default: return OP_INVALID;
	}
}

static enum op find_atomic(u8 code, s32 imm)
{
	bool wide = code == (ATOMIC | 0x18);

	if (imm == LOAD_ACQ || imm == STORE_REL)
		return find_ordered(code, imm);
	if (!wide && code != ATOMIC)
		return OP_INVALID;
	switch (imm) {
#define T(name, number, fetch, text, stored)                                             \
	case number:                                                                     \
		return wide ? OP_ATOMIC_##name##64 : OP_ATOMIC_##name##32;
#include "isa/atomic.def"
#undef T
	default: return OP_INVALID;
	}
}

static bool is_atomic(u8 code)
{
	return (code & ~0x18) == ATOMIC;
}

static bool is_end(u8 code)
{
	return code == END_LE || code == END_BE || code == END_SWAP;
}

static bool is_alu(u8 code)
{
	return insn_class(code) == CLASS_ALU || insn_class(code) == CLASS_ALU64;
}

/* Classes in which one opcode is several instructions. */
enum { OPCODE_IS_SHARED = 1 << CLASS_STX | 1 << CLASS_ALU | 1 << CLASS_ALU64 };

/* By opcode and the field that tells instructions of that opcode apart. */
static enum op find(const struct insn *insn)
{
	int v = V0;

	if (!(OPCODE_IS_SHARED >> insn_class(insn->code) & 1))
		return ops[V0][insn->code];
	if (is_atomic(insn->code))
		return find_atomic(insn->code, insn->imm);
	if (is_end(insn->code))
		v = variant_of(insn->imm);
	else if (is_alu(insn->code))
		v = variant_of(insn->off);
	return v < VARIANTS ? ops[v][insn->code] : OP_INVALID;
}

/* The fields whose rule is more than "any value" or "one value"; the name of the first
 * that is wrong. */
static const char *wrong_operand(enum op op, const struct insn *insn)
{
	if (op == OP_CALL && insn->src_reg != CALL_KFUNC && insn->off)
		return "off";
	if (op == OP_ADDR_SPACE_CAST && insn->imm != 1 && insn->imm != 1 << 16)
		return "imm";
	/* Before clang 18 the register of callx was in imm. */
	if (op == OP_CALLX && (insn->dst_reg ? insn->imm != 0 : (u32)insn->imm >= N_REGS))
		return "imm";
	return NULL;
}

enum op decode(const struct insn *insn)
{
	enum op op = find(insn);
	const struct op_info *info = &op_infos[op];

	if (insn->dst_reg >= info->dst || insn->src_reg >= info->src ||
	    (!info->off && insn->off != info->off_is) ||
	    (!info->imm && insn->imm != info->imm_is) || wrong_operand(op, insn))
		return OP_INVALID;
	return op;
}

struct insn insn_read(const u8 slot[INSN_SIZE], bool big_endian)
{
	u8 low = slot[1] & 0xf, high = slot[1] >> 4;

	return (struct insn){
		.code = slot[0],
		.dst_reg = big_endian ? high : low,
		.src_reg = big_endian ? low : high,
		.off = (s16)load_u16_of(slot + 2, big_endian),
		.imm = (s32)load_u32_of(slot + 4, big_endian),
	};
}

void insn_write(u8 slot[INSN_SIZE], const struct insn *insn, bool big_endian)
{
	u8 low = big_endian ? insn->src_reg : insn->dst_reg;
	u8 high = big_endian ? insn->dst_reg : insn->src_reg;
	bool swap = big_endian != host_is_big_endian();
	u16 off = (u16)insn->off;
	u32 imm = (u32)insn->imm;

	slot[0] = insn->code;
	slot[1] = (low & 0xf) | high << 4;
	store_u16(slot + 2, swap ? __builtin_bswap16(off) : off);
	store_u32(slot + 4, swap ? __builtin_bswap32(imm) : imm);
}

/* Is there any instruction with this opcode, whatever its other fields? */
static bool code_exists(u8 code)
{
	for (int v = 0; v < VARIANTS; v++)
		if (ops[v][code])
			return true;
	return is_atomic(code);
}

static int refuse_unknown(const struct insn *insn, u32 pc, struct skep_diag *diag)
{
	bool by_off = is_alu(insn->code) && !is_end(insn->code);

	if (!code_exists(insn->code))
		return fail(diag, NO_SUCH_INSN, pc, insn->code);
	return fail(diag, BAD_FIELD, pc, by_off ? "off" : "imm", insn->code,
		    by_off ? insn->off : insn->imm);
}

static int refuse_reg(const struct op_info *info, const struct insn *insn, u32 pc,
		      struct skep_diag *diag)
{
	bool dst = insn->dst_reg >= info->dst;
	u8 limit = dst ? info->dst : info->src, reg = dst ? insn->dst_reg : insn->src_reg;
	const char *field = dst ? "dst_reg" : "src_reg";

	if (limit == N_REGS)
		return fail(diag, NO_SUCH_REG, pc, reg);
	if (limit == 1)
		return fail(diag, RESERVED_FIELD, pc, info->name, field, reg, 0);
	return fail(diag, BAD_FIELD, pc, field, insn->code, reg);
}

/* The rest of a 64-bit immediate load, whose second slot holds nothing but an imm. */
static int refuse_wide(const struct insn *insn, u32 left, u32 pc, struct skep_diag *diag)
{
	if (left < 2)
		return fail(diag, BAD_LDDW, pc, "missing");
	if (insn[1].code || insn[1].dst_reg || insn[1].src_reg || insn[1].off)
		return fail(diag, BAD_LDDW, pc, "not all zero beside its imm");
	if (insn[1].imm &&
	    (insn->src_reg == LDDW_MAP_FD || insn->src_reg == LDDW_MAP_IDX))
		return fail(diag, BAD_LDDW, pc, "not zero, but a map has no offset");
	return 0;
}

int insn_refuse(const struct insn *insn, u32 left, u32 pc, struct skep_diag *diag)
{
	enum op op = find(insn);
	const struct op_info *info = &op_infos[op];
	const char *field;

	if (op == OP_INVALID)
		return refuse_unknown(insn, pc, diag);
	if (insn->dst_reg >= info->dst || insn->src_reg >= info->src)
		return refuse_reg(info, insn, pc, diag);
	if (!info->off && insn->off != info->off_is)
		return fail(diag, RESERVED_FIELD, pc, info->name, "off", insn->off,
			    info->off_is);
	if (!info->imm && insn->imm != info->imm_is)
		return fail(diag, RESERVED_FIELD, pc, info->name, "imm", insn->imm,
			    info->imm_is);
	field = wrong_operand(op, insn);
	if (field)
		return fail(diag, BAD_FIELD, pc, field, insn->code,
			    *field == 'o' ? insn->off : insn->imm);
	return info->wide ? refuse_wide(insn, left, pc, diag) : 0;
}

enum jmp jmp_exchanged(enum jmp jmp)
{
	switch (jmp) {
	case JMP_JGT: return JMP_JLT;
	case JMP_JGE: return JMP_JLE;
	case JMP_JLT: return JMP_JGT;
	case JMP_JLE: return JMP_JGE;
	case JMP_JSGT: return JMP_JSLT;
	case JMP_JSGE: return JMP_JSLE;
	case JMP_JSLT: return JMP_JSGT;
	case JMP_JSLE: return JMP_JSGE;
	case JMP_JEQ:
	case JMP_JNE:
	case JMP_JSET:
	case JMPS: break;
	}
	return jmp;
}
