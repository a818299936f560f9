/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the answer of a CO-RE relocation into its instruction.
 *
 * ALU instructions and 64-bit immediates get it as immediate, loads and stores as offset;
 * where the field has another size in the target, the width of the access follows.  Never
 * asks BTF. Kernel documentation: bpf/llvm_reloc.rst.
 */
#include "base/diag.h"
#include "btf/core.h"
#include "isa/insn.h"

static bool is_lddw(const struct insn *insn)
{
	return insn->code == (CLASS_LD | MODE_IMM | 0x18);
}

/* Both slots of a 64-bit immediate, so that the second one does not become an instruction
 * of its own. */
static void poison(struct insn *insns, u32 n, u32 pc)
{
	u32 slots = is_lddw(&insns[pc]) && pc + 1 < n ? 2 : 1;

	for (u32 i = 0; i < slots; i++)
		insns[pc + i] = (struct insn){.code = CLASS_JMP | 0x80,
					      .imm = CORE_POISON_HELPER};
}

static int wrong_insn(const struct insn *insn, u32 pc, const char *why,
		      struct skep_diag *diag)
{
	return fail(diag, CORE_INSN, (int)pc, insn->code, why);
}

static int apply_imm(struct insn *insn, u32 pc, const struct core_result *res,
		     struct skep_diag *diag)
{
	if (insn->code & SRC_X)
		return wrong_insn(insn, pc, "has no immediate", diag);
	if (res->check_local && (u32)insn->imm != (u32)res->local)
		return wrong_insn(insn, pc, "does not hold what the compiler assumed",
				  diag);
	insn->imm = (s32)(u32)res->value;
	return 0;
}

static int apply_lddw(struct insn *insns, u32 n, u32 pc, const struct core_result *res,
		      struct skep_diag *diag)
{
	struct insn *insn = &insns[pc];

	if (!is_lddw(insn) || insn->src_reg != LDDW_IMM || insn->off || pc + 1 >= n)
		return wrong_insn(insn, pc, "is no 64-bit immediate", diag);
	if (insn[1].code || insn[1].dst_reg || insn[1].src_reg || insn[1].off)
		return wrong_insn(insn, pc, "has no second slot", diag);
	if (res->check_local && lddw_imm(insn) != res->local)
		return wrong_insn(insn, pc, "does not hold what the compiler assumed",
				  diag);
	insn[0].imm = (s32)(u32)res->value;
	insn[1].imm = (s32)(u32)(res->value >> 32);
	return 0;
}

/* The width of a memory access: bits 3 and 4 of the code. */
static u32 access_size(u8 code)
{
	static const u8 sizes[] = {4, 2, 1, 8};

	return sizes[code >> 3 & 3];
}

static bool set_access_size(struct insn *insn, u32 size)
{
	for (u8 bits = 0; bits < 0x20; bits += 8) {
		if (access_size(bits) == size) {
			insn->code = (insn->code & ~0x18) | bits;
			return true;
		}
	}
	return false;
}

static int apply_offset(struct insn *insns, u32 n, u32 pc, const struct core_result *res,
			struct skep_diag *diag)
{
	struct insn *insn = &insns[pc];

	if (res->check_local && (u64)(s64)insn->off != res->local)
		return wrong_insn(insn, pc, "does not hold what the compiler assumed",
				  diag);
	if (res->value > INT16_MAX)
		return wrong_insn(insn, pc, "cannot hold an offset that large", diag);
	if (res->resize_fails) {
		poison(insns, n, pc);
		return 0;
	}
	insn->off = (s16)res->value;
	if (res->local_size == res->target_size)
		return 0;
	if (access_size(insn->code) != res->local_size)
		return wrong_insn(insn, pc,
				  "does not access the whole field, whose size changed",
				  diag);
	if (!set_access_size(insn, res->target_size))
		return wrong_insn(insn, pc, "cannot access a field of the target's size",
				  diag);
	return 0;
}

int core_apply(struct insn *insns, u32 n, u32 pc, const struct core_result *res,
	       struct skep_diag *diag)
{
	if (pc >= n)
		return fail(diag, CORE_RELO, NO_PC,
			    "its instruction lies outside of the section");
	if (res->poison) {
		poison(insns, n, pc);
		return 0;
	}
	switch (insn_class(insns[pc].code)) {
	case CLASS_ALU:
	case CLASS_ALU64: return apply_imm(&insns[pc], pc, res, diag);
	case CLASS_LD: return apply_lddw(insns, n, pc, res, diag);
	case CLASS_LDX:
	case CLASS_ST:
	case CLASS_STX: return apply_offset(insns, n, pc, res, diag);
	}
	return wrong_insn(&insns[pc], pc, "cannot be relocated", diag);
}

int core_relocate(struct core *core, struct insn *insns, u32 n, u32 pc,
		  const struct btf_core_relo *relo, struct core_result *out,
		  struct skep_diag *diag)
{
	struct core_result res;
	int err = core_resolve(core, relo, &res, diag);

	if (!err)
		err = core_apply(insns, n, pc, &res, diag);
	if (!err && out)
		*out = res;
	return err;
}
