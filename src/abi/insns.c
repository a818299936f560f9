/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which version of Linux first had which instruction.
 *
 * Instructions came in groups (clang calls some of them -mcpu=v2, v3, v4), so the facts
 * are about kinds of instructions, and rows of the tables where these grew later.  Never
 * asks the kernel; tests/isa does.  Linux: Documentation/bpf/standardization.
 */
#include "abi/insns.h"

#include "abi/abi.h"

static u32 alu_since(const struct op_info *info)
{
	switch (info->row) {
	case ALU_SDIV:
	case ALU_SMOD:
	case ALU_MOVS8:
	case ALU_MOVS16:
	case ALU_MOVS32: return ABI_LINUX(6, 6);
	}
	return ABI_LINUX(3, 18);
}

static u32 jmp_since(const struct op_info *info)
{
	if (info->width == 32)
		return ABI_LINUX(5, 1);
	switch (info->row) {
	case JMP_JLT:
	case JMP_JLE:
	case JMP_JSLT:
	case JMP_JSLE: return ABI_LINUX(4, 14);
	}
	return ABI_LINUX(3, 18);
}

u32 abi_insn_since(enum op op)
{
	const struct op_info *info = op_info(op);

	switch ((enum op_kind)info->kind) {
	case KIND_ALU: return alu_since(info);
	case KIND_JMP: return jmp_since(info);
	case KIND_END:
		return op == OP_BSWAP16 || op == OP_BSWAP32 || op == OP_BSWAP64
			       ? ABI_LINUX(6, 6)
			       : ABI_LINUX(3, 18);
	case KIND_JA: /* 6.6, and the series 6.1 took it later */
		return op == OP_JA32 ? ABI_LINUX(6, 1) : ABI_LINUX(3, 18);
	case KIND_ATOMIC:
		return info->row == ATOMIC_ADD ? ABI_LINUX(3, 18) : ABI_LINUX(5, 12);
	case KIND_LDXS: return ABI_LINUX(6, 6);
	case KIND_MAY_GOTO:
	case KIND_ADDR_SPACE_CAST: return ABI_LINUX(6, 9);
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL: return ABI_LINUX(6, 15);
	case KIND_CALL:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_ST:
	case KIND_STX:
	case KIND_LD_ABS:
	case KIND_LD_IND: return ABI_LINUX(3, 18);
	case KIND_CALLX:
	case KIND_INVALID: break;
	}
	return 0xffffffff;
}
