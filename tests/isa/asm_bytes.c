/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler as a filter, for comparison with LLVM's.
 *
 *	asm-bytes corpus		text of every instruction that LLVM 19 knows
 *	asm-bytes bytes <TEXT		its bytes, little-endian, on standard output
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "isa/asm.h"
#include "isa/disasm.h"

static int put_bytes(void)
{
	static char text[8 << 20];
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct asm_input in = {.file = "stdin"};
	struct asm_unit unit;
	u8 slot[INSN_SIZE];

	in.text = (struct bytes){(const u8 *)text, fread(text, 1, sizeof(text), stdin)};
	if (asm_parse(&in, &arena, &unit, &diag)) {
		fprintf(stderr, "%s:%d: %s\n", diag.file, diag.line, diag.text);
		arena_fini(&arena);
		return 1;
	}
	for (u32 i = 0; i < unit.n_funcs; i++)
		for (u32 k = 0; k < unit.funcs[i].n_insns; k++) {
			insn_write(slot, &unit.funcs[i].insns[k], false);
			fwrite(slot, sizeof(slot), 1, stdout);
		}
	arena_fini(&arena);
	return 0;
}

/* LLVM 19 has no ordered accesses, no offset in LD_IND, no names for pseudo sources, and
 * "call pc+3" is a relocation; it takes no number of more than 16 bits after gotol. */
static bool llvm_knows(const struct insn *insn)
{
	const struct op_info *info = op_info(decode(insn));

	switch ((enum op_kind)info->kind) {
	case KIND_LOAD_ACQ:
	case KIND_STORE_REL:
	case KIND_INVALID: return false;
	case KIND_LD_IND: return insn->imm == 0;
	case KIND_LDDW: return insn->src_reg == LDDW_IMM;
	case KIND_CALL: return insn->src_reg == CALL_HELPER;
	case KIND_CALLX: return insn->imm == 0;
	case KIND_EXIT: return insn->off == 0;
	case KIND_JA: return insn->imm == (s16)insn->imm;
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_MAY_GOTO:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_ST:
	case KIND_STX:
	case KIND_LD_ABS:
	case KIND_ATOMIC: return true;
	}
	return false;
}

static void put_text(struct text *out, enum op op, struct insn insn[2])
{
	if (insn_refuse(insn, 2, 0, NULL) || !llvm_knows(insn))
		return;
	text_clear(out);
	disasm(out, insn, 2, 0, NULL);
	printf("%s\t# %s\n", text_str(out), op_info(op)->name);
}

static int put_corpus(void)
{
	static const s16 offs[] = {0, 1, -1, 8, -512, INT16_MAX, INT16_MIN};
	static const s32 imms[] = {0,   1,         -1,        10,        -10,
				   255, 0x1234567, INT32_MAX, INT32_MIN, 1 << 16};
	struct text text = TEXT_INIT;

	for (int op = 0; op < OPS; op++) {
		const struct op_info *info = op_info(op);

		for (size_t i = 0; i < ARRAY_SIZE(offs) * ARRAY_SIZE(imms); i++) {
			s32 imm = imms[i / ARRAY_SIZE(offs)];
			struct insn insn[2] = {
				{info->code, i % info->dst,
				 info->src == N_REGS ? (i + 3) % N_REGS : 0,
				 info->off ? offs[i % ARRAY_SIZE(offs)] : info->off_is,
				 info->imm ? imm : info->imm_is},
				{.imm = imm >> 3}};

			put_text(&text, op, insn);
		}
	}
	text_fini(&text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "corpus"))
		return put_corpus();
	if (argc == 2 && !strcmp(argv[1], "bytes"))
		return put_bytes();
	return 2;
}
